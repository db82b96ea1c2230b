"""Route tables: what each subnet, and each edge gateway, does with an address."""

from __future__ import annotations

from dataclasses import dataclass

from aws_vpc.network_values import LOCAL, Block

STATIC = "CreateRoute"
BY_VPC = "CreateRouteTable"
PROPAGATED = "EnableVgwRoutePropagation"
ACTIVE = "active"
BLACKHOLE = "blackhole"
# The members of EC2's Route that can name a target, in the order in which they are read (API_Route).
ROUTE_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "InstanceId",
    "EgressOnlyInternetGatewayId",
    "CarrierGatewayId",
    "LocalGatewayId",
    "CoreNetworkArn",
    "VpcEndpointId",
)


@dataclass(frozen=True)
class Route:
    """One route; either `destination` or `prefix_list` is set, `target` is LOCAL or the id of a component.

    `origin` is AWS's: CreateRouteTable for the VPC's own, CreateRoute for static, EnableVgwRoutePropagation.
    """

    target: str
    destination: Block | None = None
    prefix_list: str | None = None
    state: str = ACTIVE
    origin: str = STATIC

    @property
    def local(self) -> bool:
        return self.target == LOCAL


@dataclass(frozen=True)
class RouteTable:
    """A route table, with the local routes written out as DescribeRouteTables gives them.

    `main` serves the subnets of the VPC without a table of their own; `gateways` are the internet or
    virtual private gateways whose arriving traffic it routes (an edge table).
    """

    id: str
    vpc: str
    routes: tuple[Route, ...]
    subnets: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    main: bool = False
    unknown_routes: bool = False  # a virtual private gateway adds some that are not told
