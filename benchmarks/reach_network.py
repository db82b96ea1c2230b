"""A large network out of a seed, for benchmarks/reach.py: VPCs of 100 interfaces, joined by peering and a
transit gateway.

Each VPC has 20 subnets in 3 zones, 4 route tables, an ACL for every second subnet (11 entries each way), 10
security groups of 30 rules each (half of them name groups, of the VPC itself or of a peer), an internet and
a NAT gateway, and peering connections to its neighbours; two of three hang on one transit gateway.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_address, ip_network
from random import Random
from typing import Any

from aws_vpc.network import (
    Acl,
    AclEntry,
    InternetGateway,
    NatAddress,
    NatGateway,
    Network,
    NetworkInterface,
    PeeringConnection,
    PeeringSide,
    PortRange,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    TransitGateway,
    TransitGatewayAttachment,
    TransitGatewayRoute,
    TransitGatewayRouteTable,
    Vpc,
)

ZONES = ("a", "b", "c")
SUBNETS, GROUPS, RULES, ENTRIES, NEIGHBOURS = 20, 10, 30, 11, 4
SERVICES = (
    22,
    53,
    80,
    443,
    1433,
    2049,
    3306,
    3389,
    5432,
    5439,
    5672,
    6379,
    8000,
    8080,
    8443,
    9092,
    9200,
    27017,
)
RANGES = (PortRange(1024, 65535), PortRange(32768, 61000), PortRange(49152, 65535), PortRange(8000, 8999))
EVERYWHERE = ip_network("0.0.0.0/0")


@dataclass
class Site:
    """One VPC while it is made."""

    number: int
    cidr: IPv4Network
    id: str
    subnets: list[Subnet] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    peers: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Making:
    """Everything while it is made."""

    random: Random
    sites: list[Site]
    made: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, kind: str, one: Any) -> Any:
        self.made.setdefault(kind, {})[one.id] = one
        return one


def large(interfaces: int, seed: int = 20261126) -> Network:
    """A network of that many interfaces, 100 to a VPC."""
    sites = [
        Site(number, IPv4Network((0x0A000000 + (number << 16), 16)), f"vpc-{number:03}")
        for number in range(max(1, interfaces // 100))
    ]
    making = Making(Random(seed), sites)
    for site in sites:
        site.groups = [f"sg-{site.number:03}{part}" for part in range(GROUPS)]
        making.add("vpcs", Vpc(site.id, (site.cidr,), "us-west-2"))
        subnets(making, site)
    peerings(making)
    for site in sites:
        ports_of_call(making, site)
        filters(making, site)
        machines(making, site, min(100, interfaces))
    transit(making)
    for site in sites:
        tables(making, site)
    return Network(**making.made)


def subnets(making: Making, site: Site) -> None:
    """Twenty /24s, and three /28s for the transit gateway."""
    for part in range(SUBNETS):
        block = IPv4Network((int(site.cidr.network_address) + (part << 8), 24))
        name = f"subnet-{site.number:03}{part:02}"
        site.subnets.append(making.add("subnets", Subnet(name, site.id, ZONES[part % 3], (block,))))
    for part, zone in enumerate(ZONES):
        block = IPv4Network((int(site.cidr.network_address) + (250 << 8) + (part << 4), 28))
        making.add("subnets", Subnet(f"subnet-{site.number:03}t{zone}", site.id, zone, (block,)))


def peerings(making: Making) -> None:
    """Each VPC with its next neighbours, in a ring."""
    count = len(making.sites)
    for site in making.sites:
        for step in range(1, NEIGHBOURS + 1):
            other = making.sites[(site.number + step) % count]
            if other is site or any(number == other.number for _, number in site.peers):
                continue
            sides = [PeeringSide(one.id, (one.cidr,), "us-west-2") for one in (site, other)]
            name = making.add(
                "peerings", PeeringConnection(f"pcx-{site.number:03}{other.number:03}", *sides)
            ).id
            site.peers.append((name, other.number))
            other.peers.append((name, site.number))


def ports_of_call(making: Making, site: Site) -> None:
    """The way to the internet."""
    making.add("internet_gateways", InternetGateway(f"igw-{site.number:03}", site.id))
    home = site.subnets[0]
    inner, outer = home.cidrs[0].network_address + 250, ip_address("52.0.0.0") + site.number
    owned = {"owner": f"nat-{site.number:03}", "kind": "nat_gateway", "filtered": False}
    at = NetworkInterface(f"eni-nat-{site.number:03}", home.id, site.id, (inner,), **owned)
    making.add("interfaces", at)
    address = NatAddress(inner, outer, at.id)
    making.add("nat_gateways", NatGateway(f"nat-{site.number:03}", site.id, home.id, (address,)))


def filters(making: Making, site: Site) -> None:
    """Security groups and ACLs."""
    near = [making.sites[number] for _, number in site.peers]
    for name in site.groups:
        rules = tuple(rule(making.random, site, near) for _ in range(RULES))
        making.add("groups", SecurityGroup(name, site.id, rules))
    for subnet in site.subnets[::2]:
        entries = [*acl_entries(making.random, False), *acl_entries(making.random, True)]
        making.add("acls", Acl(f"acl-{subnet.id[7:]}", site.id, tuple(entries), (subnet.id,)))
    open_all = tuple(AclEntry(100, egress, True, EVERYWHERE) for egress in (False, True))
    making.add("acls", Acl(f"acl-{site.number:03}", site.id, open_all, default=True))


def rule(random: Random, site: Site, near: list[Site]) -> SecurityGroupRule:
    """A rule: half of them name a group, the others a block of the VPC or of a neighbour."""
    egress = random.random() < 0.5
    ports = random.choice(RANGES) if random.random() < 0.2 else PortRange(*[random.choice(SERVICES)] * 2)
    ends = [site, *near]
    if random.random() < 0.5:
        return SecurityGroupRule(egress, 6, ports, group=random.choice(random.choice(ends).groups))
    if egress and random.random() < 0.3:
        return SecurityGroupRule(egress, -1, block=EVERYWHERE)
    end = random.choice(ends)
    block = random.choice([end.cidr, *(one.cidrs[0] for one in end.subnets)])
    return SecurityGroupRule(egress, 6, ports, block=block)


def acl_entries(random: Random, egress: bool) -> list[AclEntry]:
    """Ten entries of all kinds, and one that lets the rest through."""
    found = []
    for number in range(ENTRIES - 1):
        ports = random.choice(RANGES) if random.random() < 0.3 else PortRange(*[random.choice(SERVICES)] * 2)
        block = IPv4Network((0x0A000000 + (random.randrange(100) << 16) + (random.randrange(16) << 12), 20))
        found.append(AclEntry(10 + number, egress, random.random() < 0.5, block, 6, ports))
    return [*found, AclEntry(900, egress, True, EVERYWHERE)]


def machines(making: Making, site: Site, count: int) -> None:
    """Interfaces, evenly over the subnets, in one to four groups."""
    for number in range(count - 1):  # the NAT gateway has one too
        home = site.subnets[number % SUBNETS]
        address = home.cidrs[0].network_address + 10 + number // SUBNETS
        groups = tuple(sorted(making.random.sample(site.groups, making.random.randint(1, 4))))
        name = f"eni-{site.number:03}{number:02}"
        making.add("interfaces", NetworkInterface(name, home.id, site.id, (address,), groups))


def transit(making: Making) -> None:
    """Two of three VPCs on one transit gateway, all in one table."""
    making.add("transit_gateways", TransitGateway("tgw-0", security_group_referencing=True))
    routes, attachments = [], []
    for site in making.sites:
        if site.number % 3:
            name = f"tgw-attach-{site.number:03}"
            doors = tuple(f"subnet-{site.number:03}t{zone}" for zone in ZONES)
            making.add("attachments", TransitGatewayAttachment(name, "tgw-0", site.id, "vpc", doors))
            attachments.append(name)
            routes.append(TransitGatewayRoute(name, site.cidr, origin="propagated"))
    table = TransitGatewayRouteTable(
        "tgw-rtb-0", "tgw-0", tuple(routes), tuple(attachments), tuple(attachments)
    )
    making.add("transit_tables", table)


def tables(making: Making, site: Site) -> None:
    """One public table, and one of each zone for the others; the main one has the local route alone."""
    local = Route("local", site.cidr, origin="CreateRouteTable")
    over = [Route(name, making.sites[number].cidr) for name, number in site.peers]
    if site.number % 3:
        over.append(Route("tgw-0", ip_network("10.0.0.0/8")))
    out = Route(f"igw-{site.number:03}", EVERYWHERE)
    public = tuple(one.id for one in site.subnets[:3])
    making.add("route_tables", RouteTable(f"rtb-{site.number:03}p", site.id, (local, *over, out), public))
    nat = Route(f"nat-{site.number:03}", EVERYWHERE)
    for zone in ZONES:
        own = tuple(one.id for one in site.subnets[3:] if one.zone == zone)
        making.add(
            "route_tables", RouteTable(f"rtb-{site.number:03}{zone}", site.id, (local, *over, nat), own)
        )
    making.add("route_tables", RouteTable(f"rtb-{site.number:03}m", site.id, (local,), main=True))
