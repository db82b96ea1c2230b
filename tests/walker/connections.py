"""What peering connections and transit gateways do with a packet."""

from __future__ import annotations

from aws_vpc.network import PeeringConnection, Subnet, TransitGateway, TransitGatewayAttachment
from walker import journey as walk
from walker.packet import Dropped, NotModelled, Packet
from walker.routes import chosen_in_transit, within


def over_peering(journey: walk.Journey, packet: Packet, peering: PeeringConnection, vpc: str) -> None:
    """Peering guide: active, both addresses in the two VPCs, and no further than the other VPC's
    interfaces.
    """
    sides = {peering.requester.vpc: peering.accepter, peering.accepter.vpc: peering.requester}
    if vpc not in sides or peering.state != "active":
        raise Dropped("BAD_STATE_ROUTE")
    if packet.translated:
        raise Dropped("NGW_REQUIRES_SOURCE_IN_VPC")
    other = sides[vpc].vpc
    if other not in journey.network.vpcs:
        raise NotModelled(other)
    if not any(within(packet.source, block) for block in journey.network.vpcs[vpc].cidrs):
        raise Dropped("PCX_REQUIRES_ADDRESS_IN_VPC_CIDR")
    if not any(within(packet.destination, block) for block in journey.network.vpcs[other].cidrs):
        raise Dropped("PCX_REQUIRES_ADDRESS_IN_VPC_CIDR")
    if walk.entered(journey, packet, peering.id, vpc, None):
        return
    walk.deliver(journey, packet.but(crossed=(*packet.crossed, peering.id)), other, None)


def to_transit(
    journey: walk.Journey, packet: Packet, gateway: TransitGateway, vpc: str, subnet: Subnet | None
) -> None:
    """Transit gateway guide: in by the attachment's subnet of the same zone, past that subnet's ACL."""
    network = journey.network
    for attachment in network.attachments.values():
        if attachment.kind == "vpc" and (attachment.gateway, attachment.resource) == (gateway.id, vpc):
            break
    else:
        raise Dropped("BAD_STATE_ROUTE")
    if attachment.state != "available" or gateway.state != "available":
        raise Dropped("BAD_STATE_ATTACHMENT")
    zone = subnet.zone if subnet else None
    doors = [network.subnets[one] for one in attachment.subnets if network.subnets[one].zone == zone]
    if not doors:
        raise Dropped("TGW_ROUTE_AZ_RESTRICTION")
    walk.into(journey, packet, doors[0])
    if journey.transit_door is None:
        journey.transit_door = (vpc, doors[0])
    if walk.entered(journey, packet, attachment.id, vpc, doors[0]) or walk.entered(
        journey, packet, gateway.id, vpc, doors[0]
    ):
        return
    in_transit(journey, packet.but(crossed=(*packet.crossed, attachment.id)), gateway.id, attachment, zone)


def in_transit(
    journey: walk.Journey, packet: Packet, gateway: str, came_by: TransitGatewayAttachment, zone: str | None
) -> None:
    """The table that the incoming attachment is associated with names the outgoing one."""
    network = journey.network
    journey.steps += 1
    if journey.steps > walk.MOST_STEPS:
        raise Dropped("NO_PATH")
    tables = [
        one
        for one in network.transit_tables.values()
        if one.gateway == gateway and came_by.id in one.associations
    ]
    if not tables:
        raise Dropped("TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION")
    route = chosen_in_transit(network, tables[0].routes, packet.destination)
    if route.state == "blackhole" or route.attachment is None:
        raise Dropped("TGW_RTB_BAD_STATE_ROUTE")
    if route.attachment in network.unmodelled:
        raise NotModelled(route.attachment)
    if route.attachment not in network.attachments:
        raise Dropped("TGW_RTB_BAD_STATE_ROUTE")
    out_of_transit(journey, packet, gateway, network.attachments[route.attachment], zone)


def out_of_transit(
    journey: walk.Journey,
    packet: Packet,
    gateway: str,
    attachment: TransitGatewayAttachment,
    zone: str | None,
) -> None:
    """Into the other VPC by a subnet of the attachment, the packet's zone first; or on to a peered
    gateway.
    """
    network = journey.network
    if attachment.state != "available":
        raise Dropped("BAD_STATE_ATTACHMENT")
    crossed = packet.but(crossed=(*packet.crossed, attachment.id))
    if journey.transit_door and walk.entered(journey, packet, attachment.id, *journey.transit_door):
        return None
    if attachment.kind == "peering":
        far = attachment.resource if attachment.gateway == gateway else attachment.gateway
        if far not in network.transit_gateways:
            raise NotModelled(far)
        if journey.transit_door and walk.entered(journey, packet, far, *journey.transit_door):
            return None
        return in_transit(journey, crossed, far, attachment, zone)
    if attachment.resource not in network.vpcs:
        raise NotModelled(attachment.resource)
    doors = sorted((network.subnets[one] for one in attachment.subnets), key=lambda one: one.zone)
    if not attachment.appliance_mode:
        doors = [one for one in doors if one.zone == zone] or doors
    return walk.leave(journey, crossed, doors[0])
