"""Runs the scripts of a lifecycle event on an instance's machine; a failure is told as the agent tells it.

    script ─► its own process group, PATH: the machine's bin      [stdout] and [stderr] lines ─► log, tail
       └ systemctl ─ asks by a pipe ─► machine_units, answers by another

Codes, messages and the variables in a script's environment are those of the CodeDeploy agent (CodeDeploy User
Guide, AppSpec 'hooks' section; its source is public). A script's user is checked to be there; all run as
whoever runs the embedded AWS. What a script leaves in the background ends with it.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aws_vpc.local.codedeploy_appspec import EventFailed, Release
from aws_vpc.local.machine_units import Units
from aws_vpc.local.processes import Process

TIMEOUT = 3600.0  # seconds, where an appspec states none
TAIL = 2048  # characters of the log that CodeDeploy keeps


class Log:
    """What the scripts of an event said: all of it in a file, the end of it for the diagnostics."""

    def __init__(self, file: Path, event: str) -> None:
        self._file, self._lines, self._lock = file, list[str](), threading.Lock()
        self.add(f"LifecycleEvent - {event}\n")

    def add(self, line: str) -> None:
        """One more line."""
        with self._lock:
            self._lines.append(line)
            with self._file.open("a", encoding="utf-8", errors="replace") as file:
                file.write(line)

    def follow(self, pipe: int, mark: str) -> threading.Thread:
        """Take the lines of a pipe until all have closed its other end."""

        def read() -> None:
            with os.fdopen(pipe, encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    self.add(f"[{mark}]{line}")

        thread = threading.Thread(target=read, name=mark, daemon=True)
        thread.start()
        return thread

    def tail(self) -> str:
        """The last lines."""
        with self._lock:
            return "".join(self._lines)[-TAIL:]


def run_event(event: str, release: Release, units: Units, deployment: Release) -> None:
    """Run the scripts that a release has for an event of a deployment; EventFailed when one fails."""
    scripts = release.hooks.get(event) or []
    if not scripts:
        return
    machine = units.machine
    log = Log(machine.world.logs / f"hooks-{machine.instance}.log", event)
    told = {
        "LIFECYCLE_EVENT": event,
        "DEPLOYMENT_ID": deployment.deployment,
        "APPLICATION_NAME": deployment.application,
        "DEPLOYMENT_GROUP_NAME": deployment.group,
    }
    for script in scripts:
        _run_script(script, release, units, log, told)


def _run_script(
    script: dict[str, Any], release: Release, units: Units, log: Log, told: dict[str, str]
) -> None:
    location, user = script["location"], script.get("runas")
    path = release.folder / location
    if not path.is_file():
        text = f"Script does not exist at specified location: {location}"
        raise EventFailed("ScriptMissing", text, log.tail(), location)
    path.chmod(path.stat().st_mode | 0o111)
    log.add(f"Script - {location}\n")
    seconds = float(script.get("timeout") or TIMEOUT)
    code = _execute(path, units, log, told, seconds) if known(units, user) else 1
    if code is None:
        text = f"Script at specified location: {location} failed to complete in {seconds:g} seconds"
        raise EventFailed("ScriptTimedOut", text, log.tail(), location)
    if code:
        as_user = f" run as user {user}" if user else ""
        text = f"Script at specified location: {location}{as_user} failed with exit code {code}"
        raise EventFailed("ScriptFailed", text, log.tail(), location)


def known(units: Units, user: str | None) -> bool:
    """Whether the machine has the user."""
    users = units.machine.folder / "users"
    return user in (None, "root") or (users.is_file() and user in users.read_text().split())


def _execute(path: Path, units: Units, log: Log, told: dict[str, str], seconds: float) -> int | None:
    """The exit status of a script, None when it has not ended in time."""
    machine = units.machine
    with pipes(4) as (out, err, asked, answer):
        fds = {"SYSTEMD_ASKED": str(asked[1]), "SYSTEMD_ANSWER": str(answer[0])}
        try:
            process = machine.world.processes.spawn(
                f"hook-{machine.instance}", [path], env={**machine.environment(), **told, **fds},
                cwd=machine.root, stdout=out[1], stderr=err[1], pass_fds=(asked[1], answer[0]),
            )  # fmt: skip
        except OSError as error:
            log.add(f"[stderr]{path.name}: {error.strerror}\n")
            return 1
        for pipe in (out, err, asked):
            os.close(pipe.pop(1))  # the script's alone: it ends when the script does
        readers = [log.follow(out.pop(0), "stdout"), log.follow(err.pop(0), "stderr")]
        systemd = threading.Thread(target=_serve, args=(units, asked.pop(0), answer[1]), daemon=True)
        systemd.start()
        code = _wait(process, seconds)
        for thread in (*readers, systemd):
            thread.join()
        return code


def _wait(process: Process, seconds: float) -> int | None:
    """The exit status, with nothing of its group left; None, and the group ended, when time was up."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.terminate()
        return None
    process.kill_group()
    return 128 - code if code < 0 else code


def _serve(units: Units, asked: int, answer: int) -> None:
    """Do what a script's systemctl asks for, as long as the script runs."""
    with os.fdopen(asked) as lines:
        for line in lines:
            try:
                status, text = units.answer(line.split())
            except (OSError, ValueError) as error:  # a unit that cannot be read
                status, text = 1, str(error)
            plain = text.replace("\\", "\\\\").replace("\n", "\\n")
            os.write(answer, f"{status} {plain}\n".encode())


@contextmanager
def pipes(count: int) -> Iterator[list[list[int]]]:
    """Pipes as [reading end, writing end]; ends that are still in the lists are closed after the block."""
    made = [list(os.pipe()) for _ in range(count)]
    try:
        yield made
    finally:
        for end in (end for pipe in made for end in pipe):
            os.close(end)
