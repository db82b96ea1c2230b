"""Folders of PostgreSQL's: copied whole or not at all, with owners and modes, and taken away."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from aws_vpc.errors import LocalError

Owner = tuple[int, int]
DRAFT = "tmp-"  # begins the name of what is not there yet, or no more


def copy(template: Path, target: Path) -> None:
    """Copy a data folder, whole or not at all."""
    draft = target.with_name(f"{DRAFT}{target.name}")
    remove(draft)
    copy_tree(template, draft)
    draft.rename(target)


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder with owners and modes; LocalError with the reason when that fails.

    By a program of its own: a thousand files copied here would wait a thousand times for the interpreter.
    """
    done = subprocess.run(["cp", "-Rp", source, target], capture_output=True, text=True, check=False)
    if done.returncode:
        remove(target)
        raise LocalError(f"cannot copy PostgreSQL's files to {target}: {reason(done.stderr)}")


def reason(text: str) -> str:
    """The line that says why, out of what a program said."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if re.search(r"error:|FATAL|PANIC|No space left|could not|cannot", line)]
    return re.sub(r"^initdb: error: ", "", (told or lines or ["no reason given"])[0])


def private(path: Path, content: str, user: Owner | None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(content)
    if user:
        os.chown(path, *user)


def discard(folder: Path) -> None:
    """Take a folder out of the way at once, and delete it in the background."""
    draft = folder.with_name(f"{DRAFT}{secrets.token_hex(4)}")
    with suppress(FileNotFoundError):
        folder.rename(draft)
        threading.Thread(target=remove, args=(draft,), name="remove", daemon=True).start()


def remove(folder: Path) -> None:
    """Delete a folder and everything in it, if it is there."""
    subprocess.run(["rm", "-rf", folder], capture_output=True, check=False)
