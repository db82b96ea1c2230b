"""How fast reachability is answered, and how much memory that takes.

    .venv/bin/python benchmarks/reach.py [--sizes 100,1000,10000]

Each size runs in a process of its own on one core; times are of that process (CPU), not of the clock.
The network comes from a seed (reach_network.py). The yardstick is the explained walker, `reach.trace`, asked
pair by pair: its time for all pairs is extrapolated from a sample in the same run, and the matrix has to
agree with it on that sample.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any, TypeVar

PROJECT = Path(__file__).resolve().parent.parent
SAMPLE, CHANGES, PORT = 2000, 15, 5432
T = TypeVar("T")
HEADS = (
    "interfaces",
    "pairs",
    "one port",
    "memory",
    "all ports",
    "memory",
    "rule",
    "route",
    "query p99",
    "yardstick",
)


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of CPU, and what the work gives."""
    begun = time.process_time()
    found = work()
    return time.process_time() - begun, found


def memory() -> float:
    """The most that this process has had, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def measure(size: int) -> dict[str, Any]:
    """All figures of one size."""
    from reach_network import large

    from aws_vpc.matrix import Matrix
    from aws_vpc.matrix_wires import Asked, request_ports

    network, asked = large(size), Asked(6, PORT)
    empty = memory()
    one_port, (matrix, pairs) = timed(lambda: both(Matrix(network), asked))
    found = {"interfaces": size, "pairs": size * (size - 1), "reached": len(pairs), "network MB": empty}
    found |= {"one port": one_port, "one port MB": memory()}
    found |= queries(matrix, pairs, asked)
    found |= after_changes(matrix, pairs, network)
    ports = request_ports(network)
    matrix = Matrix(network)
    questions = [Asked(6, one.first) for one in ports]
    found["all ports"], found["reached on all"] = timed(lambda: sum(map(len, matrix.each(questions))))
    return found | {"stretches": len(ports), "all ports MB": memory()}


def both(matrix: Any, asked: Any) -> tuple[Any, Any]:
    return matrix, matrix.pairs(asked)


def queries(matrix: Any, pairs: Any, asked: Any) -> dict[str, Any]:
    """Explained queries of a sample, half of which reach; the matrix has to say the same of each."""
    random, size = Random(1), len(pairs.places)
    begins = [number for number in range(size) if matrix.begins[number, 0] and matrix.ends[number, 0]]
    sample = [tuple(random.sample(begins, 2)) for _ in range(SAMPLE // 2)]
    names = pairs.places.index
    reached = list(pairs.listed()) if size <= 2000 else some_reached(pairs, random)
    chosen = random.sample(reached, min(SAMPLE // 2, len(reached)))
    sample += [(names[one], names[other]) for one, other in chosen]
    matrix.traced(asked, *sample[0])  # the network's indexes are made by the first
    times, wrong = [], 0
    for source, destination in sample:
        spent, (verdict, _) = timed(lambda ends=(source, destination): matrix.traced(asked, *ends))
        times.append(spent)
        ids = [pairs.places.interfaces[one].id for one in (source, destination)]
        wrong += (verdict == "reachable") != pairs.reaches(*ids)
    assert wrong == 0, f"matrix and trace differ on {wrong} of {len(sample)} pairs"
    pairwise = sum(times) / len(times) * size * (size - 1)
    return {"query p50": median(times), "query p99": quantiles(times, n=100)[98], "sample": len(sample),
            "pairwise": pairwise}  # fmt: skip


def some_reached(pairs: Any, random: Random) -> list[tuple[str, str]]:
    """Pairs that reach, of some sources."""
    from aws_vpc.matrix_bits import unpacked

    names = [one.id for one in pairs.places.interfaces]
    rows = random.sample(range(len(names)), 200)
    return [
        (names[row], names[at]) for row in rows for at in unpacked(pairs.some[row], len(names)).nonzero()[0]
    ]


def after_changes(matrix: Any, pairs: Any, network: Any) -> dict[str, Any]:
    """Re-checks after one changed rule and after one changed route; the last has to be what it would
    be anew.
    """
    from aws_vpc.matrix import Matrix
    from aws_vpc.matrix_update import update
    from aws_vpc.network import SecurityGroupRule

    random = Random(2)
    rules, routes = [], []
    for number in range(CHANGES):
        group = random.choice(list(network.groups.values()))
        rule = SecurityGroupRule(number % 2 == 0, 6, block=ip_network("10.0.0.0/8"))
        changed = replace(group, rules=(*group.rules[1:], rule))
        network = replace(network, groups=network.groups | {group.id: changed})
        spent, pairs = timed(lambda now=network, held=pairs: update(matrix, now, held))
        rules.append(spent)
    tables = [one for one in network.route_tables.values() if not one.main and len(one.routes) > 1]
    for table in random.sample(tables, min(CHANGES, len(tables))):
        less = replace(table, routes=table.routes[:1] + table.routes[2:])
        network = replace(network, route_tables=network.route_tables | {table.id: less})
        spent, pairs = timed(lambda now=network, held=pairs: update(matrix, now, held))
        routes.append(spent)
    assert (Matrix(network).pairs(pairs.asked).some == pairs.some).all(), (
        "a re-check differs from the matrix anew"
    )
    return {
        "rule": median(rules),
        "rule most": max(rules),
        "route": median(routes),
        "route most": max(routes),
    }


def checked() -> float:
    """Seconds of CPU from the start of Python to the verdict on all intents of this repository's
    templates.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "aws_vpc", "check"], cwd=PROJECT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def row(one: dict[str, Any]) -> list[str]:
    """The figures of a size, for people."""
    return [
        f"{one['interfaces']:,}",
        f"{one['pairs']:,}",
        f"{one['one port']:.2f} s",
        f"{one['one port MB']:.0f} MB",
        f"{one['all ports']:.1f} s",
        f"{one['all ports MB']:.0f} MB",
        f"{one['rule'] * 1e3:.0f} ms",
        f"{one['route'] * 1e3:.0f} ms",
        f"{one['query p99'] * 1e3:.2f} ms",
        f"{one['pairwise'] / one['one port']:,.0f} times",
    ]


def sentence(one: dict[str, Any]) -> str:
    """What the table leaves out."""
    return (
        f"{one['interfaces']:,} interfaces: {one['reached']:,} pairs reach on port {PORT};"
        f" matrix and trace agree on {one['sample']:,} sampled pairs; {one['stretches']} stretches of ports;"
        f" a changed rule takes at most {one['rule most'] * 1e3:.0f} ms,"
        f" a route {one['route most'] * 1e3:.0f} ms; pair by pair it would be"
        f" {one['pairwise']:,.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", default="100,1000,10000", help="interfaces, separated by commas (%(default)s)"
    )
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    spent = sorted(checked() for _ in range(5))
    print(f"templates to the verdict on all intents, imports included: {spent[2]:.2f} s of CPU (median of 5)")
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    rows = [list(HEADS)]
    for size in options.sizes.split(","):
        command = [sys.executable, __file__, "--one", size]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=alone, cwd=PROJECT)
        found = json.loads(told.stdout)
        rows.append(row(found))
        print(sentence(found), flush=True)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)))


if __name__ == "__main__":
    main()
