"""Interfaces in the order of their addresses, so that a block of addresses is a run of positions.

One IP family at a time: the position of an interface is the rank of its first address of that family.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aws_vpc.matrix_bits import Bits, Numbers, packed
from aws_vpc.network import Address, Block, Network, NetworkInterface

Run = tuple[int, int]


@dataclass(frozen=True)
class Positions:
    """The interfaces of a network that have an address of the IP version, sorted by it."""

    network: Network
    version: int
    interfaces: tuple[NetworkInterface, ...]
    numbers: tuple[int, ...]
    runs: dict[Block, Run] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.interfaces)

    def run(self, block: Block) -> Run:
        """The half-open run of positions whose addresses lie in a block; empty for the other family."""
        if block not in self.runs:
            self.runs[block] = self._run(block)
        return self.runs[block]

    def _run(self, block: Block) -> Run:
        if block.version != self.version:
            return 0, 0
        first, last = int(block.network_address), int(block.broadcast_address)
        return bisect_left(self.numbers, first), bisect_right(self.numbers, last)

    def address(self, position: int) -> Address:
        """The address that puts an interface at its position."""
        kind = IPv4Address if self.version == 4 else IPv6Address
        return kind(self.numbers[position])

    @cached_property
    def index(self) -> dict[str, int]:
        """The position of an interface, by its id."""
        return {one.id: position for position, one in enumerate(self.interfaces)}

    @cached_property
    def subnet(self) -> Keys:
        """The subnet of each position."""
        return keys(one.subnet for one in self.interfaces)

    @cached_property
    def vpc(self) -> Keys:
        """The VPC of each position."""
        return keys(one.vpc for one in self.interfaces)

    @cached_property
    def every(self) -> Numbers:
        """Each position by itself."""
        return np.arange(len(self))

    @cached_property
    def of_vpc(self) -> list[Numbers]:
        """The positions in each VPC, by its number."""
        return [np.flatnonzero(self.vpc.of == number) for number in range(len(self.vpc.names))]

    @cached_property
    def classes(self) -> Keys:
        """The set of security groups of each position, and whether they filter at all."""
        return keys((frozenset(one.groups), one.filtered or bool(one.groups)) for one in self.interfaces)

    @cached_property
    def members(self) -> dict[str, list[int]]:
        """The positions in each security group."""
        found: dict[str, list[int]] = {}
        for position, one in enumerate(self.interfaces):
            for group in one.groups:
                found.setdefault(group, []).append(position)
        return found

    def flags(self, positions: Iterable[int] | NDArray[np.bool_]) -> Bits:
        """Positions as a row of bits."""
        row = np.zeros(len(self), np.bool_)
        row[list(positions)] = True
        return packed(row)


@dataclass(frozen=True)
class Keys:
    """What positions have in common: distinct `names`, and for each position the number of its own."""

    names: tuple[Any, ...]
    of: Numbers

    @cached_property
    def number(self) -> dict[Hashable, int]:
        """The number of a name."""
        return {name: number for number, name in enumerate(self.names)}

    def positions(self, numbers: Sequence[int] | Numbers) -> Numbers:
        """The positions that have one of the numbers."""
        return np.flatnonzero(np.isin(self.of, numbers))


def keys(values: Iterable[Hashable]) -> Keys:
    """Values numbered in the order of their first appearance."""
    numbers: dict[Hashable, int] = {}
    of = np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)
    return Keys(tuple(numbers), of)


def positions(network: Network, version: int = 4) -> Positions:
    """The positions of every interface with an address of the IP version, 4 or 6."""
    found = []
    for one in network.interfaces.values():
        own = next((address for address in one.addresses if address.version == version), None)
        if own is not None:
            found.append((int(own), one.id, one))
    found.sort(key=lambda each: each[:2])
    return Positions(network, version, tuple(one for *_, one in found), tuple(number for number, *_ in found))
