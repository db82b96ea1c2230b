"""What gateways, peering connections, transit gateways and endpoints do with a packet."""

from __future__ import annotations

from ipaddress import ip_network

from aws_vpc.network import (
    Address,
    NatGateway,
    NetworkInterface,
    Subnet,
    VpcEndpoint,
)
from walker import connections
from walker import journey as walk
from walker.packet import Dropped, NotModelled, Packet
from walker.routes import chosen, within

NOT_PUBLIC = [ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]


def private(address: Address) -> bool:
    """RFC 1918 and RFC 6598 (IPv4), unique local (IPv6, RFC 4193): no internet gateway takes them."""
    return any(within(address, block) for block in NOT_PUBLIC) or within(address, ip_network("fc00::/7"))


def follow(journey: walk.Journey, packet: Packet, target: str, vpc: str, subnet: Subnet | None) -> None:
    """To the gateway that a route names; a target that is not there drops the packet."""
    network = journey.network
    if target in network.internet_gateways:
        walk.out_of(journey, packet, subnet)
        to_internet(journey, packet, target, vpc)
    elif target in network.egress_only_gateways:
        walk.out_of(journey, packet, subnet)
        by_egress_only(journey, packet, target, vpc)
    elif target in network.nat_gateways:
        through_nat(journey, packet, network.nat_gateways[target], vpc, subnet)
    elif target in network.peerings:
        walk.out_of(journey, packet, subnet)
        connections.over_peering(journey, packet, network.peerings[target], vpc)
    elif target in network.transit_gateways:
        walk.out_of(journey, packet, subnet)
        connections.to_transit(journey, packet, network.transit_gateways[target], vpc, subnet)
    elif target in network.endpoints:
        walk.out_of(journey, packet, subnet)
        to_service(journey, packet, network.endpoints[target], vpc)
    else:
        raise Dropped("BAD_STATE_ROUTE")


# -- the internet --------------------------------------------------------------------------------------------


def to_internet(journey: walk.Journey, packet: Packet, gateway: str, vpc: str) -> None:
    """User guide, internet gateways: one to one translation of an address that the interface has."""
    if journey.network.internet_gateways[gateway].vpc != vpc:
        raise Dropped("BAD_STATE_ROUTE")
    if private(packet.destination):
        raise Dropped("IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS")
    origin = walk.owner_of(journey.network, vpc, packet.source)
    if origin is None or packet.crossed:
        raise Dropped("IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS")
    outside = packet.but(source=public_of(journey, origin, packet.source), bearer=None)
    ended_outside(journey, outside, gateway)


def public_of(journey: walk.Journey, origin: NetworkInterface, address: Address) -> Address:
    """What the world sees of an interface's address."""
    if address.version == 6:
        return address
    for pair in origin.public:
        if pair.private == address:
            return pair.public
    nat = journey.network.nat_gateways.get(origin.owner)
    for one in nat.addresses if nat else ():
        if one.private == address and one.public is not None:
            return one.public
    raise Dropped("IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS")


def ended_outside(journey: walk.Journey, packet: Packet, gateway: str) -> None:
    """Whether out there is where the packet should go."""
    goal = journey.flow.source if journey.reply else journey.flow.destination
    if goal not in ("internet", gateway):
        turns_round(journey, packet, gateway)
        return
    if not walk.fits(journey, packet):
        raise Dropped("NO_PATH")
    if not journey.reply:
        journey.out_by = gateway
    journey.arrived(packet)


def turns_round(journey: walk.Journey, packet: Packet, gateway: str) -> None:
    """EC2 guide, instance addressing: by public addresses two instances talk over their internet gateways."""
    journey.steps += 1
    for nat in journey.network.nat_gateways.values():
        if regional(nat) and any(one.public == packet.destination for one in nat.addresses):
            return untranslated(journey, packet, nat, None)
    inside, at = behind(journey, packet.destination)
    begun = journey.network.egress_only_gateways.get(journey.out_by)
    if journey.reply and begun and begun.vpc == at.vpc:
        return walk.deliver(journey, packet, at.vpc, None)
    if not journey.reply:
        journey.out_by = gateway
    for other in journey.network.internet_gateways.values():
        if other.vpc == at.vpc:
            return come_in(journey, packet.but(destination=inside), other.id, at.vpc)
    raise Dropped("NO_PATH")


