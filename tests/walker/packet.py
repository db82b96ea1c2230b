"""One packet with concrete addresses and ports, and what may end its way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aws_vpc.network import Address, IcmpKind

ECHO_REPLIES = {(8, 0): IcmpKind(0, 0), (128, 0): IcmpKind(129, 0)}


class Dropped(Exception):
    """The packet goes no further; the first argument tells why in Reachability Analyzer's words."""


class NotModelled(Exception):
    """What happens to the packet cannot be told."""


@dataclass(frozen=True)
class Packet:
    """What is on the wire, and the interface for whose security groups it still stands.

    `bearer` is forgotten where an address is translated or another machine forwards; `crossed` lists the
    peering
    connections and transit gateway attachments passed, which decide whether references to groups survive.
    """

    source: Address
    destination: Address
    protocol: int
    source_port: int | None = None
    port: int | None = None
    icmp: IcmpKind | None = None
    bearer: str | None = None
    crossed: tuple[str, ...] = ()
    translated: bool = False  # by a NAT gateway

    @property
    def tuple5(self) -> tuple[object, ...]:
        """What connection tracking knows a packet by."""
        return self.protocol, self.source, self.source_port, self.destination, self.port

    @property
    def tuple5_turned(self) -> tuple[object, ...]:
        """The same of the packet that this one answers."""
        return self.protocol, self.destination, self.port, self.source, self.source_port

    def answered(self) -> Packet:
        """The packet that the receiver sends back."""
        kind = ECHO_REPLIES.get((self.icmp.type, self.icmp.code)) if self.icmp else None
        return Packet(self.destination, self.source, self.protocol, self.port, self.source_port, kind)

    def but(self, **changes: object) -> Packet:
        """The packet with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]
