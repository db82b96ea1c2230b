"""Which route of a table decides, for every position at once (docs/reachability.rst, rules 13 and 28)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aws_vpc.matrix_positions import Positions
from aws_vpc.network import Block, Network, Route, TransitGatewayRoute
from aws_vpc.network_routes import PROPAGATED

Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]
NOWHERE, RIVALS = -1, -2


@dataclass
class Winners:
    """What decides for each position: the number of the route in its table, -1 for none, -2 for rivals."""

    of: Codes
    local: Flags


def painted(places: Positions, routes: Sequence[Route | TransitGatewayRoute]) -> Winners:
    """The deciding route of every position (docs/reachability.rst, rules 13 and 28)."""
    pieces: dict[tuple[int, int, int, int], int] = {}
    local = np.zeros(len(places), np.bool_)
    for number, route in enumerate(routes):
        rank = _rank(route)
        for block in _blocks(places.network, route):
            start, end = places.run(block)
            if rank == 3:
                local[start:end] = True
            if start < end:
                key = (block.prefixlen, rank, start, end)
                first = pieces.setdefault(key, number)
                if first >= 0 and _key(routes[first]) != _key(route):
                    pieces[key] = RIVALS
    found = np.full(len(places), NOWHERE, np.int64)
    for (_, rank, start, end), number in sorted(pieces.items()):
        if rank == 0 and routes[number].origin == PROPAGATED:
            found[start:end][~local[start:end]] = number
        else:
            found[start:end] = number
    return Winners(found, local)


def _rank(route: Route | TransitGatewayRoute) -> int:
    if isinstance(route, Route) and route.local:
        return 3
    if route.origin in (PROPAGATED, "propagated"):
        return 0
    return 1 if route.prefix_list else 2


def _blocks(network: Network, route: Route | TransitGatewayRoute) -> Sequence[Block]:
    if route.prefix_list:
        known = network.prefix_lists.get(route.prefix_list)
        return known.blocks if known else ()
    return (route.destination,) if route.destination else ()


def _key(route: Route | TransitGatewayRoute) -> object:
    return route.target if isinstance(route, Route) else route.attachment
