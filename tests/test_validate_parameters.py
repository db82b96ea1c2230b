"""What is refused before anything is created, and that it names its parameter."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws_vpc.template_parse import parse
from aws_vpc.validate_parameters import Facts, preflight

ROOT = Path(__file__).parent.parent / "templates" / "nested-stack.yaml"
DEFAULTS = {
    "TemplateBaseUrl": "x", "VpcCidr": "10.0.0.0/16", "WarehouseVpcCidr": "10.1.0.0/16",
    "Interconnect": "peering", "AvailabilityZones": "2", "NatGateway": "single",
    "InterfaceEndpoint": "true", "ExtraInterfaceEndpoints": "",
    "PeerVpcId": "", "PeerVpcCidr": "", "PeerRouteTableIds": "", "PeerOwnerId": "", "PeerRegion": "",
    "PeerRoleArn": "", "Warehouse": "provisioned", "CertificateArn": "", "BeanstalkType": "SingleInstance",
    "EnableIpv6": "false", "WebIngressCidrIpv6": "",
    "Vpc": "", "PublicSubnets": "", "PrivateSubnets": "", "DataSubnets": "", "WarehouseSubnets": "",
    "WebServerSecurityGroup": "", "DatabaseSecurityGroup": "", "LoaderSecurityGroup": "",
}  # fmt: skip
DECLARED = {key: {"Type": "String", "Default": value} for key, value in DEFAULTS.items()}
HERE, THERE = "1" * 12, "2" * 12
FACTS = Facts(
    "eu-west-1",
    HERE,
    3,
    frozenset(f"com.amazonaws.eu-west-1.{name}" for name in ("secretsmanager", "logs", "kms")),
)
PEER = {"PeerVpcId": "vpc-1", "PeerVpcCidr": "10.2.0.0/16", "PeerRouteTableIds": "rtb-1"}
OWN = {
    "Vpc": "vpc-1", "PublicSubnets": "a,b", "PrivateSubnets": "c,d", "WarehouseSubnets": "e,f",
    "WebServerSecurityGroup": "sg-1", "DatabaseSecurityGroup": "sg-2", "LoaderSecurityGroup": "sg-3",
}  # fmt: skip


def named(given: dict[str, str], facts: Facts = FACTS) -> list[str]:
    """The parameters that are refused, which each message names, too."""
    found = preflight(DECLARED, given, facts)
    assert all(one.resource in one.message for one in found)
    return [one.resource for one in found]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"VpcCidr": "172.16.0.0/20"},
        {"WarehouseVpcCidr": "10.0.0.0/16", "Interconnect": "none"},
        PEER,
        PEER | {"Interconnect": "transit-gateway"},
        PEER | {"PeerRegion": "us-east-1", "PeerRouteTableIds": ""},
        PEER | {"PeerOwnerId": THERE, "PeerRoleArn": f"arn:aws:iam::{THERE}:role/a", "PeerRouteTableIds": ""},
        {"AvailabilityZones": "3", "Warehouse": "serverless"},
        {"ExtraInterfaceEndpoints": "logs,kms"},
        {"EnableIpv6": "true", "WebIngressCidrIpv6": "2001:db8::/32"},
        PEER | {"EnableIpv6": "true"},
        {"BeanstalkType": "LoadBalanced", "CertificateArn": f"arn:aws:acm:eu-west-1:{HERE}:certificate/a"},
        PEER | {"WarehouseSubnets": "e,f,g", "Warehouse": "serverless"},
        OWN,
        OWN | {"WarehouseSubnets": "e,f,g", "Warehouse": "serverless"},
    ],
)  # fmt: skip
def test_what_makes_sense_is_let_through(given: dict[str, str]) -> None:
    assert named(given) == []


@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        ({"WarehouseVpcCidr": "10.0.128.0/17"}, ["WarehouseVpcCidr"]),
        (PEER | {"PeerVpcCidr": "10.0.0.0/8"}, ["PeerVpcCidr"]),
        ({"VpcCidr": "10.0.0.1/16"}, ["VpcCidr"]),
        ({"VpcCidr": "10.0.0.0/24"}, ["VpcCidr"]),
        ({"WarehouseVpcCidr": "10.1.0.0/8"}, ["WarehouseVpcCidr"]),
        ({"PeerVpcId": "vpc-1"}, ["PeerVpcCidr", "PeerRouteTableIds"]),
        ({"PeerRegion": "us-east-1"}, ["PeerRegion"]),
        (PEER | {"Interconnect": "none"}, ["Interconnect"]),
        (PEER | {"PeerRegion": "us-east-1"}, ["PeerRouteTableIds"]),
        (PEER | {"PeerRegion": "us-east-1", "PeerRouteTableIds": "", "Interconnect": "transit-gateway"},
         ["Interconnect"]),
        (PEER | {"PeerOwnerId": THERE, "PeerRouteTableIds": ""}, ["PeerRoleArn"]),
        (PEER | {"PeerOwnerId": THERE, "PeerRouteTableIds": "", "PeerRoleArn": f"arn:aws:iam::{HERE}:role/a"},
         ["PeerRoleArn"]),
        ({"AvailabilityZones": "4"}, ["AvailabilityZones"]),
        ({"Warehouse": "serverless"}, ["AvailabilityZones"]),
        (OWN | {"Warehouse": "serverless"}, ["WarehouseSubnets"]),
        (OWN | {"LoaderSecurityGroup": ""}, ["LoaderSecurityGroup"]),
        (OWN | {"PrivateSubnets": "c"}, ["PrivateSubnets"]),
        (OWN | {"DataSubnets": "c"}, ["DataSubnets"]),
        (OWN | {"NatGateway": "per-az"}, ["NatGateway"]),
        (OWN | {"EnableIpv6": "true"}, ["EnableIpv6"]),
        ({"WebIngressCidrIpv6": "2001:db8::/32"}, ["WebIngressCidrIpv6"]),
        ({"EnableIpv6": "true", "WebIngressCidrIpv6": "2001:db8::1/32"}, ["WebIngressCidrIpv6"]),
        ({"ExtraInterfaceEndpoints": "logs,qldb"}, ["ExtraInterfaceEndpoints"]),
        ({"ExtraInterfaceEndpoints": "secretsmanager"}, ["ExtraInterfaceEndpoints"]),
        ({"CertificateArn": f"arn:aws:acm:eu-west-1:{HERE}:certificate/a"}, ["CertificateArn"]),
        ({"BeanstalkType": "LoadBalanced", "CertificateArn": f"arn:aws:acm:us-east-1:{HERE}:certificate/a"},
         ["CertificateArn"]),
        ({"Colour": "blue"}, ["Colour"]),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_by_name(given: dict[str, str], parameters: list[str]) -> None:
    assert named(given) == parameters


def test_an_endpoint_that_the_region_lacks_is_refused_only_where_that_is_known() -> None:
    facts = Facts("eu-west-1", HERE, 3, frozenset({"com.amazonaws.eu-west-1.logs"}))
    assert named({}, facts) == ["InterfaceEndpoint"]
    assert named({"InterfaceEndpoint": "false"}, facts) == []
    assert named({"ExtraInterfaceEndpoints": "qldb"}, Facts()) == []


def test_a_broken_constraint_is_told_in_the_words_of_its_declaration() -> None:
    declared = {"Size": {"Type": "String", "AllowedValues": ["dev"], "ConstraintDescription": "must be dev."}}
    found = preflight(declared, {"Size": "big"})
    assert [one.message for one in found] == ["Parameter Size failed to satisfy constraint: must be dev."]
    assert [one.message for one in preflight(declared, {})] == ["Parameter 'Size' must have a value"]


def test_the_project_s_own_defaults_pass() -> None:
    declared = parse(ROOT.read_text())["Parameters"]
    given = {"TemplateBaseUrl": "https://bucket.s3.amazonaws.com/templates", "ArtifactBucket": "a-bucket"}
    given = {key: value for key, value in given.items() if key in declared}
    assert [one.message for one in preflight(declared, given, FACTS)] == []
