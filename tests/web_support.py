"""What the tests of the pages stand on: both databases and Secrets Manager, real and on loopback.

RDS is a PostgreSQL server, Redshift is the embedded AWS's warehouse, Secrets Manager is moto over HTTP.
A test module makes its fixtures of it:

    web = pytest.fixture(running_web, scope="module")
    client = pytest.fixture(application_client)
"""

import gc
import json
import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from embedded import until
from moto.server import ThreadedMotoServer

from aws_vpc.loader import bootstrap
from aws_vpc.loader.tables import read_tables
from aws_vpc.local.certificates import Certificates
from aws_vpc.local.postgres import Postgres
from aws_vpc.local.postgres_binaries import Installation
from aws_vpc.local.processes import Processes
from aws_vpc.local.warehouse import catalog

PROJECT = Path(__file__).resolve().parent.parent
BUNDLE = PROJECT / "eb-flask"
sys.path.insert(0, str(BUNDLE))

REGION = "eu-central-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
}
ADMIN = ("dbadmin", "admin-Passw0rd")
PERSONS = [
    (1, "ann@example.com", "NY", "10001", "1 Main Street"),
    (2, "ann@example.com.au", "CA", "90001", "2 Main Street"),
    (3, "Bob@Example.com", "TX", "73301", "3 Elm Street, Apt 4"),
    (4, "b%b_x@example.com", "WA", "98101", "<b>4</b> & Sons"),
    (5, "carl/o'hara@example.com", "OR", "97035", '5 "Quote" Road'),
    (6, "zoë@example.com", "ME", "03901", "6 Añil Way"),
]
# Amazon's driver makes its TLS context in a way that Python 3.10 deprecated, and forgets to close the
# socket of a login that was refused.
DRIVER_WARNINGS = [
    pytest.mark.filterwarnings("ignore:ssl.SSLContext"),
    pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <s:pytest.PytestUnraisableExceptionWarning"),
]
SECRETS = ("WEB_DATABASE_SECRET", "WEB_WAREHOUSE_SECRET")
NETWORK = (
    "Vpc=vpc-0a1b2c3d VpcCidr=10.0.0.0/16 PublicSubnets=subnet-1+subnet-2 DataSubnets=subnet-3+subnet-4"
    " WarehouseVpc=vpc-9f8e7d6c WarehouseVpcCidr=10.1.0.0/16 Interconnection=pcx-0123abcd"
    " SecretsManagerEndpoint=vpce-1111 S3GatewayEndpoint=vpce-2222 SomethingNewer=x"
)


@dataclass
class Source:
    """One database of the tests: where it is, who may read it, and how to change it."""

    name: str
    server: Postgres
    secret: str
    port: int
    password: str = "first-Passw0rd"

    def execute(self, *statements: str, database: str = "people") -> None:
        """Runs SQL as the superuser."""
        with self.server.session(database) as cursor:
            for statement in statements:
                cursor.execute(statement)

    def login(self) -> str:
        """What the secret says."""
        value = {"username": "web_reader", "password": self.password, "host": "localhost"}
        return json.dumps({**value, "port": self.port, "dbname": "people"})


@dataclass
class Web:
    """Everything the pages talk to."""

    rds: Source
    redshift: Source
    secrets: Any
    s3: Any
    bucket: str
    folder: Path
    ca: Path

    def rotate(self, source: Source, password: str) -> None:
        """Changes a login's password in the database, then in its secret, as a rotation does."""
        source.password = password
        source.server.set_password("web_reader", password)
        self.secrets.put_secret_value(SecretId=source.secret, SecretString=source.login())


def fill(source: Source) -> None:
    """Makes the database, and in it what the loader makes: tables, ledger, login; then six persons."""
    source.execute("CREATE DATABASE people", database="postgres")
    source.execute(f"CREATE ROLE {ADMIN[0]} LOGIN SUPERUSER PASSWORD '{ADMIN[1]}'")
    nothing: frozenset[str] = frozenset()
    make_tables(source, bootstrap.Standing(nothing, nothing, nothing))


def make_tables(source: Source, standing: bootstrap.Standing) -> None:
    """Makes what is missing as the loader does, with the six persons."""
    statements = bootstrap.postgresql if source.name == "rds" else bootstrap.redshift
    reader = bootstrap.Reader("web_reader", source.password)
    source.execute(*statements(standing, read_tables(), reader, "people"))
    insert(source, PERSONS)


