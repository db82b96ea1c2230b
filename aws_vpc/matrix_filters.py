"""Security groups and network ACLs as rows of bits over positions, for one protocol and port.

by set of groups   egress[class]  addresses allowed on the way out     ingress[class]  on the way in
                   egress_groups  members of groups named on the way out
                   ingress_groups who names a group of this set on the way in
by ACL             acl(egress)    addresses that its first match admits
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aws_vpc.matrix_bits import Bits, Numbers, joined, packed, painted, width
from aws_vpc.matrix_positions import Positions, Run
from aws_vpc.network import Acl, AclEntry, IcmpKind, SecurityGroup, SecurityGroupRule
from aws_vpc.network_values import ANY_PROTOCOL, ICMP, ICMPV6, WITH_PORTS


@dataclass(frozen=True)
class Wire:
    """What filters look at beside addresses: the protocol, the destination port, the ICMP type."""

    protocol: int
    port: int | None = None
    icmp: IcmpKind | None = None

    def fits(self, rule: SecurityGroupRule | AclEntry) -> bool:
        """Whether a rule or entry is about such packets."""
        if rule.protocol in (ANY_PROTOCOL, self.protocol):
            if rule.protocol in WITH_PORTS:
                return rule.ports is None or (self.port is not None and self.port in rule.ports)
            if rule.protocol in (ICMP, ICMPV6) and rule.icmp and self.icmp:
                return rule.icmp.type in (-1, self.icmp.type) and rule.icmp.code in (-1, self.icmp.code)
            return True
        return False


@dataclass
class GroupTables:
    """What sets of security groups allow; a row for each of `places.classes`."""

    places: Positions
    wire: Wire
    egress: Bits
    ingress: Bits
    egress_groups: Bits
    ingress_groups: Bits


def numbered(places: Positions) -> dict[str, int]:
    """A number for every group that an interface has or a rule names."""
    return {name: number for number, name in enumerate(places.network.groups)}


def runs(places: Positions, rule: SecurityGroupRule) -> list[Run]:
    """The positions that a rule names by their addresses."""
    if rule.block is not None:
        return [places.run(rule.block)]
    known = places.network.prefix_lists.get(rule.prefix_list or "")
    return [places.run(block) for block in known.blocks] if known else []


def group_tables(places: Positions, wire: Wire) -> GroupTables:
    """The tables of all groups."""
    shape = (len(places.classes.names), width(len(places)))
    tables = GroupTables(places, wire, *(np.zeros(shape, np.uint8) for _ in range(4)))
    refill(tables, list(places.network.groups.values()), range(shape[0]))
    return tables


def refill(tables: GroupTables, groups: Sequence[SecurityGroup], classes: Iterable[int]) -> None:
    """Computes the rows of the classes again; `groups` are all groups that these classes hold."""
    places, chosen = tables.places, np.array(list(classes), np.int64)
    number = {one.id: at for at, one in enumerate(groups)}
    row, part = memberships(places, chosen, number)
    for egress, table in ((True, tables.egress), (False, tables.ingress)):
        table[chosen] = joined(by_address(places, tables.wire, groups, egress), row, part, len(chosen))
    for at, name in enumerate(chosen):
        if not places.classes.names[name][1]:
            for table in (tables.egress, tables.ingress):
                table[chosen[at]] = places.flags(range(len(places)))
    tables.egress_groups[chosen] = joined(
        named_on_the_way_out(places, tables.wire, groups), row, part, len(chosen)
    )
    refill_ingress_groups(tables, chosen)


def memberships(places: Positions, classes: Numbers, number: dict[str, int]) -> tuple[Numbers, Numbers]:
    """Pairs of (rank in `classes`, number of a group in it)."""
    pairs = [
        (rank, number[group])
        for rank, name in enumerate(classes)
        for group in places.classes.names[name][0]
        if group in number
    ]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def by_address(places: Positions, wire: Wire, groups: Sequence[SecurityGroup], egress: bool) -> Bits:
    """A row for each group: the positions whose addresses one of its rules allows."""
    pieces = [
        (at, *run)
        for at, group in enumerate(groups)
        for rule in group.rules
        if rule.egress == egress and rule.group is None and wire.fits(rule)
        for run in runs(places, rule)
    ]
    found = np.array(pieces, np.int64).reshape(-1, 3)
    return painted(len(groups), len(places), found[:, 0], found[:, 1], found[:, 2])


def named_on_the_way_out(places: Positions, wire: Wire, groups: Sequence[SecurityGroup]) -> Bits:
    """A row for each group: the members of the groups that its egress rules name."""
    pairs = [
        (at, member, member + 1)
        for at, group in enumerate(groups)
        for name in {rule.group for rule in group.rules if rule.egress and rule.group and wire.fits(rule)}
        for member in places.members.get(name, ())
    ]
    found = np.array(pairs, np.int64).reshape(-1, 3)
    return painted(len(groups), len(places), found[:, 0], found[:, 1], found[:, 2])


def refill_ingress_groups(tables: GroupTables, classes: Numbers) -> None:
    """For each class: the positions with an ingress rule that names a group of the class."""
    places = tables.places
    wanted = {group for name in classes for group in places.classes.names[name][0]}
    number = {name: at for at, name in enumerate(sorted(wanted))}
    pairs = {
        (number[rule.group], group.id)
        for group in places.network.groups.values()
        for rule in group.rules
        if rule.group in number and not rule.egress and tables.wire.fits(rule)
    }
    pieces = [(at, member, member + 1) for at, name in pairs for member in places.members.get(name, ())]
    found = np.array(pieces, np.int64).reshape(-1, 3)
    naming = painted(len(number), len(places), found[:, 0], found[:, 1], found[:, 2])
    tables.ingress_groups[classes] = joined(naming, *memberships(places, classes, number), len(classes))


def acl_row(places: Positions, acl: Acl | None, wire: Wire, egress: bool) -> Bits:
    """The positions that the first matching entry of an ACL admits; the lowest number wins."""
    row = np.full(len(places), acl is None)
    entries = sorted(acl.entries, key=lambda one: -one.number) if acl else ()
    for entry in entries:
        if entry.egress == egress and wire.fits(entry):
            start, end = places.run(entry.block)
            row[start:end] = entry.allow
    return packed(row)


def acl_table(places: Positions, acls: Sequence[Acl | None], wire: Wire, egress: bool) -> Bits:
    """A row for each ACL."""
    rows = [acl_row(places, acl, wire, egress) for acl in acls]
    return np.array(rows, np.uint8).reshape(len(acls), width(len(places)))
