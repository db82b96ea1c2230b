"""The machine that stands behind an instance: its paths, what it lets scripts do, and its units."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from embedded import reserved_port, until

from aws_vpc.errors import LocalError
from aws_vpc.local import plain_path
from aws_vpc.local.codedeploy_agent import Agent
from aws_vpc.local.machine import Machine
from aws_vpc.local.machine_unit_file import restart_policy, section
from aws_vpc.local.machine_units import Units
from aws_vpc.local.processes import Processes

UNIT = """\
[Unit]
Description=[Service] is not this one
[Service]
Environment=ONE=1 "TWO=2 and 3"
EnvironmentFile=-/etc/gone
EnvironmentFile=/etc/settings
WorkingDirectory=/srv
ExecStart=/bin/sh -c 'echo "$ONE $TWO $THREE $BIND_ADDRESS" in $(basename "$PWD"); exec sleep 600'
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    processes = Processes.direct()
    world: Any = SimpleNamespace(
        root=tmp_path, run=tmp_path / "run", logs=tmp_path / "logs", processes=processes,
        child_environment=lambda: {"LANG": "C.UTF-8"},
    )  # fmt: skip
    world.logs.mkdir()
    made = Machine(world, "i-1", "eu-west-1")
    made.furnish()
    yield made
    processes.stop()


@pytest.mark.parametrize(
    ("text", "placed"),
    [
        ("rm -rf /opt/web/release", "rm -rf ROOT/opt/web/release"),
        ("a=/etc/web; b='/var' c=\"/srv/x\"", "a=ROOT/etc/web; b='ROOT/var' c=\"ROOT/srv/x\""),
        ("echo >/etc/x;cat</opt/y", "echo >ROOT/etc/x;cat<ROOT/opt/y"),
        ("/usr/bin/systemctl start x", "BIN/systemctl start x"),
        ("/opt/aws/bin/cfn-signal; /bin/sh", "BIN/cfn-signal; BIN/sh"),
        ("/opt/web/venv/bin/gunicorn", "ROOT/opt/web/venv/bin/gunicorn"),
        ("#!/bin/sh\n/bin/ls /opt", "#!/bin/sh\nBIN/ls ROOT/opt"),
        ("https://host/opt/x $release/etc/y ./opt/z", "https://host/opt/x $release/etc/y ./opt/z"),
        ('"/$APPLICATION_NAME/web" /optional /etcetera /dev/null /tmp/opt', None),
    ],
)
def test_paths_of_root_lead_into_the_machine(machine: Machine, text: str, placed: str | None) -> None:
    wanted = (placed or text).replace("ROOT", str(machine.root)).replace("BIN", f"{machine.folder}/bin")
    assert machine.placed(text) == wanted


def run(machine: Machine, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", machine.placed(script)], env=machine.environment(), cwd=machine.root,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/usr/share", "/opt/../../../../x", "/root/.ssh", "$(dirname /opt)/../../../../..", "/"]
)
def test_commands_that_change_files_refuse_what_is_not_the_machine_s(machine: Machine, path: str) -> None:
    for command in ("rm -rf", "touch", "install -d"):
        done = run(machine, f'{command} "{path}"')
        assert done.returncode == 1
        assert "is not a place of this machine" in done.stderr


def test_users_are_known_once_they_are_made(machine: Machine) -> None:
    script = "id web 2>/dev/null || useradd --system web; id web; useradd web"
    done = run(machine, script)
    assert done.stdout == "uid=990(web) gid=990(web)\n"
    assert (done.returncode, done.stderr) == (9, "useradd: user 'web' already exists\n")