def insert(source: Source, persons: Sequence[tuple[Any, ...]]) -> None:
    """Adds persons."""
    with source.server.session("people") as cursor:
        cursor.executemany("INSERT INTO persons VALUES (%s, %s, %s, %s, %s)", persons)


def drop_persons(source: Source) -> bootstrap.Standing:
    """Takes the table away; what is left standing."""
    source.execute("DROP TABLE persons", "DROP SCHEMA IF EXISTS loader")
    there = frozenset({"loads"})
    return bootstrap.Standing(there, frozenset({"web_reader"}), there)


@dataclass
class Servers:
    """What runs as long as the tests do: both databases, filled once, and moto."""

    rds: Source
    redshift: Source
    folder: Path
    ca: Path
    aws: dict[str, str]


def running_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Both databases with six persons each, and moto over HTTP; a session's fixture in conftest.py."""
    folder = tmp_path_factory.mktemp("web")
    certificates, processes = Certificates(folder / "certificates"), Processes.direct()
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        aws = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
        rds, redshift = sources(folder, processes, certificates, aws)
        yield Servers(rds, redshift, folder, certificates.ca, aws)
    finally:
        processes.stop()
        moto.stop()


def warehouse_front(
    folder: Path, processes: Processes, certificates: Certificates, server: Postgres, s3: dict[str, str]
) -> int:
    """The port of a new warehouse process, which makes a PostgreSQL answer Amazon's driver."""
    with server.session("template1") as cursor:
        for statement in catalog.statements():
            cursor.execute(statement)
    ready = folder / "warehouse.json"
    argv = [sys.executable, "-m", "aws_vpc.local.warehouse", "--server-port", str(server.port)]
    argv += ["--certificate", str(certificates.server), "--key", str(certificates.key), "--ready", str(ready)]
    processes.spawn("warehouse", argv, env={**os.environ, **s3}, cwd=PROJECT, log=folder / "warehouse.log")
    log = folder / "warehouse.log"
    until(ready.exists, told=lambda: log.read_text())
    return int(json.loads(ready.read_text())["port"])


def sources(
    folder: Path, processes: Processes, certificates: Certificates, s3: dict[str, str]
) -> Iterator[Source]:
    """RDS, then Redshift, running and filled."""
    installation = Installation(folder)
    for name in ("rds", "redshift"):
        log, tls = folder / f"{name}.log", name == "rds"
        server = Postgres(name, installation, processes, certificates, log, tls=tls)
        server.start()
        source = Source(name, server, "", server.port)
        if name == "redshift":
            source.port = warehouse_front(folder, processes, certificates, server, s3)
        fill(source)
        yield source


def running_web(web_servers: Servers) -> Iterator[Web]:
    """Both databases with six persons each, secrets and a bucket, in this process's environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(web_servers).items():
            patch.setenv(name, value)
        session = boto3.session.Session()
        secrets, s3 = session.client("secretsmanager"), session.client("s3")
        bucket = f"data-{uuid.uuid4()}"
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        patch.setenv("WEB_DATA_BUCKET", bucket)
        for source, variable in zip((web_servers.rds, web_servers.redshift), SECRETS, strict=True):
            source.execute("TRUNCATE persons", "TRUNCATE loads")
            insert(source, PERSONS)
            name = f"web-{source.name}-{uuid.uuid4()}"
            source.secret = secrets.create_secret(Name=name, SecretString=source.login())["ARN"]
            patch.setenv(variable, source.secret)
        yield Web(
            web_servers.rds, web_servers.redshift, secrets, s3, bucket, web_servers.folder, web_servers.ca
        )
        secrets.close()
        s3.close()


def environment(servers: Servers) -> dict[str, str]:
    """Where the pages find the services, and what they trust."""
    return {
        **servers.aws,
        "PGSSLROOTCERT": str(servers.ca),
        "SSL_CERT_FILE": str(servers.ca),
        "WEB_UPLOAD": "true",
        "WEB_NETWORK": NETWORK,
        "WEB_ANSWER_SECONDS": "60",  # a machine that is busy is not a database that is away
    }


def application_client(web: Web) -> Iterator[Any]:
    """A client of a new application over both databases."""
    from web import create_app

    app = create_app()
    yield app.test_client()
    for database in app.extensions["databases"].values():
        database.engine.dispose()
    gc.collect()
