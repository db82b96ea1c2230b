"""Rows as CSV, safe to open in a spreadsheet: what it would take for a formula gets an apostrophe."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from .merge import Difference

FORMULA = ("=", "+", "-", "@", "\t", "\r")
# How such a cell looks in the written text: behind a comma, quoted or not (a line end is always quoted).
# The first column is a number, so no line begins with one.
SUSPICIOUS = re.compile(',"?[=+@\t\r-]')
SUSPICIOUS_BYTES = re.compile(SUSPICIOUS.pattern.encode())
Batch = Sequence[Sequence[Any]]


def lines(columns: Sequence[str], first: Batch, batches: Iterable[Batch]) -> Iterator[str]:
    """CSV text with a head line, a batch of rows at a time."""
    yield text([columns]) + text(first)
    for batch in batches:
        yield text(batch)


def defused_texts(columns: Sequence[str], first: bytes, texts: Iterable[bytes]) -> Iterator[bytes]:
    """CSV that a database wrote, with a head line; only a piece that looks suspicious is taken apart."""
    yield plain([columns]).encode()
    for piece in chain((first,), texts):
        if SUSPICIOUS_BYTES.search(piece):
            yield from map(str.encode, defused_lines(io.StringIO(piece.decode(), newline="")))
        else:
            yield piece


def of_differences(columns: Sequence[str], found: Iterable[Difference | None]) -> Iterator[str]:
    """CSV text of differences: every column as RDS has it, then as Redshift has it."""
    sides = [[f"{name}_{column}" for column in columns] for name in ("rds", "redshift")]
    yield plain([["id", *sides[0], *sides[1]]])
    nobody = [None] * len(columns)
    for difference in found:
        if difference:
            cells = [difference.key, *(difference.left or nobody), *(difference.right or nobody)]
            yield plain([list(map(defused, cells))])


def defused_lines(lines: Iterable[str]) -> Iterator[str]:
    """CSV text once more, every cell defused; a line end within quotes is kept."""
    for row in csv.reader(lines):
        yield plain([list(map(defused, row))])


def text(batch: Batch) -> str:
    """Rows as CSV text; cells are looked at one by one only where the text looks suspicious as a whole."""
    written = plain(batch)
    if not SUSPICIOUS.search(written):
        return written
    return plain([list(map(defused, person)) for person in batch])


def plain(batch: Batch) -> str:
    """Rows as CSV text, cells as they are."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(batch)
    return out.getvalue()


def defused(cell: Any) -> Any:
    """The cell, with an apostrophe before it if a spreadsheet would calculate it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
