"""Child processes that never outlive the supervisor.

Every child leads its own session, so that it can be ended with everything it started, by id. It is
forked in the main thread only, whatever thread asks: on Linux the kernel signals a child when the
*thread* that forked it ends (PR_SET_PDEATHSIG), and the main thread ends last. Each child is
recorded by pid and start time, for the guardian that ends what is left (`leftovers`).
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from aws_vpc.local.leftovers import started

# Bound once, here: between fork and exec no import, no lookup and no lock may happen.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


class Process:
    """A running child: its leader's exit status, and its whole group to be ended."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], stop_signal: int) -> None:
        self.name, self.pid, self.stop_signal = name, popen.pid, stop_signal
        self._popen = popen

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._popen.poll()

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once there is one; subprocess.TimeoutExpired when there is none in time."""
        return self._popen.wait(timeout)

    def signal(self, number: int) -> None:
        """Send a signal to the leader alone; nothing when it has ended."""
        with suppress(ProcessLookupError):
            self._popen.send_signal(number)

    def terminate(self, grace: float = 5.0) -> int:
        """The exit status, after the stop signal and, past the grace, SIGKILL to the whole group."""
        self.signal(self.stop_signal)
        with suppress(subprocess.TimeoutExpired):
            self.wait(grace)
        self.kill_group()
        return self.wait()

    def kill_group(self) -> None:
        """End whatever is left of the group at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


class Processes:
    """The children of this process; `spawn` may be called from any thread."""

    def __init__(self, record: Path | None = None, *, direct: bool = False) -> None:
        self._requests: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._children: list[Process] = []
        self._lock = threading.Lock()
        self._record = record
        self._direct = direct
        self._stopping = False

    @classmethod
    def direct(cls) -> Processes:
        """Processes that fork in whatever thread asks: for tests and short-lived programs."""
        return cls(direct=True)

    def spawn(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: tuple[int, int] | None = None,
        log: Path | None = None,
        stdout: IO[Any] | int | None = None,
        stderr: IO[Any] | int | None = None,
        stop_signal: int = signal.SIGTERM,
        pass_fds: Sequence[int] = (),
    ) -> Process:
        """A new child. Its output goes to `stdout`, else is appended to `log`, else nowhere.

        `stderr` is the same, unless given. It keeps `pass_fds` open. `user` is (uid, gid). `stop_signal`
        is what ends it in good order: SIGINT for PostgreSQL.
        """

        def start() -> Process:
            return self._start(name, argv, env, cwd, user, log, (stdout, stderr), stop_signal, pass_fds)

        if self._direct or threading.current_thread() is threading.main_thread():
            return start()
        future: Future[Process] = Future()
        with self._lock:  # so that `run` answers it, or has not yet ended
            self._refuse_late(name)
            self._requests.put(lambda: _settle(future, start))
        return future.result()

    def run(self) -> None:
        """Fork what other threads ask for, until `leave` is called. Main thread only.

        After that nobody forks. A thread that asks then waits for nothing: it ends, and what it was doing
        stays as it is, cut short.
        """
        while (request := self._requests.get()) is not None:
            request()
        with self._lock:
            self._stopping = True
        while not self._requests.empty():
            if (request := self._requests.get()) is not None:
                request()

    def wake(self) -> None:
        """Let the main thread go round once, if it waits in `run`."""
        self._requests.put(lambda: None)

    def leave(self) -> None:
        """Make `run` return; safe in a signal handler."""
        self._requests.put(None)

    def alive(self) -> dict[str, int]:
        """Name to pid of the children that run."""
        return {child.name: child.pid for child in self._living()}

    def stop(self, grace: float = 1.5) -> None:
        """End all children, the youngest first; whoever has not gone within the grace is killed."""
        with self._lock:
            self._stopping = True
        children = self._living()[::-1]
        for child in children:
            child.signal(child.stop_signal)
        deadline = time.monotonic() + grace
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
        for child in children:
            child.kill_group()
            child.wait()
        self._write_record()

    def _start(
        self,
        name: str,
        argv: Sequence[str | Path],
        env: Mapping[str, str] | None,
        cwd: Path | None,
        user: tuple[int, int] | None,
        log: Path | None,
        outputs: tuple[IO[Any] | int | None, IO[Any] | int | None],
        stop_signal: int,
        pass_fds: Sequence[int],
    ) -> Process:
        self._refuse_late(name)
        stdout, stderr = outputs
        handle = None if stdout is not None or log is None else log.open("ab")
        try:
            popen = subprocess.Popen(
                [str(part) for part in argv],
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=stdout if stdout is not None else handle or subprocess.DEVNULL,
                stderr=subprocess.STDOUT if stderr is None else stderr,
                pass_fds=pass_fds,
                user=user[0] if user else None,
                group=user[1] if user else None,
                extra_groups=[] if user else None,
                start_new_session=True,
                preexec_fn=_dies_with_us(stop_signal) if _prctl else None,
            )
        finally:
            if handle:
                handle.close()
        child = Process(name, popen, stop_signal)
        with self._lock:
            self._children = [c for c in self._children if c.poll() is None] + [child]
        self._write_record()
        return child

    def _refuse_late(self, name: str) -> None:
        if self._stopping:
            raise SystemExit(f"{name} cannot start: the embedded AWS is stopping")  # ends the thread alone

    def _living(self) -> list[Process]:
        with self._lock:
            return [child for child in self._children if child.poll() is None]

    def _write_record(self) -> None:
        if self._record is None:
            return
        rows = [
            {
                "name": c.name,
                "pid": c.pid,
                "started": started(c.pid),
                "signal": int(c.stop_signal),
                "parent": os.getpid(),
            }
            for c in self._living()
        ]
        draft = self._record.with_suffix(".new")
        draft.write_text(json.dumps(rows))
        draft.replace(self._record)


def _settle(future: Future[Process], start: Callable[[], Process]) -> None:
    try:
        future.set_result(start())
    except BaseException as error:
        future.set_exception(error)


def _dies_with_us(number: int) -> Callable[[], None]:
    """What the child does before exec: ask for `number` when we end, and end now if we already have.

    A preexec_fn is dangerous where it may need a lock that another thread held at the fork. This one
    makes two system calls through objects that exist already, and takes none.
    """
    parent, prctl, getppid, leave = os.getpid(), _prctl, os.getppid, os._exit
    assert prctl is not None

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if getppid() != parent:
            leave(1)

    return ask
