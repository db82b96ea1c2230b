"""What a valid value is: said once, in `Column`, and used twice.

`fault` decides on values that the csv module has read. `fast` is one bytes regex for whole lines; it accepts
only lines that `fault` would let pass and that a COPY reads as they are, so nearly every row of a good object
is checked without becoming a Python object. What it leaves is read and judged one by one.

In: tables, values, bytes. Out: reading, counting, SQL.
"""

from __future__ import annotations

import datetime
import decimal
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.patterns import bounded, plain
from aws_vpc.loader.tables import Column, Table

LIMITS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
TRUTH = {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
WHOLE = re.compile("-?[0-9]{1,19}")
TIMESTAMP = re.compile(DATE + "[ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?")
REAL = re.compile("-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,3})?")

# A run of lines never has to give one back; in older ones such a quantifier errs (python/cpython#100061).
ONCE = "+" if sys.version_info >= (3, 11, 3) else ""
SAFE_DATE = "(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
SAFE_TIME = "(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){2}(?:[.][0-9]{1,6})?"


def _integer(column: Column, value: str) -> int:
    limit = LIMITS[column.kind]
    if not WHOLE.fullmatch(value):
        raise ValueError("is not a whole number")
    if not -limit <= int(value) < limit:
        raise ValueError(f"does not fit {column.kind}")
    return int(value)


def _numeric(column: Column, value: str) -> decimal.Decimal:
    precision, scale = column.size
    written = re.fullmatch("-?0*([0-9]*)(?:[.]([0-9]+))?", value)
    if not written or not re.search("[0-9]", value):
        raise ValueError("is not a number")
    if len(written[1]) > precision - scale or len(written[2] or "") > scale:
        raise ValueError(f"does not fit {column.type}")
    return decimal.Decimal(value)


def _real(column: Column, value: str) -> float:
    if not REAL.fullmatch(value):
        raise ValueError("is not a number")
    number = float(value)
    if number in (float("inf"), float("-inf")) or (
        number == 0 and re.search("[1-9]", value.lower().split("e")[0])
    ):
        raise ValueError(f"does not fit {column.kind}")
    return number


def _boolean(column: Column, value: str) -> bool:
    if value not in TRUTH:
        raise ValueError("is not true or false")
    return TRUTH[value]


def _date(column: Column, value: str) -> datetime.date:
    if not re.fullmatch(DATE, value):
        raise ValueError("is not a date, YYYY-MM-DD")
    try:
        return datetime.date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("is not a day of the calendar") from error


def _timestamp(column: Column, value: str) -> datetime.datetime:
    if not TIMESTAMP.fullmatch(value):
        raise ValueError("is not a time, YYYY-MM-DD HH:MM:SS")
    try:
        return datetime.datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError("is not a time of the calendar") from error


def _text(column: Column, value: str) -> str:
    if len(value) > column.size[0]:
        raise ValueError(f"is longer than {column.size[0]} characters")
    if "\0" in value:
        raise ValueError("holds a NUL byte")
    if column.kind == "char" and not value.isascii():
        raise ValueError("holds a character outside ASCII")
    return value


PARSE: dict[str, Callable[[Column, str], Any]] = {
    "smallint": _integer, "integer": _integer, "bigint": _integer, "numeric": _numeric,
    "double precision": _real, "boolean": _boolean, "date": _date, "timestamp": _timestamp,
    "char": _text, "varchar": _text,
}  # fmt: skip


class Checks:
    """The checks of a table's columns, in the order in which an object has them."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._rules = [_Rule(column, table) for column in table.columns]
        self._compiled: dict[bool, re.Pattern[bytes] | None] = {}

    def fault(self, row: Sequence[str]) -> tuple[str, str, str] | None:
        """The first column that is not valid, with its value and the reason."""
        for rule, value in zip(self._rules, row, strict=True):
            reason = rule.fault(value)
            if reason:
                return rule.column.name, value, reason
        return None

    def fast(self, ascii_only: bool) -> re.Pattern[bytes] | None:
        """A regex for a run of lines that are valid as they stand; None where some check cannot be one."""
        if ascii_only not in self._compiled:
            pieces = [rule.fast(ascii_only) for rule in self._rules]
            delimiter = re.escape(self.table.csv.delimiter)
            lines = None if None in pieces else f"(?:{delimiter.join(filter(None, pieces))}\\r?\\n)+{ONCE}"
            self._compiled[ascii_only] = re.compile(lines.encode("latin-1")) if lines else None
        return self._compiled[ascii_only]


class _Rule:
    """One column's checks."""

    def __init__(self, column: Column, table: Table) -> None:
        self.column, csv = column, table.csv
        self.null = csv.null
        self._special = f"{csv.delimiter}{csv.quote}{csv.escape}\\\r\n\0"
        self._fenced_off = frozenset(self._special)
        self._quote, self._delimiter = re.escape(csv.quote), re.escape(csv.delimiter)
        try:
            self._plain_pattern = plain(column.pattern, self._special)
            self._pattern = re.compile(column.pattern, re.ASCII)
            bounds = (column.minimum, column.maximum)
            self._bounds = [None if bound is None else self._parse(_written(bound)) for bound in bounds]
        except (ValueError, re.error) as error:
            raise LoadFailed(f"tables.yaml, table {table.name}, column {column.name}: {error}") from error

    def _parse(self, value: str) -> Any:
        return PARSE[self.column.kind](self.column, value)

    def fault(self, value: str) -> str:
        """Why the value is not valid; nothing when it is."""
        if not value or value == self.null:
            return "is missing" if self.column.required else ""
        try:
            parsed = self._parse(value)
        except ValueError as error:
            return str(error)
        return self._out_of_bounds(parsed) or self._not_allowed(value)

    def _out_of_bounds(self, parsed: Any) -> str:
        low, high = self._bounds
        if low is not None and parsed < low:
            return f"is below {self.column.minimum}"
        return f"is above {self.column.maximum}" if high is not None and parsed > high else ""

    def _not_allowed(self, value: str) -> str:
        if self.column.values and value not in self.column.values:
            return "is not one of the values allowed"
        if self.column.pattern and not (self._is_plain(value) and self._pattern.fullmatch(value)):
            return f"does not match {self.column.pattern}"
        return ""

    def _is_plain(self, value: str) -> bool:
        return value.isascii() and self._fenced_off.isdisjoint(value)

    def fast(self, ascii_only: bool) -> str | None:
        """A regex for the field, or None where this column has to be judged value by value."""
        value = self._fast_value(ascii_only)
        if value is None:
            return None
        null = (
            f"(?!{self._quote}?{re.escape(self.null)}{self._quote}?[{self._delimiter}\\r\\n])"
            if self.null
            else ""
        )
        if not self._is_text():
            value = f"(?:{value}|{self._quote}(?:{value}){self._quote})"
        return f"{null}(?:{value}{'' if self.column.required else '|'})"

    def _is_text(self) -> bool:
        return self.column.kind in ("char", "varchar") and not (self.column.values or self.column.pattern)

    def _fast_value(self, ascii_only: bool) -> str | None:
        column, kind = self.column, self.column.kind
        if column.values:
            safe = [value for value in column.values if self._is_plain(value) and not self.fault(value)]
            return _any_of(safe) if safe else None
        if kind in LIMITS and not column.pattern:
            return _safe_integer(column)
        if self._bounds != [None, None]:
            return None
        if column.pattern:
            return self._fast_pattern() if kind in ("char", "varchar") else None
        return self._fast_text(ascii_only) if self._is_text() else _safe_value(column)

    def _fast_pattern(self) -> str:
        longest = self.column.size[0]
        narrow = bounded(self.column.pattern, longest)
        if narrow:
            return plain(narrow, self._special)
        return f"(?![^{self._delimiter}{self._quote}\\r\\n]{{{longest + 1}}}){self._plain_pattern}"

    def _fast_text(self, ascii_only: bool) -> str:
        high = "\x80-\xff" if ascii_only or self.column.kind == "char" else ""
        most = self.column.size[0]  # bytes here, characters in `fault`: the narrower of the two
        special = "".join(re.escape(character) for character in self._special)
        inside = special.replace(self._delimiter, "", 1)
        quote, some, part = self._quote, f"[^{inside}{high}]", most // 5
        return (
            f"[^{special}{high}]{{1,{most}}}|{quote}{some}{{1,{most}}}{quote}"
            f"|{quote}{some}{{0,{part}}}(?:{quote}{quote}{some}{{0,{part}}}){{1,4}}{quote}"
        )


def _any_of(values: Sequence[str]) -> str:
    """A regex for the values, those that differ in the last character alone taken together."""
    ends: dict[str, str] = {}
    for value in values:
        ends[value[:-1]] = ends.get(value[:-1], "") + re.escape(value[-1])
    return "|".join(f"{re.escape(start)}[{last}]" for start, last in ends.items())


def _written(bound: Any) -> str:
    return bound.isoformat(sep=" ") if isinstance(bound, datetime.datetime) else str(bound)


def _safe_integer(column: Column) -> str | None:
    """Digits that cannot leave the column's bounds, whatever they are."""
    limit = LIMITS[column.kind]
    low = -limit if column.minimum is None else column.minimum
    high = limit - 1 if column.maximum is None else column.maximum
    most = len(str(high + 1)) - 1
    if high <= 0 or low > 10 ** (most - 1):
        return None
    if low <= 0:
        return f"[0-9]{{1,{most}}}"
    least = len(str(low - 1)) if low > 1 else 0
    return f"[1-9][0-9]{{{least},{most - 1}}}"


def _safe_value(column: Column) -> str:
    if column.kind == "numeric":
        precision, scale = column.size
        fraction = f"(?:[.][0-9]{{1,{scale}}})?" if scale else ""
        return (
            f"-?[0-9]{{1,{precision - scale}}}{fraction}"
            if precision > scale
            else f"-?0?[.][0-9]{{1,{scale}}}"
        )
    return {
        "double precision": "-?[0-9]{1,15}(?:[.][0-9]{1,15})?",
        "boolean": "true|false|[tf01]",
        "date": SAFE_DATE,
        "timestamp": f"{SAFE_DATE}[ T]{SAFE_TIME}",
    }[column.kind]
