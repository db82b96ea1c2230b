"""Transit gateways."""

from __future__ import annotations

from ipaddress import ip_network

from reach_bench import (
    entry,
    flow,
    onward,
    route,
    rule,
    transited,
    two_vpcs,
)

from aws_vpc.network import (
    TransitGatewayRoute,
    Unmodelled,
)
from golden.case import (
    MAYBE,
    NO,
    YES,
    Case,
    inside,
)

PRIVATE = "UG/route-tables-priority.html"

CASES = [
    Case(
        "TGW/how-transit-gateways-work.html",
        "association and propagation join two VPCs",
        transited,
        inside,
        YES,
        "tgw",
    ),
    Case(
        "TGW/how-transit-gateways-work.html",
        "an attachment without a table leads nowhere",
        lambda: transited().transit_table("tgw-rtb", "tgw", ("att-b",), onward("10.1.0.0/16", "att-b")),
        inside,
        NO,
        "TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION",
    ),
    Case(
        "TGW/how-transit-gateways-work.html",
        "without propagation there is no route",
        lambda: transited().transit_table(
            "tgw-rtb", "tgw", ("att-a", "att-b"), onward("10.0.0.0/16", "att-a")
        ),
        inside,
        NO,
        "TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT",
    ),
    Case(
        "TGW/tgw-route-tables.html",
        "a blackhole drops",
        lambda: transited().transit_table(
            "tgw-rtb",
            "tgw",
            ("att-a", "att-b"),
            onward("10.0.0.0/16", "att-a"),
            onward("10.1.0.0/16", "att-b"),
            onward("10.1.1.0/24", None, "static", "blackhole"),
        ),
        inside,
        NO,
        "TGW_RTB_BAD_STATE_ROUTE",
    ),
    Case(
        "TGW/how-transit-gateways-work.html#tgw-route-evaluation-overview",
        "a static route beats a propagated one",
        lambda: transited().transit_table(
            "tgw-rtb",
            "tgw",
            ("att-a", "att-b"),
            onward("10.0.0.0/16", "att-a"),
            onward("10.1.0.0/16", "att-b"),
            onward("10.1.0.0/16", None, "static", "blackhole"),
        ),
        inside,
        NO,
        "TGW_RTB_BAD_STATE_ROUTE",
    ),
    Case(
        "TGW/tgw-vpc-attachments.html",
        "a subnet reaches the gateway only where the attachment has its zone",
        lambda: transited().subnet("a9", "vpc-a", "z9", "10.0.9.0/24").attach("att-a", "tgw", "vpc-a", "a9"),
        inside,
        NO,
        "TGW_ROUTE_AZ_RESTRICTION",
    ),
    Case(
        "TGW/tgw-vpc-attachments.html",
        "the zone of the destination is free",
        lambda: (
            transited()
            .subnet("b9", "vpc-b", "z9", "10.1.9.0/24")
            .eni("eni-9", "b9", "10.1.9.10")
            .attach("att-b", "tgw", "vpc-b", "b1", "b9")
        ),
        lambda n: flow(n, "eni-1", "eni-9"),
        YES,
    ),
    Case(
        "TGW/tgw-nacls.html",
        "towards the gateway the ACL of the attachment's subnet is asked inbound",
        lambda: (
            transited()
            .subnet("a9", "vpc-a", "z1", "10.0.9.0/24")
            .attach("att-a", "tgw", "vpc-a", "a9")
            .acl("acl", "a9", entry(100, True, True, "0.0.0.0/0", protocol=-1))
        ),
        inside,
        NO,
        "SUBNET_ACL_RESTRICTION",
    ),
    Case(
        "TGW/tgw-nacls.html",
        "from the gateway into the same subnet no ACL is asked",
        lambda: transited().acl(
            "acl",
            "b1",
            entry(100, True, True, "0.0.0.0/0", protocol=-1),
            entry(100, False, True, "10.1.0.0/16", protocol=-1),
        ),
        inside,
        YES,
    ),
    Case(
        "TGW/tgw-vpc-attachments.html#vpc-attachment-security",
        "references cross where gateway and attachments have them on",
        lambda: transited(security_group_referencing=True).grouped(
            rule(True, "0.0.0.0/0"), rule(False, "sg-client")
        ),
        inside,
        YES,
        "sg-server",
    ),
    Case(
        "TGW/tgw-vpc-attachments.html#vpc-attachment-security",
        "and not by default",
        lambda: transited().grouped(rule(True, "0.0.0.0/0"), rule(False, "sg-client")),
        inside,
        NO,
        "SG_REFERENCES_NOT_PRESERVED",
    ),
    Case(
        "TGW/tgw-vpc-attachments.html#vpc-attachment-security",
        "an outbound rule cannot refer across a transit gateway",
        lambda: transited(security_group_referencing=True).grouped(
            rule(True, "sg-server"), rule(False, "0.0.0.0/0")
        ),
        inside,
        NO,
        "SG_REFERENCES_NOT_PRESERVED",
    ),
    Case(
        "TGW/transit-gateway-appliance-scenario.html",
        "appliance mode is said as an assumption",
        lambda: transited().attach("att-b", "tgw", "vpc-b", "b1", appliance_mode=True),
        inside,
        YES,
        "att-b",
    ),
    Case(
        "TGW/transit-gateway-nat-igw.html",
        "one VPC's NAT gateway may serve others across a transit gateway",
        lambda: (
            transited()
            .subnet("b9", "vpc-b", "z1", "10.1.9.0/24")
            .igw("igw", "vpc-b")
            .nat("nat", "b9", "10.1.9.20", "198.51.100.20")
            .table("vpc-a-main", "vpc-a", route("0.0.0.0/0", "tgw"), main=True)
            .table("vpc-b-main", "vpc-b", route("0.0.0.0/0", "nat"), route("10.0.0.0/16", "tgw"), main=True)
            .table("egress", "vpc-b", route("0.0.0.0/0", "igw"), route("10.0.0.0/16", "tgw"), subnets=("b9",))
            .transit_table(
                "tgw-rtb",
                "tgw",
                ("att-a", "att-b"),
                onward("10.0.0.0/16", "att-a"),
                onward("0.0.0.0/0", "att-b", "static"),
            )
        ),
        lambda n: flow(n, "eni-1", "internet", "8.8.8.8"),
        YES,
        "nat",
    ),
    Case(
        "TGW/tgw-peering.html",
        "transit gateways may be peered, with static routes",
        lambda: (
            two_vpcs()
            .transit("tgw")
            .transit("tgw-2")
            .attach("att-a", "tgw", "vpc-a", "a1")
            .attach("att-b", "tgw-2", "vpc-b", "b1")
            .attach("att-peer", "tgw", "tgw-2", kind="peering")
            .transit_table(
                "one",
                "tgw",
                ("att-a", "att-peer"),
                onward("10.0.0.0/16", "att-a"),
                onward("10.1.0.0/16", "att-peer", "static"),
            )
            .transit_table(
                "two",
                "tgw-2",
                ("att-b", "att-peer"),
                onward("10.1.0.0/16", "att-b"),
                onward("10.0.0.0/16", "att-peer", "static"),
            )
            .table("vpc-a-main", "vpc-a", route("10.1.0.0/16", "tgw"), main=True)
            .table("vpc-b-main", "vpc-b", route("10.0.0.0/16", "tgw-2"), main=True)
        ),
        inside,
        YES,
        "att-peer",
    ),
    Case(
        "TGW/tgw-vpn-attachments.html",
        "a route to a VPN is not guessed",
        lambda: (
            transited()
            .put("unmodelled", Unmodelled("att-vpn", "vpn attachment", "BGP is not modelled"))
            .transit_table(
                "tgw-rtb",
                "tgw",
                ("att-a", "att-b"),
                TransitGatewayRoute("att-vpn", ip_network("10.1.0.0/16")),
            )
        ),
        inside,
        MAYBE,
    ),
]
