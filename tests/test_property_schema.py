"""Properties beside the schemas of their types, in AWS's words; what is known only later fits everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from aws_vpc.local.cloudformation.property_schema import misfits
from aws_vpc.template import load
from aws_vpc.template_values import UNKNOWN

TEMPLATES = Path(__file__).parents[1] / "templates"
MISFITS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("AWS::SQS::Queue", {"Nothing": 1}, ["#: extraneous key [Nothing] is not permitted"]),
    ("AWS::SQS::Queue", {"Arn": "x"}, ["Encountered unsupported property Arn"]),
    ("AWS::SQS::Queue", {"DelaySeconds": "x"}, ["#/DelaySeconds: expected type: Integer, found: String"]),
    (
        "AWS::SQS::Queue",
        {"MessageRetentionPeriod": "1"},
        ["#/MessageRetentionPeriod: failed validation constraint for keyword [minimum]"],
    ),
    ("AWS::SQS::Queue", {"Tags": [{"Key": "a"}]}, ["#/Tags/0: required key [Value] not found"]),
    ("AWS::SSM::Parameter", {"Type": "String"}, ["#: required key [Value] not found"]),
    (
        "AWS::SSM::Parameter",
        {"Type": "Text", "Value": "x"},
        ["#/Type: failed validation constraint for keyword [enum]"],
    ),
    (
        "AWS::EC2::SecurityGroup",
        {"GroupDescription": "d", "SecurityGroupIngress": {"IpProtocol": "tcp"}},
        ["#/SecurityGroupIngress: expected type: JSONArray, found: JSONObject"],
    ),
]


@pytest.mark.parametrize(("type", "properties", "said"), MISFITS)
def test_a_misfit_is_told_as_aws_tells_it(type: str, properties: dict[str, Any], said: list[str]) -> None:
    assert [one.message for one in misfits(type, properties)] == said


FITS: list[tuple[str, dict[str, Any]]] = [
    ("AWS::SQS::Queue", {"DelaySeconds": "5", "FifoQueue": "true"}),
    ("AWS::SQS::Queue", {"DelaySeconds": 5, "FifoQueue": True}),
    ("AWS::SSM::Parameter", {"Type": "String", "Value": 5}),
    ("AWS::EC2::VPC", {"CidrBlock": UNKNOWN, "EnableDnsSupport": UNKNOWN, "Tags": UNKNOWN}),
    ("AWS::RDS::DBInstance", {"MasterUsername": "{{resolve:ssm:name}}", "AllocatedStorage": "20"}),
    ("AWS::Bench::Thing", {"Anything": 1}),
]


@pytest.mark.parametrize(("type", "properties"), FITS)
def test_what_cloudformation_coerces_or_learns_later_fits(type: str, properties: dict[str, Any]) -> None:
    assert misfits(type, properties) == []


TYPES = sorted(
    {
        resource["Type"]
        for path in TEMPLATES.glob("*.yaml")
        for resource in load(path.read_text()).resources.values()
        if not resource["Type"].startswith("AWS::CloudFormation::")
    }
)


@settings(max_examples=30, deadline=None)
@given(some.sampled_from(TYPES), some.text("abcXYZ", min_size=1, max_size=8))
def test_a_property_that_no_type_has_is_always_found(type: str, name: str) -> None:
    found = misfits(type, {f"{name}0nobody": UNKNOWN})
    assert f"Unsupported property [{name}0nobody]" in [one.reason for one in found]
