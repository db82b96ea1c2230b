"""How fast the loader is beside psql's \\copy of the same file into the same table with its primary key.

    .venv/bin/python benchmarks/load.py [--rows 1000000] [--runs 3]
                                           [--others] [--array] [--warehouse] [--files FOLDER]

Every run takes turns: \\copy, then each case, again and again, so that what else the machine does hits all of
them; the first turn only warms up and is not counted. `speed` is how many times as fast as \\copy a case is:
the median seconds of \\copy over those of the case, so that 2.00 takes half its time; `best` compares the
fastest runs of both, which other work on the machine disturbs least. A case's seconds are
those of the load, from the first byte asked for to the commit; `process` adds the start of Python and its
imports, which no size changes, and the statistics gathered behind. The object comes from a process that sends
files as S3 does. The server writes its log as one with replicas does (wal_level replica, as on RDS).

Rows are visible at the commit and not before, so the time to the first row is that of the load.

--others makes an environment of its own for awswrangler, pandas and SQLAlchemy, and asks them for fewer rows;
--array loads the file in four parts, one process at a time and two at once; --warehouse loads both databases.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import load_more
import load_servers
from load_files import Files
from load_servers import DATABASE, MASTER
from moto.server import ThreadedMotoServer

from aws_vpc.local.certificates import Certificates
from aws_vpc.local.postgres import Postgres
from aws_vpc.local.postgres_binaries import Installation
from aws_vpc.local.processes import Processes

HERE = Path(__file__).parent
YARD = "psql \\copy"
TABLE = (
    "id bigint not null primary key, email varchar(320) not null, state char(2) not null, "
    "postal varchar(10) not null, address varchar(200)"
)
GOALS = {
    "mirror": 1.2, "mirror, 1 % bad": 1.08, "merge, unchanged": 0.9, "merge, all new": 0.7,
    "merge, all new between": 0.7, "merge, half new, half changed": 0.5,
}  # fmt: skip


@dataclass
class Bench:
    """The servers, the files, and what has been measured."""

    rds: Postgres
    rows: int
    psql: Path
    folder: Path
    files: Files
    environment: dict[str, str]
    start_warehouse: Callable[[], dict[str, str]]
    master: tuple[str, str] = MASTER
    database: str = DATABASE
    table: str = TABLE
    numbers: Iterator[int] = field(default_factory=itertools.count)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    process: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)

    def psql_run(self, *commands: str) -> None:
        address = (
            f"host=localhost port={self.rds.port} user={MASTER[0]} dbname={DATABASE} sslmode=verify-full"
        )
        words = [str(self.psql), address, "-qX", "-v", "ON_ERROR_STOP=1"]
        for command in commands:
            words += ["-c", command]
        subprocess.run(words, check=True, env={**self.environment, "PGPASSWORD": MASTER[1]})

    def yardstick(self, name: str) -> None:
        """psql's \\copy of a file into an empty table with its key."""
        self.psql_run(f"create table yard ({TABLE})", "checkpoint")
        began = time.monotonic()
        self.psql_run(f"\\copy yard from '{self.files.path(name)}' with (format csv, header)")
        self.note(YARD, time.monotonic() - began, time.monotonic() - began, 0)
        self.psql_run("drop table yard")

    def load(self, name: str, mode: str, case: str = "", *more: str) -> dict[str, Any]:
        """Load a file as an object that has not been loaded before."""
        key = self.files.publish(name, f"incoming/{mode}/people-{next(self.numbers)}.csv")
        self.psql_run("checkpoint")
        command = [
            sys.executable,
            "-m",
            "aws_vpc.loader",
            "--bucket",
            "data",
            "--key",
            key,
            "--only",
            "rds",
            *more,
        ]
        began = time.monotonic()
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        lines, memory = [], 0
        for line in process.stdout:
            lines.append(json.loads(line))
            memory = peak(process.pid) or memory
        _, status, usage = os.wait4(process.pid, 0)
        took = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        loaded = next((line for line in lines if line["event"] == "loaded"), None)
        if process.returncode or loaded is None:
            sys.exit(f"{case or mode} {name}: exit {process.returncode}\n{lines[-1]}")
        if case:
            self.note(case, loaded["seconds"], took, memory or usage.ru_maxrss)
        return dict(loaded)

    def note(self, case: str, seconds: float, process: float, memory: int) -> None:
        print(f"{case}: {seconds:.2f} s", file=sys.stderr, flush=True)
        self.seconds.setdefault(case, []).append(seconds)
        self.process.setdefault(case, []).append(process)
        self.memory[case] = max(memory // 1024, self.memory.get(case, 0))

    def forget(self) -> None:
        """Count nothing of what has been measured so far."""
        self.seconds, self.process, self.memory = {}, {}, {}

    def report(self, rows: int) -> None:
        yard = self.seconds[YARD]
        print(f"\n{rows:,} rows, {len(self.seconds['mirror'])} runs; speed in times that of {YARD}")
        print(
            f"{'case':40}{'seconds':>9}{'rows/s':>12}{'speed':>8}{'best':>8}{'goal':>7}{'process':>10}{'MB':>6}"
        )
        for case, taken in self.seconds.items():
            took = statistics.median(taken)
            goal = f"{GOALS[case]:.2f}" if case in GOALS else ""
            memory = self.memory[case] or ""
            print(
                f"{case:40}{took:9.2f}{rows / took:12,.0f}{statistics.median(yard) / took:8.2f}"
                f"{min(yard) / min(taken):8.2f}{goal:>7}"
                f"{statistics.median(self.process[case]):10.2f}{memory:>6}"
            )


def peak(pid: int) -> int:
    """The most memory in kB that a process has had since it began; 0 where that cannot be read.

    What `wait` tells goes back to before exec, when the process still was a copy of this one.
    """
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    return 0


def one_round(bench: Bench) -> None:
    """Each case once, from the table that it needs; \\copy between them."""
    cases: list[tuple[str, str, str]] = [
        ("mirror", "base", "mirror"),
        ("mirror, 1 % bad", "bad", "mirror"),
        ("merge, unchanged", "base", "merge"),
        ("merge, all new", "new", "merge"),
        ("merge, all new between", "between", "merge"),
        ("merge, half new, half changed", "half", "merge"),
    ]
    for case, name, mode in cases:
        if mode == "merge":
            bench.load("base", "mirror")
        bench.yardstick("base")
        bench.load(name, mode, case)


@contextlib.contextmanager
def bench(rows: int, kept: Path | None = None) -> Iterator[Bench]:
    """Everything started in a folder of its own, and gone at the end."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="load-")))
        folder.chmod(0o755)
        processes, certificates = Processes.direct(), Certificates(folder / "certificates")
        stack.callback(processes.stop)
        installation = Installation(folder / "postgres")
        rds = Postgres("rds", installation, processes, certificates, folder / "rds.log")
        rds.start()
        stack.callback(rds.remove)
        with rds.session() as cursor:
            cursor.execute("ALTER SYSTEM SET wal_level = 'replica'")
        rds.restart()
        rds.create_master(*MASTER, DATABASE, ("pg_checkpoint",))
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        moto.start()
        stack.callback(moto.stop)
        files = Files(kept or folder / "s3", rows)
        stack.callback(files.withdraw)
        environment = load_servers.environment(
            rds, moto, certificates, load_servers.serve(files.folder, stack)
        )

        def start_warehouse() -> dict[str, str]:
            return load_servers.warehouse(folder, installation, processes, certificates, environment)

        psql = installation.binaries / "psql"
        yield Bench(rds, rows, psql, folder, files, environment, start_warehouse)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the loader beside psql's \\copy.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--others", action="store_true", help="awswrangler, pandas, SQLAlchemy, execute_values"
    )
    parser.add_argument("--array", action="store_true", help="four parts, one at a time and two at once")
    parser.add_argument("--warehouse", action="store_true", help="both databases, the warehouse a local one")
    parser.add_argument("--files", type=Path, help="a folder in which generated files stay for the next time")
    given = parser.parse_args()
    with bench(given.rows, given.files and given.files.resolve()) as found:
        found.yardstick("base")
        found.load("base", "mirror")
        found.forget()
        for number in range(given.runs):
            one_round(found)
            print(f"run {number + 1} of {given.runs}", file=sys.stderr, flush=True)
            for children in (1, 2) if given.array else ():
                load_more.array(found, children)
        if given.others:
            load_more.others(found)
        if given.warehouse:
            load_more.warehouse(found)
        found.report(given.rows)


if __name__ == "__main__":
    main()
