"""The warehouse as other clients see it: libpq, psql, who talks nonsense, who dies in the middle."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import psycopg2
import pytest
from embedded import until
from warehouse_support import (
    BUSY,
    DRIVER_WARNINGS,
    PASSWORD,
    Warehouse,
    connected,
    in_a_transaction,
    one,
    trusted,
)

warehouse = pytest.fixture(trusted, scope="module")
connection = pytest.fixture(connected)
cursor = pytest.fixture(in_a_transaction)
pytestmark = DRIVER_WARNINGS


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
