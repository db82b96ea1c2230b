"""What the loader needs around it, real: PostgreSQL, the warehouse, S3 and secrets; a fresh set per test."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redshift_connector
from botocore.response import StreamingBody
from hypothesis import assume
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from aws_vpc.loader.__main__ import main
from aws_vpc.loader.source import Object, Source
from aws_vpc.loader.tables import Column, Dialect, Table
from aws_vpc.local.certificates import Certificates
from aws_vpc.local.postgres import Postgres
from aws_vpc.local.postgres_binaries import Installation
from aws_vpc.local.processes import Processes
from aws_vpc.local.warehouse import catalog

DATABASE = "people"
MASTER = "master", "Master-password-1"
READER = "Reader-password-1"
ROLE = "arn:aws:iam::123456789012:role/copy"
HEADER = "id,email,state,postal,address\n"
TARGETS = ("rds", "redshift")


EXAMPLES = 5000 if os.environ.get("AWS_VPC_TEST_ALL") else 150

KINDS = Table(
    "kinds",
    (
        Column("a", "bigint", required=True),
        Column("b", "smallint", minimum=-5, maximum=300),
        Column("c", "integer", minimum=25),
        Column("d", "numeric", (5, 2)),
        Column("e", "double precision"),
        Column("f", "boolean"),
        Column("g", "date"),
        Column("h", "timestamp"),
        Column("i", "char", (3,)),
        Column("j", "varchar", (5,)),
        Column("k", "varchar", (6,), pattern="[^x]+(y|z)?"),
        Column("l", "varchar", (4,), values=("one", "two", "a,b", 'q"')),
    ),
    ("a",),
    csv=Dialect(null="NIL"),
)

WORDS = st.sampled_from([
    "", "NIL", '""', "0", "1", "-1", "007", "25", "24", "300", "301", "32768", "2147483648", "9" * 18,
    "9" * 19, "1.5", "123.45", "1234.5", "1.234", ".5", "5.", "-0", "1e5", "1e400", "1e-400", "t",
    "true", "no", "2026-02-28", "2026-02-30", "0000-01-01", "2026-01-01 10:00:00", "2026-01-01T24:00:00",
    "2026-01-01 10:00:00.123456", "abc", "abcd", "abcdef", "äöü", "ab\\", "axy", "x", "one", "a,b", 'q"',
    "three", " 1", "1 ", "y\n", "\r", "\0", "\ufffd", "a\tb",
])  # fmt: skip
FIELDS = st.one_of(WORDS, WORDS.map(lambda word: '"' + word.replace('"', '""') + '"'), st.text(max_size=6))
CHARACTERS = st.text(st.sampled_from("ab1 ,;\t|\"'\\\n\r.é\u2003N"), max_size=8)


@st.composite
def files(draw: st.DrawFn) -> tuple[Table, str, list[list[str]]]:
    """Rows written by the csv module in a random dialect, and how the csv module reads them."""
    delimiter, quote = draw(st.permutations([",", ";", "\t", "|", '"', "'"]))[:2]
    dialect: dict[str, Any] = {"delimiter": delimiter, "quotechar": quote}
    escape = draw(st.sampled_from(["", "\\"]))
    if escape:
        dialect |= {"escapechar": escape, "doublequote": draw(st.booleans())}
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    ending = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = io.StringIO(newline="")
    writer = csv.writer(text, **dialect, quoting=quoting, lineterminator=ending)
    rows = [["a", "b"], *draw(st.lists(st.lists(CHARACTERS, min_size=2, max_size=2), max_size=6))]
    try:
        writer.writerows(rows)
        read = list(csv.reader(io.StringIO(text.getvalue(), newline=""), **dialect))[1:]
    except csv.Error:
        assume(False)
    columns = (Column("a", "varchar", (20,)), Column("b", "varchar", (20,)))
    csv_dialect = Dialect(delimiter=delimiter, quote=quote, escape=escape)
    return Table("any", columns, ("a",), csv=csv_dialect), text.getvalue(), [row for row in read if row]


class Shelf:
    """S3 with one object, for tests that need its bytes and nothing else of it."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def head_object(self, **asked: str) -> dict[str, Any]:
        return {"ETag": '"etag"', "ContentLength": len(self.body)}

    def get_object(self, Range: str = "bytes=0-", **asked: str) -> dict[str, Any]:
        start, _, last = Range.removeprefix("bytes=").partition("-")
        part = self.body[int(start) : int(last) + 1 if last else None]
        return {"Body": StreamingBody(io.BytesIO(part), len(part))}


