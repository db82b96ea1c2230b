"""The answer of a matrix: a bit for each ordered pair of interfaces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from aws_vpc.matrix_bits import Bits, Numbers, count, unpacked
from aws_vpc.matrix_positions import Positions
from aws_vpc.matrix_wires import Asked


@dataclass
class Pairs:
    """The answer: `some` holds a bit where some client port gets answers, `whole` where each does.

    Rows are sources, columns destinations, both by position; `unknown` are those that meet what is not
    modelled.
    """

    places: Positions
    asked: Asked
    some: Bits
    whole: Bits
    unknown: set[tuple[int, int]] = field(default_factory=set)
    asked_singly: set[tuple[int, int]] = field(default_factory=set)

    def __len__(self) -> int:
        return count(self.some)

    def reaches(self, source: str, destination: str) -> bool:
        """Whether one interface reaches another, by their ids."""
        row, column = self.places.index[source], self.places.index[destination]
        return bool(self.some[row, column >> 3] >> (column & 7) & 1)

    def listed(self) -> Iterator[tuple[str, str]]:
        """Every pair that reaches, by ids."""
        names = [one.id for one in self.places.interfaces]
        for row, source in enumerate(names):
            for column in np.flatnonzero(unpacked(self.some[row], len(names))):
                yield source, names[column]


def put(bits: Bits, row: int, column: int, value: bool) -> None:
    """Sets one bit."""
    mask = np.uint8(1 << (column & 7))
    bits[row, column >> 3] = bits[row, column >> 3] & ~mask | (mask if value else np.uint8(0))


def put_columns(bits: Bits, columns: Numbers, values: Bits) -> None:
    """Sets whole columns; `values` has a row for each of them."""
    for column, flags in zip(columns.tolist(), unpacked(values, bits.shape[0]), strict=True):
        shift = np.uint8(column & 7)
        kept = bits[:, column >> 3] & ~(np.uint8(1) << shift)
        bits[:, column >> 3] = kept | (flags.astype(np.uint8) << shift)
