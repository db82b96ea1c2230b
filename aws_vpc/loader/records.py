"""A stream of bytes to blocks of valid rows: the records in order, the bad ones set aside.

    chunks -> record by record, or a run of good lines at a time -> blocks ready for COPY
                                                                 -> rejects (line, column, value, reason)

What goes out is CSV in the table's own delimiter and quote, lines ended by \\n, NULL an empty field. A run of
lines that the fast check accepts goes out as it came in. With `numbered` each row begins with its line.

In: CSV as Python's csv module reads it, any size, constant memory. Out: where bytes come from and go to.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from aws_vpc.loader.checks import Checks
from aws_vpc.loader.cut import Cutter, Record
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.tables import Dialect, Table

LONGEST = 4 << 20  # of one record; Redshift loads none longer
BLANK_LINES = re.compile(rb"\n+|\r\n[\r\n]*\n|\r+(?=\r)")  # at once: a hundred megabytes of them are a bomb
LINE_END = re.compile(rb"\r\n|\n|\r")
SHOWN = 200  # characters of a line that is no header
WHOLE = re.compile("-?[0-9]{1,18}")
csv.field_size_limit(LONGEST)

Reject = Callable[[int, str, str, str], None]


@dataclass
class Count:
    """How far the reading is."""

    rows: int = 0
    rejected: int = 0
    bytes: int = 0


@dataclass
class Records:
    """The records of one object: first the header, then blocks of valid rows."""

    chunks: Iterable[bytes]
    table: Table
    reject: Reject
    mode: str = "mirror"
    numbered: bool = False
    progress: Callable[[Count], None] = lambda count: None
    names: tuple[str, ...] = ()  # the columns in order, where no header tells them
    line: int = 1  # the number of the first line
    by_record: bool = False  # a record is a line of the object, or a row of it, however often it breaks
    faults: dict[int, tuple[str, str, str]] = field(default_factory=dict)  # what is known of lines already
    count: Count = field(default_factory=Count)

    def __post_init__(self) -> None:
        self._cutter, dialect = Cutter(self.table.csv), self.table.csv
        # as the csv module wants it in the end, which it would make of the words again for every record
        self._dialect = csv.reader(
            [], delimiter=dialect.delimiter, quotechar=dialect.quote, escapechar=dialect.escape or None,
            strict=True,
        ).dialect  # fmt: skip
        self._rest, self._buffers = b"", self._cut()
        self._rest = next(self._buffers, b"")
        names = self.names
        if not names and not self._rest:
            raise LoadFailed("the object is empty: it has not even a header line")
        if not names:
            names = self._header() if self.table.csv.header else self.table.names
        self.ordered, self._width = self.table.only(names), len(names)
        self.checks = Checks(self.ordered)
        self._first, self._blocks = b"", self._judged()

    def first_values(self, column: str) -> list[int]:
        """The whole numbers in a column of the first block, which stays the next one to come."""
        self._first = next(self._blocks, b"")
        return self.whole_numbers(self._first, column)

    def whole_numbers(self, lines: bytes, column: str) -> list[int]:
        """The whole numbers in a column of some lines, whatever else is in them."""
        place = self.ordered.names.index(column) + self.numbered
        text = io.StringIO(lines.decode("utf-8", "replace"), newline="")
        rows = csv.reader(text, delimiter=self.table.csv.delimiter, quotechar=self.table.csv.quote)
        return [int(row[place]) for row in rows if len(row) > place and WHOLE.fullmatch(row[place])]

    def blocks(self) -> Iterator[bytes]:
        """Valid rows, in order, some hundred kilobytes at a time."""
        first, self._first = self._first, b""
        if first:
            yield first
        yield from self._blocks

    def _judged(self) -> Iterator[bytes]:
        buffer: bytes | None = self._rest
        while buffer is not None:
            block, self._rest = self._judge(buffer)
            self.progress(self.count)
            if block:
                yield block
            buffer = next(self._buffers, None)
        if self._rest:
            raise LoadFailed(
                f"the quote that opens in line {self.line} is not closed before the end of the object"
            )

    def _cut(self) -> Iterator[bytes]:
        """What is left of the last buffer and the next chunk together; the last ends with a line end."""
        last = b"\n"
        for chunk in self.chunks:
            if chunk:
                first, last = self.line == 1 and self.count.bytes == 0, chunk[-1:]
                self.count.bytes += len(chunk)
                yield _without_mark(chunk) if first else self._rest + chunk
        if last != b"\n":
            yield self._rest + b"\n"

    def _header(self) -> tuple[str, ...]:
        """The names in the first record, which must be the table's columns in any order."""
        while not (found := self._cutter.match(self._rest, 0)):
            more = next(self._buffers, None)
            if more is None or len(more) > LONGEST:
                raise LoadFailed("the first line, which should be the header, does not end")
            self._rest = more
        self._rest = self._rest[found.end :]
        self.line += _lines(found.whole)
        names = tuple(name.strip().lower() for name in self._read(found.raw.decode("utf-8", "replace")))
        return expected(names, self.table, self.mode)

    def _judge(self, buffer: bytes) -> tuple[bytes, bytes]:
        """The valid rows of a buffer, and the incomplete record at its end."""
        out, position, end = [], 0, buffer.rfind(b"\n") + 1
        fast = self.checks.fast(ascii_only=not is_utf8(buffer, end))
        while True:
            if fast and (run := fast.match(buffer, position, end)):
                out.append(self._take(run[0]))
                position = run.end()
            if not self.by_record and (blank := BLANK_LINES.match(buffer, position)):
                self.line += _lines(blank[0])
                position = blank.end()
                continue
            record = self._cutter.match(buffer, position)
            if not record:
                break
            out.append(self._judge_one(record))
            position = record.end
        if len(buffer) - position > LONGEST:
            raise LoadFailed(
                f"the record that begins in line {self.line} is longer than {LONGEST >> 20} MB: "
                "is a quote there never closed?"
            )
        return b"".join(out), buffer[position:]

    def _take(self, run: bytes) -> bytes:
        """A run of valid lines, each one row, as COPY wants them."""
        if b"\r" in run:
            run = run.replace(b"\r\n", b"\n")
        first, rows = self.line, run.count(b"\n")
        self.line += rows
        self.count.rows += rows
        if not self.numbered:
            return run
        mark = self.table.csv.delimiter.encode()
        return b"".join(b"%d%b%b\n" % (n, mark, line) for n, line in enumerate(run.split(b"\n")[:-1], first))

    def _judge_one(self, record: Record) -> bytes:
        """One record as COPY wants it; nothing when it is blank or rejected."""
        line, raw = self.line, record.raw
        self.line += 1 if self.by_record else _lines(record.whole)
        row, fault = self._row(raw, line)
        if not row and not fault:
            return b""
        if fault:
            self.count.rejected += 1
            self.reject(line, *fault)
            return b""
        self.count.rows += 1
        return self._written(row, line)

    def _row(self, raw: bytes, line: int) -> tuple[list[str], tuple[str, str, str] | None]:
        """The values of a record, none when it is blank, and its first fault."""
        if not raw:
            return [], self.faults.pop(line, None)
        try:
            row = self._read(raw.decode("utf-8"))
            return row, self.checks.fault(row) if len(row) == self._width else self._count_fault(row, raw)
        except UnicodeDecodeError:
            return [], self._encoding_fault(raw)
        except csv.Error as error:
            return [], ("", raw.decode("utf-8", "replace"), f"is not CSV: {error}")

    def _read(self, text: str) -> list[str]:
        return next(csv.reader([text], self._dialect), [])

    def _written(self, row: list[str], line: int) -> bytes:
        null, dialect = self.table.csv.null, self.table.csv
        fields = ["" if value == null else _quoted(value, dialect) for value in row]
        if self.numbered:
            fields.insert(0, str(line))
        return (dialect.delimiter.join(fields) + "\n").encode()

    def _count_fault(self, row: list[str], raw: bytes) -> tuple[str, str, str]:
        fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
        return "", raw.decode("utf-8", "replace"), f"has {fields}, not {self._width}"

    def _encoding_fault(self, raw: bytes) -> tuple[str, str, str]:
        """Which column is not UTF-8; cut up as Latin-1, where every byte is a character."""
        reason = "is not UTF-8"
        try:
            row = self._read(raw.decode("latin-1"))
        except csv.Error:
            row = []
        for name, value in zip(self.ordered.names, row, strict=False):
            try:
                value.encode("latin-1").decode("utf-8")
            except UnicodeDecodeError:
                return name, value.encode("latin-1").decode("utf-8", "backslashreplace"), reason
        return "", raw.decode("utf-8", "backslashreplace"), reason


