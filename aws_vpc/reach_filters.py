"""What ACLs and security groups let pass (docs/reachability.rst, rules 5 to 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aws_vpc.network import Acl, AclEntry, Address, IcmpKind, Network, PortRange, SecurityGroupRule
from aws_vpc.network_values import ALL_PORTS, ANY_PROTOCOL, ICMP, ICMPV6, WITH_PORTS

Ports = tuple[PortRange, ...]


def overlap(left: PortRange, right: PortRange) -> PortRange | None:
    """The ports in both ranges."""
    first, last = max(left.first, right.first), min(left.last, right.last)
    return PortRange(first, last) if first <= last else None


def without(left: PortRange, right: PortRange) -> list[PortRange]:
    """The ports of the left range that are not in the right one."""
    found = []
    if left.first < right.first:
        found.append(PortRange(left.first, min(left.last, right.first - 1)))
    if left.last > right.last:
        found.append(PortRange(max(left.first, right.last + 1), left.last))
    return found


def joined(ports: Iterable[PortRange]) -> Ports:
    """The same ports, in order, with neighbours made one."""
    found: list[PortRange] = []
    for one in sorted(ports):
        if found and one.first <= found[-1].last + 1:
            found[-1] = PortRange(found[-1].first, max(found[-1].last, one.last))
        else:
            found.append(one)
    return tuple(found)


def same_protocol(rule: int, packet: int) -> bool:
    """Whether a rule for this protocol concerns the packet's."""
    return rule in (ANY_PROTOCOL, packet)


def same_icmp(rule: IcmpKind | None, packet: IcmpKind | None) -> bool:
    """Whether the rule's ICMP type and code, -1 or None meaning any, are the packet's."""
    if rule is None or packet is None:
        return True
    return rule.type in (-1, packet.type) and (rule.type == -1 or rule.code in (-1, packet.code))


def rule_ports(rule: AclEntry | SecurityGroupRule, protocol: int) -> PortRange:
    """The destination ports that a rule concerns: all, unless it names a protocol that has ports."""
    if rule.protocol == ANY_PROTOCOL or protocol not in WITH_PORTS:
        return ALL_PORTS
    return rule.ports or ALL_PORTS


def concerns(rule: AclEntry | SecurityGroupRule, protocol: int, icmp: IcmpKind | None) -> bool:
    """Whether the rule is about packets of this protocol (and ICMP type and code)."""
    if not same_protocol(rule.protocol, protocol):
        return False
    return rule.protocol not in (ICMP, ICMPV6) or same_icmp(rule.icmp, icmp)


@dataclass(frozen=True)
class Admission:
    """What an ACL decides: the ports that pass, the first entry that allows and the first that refuses."""

    ports: Ports
    allowed_by: AclEntry | None
    refused_by: AclEntry | None


def admit(
    acl: Acl, egress: bool, peer: Address, protocol: int, ports: Ports, icmp: IcmpKind | None
) -> Admission:
    """The ports for which the ACL lets a packet leave to, or enter from, the address."""
    left, passed = list(ports), list[PortRange]()
    allowed_by = refused_by = None
    for entry in acl.outbound if egress else acl.inbound:
        if peer not in entry.block or not concerns(entry, protocol, icmp):
            continue
        decided = [both for one in left if (both := overlap(one, rule_ports(entry, protocol)))]
        if not decided:
            continue
        left = [rest for one in left for rest in without(one, rule_ports(entry, protocol))]
        if entry.allow:
            passed += decided
            allowed_by = allowed_by or entry
        else:
            refused_by = refused_by or entry
        if not left:
            break
    return Admission(joined(passed), allowed_by, refused_by)


@dataclass(frozen=True)
class Permission:
    """What security groups decide: the first rule that allows, the ports that pass, a list that might, and
    whether a reference to a group would have, had the way kept the sender's identity.
    """

    rule: SecurityGroupRule | None
    group: str = ""
    ports: Ports = ()
    unknown_list: str | None = None
    lost_reference: bool = False


def permit(
    network: Network,
    groups: Iterable[str],
    egress: bool,
    peer: Address | None,
    protocol: int,
    ports: Ports,
    icmp: IcmpKind | None,
    refers: Callable[[str], bool | None],
) -> Permission:
    """The first rule that allows; `refers` tells whether the peer is in a group (None: not kept)."""
    unknown_list, lost, passed = None, False, list[PortRange]()
    first: tuple[SecurityGroupRule, str] | None = None
    for group in groups:
        for rule in network.groups[group].rules if group in network.groups else ():
            if rule.egress != egress or not concerns(rule, protocol, icmp):
                continue
            open_ports = [both for one in ports if (both := overlap(one, rule_ports(rule, protocol)))]
            if not open_ports:
                continue
            if rule.prefix_list and rule.prefix_list not in network.prefix_lists:
                unknown_list = rule.prefix_list
                continue
            matched = _peer(network, rule, peer, refers)
            if matched:
                first, passed = first or (rule, group), passed + open_ports
                if open_ports == list(ports):
                    return Permission(*first, ports)
            lost = lost or matched is None
    if first:
        return Permission(*first, joined(passed))
    return Permission(None, "", (), unknown_list, lost)


def _peer(
    network: Network, rule: SecurityGroupRule, peer: Address | None, refers: Callable[[str], bool | None]
) -> bool | None:
    if rule.group:
        return refers(rule.group)
    if peer is None:
        return rule.block is not None and rule.block.prefixlen == 0 and rule.block.version == 4
    if rule.prefix_list:
        return any(peer in block for block in network.prefix_lists[rule.prefix_list].blocks)
    return rule.block is not None and peer in rule.block
