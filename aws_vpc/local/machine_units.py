"""systemd of an instance's machine: units as the scripts that install them write them, run as our children.

In: ExecStart, WorkingDirectory, Environment, EnvironmentFile, Type (notify is waited for), TimeoutStartSec,
Restart with RestartSec and its limit (machine_unit_file); enabled units start again with the embedded AWS.
Out: users, confinement and dependencies, which are for a machine of one's own, and which `systemctl cat`
still shows.
"""

from __future__ import annotations

import shlex
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aws_vpc.local.machine import Machine
from aws_vpc.local.machine_unit_file import Settings, last, pairs, restart_policy, seconds, section
from aws_vpc.local.processes import Process

STOP_SECONDS = 5.0
EXITED = "failed because the control process exited with error code."
Answer = tuple[int, str]


@dataclass
class Units:
    """The units of a machine. `enabled` are those that start with it."""

    machine: Machine
    enabled: set[str] = field(default_factory=set)
    _running: dict[str, Process | None] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def answer(self, words: list[str]) -> Answer:
        """What systemctl is to say and its exit status, after it was done."""
        verb, *names = [word for word in words if not word.startswith("-")] or [""]
        if verb == "daemon-reload":
            return 0, ""
        known = VERBS.get(verb)
        if known is None or not names:
            return 1, f"Unknown command verb {verb}."
        for name in names:
            status, text = known(self, name.removesuffix(".service"))
            if status:
                return status, text
        return 0, text

    def stop_all(self) -> None:
        """End every unit."""
        for name in list(self._running):
            self.stop(name)

    def reopen(self) -> None:
        """Start the enabled units, as a machine does when it starts; those that fail do not run."""
        for name in sorted(self.enabled):
            self._launch(name)

    def settle(self) -> None:
        """Wait until nothing is starting: each unit takes no longer than it may."""
        for name in sorted(self.enabled):
            deadline = time.monotonic() + seconds(self.settings(name))
            while self.runs(name) and time.monotonic() < deadline and not self._said_ready(name):
                time.sleep(0.05)

    def file(self, name: str) -> Path:
        """Where a unit's file is, or would be."""
        places = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
        found = [self.machine.root / place / f"{name}.service" for place in places]
        return next((path for path in found if path.is_file()), found[0])

    def settings(self, name: str, of: str = "Service") -> Settings:
        """The lines of a unit's section."""
        return section(self.machine.placed(self.file(name).read_text()), of)

    def runs(self, name: str) -> bool:
        """Whether the unit's main process runs."""
        process = self._running.get(name)
        return process is not None and process.poll() is None

    def log(self, name: str) -> Path:
        """What the unit has written."""
        return self.machine.world.logs / f"{name}-{self.machine.instance}.log"

    # ------------------------------------------------------------ the verbs

    def cat(self, name: str) -> Answer:
        """The unit's text."""
        if not self.file(name).is_file():
            return 1, f"No files found for {name}.service."
        return 0, self.file(name).read_text().strip()

    def start(self, name: str) -> Answer:
        """Started, and ready where the unit says when it is."""
        if not self.file(name).is_file():
            return 5, f"Failed to start {name}.service: Unit {name}.service not found."
        if self.runs(name):
            return 0, ""
        settings = self.settings(name)
        if last(settings, "Type", "simple") != "notify":
            return self._launch(name)
        with notified() as (address, said):
            status = self._launch(name, {"NOTIFY_SOCKET": address})
            if status[0]:
                return status
            deadline = time.monotonic() + seconds(settings)
            while not said():
                if not self.runs(name):
                    return 1, f"Job for {name}.service {EXITED}"
                if time.monotonic() > deadline:
                    self.stop(name)
                    return 1, f"Job for {name}.service failed because a timeout was exceeded."
        return 0, ""

    def stop(self, name: str) -> Answer:
        """Stopped, if it ran."""
        if name not in self._running and not self.file(name).is_file():
            return 5, f"Failed to stop {name}.service: Unit {name}.service not loaded."
        with self._changed:
            process = self._running.pop(name, None)
            self._changed.notify_all()
        if process is not None:
            process.terminate(STOP_SECONDS)
        return 0, ""

    def restart(self, name: str) -> Answer:
        """Stopped and started."""
        if self.file(name).is_file():
            self.stop(name)
        return self.start(name)

    def enable(self, name: str) -> Answer:
        """To be started with the machine."""
        if not self.file(name).is_file():
            return 1, f"Failed to enable unit: Unit file {name}.service does not exist."
        self.enabled.add(name)
        return 0, ""

    def disable(self, name: str) -> Answer:
        """No longer to be started with the machine."""
        self.enabled.discard(name)
        return 0, ""

    def is_active(self, name: str) -> Answer:
        """Whether it runs."""
        return (0, "active") if self.runs(name) else (3, "inactive")

    def is_enabled(self, name: str) -> Answer:
        """Whether it starts with the machine."""
        return (0, "enabled") if name in self.enabled else (1, "disabled")

    def status(self, name: str) -> Answer:
        """Whether it runs, in one line."""
        if not self.file(name).is_file():
            return 4, f"Unit {name}.service could not be found."
        code, word = self.is_active(name)
        return code, f"{name}.service: {word}"

    # ------------------------------------------------------------ the process

    def _launch(self, name: str, more: dict[str, str] | None = None) -> Answer:
        """Its process begun, and looked after; the status that systemd gives where it cannot begin."""
        with self._changed:
            answer = self._begin(name, more)
            process = self._running.get(name)
        if not answer[0] and process is not None and "Restart" in self.settings(name):
            args = (name, process)
            threading.Thread(target=self._look_after, args=args, name=f"restart {name}", daemon=True).start()
        return answer

    def _look_after(self, name: str, process: Process | None) -> None:
        """Start the unit again and again, as its Restart says, until somebody stops it."""
        starts: list[float] = []
        while process is not None:
            status = process.wait()
            if self._running.get(name) is not process or not self.file(name).is_file():
                break
            policy = restart_policy(self.settings(name), self.settings(name, "Unit"))
            if not policy.restarts(status):
                break
            if policy.too_often(starts, time.monotonic()):
                self._note(name, "Start request repeated too quickly.")
                break
            starts.append(time.monotonic())
            self._note(name, f"Scheduled restart job, restart counter is at {len(starts)}.")
            process = self._again(name, process, policy.rest)

    def _again(self, name: str, ended: Process, rest: float) -> Process | None:
        """The new process of a unit, after a rest; None when the unit was stopped or started meanwhile."""
        with self._changed:
            meanwhile = self._changed.wait_for(lambda: self._running.get(name) is not ended, rest)
            return None if meanwhile or self._begin(name)[0] else self._running[name]

    def _note(self, name: str, line: str) -> None:
        """A line of systemd's own in the unit's log."""
        with self.log(name).open("a") as log:
            log.write(f"{name}.service: {line}\n")

    def _begin(self, name: str, more: dict[str, str] | None = None) -> Answer:
        settings, machine = self.settings(name), self.machine
        command = shlex.split(last(settings, "ExecStart").lstrip("-@:+!"))
        try:
            environment = {**machine.environment(), **self._own(settings), "BIND_ADDRESS": "127.0.0.1"}
            self._running[name] = machine.world.processes.spawn(
                f"{name}-{machine.instance}",
                command,
                env=environment | (more or {}),
                cwd=Path(last(settings, "WorkingDirectory", str(machine.root))),
                log=self.log(name),
            )
        except (OSError, ValueError) as error:
            with self.log(name).open("a") as log:
                log.write(f"Failed to execute {command}: {error}\n")
            return 1, f"Job for {name}.service {EXITED}"
        return 0, ""

    def _own(self, settings: Settings) -> dict[str, str]:
        """The environment that the unit names, by itself and by its files."""
        lines = [word for text in settings.get("Environment", ()) for word in shlex.split(text)]
        for text in settings.get("EnvironmentFile", ()):
            path = Path(text.lstrip("-"))
            if path.exists() or not text.startswith("-"):
                lines += path.read_text().splitlines()
        return {key.strip(): value.strip().strip("\"'") for key, value in pairs(lines)}

    def _said_ready(self, name: str) -> bool:
        """Whether the main process listens: what it says on its socket is heard in `start` alone."""
        import psutil

        process = self._running.get(name)
        try:
            found = psutil.Process(process.pid).net_connections("tcp") if process else []
        except psutil.Error:
            return False
        return any(one.status == psutil.CONN_LISTEN for one in found)


VERBS: dict[str, Callable[[Units, str], Answer]] = {
    "cat": Units.cat,
    "start": Units.start,
    "stop": Units.stop,
    "restart": Units.restart,
    "enable": Units.enable,
    "disable": Units.disable,
    "is-active": Units.is_active,
    "is-enabled": Units.is_enabled,
    "status": Units.status,
}


@contextmanager
def notified() -> Iterator[tuple[str, Callable[[], bool]]]:
    """The address of a notification socket, and whether READY=1 has been said there, asked for a moment.

    In a folder of its own under the temporary one: the name of a socket may have about a hundred letters.
    """
    with tempfile.TemporaryDirectory(prefix="aws-vpc-") as folder, socket.socket(*UNIX) as listener:
        listener.bind(f"{folder}/notify")
        listener.settimeout(0.1)

        def said() -> bool:
            try:
                return b"READY=1" in listener.recv(4096).splitlines()
            except TimeoutError:
                return False

        yield f"{folder}/notify", said


UNIX = (socket.AF_UNIX, socket.SOCK_DGRAM)