def _quoted(value: str, dialect: Dialect) -> str:
    """A field that COPY reads back as this value."""
    special = (dialect.delimiter, dialect.quote, "\n", "\r", "\\")
    if not any(character in value for character in special):
        return value
    return dialect.quote + value.replace(dialect.quote, dialect.quote * 2) + dialect.quote


def expected(names: tuple[str, ...], table: Table, mode: str) -> tuple[str, ...]:
    """The header, once it names what the mode needs."""
    needed = table.key if mode == "delete" else table.names
    missing = [name for name in needed if name not in names]
    extra = [name for name in names if name not in table.names]
    faults = [f"column {name} is missing" for name in missing] + [
        f"column {name or '(without a name)'} is not in the table" for name in extra
    ]
    if len(set(names)) < len(names):
        faults.append("a column comes twice")
    wanted = table.csv.delimiter.join(needed)
    if names and not set(names) & set(table.names):
        first = table.csv.delimiter.join(names)[:SHOWN]
        raise LoadFailed(
            f"the header does not fit table {table.name}: instead of its columns there is {first}; "
            f"expected {wanted}. Is the header missing, or the delimiter another one?"
        )
    if faults:
        raise LoadFailed(
            f"the header does not fit table {table.name}: {'; '.join(faults)}; expected {wanted}"
        )
    return names


def _without_mark(chunk: bytes) -> bytes:
    """The first chunk without the byte order mark of UTF-8; that of UTF-16 means a wrong description."""
    if chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise LoadFailed("the object is UTF-16: set csv encoding in tables.yaml, or store it as UTF-8")
    return chunk.removeprefix(b"\xef\xbb\xbf")


def _lines(record: bytes) -> int:
    return len(LINE_END.findall(record)) if b"\r" in record else record.count(b"\n")


def is_utf8(buffer: bytes, end: int | None = None) -> bool:
    """Whether bytes are text, up to an end."""
    if buffer.isascii():
        return True
    try:
        buffer[:end].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
