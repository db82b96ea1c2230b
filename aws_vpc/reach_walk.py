"""A packet under way: where it is, what it passed, what stood in its way.

A step takes the walk and a place and gives the next place, None where the way ends. After a blocker the walk
goes on wherever the configuration tells where to, so that one trace names every blocker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from aws_vpc.network import Address, Flow, Network, NetworkInterface, PortRange
from aws_vpc.reach_types import Blocker, Hop, Packet, Rule


@dataclass(frozen=True)
class Leaves:
    """The packet is about to leave an interface."""

    interface: str


@dataclass(frozen=True)
class InSubnet:
    """The packet is in a subnet and has to get on from there."""

    subnet: str


@dataclass(frozen=True)
class InVpc:
    """The packet goes to whoever has its destination address in the VPC; `subnet` is where it comes from."""

    vpc: str
    subnet: str | None = None


@dataclass(frozen=True)
class Arrives:
    """The packet comes to an interface that has its destination address."""

    interface: str
    subnet: str | None = None


@dataclass(frozen=True)
class AtAppliance:
    """The packet comes to an interface that a route names."""

    interface: str
    subnet: str | None = None


@dataclass(frozen=True)
class AtGateway:
    """The packet comes from a subnet to the gateway, endpoint or connection that a route names."""

    component: str
    subnet: str


@dataclass(frozen=True)
class OnInternet:
    """The packet is on the internet and has to come in by an internet gateway."""


@dataclass(frozen=True)
class InTransit:
    """The packet has entered a transit gateway by an attachment, from the zone."""

    gateway: str
    attachment: str
    zone: str


Place = Leaves | InSubnet | InVpc | Arrives | AtAppliance | AtGateway | OnInternet | InTransit


@dataclass(frozen=True)
class Translation:
    """What a NAT gateway or load balancer has to undo for the answer."""

    component: str
    kind: str  # nat, preserved or balanced
    source: Address | None
    destination: Address
    ports: PortRange
    interface: str = ""


@dataclass
class Walk:
    """One direction of a trace."""

    network: Network
    flow: Flow
    goal: str
    packet: Packet
    back: bool = False
    hops: list[Hop] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)
    assumptions: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    translations: list[Translation] = field(default_factory=list)
    seen: set[tuple[object, ...]] = field(default_factory=set)
    arrived: bool = False
    whole: bool = True  # answers to every port that gateways on the way may have used
    there: tuple[Hop, ...] = ()  # the request's hops, while the answer is followed
    asked: Address | None = None  # the source that answers must have, on the way back

    def now(self, **changes: object) -> None:
        """The packet becomes another."""
        self.packet = replace(self.packet, **changes)  # type: ignore[arg-type]

    def hop(self, component: str, rule: Rule | None = None, **more: str) -> None:
        """The packet has passed the component."""
        self.hops.append(Hop(component, self.packet, rule, **more))

    def block(
        self,
        code: str,
        component: str,
        change: str,
        direction: str = "",
        rule: Rule | None = None,
        refers: Mapping[str, str | tuple[str, ...]] | None = None,
    ) -> None:
        """The component refuses the packet."""
        self.blockers.append(Blocker(code, component, change, direction, rule, refers or {}, self.packet))

    def narrow(self, wanted: PortRange) -> None:
        """Note whether all the ports that a gateway may have used got through so far."""
        self.whole = self.whole and any(
            one.first <= wanted.first and wanted.last <= one.last for one in self.packet.ports or (wanted,)
        )

    def finish(self) -> None:
        """The packet is where it had to go."""
        self.arrived = True

    def unknown(self, what: str) -> None:
        """What comes now is not modelled."""
        self.missing.append(what)

    def assume(self, what: str) -> None:
        """What the answer rests on beside the configuration."""
        if what not in self.assumptions:
            self.assumptions.append(what)

    def named(self, component: str) -> str:
        """The id, with what people call it."""
        name = self.network.label(component).name
        return f"{component} ({name})" if name and name != component else component

    @property
    def wanted(self) -> str:
        """The packet's protocol and ports, in words."""
        return describe(self.packet)

    def interface_at(self, vpc: str, address: Address | None) -> NetworkInterface | None:
        """The interface of the VPC with the address."""
        return self.network.by_address.get((vpc, address)) if address is not None else None


PROTOCOLS = {-1: "all", 1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6"}


def describe(packet: Packet) -> str:
    """A packet's protocol and destination ports, such as `tcp 5432`."""
    name = PROTOCOLS.get(packet.protocol, f"protocol {packet.protocol}")
    if packet.protocol not in (6, 17):
        return name
    return f"{name} {','.join(str(one) for one in packet.ports)}"
