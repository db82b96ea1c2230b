"""VPC peering."""

from __future__ import annotations

from reach_bench import (
    Bench,
    flow,
    peered,
    route,
    rule,
    side,
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
        "PEER/vpc-peering-routing.html",
        "peering with routes on both sides joins two VPCs",
        peered,
        inside,
        YES,
        "pcx",
    ),
    Case(
        "PEER/vpc-peering-routing.html",
        "the answer needs its own route",
        lambda: peered().table("vpc-b-main", "vpc-b", main=True),
        inside,
        NO,
        "NO_ROUTE_TO_DESTINATION",
    ),
    Case(
        "PEER/vpc-peering-basics.html#vpc-peering-lifecycle",
        "only an active connection carries traffic",
        lambda: peered("pending-acceptance"),
        inside,
        NO,
        "BAD_STATE_ROUTE",
    ),
    Case(
        "PEER/vpc-peering-basics.html#vpc-peering-limitations",
        "peering is not transitive",
        lambda: (
            peered()
            .vpc("vpc-c", "10.2.0.0/16")
            .subnet("c1", "vpc-c", "z1", "10.2.1.0/24")
            .eni("eni-3", "c1", "10.2.1.10")
            .peer("pcx-bc", side("vpc-b"), side("vpc-c"))
            .table("vpc-a-main", "vpc-a", route("10.2.0.0/16", "pcx"), main=True)
            .table(
                "vpc-b-main", "vpc-b", route("10.0.0.0/16", "pcx"), route("10.2.0.0/16", "pcx-bc"), main=True
            )
            .table("vpc-c-main", "vpc-c", route("10.0.0.0/16", "pcx-bc"), main=True)
        ),
        lambda n: flow(n, "eni-1", "eni-3"),
        NO,
        "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR",
    ),
    Case(
        "PEER/vpc-peering-basics.html#vpc-peering-limitations",
        "the peer's internet gateway is out of reach",
        lambda: (
            peered()
            .igw("igw", "vpc-b")
            .table("vpc-a-main", "vpc-a", route("0.0.0.0/0", "pcx"), main=True)
            .table("vpc-b-main", "vpc-b", route("0.0.0.0/0", "igw"), route("10.0.0.0/16", "pcx"), main=True)
        ),
        lambda n: flow(n, "eni-1", "internet", "8.8.8.8"),
        NO,
        "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR",
    ),
    Case(
        "PEER/vpc-peering-basics.html#vpc-peering-limitations",
        "the peer's gateway endpoint is out of reach",
        lambda: (
            peered()
            .gateway_endpoint("vpce-s3", "vpc-b", "pl-s3", "52.216.0.0/15")
            .table("vpc-a-main", "vpc-a", route("pl-s3", "pcx"), main=True)
            .table("vpc-b-main", "vpc-b", route("pl-s3", "vpce-s3"), route("10.0.0.0/16", "pcx"), main=True)
        ),
        lambda n: flow(n, "eni-1", "vpce-s3", "52.216.0.1"),
        NO,
        "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR",
    ),
    Case(
        "PEER/vpc-peering-security-groups.html",
        "references cross an active connection of one Region",
        lambda: peered().grouped(rule(True, "0.0.0.0/0"), rule(False, "sg-client")),
        inside,
        YES,
        "sg-server",
    ),
    Case(
        "PEER/vpc-peering-security-groups.html",
        "and no connection between Regions",
        lambda: peered(region="eu-west-1").grouped(rule(True, "0.0.0.0/0"), rule(False, "sg-client")),
        inside,
        NO,
        "SG_REFERENCES_NOT_PRESERVED",
    ),
    Case(
        "PEER/vpc-peering-basics.html",
        "a far VPC that cannot be read is not guessed",
        lambda: (
            Bench()
            .vpc("vpc-a", "10.0.0.0/16")
            .subnet("a1", "vpc-a", "z1", "10.0.1.0/24")
            .eni("eni-1", "a1", "10.0.1.10")
            .peer("pcx", side("vpc-a"), side("vpc-far", "10.9.0.0/16"))
            .table("vpc-a-main", "vpc-a", route("10.9.0.0/16", "pcx"), main=True)
        ),
        lambda n: flow(n, "eni-1", "internet", "10.9.0.1"),
        MAYBE,
    ),
]
