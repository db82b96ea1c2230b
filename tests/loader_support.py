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
import pytest
import redshift_connector
from loader_cases import people_csv, person
from moto.server import ThreadedMotoServer

from aws_vpc.loader.__main__ import main
from aws_vpc.local.certificates import Certificates
from aws_vpc.local.postgres import Postgres
from aws_vpc.local.postgres_binaries import Installation
from aws_vpc.local.processes import Processes
from aws_vpc.local.warehouse import catalog

DATABASE = "people"
MASTER = "master", "Master-password-1"
READER = "Reader-password-1"
ROLE = "arn:aws:iam::123456789012:role/copy"
TARGETS = ("rds", "redshift")
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


def digest(rows: Sequence[Sequence[Any]]) -> tuple[int, str]:
    """How many rows, and the md5 over them in order."""
    lines = ["|".join("" if value is None else str(value) for value in row) for row in sorted(rows)]
    return len(lines), hashlib.md5("\n".join(lines).encode()).hexdigest()


def eventually(claim: Callable[[], Any], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


# what redshift_connector does with ssl, and with the socket of a session that was not let in
QUIET = [
    pytest.mark.filterwarnings("ignore:ssl.SSLContext.. without protocol:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket"),
]


def loader_system(
    loader_servers: Servers, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> System:
    """A system that nothing has been loaded into, as a fixture."""
    return system(loader_servers, capsys, monkeypatch)


def people(*numbers: int) -> str:
    return people_csv([person(number) for number in numbers])


def ids(loader: System, target: str) -> list[int]:
    return [row[0] for row in loader.rows(target)]


def states(loader: System) -> list[str]:
    return [state for (state,) in loader.query("rds", "select state from loads order by started, run")]


@contextmanager
def session(loader_servers: Servers) -> Iterator[Any]:
    """A cursor whose work is thrown away."""
    with loader_servers.rds.session() as cursor:
        cursor.execute("begin")
        try:
            yield cursor
        finally:
            cursor.execute("rollback")
