"""What a trace is made of: packets, hops, blockers, and the trace itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_vpc.network import (
    AclEntry,
    Address,
    Flow,
    IcmpKind,
    NetworkInterface,
    PortRange,
    Route,
    SecurityGroupRule,
    TransitGatewayRoute,
    Verdict,
)

Rule = AclEntry | SecurityGroupRule | Route | TransitGatewayRoute
EGRESS, INGRESS = "egress", "ingress"


@dataclass(frozen=True)
class Packet:
    """A packet on its way: `ports` are the destination ports still possible, `source_ports` the others.

    `source` is None when it is the address, not known, of a regional NAT gateway. `sender` is the interface
    whose security groups still count for rules that refer to groups. Answers go to the client's `ports`.
    `nat` is the NAT gateway that sends it, until the packet has left the VPC.
    """

    source: Address | None
    destination: Address
    protocol: int
    ports: tuple[PortRange, ...]
    source_ports: PortRange
    icmp: IcmpKind | None = None
    sender: NetworkInterface | None = None
    nat: str = ""
    transit: bool = False  # came by a transit gateway


@dataclass(frozen=True)
class Hop:
    """One component that the packet passed, and the rule by which it did; `packet` is as it left."""

    component: str
    packet: Packet
    rule: Rule | None = None
    direction: str = ""
    attached_to: str = ""
    subnet: str = ""
    vpc: str = ""
    note: str = ""


@dataclass(frozen=True)
class Blocker:
    """Why the packet does not pass: AWS's explanation code, where, and the change that would let it.

    `refers` holds further members of AWS's Explanation: Acl, SecurityGroups, RouteTable, Subnet, Vpc ...
    """

    code: str
    component: str
    change: str
    direction: str = ""
    rule: Rule | None = None
    refers: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    packet: Packet | None = None


@dataclass(frozen=True)
class Trace:
    """The answer to one flow: there, back, and all that stands in the way.

    `answered` are the client ports that get answers, `ports` the destination ports that pass. `missing`
    names what is not modelled where the verdict is unknown.
    """

    flow: Flow
    verdict: Verdict
    forward: tuple[Hop, ...]
    back: tuple[Hop, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    return_blockers: tuple[Blocker, ...] = ()
    assumptions: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    answered: tuple[PortRange, ...] = ()
    ports: tuple[PortRange, ...] = ()
    whole: bool = True
    arrives: bool = False

    @property
    def whole_range_answered(self) -> bool:
        """Whether each client port of the flow gets answers, not only some."""
        wanted = self.flow.source_ports
        return self.whole and any(
            got.first <= wanted.first and wanted.last <= got.last for got in self.answered
        )

    @property
    def passes(self) -> frozenset[str]:
        """Every component on the way there."""
        return frozenset(hop.component for hop in self.forward)