def source(body: bytes, key: str) -> Source:
    """An object that lies ready."""
    return Source(Shelf(body), Object("bucket", key), pause=lambda seconds: None)


NUMBERS = itertools.count()  # moto's services are one for all servers of a process


@dataclass
class Servers:
    """Started once per module."""

    rds: Postgres
    warehouse: Postgres
    shim_port: int
    environment: dict[str, str]


@contextmanager
def servers(folder: Path, aws: Mapping[str, str] | None = None) -> Iterator[Servers]:
    """PostgreSQL twice, the warehouse in front of one of them, and S3, unless `aws` leads to one."""
    processes, certificates = Processes.direct(), Certificates(folder / "certificates")
    installation = Installation(folder / "postgres")
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    if aws is None:
        moto.start()
    rds, warehouse = (
        Postgres(name, installation, processes, certificates, folder / f"{name}.log", tls=name == "rds")
        for name in ("rds", "warehouse")
    )
    try:
        for server in (rds, warehouse):
            server.start()
            server.create_master(*MASTER, DATABASE, ())
        with warehouse.session(DATABASE) as cursor:
            for statement in catalog.statements():
                cursor.execute(statement)
        environment = {
            **(aws or _moto_environment(moto)), "AWS_EC2_METADATA_DISABLED": "true",
            "PGSSLROOTCERT": str(certificates.ca), "SSL_CERT_FILE": str(certificates.ca),
        }  # fmt: skip
        port = _shim(folder, processes, certificates, warehouse.port, environment)
        yield Servers(rds, warehouse, port, environment)
    finally:
        processes.stop()
        if aws is None:
            moto.stop()
        for server in (rds, warehouse):
            server.remove()


def _moto_environment(moto: ThreadedMotoServer) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": "http://{}:{}".format(*moto.get_host_and_port()),
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip


def _shim(
    folder: Path, processes: Processes, certificates: Certificates, port: int, environment: Mapping[str, str]
) -> int:
    ready, log = folder / "ready.json", folder / "shim.log"
    files = ["--certificate", certificates.server, "--key", certificates.key, "--ready", ready]
    command = [sys.executable, "-m", "aws_vpc.local.warehouse", "--server-port", str(port), *map(str, files)]
    process = processes.spawn("shim", command, env={**environment, "PATH": os.environ["PATH"]}, log=log)
    while not ready.exists():
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    return int(json.loads(ready.read_text())["port"])


