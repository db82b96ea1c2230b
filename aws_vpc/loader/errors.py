"""What ends a load on purpose.

aws_vpc.errors.Error
└── LoadFailed          the object, the tables file or a database stands in the way; nothing has changed
    ├── TooManyBad      so do its rows, which are in the bucket
    └── Unreachable     a database cannot be reached
        └── WrongLogin  it can, but it knows no such user and password
"""

from collections.abc import Mapping
from typing import Any

from aws_vpc.errors import Error

LONGEST = 1000


def one_line(error: object) -> str:
    """What went wrong in one printable line, as the log and the ledger have it."""
    words = " ".join(str(error).split())
    printable = "".join(letter if letter.isprintable() else "?" for letter in words)
    return printable if len(printable) <= LONGEST else f"{printable[: LONGEST - 3]}..."


class LoadFailed(Error):
    """The object cannot be loaded; the table is as it was before. `facts` belong into the ledger's line."""

    facts: Mapping[str, Any] = {}


class TooManyBad(LoadFailed):
    """More rows are bad than may be."""

    def __init__(self, message: str, rejected: int, key: str) -> None:
        super().__init__(message)
        self.facts = {"rejected": rejected, "rejected_key": key}


def failed(error: Error) -> dict[str, Any]:
    """What the ledger's line of a load says that ended with this error."""
    facts = error.facts if isinstance(error, LoadFailed) else {}
    return {"state": "failed", "reason": one_line(error), **facts}


class Unreachable(LoadFailed):
    """A database cannot be reached."""


class WrongLogin(Unreachable):
    """A database does not know the user and password."""