def test_a_virtual_environment_leads_to_programs_wherever_the_project_lies(machine: Machine) -> None:
    guard = machine.folder / "bin" / "ln"
    guard.unlink()
    guard.write_text("#!/bin/sh\nexit 1\n")  # as it refuses a project outside of the machine and of /tmp
    guard.chmod(0o755)
    done = run(
        machine, "dnf install python3.13 >/dev/null; python3.13 -m venv /opt/venv; /opt/venv/bin/python -V"
    )
    assert (done.returncode, done.stdout[:7]) == (0, "Python ")
    assert run(machine, "python3.13 -m venv /usr/share/venv").returncode == 1


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    found = tmp_path / "elsewhere"
    found.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(found))
    return found


def test_a_folder_with_blanks_has_a_plain_name_that_comes_and_goes(tmp_path: Path, elsewhere: Path) -> None:
    folder = tmp_path / "my files"
    folder.mkdir()
    plain_path.link(folder)
    plain_path.link(folder)  # what a killed one has left is used again
    name = plain_path.plain(folder)
    assert " " not in str(name)
    assert name.resolve() == folder.resolve()
    assert stat.S_IMODE(name.parent.stat().st_mode) == 0o700
    plain_path.unlink(folder)
    assert list(elsewhere.iterdir()) == []
    assert plain_path.plain(tmp_path) == tmp_path


def test_a_plain_name_that_another_may_change_is_refused(tmp_path: Path, elsewhere: Path) -> None:
    folder = tmp_path / "my files"
    plain_path.plain(folder).parent.mkdir(mode=0o777)
    plain_path.plain(folder).parent.chmod(0o777)
    with pytest.raises(LocalError, match=r"not this user's own folder.*AWS_VPC_LOCAL_DIR") as caught:
        plain_path.link(folder)
    assert "\n" not in str(caught.value)