def by_egress_only(journey: walk.Journey, packet: Packet, gateway: str, vpc: str) -> None:
    """User guide, egress-only internet gateways: IPv6, and only what began inside."""
    if journey.network.egress_only_gateways[gateway].vpc != vpc:
        raise Dropped("BAD_STATE_ROUTE")
    if packet.destination.version != 6 or private(packet.destination) or journey.reply:
        raise Dropped("PROTOCOL_RESTRICTION")
    if walk.owner_of(journey.network, vpc, packet.source) is None or packet.crossed:
        raise Dropped("IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS")
    ended_outside(journey, packet.but(bearer=None), gateway)


def enter_from_internet(journey: walk.Journey, packet: Packet) -> None:
    """A packet from the internet, or through a named internet gateway, to an address that belongs to a
    VPC.
    """
    if private(packet.source):
        raise Dropped("IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS")
    inside, at = behind(journey, packet.destination)
    for gateway in journey.network.internet_gateways.values():
        if gateway.vpc == at.vpc and journey.flow.source in ("internet", gateway.id):
            journey.out_by = gateway.id
            return come_in(journey, packet.but(destination=inside), gateway.id, at.vpc)
    raise Dropped("NO_PATH")


def behind(journey: walk.Journey, address: Address) -> tuple[Address, NetworkInterface]:
    """The inside address for which one on the internet stands."""
    for one in journey.network.interfaces.values():
        for pair in one.public:
            if pair.public == address:
                return pair.private, one
        if address.version == 6 and address in one.addresses and not private(address):
            return address, one
        for mine in nat_addresses(journey, one):
            if mine[1] == address:
                return mine[0], one
    raise Dropped("IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS")


def nat_addresses(journey: walk.Journey, one: NetworkInterface) -> list[tuple[Address, Address]]:
    """(private, public) of the NAT gateway that owns the interface."""
    nat = journey.network.nat_gateways.get(one.owner)
    pairs = [(each.private, each.public) for each in nat.addresses] if nat else []
    return [(inner, outer) for inner, outer in pairs if inner in one.addresses and outer is not None]


def come_in(journey: walk.Journey, packet: Packet, gateway: str, vpc: str) -> None:
    """User guide, gateway route tables: one that is associated with the gateway routes what comes in."""
    for table in journey.network.route_tables.values():
        if gateway in table.gateways:
            return walk.follow(journey, packet, chosen(journey.network, table, packet.destination), vpc, None)
    return walk.deliver(journey, packet, vpc, None)


def answer_from_outside(journey: walk.Journey, packet: Packet) -> None:
    """The answer of a host on the internet, or of a service behind a gateway endpoint."""
    network = journey.network
    if journey.out_by in network.endpoints:
        return walk.deliver(journey, packet, network.endpoints[journey.out_by].vpc, None)
    if journey.out_by in network.egress_only_gateways:
        vpc = network.egress_only_gateways[journey.out_by].vpc
        return walk.deliver(journey, packet, vpc or "", None)
    if journey.translated and regional(network.nat_gateways[journey.translated[-1][0]]):
        return untranslated(journey, packet, network.nat_gateways[journey.translated[-1][0]], None)
    inside, at = behind(journey, packet.destination)
    return come_in(journey, packet.but(destination=inside), journey.out_by, at.vpc)


# -- NAT gateways --------------------------------------------------------------------------------------------


def regional(nat: NatGateway) -> bool:
    return nat.mode == "regional" or nat.subnet is None


def through_nat(
    journey: walk.Journey, packet: Packet, nat: NatGateway, vpc: str, subnet: Subnet | None
) -> None:
    """User guide, NAT gateway basics: TCP, UDP and ICMP over IPv4; the source becomes the gateway's."""
    walk_on = nat.vpc == vpc and nat.state == "available"
    if not walk_on:
        raise Dropped("BAD_STATE")
    if journey.reply:
        raise Dropped("NGW_SOURCE_ADDRESS_REASSIGN")
    if any(one in journey.network.peerings for one in packet.crossed):
        raise Dropped("NGW_REQUIRES_SOURCE_IN_VPC")
    if regional(nat):
        return through_regional(journey, packet, nat, vpc, subnet)
    at = next(one for one in journey.network.interfaces.values() if one.owner == nat.id)
    home = journey.network.subnets[at.subnet]
    if subnet is None or subnet.id != home.id:
        walk.out_of(journey, packet, subnet)
        walk.into(journey, packet, home)
    changed = translated(journey, packet, nat, at.addresses[0])
    if walk.entered(journey, packet, nat.id, vpc, home):
        return None
    return walk.leave(journey, changed, home)


