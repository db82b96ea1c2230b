"""The `permissions` of an AppSpec file: to which of the files just installed each applies, and what it sets.

CodeDeploy User Guide: AppSpec 'permissions' section. Modes are set, of folders with what their owner needs
to take them away again. Owners and groups have to be known on the machine and are not set: all its files
belong to whoever runs the embedded AWS. Access control lists and SELinux contexts are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from aws_vpc.errors import LocalError
from aws_vpc.local.machine import Machine

KEYS = {"object", "pattern", "except", "type", "owner", "group", "mode", "acls", "context"}
OWN = 0o700  # of a folder


@dataclass(frozen=True)
class Permission:
    """One member of the section."""

    object: str
    pattern: str = "**"
    exceptions: tuple[str, ...] = ()
    types: tuple[str, ...] = ("file", "directory")
    users: tuple[str, ...] = ()  # owner and group
    mode: int | None = None

    def concerns(self, path: str, kind: str) -> bool:
        """Whether it applies to an installed file or folder, by its absolute path."""
        base = self.object.rstrip("/")
        if path == base:
            return kind == "file"
        if kind not in self.types or not path.startswith(f"{base}/"):
            return False
        name = path.removeprefix(f"{base}/")
        return self._matches(name, self.pattern) and not any(
            path == other or self._matches(name, other) for other in self.exceptions
        )

    @staticmethod
    def _matches(name: str, pattern: str) -> bool:
        same_depth = name.count("/") == pattern.count("/")
        return pattern == "**" or (same_depth and PurePosixPath(name).match(pattern))


def read(section: Any) -> list[Permission]:
    """The permissions of a section; ValueError when one is malformed or cannot be honoured."""
    if not isinstance(section, list):
        raise ValueError("permissions is not a list")
    return [_one(each) for each in section]


def _one(each: Any) -> Permission:
    if not isinstance(each, dict) or not isinstance(each.get("object"), str):
        raise ValueError("a permission without an object")
    path = each["object"]
    if unknown := sorted(each.keys() - KEYS):
        raise ValueError(f"the permission for {path} has an unknown {unknown[0]}")
    if refused := [key for key in ("acls", "context") if each.get(key)]:
        raise ValueError(f"{refused[0]} of the permission for {path} are not modelled by the embedded AWS")
    types = tuple(each.get("type") or Permission.types)
    if not set(types) <= set(Permission.types):
        raise ValueError(f"the permission for {path} has an unknown type")
    users = tuple(str(each[key]) for key in ("owner", "group") if key in each)
    exceptions = tuple(map(str, each.get("except") or ()))
    return Permission(path, str(each.get("pattern", "**")), exceptions, types, users, _mode(each, path))


def _mode(each: dict[str, Any], path: str) -> int | None:
    if "mode" not in each:
        return None
    text = str(each["mode"])  # YAML reads 644 as a number, whose digits are meant
    if not re.fullmatch(r"[0-7]{1,4}", text):
        raise ValueError(f"the mode {text} for {path} is not one to four octal digits")
    return int(text, 8)


def apply(permissions: Sequence[Permission], machine: Machine, installed: Iterable[Path]) -> None:
    """Set what the permissions say of the files just installed; LocalError names an unknown user."""
    for permission in permissions:
        for user in permission.users:
            if not machine.knows(user):
                raise LocalError(f"can't find user for {user}")
    for path, kind in _targets(machine.root, installed):
        for permission in permissions:
            if permission.mode is not None and permission.concerns(
                f"/{path.relative_to(machine.root)}", kind
            ):
                path.chmod(permission.mode if kind == "file" else permission.mode | OWN)


def _targets(root: Path, installed: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """The installed files, and the folders in which they are, the outer ones first."""
    files = list(installed)
    folders = {folder for file in files for folder in file.parents if folder.is_relative_to(root)}
    for folder in sorted(folders - {root}):
        yield folder, "directory"
    for file in files:
        yield file, "file"
