"""Load balancers: listeners, target groups, the second leg, and answers (rules 34 to 36)."""

from __future__ import annotations

from ipaddress import ip_address

from aws_vpc.network import Listener, LoadBalancer, NetworkInterface, PortRange, Target, TargetGroup
from aws_vpc.network_values import EPHEMERAL_PORTS, TCP, UDP
from aws_vpc.reach_ask import ask_acl, ask_groups
from aws_vpc.reach_types import EGRESS, INGRESS
from aws_vpc.reach_walk import InSubnet, Leaves, Place, Translation, Walk

CARRIES = {
    "TCP": {TCP}, "TLS": {TCP}, "HTTP": {TCP}, "HTTPS": {TCP}, "UDP": {UDP}, "TCP_UDP": {TCP, UDP},
}  # fmt: skip


def balance(walk: Walk, interface: NetworkInterface) -> Place | None:
    """From the load balancer's interface on to the target that is the goal."""
    balancer = walk.network.load_balancers[interface.owner]
    listeners = listening(walk, balancer)
    if not listeners:
        return None
    groups = [
        walk.network.target_groups[name]
        for listener in listeners
        for name in listener.target_groups
        if name in walk.network.target_groups
    ]
    for group in groups:
        for target in group.targets:
            if (found := _interface(walk, balancer, group, target)) and walk.goal in (found.id, found.owner):
                return _second_leg(walk, balancer, interface, group, target, found)
    walk.block(
        "ELBV2_LISTENER_HAS_NO_TG",
        balancer.id,
        f"register {walk.goal} in a target group of the listener of {walk.named(balancer.id)}",
        refers={"LoadBalancerArn": balancer.id},
    )
    return None


def listening(walk: Walk, balancer: LoadBalancer) -> list[Listener]:
    """The listeners that take the packet; a blocker where there are none, or the load balancer does
    not work.
    """
    refers = {"LoadBalancerArn": balancer.id}
    if balancer.state != "active":
        change = f"wait until {walk.named(balancer.id)}, which is {balancer.state}, is active"
        walk.block("BAD_STATE", balancer.id, change, refers=refers)
    found = [it for it in balancer.listeners if _listens(walk, it)]
    if not found:
        change = f"add a listener for {walk.wanted} to {walk.named(balancer.id)}"
        walk.block("ELBV2_LISTENERS_MISMATCH", balancer.id, change, refers=refers)
    return found


def _listens(walk: Walk, listener: Listener) -> bool:
    packet = walk.packet
    return packet.protocol in CARRIES.get(listener.protocol, ()) and any(
        listener.port in one for one in packet.ports
    )


def _interface(
    walk: Walk, balancer: LoadBalancer, group: TargetGroup, target: Target
) -> NetworkInterface | None:
    if group.kind == "instance":
        return next(iter(walk.network.by_owner.get(target.id, ())), None)
    if group.kind != "ip":
        return None
    address = ip_address(target.id)
    own = walk.interface_at(balancer.vpc, address)
    return own or next((it for (_, at), it in walk.network.by_address.items() if at == address), None)


def preserves(balancer: LoadBalancer, group: TargetGroup) -> bool:
    """Whether the target sees the client's address (ELB guide, network target groups, attributes)."""
    if balancer.kind != "network":
        return False
    if group.protocol in ("UDP", "TCP_UDP"):
        return True
    if group.preserve_client_ip is not None:
        return group.preserve_client_ip
    return group.kind == "instance"


def _second_leg(
    walk: Walk,
    balancer: LoadBalancer,
    at: NetworkInterface,
    group: TargetGroup,
    target: Target,
    found: NetworkInterface,
) -> Place | None:
    zones = [walk.network.subnets[it.subnet].zone for it in (at, found)]
    if zones[0] != zones[1] and not balancer.cross_zone and balancer.kind == "network":
        walk.block(
            "ELBV2_NO_TARGETS_IN_AZ",
            balancer.id,
            f"turn cross-zone balancing of {walk.named(balancer.id)} on, or register a target in {zones[0]}",
            refers={"LoadBalancerArn": balancer.id},
        )
    if zones[1] not in {walk.network.subnets[it.subnet].zone for it in walk.network.by_owner[balancer.id]}:
        change = f"enable {zones[1]} for {walk.named(balancer.id)}, or register a target in an enabled zone"
        walk.block(
            "ELB_INSTALLED_AZ_RESTRICTION", balancer.id, change, refers={"LoadBalancerArn": balancer.id}
        )
    kept = preserves(balancer, group)
    packet = walk.packet
    walk.translations.append(
        Translation(
            balancer.id,
            "preserved" if kept else "balanced",
            packet.source,
            packet.destination,
            packet.source_ports,
            interface=at.id,
        )
    )
    same = (it for it in found.addresses if it.version == packet.destination.version)
    goal = next(same, found.addresses[0])
    walk.now(destination=goal, ports=(PortRange(target.port, target.port),), sender=at)
    if not kept:
        # A dual-stack load balancer speaks the family of its target, whichever the client's is.
        own = (it for it in (packet.destination, *at.addresses) if it.version == goal.version)
        walk.now(source=next(own, packet.destination), source_ports=EPHEMERAL_PORTS)
        return Leaves(at.id)
    return _preserved_leg(walk, at)


def _preserved_leg(walk: Walk, out: NetworkInterface) -> Place | None:
    """As Leaves, without the source check that an address of the client would not pass."""
    ask_groups(walk, out, EGRESS)
    return InSubnet(out.subnet)


def answer_preserved(walk: Walk, target: NetworkInterface) -> Place | None:
    """The target's answer goes straight to the load balancer's interface; no route is looked up."""
    out = walk.network.interfaces[walk.translations[-1].interface]
    if out.subnet != target.subnet:
        ask_acl(walk, target.subnet, EGRESS)
        ask_acl(walk, out.subnet, INGRESS)
    return undo_balancing(walk, out)


def undo_balancing(walk: Walk, interface: NetworkInterface) -> Place | None:
    """An answer is back at the load balancer: on to the client from the interface that the client asked."""
    last = walk.translations[-1] if walk.translations else None
    if last is None or last.kind == "nat" or last.interface != interface.id:
        return None
    walk.translations.pop()
    if last.kind == "balanced":
        walk.narrow(EPHEMERAL_PORTS)
    # Where the client's address is preserved so is its port, and what ACLs have let through of it.
    ports = walk.packet.ports if last.kind == "preserved" else (last.ports,)
    walk.now(source=last.destination, destination=last.source, ports=ports, sender=None)
    return Leaves(last.interface)
