"""Internet gateways, NAT gateways, IPv6."""

from __future__ import annotations

from reach_bench import (
    behind_nat,
    entry,
    flow,
    public_server,
    route,
    two_subnets,
)

from aws_vpc.network import (
    EgressOnlyInternetGateway,
    NatAddress,
    NatGateway,
)
from golden.case import (
    NO,
    YES,
    Case,
    from_six,
    incoming,
    out,
    six,
    to_six,
)

PRIVATE = "UG/route-tables-priority.html"

CASES = [
    Case("UG/VPC_Internet_Gateway.html", "a public server is reached", public_server, incoming, YES, "igw"),
    Case("UG/VPC_Internet_Gateway.html", "and reaches the internet", public_server, out, YES, "igw"),
    Case(
        "UG/VPC_Internet_Gateway.html",
        "without a public address there is no way out",
        lambda: public_server().eni("eni-1", "a1", "10.0.1.10"),
        out,
        NO,
        "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
    ),
    Case(
        "UG/VPC_Internet_Gateway.html",
        "without a public address there is no way in",
        lambda: public_server().eni("eni-1", "a1", "10.0.1.10"),
        incoming,
        NO,
        "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS",
    ),
    Case(
        "UG/VPC_Internet_Gateway.html",
        "a detached gateway carries nothing",
        lambda: public_server().igw("igw", None),
        out,
        NO,
        "BAD_STATE_ROUTE",
    ),
    Case(
        "UG/VPC_Internet_Gateway.html",
        "a public address without a route to the gateway gets no answers out",
        lambda: public_server().table("public", "vpc-a", subnets=("a1",)),
        incoming,
        NO,
        "NO_ROUTE_TO_DESTINATION",
    ),
    Case(
        "RA/explanation-codes.html",
        "an internet gateway takes no private destination",
        lambda: public_server().table("public", "vpc-a", route("0.0.0.0/0", "igw"), subnets=("a1",)),
        lambda n: flow(n, "eni-1", "internet", "192.168.1.1"),
        NO,
        "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS",
    ),
    Case(
        "UG/vpc-nat-gateway.html",
        "a private subnet gets out through a NAT gateway",
        behind_nat,
        out,
        YES,
        "nat",
    ),
    Case(
        "UG/vpc-nat-gateway.html",
        "and nothing gets in through it",
        behind_nat,
        lambda n: flow(n, "internet", "eni-2", "198.51.100.20", from_="8.8.8.8"),
        NO,
        "NO_POSSIBLE_DESTINATION",
    ),
    Case(
        "UG/nat-gateway-basics.html",
        "a gateway that is not available drops",
        lambda: behind_nat().change("nat_gateways", "nat", state="failed"),
        out,
        NO,
        "BAD_STATE_ROUTE",
    ),
    Case(
        "UG/nat-gateway-basics.html",
        "its subnet needs the way to the internet gateway",
        lambda: behind_nat().table("public", "vpc-a", subnets=("a1",)),
        out,
        NO,
        "NO_ROUTE_TO_DESTINATION",
    ),
    Case(
        "UG/nat-gateway-basics.html",
        "the ACL of its subnet is asked",
        lambda: behind_nat().acl("acl", "a1", entry(100, True, True, "0.0.0.0/0", protocol=-1)),
        out,
        NO,
        "SUBNET_ACL_RESTRICTION",
    ),
    Case(
        "UG/nat-gateway-basics.html",
        "answers come to ports 1024-65535",
        lambda: behind_nat().acl(
            "acl",
            "a1",
            entry(100, True, True, "0.0.0.0/0", protocol=-1),
            entry(100, False, True, "0.0.0.0/0", "443"),
        ),
        out,
        NO,
        "SUBNET_ACL_RESTRICTION",
    ),
    Case(
        "UG/nat-gateway-basics.html",
        "TCP, UDP and ICMP only",
        behind_nat,
        lambda n: flow(n, "eni-2", "internet", "8.8.8.8", protocol=47),
        NO,
        "PROTOCOL_RESTRICTION",
    ),
    Case(
        "UG/vpc-nat-gateway.html",
        "a private NAT gateway does not get out by an internet gateway",
        lambda: behind_nat().nat("nat", "a1", "10.0.1.20", connectivity="private"),
        out,
        NO,
        "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
    ),
    Case(
        "UG/nat-gateways-regional.html",
        "a regional NAT gateway needs no public subnet",
        lambda: (
            two_subnets()
            .igw("igw", "vpc-a")
            .put("nat_gateways", NatGateway("nat", "vpc-a", None, mode="regional"))
            .table("vpc-a-main", "vpc-a", route("0.0.0.0/0", "nat"), main=True)
        ),
        out,
        YES,
        "nat",
    ),
    Case(
        "UG/nat-gateways-regional.html",
        "and serves the zones in which it has addresses",
        lambda: (
            two_subnets()
            .igw("igw", "vpc-a")
            .put("nat_gateways", NatGateway("nat", "vpc-a", None, (NatAddress(zone="z1"),), mode="regional"))
            .table("vpc-a-main", "vpc-a", route("0.0.0.0/0", "nat"), main=True)
        ),
        out,
        NO,
        "REGIONAL_NGW_ROUTE_AZ_RESTRICTION",
    ),
    Case(
        "UG/VPC_Route_Tables.html",
        "IPv6 has its own local route",
        six,
        lambda n: flow(n, "eni-1", "eni-2", "2001:db8:1:2::10"),
        YES,
    ),
    Case(
        "UG/VPC_Internet_Gateway.html",
        "an IPv6 address needs no association to get out",
        lambda: six().igw("igw", "vpc-a").table("vpc-a-main", "vpc-a", route("::/0", "igw"), main=True),
        to_six,
        YES,
        "igw",
    ),
    Case(
        "UG/VPC_Internet_Gateway.html",
        "nor to be reached",
        lambda: six().igw("igw", "vpc-a").table("vpc-a-main", "vpc-a", route("::/0", "igw"), main=True),
        from_six,
        YES,
        "igw",
    ),
    Case(
        "UG/route-tables-priority.html",
        "an IPv4 default route is none for IPv6",
        lambda: six().igw("igw", "vpc-a").table("vpc-a-main", "vpc-a", route("0.0.0.0/0", "igw"), main=True),
        to_six,
        NO,
        "NO_ROUTE_TO_DESTINATION",
    ),
    Case(
        "UG/egress-only-internet-gateway.html",
        "an egress-only gateway lets out, with the answers",
        lambda: (
            six()
            .put("egress_only_gateways", EgressOnlyInternetGateway("eigw", "vpc-a"))
            .table("vpc-a-main", "vpc-a", route("::/0", "eigw"), main=True)
        ),
        to_six,
        YES,
        "eigw",
    ),
    Case(
        "UG/egress-only-internet-gateway.html",
        "and nothing in",
        lambda: (
            six()
            .put("egress_only_gateways", EgressOnlyInternetGateway("eigw", "vpc-a"))
            .table("vpc-a-main", "vpc-a", route("::/0", "eigw"), main=True)
        ),
        from_six,
        NO,
        "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS",
    ),
]
