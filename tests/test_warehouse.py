"""The warehouse as clients see it: Amazon's own driver, libpq, psql; COPY from S3 inside a transaction."""

import bz2
import gc
import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import pytest
import redshift_connector
from embedded import until
from moto.server import ThreadedMotoServer

from aws_vpc.local.certificates import Certificates
from aws_vpc.local.postgres import Postgres
from aws_vpc.local.postgres_binaries import Installation
from aws_vpc.local.processes import Processes
from aws_vpc.local.warehouse import catalog

# The driver makes its TLS context in a way that Python has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:ssl\\.:DeprecationWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning"),
]
PASSWORD = "Correct-horse-1"
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND state <> 'idle'"


class Warehouse:
    """PostgreSQL, the warehouse process in front of it, and S3."""

    def __init__(self, folder: Path) -> None:
        self.processes, self.certificates = Processes.direct(), Certificates(folder / "certificates")
        self.installation = Installation(folder / "postgres")
        self.moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self.moto.start()
        endpoint = "http://{}:{}".format(*self.moto.get_host_and_port())
        self.server = Postgres(
            "warehouse",
            self.installation,
            self.processes,
            self.certificates,
            folder / "warehouse.log",
            tls=False,
        )
        self.server.start()
        with self.server.session("template1") as cursor:
            for statement in catalog.statements():
                cursor.execute(statement)
        self.server.create_master("master", PASSWORD, "dev", ("pg_read_all_data", "pg_write_all_data"))
        access = {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self.s3 = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        self.s3.create_bucket(Bucket="loads")
        self.log, ready = folder / "process.log", folder / "ready.json"
        argv = ["--server-port", self.server.port, "--certificate", self.certificates.server]
        argv += ["--key", self.certificates.key, "--ready", ready]
        self.process = self.processes.spawn(
            "warehouse", [sys.executable, "-m", "aws_vpc.local.warehouse", *map(str, argv)],
            env={**access, "AWS_ENDPOINT_URL": endpoint, "PATH": os.environ["PATH"]}, log=self.log,
        )  # fmt: skip
        while not ready.exists():
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.01)
        self.port = int(json.loads(ready.read_text())["port"])

    def connect(self, **changes: Any) -> Any:
        wanted = {
            "host": "localhost",
            "port": self.port,
            "user": "master",
            "password": PASSWORD,
            "database": "dev",
        }
        return redshift_connector.connect(**{**wanted, "sslmode": "verify-full", **changes})

    def libpq(self, **changes: Any) -> Any:
        wanted = {"host": "localhost", "port": self.port, "user": "master", "password": PASSWORD}
        trust = {"dbname": "dev", "sslmode": "verify-full", "sslrootcert": str(self.certificates.ca)}
        return psycopg2.connect(**{**wanted, **trust, **changes})

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket="loads", Key=key, Body=body)

    def close(self) -> None:
        self.s3.close()
        self.process.terminate()
        self.server.remove()
        self.processes.stop()
        self.installation.clear()
        self.moto.stop()


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    made = Warehouse(tmp_path_factory.mktemp("warehouse"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(made.certificates.ca))
        yield made
    made.close()


@pytest.fixture
def connection(warehouse: Warehouse) -> Iterator[Any]:
    made = warehouse.connect()
    yield made
    made.close()


@pytest.fixture
def cursor(connection: Any) -> Any:
    """A cursor in a transaction that nobody commits."""
    return connection.cursor()


def one(cursor: Any, statement: str, *values: Any) -> Any:
    cursor.execute(statement, values) if values else cursor.execute(statement)
    return cursor.fetchone()[0]


def rows(cursor: Any, statement: str) -> list[tuple[Any, ...]]:
    cursor.execute(statement)
    return [tuple(row) for row in cursor.fetchall()]


# ---------------------------------------------------------------- the driver


def test_the_driver_is_told_that_this_is_redshift(cursor: Any) -> None:
    assert one(cursor, "SELECT version()").startswith("PostgreSQL 8.0.2 on ")
    assert "Redshift 1.0." in one(cursor, "SELECT version()")


@pytest.mark.parametrize("mode", ["require", "prefer", "verify-ca", "verify-full"])
def test_every_mode_of_tls_connects(warehouse: Warehouse, mode: str) -> None:
    warehouse.connect(sslmode=mode).close()


def refusal(connect: Any, **changes: Any) -> str:
    """Why a connection is refused; the driver leaves its socket open, which must not trouble other tests."""
    try:
        connect(**changes).close()
        said = ""
    except (redshift_connector.Error, psycopg2.Error, OSError) as error:
        said = str(error)
    gc.collect()
    return said


def test_without_tls_nobody_gets_in(warehouse: Warehouse) -> None:
    assert "SSL connection is required" in refusal(warehouse.connect, ssl=False, sslmode="disable")
    assert "SSL connection is required" in refusal(warehouse.libpq, sslmode="disable")


def test_a_wrong_password_is_28p01(warehouse: Warehouse) -> None:
    assert "28P01" in refusal(warehouse.connect, password="wrong")


TYPES = [
    ("smallint", 7), ("int", -70000), ("bigint", 2**62), ("decimal(20,4)", Decimal("12.3456")), ("real", 1.5),
    ("double precision", 2.25), ("boolean", True), ("varchar(20)", "äöü €"), ("char(3)", "abc"),
    ("date", date(2026, 2, 28)), ("timestamp", datetime(2026, 2, 28, 12, 30, 1, 5000)),
]  # fmt: skip


@pytest.mark.parametrize(("type_name", "value"), TYPES)
def test_values_go_and_come_back(cursor: Any, type_name: str, value: Any) -> None:
    cursor.execute(f"CREATE TEMP TABLE v (a {type_name})")
    cursor.execute("INSERT INTO v VALUES (%s), (%s)", (value, None))
    assert rows(cursor, "SELECT a FROM v") == [(value,), (None,)]


@pytest.mark.parametrize(
    ("style", "statement", "values"),
    [
        ("format", "SELECT %s", (5,)),
        ("qmark", "SELECT ?", (5,)),
        ("numeric", "SELECT :1", (5,)),
        ("named", "SELECT :a", {"a": 5}),
        ("pyformat", "SELECT %(a)s", {"a": 5}),
    ],
)
def test_all_paramstyles_bind(connection: Any, style: str, statement: str, values: Any) -> None:
    cursor = connection.cursor()
    cursor.paramstyle = style
    cursor.execute(statement, values)
    assert cursor.fetchone() == [5]


def test_names_of_columns_are_described(cursor: Any) -> None:
    cursor.execute("SELECT 1 AS id, 'x' AS name")
    assert [column[0] for column in cursor.description] == ["id", "name"]


def test_an_error_aborts_the_transaction_until_rollback(connection: Any) -> None:
    cursor = connection.cursor()
    with pytest.raises(redshift_connector.ProgrammingError, match="42P01"):
        cursor.execute("SELECT * FROM none_such")
    with pytest.raises(redshift_connector.ProgrammingError, match="25P02"):
        cursor.execute("SELECT 1")
    connection.rollback()
    assert one(cursor, "SELECT 1") == 1


def test_a_null_where_none_may_be_is_refused(cursor: Any) -> None:
    cursor.execute("CREATE TEMP TABLE v (a int PRIMARY KEY)")
    with pytest.raises(redshift_connector.Error, match="23502"):
        cursor.execute("INSERT INTO v VALUES (NULL)")


def test_keys_are_accepted_and_not_enforced(cursor: Any) -> None:
    cursor.execute("CREATE TEMP TABLE v (a int PRIMARY KEY DISTKEY, b int UNIQUE) SORTKEY (a)")
    cursor.execute("INSERT INTO v VALUES (1, 1), (1, 1)")
    assert one(cursor, "SELECT count(*) FROM v") == 2


def test_autocommit_is_seen_by_others(warehouse: Warehouse) -> None:
    with warehouse.connect() as first, warehouse.connect() as second:
        first.autocommit = True
        first.cursor().execute("CREATE TABLE seen (a int)")
        assert one(second.cursor(), "SELECT count(*) FROM seen") == 0
        second.rollback()
        first.cursor().execute("DROP TABLE seen")


def test_many_rows_are_inserted(cursor: Any) -> None:
    cursor.execute("CREATE TEMP TABLE v (a int, b varchar(10))")
    cursor.executemany("INSERT INTO v VALUES (%s, %s)", [(number, f"n{number}") for number in range(50)])
    assert one(cursor, "SELECT count(DISTINCT b) FROM v") == 50


def test_the_drivers_bulk_insert_finds_its_catalog_views(connection: Any, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n1,one\n2,two\n3,three\n")
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE bulk (a int, b varchar(10))")
    cursor.insert_data_bulk(
        filename=str(file),
        table_name="bulk",
        parameter_indices=[0, 1],
        column_names=["a", "b"],
        delimiter=",",
    )
    assert one(cursor, "SELECT count(*) FROM bulk") == 3
    connection.rollback()


def test_a_result_of_200000_rows_arrives_whole(cursor: Any) -> None:
    cursor.execute("SELECT g, 'row ' || g FROM generate_series(1, 200000) g")
    found = cursor.fetchall()
    assert (len(found), list(found[-1])) == (200000, [200000, "row 200000"])


def test_a_value_of_two_megabytes_goes_there_and_back(cursor: Any) -> None:
    big = "ä" * (1 << 20)
    assert one(cursor, "SELECT %s::text", big) == big


def test_sixteen_sessions_at_once(warehouse: Warehouse) -> None:
    wrong: list[Any] = []

    def work(number: int) -> None:
        try:
            with warehouse.connect() as connection:
                cursor = connection.cursor()
                wrong.extend(n for n in range(20) if one(cursor, "SELECT %s + %s", number, n) != number + n)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_statement_timeout_cancels(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("SET statement_timeout TO 50")
    with pytest.raises(redshift_connector.Error, match="57014"):
        cursor.execute("SELECT count(*) FROM generate_series(1, 100000000)")


def test_merge_updates_and_inserts(cursor: Any) -> None:
    cursor.execute("CREATE TEMP TABLE t (id int, a varchar(5))")
    cursor.execute("CREATE TEMP TABLE s (id int, a varchar(5))")
    cursor.execute("INSERT INTO t VALUES (1, 'old')")
    cursor.execute("INSERT INTO s VALUES (1, 'new'), (2, 'two')")
    cursor.execute(
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = s.a "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.a)"
    )
    assert rows(cursor, "SELECT * FROM t ORDER BY id") == [(1, "new"), (2, "two")]


def test_what_a_cluster_refuses_is_refused_even_with_bound_values(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("CREATE TEMP TABLE v (a int)")
    connection.commit()
    with pytest.raises(redshift_connector.ProgrammingError) as raised:
        cursor.execute("INSERT INTO v VALUES (%s), (%s) ON CONFLICT DO NOTHING", (1, 2))
    assert raised.value.args[0]["C"] == "42601"
    assert raised.value.args[0]["M"] == 'syntax error at or near "ON"'
    with pytest.raises(redshift_connector.ProgrammingError, match="25P02"):
        cursor.execute("SELECT 1")
    connection.rollback()
    assert one(cursor, "SELECT count(*) FROM v") == 0


# ---------------------------------------------------------------- other clients


def test_libpq_runs_several_statements_with_a_copy_among_them(warehouse: Warehouse) -> None:
    warehouse.put("several.csv", b"1\n2\n3\n")
    connection = warehouse.libpq()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE v (a int); COPY v FROM 's3://loads/several.csv' IAM_ROLE default CSV; "
            "SELECT sum(a) FROM v"
        )
        assert cursor.fetchone() == (6,)
        assert (
            connection.notices[-1].strip()
            == "INFO:  Load into table 'v' completed, 3 record(s) loaded successfully."
        )
        with pytest.raises(psycopg2.errors.FeatureNotSupported, match='SQL command "CREATE INDEX ON v'):
            cursor.execute("SELECT 1; CREATE INDEX ON v (a)")
    connection.close()


def test_cancel_reaches_the_statement(warehouse: Warehouse) -> None:
    connection = warehouse.libpq()

    def cancel() -> None:
        with warehouse.server.session("dev") as cursor:
            until(lambda: one(cursor, BUSY, "SELECT count(*) FROM generate_series%"))
        connection.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with connection.cursor() as cursor, pytest.raises(psycopg2.errors.QueryCanceled):
        cursor.execute("SELECT count(*) FROM generate_series(1, 1000000000)")
    canceller.join()
    connection.close()


def test_psql_connects_and_lists_tables(warehouse: Warehouse) -> None:
    target = f"host=localhost port={warehouse.port} user=master dbname=dev sslmode=verify-full"
    try:
        done = subprocess.run(
            ["psql", target, "-c", "CREATE TABLE shown (a int)", "-c", "\\dt", "-c", "DROP TABLE shown"],
            env={**os.environ, "PGPASSWORD": PASSWORD, "PGSSLROOTCERT": str(warehouse.certificates.ca)},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("no psql here")
    assert "public | shown | table | master" in done.stdout, done.stderr


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.0\r\n\r\n", b"\0\0\0\x08\x04\xd2\x16\x2fnonsense", b"\0"])
def test_nonsense_does_no_harm(warehouse: Warehouse, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", warehouse.port)) as other:
        other.sendall(sent)
        other.settimeout(0.2)
        with suppress(TimeoutError):
            other.recv(100)
    warehouse.connect().close()


# ---------------------------------------------------------------- COPY


def load(cursor: Any, source: str, options: str = "CSV") -> list[tuple[Any, ...]]:
    """What is in the table after a COPY."""
    cursor.execute("CREATE TEMP TABLE loaded (id bigint, name varchar(20))")
    cursor.execute(f"COPY loaded FROM 's3://loads/{source}' IAM_ROLE default {options}")
    return rows(cursor, "SELECT id, name FROM loaded ORDER BY id")


BOTH = [(1, "one"), (2, "two")]


@pytest.mark.parametrize(
    ("key", "body", "source", "options"),
    [
        ("c/plain.csv", b"1,one\n2,two", "c/plain.csv", "CSV"),
        ("c/header.csv", b"id,name\n1,one\n2,two\n", "c/header.csv", "FORMAT AS CSV IGNOREHEADER 1"),
        ("c/tab.csv", b"1\tone\n2\ttwo\n", "c/tab.csv", "CSV DELIMITER '\\t'"),
        ("c/quote.csv", b"1,%one%\n2,two\n", "c/quote.csv", "CSV QUOTE AS '%'"),
        (
            "c/a.gz",
            gzip.compress(b"1,one\n", mtime=0) + gzip.compress(b"2,two\n", mtime=0),
            "c/a.gz",
            "CSV GZIP",
        ),
        ("c/a.bz2", bz2.compress(b"1,one\n2,two\n"), "c/a.bz2", "CSV BZIP2"),
        ("c/crlf.csv", b"1,one\r\n2,two\r\n", "c/crlf.csv", "CSV EMPTYASNULL COMPUPDATE OFF STATUPDATE OFF"),
    ],
    ids=lambda value: value if isinstance(value, str) else "bytes",
)
def test_copy_reads_objects_as_told(
    warehouse: Warehouse, cursor: Any, key: str, body: bytes, source: str, options: str
) -> None:
    warehouse.put(key, body)
    assert load(cursor, source, options) == BOTH


def test_copy_reads_all_under_a_prefix_each_without_its_header(warehouse: Warehouse, cursor: Any) -> None:
    warehouse.put("parts/1.csv", b"id,name\n1,one")
    warehouse.put("parts/2.csv", b"id,name\n2,two")
    assert load(cursor, "parts/", "CSV IGNOREHEADER 1") == BOTH


def test_copy_reads_what_a_manifest_lists(warehouse: Warehouse, cursor: Any) -> None:
    warehouse.put("m/1.csv", b"1,one\n")
    warehouse.put("m/2.csv", b"2,two\n")
    warehouse.put("m/3.csv", b"3,three\n")
    entries = [{"url": f"s3://loads/m/{name}.csv", "mandatory": name < 3} for name in (1, 2, 9)]
    warehouse.put("m/list", json.dumps({"entries": entries}).encode())
    assert load(cursor, "m/list", "CSV MANIFEST") == BOTH
    warehouse.put("m/list", json.dumps({"entries": [{**entries[2], "mandatory": True}]}).encode())
    with pytest.raises(redshift_connector.Error, match="S3ServiceException"):
        cursor.execute("COPY loaded FROM 's3://loads/m/list' IAM_ROLE default CSV MANIFEST")


def test_copy_puts_null_where_the_field_is_empty_or_named_so(warehouse: Warehouse, cursor: Any) -> None:
    warehouse.put("null.csv", b"1,\n2,NIL\n")
    assert load(cursor, "null.csv", "CSV EMPTYASNULL") == [(1, None), (2, "NIL")]
    cursor.execute("DROP TABLE loaded")
    assert load(cursor, "null.csv", "CSV NULL AS 'NIL'") == [(1, ""), (2, None)]


def test_copy_is_part_of_the_transaction(warehouse: Warehouse, connection: Any) -> None:
    warehouse.put("tx.csv", b"1,one\n")
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE tx (id int, name varchar(5))")
    connection.commit()
    cursor.execute("COPY tx FROM 's3://loads/tx.csv' IAM_ROLE default CSV")
    assert one(cursor, "SELECT count(*) FROM tx") == 1
    connection.rollback()
    assert one(cursor, "SELECT count(*) FROM tx") == 0
    cursor.execute("DROP TABLE tx")
    connection.commit()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nope/", "The specified S3 prefix 'nope/' does not exist"),
        ("bad.csv", "Load into table 'loaded' failed."),
        ("broken.gz' IAM_ROLE default CSV GZIP --", "Failed to decompress"),
    ],
)
def test_a_copy_that_cannot_be_done_says_why_and_the_session_goes_on(
    warehouse: Warehouse, connection: Any, source: str, message: str
) -> None:
    warehouse.put("bad.csv", b"1,one\nx,two\n")
    warehouse.put("broken.gz", b"no gzip at all")
    cursor = connection.cursor()
    with pytest.raises(redshift_connector.Error) as raised:
        load(cursor, source)
    assert message in raised.value.args[0]["M"]
    assert raised.value.args[0]["C"] == "XX000"
    connection.rollback()
    warehouse.put("good.csv", b"1,one\n2,two\n")
    assert load(connection.cursor(), "good.csv") == BOTH


def test_a_bad_value_is_told_with_line_and_column(warehouse: Warehouse, cursor: Any) -> None:
    warehouse.put("bad.csv", b"1,one\nx,two\n")
    with pytest.raises(redshift_connector.Error) as raised:
        load(cursor, "bad.csv")
    detail = raised.value.args[0]["D"]
    assert 'invalid input syntax for type bigint: "x"' in detail
    assert "line 2, column id" in detail


def test_a_missing_bucket_and_a_missing_table_are_told(warehouse: Warehouse, connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("CREATE TEMP TABLE b (a int)")
    with pytest.raises(redshift_connector.Error, match="NoSuchBucket"):
        cursor.execute("COPY b FROM 's3://none-such-bucket/x' IAM_ROLE default CSV")
    connection.rollback()
    with pytest.raises(redshift_connector.Error, match="42P01"):
        cursor.execute("COPY none_such FROM 's3://loads/bad.csv' IAM_ROLE default CSV")


def test_a_client_that_dies_in_the_middle_leaves_nothing(warehouse: Warehouse) -> None:
    warehouse.put("long.csv", b"".join(b"%d,x\n" % number for number in range(300_000)))
    with warehouse.connect() as connection:
        connection.cursor().execute("CREATE TABLE long (id int, name varchar(5))")
        connection.commit()
    code = (
        "import os, sys, threading, psycopg2; k = psycopg2.connect(sys.argv[1]); "
        "threading.Timer(0.15, os._exit, [9]).start(); "
        "k.cursor().execute(\"COPY long FROM 's3://loads/long.csv' IAM_ROLE default CSV\"); os._exit(9)"
    )
    target = (
        f"host=localhost port={warehouse.port} user=master password={PASSWORD} dbname=dev "
        f"sslmode=verify-full sslrootcert={warehouse.certificates.ca}"
    )
    subprocess.run([sys.executable, "-c", code, target], check=False, timeout=300)
    with warehouse.server.session("dev") as cursor:
        until(lambda: one(cursor, BUSY, "COPY long%") == 0)
        assert one(cursor, "SELECT count(*) FROM long") == 0
    warehouse.connect().close()


def test_the_log_of_the_process_stays_empty(warehouse: Warehouse) -> None:
    assert warehouse.log.read_text() == ""
