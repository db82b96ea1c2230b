"""The supervisor: one at a time, ready in a file, gone without a trace."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from embedded import until

from aws_vpc.local import control
from aws_vpc.local.leftovers import started

SUPERVISOR = [sys.executable, "-m", "aws_vpc.local.supervisor"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "local"


def launch(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*SUPERVISOR, "--folder", str(folder), *options], stderr=subprocess.PIPE)


def test_it_says_where_it_is_only_to_its_user_and_stops_at_a_signal(folder: Path) -> None:
    with launch(folder) as process:
        facts = until(lambda: control.facts(folder))
        assert facts.pid == process.pid
        file = folder / "endpoint.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text())["endpoint"] == facts.endpoint
        listening = psutil.Process(process.pid).net_connections("tcp")
        assert {c.laddr.ip for c in listening if c.status == psutil.CONN_LISTEN} == {"127.0.0.1"}
        process.send_signal(signal.SIGINT)
        assert process.wait(300) == 0
        assert process.stderr
        assert process.stderr.read() == b""
    assert not file.exists()
    assert control.facts(folder) is None


def test_a_port_in_use_is_one_line(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with launch(folder, "--port", str(port)) as process:
            assert process.wait(300) == 1
            assert process.stderr
            said = process.stderr.read().decode().splitlines()
    assert len(said) == 1
    assert f"port {port} cannot be used: Address already in use" in said[0]


def test_a_second_one_in_the_same_folder_leaves(folder: Path) -> None:
    control.start(folder)
    with launch(folder) as second:
        assert second.wait(300) == 1
        assert second.stderr
        assert b"another embedded AWS holds" in second.stderr.read()
    assert control.stop(folder)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with launch(tmp_path / "file" / "local") as process:
        assert process.wait(300) == 1
        assert process.stderr
        assert process.stderr.read().decode().count("\n") == 1


def test_the_callers_aws_settings_do_not_reach_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "000000000000")
    facts = control.start(folder)
    try:
        environment = Path(f"/proc/{facts.pid}/environ")
        assert facts.account == "123456789012"
        assert not environment.exists() or b"no-such-profile" in environment.read_bytes()
    finally:
        control.stop(folder)


def test_what_a_killed_one_left_is_ended_and_removed_by_the_next(folder: Path) -> None:
    facts = control.start(folder)
    litter = folder / "run" / "old-data"
    litter.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    ) as left:
        record = [{"name": "left", "pid": left.pid, "started": started(left.pid)}]
        (folder / "run.json").write_text(json.dumps(record))
        os.kill(facts.pid, signal.SIGKILL)
        until(lambda: not control.held(folder / "lock"))
        assert control.facts(folder) is None
        control.start(folder)
        assert left.wait(300) == -signal.SIGKILL
    assert not litter.exists()
    assert "ended left" in (folder / "logs" / "supervisor.log").read_text()
    control.stop(folder)
