"""The network as plain values: what exists and how it is wired, and nothing about what it means.

    Vpc ─ Subnet ─ NetworkInterface ─ Instance, Service, LoadBalancer, VpcEndpoint, NatGateway (by `owner`)
     ├─ RouteTable ─ Route ─▶ gateway, peering, endpoint, interface
     ├─ Acl ─ AclEntry        SecurityGroup ─ SecurityGroupRule        PrefixList
     └─ InternetGateway, EgressOnlyInternetGateway, TransitGatewayAttachment ─ TransitGateway ─ its tables

Everything is frozen; components name each other by id. Sources (discover.py) build it, reach.py reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from aws_vpc.network_balancers import Listener, LoadBalancer, Target, TargetGroup
from aws_vpc.network_filters import Acl, AclEntry, SecurityGroup, SecurityGroupRule
from aws_vpc.network_flow import Flow, Verdict
from aws_vpc.network_gateways import (
    EgressOnlyInternetGateway,
    InternetGateway,
    NatAddress,
    NatGateway,
    PeeringConnection,
    PeeringSide,
    TransitGateway,
    TransitGatewayAttachment,
    TransitGatewayRoute,
    TransitGatewayRouteTable,
    VpcEndpoint,
)
from aws_vpc.network_routes import Route, RouteTable
from aws_vpc.network_values import Address, Block, IcmpKind, PortRange
from aws_vpc.network_vpc import (
    Instance,
    Label,
    NetworkInterface,
    PrefixList,
    PublicAssociation,
    Service,
    Subnet,
    Unmodelled,
    Vpc,
)

Component = (
    Vpc
    | Subnet
    | NetworkInterface
    | Instance
    | Service
    | PrefixList
    | RouteTable
    | Acl
    | SecurityGroup
    | InternetGateway
    | EgressOnlyInternetGateway
    | NatGateway
    | PeeringConnection
    | VpcEndpoint
    | TransitGateway
    | TransitGatewayAttachment
    | TransitGatewayRouteTable
    | LoadBalancer
    | TargetGroup
    | Unmodelled
)
T = TypeVar("T")


def _none() -> dict[str, T]:
    return {}


@dataclass(frozen=True)
class Network:
    """Every component by its id, and the indexes that walking needs."""

    vpcs: Mapping[str, Vpc] = field(default_factory=_none)
    subnets: Mapping[str, Subnet] = field(default_factory=_none)
    interfaces: Mapping[str, NetworkInterface] = field(default_factory=_none)
    instances: Mapping[str, Instance] = field(default_factory=_none)
    services: Mapping[str, Service] = field(default_factory=_none)
    route_tables: Mapping[str, RouteTable] = field(default_factory=_none)
    acls: Mapping[str, Acl] = field(default_factory=_none)
    groups: Mapping[str, SecurityGroup] = field(default_factory=_none)
    prefix_lists: Mapping[str, PrefixList] = field(default_factory=_none)
    internet_gateways: Mapping[str, InternetGateway] = field(default_factory=_none)
    egress_only_gateways: Mapping[str, EgressOnlyInternetGateway] = field(default_factory=_none)
    nat_gateways: Mapping[str, NatGateway] = field(default_factory=_none)
    peerings: Mapping[str, PeeringConnection] = field(default_factory=_none)
    endpoints: Mapping[str, VpcEndpoint] = field(default_factory=_none)
    transit_gateways: Mapping[str, TransitGateway] = field(default_factory=_none)
    attachments: Mapping[str, TransitGatewayAttachment] = field(default_factory=_none)
    transit_tables: Mapping[str, TransitGatewayRouteTable] = field(default_factory=_none)
    load_balancers: Mapping[str, LoadBalancer] = field(default_factory=_none)
    target_groups: Mapping[str, TargetGroup] = field(default_factory=_none)
    unmodelled: Mapping[str, Unmodelled] = field(default_factory=_none)
    labels: Mapping[str, Label] = field(default_factory=_none)
    block_public_access: str = "off"  # VPC Block Public Access of the Region
    warnings: tuple[str, ...] = ()

    @cached_property
    def components(self) -> dict[str, Component]:
        """Every component by its id."""
        kinds: tuple[Mapping[str, Component], ...] = (
            self.vpcs,
            self.subnets,
            self.interfaces,
            self.instances,
            self.services,
            self.route_tables,
            self.acls,
            self.groups,
            self.prefix_lists,
            self.internet_gateways,
            self.egress_only_gateways,
            self.nat_gateways,
            self.peerings,
            self.endpoints,
            self.transit_gateways,
            self.attachments,
            self.transit_tables,
            self.load_balancers,
            self.target_groups,
            self.unmodelled,
        )
        return {name: component for kind in kinds for name, component in kind.items()}

    @cached_property
    def by_address(self) -> dict[tuple[str, Address], NetworkInterface]:
        """The interface of a VPC that has the private or IPv6 address."""
        return {(eni.vpc, address): eni for eni in self.interfaces.values() for address in eni.addresses}

    @cached_property
    def by_public_address(self) -> dict[Address, tuple[NetworkInterface, Address]]:
        """The interface behind a public IPv4 address, and the private address that it stands for."""
        return {
            pair.public: (found, pair.private) for found in self.interfaces.values() for pair in found.public
        }

    @cached_property
    def by_ipv6_address(self) -> dict[Address, NetworkInterface]:
        """The interface with the IPv6 address."""
        return {at: eni for eni in self.interfaces.values() for at in eni.addresses if at.version == 6}

    @cached_property
    def by_owner(self) -> dict[str, tuple[NetworkInterface, ...]]:
        """The interfaces of an instance, service, load balancer, endpoint or NAT gateway."""
        return _grouped((found.owner, found) for found in self.interfaces.values() if found.owner)

    @cached_property
    def members(self) -> dict[str, tuple[NetworkInterface, ...]]:
        """The interfaces in a security group."""
        return _grouped((group, found) for found in self.interfaces.values() for group in found.groups)

    @cached_property
    def subnets_of(self) -> dict[str, tuple[Subnet, ...]]:
        """The subnets of a VPC."""
        return _grouped((subnet.vpc, subnet) for subnet in self.subnets.values())

    @cached_property
    def main_tables(self) -> dict[str, RouteTable]:
        """The main route table of a VPC."""
        return {table.vpc: table for table in self.route_tables.values() if table.main}

    @cached_property
    def own_tables(self) -> dict[str, RouteTable]:
        """The route table that a subnet or an edge gateway is associated with explicitly."""
        return {end: it for it in self.route_tables.values() for end in (*it.subnets, *it.gateways)}

    def table_of(self, subnet: str) -> RouteTable | None:
        """The route table of a subnet: its own, or else the main one of its VPC."""
        return self.own_tables.get(subnet) or self.main_tables.get(self.subnets[subnet].vpc)

    @cached_property
    def _acls(self) -> dict[str, Acl]:
        return {subnet: acl for acl in self.acls.values() for subnet in acl.subnets}

    @cached_property
    def _default_acls(self) -> dict[str, Acl]:
        return {acl.vpc: acl for acl in self.acls.values() if acl.default}

    def acl_of(self, subnet: str) -> Acl | None:
        """The ACL of a subnet: its own, or its VPC's default; None when neither is known (allow all)."""
        return self._acls.get(subnet) or self._default_acls.get(self.subnets[subnet].vpc)

    @cached_property
    def gateway_of(self) -> dict[str, InternetGateway]:
        """The internet gateway attached to a VPC."""
        return {found.vpc: found for found in self.internet_gateways.values() if found.vpc}

    @cached_property
    def attachments_of(self) -> dict[tuple[str, str], TransitGatewayAttachment]:
        """The attachment that joins (transit gateway, VPC)."""
        return {(it.gateway, it.resource): it for it in self.attachments.values() if it.kind == "vpc"}

    @cached_property
    def transit_table_of(self) -> dict[tuple[str, str], TransitGatewayRouteTable]:
        """The route table that (transit gateway, attachment) is associated with."""
        return {
            (table.gateway, attachment): table
            for table in self.transit_tables.values()
            for attachment in table.associations
        }

    def label(self, component: str) -> Label:
        """What people call the component."""
        return self.labels.get(component, Label())


def _grouped(pairs: Iterable[tuple[str, T]]) -> dict[str, tuple[T, ...]]:
    found: dict[str, list[T]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}


__all__ = [
    "Acl",
    "AclEntry",
    "Address",
    "Block",
    "Component",
    "EgressOnlyInternetGateway",
    "Flow",
    "IcmpKind",
    "Instance",
    "InternetGateway",
    "Label",
    "Listener",
    "LoadBalancer",
    "NatAddress",
    "NatGateway",
    "Network",
    "NetworkInterface",
    "PeeringConnection",
    "PeeringSide",
    "PortRange",
    "PrefixList",
    "PublicAssociation",
    "Route",
    "RouteTable",
    "SecurityGroup",
    "SecurityGroupRule",
    "Service",
    "Subnet",
    "Target",
    "TargetGroup",
    "TransitGateway",
    "TransitGatewayAttachment",
    "TransitGatewayRoute",
    "TransitGatewayRouteTable",
    "Unmodelled",
    "Verdict",
    "Vpc",
    "VpcEndpoint",
]
