"""The account that each stack was first created in, remembered in a file, so that no other is taken for it.

In: a folder, a Region and a stack's name. Out: account ids of twelve digits. The file holds nothing else.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from aws_vpc.errors import Error

NAME = "accounts.json"


def folder(environment: Mapping[str, str]) -> Path:
    """Where a user's programs keep state, as the XDG Base Directory Specification has it."""
    named = environment.get("AWS_VPC_STATE_DIR")
    home = environment.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(named).expanduser() if named else Path(home).expanduser() / "aws-vpc"


def remembered(where: Path, region: str, stack: str) -> str:
    """The account that the stack was created in, empty where none is remembered."""
    return read(where).get(f"{region}/{stack}", "")


def remember(where: Path, region: str, stack: str, account: str) -> None:
    """Returns when the account is remembered; an empty one is forgotten."""
    known = read(where)
    found = {key: value for key, value in known.items() if key != f"{region}/{stack}"}
    if account:
        found[f"{region}/{stack}"] = account
    if found != known:
        write(where, found)


def read(where: Path) -> dict[str, str]:
    """What is remembered, by Region and stack."""
    path = where / NAME
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        why = f"{path}, which remembers the accounts, cannot be read: {error}; mend or remove it"
        raise Error(why) from None
    return {str(key): str(value) for key, value in found.items()}


def write(where: Path, found: Mapping[str, str]) -> None:
    """Returns when the file is replaced in one step."""
    try:
        where.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=where, prefix=NAME)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=2, sort_keys=True)
        Path(name).replace(where / NAME)
    except OSError as error:
        raise Error(f"{where / NAME} cannot be written: {error.strerror}; set AWS_VPC_STATE_DIR") from None
