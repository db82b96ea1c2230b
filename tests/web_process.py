"""The pages as a process of their own, started as the Procfile says, and the loader as the job starts it."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from embedded import reserved_port, until
from web_support import ADMIN, BUNDLE, PROJECT, Web

BESIDE_PYTHON = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def procfile() -> list[str]:
    """The web command."""
    (line,) = (BUNDLE / "Procfile").read_text().splitlines()
    name, _, command = line.partition(": ")
    assert name == "web"
    return shlex.split(command)


def unpacked(folder: Path) -> Path:
    """A copy of the bundle as a release would hold it."""
    return Path(
        shutil.copytree(BUNDLE, folder / "release", ignore=shutil.ignore_patterns("venv", "__pycache__"))
    )


def get(url: str) -> tuple[int, str]:
    """Status and text of a page."""
    try:
        with urllib.request.urlopen(url, timeout=300) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@contextmanager
def started(folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """The Procfile's command, running in the release; gives its address."""
    own = {**BESIDE_PYTHON, "BIND_ADDRESS": "127.0.0.1", **settings}
    with reserved_port() as port, (folder / "web.log").open("wb") as log:
        environment = {**os.environ, **own, "PORT": str(port)}
        process = subprocess.Popen(procfile(), cwd=unpacked(folder), env=environment, stderr=log, stdout=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(300) == 0


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Waits until the server answers."""

    def answers() -> bool:
        assert process.poll() is None, "the web command ended"
        with suppress(OSError):
            get(url)
            return True
        return False

    until(answers)


def load(web: Web, key: str) -> str:
    """What the loader says of an object that it loads, as the job of Batch does when the object arrives."""
    secret = web.secrets.create_secret(
        Name=f"admin-{uuid.uuid4()}", SecretString=json.dumps({"username": ADMIN[0], "password": ADMIN[1]})
    )["ARN"]
    where = {
        f"{prefix}_{name}": value
        for prefix, source in (("RDS", web.rds), ("REDSHIFT", web.redshift))
        for name, value in (
            ("HOST", "localhost"),
            ("PORT", str(source.port)),
            ("DATABASE", "people"),
            ("SECRET", secret),
            ("COPY_ROLE", "arn:aws:iam::123456789012:role/copy"),
        )
    }
    command = [sys.executable, "-m", "aws_vpc.loader", "--bucket", web.bucket, "--key", key]
    done = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, **where}, capture_output=True, text=True, timeout=300
    )
    return done.stdout + done.stderr
