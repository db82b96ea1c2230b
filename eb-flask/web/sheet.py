"""People as CSV, safe to open in a spreadsheet: what it would take for a formula gets an apostrophe."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .view import COLUMNS

FORMULA = ("=", "+", "-", "@", "\t", "\r")
# How such a cell looks in the written text: behind a comma, quoted or not (csv always quotes a line end).
# The first column is a number, so no line begins with one.
SUSPICIOUS = (",=", ",+", ",-", ",@", ",\t", ',"=', ',"+', ',"-', ',"@', ',"\t', ',"\r')
Batch = Sequence[Sequence[Any]]


def lines(first: Batch, batches: Iterable[Batch]) -> Iterator[str]:
    """CSV text with a head line, a batch of rows at a time."""
    yield text([tuple(COLUMNS)]) + text(first)
    for batch in batches:
        yield text(batch)


def text(batch: Batch) -> str:
    """Rows as CSV text; cells are looked at one by one only where the text looks suspicious as a whole."""
    written = plain(batch)
    if not any(sign in written for sign in SUSPICIOUS):
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
