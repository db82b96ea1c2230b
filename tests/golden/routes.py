"""Route tables, middlebox routes, and what is not modelled."""

from __future__ import annotations

from ipaddress import ip_network

from reach_bench import (
    behind_nat,
    flow,
    peered,
    public_server,
    route,
    two_subnets,
    two_vpcs,
)

from aws_vpc.network import (
    PrefixList,
    Unmodelled,
)
from golden.case import (
    MAYBE,
    NO,
    YES,
    Case,
    appliance,
    incoming,
    inside,
    main_with,
    out,
)

PRIVATE = "UG/route-tables-priority.html"

CASES = [
    Case(
        "UG/VPC_Route_Tables.html",
        "the local route joins all subnets of a VPC",
        two_subnets,
        inside,
        YES,
        "vpc-a-main",
    ),
    Case(
        PRIVATE,
        "the longest prefix wins",
        lambda: peered().table(
            "vpc-a-main",
            "vpc-a",
            route("10.1.0.0/16", "pcx"),
            route("10.1.1.0/24", "tgw-gone", state="blackhole"),
            main=True,
        ),
        inside,
        NO,
        "BAD_STATE_ROUTE",
    ),
    Case(
        PRIVATE,
        "a longer prefix list route beats a shorter static one",
        lambda: (
            peered()
            .put("prefix_lists", PrefixList("pl-x", (ip_network("10.1.1.0/24"),)))
            .table(
                "vpc-a-main",
                "vpc-a",
                route("10.1.0.0/16", "none", state="blackhole"),
                route("pl-x", "pcx"),
                main=True,
            )
        ),
        inside,
        YES,
        "pcx",
    ),
    Case(
        PRIVATE,
        "a static route beats a prefix list route of the same length",
        lambda: (
            peered()
            .put("prefix_lists", PrefixList("pl-x", (ip_network("10.1.0.0/16"),)))
            .table(
                "vpc-a-main",
                "vpc-a",
                route("pl-x", "none", state="blackhole"),
                route("10.1.0.0/16", "pcx"),
                main=True,
            )
        ),
        inside,
        YES,
        "pcx",
    ),
    Case(
        PRIVATE,
        "a static route beats a propagated one of the same length",
        lambda: peered().table(
            "vpc-a-main",
            "vpc-a",
            route("10.1.0.0/16", "vgw", origin="EnableVgwRoutePropagation"),
            route("10.1.0.0/16", "pcx"),
            main=True,
        ),
        inside,
        YES,
        "pcx",
    ),
    Case(
        "docs.aws.amazon.com/vpn/latest/s2svpn/vpn-route-priority.html",
        "a propagated route never beats the local one",
        lambda: main_with(route("10.0.2.0/24", "vgw", origin="EnableVgwRoutePropagation")),
        inside,
        YES,
    ),
    Case(
        PRIVATE,
        "overlapping prefix lists of one length are AWS's choice, so unknown",
        lambda: (
            peered()
            .put("prefix_lists", PrefixList("pl-x", (ip_network("10.1.0.0/16"),)))
            .put("prefix_lists", PrefixList("pl-y", (ip_network("10.1.0.0/16"),)))
            .igw("igw", "vpc-a")
            .table("vpc-a-main", "vpc-a", route("pl-x", "pcx"), route("pl-y", "igw"), main=True)
        ),
        inside,
        MAYBE,
    ),
    Case(
        "API_Route (State)",
        "a blackhole is selected and drops, though 0.0.0.0/0 would pass",
        lambda: behind_nat().table(
            "private",
            "vpc-a",
            route("0.0.0.0/0", "nat"),
            route("8.0.0.0/8", "pcx-gone", state="blackhole"),
            subnets=("a2",),
        ),
        out,
        NO,
        "BAD_STATE_ROUTE",
    ),
    Case(
        "API_Route (State)",
        "an active route to what is gone is dead",
        lambda: peered().table("vpc-a-main", "vpc-a", route("10.1.0.0/16", "pcx-gone"), main=True),
        inside,
        NO,
        "BAD_STATE_ROUTE",
    ),
    Case(
        "UG/VPC_Route_Tables.html",
        "without a route nothing leaves the VPC",
        two_vpcs,
        inside,
        NO,
        "NO_ROUTE_TO_DESTINATION",
    ),
    Case(
        "UG/WorkWithRouteTables.html",
        "a subnet's own table counts, and not the main one",
        lambda: peered().table("own", "vpc-a", subnets=("a1",)),
        inside,
        NO,
        "NO_ROUTE_TO_DESTINATION",
    ),
    Case(
        "UG/gateway-route-tables.html",
        "an edge table leads what comes in through an appliance",
        lambda: (
            public_server()
            .subnet("a9", "vpc-a", "z1", "10.0.9.0/24")
            .eni("eni-box", "a9", "10.0.9.10", source_dest_check=False)
            .table("edge", "vpc-a", route("10.0.1.0/24", "eni-box"), gateways=("igw",))
        ),
        incoming,
        YES,
        "eni-box",
    ),
    Case(
        "UG/route-table-options.html#route-tables-appliance-routing",
        "a middlebox route may be more specific than local",
        lambda: appliance(check=False),
        inside,
        YES,
        "eni-box",
    ),
    Case(
        "UG/VPC_NAT_Instance.html#EIP_Disable_SrcDestCheck",
        "an appliance has to turn the source/destination check off",
        lambda: appliance(check=True),
        inside,
        NO,
        "ENI_SOURCE_DEST_CHECK_RESTRICTION",
    ),
    Case(
        "UG/VPC_NAT_Instance.html#EIP_Disable_SrcDestCheck",
        "an interface sends from its own addresses only",
        two_subnets,
        lambda n: flow(n, "eni-1", "eni-2", from_="10.0.1.99"),
        NO,
        "ENI_SOURCE_DEST_CHECK_RESTRICTION",
    ),
    Case(
        "UG/configure-your-vpc.html",
        "an address that nobody has is not reached",
        two_subnets,
        lambda n: flow(n, "eni-1", "eni-2", "10.0.2.99"),
        NO,
        "NO_POSSIBLE_DESTINATION",
    ),
    Case(
        "UG/vpn-gateway",
        "a virtual private gateway is not guessed",
        lambda: (
            two_subnets()
            .put("unmodelled", Unmodelled("vgw", "virtual private gateway", "BGP"))
            .table("vpc-a-main", "vpc-a", route("192.168.0.0/16", "vgw"), main=True)
        ),
        lambda n: flow(n, "eni-1", "internet", "192.168.0.1"),
        MAYBE,
    ),
    Case(
        "docs.aws.amazon.com/network-firewall",
        "neither is a firewall's endpoint",
        lambda: (
            two_subnets()
            .put("unmodelled", Unmodelled("vpce-fw", "GatewayLoadBalancer endpoint", "rules"))
            .table("own", "vpc-a", route("10.0.2.0/24", "vpce-fw"), subnets=("a1",))
        ),
        inside,
        MAYBE,
    ),
]
