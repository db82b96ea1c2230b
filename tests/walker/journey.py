"""One packet's journey through subnets and interfaces, step by step; gateways.py and balancers.py hold the
rest.

A step either hands the packet to the next or raises `Dropped`; a journey that ends where it should just
returns.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aws_vpc.network import Address, Flow, Network, NetworkInterface, Route, Subnet
from walker import balancers, gateways
from walker.filters import acl_admits, groups_admit
from walker.packet import Dropped, NotModelled, Packet
from walker.routes import chosen, within

MOST_STEPS = 40


@dataclass
class Journey:
    """What one connection has left behind on its way: which packets were let in, which addresses were
    changed.
    """

    network: Network
    flow: Flow
    changed_port: int  # what a NAT gateway or load balancer takes as its source port
    reply: bool = False
    steps: int = 0
    doubtful: bool = False  # passed a filter whose rules are not all known
    tracked: set[tuple[object, ...]] = field(default_factory=set)
    translated: list[tuple[str, Packet, Packet]] = field(default_factory=list)  # NAT gateway, before, after
    balanced: list[tuple[NetworkInterface, Packet, Packet]] = field(default_factory=list)
    last: Packet | None = None  # the packet as its receiver gets it
    out_by: str = ""  # the internet or egress-only gateway, or the endpoint, that it left or came in by
    first: Packet | None = None
    node: NetworkInterface | None = None  # the load balancer's, when that is where the journey ends
    transit_door: tuple[str, Subnet] | None = None  # by which it entered its first transit gateway
    way_back: tuple[str, Subnet | None] | None = None  # VPC and subnet into which what was entered answers

    def arrived(self, packet: Packet) -> None:
        """Notes what the receiver gets."""
        self.last = packet


def there(journey: Journey, source_port: int | None) -> None:
    """Sends the client's packet."""
    flow, network = journey.flow, journey.network
    packet = Packet(
        flow.source_address, flow.destination_address, flow.protocol, source_port, flow.port, flow.icmp
    )
    journey.first = packet
    if flow.source in network.interfaces:
        origin = network.interfaces[flow.source]
        may_initiate(network, origin)
        emit(journey, packet.but(bearer=origin.id), origin)
    else:
        gateways.enter_from_internet(journey, packet)


def back(journey: Journey) -> None:
    """Sends the server's answer to what arrived."""
    assert journey.last is not None
    journey.reply, journey.steps = True, 0
    packet = journey.last.answered()
    end = journey.flow.destination
    if journey.way_back is not None:
        vpc, subnet = journey.way_back
        if subnet:
            leave(journey, packet, subnet)
        else:
            deliver(journey, packet, vpc, None)
    elif journey.node is not None:
        emit(journey, packet, journey.node)
    elif balancers.past_the_client(journey, packet):
        balancers.answer_to_node(journey, packet, journey.network.interfaces[end])
    elif end in journey.network.interfaces:
        emit(journey, packet.but(bearer=end), journey.network.interfaces[end])
    else:
        gateways.answer_from_outside(journey, packet)


def may_initiate(network: Network, origin: NetworkInterface) -> None:
    """An endpoint only answers."""
    if origin.owner in network.endpoints:
        raise Dropped("VPCE_INTRA_VPC_TRAFFIC")
    runs(network, origin)


def runs(network: Network, one: NetworkInterface) -> None:
    """An endpoint has to be available; the state of machines is not part of the network."""
    endpoint = network.endpoints.get(one.owner)
    if endpoint and endpoint.state != "available":
        raise Dropped("BAD_STATE")


def emit(journey: Journey, packet: Packet, origin: NetworkInterface) -> None:
    """The packet leaves an interface."""
    if packet.source not in origin.addresses and origin.source_dest_check:
        raise Dropped("ENI_SOURCE_DEST_CHECK_RESTRICTION")
    filtered(journey, packet, origin, egress=True)
    leave(journey, packet, journey.network.subnets[origin.subnet])


def filtered(journey: Journey, packet: Packet, at: NetworkInterface, egress: bool) -> None:
    """The interface's security groups; an answer to what they have let through passes."""
    if not at.filtered and not at.groups:
        return
    if (at.id, *packet.tuple5_turned) in journey.tracked:
        return
    admitted = groups_admit(journey.network, at, egress, packet)
    journey.doubtful |= admitted is None
    if admitted is False:
        raise Dropped("ENI_SG_RULES_MISMATCH")
    journey.tracked.add((at.id, *packet.tuple5))


