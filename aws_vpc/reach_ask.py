"""What stands at interfaces and subnets: security groups and ACLs are asked here (rules 5 to 11)."""

from __future__ import annotations

from aws_vpc.network import NetworkInterface
from aws_vpc.network_values import ALL_PORTS
from aws_vpc.reach_filters import admit, permit
from aws_vpc.reach_routes import choose
from aws_vpc.reach_types import EGRESS
from aws_vpc.reach_walk import Walk


def ask_groups(walk: Walk, interface: NetworkInterface, direction: str) -> None:
    """The interface's security groups let the packet pass, or a blocker says why not."""
    if not interface.filtered:
        return
    at = {"attached_to": interface.id, "subnet": interface.subnet, "vpc": interface.vpc}
    if walk.back and any(hop.component == interface.id for hop in walk.there):
        for group in interface.groups[:1]:
            walk.hop(group, None, direction=direction, note="stateful: answers pass", **at)
        return
    egress, packet = direction == EGRESS, walk.packet
    peer = packet.destination if egress else packet.source
    in_group = _destination_groups(walk, interface) if egress else _sender_groups(walk)

    def refers(group: str) -> bool | None:
        return None if in_group is None else group in in_group

    found = permit(
        walk.network,
        interface.groups,
        egress,
        peer,
        packet.protocol,
        packet.ports or (ALL_PORTS,),
        packet.icmp,
        refers,
    )
    if found.rule:
        walk.now(ports=found.ports if packet.ports else ())
        walk.hop(found.group, found.rule, direction=direction, **at)
    elif found.unknown_list:
        walk.unknown(f"prefix list {found.unknown_list}, whose entries are not known")
    else:
        _groups_refuse(walk, interface, direction, found.lost_reference)


def _groups_refuse(walk: Walk, interface: NetworkInterface, direction: str, lost: bool) -> None:
    egress = direction == EGRESS
    peer = walk.packet.destination if egress else walk.packet.source
    rules = [
        rule
        for group in interface.groups
        if group in walk.network.groups
        for rule in walk.network.groups[group].rules
    ]
    code = "ENI_SG_RULES_MISMATCH" if any(rule.egress == egress for rule in rules) else "SG_HAS_NO_RULES"
    if lost and walk.flow.source in walk.network.interfaces:
        code = "SG_REFERENCES_NOT_PRESERVED"
    first = interface.groups[0] if interface.groups else ""
    where = f"an {'outbound' if egress else 'inbound'} rule to {walk.named(first)}" if first else "a group"
    walk.block(
        code,
        interface.id,
        f"add {where} for {walk.wanted} {'to' if egress else 'from'} {peer}",
        direction,
        refers={
            "NetworkInterface": interface.id,
            "SecurityGroups": interface.groups,
            "Vpc": interface.vpc,
            "Subnet": interface.subnet,
        },
    )


def _sender_groups(walk: Walk) -> frozenset[str] | None:
    """The groups of the sender; None where the way did not keep its identity."""
    sender = walk.packet.sender
    return None if sender is None else frozenset(sender.groups)


def _destination_groups(walk: Walk, interface: NetworkInterface) -> frozenset[str] | None:
    """The groups of the interface that the packet leads to; None where the way drops the identity."""
    vpc = _next_vpc(walk, interface)
    if vpc is None:
        return None
    found = walk.interface_at(vpc, walk.packet.destination)
    return frozenset(found.groups) if found else frozenset()


def _next_vpc(walk: Walk, interface: NetworkInterface) -> str | None:
    """The VPC into which the packet goes with its identity: its own, or over peering in one Region."""
    network, destination = walk.network, walk.packet.destination
    if any(destination in block for block in network.subnets[interface.subnet].cidrs):
        return interface.vpc
    table = network.table_of(interface.subnet)
    route = choose(network, table, destination).route if table else None
    peering = network.peerings.get(route.target) if route else None
    if route is None or route.local:
        return interface.vpc
    if peering is None or peering.state != "active":
        return None if peering is None else interface.vpc
    if peering.requester.region != peering.accepter.region:
        return None
    return peering.accepter.vpc if peering.requester.vpc == interface.vpc else peering.requester.vpc


def ask_acl(walk: Walk, subnet: str, direction: str) -> None:
    """The subnet's ACL lets the packet pass, or a blocker says why not; ports that it refuses are gone."""
    acl = walk.network.acl_of(subnet)
    packet, egress = walk.packet, direction == EGRESS
    peer = packet.destination if egress else packet.source
    if acl is None or peer is None:
        return
    decided = admit(acl, egress, peer, packet.protocol, packet.ports or (ALL_PORTS,), packet.icmp)
    vpc = walk.network.subnets[subnet].vpc
    if decided.ports:
        if packet.ports:
            walk.now(ports=decided.ports)
        walk.hop(acl.id, decided.allowed_by, direction=direction, subnet=subnet, vpc=vpc)
        return
    number = f"before entry {decided.refused_by.number} " if decided.refused_by else ""
    walk.block(
        "SUBNET_ACL_RESTRICTION",
        acl.id,
        f"add an {'outbound' if egress else 'inbound'} entry that allows {walk.wanted} "
        f"{'to' if egress else 'from'} {peer} {number}to {walk.named(acl.id)}",
        direction,
        decided.refused_by,
        {"Acl": acl.id, "Subnet": subnet, "Vpc": vpc},
    )


def ask_endpoint(walk: Walk, interface: NetworkInterface) -> None:
    """What the interface is of, when it is an endpoint, has to be available (rule 3)."""
    endpoint = walk.network.endpoints.get(interface.owner)
    if endpoint and endpoint.state != "available":
        change = (
            f"wait until {walk.named(endpoint.id)}, which is {endpoint.state}, is available, or make it anew"
        )
        walk.block("BAD_STATE", endpoint.id, change, refers={"VpcEndpoint": endpoint.id})


def show(walk: Walk, interface: NetworkInterface, arriving: bool) -> None:
    """The interface and its owner as hops, in the order in which the packet meets them."""
    at = {"subnet": interface.subnet, "vpc": interface.vpc}
    steps = [(interface.id, {**at, "attached_to": interface.owner})]
    if interface.owner and interface.owner in walk.network.components:
        steps.append((interface.owner, {"vpc": interface.vpc}))
    for component, more in steps if arriving else reversed(steps):
        walk.hop(component, None, **more)
