"""Explanations on which no verdict rests: routes that lost, and what else stands behind a missing one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aws_vpc.network import Address, Network, Route
from aws_vpc.reach_addresses import not_on_internet
from aws_vpc.reach_routes import length
from aws_vpc.reach_types import Blocker, Hop
from aws_vpc.reach_walk import AtGateway, InVpc, Place, Walk


def lost_routes(network: Network, hops: Iterable[Hop], goal: str) -> Iterator[Blocker]:
    """For each table that was asked: its routes to the goal that do not match, or that another one beats."""
    leads = {goal}
    if goal in network.attachments:
        leads.add(network.attachments[goal].gateway)
    for hop in hops:
        table = network.route_tables.get(hop.component)
        if table is None or not isinstance(hop.rule, Route) or hop.rule.target in leads:
            continue
        for route in table.routes:
            if route.target in leads:
                yield _why(network, table.id, route, hop.rule, hop.packet.destination)


def _why(network: Network, table: str, route: Route, taken: Route, destination: Address) -> Blocker:
    bits, _ = length(network, route, destination)
    best, _ = length(network, taken, destination)
    to, won = (it.destination or it.prefix_list for it in (route, taken))
    refers = {"RouteTable": table}
    if bits < 0:
        change = f"ask for an address in {to}: the route to {route.target} does not match {destination}"
        return Blocker("CANNOT_ROUTE", table, change, rule=route, refers=refers)
    code = "MORE_SPECIFIC_ROUTE" if best > bits else "HIGHER_PRIORITY_ROUTE"
    change = f"take the route {won} to {taken.target} out of {table}, which beats {to} to {route.target}"
    return Blocker(code, table, change, rule=taken, refers=refers)


def supposed(walk: Walk, vpc: str, subnet: str | None) -> Place | None:
    """Where the missing route would have led, to find what else stands in the way; None when that is open."""
    network, destination = walk.network, walk.packet.destination
    for peering in network.peerings.values():
        sides = (peering.requester, peering.accepter)
        if vpc in (sides[0].vpc, sides[1].vpc):
            far = sides[1] if sides[0].vpc == vpc else sides[0]
            if far.vpc in network.vpcs and any(destination in it for it in network.vpcs[far.vpc].cidrs):
                return InVpc(far.vpc)
    gateway = network.gateway_of.get(vpc)
    if subnet and gateway and not not_on_internet(destination):
        return AtGateway(gateway.id, subnet)
    return None
