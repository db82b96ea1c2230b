"""What benchmarks/load.py measures besides on demand: the usual ways, the array job, the warehouse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import psycopg2

from aws_vpc.loader import ledger, parts
from aws_vpc.loader.parts import Folder
from aws_vpc.loader.source import Object, Source
from aws_vpc.loader.tables import read_tables

HERE = Path(__file__).parent
OTHERS = {"execute_values": 200_000, "insertmanyvalues": 100_000, "to_sql": 100_000, "awswrangler": 20_000}
NAMES = {"to_sql": "pandas.to_sql", "insertmanyvalues": "SQLAlchemy insertmanyvalues"}


def others(bench: Any) -> None:
    """The usual ways, each with fewer rows; the ratio is of rows a second."""
    python = _environment(bench.folder / "others")
    path = bench.files.path("base")
    rest = path.with_name(f"{path.name}.rest")
    rest.write_text(_without_first(path, max(OTHERS.values())))
    address = ["localhost", str(bench.rds.port), bench.master[0], bench.database]
    for method, rows in OTHERS.items():
        rows = min(rows, bench.rows - 1)
        bench.psql_run("drop table if exists others", f"create table others ({bench.table})")
        words = [python, HERE / "load_others.py", method, path, str(rows), *address]
        environment = {**bench.environment, "PGPASSWORD": bench.master[1]}
        done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        seconds = float(done.stdout) * bench.rows / rows
        bench.note(f"{NAMES.get(method, method)}, from {rows:,}", seconds, seconds, 0)


def _without_first(path: Path, rows: int) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        header, _, *lines = [line for line, _ in zip(file, range(rows + 2), strict=False)]
    return "".join([header, *lines])


def _environment(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--requirement", HERE / "load_others.txt"]
    subprocess.run(install, check=True)
    return python


def array(bench: Any, children: int) -> None:
    """The object in four parts, so many at once: counting and staging together, then publishing."""
    key = bench.files.publish("base", f"incoming/mirror/people-array-{next(bench.numbers)}.csv")
    table = read_tables()[0]
    s3 = boto3.client("s3")
    source, run = Source(s3, Object("data", key)), f"array_{next(bench.numbers)}"
    plan = parts.plan_of(source, table, "mirror", run, -(-source.object.size // 4))
    plan = parts.Plan.read({**plan.values(), "targets": ["rds"]})
    Folder(s3, "data", plan.folder).write("plan.json", plan.values())
    _line(bench, plan)
    began = time.monotonic()
    for step in ("count", "stage"):
        _together(bench, plan, step, children)
    staged = time.monotonic()
    _together(bench, plan, "publish", 1)
    ended = time.monotonic()
    name = f"array of 4 parts, {children} at once"
    bench.note(name, ended - began, ended - began, 0)
    bench.note(f"{name}: publishing alone", ended - staged, ended - staged, 0)


def _line(bench: Any, plan: parts.Plan) -> None:
    address = {"host": "localhost", "port": bench.rds.port, "dbname": bench.database}
    user, password = bench.master
    login = psycopg2.connect(
        **address, user=user, password=password, sslrootcert=bench.environment["PGSSLROOTCERT"]
    )
    with closing(login), login, login.cursor() as cursor:
        found = plan.object
        ledger.insert(
            cursor, run=plan.run, table_name=plan.table, mode=plan.mode, bucket=found.bucket, key=found.key,
            version=found.version, etag=found.etag, sequencer="", size=found.size, started="now",
            state="staging",
        )  # fmt: skip


def _together(bench: Any, plan: parts.Plan, step: str, at_once: int) -> None:
    """One step of all parts, so many processes at a time."""
    waiting = list(range(1 if step == "publish" else len(plan.pieces)))
    running: list[subprocess.Popen[bytes]] = []
    while waiting or running:
        while waiting and len(running) < at_once:
            environment = {**bench.environment, "AWS_BATCH_JOB_ARRAY_INDEX": str(waiting.pop(0))}
            words = ["--bucket", "data", "--key", plan.object.key, "--step", step, "--run", plan.folder]
            command = [sys.executable, "-m", "aws_vpc.loader", *words]
            running.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL))
        pid, status = os.wait()
        running = [process for process in running if process.pid != pid]
        if status:
            sys.exit(f"{step} of {plan.run}: {status}")


def warehouse(bench: Any) -> None:
    """Both databases, the warehouse through the local one; S3 is moto's, which has to list and delete."""
    environment = {name: value for name, value in bench.environment.items() if name != "AWS_ENDPOINT_URL_S3"}
    environment |= bench.start_warehouse()
    s3 = boto3.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"])
    s3.create_bucket(Bucket="warehouse")
    key = "incoming/people.csv"
    s3.upload_file(str(bench.files.path("base")), "warehouse", key)
    command = [sys.executable, "-m", "aws_vpc.loader", "--bucket", "warehouse", "--key", key]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    for line in map(json.loads, done.stdout.splitlines()):
        if line["event"] == "loaded":
            bench.note(f"both, S3 of moto: {line['target']}", line["seconds"], line["seconds"], 0)
