"""Each documented fact about VPC networking as a small network, with the page that documents it.

UG is docs.aws.amazon.com/vpc/latest/userguide, PEER .../vpc/latest/peering, TGW .../vpc/latest/tgw, PL
.../vpc/latest/privatelink, RA .../vpc/latest/reachability, ELB .../elasticloadbalancing/latest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from golden import endpoints, filters, gateways, peering, routes, transit
from golden.case import MAYBE, NO, YES, Case, incoming, inside, listed, out
from reach_bench import (
    behind_nat,
    entry,
    flow,
    peered,
    public_server,
    route,
    two_subnets,
)

from aws_vpc.network import (
    Flow,
    Network,
    PortRange,
    Route,
)
from aws_vpc.reach import trace

CASES = [it for topic in (routes, filters, gateways, peering, transit, endpoints) for it in topic.CASES]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_documented_fact(case: Case) -> None:
    network = case.network().network()
    found = trace(network, case.flow(network))
    told = [(it.code, it.component) for it in (*found.blockers, *found.return_blockers)]
    assert found.verdict == case.verdict, (told, found.missing)
    shown = {*found.passes, *(code for code, _ in told)}
    assert not case.shows or case.shows in shown, (case.shows, told, sorted(found.passes))
    assert bool(found.missing) == (found.verdict == MAYBE)


def test_every_fact_names_its_page_and_says_something_of_its_own() -> None:
    assert all(case.page for case in CASES)
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


def test_some_and_whole_client_range_are_told_apart() -> None:
    some = (
        two_subnets()
        .acl(
            "acl",
            "a2",
            entry(100, False, True, "0.0.0.0/0", "443"),
            entry(100, True, True, "0.0.0.0/0", "60000-65535"),
        )
        .network()
    )
    found = trace(some, inside(some))
    assert found.verdict == YES and not found.whole_range_answered
    assert found.answered == (PortRange(60000, 65535),)
    whole = two_subnets().network()
    assert trace(whole, inside(whole)).whole_range_answered


def test_every_blocker_is_named_with_what_would_lift_it() -> None:
    shut = (
        peered("pending-acceptance")
        .group("sg-shut")
        .change("interfaces", "eni-1", groups=("sg-shut",))
        .change("interfaces", "eni-2", groups=("sg-shut",))
        .acl("acl-a", "a1")
        .acl("acl-b", "b1")
        .network()
    )
    found = trace(shut, inside(shut))
    codes = [(it.code, it.direction) for it in found.blockers]
    assert codes == [
        ("SG_HAS_NO_RULES", "egress"),
        ("SUBNET_ACL_RESTRICTION", "egress"),
        ("BAD_STATE_ROUTE", ""),
        ("SUBNET_ACL_RESTRICTION", "ingress"),
        ("SG_HAS_NO_RULES", "ingress"),
    ]
    assert all(it.change for it in found.blockers)


def test_a_route_to_the_goal_that_loses_is_told_with_what_beats_it() -> None:
    def asked(*routes: Route, to: str) -> list[str]:
        bench = listed(behind_nat()).table("private", "vpc-a", *routes, subnets=("a2",)).network()
        found = trace(bench, flow(bench, "eni-2", "nat", to))
        assert found.verdict == NO
        return [it.code for it in found.blockers]

    default, local = route("0.0.0.0/0", "nat"), route("10.9.0.0/16", "nat")
    assert "MORE_SPECIFIC_ROUTE" in asked(default, route("pl-s3", "vpce-s3"), to="52.216.0.1")
    assert "CANNOT_ROUTE" in asked(local, route("0.0.0.0/0", "igw"), to="8.8.8.8")


@pytest.mark.parametrize("asked", [out, incoming])
def test_block_public_access_is_never_guessed(asked: Callable[[Network], Flow]) -> None:
    """UG/security-vpc-bpa.html: its exclusions are not modelled."""
    network = replace(public_server().network(), block_public_access="block-bidirectional")
    assert trace(network, asked(network)).verdict == MAYBE


def test_routes_that_a_virtual_private_gateway_gives_are_never_guessed() -> None:
    """UG/WorkWithRouteTables.html, route propagation: a template does not tell what BGP will."""
    bench = peered()
    bench.change("route_tables", "vpc-a-main", unknown_routes=True)
    network = bench.network()
    assert trace(network, inside(network)).verdict == MAYBE
    assert trace(two_subnets().network(), inside(two_subnets().network())).verdict == YES
