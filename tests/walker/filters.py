"""What security groups and network ACLs do with one packet, rule after rule."""

from __future__ import annotations

from aws_vpc.network import Acl, Address, Network, NetworkInterface, SecurityGroupRule
from walker import routes
from walker.packet import Dropped, NotModelled, Packet
from walker.routes import within


def same_kind(rule: object, packet: Packet) -> bool:
    """Whether protocol, destination port and ICMP type of a rule or entry fit the packet."""
    protocol = rule.protocol  # type: ignore[attr-defined]
    if protocol == -1:
        return True
    if protocol != packet.protocol:
        return False
    if protocol in (6, 17):
        ports = rule.ports  # type: ignore[attr-defined]
        return ports is None or ports.first <= packet.port <= ports.last
    wanted = rule.icmp  # type: ignore[attr-defined]
    if protocol in (1, 58) and wanted is not None and packet.icmp is not None:
        return wanted.type in (-1, packet.icmp.type) and wanted.code in (-1, packet.icmp.code)
    return True


def acl_admits(acl: Acl | None, egress: bool, packet: Packet) -> bool:
    """User guide, network ACLs: in order of number, the first entry that fits decides; none refuses.

    No ACL at all means that the source of the network did not tell any: everything passes.
    """
    if acl is None:
        return True
    for entry in sorted(acl.entries, key=lambda one: one.number):
        peer = packet.destination if egress else packet.source
        if entry.egress == egress and within(peer, entry.block) and same_kind(entry, packet):
            return entry.allow
    return False


def groups_admit(network: Network, at: NetworkInterface, egress: bool, packet: Packet) -> bool | None:
    """User guide, security groups: one rule of one group is enough, and there are no rules that deny.

    None when it depends on a prefix list whose entries are not known.
    """
    doubtful = False
    for name in at.groups:
        for rule in network.groups[name].rules if name in network.groups else ():
            if rule.egress == egress and same_kind(rule, packet):
                if peer_fits(network, at, rule, packet):
                    return True
                doubtful |= rule.prefix_list is not None and rule.prefix_list not in network.prefix_lists
    return None if doubtful else False


def peer_fits(network: Network, at: NetworkInterface, rule: SecurityGroupRule, packet: Packet) -> bool:
    """Whether the other end of the packet is the rule's."""
    peer = packet.destination if rule.egress else packet.source
    if rule.block is not None:
        return within(peer, rule.block)
    if rule.prefix_list is not None:
        known = network.prefix_lists.get(rule.prefix_list)
        return known is not None and any(within(peer, block) for block in known.blocks)
    if rule.egress:
        return any(rule.group in one.groups for one in named_by_egress(network, at, peer))
    return comes_from_member(network, at, rule.group, packet)


def named_by_egress(network: Network, at: NetworkInterface, peer: Address) -> list[NetworkInterface]:
    """The interfaces that an address may mean in a rule on the way out: in this VPC, or the peer that it
    leads to.

    Peering guide, security groups: same Region, while the connection is active. Transit gateway guide:
    references
    hold in inbound rules only.
    """
    vpc = None
    if any(within(peer, block) for block in network.subnets[at.subnet].cidrs):
        vpc = at.vpc
    else:
        target = next_hop(network, at, peer)
        vpc = at.vpc if target == "local" else None
        if target in network.peerings:
            sides = (network.peerings[target].requester, network.peerings[target].accepter)
            if network.peerings[target].state == "active" and sides[0].region == sides[1].region:
                vpc = sides[1].vpc if sides[0].vpc == at.vpc else sides[0].vpc
    return [one for one in network.interfaces.values() if one.vpc == vpc and peer in one.addresses]


def next_hop(network: Network, at: NetworkInterface, peer: Address) -> str:
    """What the subnet's route table names for the address; the VPC itself where that is open."""
    try:
        return routes.chosen(network, network.table_of(at.subnet), peer).target
    except (Dropped, NotModelled):
        return "local"


def comes_from_member(network: Network, at: NetworkInterface, group: str | None, packet: Packet) -> bool:
    """Whether the packet still stands for an interface in the group when it arrives here."""
    if packet.bearer is None or group not in network.interfaces[packet.bearer].groups:
        return False
    bearer = network.interfaces[packet.bearer]
    if packet.source not in bearer.addresses and bearer.owner not in network.load_balancers:
        return False
    return all(keeps_references(network, name) for name in packet.crossed)


def keeps_references(network: Network, crossed: str) -> bool:
    """Peering: within a Region. Transit gateway: where it and both attachments say so; not between two
    of them.
    """
    if crossed in network.peerings:
        found = network.peerings[crossed]
        return found.requester.region == found.accepter.region
    attachment = network.attachments[crossed]
    gateway = network.transit_gateways[attachment.gateway]
    return (
        attachment.kind == "vpc"
        and attachment.security_group_referencing
        and gateway.security_group_referencing
    )
