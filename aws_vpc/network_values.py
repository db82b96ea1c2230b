"""Addresses, ports and protocols: the values of which networks and questions are made.

Addresses are `ipaddress` objects; ports are whole numbers 0-65535; protocols are IANA numbers, -1 meaning
any.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Block = IPv4Network | IPv6Network

ANY_PROTOCOL = -1
ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58
WITH_PORTS = frozenset({TCP, UDP})

INTERNET = "internet"  # an end of a flow: some host outside every VPC, known by its address alone
LOCAL = "local"  # the target of a route: anywhere in the VPC itself


@dataclass(frozen=True, order=True)
class PortRange:
    """The ports from `first` to `last`, both included."""

    first: int
    last: int

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


ALL_PORTS = PortRange(0, 65535)
# VPC guide, network ACLs, ephemeral ports: Linux clients; NAT gateways, load balancers and other clients.
LINUX_CLIENT_PORTS = PortRange(32768, 61000)
EPHEMERAL_PORTS = PortRange(1024, 65535)


@dataclass(frozen=True)
class IcmpKind:
    """An ICMP type and code; -1 means any (RFC 792, RFC 4443)."""

    type: int = -1
    code: int = -1


ECHO_REQUEST = IcmpKind(8, 0)
ECHO_REPLY = IcmpKind(0, 0)
ECHO_REQUEST_V6 = IcmpKind(128, 0)
ECHO_REPLY_V6 = IcmpKind(129, 0)
