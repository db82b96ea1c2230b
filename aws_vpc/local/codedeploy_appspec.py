"""A bundle on its way to an instance: unpacked, its appspec.yml read, its files put where they belong.

CodeDeploy User Guide: AppSpec File structure ("files", "hooks"; codedeploy_permissions has "permissions").
"""

from __future__ import annotations

import io
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from botocore.exceptions import ClientError

from aws_vpc.errors import LocalError
from aws_vpc.local import codedeploy_permissions as permissions
from aws_vpc.local.machine import Machine

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
ARCHIVES = "opt/codedeploy-agent/deployment-root"  # where the agent has the revisions
SCRIPTS = ("sh", "bash", "dash")


class EventFailed(Exception):
    """A lifecycle event that failed: its error code, a message, and the end of the log."""

    def __init__(self, code: str, message: str, tail: str = "", script: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.tail, self.script = code, message, tail, script


@dataclass
class Release:
    """One bundle on its way to one instance: what a deployment says of it, and what its appspec does."""

    application: str
    group: str
    deployment: str
    revision: dict[str, Any]
    machine: Machine
    file_exists: str = "DISALLOW"
    hooks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: list[dict[str, str]] = field(default_factory=list)
    permissions: list[permissions.Permission] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where the bundle is unpacked."""
        return self.machine.root / ARCHIVES / self.group / self.deployment / "deployment-archive"

    def download(self) -> None:
        """Fetch and unpack the bundle, its shell scripts written for the instance's machine."""
        place = self.revision.get("s3Location", {})
        optional = {"VersionId": place.get("version"), "IfMatch": place.get("eTag")}
        try:
            self.machine.furnish()
            client = self.machine.world.client("s3", self.machine.region)
            found = client.get_object(
                Bucket=place["bucket"], Key=place["key"], **{k: v for k, v in optional.items() if v}
            )
            unpack(found["Body"].read(), place.get("bundleType", "zip"), self.folder)
        except (ClientError, OSError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
            raise EventFailed("UnknownError", f"s3://{place['bucket']}/{place['key']}: {error}") from None
        except LocalError as error:
            raise EventFailed("UnknownError", str(error)) from None
        for script in filter(shell_script, self.folder.rglob("*")):
            script.write_text(self.machine.placed(script.read_text()))

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
            raise EventFailed("UnknownError", f"{FAILED} the AppSpec file is invalid: {error}") from None
        if not isinstance(spec, dict) or str(spec.get("version")) != "0.0":
            raise EventFailed("UnknownError", f"{FAILED} the AppSpec file has an invalid version value")
        if spec.get("os") != "linux":
            raise EventFailed("UnknownError", f"{FAILED} the AppSpec file has no valid os value")
        try:
            self.permissions = permissions.read(spec.get("permissions") or [])
        except ValueError as error:
            raise EventFailed("UnknownError", f"{FAILED} the AppSpec file is invalid: {error}") from None
        self.files, self.hooks = spec.get("files") or [], spec.get("hooks") or {}
        self.file_exists = spec.get("file_exists_behavior", self.file_exists)
        for event in self.hooks:
            if event not in HOOKS:
                raise EventFailed(
                    "UnknownError", f"The AppSpec file names an unknown lifecycle event: {event}"
                )

    def install(self, before: list[Path]) -> list[Path]:
        """The files that were copied, after those that the deployment before had copied are gone."""
        for path in before:
            path.unlink(missing_ok=True)
        made = []
        for each in self.files:
            source = self.folder / each["source"].lstrip("/")
            for path, target in self._copies(source, each["destination"]):
                if target.exists() and self.file_exists == "DISALLOW":
                    raise EventFailed(
                        "UnknownError",
                        f"{FAILED} a specified file already exists at this location: "
                        f"/{target.relative_to(self.machine.root)}",
                    )
                if not target.exists() or self.file_exists == "OVERWRITE":
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, target)
                    made.append(target)
        try:
            permissions.apply(self.permissions, self.machine, made)
        except LocalError as error:
            raise EventFailed("UnknownError", str(error)) from None
        return made

    def _copies(self, source: Path, destination: str) -> Iterator[tuple[Path, Path]]:
        """Each file of a source, with where it goes."""
        try:
            target = self.machine.at(destination)
        except LocalError as error:
            raise EventFailed("UnknownError", str(error)) from None
        if source.is_dir():
            for path in sorted(source.rglob("*")):
                if path.is_file():
                    yield path, target / path.relative_to(source)
        elif source.is_file():
            yield source, target / source.name
        else:
            raise EventFailed("UnknownError", f"No such file or directory - {source}")


FAILED = "The deployment failed because"


def shell_script(path: Path) -> bool:
    """Whether a file is a script of one of the shells, by its first line or its name."""
    if not path.is_file() or path.is_symlink():
        return False
    with path.open("rb") as file:
        first = file.readline(200)
    words = first[2:].split() if first.startswith(b"#!") else []
    named = words[-1].rpartition(b"/")[2].decode(errors="replace") if words else ""
    return named in SCRIPTS or (path.suffix == ".sh" and not words)


def unpack(data: bytes, kind: str, folder: Path) -> None:
    """Unpack a zip or tar bundle into a folder; ValueError when a member would leave it."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            for member in bundle.infolist():
                refuse_outside(member.filename)
                made = Path(bundle.extract(member, folder))
                if member.external_attr >> 16 & stat.S_IXUSR and made.is_file():
                    made.chmod(0o755)
        return
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz" if kind == "tgz" else "r:") as tar:
        unpack_tar(tar, folder)


def refuse_outside(name: str) -> None:
    """Nothing; ValueError when a member of this name would leave the folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{name} leads out of the bundle")


def unpack_tar(tar: tarfile.TarFile, folder: Path) -> None:
    """Unpack it within the folder. Python before 3.11.4 has no filters: then files and folders alone."""
    if hasattr(tarfile, "data_filter"):
        try:
            tar.extractall(folder, filter="data")
        except tarfile.FilterError as error:
            raise ValueError(str(error)) from error
        return
    members = tar.getmembers()
    for member in members:
        refuse_outside(member.name)
        if not (member.isfile() or member.isdir()):
            raise ValueError(f"{member.name} is neither a file nor a folder")
        member.mode &= 0o755
    tar.extractall(folder, members)
