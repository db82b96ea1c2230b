"""Start, find and stop the embedded AWS.

It runs exactly while somebody holds the lock file; `endpoint.json` then says where. Nothing is
guessed from pids, ports or process names.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path

from aws_vpc.errors import LocalError
from aws_vpc.local.folders import INSTANCES, base_folder, default_folder
from aws_vpc.local.postgres_binaries import Installation
from aws_vpc.local.state_files import MANIFEST
from aws_vpc.local.state_files import kept as kept

START_SECONDS = 120.0
STOP_SECONDS = 60.0
LEAST_SPACE = 1 << 20  # bytes


@dataclass(frozen=True)
class Facts:
    """Where the embedded AWS listens, who it is and how to be let in."""

    pid: int
    endpoint: str
    region: str
    account: str
    access_key: str
    secret_key: str = field(repr=False)
    ca: str
    started: str
    delay: float  # of what CloudFormation's resources take on AWS

    def environment(self) -> dict[str, str]:
        """What a program's environment needs so that AWS and its databases are the embedded ones."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PGSSLROOTCERT": self.ca,
            "PGSSLMODE": "verify-full",
            "SSL_CERT_FILE": str(Path(self.ca).with_name("trusted.pem")),
        }


def folder() -> Path:
    """The folder of the embedded AWS: $AWS_VPC_LOCAL_DIR, or .local in the project's root."""
    return default_folder()


def facts(folder: Path) -> Facts | None:
    """The facts of the embedded AWS that runs in the folder and is ready; None when there is none."""
    if not held(folder / "lock"):
        return None
    try:
        found = json.loads((folder / "endpoint.json").read_text())
    except (OSError, ValueError):
        return None
    return Facts(**{each.name: found[each.name] for each in fields(Facts)})


def held(lock: Path) -> bool:
    """Whether a process holds the lock file."""
    try:
        with lock.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def names() -> list[str]:
    """The names of the embedded AWSs of this project; '' is the one without a name."""
    base = base_folder()
    found = sorted(each.name for each in (base / INSTANCES).glob("*") if (each / "lock").exists())
    return ([""] if (base / "lock").exists() else []) + found


def folder_of(name: str) -> Path:
    """The folder of the embedded AWS of the name."""
    return base_folder() / INSTANCES / name if name else base_folder()


def start(folder: Path, port: int = 0, delay: float | None = None, *, keep: bool = False) -> Facts:
    """The facts of the embedded AWS in the folder, started when none runs there.

    `delay` is the part of AWS's own time that CloudFormation's resources take: none unless stated.
    With `keep` it keeps its state.
    """
    deadline = time.monotonic() + START_SECONDS
    found = facts(folder)
    if found is None and not held(folder / "lock"):
        _launch(folder, port, delay or 0.0, deadline, keep=keep)
        found = facts(folder)
    while found is None:  # somebody else's start is under way
        if time.monotonic() > deadline or not held(folder / "lock"):
            raise LocalError(_why(folder))
        time.sleep(0.02)
        found = facts(folder)
    if delay is not None and found.delay != delay:
        raise LocalError(
            f"the embedded AWS runs already, with --delay {found.delay:g}; "
            "end it first: python -m aws_vpc local stop"
        )
    if keep and not kept(folder):
        os.kill(found.pid, signal.SIGUSR1)
        while not kept(folder):
            if time.monotonic() > deadline or not held(folder / "lock"):
                raise LocalError(f"the embedded AWS cannot keep its state: see {folder}/logs/supervisor.log")
            time.sleep(0.02)
    return found


def _launch(folder: Path, port: int, delay: float, deadline: float, *, keep: bool) -> None:
    """Start a supervisor of its own session and wait until it is ready or has ended."""
    log = folder / "logs" / "supervisor.log"
    try:
        for each in (folder, log.parent):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        output = os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
    except OSError as error:
        raise LocalError(f"{folder} cannot be used: {error.strerror}; set AWS_VPC_LOCAL_DIR") from None
    ours, theirs = os.pipe()
    argv = [sys.executable, "-m", "aws_vpc.local.supervisor", "--folder", str(folder), "--port", str(port)]
    argv += ["--delay", str(delay), *(["--keep"] if keep else [])]
    with output:
        child = subprocess.Popen(
            [*argv, "--ready", str(theirs)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[theirs],
            start_new_session=True,
            env={"MALLOC_ARENA_MAX": "2", **os.environ},  # glibc would keep memory for each thread
            cwd=Path(__file__).resolve().parents[2],
        )
    os.close(theirs)
    try:
        _await(ours, child, folder, deadline)
    finally:
        os.close(ours)


def _await(pipe: int, child: subprocess.Popen[bytes], folder: Path, deadline: float) -> None:
    """Return when the supervisor says it is ready, or leaves the field to another one."""
    readable, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
    if not readable:
        child.kill()
        child.wait()
        raise LocalError(
            f"the embedded AWS was not ready after {START_SECONDS:.0f} s; see {folder}/logs/supervisor.log"
        )
    if os.read(pipe, 16) != b"ready\n":  # it ended
        child.wait()
        if not held(folder / "lock"):
            raise LocalError(_why(folder))
    else:
        child.returncode = 0  # it is meant to outlive us: no ResourceWarning about a child still running


def _why(folder: Path) -> str:
    log = folder / "logs" / "supervisor.log"
    with suppress(OSError):
        if shutil.disk_usage(folder).free < LEAST_SPACE:
            return f"the embedded AWS did not start: no space left for {folder}; set AWS_VPC_LOCAL_DIR"
    with suppress(OSError):
        lines = log.read_text(errors="replace").strip().splitlines()
        if lines:
            return f"the embedded AWS did not start: {lines[-1]} (see {log})"
    return f"the embedded AWS did not start; see {log}"


def stop(folder: Path) -> bool:
    """Whether one ran; when this returns, it and everything it started have ended."""
    deadline = time.monotonic() + STOP_SECONDS
    found = facts(folder)
    while found is None and held(folder / "lock") and time.monotonic() < deadline:
        time.sleep(0.02)  # it is just starting, or just stopping
        found = facts(folder)
    if found is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    while held(folder / "lock"):
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGKILL)
            raise LocalError(f"the embedded AWS (process {found.pid}) did not stop in time and was killed")
        time.sleep(0.01)
    return True


def forget(folder: Path) -> bool:
    """Whether there was a kept state, which is deleted now with all that belongs to it; none may run."""
    if held(folder / "lock"):
        raise LocalError(f"the embedded AWS in {folder} runs: stop it first")
    there = kept(folder)
    if there:
        (folder / "state" / MANIFEST).unlink()  # first: half of a state is none
        Installation(folder / "postgres").clear()
        for name in ("state", "run"):
            shutil.rmtree(folder / name, ignore_errors=True)
    return there
