"""Every template keeps the order, the names and the descriptions of the house."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from templates_bench import ANY_TEMPLATE, references, template

SECTIONS = [
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions",
    "Resources", "Outputs",
]  # fmt: skip
RESOURCE_KEYS = [
    "Type", "Condition", "DependsOn", "CreationPolicy", "UpdatePolicy", "DeletionPolicy",
    "UpdateReplacePolicy", "Metadata", "Properties",
]  # fmt: skip
NARROW_TYPES = ("AWS::EC2::", "List<AWS::EC2::", "AWS::SSM::Parameter::Value<")
CONSTRAINTS = {"AllowedPattern", "AllowedValues", "MinValue", "MaxValue"}
NAMED = {
    "VPC", "Subnet", "InternetGateway", "RouteTable", "EIP", "NatGateway", "VPCPeeringConnection",
    "VPCEndpoint", "SecurityGroup", "Instance", "NetworkAcl", "FlowLog", "NetworkInsightsPath",
    "TransitGateway", "TransitGatewayAttachment", "TransitGatewayRouteTable", "EgressOnlyInternetGateway",
}  # fmt: skip


@ANY_TEMPLATE
def test_sections_stand_in_the_order_of_the_house(path: Path) -> None:
    assert list(template(path)) == [name for name in SECTIONS if name in template(path)]
    assert path.read_text().startswith("AWSTemplateFormatVersion: '2010-09-09'\n\nDescription: >-\n")
    assert re.sub(r"\s+", " ", template(path)["Description"]).endswith(".")


@ANY_TEMPLATE
def test_resource_keys_stand_in_the_order_of_the_house(path: Path) -> None:
    for logical, resource in template(path)["Resources"].items():
        assert list(resource) == [key for key in RESOURCE_KEYS if key in resource], logical
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", logical)


@ANY_TEMPLATE
def test_every_parameter_is_described_and_constrained(path: Path) -> None:
    for name, parameter in template(path)["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        if not parameter["Type"].startswith(NARROW_TYPES):
            assert parameter.keys() & CONSTRAINTS, name
        assert bool(parameter.keys() & CONSTRAINTS) == ("ConstraintDescription" in parameter), name


@ANY_TEMPLATE
def test_default_values_keep_their_own_constraints(path: Path) -> None:
    for name, parameter in template(path)["Parameters"].items():
        default = str(parameter.get("Default", ""))
        if "Default" in parameter:
            assert re.fullmatch(parameter.get("AllowedPattern", ".*"), default), name
            assert default in map(str, parameter.get("AllowedValues", [default])), name


@ANY_TEMPLATE
def test_every_parameter_is_used(path: Path) -> None:
    body = template(path)
    used = references({key: value for key, value in body.items() if key != "Parameters"})
    assert not body["Parameters"].keys() - used


@ANY_TEMPLATE
def test_every_parameter_is_grouped_once_in_its_order(path: Path) -> None:
    interface = template(path)["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert grouped == list(template(path)["Parameters"])
    assert set(interface.get("ParameterLabels", grouped)) == set(grouped)


@ANY_TEMPLATE
def test_every_output_is_described(path: Path) -> None:
    for name, output in template(path)["Outputs"].items():
        assert output["Description"], name
        assert "Export" not in output, name


@ANY_TEMPLATE
def test_what_ec2_shows_is_named_after_the_environment(path: Path) -> None:
    for logical, resource in template(path)["Resources"].items():
        if resource["Type"].removeprefix("AWS::EC2::") in NAMED:
            tags = {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}
            assert tags["Name"]["Fn::Sub"].startswith("${EnvironmentName}-"), logical


def naming_faults(resources: dict[str, Any]) -> list[str]:
    """Logical ids not in Pascal case, whose letter is not the zone, or that hide what they join."""
    found = []
    for logical, resource in resources.items():
        properties = resource.get("Properties", {})
        if not re.fullmatch(r"([A-Z][a-z0-9]*)+", logical):
            found.append(f"{logical}: Pascal case")
        at = ("Fn::Select" in str(properties.get("AvailabilityZone", ""))) and properties["AvailabilityZone"]
        if at and logical[-1] != "ABC"[at["Fn::Select"][0]]:
            found.append(f"{logical}: the letter is the zone")
        kind = re.match(r"AWS::EC2::Subnet(RouteTable|NetworkAcl)Association", resource["Type"])
        if kind and not re.fullmatch(rf"\w+Subnet[ABC]{kind[1]}Association", logical):
            found.append(f"{logical}: an association joins its two ends")
        subnet = properties.get("SubnetId", {})
        if kind and "Ref" in subnet and not logical.startswith(subnet["Ref"]):
            found.append(f"{logical}: it begins with {subnet['Ref']}")
        if re.search(r"SecurityGroup(In|E)gress$", resource["Type"]) and not re.search(
            r"IngressFrom|EgressTo", logical
        ):
            found.append(f"{logical}: a rule tells its way and its other end")
    return found


@ANY_TEMPLATE
def test_logical_ids_tell_what_a_resource_is(path: Path) -> None:
    assert naming_faults(template(path)["Resources"]) == []


@pytest.mark.parametrize(
    ("logical", "resource"),
    [
        ("web_server", {"Type": "AWS::EC2::Instance"}),
        (
            "PublicSubnetB",
            {"Type": "AWS::EC2::Subnet", "Properties": {"AvailabilityZone": {"Fn::Select": [0, ""]}}},
        ),
        ("Association1", {"Type": "AWS::EC2::SubnetRouteTableAssociation"}),
        (
            "PublicSubnetARouteTableAssociation",
            {
                "Type": "AWS::EC2::SubnetRouteTableAssociation",
                "Properties": {"SubnetId": {"Ref": "DataSubnetA"}},
            },
        ),
        ("PortRule", {"Type": "AWS::EC2::SecurityGroupEgress"}),
    ],
)
def test_a_logical_id_that_tells_something_else_is_found(logical: str, resource: dict[str, Any]) -> None:
    assert len(naming_faults({logical: resource})) == 1
