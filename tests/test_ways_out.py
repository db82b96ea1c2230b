"""Gateways and endpoints stand beside the network, where no database waits for them, or inside, as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aws_vpc.commands.preflight import standing
from aws_vpc.deploy import Stack
from aws_vpc.errors import UsageError
from aws_vpc.network_template import open_stack
from aws_vpc.template_parse import parse

FOLDER = Path(__file__).parent.parent / "templates"
FILES = {one.name: one.read_text() for one in FOLDER.glob("*.yaml")}
# The databases and the instance take minutes themselves, so nothing that takes minutes may stand before them.
SLOW = {"AWS::EC2::NatGateway", "AWS::EC2::VPCEndpoint", "AWS::RDS::DBInstance", "AWS::Redshift::Cluster"}
ZONES = tuple(enumerate("ABC"))
TABLES = {"Fn::Split": [",", {"Ref": "PrivateRouteTables"}]}
ALONE: dict[str, dict[str, Any]] = {
    # What vpc.yaml has by itself when it stands alone, and what the root has beside it instead.
    "nat-gateway": {
        **{f"PublicSubnet{zone}": {"Fn::Select": [at, {"Ref": "PublicSubnets"}]} for at, zone in ZONES},
        **{f"PrivateRouteTable{zone}": {"Fn::Select": [at, TABLES]} for at, zone in ZONES},
    },
    "endpoints": {},
}
KINDS = {
    "nat-gateway": ("NatGateway", "ElasticIp", "ToInternet"),
    "endpoints": ("S3Gateway", "SecretsManager"),
}
PLACES = ("SubnetIds", "RouteTableIds")


def replaced(value: Any, names: dict[str, Any]) -> Any:
    """The value with references to other resources replaced."""
    if isinstance(value, dict):
        if value.keys() == {"Ref"} and value["Ref"] in names:
            return names[value["Ref"]]
        return {key: replaced(inner, names) for key, inner in value.items()}
    return [replaced(inner, names) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ALONE)
def test_gateways_and_endpoints_are_the_same_inside_the_network_and_beside_it(name: str) -> None:
    inside, beside = (parse(FILES[f"{one}.yaml"])["Resources"] for one in ("vpc", name))
    both = inside.keys() & beside.keys()
    assert both >= {one for one in beside if any(word in one for word in KINDS[name])} and len(both) > 5
    for logical in both:
        mine, theirs = ({**side[logical]["Properties"]} for side in (inside, beside))
        assert inside[logical]["Type"] == beside[logical]["Type"]
        for place in PLACES:  # which of the network's subnets and tables they are, the root says
            assert (place in mine) == (place in theirs)
            mine.pop(place, None), theirs.pop(place, None)
        assert replaced(mine, ALONE[name]) == theirs, logical


def before(child: str, **given: str) -> set[str]:
    """The types of everything in the stacks for which a nested stack of the root waits."""
    root = open_stack(FILES, "nested-stack.yaml", given, "us-west-2")
    waiting, found = list(root.bound.graph[child]), set()
    while waiting:
        stack = root.child(one := waiting.pop(), needed=True)
        assert stack
        found |= {resource["Type"] for resource in stack.bound.resources.values()}
        waiting += root.bound.graph[one]
    return found


@pytest.mark.parametrize("child", ["RDS", "Redshift", "EC2", "Endpoints", "NatGateway"])
def test_what_takes_minutes_starts_as_soon_as_its_subnets_exist(child: str) -> None:
    assert "AWS::EC2::Subnet" in before(f"Nested{child}Stack")
    assert not before(f"Nested{child}Stack") & SLOW
    assert before("NestedRDSStack", WaysOut="inside") & SLOW


@pytest.mark.parametrize(
    ("given", "way"), [({}, "AWS::EC2::NatGateway"), ({"NatGateway": "none"}, "AWS::EC2::VPCEndpoint")]
)
def test_jobs_wait_for_their_way_out(given: dict[str, str], way: str) -> None:
    assert way in before("NestedBatchStack", **given)


DECLARED = {"WaysOut": {"Type": "String"}}


def stack(**parameters: str) -> Stack:
    return Stack("1", "app", "UPDATE_COMPLETE", parameters=parameters)


def test_a_stack_that_stands_keeps_the_place_of_its_gateways() -> None:
    assert standing(stack(), DECLARED, {}) == {"WaysOut": "inside"}
    assert standing(stack(WaysOut="beside"), DECLARED, {"WaysOut": "beside"}) == {}
    assert standing(stack(), {}, {}) == {}


@pytest.mark.parametrize(
    ("found", "asked"), [(stack(), "beside"), (stack(WaysOut="beside"), "inside")], ids=["older", "newer"]
)
def test_gateways_that_stand_are_not_moved(found: Stack, asked: str) -> None:
    with pytest.raises(UsageError, match=f"WaysOut={asked}: .*stay as long as the stack"):
        standing(found, DECLARED, {"WaysOut": asked})
