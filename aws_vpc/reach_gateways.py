"""Steps at route tables and at what routes name (rules 12 to 27, 31)."""

from __future__ import annotations

from aws_vpc.network import Address, Block, NetworkInterface, PeeringConnection, Route, RouteTable
from aws_vpc.network_values import ECHO_REQUEST, ICMP, INTERNET, TCP
from aws_vpc.reach_addresses import not_on_internet
from aws_vpc.reach_ask import ask_acl
from aws_vpc.reach_nat import nat_egress_refused, pass_nat, undo_nat
from aws_vpc.reach_rivals import supposed
from aws_vpc.reach_routes import alive, carrier, choose
from aws_vpc.reach_transit import enter_transit
from aws_vpc.reach_types import EGRESS
from aws_vpc.reach_walk import (
    Arrives,
    AtAppliance,
    AtGateway,
    InSubnet,
    InVpc,
    OnInternet,
    Place,
    Walk,
)

IGW_EGRESS = "IGW_DESTINATION_ADDRESS_NOT_IN_{}_EGRESS"
IGW_INGRESS = "IGW_SOURCE_ADDRESS_NOT_IN_{}_INGRESS"


def route(walk: Walk, place: InSubnet) -> Place | None:
    """On from a subnet: inside it, or past its ACL to where its table leads."""
    subnet = walk.network.subnets[place.subnet]
    if any(walk.packet.destination in block for block in subnet.cidrs):
        return InVpc(subnet.vpc, subnet.id)
    table = walk.network.table_of(subnet.id)
    if table is None or not _stays(walk, table, subnet.id):
        ask_acl(walk, subnet.id, EGRESS)
    if table is None:
        walk.unknown(f"the route table of {walk.named(subnet.id)}, which is not known")
        return None
    return _follow(walk, table, subnet.vpc, subnet.id)


def _stays(walk: Walk, table: RouteTable, subnet: str) -> bool:
    """Whether the route leads to an appliance or NAT gateway in the same subnet, where no ACL is asked
    (rule 8).
    """
    choice = choose(walk.network, table, walk.packet.destination)
    if choice.route is None or choice.rivals or choice.unknown_list:
        return False
    nat = walk.network.nat_gateways.get(choice.route.target)
    appliance = carrier(walk.network, choice.route.target)
    return (nat is not None and nat.subnet == subnet) or (
        appliance is not None and appliance.subnet == subnet
    )


def _follow(walk: Walk, table: RouteTable, vpc: str, subnet: str | None) -> Place | None:
    """Where the table's route for the destination leads."""
    choice = choose(walk.network, table, walk.packet.destination)
    found = choice.route
    if table.unknown_routes and not (found and found.local):
        walk.unknown(f"the routes that {walk.named(table.id)} is given by a virtual private gateway")
        return None
    if choice.unknown_list and not (found and found.local) and not not_on_internet(walk.packet.destination):
        walk.unknown(
            f"prefix list {choice.unknown_list} in {walk.named(table.id)}, whose entries are not known"
        )
        return None
    if choice.rivals:
        names = " and ".join(sorted(one.target for one in choice.rivals))
        walk.unknown(f"which of {names} AWS takes: prefix lists of {walk.named(table.id)} overlap")
        return None
    refers = {"RouteTable": table.id, "Vpc": vpc, **({"Subnet": subnet} if subnet else {})}
    if found is None:
        change = f"add a route to {walk.packet.destination} to {walk.named(table.id)}"
        walk.block("NO_ROUTE_TO_DESTINATION", table.id, change, refers=refers)
        return supposed(walk, vpc, subnet)
    walk.hop(table.id, found, subnet=subnet or "", vpc=vpc)
    if found.local:
        return InVpc(vpc, subnet)
    if found.target in walk.network.unmodelled:
        what = walk.network.unmodelled[found.target]
        walk.unknown(f"{what.kind} {walk.named(what.id)}: {what.reason}")
        return None
    if not alive(walk.network, found, vpc):
        change = f"mend {walk.named(found.target)} or take the route to it out of {walk.named(table.id)}"
        walk.block("BAD_STATE_ROUTE", table.id, change, rule=found, refers=refers)
        return supposed(walk, vpc, subnet)
    return _onward(walk, found, subnet)


def _onward(walk: Walk, found: Route, subnet: str | None) -> Place:
    appliance = carrier(walk.network, found.target)
    if appliance:
        return AtAppliance(appliance.id, subnet)
    return AtGateway(found.target, subnet or "")


def _in(address: Address | None, blocks: tuple[Block, ...]) -> bool:
    return address is not None and any(address in block for block in blocks)


