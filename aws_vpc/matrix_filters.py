"""Security groups and network ACLs over positions.

by set of groups   egress[class]         addresses allowed on the way out
                   ingress[class]        addresses allowed on the way in
                   egress_groups[class]  members of the groups named on the way out
                   ingress_groups[class] who names a group of this set on the way in
by ACL             words[acl][position]  a bit for each kind of packet that its first match admits
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aws_vpc.matrix_bits import Bits, Numbers, joined, packed, painted, width
from aws_vpc.matrix_positions import Positions
from aws_vpc.matrix_rules import Entries, Kinds, Rules, Wire, entries, joined_rules, rules
from aws_vpc.network import Acl, Network

Flags = NDArray[np.bool_]
Words = NDArray[Any]


class Groups:
    """The security groups of a network, ready for any packet."""

    def __init__(self, places: Positions) -> None:
        self.places = places
        self.number = {name: at for at, name in enumerate(places.network.groups)}
        self.rules = rules(places, places.network.groups.values(), self.number)
        self.members = member_rows(places, self.number)
        pairs = [
            (at, self.number[group])
            for at, name in enumerate(places.classes.names)
            for group in name[0]
            if group in self.number
        ]
        self.held = np.array(pairs, np.int64).reshape(-1, 2)

    def classes_with(self, groups: Numbers) -> Numbers:
        """The classes that hold one of the groups."""
        return np.unique(self.held[np.isin(self.held[:, 1], groups), 0])

    def replace(self, network: Network, changed: Sequence[str]) -> None:
        """Takes the changed groups' rules from another network with the same groups."""
        at = np.array([self.number[name] for name in changed], np.int64)
        kept = ~np.isin(self.rules.group, at)
        fresh = rules(self.places, [network.groups[name] for name in changed], self.number)
        self.rules = filtered(self.rules, kept, fresh)


def filtered(held: Rules, kept: Flags, more: Rules) -> Rules:
    """The kept lines, and more."""
    some = Rules(
        Kinds(*(column[kept] for column in vars(held.kinds).values())),
        *(column[kept] for name, column in vars(held).items() if name != "kinds"),
    )
    return joined_rules([some, more])


def member_rows(places: Positions, number: dict[str, int]) -> Bits:
    """A row for each group: its members."""
    pairs = [
        (number[name], one) for name, members in places.members.items() if name in number for one in members
    ]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return painted(len(number), len(places), found[:, 0], found[:, 1], found[:, 1] + 1)


@dataclass
class GroupTables:
    """What sets of security groups allow of one kind of packet; a row for each of `places.classes`."""

    wire: Wire
    egress: Bits
    ingress: Bits
    egress_groups: Bits
    ingress_groups: Bits
    doubt: Flags  # where a rule names a prefix list that is not known


def group_tables(groups: Groups, wire: Wire) -> GroupTables:
    """The tables of every class."""
    classes = np.arange(len(groups.places.classes.names))
    shape = (len(classes), width(len(groups.places)))
    egress, ingress, named, naming = (np.zeros(shape, np.uint8) for _ in range(4))
    tables = GroupTables(wire, egress, ingress, named, naming, np.zeros(shape[0], np.bool_))
    refill(groups, tables, classes)
    return tables


def refill(groups: Groups, tables: GroupTables, classes: Numbers) -> None:
    """Computes the rows of these classes again."""
    here = np.isin(groups.held[:, 0], classes)
    row, part = np.searchsorted(classes, groups.held[here, 0]), groups.held[here, 1]
    needed, part = np.unique(part, return_inverse=True)
    count = len(classes)
    for egress, table in ((True, tables.egress), (False, tables.ingress)):
        table[classes] = joined(by_address(groups, tables.wire, egress, needed), row, part, count)
    tables.egress_groups[classes] = joined(by_name(groups, tables.wire, True, needed), row, part, count)
    tables.ingress_groups[classes] = joined(by_name(groups, tables.wire, False, needed), row, part, count)
    every = packed(np.ones(len(groups.places), np.bool_))
    for name in classes:
        if not groups.places.classes.names[name][1]:
            tables.egress[name] = tables.ingress[name] = every
    lost = groups.rules.group[groups.rules.kinds.fit(tables.wire) & (groups.rules.unknown == 1)]
    tables.doubt[:] = False
    tables.doubt[groups.classes_with(lost)] = True


def by_address(groups: Groups, wire: Wire, egress: bool, needed: Numbers) -> Bits:
    """A row for each needed group: the positions whose addresses one of its rules allows."""
    held = groups.rules
    here = held.chosen(wire, egress, False) & np.isin(held.group, needed)
    row = np.searchsorted(needed, held.group[here])
    return painted(len(needed), len(groups.places), row, held.start[here], held.end[here])


def by_name(groups: Groups, wire: Wire, egress: bool, needed: Numbers) -> Bits:
    """A row for each needed group: the members of those that it names (egress), or that name it (ingress)."""
    held = groups.rules
    mine, other = (held.group, held.named) if egress else (held.named, held.group)
    here = held.chosen(wire, egress, True) & np.isin(mine, needed)
    pairs = np.unique(np.stack([np.searchsorted(needed, mine[here]), other[here]]), axis=1)
    return joined(groups.members, pairs[0], pairs[1], len(needed))


class Acls:
    """The network ACLs of a network; row 0 stands for none at all, those with the same entries share a
    row.
    """

    def __init__(self, places: Positions) -> None:
        self.places = places
        self.rows: dict[object, int] = {None: 0}
        self.row = {name: self.put(acl) for name, acl in places.network.acls.items()}

    def put(self, acl: Acl) -> int:
        """The row of an ACL, made where there is none with its entries yet."""
        return self.rows.setdefault(acl.entries, len(self.rows))

    def row_of(self, network: Network, subnet: str | None) -> int:
        """The row of a subnet's ACL."""
        found = network.acl_of(subnet) if subnet else None
        return self.row[found.id] if found else 0

    @cached_property
    def lines(self) -> dict[bool, Entries]:
        """The entries on the way in and on the way out."""
        held = {row: own for own, row in self.rows.items() if own is not None}
        return {way: entries(self.places, held, way) for way in (False, True)}  # type: ignore[arg-type]

    def words(self, wires: Sequence[Wire], egress: bool) -> Words:
        """By row and position: which of at most 64 kinds of packets are admitted, a bit for each."""
        size = next(bits for bits in (8, 16, 32, 64) if len(wires) <= bits)
        kind = np.dtype(f"u{size // 8}").type
        found = np.zeros((len(self.rows), len(self.places)), kind)
        found[0] = (1 << len(wires)) - 1
        held = self.lines[egress]
        masks = np.zeros(len(held.lines), kind)
        for at, wire in enumerate(wires):
            masks |= held.kinds.fit(wire).astype(kind) << kind(at)
        for mask, (row, start, end, allow) in zip(masks, held.lines, strict=True):
            if mask:
                part = found[row, start:end]
                found[row, start:end] = part | mask if allow else part & ~mask
        return found
