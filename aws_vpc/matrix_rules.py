"""Rules and entries as columns of numbers, so that all are held against a packet at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from aws_vpc.matrix_bits import Numbers
from aws_vpc.matrix_positions import Positions
from aws_vpc.network import AclEntry, IcmpKind, SecurityGroup, SecurityGroupRule
from aws_vpc.network_values import ANY_PROTOCOL, ICMP, ICMPV6, WITH_PORTS

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Wire:
    """What filters look at beside addresses: the protocol, the destination port, the ICMP type."""

    protocol: int
    port: int | None = None
    icmp: IcmpKind | None = None


@dataclass(frozen=True)
class Kinds:
    """Columns: the packets that each rule or entry is about."""

    protocol: Numbers
    first: Numbers
    last: Numbers
    type: Numbers
    code: Numbers

    def fit(self, wire: Wire) -> Flags:
        """Which of them are about such packets."""
        own = self.protocol == wire.protocol
        if wire.protocol in WITH_PORTS and wire.port is not None:
            own &= (self.first <= wire.port) & (wire.port <= self.last)
        if wire.protocol in (ICMP, ICMPV6) and wire.icmp:
            same = (self.type == wire.icmp.type) & np.isin(self.code, (-1, wire.icmp.code))
            own &= (self.type == -1) | same
        fitting: Flags = own | (self.protocol == ANY_PROTOCOL)
        return fitting


def kinds(rules: Sequence[SecurityGroupRule | AclEntry]) -> Kinds:
    """The columns of rules or entries."""
    rows = [
        (
            rule.protocol,
            rule.ports.first if rule.ports else 0,
            rule.ports.last if rule.ports else 65535,
            rule.icmp.type if rule.icmp else -1,
            rule.icmp.code if rule.icmp else -1,
        )
        for rule in rules
    ]
    return Kinds(*np.array(rows, np.int64).reshape(-1, 5).T)


@dataclass(frozen=True)
class Rules:
    """Columns: every rule of the groups; one about a prefix list has a line for each of its blocks.

    `group` is the number of the rule's group, `named` that of the group that it names, -1 where it names
    addresses:
    then [start, end) is their run. `unknown` tells that its prefix list is not known.
    """

    kinds: Kinds
    group: Numbers
    egress: Numbers
    start: Numbers
    end: Numbers
    named: Numbers
    unknown: Numbers

    def chosen(self, wire: Wire, egress: bool, by_group: bool) -> Flags:
        """The rules of one direction that are about such packets, and name groups, or addresses."""
        found: Flags = self.kinds.fit(wire) & (self.egress == egress) & ((self.named >= 0) == by_group)
        return found


def rules(places: Positions, groups: Iterable[SecurityGroup], number: dict[str, int]) -> Rules:
    """The columns of the groups' rules; `number` numbers all groups of the network."""
    held: list[SecurityGroupRule] = []
    lines = []
    for group in groups:
        for rule in group.rules:
            for line in pieces(places, rule, number):
                held.append(rule)
                lines.append((number[group.id], rule.egress, *line))
    return Rules(kinds(held), *np.array(lines, np.int64).reshape(-1, 6).T)


def pieces(
    places: Positions, rule: SecurityGroupRule, number: dict[str, int]
) -> list[tuple[int, int, int, int]]:
    """(start, end, named group, unknown) of a rule."""
    if rule.group is not None:
        return [(0, 0, number[rule.group], 0)] if rule.group in number else []
    if rule.block is not None:
        return [(*places.run(rule.block), -1, 0)]
    known = places.network.prefix_lists.get(rule.prefix_list or "")
    if known is None:
        return [(0, 0, -1, 1)]
    return [(*places.run(block), -1, 0) for block in known.blocks]


def joined_rules(parts: Sequence[Rules]) -> Rules:
    """All lines of several."""
    columns = [np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Rules)[1:]]
    kind = [np.concatenate([getattr(part.kinds, one.name) for part in parts]) for one in fields(Kinds)]
    return Rules(Kinds(*kind), *columns)


@dataclass(frozen=True)
class Entries:
    """The entries of one direction of several ACLs, the highest number of each first, with row and run."""

    kinds: Kinds
    lines: tuple[tuple[int, int, int, bool], ...]  # row, start, end, allow


def entries(places: Positions, acls: Mapping[int, Sequence[AclEntry]], egress: bool) -> Entries:
    """The columns of the entries of ACLs, by their rows; those about no position are left out."""
    held, lines = [], []
    for row, own in acls.items():
        for one in sorted((one for one in own if one.egress == egress), key=lambda one: -one.number):
            start, end = places.run(one.block)
            if start < end:
                held.append(one)
                lines.append((row, start, end, one.allow))
    return Entries(kinds(held), tuple(lines))
