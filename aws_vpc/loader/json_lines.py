"""JSON Lines to CSV: one object in each line, its names the table's columns in any order.

A number and a string that says the same are the same value, null and a name left out are NULL, and so is an
empty string, as it is in CSV. A line that is no such object becomes a fault under its number, not the end.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.tables import Table

LONGEST = 4 << 20
Faults = dict[int, tuple[str, str, str]]
_decode = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode
WORDS = {None: "", True: "true", False: "false"}


class JsonLines:
    """The lines of an object as records of CSV, exactly one for each."""

    def __init__(self, table: Table, names: tuple[str, ...]) -> None:
        self.faults: Faults = {}  # by line; whoever reads the records takes them out
        self._known, self.names = frozenset(table.names), names
        self.line = 1  # the number of the next line

    def records(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """A record for each line, an empty one for a line that is blank or has a fault."""
        rest = b""
        for chunk in chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST or any(len(line) > LONGEST for line in lines):
                raise LoadFailed(f"a line after line {self.line - 1} is longer than {LONGEST >> 20} MB")
            yield self._written(lines)
        yield self._written([rest] if rest else [])

    def _written(self, lines: list[bytes]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for number, line in enumerate(lines, self.line):
            try:
                row = self._row(_object(line, first=number == 1))
            except _NoRow as fault:
                self.faults[number] = (fault.column, fault.value, fault.reason)
                row = []
            if row:
                writer.writerow(row)
            else:
                text.write("\n")
        self.line += len(lines)
        return text.getvalue().encode("utf-8", "surrogatepass")

    def _row(self, found: dict[str, Any] | None) -> list[str]:
        """The values of an object in the order of the columns; none where there is no object."""
        if found is None:
            return []
        values = {name.strip().lower(): value for name, value in found.items()}
        for name in values.keys() - self._known:
            raise _NoRow(name, str(values[name]), "is not a column of the table")
        return [_text(name, values.get(name)) for name in self.names]


class _NoRow(Exception):
    """Why a line is no row."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


def _object(line: bytes, *, first: bool) -> dict[str, Any] | None:
    """The object that a line holds; None when it is blank."""
    shown = line.decode("utf-8", "backslashreplace")
    try:
        text = line.decode("utf-8-sig" if first else "utf-8").strip()
        found = _decode(text) if text else None
    except UnicodeDecodeError:
        raise _NoRow("", shown, "is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise _NoRow("", shown, f"is not JSON: {error}") from None
    if text and not isinstance(found, dict):
        raise _NoRow("", shown, "is not a JSON object")
    return found


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise _NoRow(name, str(value), "is not a plain value")
    return WORDS[value]
