"""The rows set aside: line, column, value and reason, in the object's order; and how many are too many."""

from __future__ import annotations

import csv
import heapq
import io
import itertools
import math
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from aws_vpc.errors import UsageError

HEADER = ("line", "column", "value", "reason")
IN_MEMORY = 8 << 20
TOGETHER = 64 << 10  # characters that are written at once
SHOWN = 1000  # characters of a value

Row = tuple[int, str, str, str]


class Rejects:
    """Rejected rows as CSV, in memory, and beyond some megabytes in a temporary file."""

    def __init__(self) -> None:
        self.count = 0
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  `close` does
        self._waiting = io.StringIO()
        self._writer = csv.writer(self._waiting, lineterminator="\n")
        self._write(HEADER)

    def add(self, line: int, column: str, value: str, reason: str) -> None:
        """Set a row aside; lines come in rising order."""
        self.count += 1
        self._write((line, column, value if len(value) <= SHOWN else f"{value[:SHOWN]}...", reason))

    def file(self) -> IO[bytes]:
        """The whole of it, from the beginning."""
        self._pass_on()
        self._file.seek(0)
        return self._file

    def merged(self, more: Iterable[Row]) -> Rejects:
        """These and more of them, in the order of the object; they themselves when there are no more."""
        more = iter(more)
        if (first := next(more, None)) is None:
            return self
        both = Rejects()
        for row in heapq.merge(self._rows(), itertools.chain([first], more), key=lambda row: row[0]):
            both.add(*row)
        self.close()
        return both

    def close(self) -> None:
        """Give the memory or the file back."""
        self._file.close()

    def _rows(self) -> Iterator[Row]:
        rows = csv.reader(io.TextIOWrapper(self.file(), "utf-8", newline="", write_through=True))
        next(rows)
        return ((int(line), column, value, reason) for line, column, value, reason in rows)

    def _write(self, row: Iterable[object]) -> None:
        self._writer.writerow(row)
        if self._waiting.tell() > TOGETHER:
            self._pass_on()

    def _pass_on(self) -> None:
        self._file.write(self._waiting.getvalue().encode("utf-8", "backslashreplace"))
        self._waiting.seek(0)
        self._waiting.truncate()


@dataclass(frozen=True)
class Limit:
    """How many bad rows an object may have: a number, or a share of its rows."""

    number: float
    share: bool = True

    def allows(self, bad: int, total: int) -> bool:
        """Whether so many of so many may be bad; never all of them.

        A share counts as if the object had 1,000 rows at least, so that a small one may have a few.
        """
        if bad and bad == total:
            return False
        return bad <= (math.floor(max(total, 1000) * self.number / 100) if self.share else self.number)

    def __str__(self) -> str:
        return f"{self.number:g}%" if self.share else f"{self.number:g}"


def limit_from(text: str) -> Limit:
    """The limit that `1%` or `20` stands for."""
    written = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", text.strip())
    if not written or (not written[2] and "." in written[1]):
        raise UsageError(f"--max-rejected {text} is neither a number of rows, 20, nor a share of them, 1%")
    return Limit(float(written[1]), bool(written[2]))
