"""Dual stack in the templates: what there is of IPv6, which way it leads, and what may pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from ipaddress import ip_network
from pathlib import Path

import pytest

from aws_vpc import discover
from aws_vpc.errors import TemplateError
from aws_vpc.network import Network
from aws_vpc.template import load
from aws_vpc.template_functions import Scope
from aws_vpc.template_parameters import scalar
from aws_vpc.template_rules import check_rules

FOLDER = Path(__file__).parent.parent / "templates"
CLIENTS = "2001:db8:ffff::/64"
DUAL = {"EnableIpv6": "true"}
WORLD = "::/0"
TIERS = ("Public", "Private", "Data", "Warehouse")


@cache
def planned(**given: str) -> Network:
    """The network that the root template makes with these parameters."""
    return discover.from_templates(FOLDER, given, "us-west-2")


def known(network: Network) -> dict[str, str]:
    """What addresses are called here."""
    names = {str(it): "the world" for it in (ip_network(WORLD), ip_network("0.0.0.0/0"))}
    names |= {CLIENTS: "clients", "127.0.0.1/32": "nobody"}
    for vpc in network.vpcs.values():
        names |= {str(it): vpc.id.rpartition("/")[2] for it in vpc.cidrs}
    return names


def tier(subnet: str) -> str:
    """The tier of a subnet."""
    return next(it for it in TIERS if f"/{it}Subnet" in subnet)


def test_without_the_switch_there_is_nothing_of_ipv6() -> None:
    network = planned()
    owners = (*network.vpcs.values(), *network.subnets.values())
    assert not [it for owner in owners for it in owner.cidrs if it.version == 6]
    assert not [it for one in network.interfaces.values() for it in one.addresses if it.version == 6]
    rules = [rule.block for one in network.groups.values() for rule in one.rules]
    entries = [entry.block for one in network.acls.values() for entry in one.entries]
    routes = [route.destination for one in network.route_tables.values() for route in one.routes]
    assert not [it for it in (*rules, *entries, *routes) if it is not None and it.version == 6]
    assert not network.egress_only_gateways


@pytest.mark.parametrize("zones", ["2", "3"])
def test_each_subnet_has_the_block_of_its_number_out_of_its_vpcs(zones: str) -> None:
    network = planned(**DUAL, AvailabilityZones=zones)
    taken = []
    for subnet in network.subnets.values():
        (whole,) = [it for it in network.vpcs[subnet.vpc].cidrs if it.version == 6]
        first, part = subnet.cidrs
        assert (whole.prefixlen, part.prefixlen, part.version) == (56, 64, 6)
        number = (int(part.network_address) - int(whole.network_address)) >> 64
        assert number == first.network_address.packed[2], subnet.id
        taken.append(part)
    assert len(set(taken)) == len(taken) == 4 * int(zones)


def ways_out(network: Network, version: int) -> dict[str, set[str]]:
    """Where the default routes of each tier lead."""
    found: dict[str, set[str]] = {it: set() for it in TIERS}
    for subnet in network.subnets:
        table = network.table_of(subnet)
        assert table is not None
        found[tier(subnet)] |= {
            route.target.rpartition("/")[2].rstrip("ABC")
            for route in table.routes
            if route.destination is not None
            and (route.destination.prefixlen, route.destination.version) == (0, version)
        }
    return found


@pytest.mark.parametrize("zones", ["2", "3"])
def test_the_tiers_of_data_have_no_way_out_in_either_family(zones: str) -> None:
    network = planned(**DUAL, AvailabilityZones=zones)
    none: set[str] = set()
    gateway, egress = {"InternetGateway"}, {"EgressOnlyInternetGateway"}
    assert ways_out(network, 6) == {"Public": gateway, "Private": egress, "Data": none, "Warehouse": none}
    assert ways_out(network, 4) == {
        "Public": gateway,
        "Private": {"NatGateway"},
        "Data": none,
        "Warehouse": none,
    }


def test_an_address_has_who_asks_for_one() -> None:
    network = planned(**DUAL)
    dual = {
        one.owner.rpartition("/")[2]
        for one in network.interfaces.values()
        if any(it.version == 6 for it in one.addresses)
    }
    assert dual == {"WebServer", "LoaderComputeEnvironment"}


Passing = set[tuple[str, str, str]]


def passing(network: Network, name: str, version: int) -> Passing:
    """(in or out, whom, ports) of everything that a tier's ACL lets pass in a family."""
    names = known(network)
    acl = next(it for it in network.acls.values() if it.id.endswith(f"/{name}NetworkAcl"))
    chosen = [it for it in acl.entries if it.block.version == version]
    assert all(it.allow and it.protocol == 6 for it in chosen)
    return {("out" if it.egress else "in", names[str(it.block)], str(it.ports)) for it in chosen}