@pytest.fixture
def served() -> Iterator[str]:
    """A server that says what it was asked; the first time that it is busy."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404 if self.path == "/none" else 503 if len(asked) == 1 else 200)
            self.end_headers()
            self.wfile.write(f"{self.path} for {self.headers['X-Who']}".encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_curl_reaches_the_machine_itself_and_ends_as_curl_does(machine: Machine, served: str) -> None:
    done = run(
        machine,
        f"curl -fsS -H 'X-Who: me' --retry 2 --retry-delay 0 -o $TMPDIR/x {served}/page; cat $TMPDIR/x",
    )
    assert (done.returncode, done.stdout) == (0, "/page for me")
    done = run(machine, f"curl --fail --silent --show-error {served}/none")
    assert (done.returncode, done.stderr) == (22, "curl: (22) The requested URL returned error: 404\n")
    assert run(machine, f"curl -s {served}/none").stdout == "/none for None"
    with reserved_port() as nobody:
        again = "curl -s --retry 1 --retry-delay 0 --retry-connrefused"
        assert run(machine, f"{again} http://127.0.0.1:{nobody}/").returncode == 7


def test_a_unit_runs_as_its_file_says_and_starts_again_with_the_machine(machine: Machine) -> None:
    units = Units(machine)
    assert units.answer(["start", "x.service"]) == (
        5,
        "Failed to start x.service: Unit x.service not found.",
    )
    machine.at("/etc/systemd/system/x.service").write_text(UNIT)
    machine.at("/etc/settings").write_text("# a comment\nTHREE='three'\n")
    assert units.answer(["daemon-reload"]) == (0, "")
    assert units.answer(["enable", "--quiet", "x.service"]) == (0, "")
    assert units.answer(["is-active", "x"]) == (3, "inactive")
    assert units.answer(["restart", "x.service"]) == (0, "")
    assert units.answer(["is-active", "x"]) == (0, "active")
    assert until(lambda: units.log("x").read_text()) == "1 2 and 3 three 127.0.0.1 in srv\n"
    assert units.answer(["cat", "x.service"]) == (0, UNIT.strip())
    assert units.answer(["stop", "x"]) == (0, "")
    assert units.answer(["is-active", "x"]) == (3, "inactive")
    later = Units(machine, enabled=units.enabled)
    later.reopen()
    assert later.runs("x")
    later.stop_all()
    assert not later.runs("x")
    assert units.answer(["isolate", "x"]) == (1, "Unknown command verb isolate.")


@pytest.mark.parametrize(
    ("policy", "again_after"),
    [
        ("no", []),
        ("always", [0, 1, -signal.SIGTERM, -signal.SIGKILL]),
        ("on-success", [0, -signal.SIGTERM]),
        ("on-failure", [1, -signal.SIGKILL]),
        ("on-abnormal", [-signal.SIGKILL]),
    ],
)
def test_restart_tells_ends_apart_as_systemd_does(policy: str, again_after: list[int]) -> None:
    found = restart_policy({"Restart": [policy]}, {})
    ends = [0, 1, -signal.SIGTERM, -signal.SIGKILL]
    assert [end for end in ends if found.restarts(end)] == again_after


def test_a_unit_that_ends_by_itself_starts_again_until_it_does_so_too_often(machine: Machine) -> None:
    units, file = Units(machine), machine.at("/etc/systemd/system/x.service")
    limit = "[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=2\n"
    file.write_text(
        f"{limit}[Service]\nRestart=on-failure\nRestartSec=1ms\nExecStart=/bin/sh -c 'echo run; exit 3'\n"
    )
    assert units.answer(["start", "x"]) == (0, "")
    said = until(lambda: text if "repeated too quickly" in (text := units.log("x").read_text()) else "")
    assert said.count("run\n") == 3
    assert "x.service: Scheduled restart job, restart counter is at 2." in said
    assert not units.runs("x")


def test_a_unit_that_was_killed_starts_again_and_one_that_was_stopped_does_not(machine: Machine) -> None:
    units, file = Units(machine), machine.at("/etc/systemd/system/x.service")
    file.write_text(
        "[Service]\nRestart=always\nRestartSec=1ms\nExecStart=/bin/sh -c 'echo $$; exec sleep 600'\n"
    )
    assert units.answer(["start", "x"]) == (0, "")
    first = int(until(lambda: units.log("x").read_text()))
    os.kill(first, signal.SIGKILL)
    pids = until(lambda: len(found := numbers(units)) == 2 and found)
    assert pids[0] == first != pids[1]
    assert until(lambda: units.runs("x"))
    units.answer(["stop", "x"])
    assert not units.runs("x")
    assert numbers(units) == pids


def numbers(units: Units) -> list[int]:
    """What the unit has said, line by line, where that is a number."""
    return [int(line) for line in units.log("x").read_text().splitlines() if line.isdigit()]


def test_a_unit_that_does_not_become_ready_has_failed(machine: Machine) -> None:
    units = Units(machine)
    file = machine.at("/etc/systemd/system/x.service")
    for command, seconds, words in (
        ("/bin/true", 60, "the control process exited with error code"),
        ("/bin/sleep 600", 1, "a timeout was exceeded"),
        ("/opt/gone", 60, "the control process exited with error code"),
    ):
        file.write_text(f"[Service]\nType=notify\nTimeoutStartSec={seconds}s\nExecStart={command}\n")
        status, text = units.answer(["start", "x"])
        assert status == 1
        assert words in text
        assert not units.runs("x")


def test_the_agent_keeps_the_last_five_revisions(machine: Machine) -> None:
    agent = Agent(machine, Units(machine))
    for number in range(7):
        known = {"applicationName": "a", "deploymentGroupName": "g", "deploymentId": f"d-{number}"}
        release = agent.release({**known, "revision": {}})
        release.folder.mkdir(parents=True)
        os.utime(release.folder.parent, (number, number))
        agent.succeeded(release)
    kept = sorted(path.name for path in release.folder.parent.parent.iterdir())
    assert kept == ["d-2", "d-3", "d-4", "d-5", "d-6"]


def test_a_section_keeps_every_value_and_joined_lines() -> None:
    text = "[Service]\nA=1\n;A=2\nA=3\nB=long \\\n  line\n[Install]\nA=4\n"
    assert section(text, "Service") == {"A": ["1", "3"], "B": ["long    line"]}
