"""Tables keyed by what positions have in common, seen as rows of pairs: those of a few ends.

A table that is keyed by the source has a row for each source key and columns for destinations; one keyed by
the
destination has columns for sources. A view gives both as rows of the same shape, so that one formula serves
the rows
of some sources and the columns of some destinations alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aws_vpc.matrix_bits import Bits, Numbers, packed, turned

Flags = NDArray[np.bool_]
Words = NDArray[Any]  # unsigned numbers, a bit for each kind of packet
BLOCK = 256


class Side(Protocol):
    """What is known by one end of the pairs, for the rows of a view."""

    def rows(self, table: Bits, keys: Numbers) -> Bits:
        """A table of bits."""

    def words(self, table: Words, keys: Numbers) -> Words:
        """A table with a word for each position."""

    def values(self, values: Words) -> Words:
        """A value for each position of this end, which stretches over the other."""


@dataclass(frozen=True)
class Own:
    """The end that the rows of the view stand for: `chosen` positions."""

    chosen: Numbers

    def rows(self, table: Bits, keys: Numbers) -> Bits:
        return table[keys[self.chosen]]

    def words(self, table: Words, keys: Numbers) -> Words:
        return table[keys[self.chosen]]

    def values(self, values: Words) -> Words:
        return values[self.chosen][:, None]


@dataclass(frozen=True)
class Other:
    """The end that the columns of the view stand for: all positions."""

    chosen: Numbers

    def rows(self, table: Bits, keys: Numbers) -> Bits:
        bits = (table[:, self.chosen >> 3] >> (self.chosen & 7).astype(np.uint8)) & 1
        return packed(np.ascontiguousarray(bits.T)[:, keys].view(np.bool_))

    def words(self, table: Words, keys: Numbers) -> Words:
        return np.ascontiguousarray(table[:, self.chosen].T)[:, keys]

    def values(self, values: Words) -> Words:
        return values[None, :]


@dataclass(frozen=True)
class Across(Other):
    """The same as one of many views: each table is turned once, and kept as long as the views."""

    turned: dict[int, tuple[Bits, Bits]]

    def rows(self, table: Bits, keys: Numbers) -> Bits:
        if id(table) not in self.turned:
            self.turned[id(table)] = (table, turned(table[keys], len(keys)))
        return self.turned[id(table)][1][self.chosen]


@dataclass(frozen=True)
class View:
    """Both ends; `chosen` are the positions of the rows."""

    source: Side
    destination: Side
    chosen: Numbers


def of_sources(chosen: Numbers) -> View:
    """A row for each chosen source, columns for destinations."""
    return View(Own(chosen), Other(chosen), chosen)


def of_destinations(chosen: Numbers) -> View:
    """A row for each chosen destination, columns for sources."""
    return View(Other(chosen), Own(chosen), chosen)


def blocks(size: int) -> Iterator[View]:
    """All pairs, the rows of some sources at a time."""
    kept: dict[int, tuple[Bits, Bits]] = {}
    for first in range(0, size, BLOCK):
        chosen = np.arange(first, min(first + BLOCK, size))
        yield View(Own(chosen), Across(chosen, kept), chosen)
