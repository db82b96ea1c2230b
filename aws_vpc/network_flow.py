"""One concrete question, and the three answers to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aws_vpc.network_values import EPHEMERAL_PORTS, TCP, Address, IcmpKind, PortRange


class Verdict(StrEnum):
    """The answer; UNKNOWN when the way meets what is not modelled, which is never guessed."""

    REACHABLE = "reachable"
    NOT_REACHABLE = "not reachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Flow:
    """A connection that `source` opens to `destination_address`, and that has to arrive at `destination`.

    `source`: the id of an interface, INTERNET, or of a gateway through which the packet comes in (internet
    gateway, peering connection, transit gateway attachment). `source_address` is one of the interface's
    private addresses (another one meets the source/destination check). `destination`: the id of an
    interface, INTERNET, or of a component that has to be entered (internet, egress-only or NAT gateway,
    peering connection, transit gateway or attachment, gateway endpoint, load balancer).
    `destination_address`: what the packet carries: private, public or IPv6; that of a load balancer for its
    targets. `port` is the destination port, for TCP and UDP; of a range, or of all with None, any that passes
    will do. Any of `source_ports` may be the client's.
    """

    source: str
    source_address: Address
    destination: str
    destination_address: Address
    protocol: int = TCP
    port: int | PortRange | None = None
    source_ports: PortRange = EPHEMERAL_PORTS
    icmp: IcmpKind | None = None
