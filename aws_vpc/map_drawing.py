"""A network as boxes and links: what is drawn, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aws_vpc.map_layout import GROUP, Box, Drawing, Link
from aws_vpc.network import (
    EgressOnlyInternetGateway,
    InternetGateway,
    Network,
    NetworkInterface,
    Subnet,
    Vpc,
)
from aws_vpc.network_names import kind as kind_of
from aws_vpc.network_values import INTERNET
from aws_vpc.reach_types import Trace

DATABASES = ("AWS::RDS::", "AWS::Redshift", "AWS::RedshiftServerless::")


def drawing(network: Network, title: str, trace: Trace | None = None) -> Drawing:
    """The network's page, with a traced path where there is one."""
    top = [Box(INTERNET, "internet", "Internet")] if needs_internet(network) else []
    vpcs = tuple(vpc_box(network, one) for one in network.vpcs.values())
    hubs = tuple(
        Box(one, "transit-gateway", name(network, one), ("transit gateway",))
        for one in network.transit_gateways
    )
    page = Drawing(title, ((*top, *services(network)), hubs, vpcs), tuple(links(network)))
    return page if trace is None else with_path(network, page, trace)


def needs_internet(network: Network) -> bool:
    """Whether anything is joined to the internet."""
    return any(one.vpc for one in network.internet_gateways.values()) or bool(network.egress_only_gateways)


def edges(network: Network) -> list[InternetGateway | EgressOnlyInternetGateway]:
    """The gateways to the internet of both kinds."""
    return [*network.internet_gateways.values(), *network.egress_only_gateways.values()]


def services(network: Network) -> list[Box]:
    """What lies behind gateway endpoints."""
    found = dict.fromkeys(one.service for one in network.endpoints.values() if one.kind == "Gateway")
    return [Box(one, "service", one.rsplit(".", 1)[-1], (one,)) for one in found]


def name(network: Network, component: str) -> str:
    """The short name of a component: the last part of its logical path, its Name tag, or its id."""
    label = network.label(component)
    return label.logical.rsplit("/", 1)[-1] or label.name or component


def vpc_box(network: Network, vpc: Vpc) -> Box:
    """A VPC: its gateways, and its subnets, public ones first."""
    zones = {one.zone for one in network.subnets_of.get(vpc.id, ())}
    parts = (
        Box(f"{vpc.id} edge", GROUP, "", (), tuple(gateways(network, vpc)), 3),
        Box(f"{vpc.id} subnets", GROUP, "", (), tuple(subnets(network, vpc)), max(1, len(zones))),
    )
    inside = tuple(one for one in parts if one.children)
    return Box(vpc.id, "vpc", f"VPC {name(network, vpc.id)}", tuple(map(str, vpc.cidrs)), inside, 1)


def gateways(network: Network, vpc: Vpc) -> Iterator[Box]:
    """What stands at the edge of a VPC, or in no subnet of it."""
    for gateway in edges(network):
        if gateway.vpc == vpc.id:
            yield Box(gateway.id, "gateway", name(network, gateway.id), (kind_of(gateway),))
    for nat in network.nat_gateways.values():
        if nat.vpc == vpc.id and nat.subnet is None:
            yield Box(nat.id, "gateway", name(network, nat.id), ("regional NAT gateway",))
    for endpoint in network.endpoints.values():
        if endpoint.vpc == vpc.id and endpoint.kind == "Gateway":
            yield Box(endpoint.id, "endpoint", name(network, endpoint.id), ("gateway endpoint",))


def subnets(network: Network, vpc: Vpc) -> Iterator[Box]:
    """The subnets of a VPC with what is in them; those with a route to the internet gateway first."""
    held = sorted(network.subnets_of.get(vpc.id, ()), key=lambda one: (not public(network, one), one.id))
    for one in held:
        kind = "public" if public(network, one) else "private"
        inside = tuple(item(network, each) for each in network.interfaces.values() if each.subnet == one.id)
        words = (f"{kind} subnet, {one.zone}", *map(str, one.cidrs))
        yield Box(one.id, f"{kind}-subnet", name(network, one.id), words, inside, 1)


def public(network: Network, subnet: Subnet) -> bool:
    """Whether the subnet's route table has a route to an internet gateway (user guide, subnet types)."""
    table = network.table_of(subnet.id)
    return table is not None and any(route.target in network.internet_gateways for route in table.routes)


def item(network: Network, one: NetworkInterface) -> Box:
    """An interface, by what owns it."""
    owner = network.components.get(one.owner)
    kind, told = "interface", "network interface"
    if one.owner in network.services:
        told = network.services[one.owner].kind.removeprefix("AWS::").replace("::", " ")
        kind = "database" if network.services[one.owner].kind.startswith(DATABASES) else "instance"
    elif owner is not None:
        told = kind_of(owner)
        kind = {"NatGateway": "gateway", "VpcEndpoint": "endpoint"}.get(type(owner).__name__, "instance")
    words = (told, ", ".join(map(str, [*one.addresses, *(pair.public for pair in one.public)])))
    return Box(one.id, kind, name(network, one.owner or one.id), words)


def links(network: Network) -> Iterator[Link]:
    """What joins VPCs with each other, with the internet and with services."""
    for gateway in edges(network):
        if gateway.vpc:
            yield Link(INTERNET, gateway.id)
    for endpoint in network.endpoints.values():
        if endpoint.kind == "Gateway":
            yield Link(endpoint.id, endpoint.service)
    for peering in network.peerings.values():
        label = f"{name(network, peering.id)}\npeering, {peering.state}"
        yield Link(peering.requester.vpc, peering.accepter.vpc, label, "peering", peering.id)
    for attachment in network.attachments.values():
        yield Link(attachment.resource, attachment.gateway, "attachment", "attachment", attachment.id)


def with_path(network: Network, page: Drawing, trace: Trace) -> Drawing:
    """The page with a path: through the boxes that are drawn, and told in full."""
    passed = dict.fromkeys(step for hop in trace.forward for step in (hop.component, hop.attached_to) if step)
    told = [
        f"{name(network, one)} ({kind_of(network.components[one])})"
        for one in passed
        if one in network.components
    ]
    told += [f"stopped at {name(network, one.component)}: {one.code}" for one in trace.blockers]
    start, end = trace.flow.source, trace.flow.destination
    order = [start] * (start == INTERNET) + list(passed) + [end] * (end == INTERNET and trace.arrives)
    verdict = f"{name(network, start)} to {name(network, end)}: {trace.verdict}"
    return replace(page, path=tuple(order), told=tuple(told), verdict=verdict)
