"""Which route of a table an address takes."""

from __future__ import annotations

from collections.abc import Sequence

from aws_vpc.network import Address, Block, Network, Route, RouteTable, TransitGatewayRoute
from walker.packet import Dropped, NotModelled


def within(address: Address, block: Block) -> bool:
    """Whether the address lies in the block; families never mix."""
    return address.version == block.version and address in block


def lengths(network: Network, route: Route | TransitGatewayRoute, address: Address) -> list[int]:
    """The prefix lengths under which a route holds an address."""
    blocks: Sequence[Block] = [route.destination] if route.destination is not None else []
    if route.prefix_list is not None and route.prefix_list in network.prefix_lists:
        blocks = network.prefix_lists[route.prefix_list].blocks
    return [block.prefixlen for block in blocks if within(address, block)]


def chosen(network: Network, table: RouteTable | None, address: Address) -> Route:
    """User guide, route priority: the longest prefix, then static, then prefix lists, then propagated.

    Site-to-Site VPN guide, route priority: a propagated route never beats the local one, however specific.
    """
    if table is None:
        raise NotModelled("a route table that was not told")
    fitting = []
    for route in table.routes:
        for length in lengths(network, route, address):
            kind = 2 if route.origin == "EnableVgwRoutePropagation" else 1 if route.prefix_list else 0
            kind = -1 if route.target == "local" else kind
            fitting.append((-length, kind, route))
    if any(route.target == "local" for _, _, route in fitting):
        fitting = [one for one in fitting if one[1] != 2]
    if not fitting:
        raise Dropped("NO_ROUTE_TO_DESTINATION")
    best = min(one[:2] for one in fitting)
    routes = [route for *rank, route in fitting if tuple(rank) == best]
    if len({(route.target, route.state) for route in routes}) > 1:
        raise NotModelled("several routes of the same rank")
    return routes[0]


def chosen_in_transit(
    network: Network, routes: Sequence[TransitGatewayRoute], address: Address
) -> TransitGatewayRoute:
    """Transit gateway guide, route evaluation order: the longest prefix, then static, prefix list,
    propagated.
    """
    fitting = []
    for route in routes:
        for length in lengths(network, route, address):
            kind = 2 if route.origin == "propagated" else 1 if route.prefix_list else 0
            fitting.append((-length, kind, route))
    if not fitting:
        raise Dropped("TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT")
    best = min(one[:2] for one in fitting)
    routes = [route for *rank, route in fitting if tuple(rank) == best]
    if len({(route.attachment, route.state) for route in routes}) > 1:
        raise NotModelled("several routes of the same rank")
    return routes[0]
