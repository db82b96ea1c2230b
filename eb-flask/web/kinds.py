"""The kinds of columns that can be shown, filtered and sorted, and how an address writes a value of each.

In: the Python type of a reflected column, a text. Out: the value, or ValueError.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

LARGEST = 2**63 - 1
MOST_DIGITS = 38  # of a number with decimals, as Redshift has them


@dataclass(frozen=True)
class Kind:
    """What a value is in words, and how a text is read as one."""

    words: str
    read: Callable[[str], Any]


def whole(text: str) -> int:
    """A whole number of at most eight bytes."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) <= LARGEST):
        raise ValueError(text)
    return int(text)


def exact(text: str) -> Decimal:
    """A number with decimals."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not number.is_finite() or max(abs(number.adjusted()), len(number.as_tuple().digits)) >= MOST_DIGITS:
        raise ValueError(text)
    return number


def approximate(text: str) -> float:
    """A floating number that is one."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def truth(text: str) -> bool:
    """True or false, as JSON writes them."""
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


KINDS: dict[type, Kind] = {
    int: Kind("a number", whole),
    str: Kind("a text", str),
    Decimal: Kind("a number", exact),
    float: Kind("a number", approximate),
    bool: Kind("true or false", truth),
    date: Kind("a date like 2026-01-31", date.fromisoformat),
    datetime: Kind("a time like 2026-01-31T23:59:59", datetime.fromisoformat),
}


def written(value: Any) -> str:
    """A value as an address writes it; reading that gives the value."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value.isoformat() if isinstance(value, date) else value)
