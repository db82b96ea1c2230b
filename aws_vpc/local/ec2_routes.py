"""Routes as EC2 tells of them: a blackhole where the target is gone, propagated ones of transit gateways.

moto calls every route active, and does not write propagated routes out. Sources: VPC User Guide, "Route
tables" and "Troubleshoot NAT gateways"; VPC Peering Guide, "Update your route tables"; API reference of
SearchTransitGatewayRoutes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any

from aws_vpc.local import wire
from aws_vpc.local.ec2_interfaces import backend
from aws_vpc.local.ec2_nat import parsed
from aws_vpc.local.wire import Request, Response, ServiceError, form
from aws_vpc.local.world import World

ROUTING = ("CreateRoute", "ReplaceRoute")
GONE = ("deleted", "deleting", "failed")
COMPARISONS = {
    "route-search.exact-match": lambda route, asked: route == asked,
    "route-search.longest-prefix-match": lambda route, asked: asked.subnet_of(route),
    "route-search.subnet-of-match": lambda route, asked: route.subnet_of(asked),
    "route-search.supernet-of-match": lambda route, asked: asked.subnet_of(route),
}


def teach() -> None:
    """Let moto's routes tell their state from their targets."""
    from moto.ec2.models.route_tables import Route

    Route.state = property(state)  # type: ignore[assignment,method-assign]


def state(route: Any) -> str:
    """`active`, or `blackhole` when what the route leads to is gone, not attached or not accepted yet."""
    return "active" if route.local or all(alive(route)) else "blackhole"


def alive(route: Any) -> Iterator[bool]:
    """Whether each target of a route is there."""
    table = route.route_table
    known = table.ec2_backend
    if route.gateway is not None and route.gateway.id.startswith("igw-"):
        attached = known.internet_gateways.get(route.gateway.id)
        yield attached is not None and bool(attached.vpc) and attached.vpc.id == table.vpc_id
    if route.nat_gateway is not None:
        yield route.nat_gateway.state not in GONE
    if route.vpc_pcx is not None:
        yield route.vpc_pcx._status.code == "active"
    if route.egress_only_igw is not None:
        yield route.egress_only_igw.id in known.egress_only_internet_gateways
    if route.interface is not None:
        yield route.interface.id in known.enis
    if route.instance is not None:
        yield route.instance._state.name == "running"
    if route.transit_gateway is not None:
        attachments = known.transit_gateway_attachments.values()
        yield any(
            one.transit_gateway_id == route.transit_gateway.id
            and one.resource_id == table.vpc_id
            and one.state not in GONE
            for one in attachments
        )


def refuse_foreign_gateway(world: World, request: Request, action: str) -> None:
    """Raise ServiceError when a route is to lead to an internet gateway that its VPC does not have."""
    asked = form(request)
    gateway = asked.get("GatewayId", "")
    if action not in ROUTING or not gateway.startswith("igw-"):
        return
    records = backend(world, request.region)
    table = records.route_tables.get(asked.get("RouteTableId", ""))
    found = records.internet_gateways.get(gateway)
    if table is None or found is None:
        return
    if not found.vpc or found.vpc.id != table.vpc_id:
        text = f"route table {table.id} and network gateway {gateway} belong to different networks"
        raise ServiceError("InvalidParameterValue", text)


def with_propagated(world: World, request: Request, response: Response) -> Response:
    """An answer of SearchTransitGatewayRoutes with the routes that attachments propagate."""
    if response.status != 200:
        return response
    asked = wire.parse("ec2", request)[1]
    result = parsed("SearchTransitGatewayRoutes", response)
    static = {route["DestinationCidrBlock"] for route in result.get("Routes", ())}
    wanted = {one["Name"]: one["Values"] for one in asked.get("Filters") or ()}
    fresh = [
        route
        for route in propagated(backend(world, request.region), asked["TransitGatewayRouteTableId"])
        if route["DestinationCidrBlock"] not in static and fits(route, wanted)
    ]
    result["Routes"] = [*(result.get("Routes") or ()), *fresh]
    return wire.answer("ec2", "SearchTransitGatewayRoutes", result)


def propagated(records: Any, table: str) -> Iterator[dict[str, Any]]:
    """A route for each block of each VPC whose attachment propagates into the table; static ones win."""
    found = records.transit_gateways_route_tables.get(table)
    seen = set(found.routes if found else ())
    for one in found.route_table_propagation if found else ():
        attachment = records.transit_gateway_attachments.get(one.transitGatewayAttachmentId)
        vpc = records.vpcs.get(one.resourceId)
        if attachment is None or vpc is None or attachment.state in GONE:
            continue
        for cidr in carried(attachment, vpc):
            if cidr in seen:
                continue
            seen.add(cidr)
            place = {
                "ResourceId": one.resourceId,
                "TransitGatewayAttachmentId": one.transitGatewayAttachmentId,
                "ResourceType": one.resourceType,
            }
            yield {
                "DestinationCidrBlock": cidr,
                "TransitGatewayAttachments": [place],
                "Type": "propagated",
                "State": "active",
            }


def carried(attachment: Any, vpc: Any) -> Iterator[str]:
    """The blocks that an attached VPC propagates: those of IPv6 where the attachment has it turned on."""
    dual = (attachment.options or {}).get("Ipv6Support") == "enable"
    for ipv6 in (False, True) if dual else (False,):
        yield from (block["cidr_block"] for block in vpc.get_cidr_block_association_set(ipv6=ipv6))


def fits(route: dict[str, Any], wanted: dict[str, Sequence[str]]) -> bool:
    """Whether a route passes the filters of the question."""
    (place,) = route["TransitGatewayAttachments"]
    facts = {
        "type": route["Type"],
        "state": route["State"],
        "attachment.resource-id": place["ResourceId"],
        "attachment.resource-type": place["ResourceType"],
        "attachment.transit-gateway-attachment-id": place["TransitGatewayAttachmentId"],
    }
    here = ipaddress.ip_network(route["DestinationCidrBlock"])
    for name, values in wanted.items():
        if name in COMPARISONS:
            asked = [ipaddress.ip_network(value) for value in values]
            if not any(COMPARISONS[name](here, one) for one in asked if one.version == here.version):
                return False
        elif facts.get(name) not in values:
            return False
    return True