def pass_gateway(walk: Walk, place: AtGateway) -> Place | None:
    """Into the gateway that a route names, by its kind."""
    network, component = walk.network, place.component
    if component in network.internet_gateways:
        return _to_internet(walk, place)
    if component in network.egress_only_gateways:
        return _egress_only(walk, place)
    if component in network.nat_gateways:
        return pass_nat(walk, place)
    if component in network.transit_gateways:
        return enter_transit(walk, place)
    if walk.packet.nat:
        nat_egress_refused(walk, walk.packet.nat, component)
    if component in network.peerings:
        return _over_peering(walk, network.peerings[component], network.subnets[place.subnet].vpc)
    return _to_endpoint(walk, place)


def _to_internet(walk: Walk, place: AtGateway) -> Place | None:
    """Out by an internet gateway, with the public address."""
    packet, vpc = walk.packet, walk.network.subnets[place.subnet].vpc
    _public_access(walk)
    kind = not_on_internet(packet.destination)
    if kind:
        change = f"route {packet.destination}, which is private, elsewhere"
        walk.block(IGW_EGRESS.format(kind), place.component, change, refers={"Vpc": vpc})
    sender = walk.interface_at(vpc, packet.source)
    public = (
        next((it.public for it in sender.public if it.private == packet.source), None) if sender else None
    )
    nat = walk.network.nat_gateways.get(packet.nat)
    regional = nat is not None and nat.subnet is None
    if packet.source is not None and packet.source.version == 6 and sender:
        public = packet.source
    if packet.transit and not packet.nat:
        public = None
    if public is None and not regional:
        change = f"give {packet.source} a public address (an Elastic IP), or route through a NAT gateway"
        where = sender.id if sender else place.component
        walk.block("IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", where, change, refers={"Vpc": vpc})
    walk.now(source=public if not regional else packet.source, sender=None, nat="")
    walk.hop(place.component, vpc=vpc)
    if walk.goal in (place.component, INTERNET):
        _answers_to(walk)
        return None
    if kind:
        return None
    return OnInternet()


def _public_access(walk: Walk) -> None:
    """VPC Block Public Access, where it is on, has exclusions that are not modelled."""
    if walk.network.block_public_access != "off":
        walk.unknown(f"VPC Block Public Access, which is {walk.network.block_public_access}")


def _answers_to(walk: Walk) -> None:
    """The end, outside: an answer must come from the address that was asked (rule 20)."""
    if walk.back and walk.asked is not None and walk.packet.source != walk.asked:
        change = f"route the answers so that they leave with {walk.asked}, the address that was asked"
        walk.block("NGW_SOURCE_ADDRESS_REASSIGN", walk.hops[-1].component, change)
    walk.finish()


def _egress_only(walk: Walk, place: AtGateway) -> Place | None:
    """Out by an egress-only internet gateway: IPv6."""
    packet, vpc = walk.packet, walk.network.subnets[place.subnet].vpc
    _public_access(walk)
    if packet.destination.version != 6:
        change = "use IPv6, or a NAT gateway for IPv4"
        walk.block("PROTOCOL_RESTRICTION", place.component, change, refers={"Vpc": vpc})
    if walk.back:
        change = f"route {packet.destination} to an internet gateway: this one lets nothing in to be answered"
        walk.block("NO_POSSIBLE_DESTINATION", place.component, change, refers={"Vpc": vpc})
    if walk.interface_at(vpc, packet.source) is None:
        change = f"send from an address of {walk.named(vpc)}"
        walk.block("IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", place.component, change, refers={"Vpc": vpc})
    walk.now(sender=None)
    walk.hop(place.component, vpc=vpc)
    if walk.goal in (place.component, INTERNET):
        _answers_to(walk)
        return None
    return OnInternet()


def come_in(walk: Walk, place: OnInternet) -> Place | None:
    """In from the internet, by the gateway of the VPC that has the public address."""
    packet = walk.packet
    if packet.source is None:
        walk.unknown("the public address of a regional NAT gateway, which is not known")
        return None
    _public_access(walk)
    kind = not_on_internet(packet.source)
    if kind:
        change = f"ask from a public address: {packet.source} is private"
        walk.block(IGW_INGRESS.format(kind), INTERNET, change)
    found, private = _behind(walk, packet.destination)
    if found is None:
        if nat := _nat_at(walk, packet.destination):
            return undo_nat(walk, nat)
        return _no_public_address(walk)
    return _in_by_gateway(walk, found, private)


