"""Filters: network ACLs at subnets, security groups at interfaces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from aws_vpc.network_values import ANY_PROTOCOL, Block, IcmpKind, PortRange


@dataclass(frozen=True)
class AclEntry:
    """A numbered entry; `block` is the source on the way in and the destination on the way out.

    `ports` are destination ports, None for all; `icmp` counts for ICMP only, None for all.
    """

    number: int
    egress: bool
    allow: bool
    block: Block
    protocol: int = ANY_PROTOCOL
    ports: PortRange | None = None
    icmp: IcmpKind | None = None


@dataclass(frozen=True)
class Acl:
    """A network ACL; what no entry matches is refused. The entries may come in any order."""

    id: str
    vpc: str
    entries: tuple[AclEntry, ...]
    subnets: tuple[str, ...] = ()
    default: bool = False

    @cached_property
    def inbound(self) -> tuple[AclEntry, ...]:
        """The entries for what enters, by number."""
        return tuple(sorted((it for it in self.entries if not it.egress), key=lambda it: it.number))

    @cached_property
    def outbound(self) -> tuple[AclEntry, ...]:
        """The entries for what leaves, by number."""
        return tuple(sorted((it for it in self.entries if it.egress), key=lambda it: it.number))


@dataclass(frozen=True)
class SecurityGroupRule:
    """A rule that allows; exactly one of `block`, `group` and `prefix_list` is set.

    The peer is the source on the way in and the destination on the way out. `ports` are destination ports.
    """

    egress: bool
    protocol: int = ANY_PROTOCOL
    ports: PortRange | None = None
    icmp: IcmpKind | None = None
    block: Block | None = None
    group: str | None = None
    prefix_list: str | None = None
    id: str = ""
    description: str = ""


@dataclass(frozen=True)
class SecurityGroup:
    """A security group; what no rule of any group of an interface allows is refused."""

    id: str
    vpc: str
    rules: tuple[SecurityGroupRule, ...] = ()
