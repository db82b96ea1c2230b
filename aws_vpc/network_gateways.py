"""Ways out of a VPC: internet, NAT, peering, endpoints, transit gateways."""

from __future__ import annotations

from dataclasses import dataclass

from aws_vpc.network_values import Address, Block


@dataclass(frozen=True)
class InternetGateway:
    """An internet gateway; `vpc` is None while it is not attached."""

    id: str
    vpc: str | None


@dataclass(frozen=True)
class EgressOnlyInternetGateway:
    """An egress-only internet gateway: IPv6, outbound, stateful."""

    id: str
    vpc: str | None


@dataclass(frozen=True)
class NatAddress:
    """One address of a NAT gateway; a private one has no `public`, a regional one has a `zone` instead of
    `private`.
    """

    private: Address | None = None
    public: Address | None = None
    interface: str | None = None
    zone: str | None = None


@dataclass(frozen=True)
class NatGateway:
    """A NAT gateway: zonal in a subnet, or regional without one (then it serves the zones of its addresses).

    A regional gateway whose addresses EC2 manages may have none yet: it then serves every zone.
    """

    id: str
    vpc: str
    subnet: str | None
    addresses: tuple[NatAddress, ...] = ()
    connectivity: str = "public"
    mode: str = "zonal"
    state: str = "available"


@dataclass(frozen=True)
class PeeringSide:
    """One side of a peering connection; `cidrs` tells the blocks when the VPC itself cannot be read."""

    vpc: str
    cidrs: tuple[Block, ...] = ()
    region: str = ""
    account: str = ""
    remote_dns: bool = False


@dataclass(frozen=True)
class PeeringConnection:
    """A VPC peering connection; only the state `active` carries traffic."""

    id: str
    requester: PeeringSide
    accepter: PeeringSide
    state: str = "active"


@dataclass(frozen=True)
class VpcEndpoint:
    """A VPC endpoint: `kind` is Gateway (reached by `prefix_list` routes) or Interface (reached by its
    interfaces).

    `service` is the service's name, such as com.amazonaws.us-east-1.s3. GatewayLoadBalancer and others are
    kept as Unmodelled.
    """

    id: str
    vpc: str
    kind: str
    service: str
    prefix_list: str | None = None
    private_dns: bool = False
    state: str = "available"


@dataclass(frozen=True)
class TransitGateway:
    """A transit gateway; `security_group_referencing` is its own option, off by default."""

    id: str
    security_group_referencing: bool = False
    state: str = "available"
    region: str = ""


@dataclass(frozen=True)
class TransitGatewayAttachment:
    """What is attached to a transit gateway.

    `kind` is vpc or peering; others (vpn, direct-connect-gateway, connect) are kept as Unmodelled.
    `resource` is the VPC, or the other transit gateway: one object stands for both sides of a peering
    attachment.
    """

    id: str
    gateway: str
    resource: str
    kind: str = "vpc"
    subnets: tuple[str, ...] = ()
    state: str = "available"
    appliance_mode: bool = False
    security_group_referencing: bool = True
    ipv6_support: bool = False  # whether the VPC's IPv6 blocks are propagated


@dataclass(frozen=True)
class TransitGatewayRoute:
    """A route of a transit gateway; `attachment` is None for a static blackhole. `origin` is static or
    propagated.
    """

    attachment: str | None
    destination: Block | None = None
    prefix_list: str | None = None
    state: str = "active"
    origin: str = "static"


@dataclass(frozen=True)
class TransitGatewayRouteTable:
    """A route table of a transit gateway, its propagated routes written out as SearchTransitGatewayRoutes
    gives them.
    """

    id: str
    gateway: str
    routes: tuple[TransitGatewayRoute, ...]
    associations: tuple[str, ...] = ()
    propagations: tuple[str, ...] = ()
