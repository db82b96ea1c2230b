"""How long the local system takes from nothing to rows on the page, what it weighs, how fast it answers.

    .venv/bin/python benchmarks/local.py [--runs 3] [--stacks 200]

Every run uses a folder of its own, so a system that is running is left alone. Each figure stands beside a
yardstick of the same run:

    start, stacks   a fresh interpreter that imports boto3 and moto's server, and makes a client of EC2
    describe        GetCallerIdentity, the least that the embedded AWS can be asked
    memory, idle    moto's own server after one call each of the services that are ready here
    many stacks     the same questions while there is one stack
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.session
import psutil

PROJECT = Path(__file__).parent.parent
PYTHON = str(PROJECT / ".venv" / "bin" / "python")
ROOT = "Nested-RDS-Redshift-EC2-VPC"
EVENT = re.compile(r"^ *([0-9.]+)s (\w+) +(\S+)  (AWS::\S+)", re.MULTILINE)
ROOT_DONE = re.compile(rf"^ *([0-9.]+)s CREATE_COMPLETE +{ROOT}$", re.MULTILINE)
KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-west-2"}
IMPORTS = "import boto3, moto.server; boto3.client('ec2', region_name='us-west-2')"
# Lists of the services whose modules the embedded AWS has loaded before anybody asks.
SERVICES = {
    "ec2": "describe_vpcs", "iam": "list_roles", "s3": "list_buckets", "rds": "describe_db_instances",
    "redshift": "describe_clusters", "batch": "describe_job_queues", "secretsmanager": "list_secrets",
    "logs": "describe_log_groups", "ssm": "describe_parameters", "ecr": "describe_repositories",
    "events": "list_rules", "cloudformation": "list_stacks",
}  # fmt: skip
STACK = {"Resources": {f"R{n}": {"Type": "AWS::SSM::Parameter", "Properties": {
    "Type": "String", "Value": f"value {n}"}} for n in range(10)}}  # fmt: skip


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, str]:
    """Seconds that the command took, and its progress; both outputs are shown when it fails."""
    began = time.monotonic()
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return time.monotonic() - began, done.stderr


def resources(progress: str) -> dict[str, float]:
    """Seconds from the first to the last event of each resource, the slowest first."""
    times: dict[str, list[float]] = {}
    for at, _, name, kind in EVENT.findall(progress):
        times.setdefault(f"{name} ({kind})", []).append(float(at))
    lasted = {name: max(seen) - min(seen) for name, seen in times.items()}
    return dict(sorted(lasted.items(), key=lambda pair: -pair[1]))


def memory(pids: list[int]) -> float:
    """Proportional set size in MB of the processes and all their descendants (shared pages count once)."""
    family = {pid for root in pids for pid in [root, *(c.pid for c in psutil.Process(root).children(True))]}
    return sum(_size(psutil.Process(pid)) for pid in family) / 1e6


def _size(process: psutil.Process) -> int:
    full = process.memory_full_info()
    return int(getattr(full, "pss", full.rss))


def at_rest(pid: int) -> None:
    """Return when the process and those it started have used no processor for a second."""
    before = None
    while True:
        family = [psutil.Process(pid), *psutil.Process(pid).children(True)]
        used = (len(family), round(sum(sum(each.cpu_times()[:2]) for each in family), 1))
        if used == before:
            return
        before = used
        time.sleep(1)


def median(ask: Callable[[], Any], count: int = 100) -> float:
    """Milliseconds of an answer, the median of many."""
    ask()
    times = []
    for _ in range(count):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


@contextmanager
def plain_moto() -> Iterator[tuple[int, str]]:
    """Pid and address of moto's own server."""
    code = (
        "import logging, sys, moto.server as m; logging.disable();"
        "s = m.ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False);"
        "s.start(); print(s.get_host_and_port()[1], flush=True); sys.stdin.read(); s.stop()"
    )
    environment = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    with subprocess.Popen(
        [PYTHON, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout and process.stdin
        yield process.pid, f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


class Local:
    """An embedded AWS in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "AWS_VPC_LOCAL_DIR": str(folder)}
        self.command = [PYTHON, "-m", "aws_vpc", "local"]
        self.session = botocore.session.Session(profile=None)

    def start(self) -> float:
        """Seconds until it is ready."""
        return timed([*self.command, "start"], self.environment)[0]

    def facts(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "endpoint.json").read_text()))

    def client(self, service: str) -> Any:
        facts = self.facts()
        return self.session.create_client(
            service, endpoint_url=facts["endpoint"], region_name=facts["region"],
            aws_access_key_id=facts["access_key"], aws_secret_access_key=facts["secret_key"],
        )  # fmt: skip


def whole_system(folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    """The figures of one life of the system, and how long each of its resources took."""
    local = Local(folder)
    try:
        return life(local)
    finally:  # a figure that cannot be taken leaves nothing running
        subprocess.run([*local.command, "stop"], cwd=PROJECT, env=local.environment, capture_output=True)


def life(local: Local) -> tuple[dict[str, float], dict[str, float]]:
    """The figures of the system from its start to its teardown, and of its resources."""
    yardstick = timed([PYTHON, "-c", IMPORTS], local.environment)[0]
    figures = {"yardstick: import boto3, moto": yardstick, "start": local.start()}
    figures["create"], progress = timed(["./create_stacks.sh", "--local"], local.environment)
    done = ROOT_DONE.search(progress)
    figures["  of it the stacks"] = (
        float(done[1]) if done else max(float(e[0]) for e in EVENT.findall(progress))
    )
    figures["start + stacks"] = figures["start"] + figures["  of it the stacks"]
    figures["start + create"] = figures["start"] + figures["create"]
    status = json.loads(
        subprocess.check_output(
            [*local.command, "status", "--json"],
            cwd=PROJECT,
            env=local.environment,
            stderr=subprocess.DEVNULL,
        )
    )
    with urllib.request.urlopen(f"{status['web']}/.json") as answer:
        databases = json.load(answer)["databases"]
    assert {facts["rows"] for facts in databases.values()} == {50}
    figures["memory"] = memory(list(status["pids"].values()))
    cfn, sts = local.client("cloudformation"), local.client("sts")
    figures["yardstick: GetCallerIdentity"] = median(sts.get_caller_identity)
    figures["describe a stack"] = median(lambda: cfn.describe_stacks(StackName=ROOT))
    figures["describe its resources"] = median(lambda: cfn.describe_stack_resources(StackName=ROOT))
    figures["create again"] = timed(["./create_stacks.sh", "--local"], local.environment)[0]
    figures["update, nothing changed"] = timed(["./update_stacks.sh", "--local"], local.environment)[0]
    figures["teardown"] = timed(["./teardown.sh", "--local", "--yes"], local.environment)[0]
    return figures, resources(progress)


def idle(folder: Path) -> dict[str, float]:
    """What an embedded AWS without databases weighs, beside moto's own server."""
    local = Local(folder)
    local.start()
    at_rest(local.facts()["pid"])
    figures = {"memory, idle": memory([local.facts()["pid"]])}
    timed([*local.command, "stop"], local.environment)
    with plain_moto() as (pid, address):
        for service, operation in SERVICES.items():
            client = botocore.session.Session().create_client(service, endpoint_url=address, **KEYS)
            getattr(client, operation)()
            client.close()
        figures["yardstick: moto's server"] = memory([pid])
    return figures


def many_stacks(folder: Path, count: int) -> dict[str, float]:
    """How fast questions about one of many stacks are answered, of ten resources each."""
    local = Local(folder)
    local.start()
    cfn = local.client("cloudformation")
    waiter = cfn.get_waiter("stack_create_complete")

    def create(number: int) -> None:
        cfn.create_stack(StackName=f"stack-{number}", TemplateBody=json.dumps(STACK))
        waiter.wait(StackName=f"stack-{number}", WaiterConfig={"Delay": 1, "MaxAttempts": 600})

    questions: dict[str, Callable[[], Any]] = {
        "describe one stack": lambda: cfn.describe_stacks(StackName="stack-0"),
        "describe its resources": lambda: cfn.describe_stack_resources(StackName="stack-0"),
        "a page of all stacks": cfn.describe_stacks,
    }
    create(0)
    figures = {f"{name}, 1 stack": median(ask) for name, ask in questions.items()}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(1, count)))
    figures |= {f"{name}, {count} stacks": median(ask) for name, ask in questions.items()}
    timed([*local.command, "stop"], local.environment)
    return figures


