"""The part of the generator that makes security groups and network ACLs."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from aws_vpc.network import Acl, AclEntry, Block, IcmpKind, PortRange, SecurityGroup, SecurityGroupRule, Vpc

if TYPE_CHECKING:
    from walker.generator import Draft

RANGES = (
    PortRange(22, 22), PortRange(80, 80), PortRange(443, 443), PortRange(5432, 5432), PortRange(0, 65535),
    PortRange(1024, 65535), PortRange(32768, 61000), PortRange(32768, 60999), PortRange(50000, 65535),
    PortRange(1, 1023), PortRange(33000, 33000),
)  # fmt: skip
KINDS = (None, IcmpKind(8, 0), IcmpKind(8, -1), IcmpKind(-1, -1), IcmpKind(0, 0), IcmpKind(129, 0))
ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def kind(draft: Draft) -> dict[str, Any]:
    """Protocol, ports and ICMP type of a rule or entry."""
    protocol = draft.pick([-1, -1, 6, 6, 6, 6, 17, 1, 58, 47])
    if protocol in (6, 17):
        return {"protocol": protocol, "ports": draft.pick(RANGES) if draft.odds(0.9) else None}
    return {"protocol": protocol, "icmp": draft.pick(KINDS) if protocol in (1, 58) else None}


def block(draft: Draft) -> Block:
    """Addresses of a rule: anywhere, a VPC, a subnet, a single interface, or somebody outside."""
    choices: list[Any] = [*ANYWHERE, draft.pick(draft.all("vpcs")).cidrs[0]]
    choices += draft.pick(draft.all("subnets")).cidrs
    choices += [ip_network(one) for one in draft.pick(draft.all("interfaces")).addresses]
    choices += [ip_network("8.8.8.0/24"), ip_network("203.0.113.7/32"), ip_network("3.5.0.0/16")]
    return draft.pick(choices)  # type: ignore[no-any-return]


def acls(draft: Draft, vpc: Vpc) -> None:
    """The default ACL, which may have been told or not, and others for some of the subnets."""
    subnets = [one.id for one in draft.all("subnets", vpc.id)]
    if draft.odds(0.9):
        entries = allow_all() if draft.odds(0.7) else drawn(draft)
        draft.add("acls", Acl(f"acl-{vpc.id[4:]}d", vpc.id, entries, default=True))
    own = draft.some(subnets, 0, 2)
    if own:
        draft.add("acls", Acl(f"acl-{vpc.id[4:]}0", vpc.id, drawn(draft), tuple(own)))


def allow_all() -> tuple[AclEntry, ...]:
    return tuple(AclEntry(100 + n, egress, True, every) for egress in (False, True) for n, every in
                 enumerate(ANYWHERE))  # fmt: skip


def drawn(draft: Draft) -> tuple[AclEntry, ...]:
    """Entries in any order, often with one at the end that lets the rest through."""
    entries = []
    for egress in (False, True):
        numbers = draft.random.sample(range(1, 40), draft.random.randint(1, 4))
        entries += [AclEntry(n, egress, draft.odds(0.6), block(draft), **kind(draft)) for n in numbers]
        if draft.odds(0.15):
            ports = draft.pick(RANGES[5:9])
            entries += [AclEntry(800 + n, egress, True, every, 6, ports) for n, every in enumerate(ANYWHERE)]
        elif draft.odds(0.85):
            entries += [AclEntry(900 + n, egress, True, every) for n, every in enumerate(ANYWHERE)]
    draft.random.shuffle(entries)
    return tuple(entries)


def groups(draft: Draft) -> None:
    """Two or three groups for each VPC, and each interface into one or two of its own VPC's."""
    names = [
        (one.id, f"sg-{one.id[4:]}{n}")
        for one in draft.all("vpcs")
        for n in range(draft.random.randint(2, 3))
    ]
    for vpc, name in names:
        draft.add("groups", SecurityGroup(name, vpc, rules(draft, [each for _, each in names])))
    for one in draft.all("interfaces"):
        if one.filtered:
            least = 0 if draft.odds(0.02) else 1
            own = draft.some([name for vpc, name in names if vpc == one.vpc], least, 2 if least else 0)
            draft.add("interfaces", replace(one, groups=tuple(own)))


def rules(draft: Draft, names: list[str]) -> tuple[SecurityGroupRule, ...]:
    """Mostly open on the way out, in many ways on the way in; sometimes none at all."""
    found = []
    if draft.odds(0.8):
        found += [SecurityGroupRule(True, block=every) for every in ANYWHERE]
    if draft.odds(0.5):
        found += [SecurityGroupRule(False, block=every) for every in ANYWHERE]
    if draft.odds(0.3):
        found.append(SecurityGroupRule(False, group=draft.pick(names)))
    for _ in range(draft.random.randint(0, 4)):
        found.append(SecurityGroupRule(draft.odds(0.4), **kind(draft), **peer(draft, names)))
    return tuple(found)


def peer(draft: Draft, names: list[str]) -> dict[str, Any]:
    """What a rule is about: addresses, a group, or a prefix list."""
    if draft.odds(0.45):
        return {"group": draft.pick(names)}
    if draft.odds(0.3):
        return {"prefix_list": draft.pick(["pl-s3", "pl-own", "pl-out", "pl-gone"])}
    return {"block": block(draft)}
