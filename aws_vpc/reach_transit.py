"""Transit gateways (rules 28 to 30)."""

from __future__ import annotations

from aws_vpc.network import TransitGatewayAttachment
from aws_vpc.reach_ask import ask_acl
from aws_vpc.reach_routes import choose_transit
from aws_vpc.reach_types import INGRESS
from aws_vpc.reach_walk import AtGateway, InSubnet, InTransit, Place, Walk


def enter_transit(walk: Walk, place: AtGateway) -> Place | None:
    """From a subnet into the transit gateway, by the VPC's attachment in the same zone."""
    network = walk.network
    subnet = network.subnets[place.subnet]
    attachment = network.attachments_of[(place.component, subnet.vpc)]
    inner = _subnet_in(walk, attachment, subnet.zone)
    refers = {"TransitGateway": place.component, "TransitGatewayAttachment": attachment.id}
    if inner is None:
        change = f"give {walk.named(attachment.id)} a subnet in {subnet.zone}"
        walk.block("TGW_ROUTE_AZ_RESTRICTION", attachment.id, change, refers=refers)
    else:
        ask_acl(walk, inner, INGRESS)
    gateway = network.transit_gateways[place.component]
    kept = gateway.security_group_referencing and attachment.security_group_referencing
    walk.now(sender=walk.packet.sender if kept else None, transit=True, nat="")
    walk.hop(attachment.id, subnet=inner or "", vpc=subnet.vpc)
    if walk.goal == attachment.id:
        walk.finish()
        return None
    walk.hop(place.component)
    if walk.goal == place.component:
        walk.finish()
        return None
    return InTransit(place.component, attachment.id, subnet.zone)


def _subnet_in(walk: Walk, attachment: TransitGatewayAttachment, zone: str) -> str | None:
    return next((it for it in attachment.subnets if walk.network.subnets[it].zone == zone), None)


def cross_transit(walk: Walk, place: InTransit) -> Place | None:
    """Through the table of the attachment by which the packet came, to the next one."""
    network, destination = walk.network, walk.packet.destination
    table = network.transit_table_of.get((place.gateway, place.attachment))
    refers = {"TransitGateway": place.gateway, "TransitGatewayAttachment": place.attachment}
    if table is None:
        change = f"associate {walk.named(place.attachment)} with a route table"
        walk.block("TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION", place.attachment, change, refers=refers)
        return None
    refers |= {"TransitGatewayRouteTable": table.id}
    choice = choose_transit(network, table, destination)
    if choice.unknown_list:
        walk.unknown(f"prefix list {choice.unknown_list} in {table.id}, whose entries are not known")
        return None
    if choice.rivals:
        names = " and ".join(sorted(str(one.attachment) for one in choice.rivals))
        walk.unknown(f"which of {names} AWS takes: prefix lists of {walk.named(table.id)} overlap")
        return None
    if choice.route is None:
        change = f"add or propagate a route to {destination} to {walk.named(table.id)}"
        walk.block("TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT", table.id, change, refers=refers)
        return None
    walk.hop(table.id, choice.route)
    target = choice.route.attachment
    if choice.route.state != "active" or target is None or not _works(walk, target):
        change = f"take the blackhole for {destination} out of {walk.named(table.id)}"
        walk.block("TGW_RTB_BAD_STATE_ROUTE", table.id, change, rule=choice.route, refers=refers)
        return None
    return _onward(walk, place, target)


def _works(walk: Walk, target: str) -> bool:
    if target in walk.network.unmodelled:
        return True
    found = walk.network.attachments.get(target)
    return found is not None and found.state == "available"


def _onward(walk: Walk, place: InTransit, target: str) -> Place | None:
    network = walk.network
    if target in network.unmodelled:
        what = network.unmodelled[target]
        walk.unknown(f"{what.kind} {walk.named(target)}: {what.reason}")
        return None
    attachment = network.attachments[target]
    walk.hop(target, vpc=attachment.resource if attachment.kind == "vpc" else "")
    if walk.goal == target:
        walk.finish()
        return None
    if attachment.kind == "peering":
        return _to_peer(walk, place, attachment)
    if attachment.resource not in network.vpcs or not attachment.subnets:
        walk.unknown(f"VPC {attachment.resource} behind {walk.named(target)}, which cannot be read")
        return None
    if not attachment.security_group_referencing:
        walk.now(sender=None)
    return InSubnet(_way_out(walk, attachment, place.zone))


def _to_peer(walk: Walk, place: InTransit, attachment: TransitGatewayAttachment) -> Place | None:
    other = attachment.resource if attachment.gateway == place.gateway else attachment.gateway
    if other not in walk.network.transit_gateways:
        walk.unknown(f"transit gateway {other} behind {walk.named(attachment.id)}, which cannot be read")
        return None
    walk.now(sender=None)
    walk.hop(other)
    if walk.goal == other:
        walk.finish()
        return None
    return InTransit(other, attachment.id, place.zone)


def _way_out(walk: Walk, attachment: TransitGatewayAttachment, zone: str) -> str:
    """The attachment's subnet in the zone, else (and with appliance mode) the first one by name of zone."""
    found = None if attachment.appliance_mode else _subnet_in(walk, attachment, zone)
    if attachment.appliance_mode:
        walk.assume(
            f"{walk.named(attachment.id)} is in appliance mode: one zone carries the flow, there and back"
        )
    by_zone = sorted(attachment.subnets, key=lambda it: (walk.network.subnets[it].zone, it))
    return found or by_zone[0]