AIMS = {"start + stacks": 3, "start + create": 15, "memory": 700, "update, nothing changed": 3, "teardown": 5}
AIMS |= {"describe a stack": 10, "describe its resources": 10, "memory, idle": 250}
OF_INTEREST = {
    "start + stacks": "yardstick: import boto3, moto",
    "describe a stack": "yardstick: GetCallerIdentity",
    "describe its resources": "yardstick: GetCallerIdentity",
    "memory, idle": "yardstick: moto's server",
}


def unit(step: str) -> str:
    """The unit of a figure."""
    if "memory" in step or "server" in step:
        return "MB"
    return "ms" if "describe" in step or "page" in step or "GetCaller" in step else "s"


def show(figures: dict[str, float], aims: dict[str, float], pairs: dict[str, str]) -> None:
    """A line for each figure: the aim where there is one, and how it stands to its yardstick."""
    for step, value in figures.items():
        aim = f"{aims[step]:g}" if step in aims else ""
        ratio = (
            f"{value / figures[pairs[step]]:.2f} x {pairs[step].removeprefix('yardstick: ')}"
            if step in pairs
            else ""
        )
        print(f"{step:40}{value:>9.1f} {unit(step):3}{aim:>6}  {ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and weigh the local system.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--stacks", type=int, default=200)
    options = parser.parse_args()
    runs: list[dict[str, float]] = []
    slowest: dict[str, float] = {}
    for number in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            figures, slowest = whole_system(Path(folder) / "local")
            runs.append(figures | idle(Path(folder) / "idle"))
        print(f"run {number + 1}: " + ", ".join(f"{k} {v:.1f}" for k, v in runs[-1].items()), flush=True)
    print(f"\n{'the median of':40}{len(runs):>9} run{'aim':>5}  ratio to its yardstick")
    show({step: statistics.median(run[step] for run in runs) for step in runs[0]}, AIMS, OF_INTEREST)
    with tempfile.TemporaryDirectory() as folder:
        many = many_stacks(Path(folder) / "local", options.stacks)
    one, all = ", 1 stack", f", {options.stacks} stacks"
    pairs = {name: name.removesuffix(all) + one for name in many if name.endswith(all)}
    print()
    show(many, dict.fromkeys(pairs, 50), pairs)
    print("\nthe slowest resources of the last run")
    for name, seconds in list(slowest.items())[:8]:
        print(f"{seconds:7.1f} s  {name}")


if __name__ == "__main__":
    main()
