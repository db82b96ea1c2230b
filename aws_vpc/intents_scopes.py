"""Network Access Analyzer scopes, unchanged: paths that match and are not excluded.

AWS's rules (Network Access Analyzer guide, resource statements and packet headers): a statement names
resources or their types; a header names protocols, addresses and ports; a finding is a path that meets one
match and no exclude; paths are looked at in one direction. Without a protocol, TCP and UDP are meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any

from aws_vpc.errors import UsageError
from aws_vpc.network import Block, Network, PortRange
from aws_vpc.network_names import End, find, interfaces_of
from aws_vpc.network_values import ALL_PORTS, INTERNET, TCP, UDP
from aws_vpc.reach_filters import joined, overlap, without
from aws_vpc.reach_types import Trace

TYPES = {
    "AWS::EC2::InternetGateway": "internet_gateways",
    "AWS::EC2::NatGateway": "nat_gateways",
    "AWS::EC2::TransitGatewayAttachment": "attachments",
    "AWS::EC2::VPCEndpoint": "endpoints",
    "AWS::EC2::VPCPeeringConnection": "peerings",
    "AWS::EC2::NetworkInterface": "interfaces",
    "AWS::EC2::Instance": "instances",
    "AWS::EC2::Subnet": "subnets",
    "AWS::EC2::VPC": "vpcs",
    "AWS::EC2::SecurityGroup": "groups",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "load_balancers",
}
NOT_MODELLED = {"AWS::EC2::VPNGateway", "AWS::NetworkFirewall::Firewall", "AWS::EC2::VPCEndpointService",
                "AWS::ElasticLoadBalancing::LoadBalancer"}  # fmt: skip
NUMBERS = {"tcp": TCP, "udp": UDP}


@dataclass(frozen=True)
class Header:
    """A packet header statement; empty members leave open."""

    protocols: tuple[int, ...] = (TCP, UDP)
    sources: tuple[Block, ...] = ()
    destinations: tuple[Block, ...] = ()
    ports: tuple[PortRange, ...] = ()


@dataclass(frozen=True)
class Side:
    """One end of a path statement: components (None for any) and the header."""

    components: frozenset[str] | None
    header: Header


def scope_paths(network: Network, scope: Mapping[str, Any]) -> Iterator[Trace]:
    """The findings of the scope."""
    from aws_vpc.intents_check import arriving

    excluded = [_statement(network, it) for it in scope.get("ExcludePaths") or ()]
    matched = [_statement(network, it) for it in scope.get("MatchPaths") or ()]
    headers = [side.header for it in (*matched, *excluded) for side in it[:2]]
    apart = [block for header in headers for block in (*header.sources, *header.destinations)]
    for source, destination, through in matched:
        ends = _ends(network, source), _ends(network, destination)
        for protocol in sorted({*source.header.protocols} & {*destination.header.protocols}):
            ports = source.header.ports or destination.header.ports
            for found in arriving(network, *ends, protocol, ports, apart):
                meets = _meets(network, found, source, destination, through)
                if meets and (left := _left(network, found, excluded)):
                    yield left


def _left(network: Network, found: Trace, excluded: Sequence[Any]) -> Trace | None:
    """The trace without the ports that excludes cover; None when nothing is left."""
    for source, destination, through in excluded:
        headers = (source.header, destination.header)
        if any(found.flow.protocol not in it.protocols for it in headers):
            continue
        if not _meets(network, found, source, destination, through):
            continue
        covered = source.header.ports or destination.header.ports
        if not covered:
            return None
        left = list(found.ports or (ALL_PORTS,))
        for ports in covered:
            left = [rest for one in left for rest in without(one, ports)]
        if not left:
            return None
        found = replace(found, ports=joined(left))
    return found


def _meets(
    network: Network, found: Trace, source: Side, destination: Side, through: Sequence[frozenset[str]]
) -> bool:
    flow = found.flow
    sides = ((source, flow.source, found.forward[:1]), (destination, flow.destination, found.forward[-1:]))
    for side, component, hops in sides:
        touched = {component, *(hop.component for hop in hops)}
        if side.components is not None and not touched & _spread(network, side.components):
            return False
    for blocks, address in (
        ((*source.header.sources, *destination.header.sources), flow.source_address),
        ((*source.header.destinations, *destination.header.destinations), flow.destination_address),
    ):
        if blocks and not any(address in it for it in blocks):
            return False
    return all(it & found.passes for it in through)


def _spread(network: Network, components: frozenset[str]) -> set[str]:
    """The components, and the interfaces that they stand for; a gateway stands for the internet behind it."""
    found = {it for one in components if one in network.components for it in interfaces_of(network, one)}
    found |= set(components)
    return found | {INTERNET} if components & set(network.internet_gateways) else found


def _ends(network: Network, side: Side) -> list[End]:
    if side.components is None:
        return [End("any", interfaces=tuple(network.interfaces)), End(INTERNET, INTERNET)]
    gateways = side.components & set(network.internet_gateways)
    rest = sorted(side.components - gateways)
    ends = [End(it, it, interfaces_of(network, it)) for it in rest]
    return [*ends, End(INTERNET, INTERNET)] if gateways else ends


def _statement(network: Network, row: Mapping[str, Any]) -> tuple[Side, Side, list[frozenset[str]]]:
    through = []
    for it in row.get("ThroughResources") or ():
        named = _resources(network, it.get("ResourceStatement") or {})
        if named is not None:
            through.append(frozenset(_spread(network, named)))
    return _side(network, row.get("Source") or {}), _side(network, row.get("Destination") or {}), through


def _side(network: Network, row: Mapping[str, Any]) -> Side:
    return Side(
        _resources(network, row.get("ResourceStatement") or {}),
        _header(network, row.get("PacketHeaderStatement") or {}),
    )


def _resources(network: Network, row: Mapping[str, Any]) -> frozenset[str] | None:
    named = row.get("Resources") or ()
    found = {find(network, str(it)).component for it in named}
    for kind in row.get("ResourceTypes") or ():
        if kind in NOT_MODELLED:
            raise UsageError(f"the scope names {kind}, which is not modelled")
        if kind not in TYPES:
            raise UsageError(f"the scope names {kind}, which is no resource type of a scope")
        found |= set(getattr(network, TYPES[kind]))
    return frozenset(found) if named or row.get("ResourceTypes") else None


def _header(network: Network, row: Mapping[str, Any]) -> Header:
    told = [str(it).lower() for it in row.get("Protocols") or ()]
    if strange := sorted(set(told) - NUMBERS.keys()):
        raise UsageError(f"the scope names the protocol {strange[0]}; scopes know tcp and udp")
    return Header(
        tuple(NUMBERS[it] for it in told) or (TCP, UDP),
        _blocks(network, row, "Source"),
        _blocks(network, row, "Destination"),
        tuple(_range(str(it)) for it in row.get("DestinationPorts") or ()),
    )


def _blocks(network: Network, row: Mapping[str, Any], side: str) -> tuple[Block, ...]:
    listed = [it for name in row.get(f"{side}PrefixLists") or () for it in network.prefix_lists[name].blocks]
    return (*(ip_network(str(it)) for it in row.get(f"{side}Addresses") or ()), *listed)


def _range(text: str) -> PortRange:
    first, _, last = text.partition("-")
    return PortRange(int(first), int(last or first))


__all__ = ["overlap", "scope_paths"]
