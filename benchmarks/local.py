"""How long the local system takes from nothing to rows on the page, and what it weighs.

    .venv/bin/python benchmarks/local.py [--runs 3]

Every run uses a folder of its own, so a system that is running is left alone.
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
from pathlib import Path

import psutil

PROJECT = Path(__file__).parent.parent
PYTHON = str(PROJECT / ".venv" / "bin" / "python")


EVENT = re.compile(r"^ *([0-9.]+)s (\w+) +(\S+)  (AWS::\S+)", re.MULTILINE)


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


def memory(pids: list[int]) -> int:
    """Proportional set size in bytes of the processes and all their descendants (shared pages count once)."""
    family = {pid for root in pids for pid in [root, *(c.pid for c in psutil.Process(root).children(True))]}
    return sum(_size(psutil.Process(pid)) for pid in family)


def _size(process: psutil.Process) -> int:
    full = process.memory_full_info()
    return int(getattr(full, "pss", full.rss))


def one_run(folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    environment = {**os.environ, "AWS_VPC_LOCAL_DIR": str(folder)}
    local = [PYTHON, "-m", "aws_vpc", "local"]
    figures = {"start": timed([*local, "start"], environment)[0]}
    figures["create"], progress = timed(["./create_stacks.sh", "--local"], environment)
    figures["  of it the stacks"] = max(float(event[0]) for event in EVENT.findall(progress))
    status = json.loads(
        subprocess.check_output(
            [*local, "status", "--json"], cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL
        )
    )
    with urllib.request.urlopen(f"{status['web']}/.json") as answer:
        databases = json.load(answer)["databases"]
    assert {facts["rows"] for facts in databases.values()} == {50}
    pids = status["pids"].values() if isinstance(status["pids"], dict) else status["pids"]
    figures["memory"] = memory(list(pids)) / 1e6
    figures["create again"] = timed(["./create_stacks.sh", "--local"], environment)[0]
    figures["update, nothing changed"] = timed(["./update_stacks.sh", "--local"], environment)[0]
    figures["teardown"] = timed(["./teardown.sh", "--local", "--yes"], environment)[0]
    return figures, resources(progress)


AIMS = {"start + create": 15, "memory": 700, "update, nothing changed": 3, "teardown": 5}


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and weigh the local system.")
    parser.add_argument("--runs", type=int, default=3)
    runs = []
    for number in range(parser.parse_args().runs):
        with tempfile.TemporaryDirectory() as folder:
            figures, slowest = one_run(Path(folder) / "local")
            runs.append(figures)
        runs[-1]["start + create"] = runs[-1]["start"] + runs[-1]["create"]
        print(f"run {number + 1}: " + ", ".join(f"{k} {v:.1f}" for k, v in runs[-1].items()), flush=True)
    print(f"\n{'step':28}{'median':>10}{'aim':>8}")
    for step in runs[0]:
        unit = "MB" if step == "memory" else "s"
        aim = f"{AIMS[step]}" if step in AIMS else ""
        print(f"{step:28}{statistics.median(run[step] for run in runs):>8.1f} {unit}{aim:>7}")
    print("\nthe slowest resources of the last run")
    for name, seconds in list(slowest.items())[:8]:
        print(f"{seconds:7.1f} s  {name}")


if __name__ == "__main__":
    main()