def _no_public_address(walk: Walk) -> Place | None:
    """Nobody has it as a public address; where the goal has it as a private one, the walk goes on there."""
    packet, goal = walk.packet, walk.network.interfaces.get(walk.goal)
    code = "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS"
    if goal is None or packet.destination not in goal.addresses:
        walk.block(code, INTERNET, f"give an interface the public address {packet.destination}")
        return None
    walk.block(code, goal.id, f"give {walk.named(goal.id)} a public address", refers={"Vpc": goal.vpc})
    return _in_by_gateway(walk, goal, packet.destination)


def _behind(walk: Walk, address: Address) -> tuple[NetworkInterface | None, Address]:
    if address.version == 4:
        return walk.network.by_public_address.get(address, (None, address))
    return walk.network.by_ipv6_address.get(address), address


def _nat_at(walk: Walk, address: Address) -> str | None:
    """The regional NAT gateway with the public address."""
    for nat in walk.network.nat_gateways.values():
        if nat.subnet is None and any(it.public == address for it in nat.addresses):
            return nat.id
    return None


def _in_by_gateway(walk: Walk, found: NetworkInterface, private: Address) -> Place | None:
    gateway = walk.network.gateway_of.get(found.vpc)
    stateful = walk.back and any(hop.component in walk.network.egress_only_gateways for hop in walk.there)
    if gateway is None and not stateful:
        change = f"attach an internet gateway to {walk.named(found.vpc)}"
        walk.block("IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", found.id, change, refers={"Vpc": found.vpc})
    walk.now(destination=private, sender=None)
    if gateway is None or stateful:
        return Arrives(found.id)
    if (
        walk.flow.source in walk.network.internet_gateways
        and walk.flow.source != gateway.id
        and not walk.back
    ):
        change = f"ask from {walk.named(gateway.id)}, the gateway of {walk.named(found.vpc)}"
        walk.block("DISCONNECTED_VPCS", walk.flow.source, change, refers={"Vpc": found.vpc})
    walk.hop(gateway.id, vpc=found.vpc)
    table = walk.network.own_tables.get(gateway.id)
    if table is None:
        return Arrives(found.id)
    return _follow(walk, table, found.vpc, None)


def _over_peering(walk: Walk, peering: PeeringConnection, vpc: str) -> Place | None:
    """Over to the other VPC."""
    near, far = peering.requester, peering.accepter
    if far.vpc == vpc:
        near, far = far, near
    packet, other = walk.packet, walk.network.vpcs.get(far.vpc)
    blocks = other.cidrs if other else far.cidrs
    refers = {"VpcPeeringConnection": peering.id, "DestinationVpc": far.vpc, "SourceVpc": near.vpc}
    if other is None and not blocks:
        walk.unknown(f"VPC {far.vpc} behind {walk.named(peering.id)}, which cannot be read")
        return None
    inside = _in(packet.destination, blocks)
    if not inside or not _in(packet.source, walk.network.vpcs[vpc].cidrs):
        what = packet.source if inside else packet.destination
        change = f"go another way with {what}: a peering connection joins only its two VPCs' own addresses"
        walk.block("PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", peering.id, change, refers=refers)
    walk.now(sender=packet.sender if near.region == far.region else None)
    walk.hop(peering.id, vpc=vpc)
    if walk.goal == peering.id:
        walk.finish()
        return None
    if inside and other is None:
        walk.unknown(f"VPC {far.vpc} behind {walk.named(peering.id)}, which cannot be read")
    return InVpc(far.vpc) if inside and other else None


def _to_endpoint(walk: Walk, place: AtGateway) -> Place | None:
    """Into a gateway endpoint, the end of a way."""
    endpoint, packet = walk.network.endpoints[place.component], walk.packet
    echo = packet.protocol == ICMP and packet.icmp in (None, ECHO_REQUEST)
    if packet.protocol != TCP and not echo:
        change = "use TCP or ICMP echo"
        refers = {"VpcEndpoint": endpoint.id}
        walk.block("VPCE_GATEWAY_PROTOCOL_RESTRICTION", endpoint.id, change, refers=refers)
    if walk.interface_at(endpoint.vpc, packet.source) is None or packet.transit:
        change = f"use an endpoint in the client's own VPC: this one serves {walk.named(endpoint.vpc)} only"
        refers = {"VpcEndpoint": endpoint.id, "Vpc": endpoint.vpc}
        walk.block("NO_POSSIBLE_DESTINATION", endpoint.id, change, refers=refers)
    walk.hop(endpoint.id, vpc=endpoint.vpc)
    if walk.goal == endpoint.id:
        walk.finish()
        return None
    change = f"ask for {walk.named(endpoint.id)}: it takes what is sent to {packet.destination}"
    walk.block("NO_POSSIBLE_DESTINATION", endpoint.id, change, refers={"VpcEndpoint": endpoint.id})
    return None
