"""The engine (aws_vpc/reach.py) and the walker (tests/walker) agree on random flows through random
networks.
"""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from ipaddress import ip_network
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walker.flows import flows
from walker.generator import network
from walker.mutants import MUTANTS, Mutant
from walker.question import differences, of_engine

from aws_vpc.network import SecurityGroupRule

ALL = "AWS_VPC_TEST_ALL" in os.environ
FLOWS = 40  # of each network
NETWORKS = 2500 if ALL else 125
PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
def test_engine_and_walker_never_differ(part: int) -> None:
    seeds = range(part * NETWORKS // PARTS, (part + 1) * NETWORKS // PARTS)
    found = [one for seed in seeds for one in differences(seed, FLOWS)]
    assert not found, "\n\n".join(map(str, found[:3]))


@settings(max_examples=300 if ALL else 25, deadline=None, derandomize=not ALL, database=None)
@given(st.integers(NETWORKS, 2**63))
def test_engine_and_walker_agree_on_any_network(seed: int) -> None:
    found = list(differences(seed, FLOWS // 2))
    assert not found, "\n\n".join(map(str, found[:3]))


@pytest.fixture(scope="module")
def met() -> Counter[str]:
    """How often each verdict, code and kind of component is met by the quick setting's flows."""
    counts: Counter[str] = Counter()
    for seed in range(125):
        drawn = network(seed)
        for flow in flows(drawn, seed, FLOWS):
            counts.update(of_engine(drawn, flow).met)
    return counts


# what: how often at least
CONSTRUCTS = {
    "verdict reachable": 500, "verdict not reachable": 2000, "verdict unknown": 20, "some ports only": 3,
    "blocked on the way back": 150, "ip 4": 3000, "ip 6": 300,
    "there RouteTable": 500, "there main table": 100, "there edge table": 20, "there prefix list route": 15,
    "there InternetGateway": 200, "there EgressOnlyInternetGateway": 15, "there NatGateway zonal": 30,
    "there NatGateway regional": 5, "there PeeringConnection": 50, "there TransitGateway": 30,
    "there two transit gateways": 1, "there VpcEndpoint": 15, "to interface endpoint": 20,
    "there LoadBalancer network": 20, "there LoadBalancer application": 10, "there middlebox": 20,
    "there SecurityGroup": 500, "there group reference": 50, "there prefix list rule": 5, "there Acl": 500,
    "to NatGateway": 5, "to PeeringConnection": 5, "to TransitGateway": 2, "to TransitGatewayAttachment": 2,
    "to VpcEndpoint": 10, "to LoadBalancer": 5, "to InternetGateway": 10, "to EgressOnlyInternetGateway": 1,
    "there same subnet": 20, "back Acl": 300, "back TransitGateway": 10, "back PeeringConnection": 20,
}  # fmt: skip
CODES = {
    "NO_ROUTE_TO_DESTINATION", "BAD_STATE_ROUTE", "CANNOT_ROUTE", "MORE_SPECIFIC_ROUTE",
    "SUBNET_ACL_RESTRICTION", "ENI_SG_RULES_MISMATCH",
    "SG_HAS_NO_RULES", "SG_REFERENCES_NOT_PRESERVED", "ENI_SOURCE_DEST_CHECK_RESTRICTION",
    "NO_POSSIBLE_DESTINATION", "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
    "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS",
    "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS", "IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS",
    "IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS", "PROTOCOL_RESTRICTION", "NGW_REQUIRES_SOURCE_IN_VPC",
    "NGW_SOURCE_ADDRESS_REASSIGN", "REGIONAL_NGW_ROUTE_AZ_RESTRICTION", "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR",
    "TGW_ROUTE_AZ_RESTRICTION", "TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION",
    "TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT",
    "TGW_RTB_BAD_STATE_ROUTE", "VPCE_GATEWAY_PROTOCOL_RESTRICTION", "VPCE_INTRA_VPC_TRAFFIC", "BAD_STATE",
    "ELBV2_LISTENERS_MISMATCH", "ELBV2_LISTENER_HAS_NO_TG", "ELBV2_NO_TARGETS_IN_AZ",
    "ELB_INSTALLED_AZ_RESTRICTION", "DISCONNECTED_VPCS",
}  # fmt: skip
# Why a route to the goal lost: told beside what refused, and only where a gateway is the goal.
BESIDE = {"CANNOT_ROUTE", "MORE_SPECIFIC_ROUTE", "HIGHER_PRIORITY_ROUTE"}


@pytest.mark.parametrize("construct", CONSTRUCTS)
def test_the_generator_covers_every_construct(met: Counter[str], construct: str) -> None:
    assert met[construct] >= CONSTRUCTS[construct]


def test_the_generator_covers_every_code(met: Counter[str]) -> None:
    assert {code for code in CODES if not met[f"code {code}"]} == set()


def test_there_is_no_code_that_this_test_does_not_know(met: Counter[str]) -> None:
    assert {what.removeprefix("code ") for what in met if what.startswith("code ")} <= CODES | BESIDE


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_a_planted_error_is_caught(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.plant(monkeypatch)
    assert any(differences(seed, FLOWS, most=1) for seed in range(125)), mutant.name


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The same value with other ids, in another order where order means nothing."""
    if isinstance(value, str):
        return names.get(value, value)
    if is_dataclass(value) and not isinstance(value, type):
        changes = {one.name: renamed(getattr(value, one.name), names) for one in fields(value)}
        return replace(value, **changes)
    if isinstance(value, dict):
        return {names.get(key, key): renamed(one, names) for key, one in reversed(value.items())}
    return tuple(renamed(one, names) for one in value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("seed", range(400 if ALL else 20))
def test_new_names_change_nothing(seed: int) -> None:
    drawn = network(seed)
    names = {name: f"x-{number}" for number, name in enumerate(sorted(drawn.components, reverse=True))}
    other = renamed(drawn, names)
    for flow in flows(drawn, seed, FLOWS):
        assert of_engine(drawn, flow) == of_engine(other, renamed(flow, names))


@pytest.mark.parametrize("seed", range(400 if ALL else 20))
def test_a_further_rule_that_allows_never_removes_reachability(seed: int) -> None:
    drawn, random = network(seed), Random(seed)
    group = random.choice(list(drawn.groups.values()))
    rule = SecurityGroupRule(random.random() < 0.5, block=ip_network("0.0.0.0/0"))
    wider = replace(drawn, groups=drawn.groups | {group.id: replace(group, rules=(*group.rules, rule))})
    for flow in flows(drawn, seed, FLOWS):
        before, after = of_engine(drawn, flow), of_engine(wider, flow)
        assert (before.there, before.some, before.whole) <= (after.there, after.some, after.whole)
