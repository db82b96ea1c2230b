"""JSON Lines to CSV: one object in each line, its names the table's columns in any order.

A number and a string that says the same are the same value, null and a name left out are NULL, and so is an
empty string, as it is in CSV. A line that is no such object becomes a fault under its number, not the end.

Writers repeat themselves: once the order of the names is known, one regex takes the values of all lines that
keep to it, with no escape but that of a quote, and what it takes of a string is nearly CSV already. The
others are read by `json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.records import is_utf8
from aws_vpc.loader.tables import Table

LONGEST = 4 << 20
Faults = dict[int, tuple[str, str, str]]
_decode = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode
WORDS = {None: "", True: "true", False: "false"}

SOME = rb'[^"\\\x00-\x1f]*'
STRING = b'"' + SOME + rb'(?:\\"' + SOME + b')*"'  # no escape but that of a quote
NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][-+]?[0-9]+)?"
VALUE = rb"(?:null|(" + STRING + b"|" + NUMBER + b"|true|false))"  # null leaves the group empty
BLANK = rb"[ \t]*"


class JsonLines:
    """The lines of an object as records of CSV, exactly one for each."""

    def __init__(self, table: Table, names: tuple[str, ...]) -> None:
        self.faults: Faults = {}  # by line; whoever reads the records takes them out
        self._known, self.names = frozenset(table.names), names
        self.line = 1  # the number of the next line
        self._layout = _Layout((), names)

    def records(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """A record for each line, an empty one for a line that is blank or has a fault."""
        rest = b""
        for chunk in chunks:
            buffer = rest + chunk
            end = buffer.rfind(b"\n") + 1
            rest = buffer[end:]
            if len(buffer) > LONGEST and any(len(line) > LONGEST for line in buffer.split(b"\n")):
                raise LoadFailed(f"a line after line {self.line - 1} is longer than {LONGEST >> 20} MB")
            yield self._written(buffer[:end])
        yield self._written(rest + b"\n" if rest else b"")

    def _written(self, lines: bytes) -> bytes:
        if not self._layout.known:
            self._layout = self._learnt(lines.partition(b"\n")[0])
        taken = self._layout.taken(lines)
        records = self._layout.records(taken)
        others = [place for place, groups in enumerate(taken) if not groups[0]]
        for place in others:
            records[place] = self._record(taken[place][-1], self.line + place)
        self.line += len(taken)
        if len(others) > len(taken) // 2:
            self._layout = self._learnt(taken[others[-1]][-1])
        return b"\n".join([*records, b""])

    def _learnt(self, line: bytes) -> _Layout:
        """The layout of a line, for those that follow; that of before when it has none."""
        try:
            found = _object(line, first=True) or {}
        except _NoRow:
            return self._layout
        names = tuple(name.strip().lower() for name in found)
        plain = len(set(names)) == len(names) and self._known.issuperset(names) and "".join(found).isascii()
        return _Layout(tuple(found), self.names) if plain else self._layout

    def _record(self, line: bytes, number: int) -> bytes:
        """One line as a record; nothing when it is blank or has a fault."""
        try:
            row = self._row(_object(line, first=number == 1))
        except _NoRow as fault:
            self.faults[number] = (fault.column, fault.value, fault.reason)
            return b""
        return ",".join(map(_quoted, row)).encode("utf-8", "surrogatepass") or (b'""' if row else b"")

    def _row(self, found: dict[str, Any] | None) -> list[str]:
        """The values of an object in the order of the columns; none where there is no object."""
        if found is None:
            return []
        values = {name.strip().lower(): value for name, value in found.items()}
        for name in values.keys() - self._known:
            raise _NoRow(name, str(values[name]), "is not a column of the table")
        return [_text(name, values.get(name)) for name in self.names]


class _Layout:
    """The order of the names in the lines of one writer; without names no line fits."""

    def __init__(self, written: Sequence[str], names: Sequence[str]) -> None:
        self.known = bool(written)
        fields = [re.escape(json.dumps(name).encode()) + BLANK + b":" + BLANK + VALUE for name in written]
        comma = BLANK + b"," + BLANK
        fits = BLANK + rb"(\{)" + BLANK + comma.join(fields) + BLANK + rb"\}[ \t\r]*\n()"
        self._line = re.compile((fits if written else b"(?!)()()") + rb"|([^\n]*)\n")
        place = {name.strip().lower(): number for number, name in enumerate(written, 1)}
        self._empty = len(written) + 1
        self._places = [place.get(name, self._empty) for name in names]

    def taken(self, lines: bytes) -> list[tuple[bytes, ...]]:
        """For each line a brace, its values and nothing; or no brace, nothing, and the line as it is."""
        if is_utf8(lines):
            return self._line.findall(lines)
        nothing = (b"",) * (self._empty + 1)
        return [(*nothing, line) for line in lines.split(b"\n")[:-1]]

    def records(self, taken: list[tuple[bytes, ...]]) -> list[bytes]:
        """The values as records."""
        if len(self._places) == 1:
            records: Iterable[bytes] = [groups[self._places[0]] or b'""' for groups in taken]
        else:
            records = map(b",".join, map(itemgetter(*self._places), taken))
        return [one.replace(rb"\"", b'""') if b"\\" in one else one for one in records]


class _NoRow(Exception):
    """Why a line is no row."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


def _object(line: bytes, *, first: bool) -> dict[str, Any] | None:
    """The object that a line holds; None when it is blank."""
    try:
        text = line.decode("utf-8-sig" if first else "utf-8").strip()
        found = _decode(text) if text else None
    except UnicodeDecodeError:
        raise _NoRow("", _shown(line), "is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise _NoRow("", _shown(line), f"is not JSON: {error}") from None
    if text and not isinstance(found, dict):
        raise _NoRow("", _shown(line), "is not a JSON object")
    return found


def _shown(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace")


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise _NoRow(name, str(value), "is not a plain value")
    return WORDS[value]


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if value else ""
