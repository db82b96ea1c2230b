"""NAT gateways (rules 22 to 26)."""

from __future__ import annotations

from aws_vpc.network import NatGateway
from aws_vpc.network_values import EPHEMERAL_PORTS, ICMP, TCP, UDP
from aws_vpc.reach_ask import ask_acl
from aws_vpc.reach_types import EGRESS, INGRESS
from aws_vpc.reach_walk import AtGateway, InSubnet, InVpc, Place, Translation, Walk


def pass_nat(walk: Walk, place: AtGateway) -> Place | None:
    """Into a NAT gateway, and out of it with its address."""
    nat = walk.network.nat_gateways[place.component]
    if nat.subnet and nat.subnet != place.subnet:
        ask_acl(walk, nat.subnet, INGRESS)
    _restrictions(walk, nat, place.subnet)
    if walk.back:
        change = f"route the answers so that they leave with {walk.asked}, the address that was asked"
        walk.block("NGW_SOURCE_ADDRESS_REASSIGN", nat.id, change, refers={"NatGateway": nat.id})
        return None
    if walk.goal == nat.id:
        walk.hop(nat.id, subnet=nat.subnet or "", vpc=nat.vpc)
        walk.finish()
        return None
    _translate(walk, nat, place.subnet)
    walk.hop(nat.id, subnet=nat.subnet or "", vpc=nat.vpc)
    if nat.subnet:
        return InSubnet(nat.subnet)
    gateway = walk.network.gateway_of.get(nat.vpc)
    if gateway:
        return AtGateway(gateway.id, place.subnet)
    walk.block(
        "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
        nat.id,
        f"attach an internet gateway to {walk.named(nat.vpc)}",
        refers={"NatGateway": nat.id, "Vpc": nat.vpc},
    )
    return None


def _restrictions(walk: Walk, nat: NatGateway, subnet: str) -> None:
    packet, refers = walk.packet, {"NatGateway": nat.id}
    if packet.protocol not in (TCP, UDP, ICMP) or packet.destination.version != 4:
        change = "use TCP, UDP or ICMP over IPv4; IPv6 leaves by an egress-only internet gateway"
        walk.block("PROTOCOL_RESTRICTION", nat.id, change, refers=refers)
    own = packet.source is not None and any(
        packet.source in block for block in walk.network.vpcs[nat.vpc].cidrs
    )
    if not (nat.subnet if packet.transit else own):
        change = f"give {packet.source} a NAT gateway in its own VPC: this one serves {walk.named(nat.vpc)}"
        walk.block("NGW_REQUIRES_SOURCE_IN_VPC", nat.id, change, refers=refers)
    zones = {address.zone for address in nat.addresses if address.zone}
    zone = walk.network.subnets[subnet].zone
    if nat.mode == "regional" and zones and zone not in zones:
        change = f"give {walk.named(nat.id)} an address in {zone}"
        walk.block("REGIONAL_NGW_ROUTE_AZ_RESTRICTION", nat.id, change, refers=refers)


def _translate(walk: Walk, nat: NatGateway, subnet: str) -> None:
    packet = walk.packet
    walk.translations.append(
        Translation(nat.id, "nat", packet.source, packet.destination, packet.source_ports)
    )
    zone = walk.network.subnets[subnet].zone
    if nat.subnet:
        address = next((it.private for it in nat.addresses if it.private), None)
    else:
        address = next((it.public for it in nat.addresses if it.public and it.zone in (None, zone)), None)
    walk.now(source=address, source_ports=EPHEMERAL_PORTS, sender=None, nat=nat.id)


def undo_nat(walk: Walk, nat_id: str) -> Place | None:
    """An answer is back at the NAT gateway: on to the client; anything else is dropped."""
    nat = walk.network.nat_gateways[nat_id]
    if not walk.back or not walk.translations or walk.translations[-1].component != nat_id:
        walk.block(
            "NO_POSSIBLE_DESTINATION",
            nat_id,
            f"none: {walk.named(nat_id)} lets nothing in that was not asked for",
            refers={"NatGateway": nat_id},
        )
        return None
    undone = walk.translations.pop()
    walk.narrow(EPHEMERAL_PORTS)
    walk.hop(nat_id, subnet=nat.subnet or "", vpc=nat.vpc)
    walk.now(source=undone.destination, destination=undone.source, ports=(undone.ports,), sender=None)
    return InSubnet(nat.subnet) if nat.subnet else InVpc(nat.vpc)


def nat_egress_refused(walk: Walk, nat_id: str, target: str) -> None:
    """Neither peering nor a gateway endpoint takes what a NAT gateway sends."""
    walk.block(
        "NGW_REQUIRES_SOURCE_IN_VPC",
        nat_id,
        f"route to {walk.named(target)} from the client's own subnet instead of through {walk.named(nat_id)}",
        direction=EGRESS,
        refers={"NatGateway": nat_id},
    )
