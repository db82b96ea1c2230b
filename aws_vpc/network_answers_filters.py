"""ACLs, security groups and prefix lists from describe answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aws_vpc.network import Acl, AclEntry, IcmpKind, PortRange, PrefixList, SecurityGroup, SecurityGroupRule
from aws_vpc.network_answers_vpc import block
from aws_vpc.network_values import ANY_PROTOCOL, ICMP, ICMPV6

Answers = Mapping[str, Sequence[Mapping[str, Any]]]
IMPLICIT = 32767  # the entry `*`, which refuses what no other entry matches
NUMBERS = {"-1": -1, "all": -1, "tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "58": 58}


def protocol(told: Any) -> int:
    """The protocol's number, -1 for all."""
    text = str(told).lower()
    return NUMBERS[text] if text in NUMBERS else int(text)


def acls(answers: Answers) -> dict[str, Acl]:
    """The network ACLs; subnets that are gone are left out."""
    known = {row["SubnetId"] for row in answers.get("Subnets", ())}
    return {
        row["NetworkAclId"]: Acl(
            row["NetworkAclId"],
            row["VpcId"],
            tuple(_entry(it) for it in row.get("Entries") or () if int(it["RuleNumber"]) < IMPLICIT),
            tuple(it["SubnetId"] for it in row.get("Associations") or () if it.get("SubnetId") in known),
            bool(row.get("IsDefault")),
        )
        for row in answers.get("NetworkAcls", ())
    }


def _entry(row: Mapping[str, Any]) -> AclEntry:
    ports, icmp = row.get("PortRange"), row.get("IcmpTypeCode")
    number = protocol(row.get("Protocol", -1))
    return AclEntry(
        int(row["RuleNumber"]),
        str(row.get("Egress", False)).lower() == "true",
        row["RuleAction"] == "allow",
        block(row.get("CidrBlock") or row["Ipv6CidrBlock"]),
        number,
        PortRange(int(ports["From"]), int(ports["To"])) if ports and ports.get("From") is not None else None,
        IcmpKind(int(icmp.get("Type", -1)), int(icmp.get("Code", -1))) if icmp else None,
    )


def groups(answers: Answers) -> dict[str, SecurityGroup]:
    """The security groups; one rule for each peer."""
    found = {}
    for row in answers.get("SecurityGroups", ()):
        rules = [
            rule
            for key, egress in (("IpPermissions", False), ("IpPermissionsEgress", True))
            for permission in row.get(key) or ()
            for rule in _rules(permission, egress)
        ]
        found[row["GroupId"]] = SecurityGroup(row["GroupId"], row.get("VpcId", ""), tuple(rules))
    return found


def _rules(row: Mapping[str, Any], egress: bool) -> Iterator[SecurityGroupRule]:
    number = protocol(row.get("IpProtocol", -1))
    first, last = row.get("FromPort"), row.get("ToPort")
    ports = icmp = None
    if number in (ICMP, ICMPV6):
        icmp = IcmpKind(int(-1 if first is None else first), int(-1 if last is None else last))
    elif number != ANY_PROTOCOL and first is not None and int(first) >= 0:
        ports = PortRange(int(first), int(first if last is None else last))
    same = SecurityGroupRule(egress, number, ports, icmp)
    for kind, key in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")):
        for peer in row.get(kind) or ():
            yield replace(same, block=block(peer[key]), description=peer.get("Description", ""))
    for peer in row.get("PrefixListIds") or ():
        yield replace(same, prefix_list=peer["PrefixListId"], description=peer.get("Description", ""))
    for peer in row.get("UserIdGroupPairs") or ():
        yield replace(same, group=peer["GroupId"], description=peer.get("Description", ""))


def prefix_lists(answers: Answers) -> dict[str, PrefixList]:
    """The prefix lists whose entries are told."""
    found = {
        row["PrefixListId"]: PrefixList(
            row["PrefixListId"], tuple(map(block, row["Cidrs"])), row.get("PrefixListName", "")
        )
        for row in answers.get("PrefixLists", ())
        if row.get("Cidrs")
    }
    for row in answers.get("ManagedPrefixLists", ()):
        if row.get("Entries") is not None:
            blocks = tuple(block(entry["Cidr"]) for entry in row["Entries"])
            found[row["PrefixListId"]] = PrefixList(
                row["PrefixListId"], blocks, row.get("PrefixListName", "")
            )
    return found