JOINED: Mapping[str, Passing] = {
    "Public": {
        ("in", "the world", "1024-65535"),
        ("out", "Vpc", "5432"),
        ("out", "WarehouseVpc", "5439"),
        ("out", "the world", "443"),
    },
    "Private": {
        ("in", "Vpc", "5439"),
        ("in", "the world", "32768-65535"),
        ("out", "Vpc", "32768-65535"),
        ("out", "Vpc", "5432"),
        ("out", "WarehouseVpc", "5439"),
        ("out", "the world", "443"),
    },
    "Data": {("in", "Vpc", "5432"), ("out", "Vpc", "32768-65535")},
    "Warehouse": {
        ("in", "Vpc", "5439"),
        ("out", "Vpc", "32768-65535"),
        ("out", "WarehouseVpc", "5439"),
    },
}
WEB: Passing = {("in", "clients", "80"), ("out", "clients", "1024-65535")}


@pytest.mark.parametrize(
    ("given", "more"),
    [
        ({}, set()),
        ({"WebIngressCidrIpv6": CLIENTS}, WEB),
        ({"WebIngressCidrIpv6": CLIENTS, "WebTier": "both"}, {*WEB, ("in", "clients", "443")}),
    ],
    ids=["nobody", "clients", "beanstalk"],
)
def test_each_tier_lets_exactly_the_documented_flows_of_ipv6_pass(
    given: dict[str, str], more: Passing
) -> None:
    network = planned(**DUAL, **given)
    for name, flows in JOINED.items():
        wanted = flows | (more if name == "Public" else set())
        assert passing(network, name, 6) == wanted, name


def test_no_flow_is_of_ipv6_alone() -> None:
    network = planned(**DUAL)
    for name in TIERS:
        beyond = passing(network, name, 6) - passing(network, name, 4)
        # In IPv4 the answers that NAT gateways bring have this port in their range.
        assert beyond == ({("out", "Vpc", "5432")} if name == "Public" else set())


def rules(network: Network) -> set[tuple[str, str, str, str]]:
    """(group, in or out, whom, ports) of the rules that name IPv6 addresses, apart from those of EC2."""
    names = known(network)
    return {
        (group.id.rpartition("/")[2], "out" if it.egress else "in", names[str(it.block)], str(it.ports))
        for group in network.groups.values()
        for it in group.rules
        if it.block is not None and it.block.version == 6 and not group.id.endswith("DefaultSecurityGroup")
    }


WEB_GROUP, LOADER_GROUP = "WebServerSecurityGroup", "LoaderSecurityGroup"
HTTPS = {(WEB_GROUP, "out", "the world", "443"), (LOADER_GROUP, "out", "the world", "443")}


@pytest.mark.parametrize(
    ("given", "more"),
    [
        ({}, set()),
        ({"WebIngressCidrIpv6": CLIENTS}, {(WEB_GROUP, "in", "clients", "80")}),
        (
            {"Interconnect": "transit-gateway"},
            {(one, "out", "WarehouseVpc", "5439") for one in (WEB_GROUP, LOADER_GROUP)},
        ),
    ],
    ids=["peering", "clients", "transit-gateway"],
)
def test_rules_name_addresses_only_where_no_group_can_be_named(
    given: dict[str, str], more: set[tuple[str, str, str, str]]
) -> None:
    assert rules(planned(**DUAL, **given)) == HTTPS | more


