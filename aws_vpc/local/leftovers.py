"""Ends what a killed embedded AWS left running: at once by its guardian, else by the next start.

    supervisor ─ pipe ─► python -m aws_vpc.local.leftovers RECORD PID     reads until the supervisor is gone

Children are known by pid and start time, which together belong to nobody else. On Linux the kernel
signals each child itself; the guardian is for what those have started, and for macOS.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

GRACE = 3.0  # seconds between the signal that a child wants and SIGKILL
Row = Mapping[str, Any]


def started(pid: int) -> str | None:
    """When a process started, in the system's words, None when there is none; with the pid, its full name."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        except OSError:
            return None
    found = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None


def end_leftovers(record: Path, parent: int | None = None) -> list[str]:
    """The names of the recorded processes that still ran, with their groups, and are ended now.

    `parent` names whose children alone are meant. A pid that has since gone to somebody else's process
    has another start time and is left alone.
    """
    try:
        rows = json.loads(record.read_text())
    except (OSError, ValueError):
        return []
    rows = [row for row in rows if parent in (None, row.get("parent"))]
    left = [row for row in reversed(rows) if row["started"] and there(row)]
    end(left)
    if parent is None:
        record.unlink(missing_ok=True)
    return [row["name"] for row in reversed(left)]


def there(row: Row) -> bool:
    """Whether the process runs, or what is left of its group without it."""
    now = started(row["pid"])
    if now is not None:
        return bool(now == row["started"])
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(row["pid"], 0)  # a group keeps its number from being given away
        return True
    return False


def end(rows: Iterable[Row]) -> None:
    """End each as it wants to be ended, and kill whoever has not gone within the grace."""
    rows = list(rows)
    for row in rows:
        if row.get("signal"):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(row["pid"], row["signal"])
    deadline = time.monotonic() + GRACE
    while any(row.get("signal") and there(row) for row in rows) and time.monotonic() < deadline:
        time.sleep(0.02)
    for row in rows:
        if there(row):
            kill(row["pid"])


def kill(leader: int) -> None:
    """Kill a process with its group, and the processes that it started in groups of their own."""
    import psutil  # only when it comes to that

    family = []
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(leader).children(recursive=True)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for process in family:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process.kill()


def guard(record: Path) -> subprocess.Popen[bytes]:
    """A guardian that ends our children when we end: close its standard input to let it go."""
    return subprocess.Popen(
        [sys.executable, "-m", "aws_vpc.local.leftovers", str(record), str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).resolve().parents[2],
        start_new_session=True,
    )


def main(record: str, parent: str) -> None:
    """Wait until the supervisor is gone, and end what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the end of the supervisor is the only end
    sys.stdin.buffer.read()
    end_leftovers(Path(record), int(parent))


if __name__ == "__main__":
    main(*sys.argv[1:])
