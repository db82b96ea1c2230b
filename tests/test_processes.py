"""Child processes: forked for any thread, ended whole, never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from embedded import until

from aws_vpc.local.leftovers import end_leftovers, started
from aws_vpc.local.processes import Process, Processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
# A child with a child of its own, whose pid it prints; both ignore SIGTERM.
FAMILY = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(grandchild.pid, flush=True)
time.sleep(600)
"""
# A supervisor in small: its main thread forks what another thread asks for.
PARENT = """
import sys, threading, pathlib
from aws_vpc.local.processes import Processes
processes = Processes(pathlib.Path(sys.argv[1]))
def work():
    child = processes.spawn("sleeper", [sys.executable, "-c", "import time; time.sleep(600)"])
    print(child.pid, flush=True)
threading.Thread(target=work).start()
processes.run()
"""


def running(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_gets_environment_folder_and_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import os, sys; print(os.getcwd(), sorted(os.environ)); print('bad', file=sys.stderr); sys.exit(3)"
    )
    child = Processes.direct().spawn(
        "x", [sys.executable, "-c", code], env={"A": "1", "LC_ALL": "C"}, cwd=tmp_path, log=log
    )
    assert child.wait(300) == child.poll() == 3
    assert sorted(log.read_text().splitlines()) == [f"{tmp_path} ['A', 'LC_ALL']", "bad"]


def test_another_thread_gets_its_child_from_the_main_thread() -> None:
    processes, found = Processes(), []

    def work() -> None:
        found.append(processes.spawn("a", SLEEP))
        try:
            processes.spawn("b", ["/no/such/program"])
        except OSError as error:
            found.append(error)
        processes.leave()

    thread = threading.Thread(target=work)
    thread.start()
    processes.run()
    thread.join()
    child, error = found
    assert isinstance(child, Process)
    assert isinstance(error, FileNotFoundError)
    assert processes.alive() == {"a": child.pid}
    processes.stop(grace=60)
    assert child.poll() == -signal.SIGTERM


def test_a_thread_that_asks_for_a_child_too_late_ends_and_nobody_waits_for_it() -> None:
    processes, reached = Processes(), list[str]()

    def work() -> None:
        reached.append("asked")
        with pytest.raises(SystemExit, match="late cannot start"):
            processes.spawn("late", SLEEP)
        reached.append("told")

    def last() -> None:  # in the main thread, which is then told to leave, and asked for a child after that
        processes.leave()
        waiting.start()
        until(lambda: processes._requests.qsize() == 2)

    waiting, late = (threading.Thread(target=work, daemon=True) for _ in range(2))
    processes._requests.put(last)
    processes.run()
    late.start()
    for thread in (waiting, late):
        thread.join(300)
        assert not thread.is_alive()
    assert sorted(reached) == ["asked", "asked", "told", "told"]
    assert processes.alive() == {}


def test_terminate_ends_the_whole_family_even_if_it_ignores_the_signal(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = Processes.direct().spawn("f", [sys.executable, "-c", FAMILY], log=log)
    grandchild = int(until(lambda: log.exists() and log.read_text().strip()))
    assert child.terminate(grace=0.1) == -signal.SIGKILL
    until(lambda: not running(grandchild))


def test_stop_ends_the_youngest_first_with_the_signal_each_wants(tmp_path: Path) -> None:
    log, processes = tmp_path / "log", Processes.direct()
    code = "import signal, sys, time; h = lambda n, f: (print(f'{sys.argv[1]} {n}\\n', end='', flush=True), sys.exit()); [signal.signal(s, h) for s in (2, 15)]; print('up', flush=True); time.sleep(600)"  # noqa: E501
    processes.spawn("old", [sys.executable, "-c", code, "old"], log=log, stop_signal=signal.SIGINT)
    until(lambda: log.exists() and log.read_text().count("up") == 1)
    processes.spawn("young", [sys.executable, "-c", code, "young"], log=log)
    until(lambda: log.read_text().count("up") == 2)
    processes.stop(grace=60)
    assert set(log.read_text().split("\n")) >= {"old 2", "young 15"}
    assert processes.alive() == {}
    with pytest.raises(SystemExit, match="stopping"):
        processes.spawn("late", SLEEP)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
def test_a_killed_parent_leaves_no_child(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "run.json")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert running(child)
        parent.kill()
    until(lambda: not running(child))


def test_what_a_killed_one_left_is_ended_by_the_next_and_nobody_else(tmp_path: Path) -> None:
    record = tmp_path / "run.json"
    left, other = (subprocess.Popen(SLEEP, start_new_session=True) for _ in range(2))
    with left, other:
        rows = [
            {"name": "left", "pid": left.pid, "started": started(left.pid)},
            {"name": "other", "pid": other.pid, "started": "another time"},
            {"name": "gone", "pid": 2**22 - 1, "started": None},
        ]
        record.write_text(json.dumps(rows))
        assert end_leftovers(record) == ["left"]
        assert left.wait(300) == -signal.SIGKILL
        assert other.poll() is None
        assert not record.exists()
        assert end_leftovers(record) == []
        other.kill()


def test_the_record_names_every_child_that_runs(tmp_path: Path) -> None:
    record = tmp_path / "run.json"
    processes = Processes(record, direct=True)
    child = processes.spawn("a", SLEEP)
    (row,) = json.loads(record.read_text())
    assert (row["name"], row["pid"], row["started"]) == ("a", child.pid, started(child.pid))
    assert (row["signal"], row["parent"]) == (signal.SIGTERM, os.getpid())
    processes.stop()
    assert json.loads(record.read_text()) == []


def test_a_process_is_known_by_its_start() -> None:
    mine = started(os.getpid())
    assert mine
    time.sleep(0.01)
    assert started(os.getpid()) == mine
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert started(ended.pid) is None