@pytest.mark.parametrize("interconnect", ["peering", "transit-gateway"])
def test_the_two_vpcs_are_joined_in_both_families_the_same_way(interconnect: str) -> None:
    network = planned(**DUAL, Interconnect=interconnect, AvailabilityZones="3")
    far = {it: next(one for one in network.vpcs if one != it) for it in network.vpcs}
    for table in network.route_tables.values():
        blocks = set(network.vpcs[far[table.vpc]].cidrs)
        targets = [it.target for it in table.routes if it.destination in blocks]
        assert len(targets) == (2 if table.subnets and "Data" not in table.id else 0), table.id
        assert len(set(targets)) <= 1
    assert all(it.ipv6_support for it in network.attachments.values())


def test_nothing_joins_vpcs_that_stand_apart() -> None:
    network = planned(**DUAL, Interconnect="none")
    for table in network.route_tables.values():
        local = set(network.vpcs[table.vpc].cidrs)
        inner = [it.destination for it in table.routes if it.destination and it.destination.prefixlen]
        assert set(inner) <= local


ROOT = load((FOLDER / "nested-stack.yaml").read_text())
DEFAULTS = {
    "AWS::AccountId": "111122223333",
    "AWS::Region": "us-west-2",
    **{name: scalar(one.get("Default", "")) for name, one in ROOT.parameters.items()},
}


STANDS = {
    **dict.fromkeys(("Vpc", "WarehouseVpc"), "vpc-0a"),
    **dict.fromkeys(("PublicSubnets", "PrivateSubnets", "WarehouseSubnets"), "subnet-0a,subnet-0b"),
    **{f"{it}SecurityGroup": "sg-0a" for it in ("WebServer", "Database", "Warehouse", "Loader")},
}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"WebIngressCidrIpv6": CLIENTS}, "EnableIpv6 must be true when WebIngressCidrIpv6 is given"),
        ({**DUAL, **STANDS}, "EnableIpv6 must be false when Vpc is given"),
        (
            {**DUAL, "WebIngressCidrIpv6": CLIENTS, "WebTier": "beanstalk"},
            "BeanstalkType must be LoadBalanced when WebTier is beanstalk and WebIngressCidrIpv6 is given",
        ),
        (
            {**DUAL, "WebIngressCidrIpv6": WORLD, "WebUpload": "true"},
            "WebAuthSecret must be given when WebUpload is true",
        ),
    ],
    ids=["clients", "network", "beanstalk", "upload"],
)
def test_a_contradiction_is_refused_with_a_sentence(given: dict[str, str], reason: str) -> None:
    with pytest.raises(TemplateError, match=reason):
        check_rules(ROOT.section("Rules"), Scope(values={**DEFAULTS, **given}))


def test_the_network_alone_refuses_clients_of_ipv6_that_it_has_not() -> None:
    alone = load((FOLDER / "vpc.yaml").read_text())
    values = {name: scalar(one.get("Default", "")) for name, one in alone.parameters.items()}
    with pytest.raises(TemplateError, match="EnableIpv6 must be true when WebIngressCidrIpv6 is given"):
        check_rules(alone.section("Rules"), Scope(values={**values, "WebIngressCidrIpv6": CLIENTS}))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (WORLD, True),
        (CLIENTS, True),
        ("2001:db8::7/128", True),
        ("", True),
        ("2001:db8::/129", False),
        ("10.0.0.0/8", False),
        ("2001:db8::7", False),
        ("everybody", False),
    ],
)
def test_addresses_of_clients_are_a_block(text: str, good: bool) -> None:
    pattern = ROOT.parameters["WebIngressCidrIpv6"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, text)) is good
