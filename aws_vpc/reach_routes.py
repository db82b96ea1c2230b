"""Which route decides (docs/reachability.rst, rules 12 to 15 and 28)."""

from __future__ import annotations

from dataclasses import dataclass

from aws_vpc.network import (
    Address,
    Network,
    NetworkInterface,
    Route,
    RouteTable,
    TransitGatewayRoute,
    TransitGatewayRouteTable,
)
from aws_vpc.network_routes import BLACKHOLE, PROPAGATED


@dataclass(frozen=True)
class Choice:
    """The route that decides, if one matches; `rivals` are those between which AWS chooses at random.

    `unknown_list` is a prefix list, not known, that might match.
    """

    route: Route | None
    rivals: tuple[Route, ...] = ()
    unknown_list: str | None = None


def length(
    network: Network, route: Route | TransitGatewayRoute, destination: Address
) -> tuple[int, str | None]:
    """The prefix length with which the route matches, or -1; its prefix list when that is not known."""
    if route.prefix_list:
        known = network.prefix_lists.get(route.prefix_list)
        if known is None:
            return -1, route.prefix_list
        return max((block.prefixlen for block in known.blocks if destination in block), default=-1), None
    block = route.destination
    return (block.prefixlen if block is not None and destination in block else -1), None


def choose(network: Network, table: RouteTable, destination: Address) -> Choice:
    """A VPC table's route for the address: longest prefix, then local, static, prefix list, propagated."""
    found: list[tuple[int, int, Route]] = []
    unknown_list = None
    for route in table.routes:
        bits, missing = length(network, route, destination)
        unknown_list = unknown_list or missing
        if bits >= 0:
            found.append((bits, _rank(route), route))
    if any(route.local for _, _, route in found):
        found = [entry for entry in found if entry[2].origin != PROPAGATED]
    if not found:
        return Choice(None, (), unknown_list)
    best = max(entry[:2] for entry in found)
    first = [route for bits, rank, route in found if (bits, rank) == best]
    rivals = tuple(first) if len({route.target for route in first}) > 1 else ()
    return Choice(first[0], rivals, unknown_list)


def _rank(route: Route) -> int:
    if route.local:
        return 3
    if route.origin == PROPAGATED:
        return 0
    return 1 if route.prefix_list else 2


@dataclass(frozen=True)
class TransitChoice:
    """The route of a transit gateway's table that decides."""

    route: TransitGatewayRoute | None
    rivals: tuple[TransitGatewayRoute, ...] = ()
    unknown_list: str | None = None


def choose_transit(network: Network, table: TransitGatewayRouteTable, destination: Address) -> TransitChoice:
    """The route for the address: longest prefix, then static, prefix list, propagated."""
    found: list[tuple[int, int, TransitGatewayRoute]] = []
    unknown_list = None
    for route in table.routes:
        bits, missing = length(network, route, destination)
        unknown_list = unknown_list or missing
        if bits >= 0:
            rank = 0 if route.origin == "propagated" else 1 if route.prefix_list else 2
            found.append((bits, rank, route))
    if not found:
        return TransitChoice(None, (), unknown_list)
    best = max(entry[:2] for entry in found)
    first = [route for bits, rank, route in found if (bits, rank) == best]
    rivals = tuple(first) if len({route.attachment for route in first}) > 1 else ()
    return TransitChoice(first[0], rivals, unknown_list)


def alive(network: Network, found: Route, vpc: str) -> bool:
    """Whether the route's target is there, attached and working."""
    target = found.target
    if found.state == BLACKHOLE:
        return False
    if target in network.nat_gateways:
        return network.nat_gateways[target].state == "available" and network.nat_gateways[target].vpc == vpc
    if target in network.peerings:
        peering = network.peerings[target]
        return peering.state == "active" and vpc in (peering.requester.vpc, peering.accepter.vpc)
    if target in network.internet_gateways:
        return network.internet_gateways[target].vpc == vpc
    if target in network.egress_only_gateways:
        return network.egress_only_gateways[target].vpc == vpc
    if target in network.transit_gateways:
        attachment = network.attachments_of.get((target, vpc))
        return (
            attachment is not None
            and attachment.state == "available"
            and network.transit_gateways[target].state == "available"
        )
    if target in network.endpoints:
        return network.endpoints[target].state == "available" and network.endpoints[target].vpc == vpc
    return carrier(network, target) is not None


def carrier(network: Network, target: str) -> NetworkInterface | None:
    """The interface of a middlebox that a route names by itself or by its instance."""
    if target in network.interfaces:
        return network.interfaces[target]
    if target in network.instances:
        return next(iter(network.by_owner.get(target, ())), None)
    return None
