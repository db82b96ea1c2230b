"""Where each subnet's routes lead, for every position at once: one row of bits for each subnet.

A pair is *plain* where the address is delivered by a local route or a peering connection, *transit* where a
transit gateway delivers it by a subnet whose table has it local, and *odd* where something else may (a
middlebox, a NAT gateway on to a transit gateway, what is not modelled): odd pairs are left to `reach.trace`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aws_vpc.matrix_bits import Bits, packed, width
from aws_vpc.matrix_positions import Positions
from aws_vpc.matrix_winners import RIVALS, Codes, Flags, painted
from aws_vpc.network import (
    Network,
    Route,
    RouteTable,
    TransitGatewayAttachment,
    TransitGatewayRouteTable,
)
from aws_vpc.reach_addresses import not_on_internet
from aws_vpc.reach_routes import alive, carrier

# plain, named, keeps, transit, odd, the tables that decide, the transit gateway
Read = tuple[Flags, Flags, Flags, Flags, Flags, set[str], str]
DEAD, LOCAL, PEER, TRANSIT, ODD = range(5)


@dataclass
class Ways:
    """What leaves each subnet; rows are those of `places.subnet`, bits are positions."""

    places: Positions
    plain: Bits
    named: Bits  # where a rule on the way out may name the group of the other end
    keeps: Bits  # where a rule on the way in may
    transit: Bits
    odd: Bits
    entry: list[str | None]  # the subnet by which packets enter the transit gateway
    gateway: list[tuple[str, str]]  # (transit gateway, zone)
    served: dict[str, set[int]]  # what depends on a route table, by its id
    reader: Reader


def ways(places: Positions) -> Ways:
    """The ways out of every subnet."""
    shape = (len(places.subnet.names), width(len(places)))
    plain, named, keeps, transit, odd = (np.zeros(shape, np.uint8) for _ in range(5))
    entry: list[str | None] = [None] * shape[0]
    gateway = [("", "")] * shape[0]
    found = Ways(places, plain, named, keeps, transit, odd, entry, gateway, {}, Reader(places))
    refill(found, range(shape[0]))
    return found


def refill(found: Ways, subnets: Sequence[int] | range) -> None:
    """Computes the rows of some subnets again."""
    reader = found.reader
    for number in subnets:
        name = str(found.places.subnet.names[number])
        leads = reader.leads(name)
        for table, flags in zip(
            (found.plain, found.named, found.keeps, found.transit, found.odd), leads.flags, strict=True
        ):
            table[number] = packed(flags)
        found.entry[number], found.gateway[number] = leads.entry, leads.gateway
        for one in leads.tables:
            found.served.setdefault(one, set()).add(number)


@dataclass
class Leads:
    """The rows of one subnet, not yet packed."""

    flags: tuple[Flags, Flags, Flags, Flags, Flags]
    entry: str | None
    gateway: tuple[str, str]
    tables: set[str]


class Reader:
    """Reads route tables once each."""

    def __init__(self, places: Positions) -> None:
        self.places, self.network = places, places.network
        self.codes: dict[str, tuple[Codes, Codes]] = {}
        self.also: dict[str, set[str]] = {}  # the tables that decide with a table, behind NAT gateways
        self.exits: dict[tuple[str, str], tuple[Flags, Flags, str]] = {}
        self.known: dict[tuple[str, str, str], Read] = {}
        self.beyond: dict[tuple[str, str, str], tuple[Flags, Flags, Flags, set[str]]] = {}
        self.vpc = places.vpc.number
        self.private = np.array([_private(places, number) for number in range(len(places))], np.bool_)

    def forget(self, tables: set[str]) -> None:
        """Reads these tables anew when they are next needed."""
        for name in tables:
            self.codes.pop(name, None)
        self.codes = {
            name: one for name, one in self.codes.items() if not self.also.get(name, set()) & tables
        }
        self.exits = {key: one for key, one in self.exits.items() if one[2] in self.codes or not one[2]}
        self.beyond = {key: one for key, one in self.beyond.items() if not one[3] & tables}
        self.known = {key: one for key, one in self.known.items() if not one[5] & tables}

    def leads(self, subnet: str) -> Leads:
        """Where the packets of a subnet come to."""
        home = self.network.subnets[subnet]
        table = self.network.table_of(subnet)
        size = len(self.places)
        inside = np.zeros(size, np.bool_)
        for block in home.cidrs:
            start, end = self.places.run(block)
            inside[start:end] = True
        if table is None:
            none = np.zeros(size, np.bool_)
            return Leads((none, none, none, none, ~inside), None, ("", ""), set())
        plain, named, keeps, transit, odd, tables, gateway = self.from_table(table, home.vpc, home.zone)
        entry = self.door(gateway, home.vpc, home.zone)
        flags = (plain & ~inside, named & ~inside, keeps & ~inside, transit & ~inside, odd & ~inside)
        return Leads(flags, entry, (gateway, home.zone), tables)

    def from_table(self, table: RouteTable, vpc: str, zone: str) -> Read:
        """The same for any subnet of a zone that has the table."""
        key = (table.id, vpc, zone)
        if key not in self.known:
            self.known[key] = self._from_table(table, vpc, zone)
        return self.known[key]

    def _from_table(self, table: RouteTable, vpc: str, zone: str) -> Read:
        codes, numbers = self.coded(table)
        tables = {table.id} | self.also.get(table.id, set())
        plain = (codes == LOCAL) & (self.places.vpc.of == self.vpc.get(vpc, -1))
        named = plain.copy()
        transit, keeps_in_transit = np.zeros_like(plain), np.zeros_like(plain)
        odd = codes == ODD
        first = ""
        for number in np.unique(numbers[codes == PEER]):
            peering = self.network.peerings[table.routes[number].target]
            sides = (peering.requester, peering.accepter)
            far, near = (sides[1], sides[0]) if sides[0].vpc == vpc else sides
            there = (numbers == number) & (self.places.vpc.of == self.vpc.get(far.vpc, -1))
            plain |= there
            if near.region == far.region:
                named |= there
            if far.vpc not in self.network.vpcs:
                odd |= numbers == number
        for number in np.unique(numbers[codes == TRANSIT]):
            gateway = table.routes[number].target
            there = numbers == number
            if first not in ("", gateway):
                odd |= there
                continue
            first = gateway
            through, kept, other, more = self.through(gateway, vpc, zone)
            transit |= there & through
            keeps_in_transit |= there & through & kept
            odd |= there & other
            tables |= more
        return plain, named, named | keeps_in_transit, transit, odd, tables, first

    def coded(self, table: RouteTable) -> tuple[Codes, Codes]:
        """For every position what its route is, and its number."""
        if table.id not in self.codes:
            self.codes[table.id] = self._coded(table)
        return self.codes[table.id]

    def _coded(self, table: RouteTable) -> tuple[Codes, Codes]:
        winners = painted(self.places, table.routes)
        kinds = np.array([*(self.code(route, table.vpc) for route in table.routes), ODD, DEAD], np.int64)
        codes = kinds[winners.of]
        if any(
            route.prefix_list and route.prefix_list not in self.network.prefix_lists for route in table.routes
        ):
            codes = np.where(~self.private & (codes != LOCAL), ODD, codes)
        for number, route in enumerate(table.routes):
            if kinds[number] == ODD and route.target in self.network.nat_gateways:
                here = winners.of == number
                behind = self.network.table_of(self.network.nat_gateways[route.target].subnet or "")
                self.also.setdefault(table.id, set()).update({behind.id} if behind else ())
                codes[here] = np.where(self.after_nat(route.target)[here], ODD, DEAD)
            elif kinds[number] == DEAD and not self.private.all() and self.outward(route, table.vpc):
                codes[(winners.of == number) & ~self.private] = ODD
        return codes, winners.of

    def outward(self, route: Route, vpc: str) -> bool:
        """Whether the route leads to the internet."""
        network = self.network
        gates = (network.internet_gateways, network.egress_only_gateways, network.nat_gateways)
        return alive(network, route, vpc) and any(route.target in one for one in gates)

    def code(self, route: Route, vpc: str) -> int:
        """What a route does with private addresses of interfaces."""
        network, target = self.network, route.target
        if route.local:
            return LOCAL
        if target in network.unmodelled:
            return ODD
        if not alive(network, route, vpc):
            return DEAD
        if target in network.peerings:
            return PEER
        if target in network.transit_gateways:
            return TRANSIT
        if carrier(network, target):
            return ODD
        nat = network.nat_gateways.get(target)
        return ODD if nat and nat.subnet else DEAD

    def after_nat(self, name: str) -> Flags:
        """Where a NAT gateway may deliver to: what its subnet's table does not send to the internet or
        a peer.
        """
        subnet = self.network.nat_gateways[name].subnet or ""
        table = self.network.table_of(subnet)
        if table is None:
            return np.ones(len(self.places), np.bool_)
        winners = painted(self.places, table.routes)
        kinds = [self.code(route, table.vpc) in (LOCAL, TRANSIT, ODD) for route in table.routes]
        return np.array([*kinds, True, False], np.bool_)[winners.of]

    def door(self, gateway: str, vpc: str, zone: str) -> str | None:
        """The subnet by which a VPC's packets of a zone enter a transit gateway."""
        attachment = self.network.attachments_of.get((gateway, vpc))
        inside = attachment.subnets if attachment else ()
        return next((one for one in inside if self.network.subnets[one].zone == zone), None)

    def through(self, gateway: str, vpc: str, zone: str) -> tuple[Flags, Flags, Flags, set[str]]:
        """What a transit gateway delivers of a VPC's packets of a zone, keeping references, and what
        is odd.
        """
        network = self.network
        came_by = network.attachments_of[(gateway, vpc)]
        table = network.transit_table_of.get((gateway, came_by.id))
        none = np.zeros(len(self.places), np.bool_)
        if self.door(gateway, vpc, zone) is None or table is None:
            return none, none, none, set()
        key = (gateway, table.id, zone)
        if key not in self.beyond:
            self.beyond[key] = self._through(table, zone)
        through, kept, odd, tables = self.beyond[key]
        return through, kept if self.references(gateway, came_by) else none, odd, tables

    def _through(self, table: TransitGatewayRouteTable, zone: str) -> tuple[Flags, Flags, Flags, set[str]]:
        network, none = self.network, np.zeros(len(self.places), np.bool_)
        if any(route.prefix_list and route.prefix_list not in network.prefix_lists for route in table.routes):
            return none, none, ~none, set()
        winners = painted(self.places, table.routes)
        through, kept, odd, tables = none.copy(), none.copy(), winners.of == RIVALS, set()
        for number in np.unique(winners.of[winners.of >= 0]):
            route, here = table.routes[number], winners.of == number
            attachment = network.attachments.get(route.attachment or "")
            if attachment is None or attachment.kind == "peering":
                odd |= here & (route.state == "active")
            elif route.state == "active" and attachment.state == "available":
                there, other, exit_table = self.out_of(attachment, zone)
                through |= here & there
                odd |= here & other
                tables |= {exit_table, *self.also.get(exit_table, ())}
                if self.references(table.gateway, attachment):
                    kept |= here
        return through, kept, odd, tables

    def references(self, gateway: str, *attachments: TransitGatewayAttachment) -> bool:
        """Whether rules may name groups across the transit gateway."""
        option = self.network.transit_gateways[gateway].security_group_referencing
        return option and all(one.security_group_referencing for one in attachments)

    def out_of(self, attachment: TransitGatewayAttachment, zone: str) -> tuple[Flags, Flags, str]:
        """What is delivered locally from the attachment's subnet, what is odd there, and the table asked."""
        key = (attachment.id, zone)
        if key not in self.exits:
            self.exits[key] = self._out_of(attachment, zone)
        return self.exits[key]

    def _out_of(self, attachment: TransitGatewayAttachment, zone: str) -> tuple[Flags, Flags, str]:
        door = exit_subnet(self.network, attachment, zone)
        table = self.network.table_of(door) if door else None
        size = len(self.places)
        if table is None or door is None:
            return np.zeros(size, np.bool_), np.ones(size, np.bool_), ""
        codes, _ = self.coded(table)
        there = (codes == LOCAL) & (self.places.vpc.of == self.vpc.get(attachment.resource, -1))
        odd = np.isin(codes, (PEER, TRANSIT, ODD))
        for block in self.network.subnets[door].cidrs:
            start, end = self.places.run(block)
            there[start:end], odd[start:end] = False, True
        return there, odd, table.id


def exit_subnet(network: Network, attachment: TransitGatewayAttachment, zone: str) -> str | None:
    """The subnet by which packets of a zone come out of an attachment (rule 29)."""
    by_zone = sorted(attachment.subnets, key=lambda one: (network.subnets[one].zone, one))
    same = [one for one in by_zone if network.subnets[one].zone == zone and not attachment.appliance_mode]
    return next(iter(same or by_zone), None)


def _private(places: Positions, number: int) -> bool:
    return not_on_internet(places.address(number)) is not None
