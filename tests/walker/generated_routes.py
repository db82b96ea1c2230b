"""The part of the generator that makes route tables."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from aws_vpc.network import Block, Route, RouteTable, Vpc

if TYPE_CHECKING:
    from walker.generator import Draft

EVERYTHING = (ip_network("0.0.0.0/0"), ip_network("::/0"))
NARROWER = (ip_network("8.8.0.0/16"), ip_network("10.0.0.0/8"), ip_network("2001:4860::/32"))


def tables(draft: Draft, vpc: Vpc) -> None:
    """The main table, tables of single subnets, and now and then one for what comes in from the internet."""
    subnets = [one.id for one in draft.all("subnets", vpc.id)]
    own = draft.some(subnets, 0, 3)
    for number, part in enumerate((own[:1], own[1:])):
        if part:
            add(draft, vpc, f"rtb-{vpc.id[4:]}{number}", subnets=tuple(part))
    if draft.odds(0.95):
        add(draft, vpc, f"rtb-{vpc.id[4:]}m", main=True)
    gateways = [one.id for one in draft.all("internet_gateways", vpc.id)]
    if gateways and draft.odds(0.2):
        edge(draft, vpc, gateways[0])


def local(vpc: Vpc) -> list[Route]:
    return [Route("local", block, origin="CreateRouteTable") for block in vpc.cidrs]


def add(draft: Draft, vpc: Vpc, name: str, **more: Any) -> None:
    """A table with routes to whatever the VPC has, each destination once."""
    routes = local(vpc)
    for route in [*outward(draft, vpc), *sideways(draft, vpc), *services(draft, vpc), *odd(draft, vpc)]:
        key = (route.destination, route.prefix_list, route.origin)
        if all((one.destination, one.prefix_list, one.origin) != key for one in routes):
            routes.append(route)
    draft.random.shuffle(routes)
    draft.add("route_tables", RouteTable(name, vpc.id, tuple(routes), **more))


def blackholed(draft: Draft, route: Route) -> Route:
    """Now and then a route is dead."""
    return (
        Route(route.target, route.destination, route.prefix_list, "blackhole") if draft.odds(0.04) else route
    )


def outward(draft: Draft, vpc: Vpc) -> list[Route]:
    """By default to the internet, through a NAT gateway, or to a transit gateway."""
    ways = [one.id for kind in ("internet_gateways", "nat_gateways") for one in draft.all(kind, vpc.id)]
    ways += [one.id for one in draft.all("internet_gateways")[:1]]
    ways += [one.gateway for one in draft.all("attachments") if one.resource == vpc.id]
    routes = []
    if ways and draft.odds(0.85):
        routes.append(Route(draft.pick(ways), EVERYTHING[0]))
    if ways and draft.odds(0.15):
        routes.append(Route(draft.pick(ways), draft.pick(NARROWER)))
    ways = [
        one.id for kind in ("internet_gateways", "egress_only_gateways") for one in draft.all(kind, vpc.id)
    ]
    if ways and draft.odds(0.85):
        routes.append(Route(draft.pick(ways), EVERYTHING[1]))
    return [blackholed(draft, one) for one in routes]


def sideways(draft: Draft, vpc: Vpc) -> list[Route]:
    """To the other VPCs, by peering or by a transit gateway; some to a part of them only."""
    routes = []
    vpcs = {one.id: one for one in draft.all("vpcs")}
    for peering in draft.all("peerings"):
        ends = {peering.requester.vpc: peering.accepter.vpc, peering.accepter.vpc: peering.requester.vpc}
        if vpc.id in ends and draft.odds(0.85):
            routes += [Route(peering.id, part(draft, vpcs[ends[vpc.id]], n)) for n in (0, -1)]
    for attachment in draft.all("attachments"):
        if attachment.resource == vpc.id:
            others = [one for one in vpcs.values() if one.id != vpc.id]
            routes += [Route(attachment.gateway, part(draft, one, n)) for one in others for n in (0, -1)
                       if draft.odds(0.8)]  # fmt: skip
    draft.random.shuffle(routes)
    return [blackholed(draft, one) for one in routes]


def part(draft: Draft, vpc: Vpc, number: int) -> Block:
    """A block of a VPC, or of one of its subnets."""
    if draft.odds(0.15):
        return draft.pick(draft.all("subnets", vpc.id)).cidrs[number]  # type: ignore[no-any-return]
    return vpc.cidrs[number]


def services(draft: Draft, vpc: Vpc) -> list[Route]:
    """What gateway endpoints put into tables."""
    endpoints = [one for one in draft.all("endpoints", vpc.id) if one.kind == "Gateway"]
    return [blackholed(draft, Route(one.id, prefix_list="pl-s3")) for one in endpoints if draft.odds(0.7)]


def odd(draft: Draft, vpc: Vpc) -> list[Route]:
    """Middleboxes, prefix lists of one's own, what is propagated, what is not modelled, and dead ends."""
    machines = [one for one in draft.all("interfaces", vpc.id) if one.owner.startswith("i-")]
    routes = []
    if machines and draft.odds(0.2):
        box = draft.pick(machines)
        target = box.owner if draft.odds(0.3) else box.id
        routes.append(Route(target, draft.pick(draft.all("subnets", vpc.id)).cidrs[0]))
    if machines and draft.odds(0.08):
        routes.append(Route(draft.pick(machines).id, EVERYTHING[0]))
    ways = [one.id for one in draft.all("peerings") if vpc.id in (one.requester.vpc, one.accepter.vpc)]
    ways += [one.id for one in draft.all("nat_gateways", vpc.id)]
    if ways and draft.odds(0.15):
        routes.append(Route(draft.pick(ways), prefix_list=draft.pick(["pl-own", "pl-out"])))
    gates = [one.id for one in draft.all("unmodelled", vpc.id)]
    if gates and draft.odds(0.6):
        block = draft.pick([*NARROWER, draft.pick(draft.all("subnets", vpc.id)).cidrs[0]])
        routes.append(Route(gates[0], block, origin="EnableVgwRoutePropagation"))
    if draft.odds(0.03):
        routes.append(Route("nat-gone", ip_network("8.8.8.8/32"), state=draft.pick(["active", "blackhole"])))
    return routes


def edge(draft: Draft, vpc: Vpc, gateway: str) -> None:
    """A table of the internet gateway: local, and one subnet by way of a middlebox."""
    routes = local(vpc)
    machines = [one for one in draft.all("interfaces", vpc.id) if one.owner.startswith("i-")]
    if machines and draft.odds(0.8):
        routes.append(Route(draft.pick(machines).id, draft.pick(draft.all("subnets", vpc.id)).cidrs[0]))
    draft.add("route_tables", RouteTable(f"rtb-{vpc.id[4:]}e", vpc.id, tuple(routes), gateways=(gateway,)))
