"""Start, find, stop."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from aws_vpc.errors import LocalError
from aws_vpc.local import control, status


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "local"


def listening(pid: int) -> set[int]:
    """The ports on which the process listens; none when it has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        found = psutil.Process(pid).net_connections("tcp")
        return {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}
    return set()


def test_start_find_and_stop(folder: Path) -> None:
    assert control.facts(folder) is None
    assert not control.stop(folder)
    facts = control.start(folder)
    try:
        assert stat.S_IMODE(folder.stat().st_mode) & 0o066 == 0
        assert control.start(folder) == facts == control.facts(folder)
        environment = facts.environment()
        assert environment["AWS_ENDPOINT_URL"] == facts.endpoint
        assert environment["PGSSLMODE"] == "verify-full"
        assert Path(environment["PGSSLROOTCERT"]).is_file()
        assert facts.secret_key not in repr(facts)
        port = int(facts.endpoint.rpartition(":")[2])
        assert port in listening(facts.pid)
    finally:
        assert control.stop(folder)
    assert port not in listening(facts.pid)
    assert control.facts(folder) is None
    assert not control.held(folder / "lock")


def test_a_full_disk_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    monkeypatch.setattr(control, "LEAST_SPACE", 1 << 62)
    assert "no space left" in control._why(folder)
    monkeypatch.setattr(control, "LEAST_SPACE", 0)
    assert "no space left" not in control._why(folder)


def test_starts_at_the_same_time_find_one(folder: Path) -> None:
    found: list[control.Facts] = []
    threads = [threading.Thread(target=lambda: found.append(control.start(folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({facts.pid for facts in found}) == 1
    control.stop(folder)


def test_the_one_that_was_started_outlives_its_starter(folder: Path) -> None:
    code = (
        "import sys, pathlib; from aws_vpc.local import control; "
        "print(control.start(pathlib.Path(sys.argv[1])).pid)"
    )
    made = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    facts = control.facts(folder)
    assert facts
    assert facts.pid == int(made.stdout)
    assert made.stderr == ""
    assert os.getsid(facts.pid) == facts.pid
    assert control.stop(folder)


def test_a_start_that_fails_tells_the_last_line_of_the_log(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalError, match=f"port {port} cannot be used: Address already in use") as caught:
            control.start(folder, port)
    assert "\n" not in str(caught.value)


def test_two_folders_hold_two(tmp_path: Path) -> None:
    one, two = (control.start(tmp_path / name) for name in ("one", "two"))
    assert one.endpoint != two.endpoint
    assert one.access_key != two.access_key
    assert control.stop(tmp_path / "one")
    assert control.facts(tmp_path / "two") == two
    assert control.stop(tmp_path / "two")


def test_status_of_an_empty_one_names_its_parts(folder: Path) -> None:
    facts = control.start(folder)
    try:
        found = status.status(facts, where=folder)
    finally:
        control.stop(folder)
    assert list(found) == [
        "endpoint",
        "web",
        "rds",
        "redshift",
        "stacks",
        "regions",
        "bucket",
        "kept",
        "pids",
    ]
    assert found["rds"] == {
        "host": None,
        "port": None,
        "database": None,
        "up": False,
        "rows": None,
        "version": None,
    }
    assert (found["stacks"], found["bucket"], found["pids"]) == ({}, None, {"supervisor": facts.pid})
