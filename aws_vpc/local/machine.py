"""An instance as the machine that scripts meant for root find: a root folder of its own, and commands.

    run/instances/i-.../machine/root        stands for /: opt, etc, srv, var, home, usr/local
                               /bin         the only PATH: stand-ins of `ami/`, and harmless commands

A laptop has no second root folder to give, so the texts that name one are told where this is: in scripts
and units, paths below those folders and those of commands are written anew before they are used (`placed`).
What a script puts together by itself while it runs is not seen; commands that change files therefore refuse
paths outside of the machine. Users are written down, and files belong to whoever runs the embedded AWS.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from aws_vpc.errors import LocalError
from aws_vpc.local.plain_path import plain
from aws_vpc.local.world import World

IMAGE = Path(__file__).parent / "ami"
STAND_INS = {
    "dnf.sh": ("dnf", "yum"),
    "machine-curl.sh": ("curl",),
    "machine-systemctl.sh": ("systemctl",),
    "machine-journalctl.sh": ("journalctl",),
    "machine-users.sh": ("id", "useradd", "groupadd", "usermod"),
    "machine-owners.sh": ("chown", "chgrp"),
    "machine-guard.sh": ("chmod", "cp", "install", "ln", "mkdir", "mv", "rm", "rmdir", "tee", "touch"),
}
COMMANDS = (
    "awk", "basename", "bash", "cat", "cut", "date", "dirname", "env", "expr", "find", "grep", "gzip", "head",
    "ls", "mktemp", "printf", "readlink", "sed", "seq", "sh", "sleep", "sort", "tail", "tar", "test", "tr",
    "true", "uname", "uniq", "unzip", "wc", "xargs",
)  # fmt: skip
FOLDERS = r"opt|etc|srv|var|home|usr/local|usr/lib/systemd|lib/systemd"
BEGIN = r"(?<![\w./}\-])"  # not within a longer path or an address
NAMED = re.compile(
    rf"{BEGIN}(?:(?P<programs>(?:/opt/aws/bin|(?:/usr)?/s?bin)/(?=\w))|/(?P<place>{FOLDERS})(?![\w.\-]))"
)


@dataclass
class Machine:
    """The machine of one instance."""

    world: World
    instance: str
    region: str

    @property
    def folder(self) -> Path:
        """All that there is of it."""
        return plain(self.world.root) / "run" / "instances" / self.instance / "machine"

    @property
    def root(self) -> Path:
        """What stands for /."""
        return self.folder / "root"

    def at(self, path: str) -> Path:
        """Where the machine's file of this absolute path is; LocalError when the path leads out of it."""
        found = self.root / path.lstrip("/")
        if ".." in found.relative_to(self.root).parts:
            raise LocalError(f"{path} leads out of the machine")
        return found

    def knows(self, user: str) -> bool:
        """Whether the user, or the group of that name, was made there; root always was."""
        users = self.folder / "users"
        return user == "root" or (users.is_file() and user in users.read_text().splitlines())

    def placed(self, text: str) -> str:
        """A script's or unit's text for this machine; the line that names its interpreter stays."""
        first, newline, rest = text.partition("\n")
        if not first.startswith("#!"):
            first, newline, rest = "", "", text
        return first + newline + NAMED.sub(self._place, rest)

    def _place(self, found: re.Match[str]) -> str:
        return f"{self.folder}/bin/" if found["programs"] else f"{self.root}/{found['place']}"

    def furnish(self) -> None:
        """Make the machine, if it is not there."""
        if (self.folder / "bin").is_dir():
            return
        for name in ("opt", "etc/systemd/system", "srv", "var", "home"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "tmp").mkdir(exist_ok=True)
        draft = self.folder / "bin.new"
        shutil.rmtree(draft, ignore_errors=True)  # what was cut short
        draft.mkdir()
        for source, commands in STAND_INS.items():
            for command in commands:
                (draft / command).symlink_to(IMAGE / source)
        for command in COMMANDS:
            if found := shutil.which(command):
                (draft / command).symlink_to(found)
        if aws := shutil.which("aws", path=str(Path(sys.executable).parent)) or shutil.which("aws"):
            (draft / "aws").write_text(f'#!/bin/sh\nexec "{aws}" "$@"\n')
            (draft / "aws").chmod(0o755)
        draft.rename(self.folder / "bin")

    def environment(self) -> dict[str, str]:
        """The environment of what runs there: credentials as of the instance's role, and its own folders."""
        return {
            **self.world.child_environment(),
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "PATH": str(self.folder / "bin"),
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "IMAGE_FOLDER": str(IMAGE),
            "INSTANCE_FOLDER": str(self.folder),
            "INSTANCE_ID": self.instance,
            "LOGS_FOLDER": str(self.world.logs),
            "LAPTOP_PYTHON": sys.executable,
        }
