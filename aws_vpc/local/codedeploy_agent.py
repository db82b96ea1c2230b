"""The CodeDeploy agent of one instance: a bundle unpacked, its web process started and asked how it is.

On AWS the bundle's hooks install it, write its environment and restart it under systemd. Here the
agent does those three things itself, with the Procfile's `web` command, the interpreter that runs
this, and the same lines from the same SSM parameter. The hooks' scripts must be there, but are not run.
"""

from __future__ import annotations

import http.client
import io
import shlex
import stat
import tarfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from botocore.exceptions import ClientError

from aws_vpc.local.processes import Process
from aws_vpc.local.world import World

EVENTS = (
    "ApplicationStop",
    "DownloadBundle",
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "ApplicationStart",
    "ValidateService",
)
HOOKS = {*EVENTS, "BeforeBlockTraffic", "AfterBlockTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"}
VALIDATE_SECONDS = 60.0
STOP_SECONDS = 5.0


class EventFailed(Exception):
    """A lifecycle event that failed: its error code, a message, and the end of the log."""

    def __init__(self, code: str, message: str, tail: str = "", script: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.tail, self.script = code, message, tail, script


@dataclass
class Agent:
    """The agent of an instance, and the web process that it started there."""

    world: World
    instance: str
    region: str
    process: Process | None = None
    port: int = 0
    current: Path | None = None
    _command: list[str] = field(default_factory=list)
    _environment: dict[str, str] = field(default_factory=dict)
    _log: Path = field(default_factory=Path)

    def steps(self, release: Release, stopped: Callable[[], bool]) -> dict[str, Callable[[], None]]:
        """What each lifecycle event of a release does here."""
        return {
            "DownloadBundle": lambda: self._download(release),
            "BeforeInstall": release.read_appspec,
            "Install": release.check_files,
            "AfterInstall": lambda: self._configure(release),
            "ApplicationStart": lambda: self._start(release),
            "ValidateService": lambda: self._validate(release, stopped),
        }

    def stop(self) -> None:
        """End the web process."""
        process, self.process = self.process, None
        if process:
            process.terminate(STOP_SECONDS)

    def _download(self, release: Release) -> None:
        place = release.revision.get("s3Location", {})
        optional = {"VersionId": place.get("version"), "IfMatch": place.get("eTag")}
        try:
            body = self.world.client("s3", self.region).get_object(
                Bucket=place["bucket"], Key=place["key"], **{k: v for k, v in optional.items() if v}
            )["Body"]
            unpack(body.read(), place.get("bundleType", "zip"), release.folder)
        except (ClientError, OSError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
            raise EventFailed("UnknownError", f"s3://{place['bucket']}/{place['key']}: {error}") from None

    def _configure(self, release: Release) -> None:
        """Read the environment of the web process, as the bundle's hook does on the instance."""
        if "AfterInstall" not in release.hooks:
            return
        name = f"/{release.application}/web/environment"
        try:
            client = self.world.client("ssm", self.region)
            text = client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        except ClientError as error:
            message = error.response["Error"].get("Message") or error.response["Error"]["Code"]
            raise EventFailed("ScriptFailed", f"parameter {name}: {message}") from None
        pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
        release.environment = {key.strip(): value for key, _, value in pairs}

    def _start(self, release: Release) -> None:
        self._command, self._environment = release.web_command(), release.environment
        self.stop()
        self._log = self.world.logs / f"web-{release.deployment}.log"
        self._spawn(release.folder)
        self.current = release.folder

    def reopen(self) -> None:
        """Start the web process of the current release again, if there is one."""
        if self.current is not None:
            self._spawn(self.current)

    def finish(self) -> None:
        """Wait until the web process answers, ends or takes too long."""
        deadline = time.monotonic() + VALIDATE_SECONDS
        while self.process and self.process.poll() is None and time.monotonic() < deadline:
            if healthz(self.port) == "200":
                return
            time.sleep(0.05)

    def _spawn(self, folder: Path) -> None:
        command = self._command
        environment = {
            **self.world.child_environment(),
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            **self._environment,
            "BIND_ADDRESS": "127.0.0.1",
        }
        self.port = int(environment.setdefault("PORT", "8000"))
        try:
            self.process = self.world.processes.spawn(
                f"web-{self.instance}", command, env=environment, cwd=folder, log=self._log
            )
        except (OSError, RuntimeError) as error:
            raise EventFailed("ScriptFailed", f"{command[0]} cannot be started: {error}") from None

    def _validate(self, release: Release, stopped: Callable[[], bool]) -> None:
        """Wait until the process says by /healthz that it is well."""
        deadline = time.monotonic() + release.timeout("ValidateService", VALIDATE_SECONDS)
        seen = "no answer"
        while time.monotonic() < deadline and not stopped():
            code = self.process.poll() if self.process else 1
            if code is not None:
                line = (self._tail().splitlines() or ["nothing in its log"])[-1]
                raise EventFailed(
                    "ScriptFailed", f"the web process ended with status {code}: {line}", self._tail()
                )
            seen = healthz(self.port)
            if seen == "200":
                return
            time.sleep(0.03)
        raise EventFailed(
            "ScriptTimedOut", f"/healthz on port {self.port} did not answer 200 in time: {seen}", self._tail()
        )

    def _tail(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return "\n".join(line for line in lines[-30:] if line.strip())


@dataclass
class Release:
    """One bundle on its way to one instance."""

    application: str
    deployment: str
    revision: dict[str, Any]
    folder: Path
    hooks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: list[dict[str, str]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def read_appspec(self) -> None:
        """Read appspec.yml and check it as the agent does."""
        path = next((p for n in ("appspec.yml", "appspec.yaml") if (p := self.folder / n).is_file()), None)
        if path is None:
            raise EventFailed(
                "UnknownError",
                "The CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at "
                'revision-relative path "appspec.yml". The revision was unpacked to directory '
                f'"{self.folder}"',
            )
        try:
            spec = yaml.safe_load(path.read_text())
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise EventFailed(
                "UnknownError", f"The deployment failed because the AppSpec file is invalid: {error}"
            ) from None
        if not isinstance(spec, dict) or str(spec.get("version")) != "0.0":
            raise EventFailed(
                "UnknownError", "The deployment failed because the AppSpec file has an invalid version value"
            )
        if spec.get("os") not in ("linux", "windows"):
            raise EventFailed(
                "UnknownError", "The deployment failed because the AppSpec file has no valid os value"
            )
        self.files, self.hooks = spec.get("files") or [], spec.get("hooks") or {}
        self._check_hooks()

    def _check_hooks(self) -> None:
        for event, scripts in self.hooks.items():
            if event not in HOOKS:
                raise EventFailed(
                    "UnknownError", f"The AppSpec file names an unknown lifecycle event: {event}"
                )
            for script in scripts or []:
                if not (self.folder / script["location"]).is_file():
                    raise EventFailed(
                        "ScriptMissing",
                        f"Script does not exist at specified location: {self.folder / script['location']}",
                        script=script["location"],
                    )

    def check_files(self) -> None:
        """Fail when the bundle lacks a file that its appspec installs."""
        for each in self.files:
            if not (self.folder / each["source"].lstrip("/")).exists():
                raise EventFailed(
                    "UnknownError", f"No such file or directory - {self.folder}/{each['source']}"
                )

    def timeout(self, event: str, default: float) -> float:
        """How long the scripts of an event may take together."""
        limits = [float(script["timeout"]) for script in self.hooks.get(event) or [] if "timeout" in script]
        return sum(limits) or default

    def web_command(self) -> list[str]:
        """The Procfile's web command."""
        try:
            lines = (self.folder / "Procfile").read_text().splitlines()
        except OSError:
            raise EventFailed("ScriptFailed", "the bundle has no Procfile") from None
        for line in lines:
            kind, _, command = line.partition(":")
            if kind.strip() == "web" and command.strip():
                return shlex.split(command)
        raise EventFailed("ScriptFailed", "the Procfile has no line 'web: COMMAND'")


def healthz(port: int) -> str:
    """The status that http://127.0.0.1:PORT/healthz answers with, or why there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()


def unpack(data: bytes, kind: str, folder: Path) -> None:
    """Unpack a zip or tar bundle into a folder; ValueError when a member would leave it."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            for member in bundle.infolist():
                path = PurePosixPath(member.filename)
                if path.is_absolute() or ".." in path.parts:
                    raise ValueError(f"{member.filename} leads out of the bundle")
                made = Path(bundle.extract(member, folder))
                if member.external_attr >> 16 & stat.S_IXUSR and made.is_file():
                    made.chmod(0o755)
        return
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz" if kind == "tgz" else "r:") as tar:
        tar.extractall(folder, filter="data")
