"""Endpoints and load balancers."""

from __future__ import annotations

from reach_bench import (
    behind_nat,
    flow,
    onward,
    peered,
    route,
    rule,
    transited,
    two_subnets,
)

from aws_vpc.network import (
    VpcEndpoint,
)
from aws_vpc.network_values import ICMP, UDP
from golden.case import (
    NO,
    YES,
    Case,
    balanced,
    inside,
    listed,
    to_target,
)

PRIVATE = "UG/route-tables-priority.html"

CASES = [
    Case(
        "PL/gateway-endpoints.html",
        "a gateway endpoint is reached by its prefix list",
        lambda: listed(two_subnets()).table("vpc-a-main", "vpc-a", route("pl-s3", "vpce-s3"), main=True),
        lambda n: flow(n, "eni-1", "vpce-s3", "52.216.0.1"),
        YES,
        "vpce-s3",
    ),
    Case(
        "PL/gateway-endpoints.html",
        "its route beats the default route",
        lambda: listed(behind_nat()).table(
            "private", "vpc-a", route("0.0.0.0/0", "nat"), route("pl-s3", "vpce-s3"), subnets=("a2",)
        ),
        lambda n: flow(n, "eni-2", "vpce-s3", "52.216.0.1"),
        YES,
        "vpce-s3",
    ),
    Case(
        "PL/gateway-endpoints.html",
        "what it takes does not reach the internet",
        lambda: listed(behind_nat()).table(
            "private", "vpc-a", route("0.0.0.0/0", "nat"), route("pl-s3", "vpce-s3"), subnets=("a2",)
        ),
        lambda n: flow(n, "eni-2", "internet", "52.216.0.1"),
        NO,
        "NO_POSSIBLE_DESTINATION",
    ),
    Case(
        "RA/explanation-codes.html",
        "a gateway endpoint takes TCP",
        lambda: listed(two_subnets()).table("vpc-a-main", "vpc-a", route("pl-s3", "vpce-s3"), main=True),
        lambda n: flow(n, "eni-1", "vpce-s3", "52.216.0.1", protocol=UDP),
        NO,
        "VPCE_GATEWAY_PROTOCOL_RESTRICTION",
    ),
    Case(
        "RA/explanation-codes.html",
        "and ICMP echo",
        lambda: listed(two_subnets()).table("vpc-a-main", "vpc-a", route("pl-s3", "vpce-s3"), main=True),
        lambda n: flow(n, "eni-1", "vpce-s3", "52.216.0.1", protocol=ICMP),
        YES,
        "vpce-s3",
    ),
    Case(
        "PL/gateway-endpoints.html",
        "it is not extended out of its VPC",
        lambda: (
            transited()
            .gateway_endpoint("vpce-s3", "vpc-b", "pl-s3", "52.216.0.0/15")
            .table("vpc-a-main", "vpc-a", route("0.0.0.0/0", "tgw"), main=True)
            .transit_table(
                "tgw-rtb",
                "tgw",
                ("att-a", "att-b"),
                onward("10.0.0.0/16", "att-a"),
                onward("0.0.0.0/0", "att-b", "static"),
            )
            .table("vpc-b-main", "vpc-b", route("pl-s3", "vpce-s3"), route("10.0.0.0/16", "tgw"), main=True)
        ),
        lambda n: flow(n, "eni-1", "vpce-s3", "52.216.0.1"),
        NO,
        "NO_POSSIBLE_DESTINATION",
    ),
    Case(
        "PL/create-interface-endpoint.html",
        "an interface endpoint is an interface, in reach over peering, too",
        lambda: (
            peered()
            .put("endpoints", VpcEndpoint("vpce-i", "vpc-b", "Interface", "com.amazonaws.us-east-1.kms"))
            .change("interfaces", "eni-2", owner="vpce-i", kind="vpc_endpoint")
        ),
        inside,
        YES,
        "vpce-i",
    ),
    Case(
        "RA/explanation-codes.html",
        "an endpoint opens no connection",
        lambda: (
            two_subnets()
            .put("endpoints", VpcEndpoint("vpce-i", "vpc-a", "Interface", "com.amazonaws.us-east-1.kms"))
            .change("interfaces", "eni-1", owner="vpce-i", kind="vpc_endpoint")
        ),
        inside,
        NO,
        "VPCE_INTRA_VPC_TRAFFIC",
    ),
    Case(
        "ELB/network/load-balancer-target-groups.html",
        "a network load balancer leads to its target",
        lambda: balanced("network"),
        to_target,
        YES,
        "lb",
    ),
    Case(
        "ELB/application/load-balancer-listeners.html",
        "an application load balancer, too",
        lambda: balanced("application"),
        to_target,
        YES,
        "lb",
    ),
    Case(
        "ELB/application/load-balancer-listeners.html",
        "no listener, no way",
        lambda: balanced("network"),
        lambda n: to_target(n, 80),
        NO,
        "ELBV2_LISTENERS_MISMATCH",
    ),
    Case(
        "ELB/network/network-load-balancers.html#cross-zone-load-balancing",
        "without cross-zone balancing the target must be in the zone",
        lambda: balanced("network", target_zone="z2"),
        to_target,
        NO,
        "ELBV2_NO_TARGETS_IN_AZ",
    ),
    Case(
        "ELB/network/network-load-balancers.html#cross-zone-load-balancing",
        "with it, it need not",
        lambda: balanced("network", target_zone="z2", cross=True),
        to_target,
        YES,
        "lb",
    ),
    Case(
        "ELB/network/edit-target-group-attributes.html#client-ip-preservation",
        "with the client's address preserved, rules are about the client",
        lambda: (
            balanced("network")
            .group("sg-target", rule(False, "10.0.2.0/24", "8080"))
            .change("interfaces", "eni-target", groups=("sg-target",))
        ),
        to_target,
        YES,
        "sg-target",
    ),
    Case(
        "ELB/network/edit-target-group-attributes.html#client-ip-preservation",
        "without, about the load balancer",
        lambda: (
            balanced("network", kept=False)
            .group("sg-target", rule(False, "10.0.2.0/24", "8080"))
            .change("interfaces", "eni-target", groups=("sg-target",))
        ),
        to_target,
        NO,
        "ENI_SG_RULES_MISMATCH",
    ),
    Case(
        "ELB/application/load-balancer-update-security-groups.html",
        "a target may admit the load balancer's group",
        lambda: (
            balanced("application")
            .group("sg-lb", rule(False, "0.0.0.0/0"), rule(True, "0.0.0.0/0"))
            .change("interfaces", "eni-lb", groups=("sg-lb",))
            .group("sg-target", rule(False, "sg-lb", "8080"))
            .change("interfaces", "eni-target", groups=("sg-target",))
        ),
        to_target,
        YES,
        "sg-target",
    ),
]
