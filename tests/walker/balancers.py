"""What a load balancer does with a packet that reaches one of its nodes, and with the target's answer."""

from __future__ import annotations

from aws_vpc.network import Listener, LoadBalancer, Network, NetworkInterface, Target, TargetGroup
from walker import journey as walk
from walker.packet import Dropped, Packet

TRANSPORTS = {
    "TCP": {6}, "TLS": {6}, "HTTP": {6}, "HTTPS": {6}, "UDP": {17}, "TCP_UDP": {6, 17},
}  # fmt: skip


def balance(journey: walk.Journey, packet: Packet, balancer: LoadBalancer, node: NetworkInterface) -> None:
    """From the node that has the address to the target that the flow is about."""
    network, goal = journey.network, journey.flow.destination
    if balancer.state != "active":
        raise Dropped("BAD_STATE")
    listeners = [one for one in balancer.listeners if accepts(one, packet)]
    if not listeners:
        raise Dropped("ELBV2_LISTENERS_MISMATCH")
    if goal == balancer.id:
        journey.node = node
        return journey.arrived(packet)
    why = "ELBV2_LISTENER_HAS_NO_TG"
    for listener in listeners:
        for group in (
            network.target_groups[one] for one in listener.target_groups if one in network.target_groups
        ):
            for target in group.targets:
                at = resolved(network, balancer, group, target)
                if at is None or at.id != goal:
                    continue
                if not in_zone(network, balancer, node, at, target):
                    why = "ELB_INSTALLED_AZ_RESTRICTION"
                    continue
                return to_target(journey, packet, balancer, node, group, target, at)
    raise Dropped(why)


def accepts(listener: Listener, packet: Packet) -> bool:
    return listener.port == packet.port and packet.protocol in TRANSPORTS[listener.protocol]


def resolved(
    network: Network, balancer: LoadBalancer, group: TargetGroup, target: Target
) -> NetworkInterface | None:
    """The interface of a target: the first of an instance, or the one in the VPC with the address."""
    for one in network.interfaces.values():
        if group.kind == "instance" and one.owner == target.id:
            return one
        if group.kind == "ip" and one.vpc == balancer.vpc and target.id in map(str, one.addresses):
            return one
    return None


def in_zone(
    network: Network, balancer: LoadBalancer, node: NetworkInterface, at: NetworkInterface, target: Target
) -> bool:
    """Targets lie in enabled zones; without cross-zone balancing, in the node's own."""
    zone = network.subnets[at.subnet].zone
    nodes = {
        network.subnets[one.subnet].zone for one in network.interfaces.values() if one.owner == balancer.id
    }
    crossing = balancer.cross_zone or balancer.kind == "application" or target.zone == "all"
    return zone in nodes and (crossing or zone == network.subnets[node.subnet].zone)


def keeps_client(balancer: LoadBalancer, group: TargetGroup) -> bool:
    """Network Load Balancers guide, client IP preservation."""
    if balancer.kind == "application":
        return False
    if group.protocol not in ("TCP", "TLS"):
        return True
    return group.kind == "instance" if group.preserve_client_ip is None else group.preserve_client_ip


def to_target(
    journey: walk.Journey,
    packet: Packet,
    balancer: LoadBalancer,
    node: NetworkInterface,
    group: TargetGroup,
    target: Target,
    at: NetworkInterface,
) -> None:
    """The second leg, from the node's interface; the node's security groups are what the target sees."""
    address = (
        at.addresses[0] if group.kind == "instance" else next(a for a in at.addresses if str(a) == target.id)
    )
    sent = packet.but(destination=address, port=target.port, bearer=node.id, crossed=())
    if not keeps_client(balancer, group):
        sent = sent.but(source=packet.destination, source_port=journey.changed_port)
    journey.balanced.append((node, packet, sent))
    walk.filtered(journey, sent, node, egress=True)
    walk.leave(journey, sent, journey.network.subnets[node.subnet])


def answered(journey: walk.Journey, packet: Packet, at: NetworkInterface) -> bool:
    """Whether the packet answers what this node has sent; then the node answers the client."""
    for node, before, after in journey.balanced:
        if node.id == at.id and packet.tuple5_turned == after.tuple5:
            answer = before.answered()
            walk.leave(journey, answer, journey.network.subnets[node.subnet])
            return True
    return False


def past_the_client(journey: walk.Journey, packet: Packet) -> bool:
    """Whether the target's answer carries the client's own address, which a network load balancer had
    kept.
    """
    return bool(journey.balanced) and packet.destination not in journey.balanced[-1][0].addresses


def answer_to_node(journey: walk.Journey, packet: Packet, at: NetworkInterface) -> None:
    """Network Load Balancers guide, client IP preservation: the answer goes back by the node, not by routes.

    The ACLs between the two subnets see the client's address in it.
    """
    node, before, _ = journey.balanced[-1]
    home, target = journey.network.subnets[node.subnet], journey.network.subnets[at.subnet]
    walk.filtered(journey, packet, at, egress=True)
    if home.id != target.id:
        walk.out_of(journey, packet, target)
        walk.into(journey, packet, home)
    walk.leave(journey, before.answered(), home)