@dataclass
class System:
    """A bucket, a database in each server, and the loader's environment."""

    servers: Servers
    environment: dict[str, str]
    s3: Any
    secretsmanager: Any
    reader: str
    bucket: str
    capture: pytest.CaptureFixture[str]
    sequence: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, body: str | bytes, key: str = "incoming/people.csv") -> dict[str, str]:
        """Put an object; what its event would say."""
        body = body.encode() if isinstance(body, str) else body
        put = self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        sequencer = f"{next(self.sequence):018X}"
        etag = put["ETag"].strip('"')
        facts = {"version": put["VersionId"], "etag": etag, "sequencer": sequencer}
        return {"bucket": self.bucket, "key": key, **facts}

    def load(self, event: Mapping[str, str], *more: str, status: int = 0) -> list[dict[str, Any]]:
        """The lines that the loader wrote for an event, once its exit status is the one expected."""
        self.capture.readouterr()
        result = main([*arguments(event), *more])
        lines = [json.loads(line) for line in self.capture.readouterr().out.splitlines()]
        assert result == status, lines
        return lines

    def start(self, event: Mapping[str, str]) -> subprocess.Popen[str]:
        """The loader as a process of its own."""
        environment = {**self.environment, "PATH": os.environ["PATH"]}
        command = [sys.executable, "-m", "aws_vpc.loader", *arguments(event)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def connect(self, target: str, user: str = MASTER[0], password: str = MASTER[1]) -> Any:
        """A session with one of the databases."""
        login = {"host": "localhost", "database": DATABASE, "user": user, "password": password}
        if target == "rds":
            return psycopg2.connect(**login, port=self.servers.rds.port, sslmode="verify-full")
        # without a name of its own the driver walks the stack for one, which takes longer than all else here
        return redshift_connector.connect(**login, port=self.servers.shim_port, application_name="tests")

    def query(self, target: str, text: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with closing(self.connect(target)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(text)
            return [tuple(row) for row in cursor.fetchall()]

    def rows(self, target: str, table: str = "persons") -> list[tuple[Any, ...]]:
        """A table's rows in the order of its first column."""
        return self.query(target, f"select * from {table} order by 1")

    def rejected(self, key: str) -> list[tuple[str, ...]]:
        """The rows of a file of rejected rows, without its header."""
        text = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode()
        header, *rows = csv.reader(io.StringIO(text))
        assert header == ["line", "column", "value", "reason"]
        return [tuple(row) for row in rows]

    def left_over(self) -> list[str]:
        """What a load must not leave: staged objects, tables of its own, locks, open transactions.

        The server takes a moment to notice that a client has gone.
        """
        deadline = time.monotonic() + 300
        while (found := self._left_now()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def _left_now(self) -> list[str]:
        found = self.s3.list_object_versions(Bucket=self.bucket, Prefix="staged/").get("Versions", [])
        extra = self.query(
            "rds", "select relname from pg_class where relnamespace = 'loader'::regnamespace "
            "and relkind = 'r' and not relispartition",
        )  # fmt: skip
        sessions = self.query(
            "rds", "select application_name from pg_stat_activity where datname = current_database() "
            "and pid <> pg_backend_pid() and application_name like 'aws_vpc.loader%'",
        )  # fmt: skip
        return [one["Key"] for one in found] + [name for (name,) in (*extra, *sessions)]


def arguments(event: Mapping[str, str]) -> list[str]:
    """The job's command line, as the job definition's references become it."""
    return list(itertools.chain.from_iterable((f"--{name}", value) for name, value in event.items()))


def system(servers: Servers, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> System:
    """A system that nothing has been loaded into."""
    number = next(NUMBERS)
    reader, bucket = f"web_reader_{number}", f"data-{number}-{os.getpid()}"
    for server in (servers.rds, servers.warehouse):
        _empty(server)
    for name, value in servers.environment.items():
        patch.setenv(name, value)
    s3, secretsmanager = boto3.client("s3"), boto3.client("secretsmanager")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    def secret(name: str, username: str, password: str) -> str:
        text = json.dumps({"username": username, "password": password})
        return str(secretsmanager.create_secret(Name=f"{bucket}-{name}", SecretString=text)["ARN"])

    own = {
        "RDS_HOST": "localhost", "RDS_PORT": str(servers.rds.port), "RDS_DATABASE": DATABASE,
        "REDSHIFT_HOST": "localhost", "REDSHIFT_PORT": str(servers.shim_port), "REDSHIFT_DATABASE": DATABASE,
        "RDS_SECRET": secret("rds", *MASTER), "REDSHIFT_SECRET": secret("redshift", *MASTER),
        "REDSHIFT_COPY_ROLE": ROLE, "WEB_DATABASE_SECRET": secret("web-rds", reader, READER),
        "WEB_WAREHOUSE_SECRET": secret("web-redshift", reader, READER),
    }  # fmt: skip
    for name, value in own.items():
        patch.setenv(name, value)
    environment = {**servers.environment, **own}
    return System(servers, environment, s3, secretsmanager, reader, bucket, capture)


def _empty(server: Postgres) -> None:
    """Take away what the test before has made in the database; that is a tenth of making a new one."""
    with server.session(DATABASE) as cursor:
        cursor.execute("select format('%I.%I', schemaname, tablename) from pg_tables "
                       "where schemaname in ('public', 'loader') order by schemaname desc")  # fmt: skip
        for (name,) in cursor.fetchall():
            cursor.execute(f"drop table if exists {name} cascade")


def people_csv(rows: Sequence[Sequence[object]]) -> str:
    """A file of people."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([HEADER.strip().split(","), *rows])
    return text.getvalue()


def person(number: int, **changes: object) -> tuple[object, ...]:
    """A valid person."""
    facts = {"id": number, "email": f"p{number}@example.com", "state": "NY", "postal": "12345"}
    facts["address"] = f"{number} A St"
    return tuple({**facts, **changes}.values())


def digest(rows: Sequence[Sequence[Any]]) -> tuple[int, str]:
    """How many rows, and the md5 over them in order."""
    lines = ["|".join("" if value is None else str(value) for value in row) for row in sorted(rows)]
    return len(lines), hashlib.md5("\n".join(lines).encode()).hexdigest()


def eventually(claim: Callable[[], Any], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


def parquet(rows: Sequence[Sequence[Any]], names: Sequence[str] = (), **more: Any) -> bytes:
    """A Parquet file of rows, in the columns of people when no others are named."""
    out = io.BytesIO()
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    pq.write_table(pa.table(columns, names=list(names) or HEADER.strip().split(",")), out, **more)
    return out.getvalue()
