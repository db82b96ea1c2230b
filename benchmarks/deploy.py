"""What the deploy commands cost beside `aws cloudformation deploy`, and what the templates make wait.

    .venv/bin/python benchmarks/deploy.py [--runs 5]
    .venv/bin/python benchmarks/deploy.py --paths [--param NAME=VALUE]

The whole root is created in an embedded AWS of the benchmark's own, behind a proxy that counts calls. Then,
in the same run, an update of nothing by `aws-vpc update` stands against one by `aws cloudformation deploy`
for the root alone. Last, and with --paths only, what the slow resources wait for, worked out from the
templates' references.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests")]

import boto3  # noqa: E402
from fault_proxy import Proxy, fault_proxy  # noqa: E402

from aws_vpc import cli, follow, package  # noqa: E402
from aws_vpc.local import control  # noqa: E402
from aws_vpc.local.cloudformation.durations import seconds  # noqa: E402
from aws_vpc.network_template import open_stack  # noqa: E402
from aws_vpc.template import Bound  # noqa: E402
from aws_vpc.wait import Wait  # noqa: E402

STACK = "benchmark"
# What has to start side by side: logical ids in the children.
TOGETHER = {
    "RDS": ("NestedRDSStack", "Database"),
    "Redshift": ("NestedRedshiftStack", "Warehouse"),
    "EC2": ("NestedEC2Stack", "WebServer"),
    "endpoints": ("NestedEndpointsStack", "SecretsManagerEndpoint"),
}
Path_ = tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="updates of nothing (%(default)s)")
    parser.add_argument("--paths", action="store_true", help="print only what waits for what")
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="of the paths")
    options = parser.parse_args()
    if options.paths:
        paths(dict(one.split("=", 1) for one in options.param))
        return
    with tempfile.TemporaryDirectory(prefix="deploy-") as folder:
        compare(Path(folder), options.runs)


def compare(folder: Path, runs: int) -> None:
    """Prints the figures of creates and updates in an embedded AWS in this folder."""
    facts = control.start(folder / "local")
    os.environ.update(facts.environment(), AWS_VPC_STATE_DIR=str(folder / "state"))
    os.environ["AWS_VPC_LOCAL_DIR"] = str(folder / "local")
    try:
        with fault_proxy(facts.endpoint) as proxy:
            os.environ["AWS_ENDPOINT_URL"] = proxy.endpoint
            polls = create(proxy)
            print(f"create: {sum(proxy.calls.values())} calls, {polls}")
            updates(proxy, folder, runs)
            paths({})
    finally:
        control.stop(folder / "local")


def create(proxy: Proxy) -> str:
    """A sentence on the polling of a create of the whole root."""
    rounds: list[Counter[str]] = [Counter()]
    pauses, fresh = Wait.pauses, follow.fresh

    def counted(cfn: Any, watch: follow.Watch) -> Any:
        rounds[-1][watch.stack_id] += 1
        return fresh(cfn, watch)

    def rounded(self: Wait, what: str) -> Iterator[float]:
        for waited in pauses(self, what):
            rounds.append(Counter())
            yield waited

    follow.fresh, Wait.pauses = counted, rounded  # type: ignore[method-assign]
    try:
        port = free_port()
        run("create", "--param", "WebIngressCidr=127.0.0.1/32", "--param", f"WebPort={port}")
    finally:
        follow.fresh, Wait.pauses = fresh, pauses  # type: ignore[method-assign]
    polled = [one for one in rounds if one]
    most = max(max(one.values()) for one in polled)
    calls, stacks = sum(sum(one.values()) for one in polled), len(set().union(*polled))
    return f"{calls} of them polls of {stacks} stacks in {len(polled)} intervals, at most {most} a stack each"


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def run(command: str, *more: str) -> str:
    """What a command answers; the benchmark ends where it fails."""
    answer, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(answer), contextlib.redirect_stderr(told):
        status = cli.main([command, "--stack-name", STACK, *more])
    if status:
        sys.exit(f"{command}: exit {status}\n{told.getvalue()}")
    return answer.getvalue()


def updates(proxy: Proxy, folder: Path, runs: int) -> None:
    """Prints how an update of nothing stands against `aws cloudformation deploy` of the root alone."""
    ours = [
        timed(proxy, [sys.executable, "-m", "aws_vpc", "update", "--stack-name", STACK]) for _ in range(runs)
    ]
    text = package.package(PROJECT / "templates").root.body()
    (folder / "root.yaml").write_bytes(text)
    bucket = next(one for one in buckets() if one.startswith("aws-vpc-artifacts"))
    theirs_command = [
        str(PROJECT / ".venv" / "bin" / "aws"), "cloudformation", "deploy", "--stack-name", STACK,
        "--template-file", str(folder / "root.yaml"), "--s3-bucket", bucket, "--s3-prefix", "plain",
        "--capabilities", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND", "--no-fail-on-empty-changeset",
    ]  # fmt: skip
    theirs = []
    for _ in range(runs + 1):
        theirs.append(timed(proxy, theirs_command))
        time.sleep(1 - time.time() % 1)  # aws names its change sets by the second
    del theirs[0]  # it uploaded the root, which counts for nobody
    for who, found in (("aws-vpc update", ours), ("aws cloudformation deploy", theirs)):
        told = ", ".join(f"{name} {count}" for name, count in found[-1][1].items())
        print(f"{who}: {median(found):.2f} s, {calls(found):.0f} calls ({told})")
    times, asked = median(ours) / median(theirs), calls(ours) / calls(theirs)
    print(f"ratio: {times:.2f} of the time, {asked:.2f} of the calls")
    uploads = sum(one[1]["PUT object"] for one in ours)
    print(f"an update of nothing: {'under' if median(ours) < 3 else 'OVER'} 3 s, {uploads} uploads")


def buckets() -> list[str]:
    """The buckets of the embedded AWS."""
    return [one["Name"] for one in boto3.client("s3").list_buckets()["Buckets"]]


def timed(proxy: Proxy, command: list[str]) -> tuple[float, Counter[str]]:
    """Seconds and calls of a command that changes nothing."""
    proxy.calls.clear()
    began = time.monotonic()
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return time.monotonic() - began, Counter(proxy.calls)


def median(found: list[tuple[float, Counter[str]]]) -> float:
    """The median of the seconds."""
    return statistics.median(one[0] for one in found)


def calls(found: list[tuple[float, Counter[str]]]) -> float:
    """The median of the calls."""
    return statistics.median(sum(one[1].values()) for one in found)


def paths(given: dict[str, str]) -> None:
    """Prints what the slow resources wait for, by the references of the templates, and for how long."""
    files = {one.name: one.read_text() for one in (PROJECT / "templates").iterdir()}
    root = open_stack(files, "nested-stack.yaml", given, "us-west-2")
    stacks = {logical: root.child(logical, needed=True) for logical in root.bound.resources}
    children = {logical: child.bound for logical, child in stacks.items() if child}
    needs = graph(root.bound, children)
    print("what each waits for (seconds: CloudFormation's usual times for the types on its path)")
    for what, node in TOGETHER.items():
        if node not in needs:
            continue
        chain = longest(node, needs, children)
        waited = sum(weight(one, children) for one in chain[:-1])
        others = [other for other, one in TOGETHER.items() if one in reachable(node, needs)]
        print(f"  {what:10} starts after {waited:4.0f} s: {' → '.join('/'.join(one) for one in chain)}")
        print(f"  {'':10} waits for {', '.join(others) or 'none'} of the others")
    chains = [longest(node, needs, children) for node in needs]
    whole, chain = max((sum(weight(one, children) for one in chain), chain) for chain in chains)
    print(f"  everything stands after {whole:.0f} s: {' → '.join('/'.join(one) for one in chain)}")


def graph(root: Bound, children: dict[str, Bound]) -> dict[Path_, set[Path_]]:
    """For each resource of a child those that it waits for, in its own stack and in the stacks before it."""
    needs: dict[Path_, set[Path_]] = {}
    for stack, bound in children.items():
        for logical, inner in bound.graph.items():
            needs[stack, logical] = {(stack, one) for one in inner}
            # A nested stack starts when all of a stack that it refers to is complete.
            before = set() if inner else root.graph[stack]
            needs[stack, logical] |= {(one, other) for one in before for other in children[one].graph}
    return needs


def weight(node: Path_, children: dict[str, Bound]) -> float:
    """The usual seconds of a resource."""
    return seconds(children[node[0]].resources[node[1]]["Type"]).create


def longest(node: Path_, needs: dict[Path_, set[Path_]], children: dict[str, Bound]) -> list[Path_]:
    """The chain of resources that ends in `node` and takes the longest."""
    best: dict[Path_, tuple[float, list[Path_]]] = {}

    def visit(one: Path_) -> tuple[float, list[Path_]]:
        if one not in best:
            before = max(map(visit, needs.get(one, ())), key=lambda pair: pair[0], default=(0.0, []))
            best[one] = (before[0] + weight(one, children), [*before[1], one])
        return best[one]

    return [one for one in visit(node)[1] if weight(one, children) >= 1 or one == node]


def reachable(node: Path_, needs: dict[Path_, set[Path_]]) -> set[Path_]:
    """Everything that a resource waits for."""
    found: set[Path_] = set()
    waiting = list(needs.get(node, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(needs.get(one, ()))
    return found


if __name__ == "__main__":
    main()
