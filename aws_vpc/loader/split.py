"""Where a large object may be cut: at ends of records, which only the number of quotes before can tell.

    pieces of bytes -> a fact about each, found by a reader that sees no other -> starts of parts

A line end is the end of a record when the quotes before it are even in number. A reader in the middle does
not know whether it began inside quotes, so it notes the first line end for either case; who has all facts
adds the quotes up and takes the right one. A quote in the middle of a field without quotes would be counted
wrongly: then some part ends inside quotes, its reader notices, and the load fails instead of reading wrong
rows.

In: pure counting. Out: S3, compression.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from aws_vpc.errors import UsageError

SHIFTS = {"": 0, "KiB": 10, "MiB": 20, "GiB": 30}
SEARCHED = 8 << 20  # of each piece for its first record; no record is longer than 4 MB


def size_from(text: str) -> int:
    """Bytes, of a number that may have KiB, MiB or GiB behind it."""
    written = re.fullmatch(r"(\d+)(KiB|MiB|GiB|)", text)
    if not written:
        raise UsageError(f"{text!r} is no size: give bytes, or such as 512MiB or 1GiB")
    return int(written[1]) << SHIFTS[written[2]]


@dataclass(frozen=True)
class Boundary:
    """The first beginning of a record in a piece: how many bytes and lines lie before it."""

    offset: int
    lines: int


@dataclass(frozen=True)
class Fact:
    """What a reader of one piece alone can tell of it."""

    odd: bool  # the number of its quotes
    lines: int
    begins_with_lf: bool
    ends_with_cr: bool
    outside: Boundary | None  # its first record when it begins outside quotes
    inside: Boundary | None  # and when it begins inside
    empty: bool = False

    @classmethod
    def read(cls, values: dict[str, Any]) -> Fact:
        """The fact that JSON has."""
        bounds = {name: Boundary(**values[name]) if values[name] else None for name in ("outside", "inside")}
        return cls(**{**values, **bounds})

    def values(self) -> dict[str, Any]:
        """The fact as JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class Start:
    """Where a part begins: a piece, how far in it, the number of its first line there."""

    piece: int
    offset: int
    line: int


def scan(chunks: Iterable[bytes], quote: bytes) -> Fact:
    """The fact about a piece; `quote` is empty where none has a meaning."""
    found: list[Boundary | None] = [None, None]
    quotes = lines = offset = 0
    first = last = b""
    for chunk in chunks:
        if offset < SEARCHED and (found[0] is None or (quote and found[1] is None)):
            _search(chunk, quote, quotes, (offset, lines), last, found)
        quotes += chunk.count(quote) if quote else 0
        lines += _line_ends(chunk, last)
        first, last, offset = first or chunk[:1], chunk[-1:], offset + len(chunk)
    return Fact(bool(quotes & 1), lines, first == b"\n", last == b"\r", found[0], found[1], not offset)


def _search(
    chunk: bytes,
    quote: bytes,
    quotes: int,
    before: tuple[int, int],
    last: bytes,
    found: list[Boundary | None],
) -> None:
    """Note the first line end for either parity of the quotes before it."""
    position = 0
    while (end := chunk.find(b"\n", position)) >= 0:
        quotes += chunk.count(quote, position, end) if quote else 0
        position = end + 1
        if found[quotes & 1] is None:
            found[quotes & 1] = Boundary(before[0] + position, before[1] + _line_ends(chunk[:position], last))
        if found[0] and (found[1] or not quote):
            return


def _line_ends(chunk: bytes, last: bytes) -> int:
    """How many lines end in a chunk: by LF, CR LF or a CR alone; one cut between CR and LF ended before."""
    split = last == b"\r" and chunk[:1] == b"\n"
    return chunk.count(b"\n") + chunk.count(b"\r") - chunk.count(b"\r\n") - split


def starts(facts: Sequence[Fact]) -> list[Start | None]:
    """For each piece the part that begins in it; None where no record does."""
    found: list[Start | None] = []
    inside, lines, cr = False, 0, False
    for number, fact in enumerate(facts):
        if fact.empty and number:  # CR at the end of one piece, LF in the one after the next
            found.append(None)
            continue
        lines -= cr and fact.begins_with_lf
        boundary = Boundary(0, 0) if number == 0 else fact.inside if inside else fact.outside
        found.append(Start(number, boundary.offset, lines + boundary.lines + 1) if boundary else None)
        inside ^= fact.odd
        lines, cr = lines + fact.lines, fact.ends_with_cr
    return found


def pieces(size: int, limit: int) -> list[tuple[int, int]]:
    """The bytes of an object in two or more pieces, 10,000 at most, of one size that is within the limit."""
    count = min(max(2, -(-size // limit)), 10_000)
    edges = [size * number // count for number in range(count + 1)]
    return [(start, stop) for start, stop in itertools.pairwise(edges) if stop > start]


def grouped(edges: Sequence[int], size: int, limit: int) -> list[tuple[int, int]]:
    """The bytes of an object in pieces that begin at some of the edges, about as large as the limit."""
    limit, begins = max(limit, size // 10_000), [0]
    begins += [edge for last, edge in _spaced(edges, limit) if edge]
    return list(zip(begins, [*begins[1:], size], strict=True))


def _spaced(edges: Sequence[int], limit: int) -> Iterable[tuple[int, int]]:
    last = 0
    for edge, after in zip(edges, [*edges[1:], None], strict=True):
        if edge - last >= limit or (after is not None and after - last > limit and edge > last):
            yield last, edge
            last = edge
