"""The servers of the load benchmark: a warehouse, S3, and what tells the loader of them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from aws_vpc.local.certificates import Certificates
from aws_vpc.local.postgres import Postgres
from aws_vpc.local.postgres_binaries import Installation
from aws_vpc.local.processes import Processes
from aws_vpc.local.warehouse import catalog

HERE = Path(__file__).parent
MASTER, DATABASE = ("master", "Master-password-1"), "people"


def warehouse(
    folder: Path, installation: Installation, processes: Processes, certificates: Certificates,
    environment: dict[str, str],
) -> dict[str, str]:  # fmt: skip
    """What leads to a warehouse that has been started."""
    server = Postgres("warehouse", installation, processes, certificates, folder / "w.log", tls=False)
    server.start()
    server.create_master(*MASTER, DATABASE, ())
    with server.session(DATABASE) as cursor:
        for statement in catalog.statements():
            cursor.execute(statement)
    ready = folder / "ready.json"
    files = ["--certificate", certificates.server, "--key", certificates.key, "--ready", ready]
    words = [
        sys.executable,
        "-m",
        "aws_vpc.local.warehouse",
        "--server-port",
        str(server.port),
        *map(str, files),
    ]
    own = {name: value for name, value in environment.items() if name != "AWS_ENDPOINT_URL_S3"}
    processes.spawn("warehouse-front", words, env=own, log=folder / "front.log")
    while not ready.exists():
        time.sleep(0.02)
    return {
        "REDSHIFT_HOST": "localhost", "REDSHIFT_PORT": str(json.loads(ready.read_text())["port"]),
        "REDSHIFT_DATABASE": DATABASE, "REDSHIFT_SECRET": environment["RDS_SECRET"],
        "REDSHIFT_COPY_ROLE": "arn:aws:iam::123456789012:role/copy", "SSL_CERT_FILE": str(certificates.ca),
        "WEB_WAREHOUSE_SECRET": environment["WEB_DATABASE_SECRET"],
    }  # fmt: skip


def serve(folder: Path, stack: contextlib.ExitStack) -> int:
    process = subprocess.Popen(
        [sys.executable, HERE / "s3_files.py", folder], stdout=subprocess.PIPE, text=True
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)
    assert process.stdout
    return int(process.stdout.readline())


def environment(
    rds: Postgres, moto: ThreadedMotoServer, certificates: Certificates, s3: int
) -> dict[str, str]:
    aws = {
        "AWS_ENDPOINT_URL": "http://{}:{}".format(*moto.get_host_and_port()),
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{s3}", "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    os.environ.update(aws)
    secretsmanager = boto3.client("secretsmanager")

    def secret(name: str, *login: str) -> str:
        text = json.dumps(dict(zip(("username", "password"), login, strict=True)))
        return str(secretsmanager.create_secret(Name=name, SecretString=text)["ARN"])

    return {
        **aws, "PATH": os.environ["PATH"], "PYTHONPATH": str(HERE.parent),
        "PGSSLROOTCERT": str(certificates.ca), "AWS_EC2_METADATA_DISABLED": "true",
        "RDS_HOST": "localhost", "RDS_PORT": str(rds.port), "RDS_DATABASE": DATABASE,
        "RDS_SECRET": secret("rds", *MASTER),
        "WEB_DATABASE_SECRET": secret("web", "reader", "Reader-password-1"),
    }  # fmt: skip