def leave(journey: Journey, packet: Packet, subnet: Subnet) -> None:
    """From somewhere in a subnet: nothing is looked up inside it, beyond it its route table decides."""
    journey.steps += 1
    if journey.steps > MOST_STEPS:
        raise Dropped("NO_PATH")
    if any(within(packet.destination, block) for block in subnet.cidrs):
        deliver(journey, packet, subnet.vpc, subnet)
    else:
        try:
            route = chosen(journey.network, journey.network.table_of(subnet.id), packet.destination)
        except NotModelled:
            out_of(journey, packet, subnet)
            raise
        follow(journey, packet, route, subnet.vpc, subnet)


def out_of(journey: Journey, packet: Packet, subnet: Subnet | None) -> None:
    """Past the ACL of the subnet that the packet leaves."""
    if subnet and not acl_admits(journey.network.acl_of(subnet.id), True, packet):
        raise Dropped("SUBNET_ACL_RESTRICTION")


def into(journey: Journey, packet: Packet, subnet: Subnet) -> None:
    """Past the ACL of the subnet that the packet enters."""
    if not acl_admits(journey.network.acl_of(subnet.id), False, packet):
        raise Dropped("SUBNET_ACL_RESTRICTION")


def follow(journey: Journey, packet: Packet, route: Route, vpc: str, subnet: Subnet | None) -> None:
    """Where a route's target takes the packet; `subnet` is None when it comes in from a gateway."""
    network, target = journey.network, route.target
    if route.state == "blackhole":
        raise Dropped("BAD_STATE_ROUTE")
    if target == "local":
        deliver(journey, packet, vpc, subnet)
    elif target in network.interfaces or target in network.instances:
        through_machine(journey, packet, target, vpc, subnet)
    elif target in network.unmodelled:
        out_of(journey, packet, subnet)
        raise NotModelled(target)
    else:
        gateways.follow(journey, packet, target, vpc, subnet)


def through_machine(journey: Journey, packet: Packet, target: str, vpc: str, subnet: Subnet | None) -> None:
    """To a middlebox, by the id of its interface or of an instance with one."""
    found = [one for one in journey.network.interfaces.values() if target in (one.id, one.owner)]
    if not found or found[0].vpc != vpc:
        raise Dropped("BAD_STATE_ROUTE")
    enter(journey, packet, found[0], subnet)


def deliver(journey: Journey, packet: Packet, vpc: str, subnet: Subnet | None) -> None:
    """To the interface of the VPC that has the address."""
    at = owner_of(journey.network, vpc, packet.destination)
    if at is None:
        raise Dropped("NO_POSSIBLE_DESTINATION")
    enter(journey, packet, at, subnet)


def owner_of(network: Network, vpc: str, address: Address) -> NetworkInterface | None:
    """The interface of the VPC that has the private or IPv6 address."""
    for one in network.interfaces.values():
        if one.vpc == vpc and address in one.addresses:
            return one
    return None


def enter(journey: Journey, packet: Packet, at: NetworkInterface, subnet: Subnet | None) -> None:
    """From a subnet to an interface; ACLs count only between subnets."""
    target = journey.network.subnets[at.subnet]
    if subnet is None or subnet.id != target.id:
        out_of(journey, packet, subnet)
        into(journey, packet, target)
    arrive(journey, packet, at)


def arrive(journey: Journey, packet: Packet, at: NetworkInterface) -> None:
    """At an interface: past its security groups, to what owns it."""
    network, flow = journey.network, journey.flow
    if at.owner in network.nat_gateways:
        return gateways.back_through_nat(journey, packet, network.nat_gateways[at.owner], at)
    mine = packet.destination in at.addresses
    if not mine and at.source_dest_check:
        raise Dropped("ENI_SOURCE_DEST_CHECK_RESTRICTION")
    filtered(journey, packet, at, egress=False)
    runs(network, at)
    if journey.reply and balancers.answered(journey, packet, at):
        return None
    goal = flow.source if journey.reply else flow.destination
    if at.id == goal and fits(journey, packet):
        return journey.arrived(packet)
    if not mine:
        return emit(journey, packet.but(bearer=None), at)
    if at.owner in network.load_balancers and not journey.reply:
        return balancers.balance(journey, packet, network.load_balancers[at.owner], at)
    raise Dropped("NO_PATH")


def entered(journey: Journey, packet: Packet, component: str, vpc: str, subnet: Subnet | None) -> bool:
    """Whether the component is where the flow should go.

    Its answers come into the VPC, or out of the subnet.
    """
    if journey.reply or journey.flow.destination != component:
        return False
    journey.way_back = (vpc, subnet)
    journey.arrived(packet)
    return True


def fits(journey: Journey, packet: Packet) -> bool:
    """A client takes an answer only from the address and port that it asked."""
    return not journey.reply or (
        journey.first is not None and packet.tuple5 == journey.first.answered().tuple5
    )
