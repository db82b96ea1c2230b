"""What in a network contradicts itself, each with the ids: facts that AWS would not give together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from aws_vpc.network import Network, Subnet
from aws_vpc.network_routes import ACTIVE


def faults(network: Network) -> list[str]:
    """Every contradiction, in one line each; none in what AWS itself answers."""
    return [*_places(network), *_routes(network), *_overlaps(network), *_twice(network)]


def _places(network: Network) -> Iterator[str]:
    for subnet in network.subnets.values():
        if subnet.vpc not in network.vpcs:
            yield f"subnet {subnet.id} is in {subnet.vpc}, which is no VPC here"
        elif outside := _outside(network, subnet):
            yield f"subnet {subnet.id} has {outside}, which {subnet.vpc} has not"
    for eni in network.interfaces.values():
        if eni.subnet and eni.subnet not in network.subnets:
            yield f"interface {eni.id} is in {eni.subnet}, which is no subnet here"
    for table in network.route_tables.values():
        if table.vpc not in network.vpcs:
            yield f"route table {table.id} is in {table.vpc}, which is no VPC here"
        for end in table.subnets:
            if end not in network.subnets:
                yield f"route table {table.id} is associated with {end}, which is no subnet here"
    for nat in network.nat_gateways.values():
        if nat.subnet and nat.subnet not in network.subnets and nat.state == "available":
            yield f"NAT gateway {nat.id} is in {nat.subnet}, which is no subnet here"
    for attachment in network.attachments.values():
        for end in attachment.subnets:
            if end not in network.subnets and attachment.resource in network.vpcs:
                yield f"attachment {attachment.id} is in {end}, which is no subnet here"


def _outside(network: Network, subnet: Subnet) -> str:
    own = network.vpcs[subnet.vpc].cidrs
    return next(
        (
            str(cidr)
            for cidr in subnet.cidrs
            if not any(
                cidr.version == it.version
                and int(it.network_address) <= int(cidr.network_address)
                and int(cidr.broadcast_address) <= int(it.broadcast_address)
                for it in own
            )
        ),
        "",
    )


def _routes(network: Network) -> Iterator[str]:
    for table in network.route_tables.values():
        for route in table.routes:
            if not route.local and route.state == ACTIVE and route.target not in network.components:
                to = route.destination or route.prefix_list
                yield f"route table {table.id} sends {to} to {route.target}, which does not exist here"


def _overlaps(network: Network) -> Iterator[str]:
    for peering in network.peerings.values():
        sides = [network.vpcs.get(it.vpc) for it in (peering.requester, peering.accepter)]
        if peering.state == "active" and sides[0] and sides[1]:
            for left in sides[0].cidrs:
                for right in sides[1].cidrs:
                    if left.version == right.version and left.overlaps(right):
                        names = f"{sides[0].id} ({left}) and {sides[1].id} ({right})"
                        yield f"peering connection {peering.id} joins {names}, which overlap"
    for vpc, subnets in network.subnets_of.items():
        for one, other in combinations(subnets, 2):
            if any(a.version == b.version and a.overlaps(b) for a in one.cidrs for b in other.cidrs):
                yield f"subnets {one.id} and {other.id} of {vpc} overlap"


def _twice(network: Network) -> Iterator[str]:
    for what, ends in (
        ("route table", [end for it in network.route_tables.values() for end in it.subnets]),
        ("network ACL", [end for it in network.acls.values() for end in it.subnets]),
    ):
        for end, times in Counter(ends).items():
            if times > 1:
                yield f"subnet {end} is associated with more than one {what}"
    for acl in network.acls.values():
        for (number, egress), times in Counter((it.number, it.egress) for it in acl.entries).items():
            if times > 1 and number < 32767:
                yield f"network ACL {acl.id} has {'outbound' if egress else 'inbound'} entry {number} twice"
    seen: dict[tuple[str, object], str] = {}
    for eni in network.interfaces.values():
        for address in eni.addresses:
            if other := seen.get((eni.vpc, address)):
                yield f"interfaces {other} and {eni.id} both have {address} in {eni.vpc}"
            seen[(eni.vpc, address)] = eni.id