def translated(journey: walk.Journey, packet: Packet, nat: NatGateway, address: Address) -> Packet:
    """The packet as the gateway sends it on."""
    if packet.protocol not in (6, 17, 1) or packet.destination.version != 4:
        raise Dropped("PROTOCOL_RESTRICTION")
    port = None if packet.source_port is None else journey.changed_port
    changed = packet.but(source=address, source_port=port, bearer=None, crossed=(), translated=True)
    journey.translated.append((nat.id, packet, changed))
    return changed


def through_regional(
    journey: walk.Journey, packet: Packet, nat: NatGateway, vpc: str, subnet: Subnet | None
) -> None:
    """User guide, regional NAT gateways: in no subnet, in the zones of its addresses, straight to the
    internet.
    """
    zones = {one.zone for one in nat.addresses}
    if subnet is not None and zones and subnet.zone not in zones:
        raise Dropped("REGIONAL_NGW_ROUTE_AZ_RESTRICTION")
    walk.out_of(journey, packet, subnet)
    if packet.crossed:
        raise Dropped("NGW_REQUIRES_SOURCE_IN_VPC")
    if journey.flow.destination == nat.id:
        translated(journey, packet, nat, packet.source)
        walk.entered(journey, packet, nat.id, vpc, None)
        return
    if private(packet.destination):
        raise Dropped("IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS")
    attached = [one.id for one in journey.network.internet_gateways.values() if one.vpc == vpc]
    if not attached:
        raise Dropped("NO_ROUTE_TO_DESTINATION")
    own = [one.public for one in nat.addresses if one.public and (subnet is None or one.zone == subnet.zone)]
    changed = translated(journey, packet, nat, own[0] if own else packet.source)
    if not own and journey.flow.destination not in ("internet", attached[0]):
        raise NotModelled("the public address of the gateway")
    ended_outside(journey, changed, attached[0])


def back_through_nat(journey: walk.Journey, packet: Packet, nat: NatGateway, at: NetworkInterface) -> None:
    """What arrives at a NAT gateway is an answer to what it has sent, or is dropped."""
    untranslated(journey, packet, nat, journey.network.subnets[at.subnet])


def untranslated(journey: walk.Journey, packet: Packet, nat: NatGateway, home: Subnet | None) -> None:
    """The answer with the client's own address and port again."""
    for name, before, after in journey.translated:
        if name == nat.id and packet.tuple5_turned == after.tuple5 and journey.reply:
            inner = packet.but(destination=before.source, port=before.source_port)
            if home is None:
                return walk.deliver(journey, inner, nat.vpc, None)
            return walk.leave(journey, inner, home)
    raise Dropped("NGW_DEST_ADDRESS_PRESERVATION")


# -- endpoints -----------------------------------------------------------------------------------------------


def to_service(journey: walk.Journey, packet: Packet, endpoint: VpcEndpoint, vpc: str) -> None:
    """PrivateLink guide, gateway endpoints: from the VPC's own interfaces, TCP and echo, to the
    service's addresses.
    """
    if endpoint.kind != "Gateway" or endpoint.vpc != vpc or endpoint.state != "available":
        raise Dropped("BAD_STATE_ROUTE")
    if walk.owner_of(journey.network, vpc, packet.source) is None or packet.crossed or packet.translated:
        raise Dropped("GATEWAY_REJECTS_SPOOFED_TRAFFIC")
    if packet.protocol not in (6, 1):
        raise Dropped("VPCE_GATEWAY_PROTOCOL_RESTRICTION")
    if journey.reply or journey.flow.destination != endpoint.id:
        raise Dropped("NO_PATH")
    journey.out_by = endpoint.id
    journey.arrived(packet.but(bearer=None))
