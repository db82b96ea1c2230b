"""Small networks in few words, for tests of the engine."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

from aws_vpc.network import (
    Acl,
    AclEntry,
    Flow,
    InternetGateway,
    NatAddress,
    NatGateway,
    Network,
    NetworkInterface,
    PeeringConnection,
    PeeringSide,
    PortRange,
    PrefixList,
    PublicAssociation,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    TransitGateway,
    TransitGatewayAttachment,
    TransitGatewayRoute,
    TransitGatewayRouteTable,
    Vpc,
    VpcEndpoint,
)
from aws_vpc.network_values import LOCAL

OPEN = "sg-open"
REGION = "us-east-1"


def entry(number: int, egress: bool, allow: bool, block: str, ports: str = "", protocol: int = 6) -> AclEntry:
    return AclEntry(number, egress, allow, ip_network(block), protocol, span(ports))


def rule(egress: bool, peer: str, ports: str = "", protocol: int = 6) -> SecurityGroupRule:
    """A rule for a block, a group (sg-) or a prefix list (pl-)."""
    made = SecurityGroupRule(egress, protocol, span(ports))
    if peer.startswith("sg-"):
        return replace(made, group=peer)
    return (
        replace(made, prefix_list=peer) if peer.startswith("pl-") else replace(made, block=ip_network(peer))
    )


def span(text: str) -> PortRange | None:
    first, _, last = text.partition("-")
    return PortRange(int(first), int(last or first)) if text else None


def route(to: str, target: str, **more: Any) -> Route:
    if to.startswith("pl-"):
        return Route(target, prefix_list=to, **more)
    return Route(target, ip_network(to), **more)


def side(vpc: str, *blocks: str, region: str = REGION) -> PeeringSide:
    return PeeringSide(vpc, tuple(map(ip_network, blocks)), region)


class Bench:
    """A network that grows; every VPC begins with an open group and a main table."""

    def __init__(self) -> None:
        self.parts: dict[str, dict[str, Any]] = {}
        everything = rule(True, "0.0.0.0/0", protocol=-1), rule(False, "0.0.0.0/0", protocol=-1)
        six = rule(True, "::/0", protocol=-1), rule(False, "::/0", protocol=-1)
        self.put("groups", SecurityGroup(OPEN, "", (*everything, *six)))

    def put(self, kind: str, component: Any) -> Bench:
        self.parts.setdefault(kind, {})[component.id] = component
        return self

    def change(self, kind: str, id: str, /, **changes: Any) -> Bench:
        return self.put(kind, replace(self.parts[kind][id], **changes))

    def vpc(self, id: str, *blocks: str, region: str = REGION) -> Bench:
        self.put("vpcs", Vpc(id, tuple(map(ip_network, blocks)), region))
        return self.table(f"{id}-main", id, main=True)

    def subnet(self, id: str, vpc: str, zone: str, *blocks: str) -> Bench:
        return self.put("subnets", Subnet(id, vpc, zone, tuple(map(ip_network, blocks))))

    def eni(self, id: str, subnet: str, *addresses: str, public: str = "", **more: Any) -> Bench:
        known = tuple(map(ip_address, addresses))
        pairs = (PublicAssociation(known[0], ip_address(public)),) if public else ()
        vpc = self.parts["subnets"][subnet].vpc
        more.setdefault("groups", (OPEN,))
        return self.put("interfaces", NetworkInterface(id, subnet, vpc, known, public=pairs, **more))

    def table(self, id: str, vpc: str, *routes: Route, subnets: tuple[str, ...] = (), **more: Any) -> Bench:
        local = tuple(Route(LOCAL, it, origin="CreateRouteTable") for it in self.parts["vpcs"][vpc].cidrs)
        stated = {it.destination for it in routes}
        kept = tuple(it for it in local if it.destination not in stated)
        return self.put("route_tables", RouteTable(id, vpc, (*kept, *routes), subnets, **more))

    def acl(self, id: str, subnet: str, *entries: AclEntry) -> Bench:
        return self.put("acls", Acl(id, self.parts["subnets"][subnet].vpc, entries, (subnet,)))

    def group(self, id: str, *rules: SecurityGroupRule, vpc: str = "vpc-a") -> Bench:
        return self.put("groups", SecurityGroup(id, vpc, rules))

    def grouped(self, outbound: SecurityGroupRule, inbound: SecurityGroupRule) -> Bench:
        """The client's interface in one group of its VPC, the server's in one of the other."""
        return (
            self.group("sg-client", outbound)
            .group("sg-server", inbound, vpc="vpc-b")
            .change("interfaces", "eni-1", groups=("sg-client",))
            .change("interfaces", "eni-2", groups=("sg-server",))
        )

    def igw(self, id: str, vpc: str | None) -> Bench:
        return self.put("internet_gateways", InternetGateway(id, vpc))

    def nat(self, id: str, subnet: str, address: str, public: str = "", **more: Any) -> Bench:
        self.eni(
            f"{id}-eni", subnet, address, public=public, groups=(), filtered=False, owner=id,
            kind="nat_gateway", source_dest_check=False,
        )  # fmt: skip
        at = NatAddress(ip_address(address), ip_address(public) if public else None, f"{id}-eni")
        vpc = self.parts["subnets"][subnet].vpc
        return self.put("nat_gateways", NatGateway(id, vpc, subnet, (at,), **more))

    def peer(self, id: str, one: PeeringSide, other: PeeringSide, state: str = "active") -> Bench:
        return self.put("peerings", PeeringConnection(id, one, other, state))

    def transit(self, id: str, **more: Any) -> Bench:
        return self.put("transit_gateways", TransitGateway(id, **more))

    def attach(self, id: str, gateway: str, vpc: str, *subnets: str, **more: Any) -> Bench:
        return self.put("attachments", TransitGatewayAttachment(id, gateway, vpc, subnets=subnets, **more))

    def transit_table(
        self, id: str, gateway: str, attachments: tuple[str, ...], *routes: TransitGatewayRoute
    ) -> Bench:
        return self.put("transit_tables", TransitGatewayRouteTable(id, gateway, routes, attachments))

    def gateway_endpoint(self, id: str, vpc: str, listed: str, *blocks: str) -> Bench:
        self.put("prefix_lists", PrefixList(listed, tuple(map(ip_network, blocks))))
        return self.put("endpoints", VpcEndpoint(id, vpc, "Gateway", "com.amazonaws.us-east-1.s3", listed))

    def network(self) -> Network:
        return Network(**self.parts)


def flow(network: Network, source: str, destination: str, to: str = "", port: int = 443, **more: Any) -> Flow:
    """A flow between interfaces by their first addresses, or to the address that is given."""
    begin = network.interfaces.get(source)
    address = ip_address(to) if to else network.interfaces[destination].addresses[0]
    told = more.pop("from_", "")
    if told:
        start = ip_address(told)
    else:
        assert begin is not None
        start = next(it for it in begin.addresses if it.version == address.version)
    return Flow(source, start, destination, address, port=port, **more)


def two_subnets() -> Bench:
    """One VPC with subnets in two zones and an interface in each."""
    return (
        Bench()
        .vpc("vpc-a", "10.0.0.0/16")
        .subnet("a1", "vpc-a", "z1", "10.0.1.0/24")
        .subnet("a2", "vpc-a", "z2", "10.0.2.0/24")
        .eni("eni-1", "a1", "10.0.1.10")
        .eni("eni-2", "a2", "10.0.2.10")
    )


def two_vpcs() -> Bench:
    """Two VPCs with a subnet in the same zone and an interface in each, and nothing between them."""
    return (
        Bench()
        .vpc("vpc-a", "10.0.0.0/16")
        .subnet("a1", "vpc-a", "z1", "10.0.1.0/24")
        .eni("eni-1", "a1", "10.0.1.10")
        .vpc("vpc-b", "10.1.0.0/16")
        .subnet("b1", "vpc-b", "z1", "10.1.1.0/24")
        .eni("eni-2", "b1", "10.1.1.10")
    )


def peered(state: str = "active", region: str = REGION) -> Bench:
    """Two VPCs, peered, with routes on both sides."""
    return (
        two_vpcs()
        .peer("pcx", side("vpc-a", "10.0.0.0/16"), side("vpc-b", "10.1.0.0/16", region=region), state)
        .table("vpc-a-main", "vpc-a", route("10.1.0.0/16", "pcx"), main=True)
        .table("vpc-b-main", "vpc-b", route("10.0.0.0/16", "pcx"), main=True)
    )


def transited(**options: Any) -> Bench:
    """Two VPCs on a transit gateway, one table for both with the propagated routes."""
    return (
        two_vpcs()
        .transit("tgw", **options)
        .attach("att-a", "tgw", "vpc-a", "a1")
        .attach("att-b", "tgw", "vpc-b", "b1")
        .transit_table(
            "tgw-rtb",
            "tgw",
            ("att-a", "att-b"),
            onward("10.0.0.0/16", "att-a"),
            onward("10.1.0.0/16", "att-b"),
        )
        .table("vpc-a-main", "vpc-a", route("10.1.0.0/16", "tgw"), main=True)
        .table("vpc-b-main", "vpc-b", route("10.0.0.0/16", "tgw"), main=True)
    )


def onward(
    to: str, attachment: str | None, origin: str = "propagated", state: str = "active"
) -> TransitGatewayRoute:
    return TransitGatewayRoute(attachment, ip_network(to), state=state, origin=origin)


def public_server() -> Bench:
    """A server with a public address behind an internet gateway."""
    return (
        Bench()
        .vpc("vpc-a", "10.0.0.0/16")
        .subnet("a1", "vpc-a", "z1", "10.0.1.0/24")
        .igw("igw", "vpc-a")
        .table("public", "vpc-a", route("0.0.0.0/0", "igw"), subnets=("a1",))
        .eni("eni-1", "a1", "10.0.1.10", public="198.51.100.10")
    )


def behind_nat() -> Bench:
    """A private subnet whose way out is a NAT gateway in a public one."""
    return (
        public_server()
        .subnet("a2", "vpc-a", "z1", "10.0.2.0/24")
        .nat("nat", "a1", "10.0.1.20", "198.51.100.20")
        .table("private", "vpc-a", route("0.0.0.0/0", "nat"), subnets=("a2",))
        .eni("eni-2", "a2", "10.0.2.10")
    )
