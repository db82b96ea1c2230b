"""The warehouse for tests: PostgreSQL, the warehouse's process before it, S3; started once for all modules.

A test module makes its fixtures of it:

    warehouse = pytest.fixture(trusted, scope="module")
    connection = pytest.fixture(connected)
    cursor = pytest.fixture(in_a_transaction)
"""

import gc
import json
import os
import sys
from collections.abc import Iterator
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
DRIVER_WARNINGS = [
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

        def listens() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return ready.exists()

        until(listens)
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


def running_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse; a session's fixture in conftest.py."""
    made = Warehouse(tmp_path_factory.mktemp("warehouse"))
    yield made
    made.close()


def trusted(warehouse_server: Warehouse) -> Iterator[Warehouse]:
    """The warehouse, whose certificate Amazon's driver trusts meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(warehouse_server.certificates.ca))
        yield warehouse_server


def connected(warehouse: Warehouse) -> Iterator[Any]:
    """A session of Amazon's driver."""
    made = warehouse.connect()
    yield made
    made.close()


def in_a_transaction(connection: Any) -> Any:
    """A cursor in a transaction that nobody commits."""
    return connection.cursor()


def one(cursor: Any, statement: str, *values: Any) -> Any:
    cursor.execute(statement, values) if values else cursor.execute(statement)
    return cursor.fetchone()[0]


def rows(cursor: Any, statement: str) -> list[tuple[Any, ...]]:
    cursor.execute(statement)
    return [tuple(row) for row in cursor.fetchall()]


def refusal(connect: Any, **changes: Any) -> str:
    """Why a connection is refused; the driver leaves its socket open, which must not trouble other tests."""
    try:
        connect(**changes).close()
        said = ""
    except (redshift_connector.Error, psycopg2.Error, OSError) as error:
        said = str(error)
    gc.collect()
    return said
