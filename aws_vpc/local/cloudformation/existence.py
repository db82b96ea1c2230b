"""What the account has of AWS-specific parameter types: whether what one names exists, and its attributes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from botocore.exceptions import ClientError

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.template_parameters import Parameter

# Parameter type -> describe call of EC2 and the argument that names one. Images are left out: the embedded
# AWS's public image parameters name some that its own catalogue does not hold.
LOOKUPS = {
    "AWS::EC2::AvailabilityZone::Name": ("describe_availability_zones", "ZoneNames"),
    "AWS::EC2::Instance::Id": ("describe_instances", "InstanceIds"),
    "AWS::EC2::KeyPair::KeyName": ("describe_key_pairs", "KeyNames"),
    "AWS::EC2::SecurityGroup::GroupName": ("describe_security_groups", "GroupNames"),
    "AWS::EC2::SecurityGroup::Id": ("describe_security_groups", "GroupIds"),
    "AWS::EC2::Subnet::Id": ("describe_subnets", "SubnetIds"),
    "AWS::EC2::VPC::Id": ("describe_vpcs", "VpcIds"),
    "AWS::EC2::Volume::Id": ("describe_volumes", "VolumeIds"),
}


def missing(engine: Engine, region: str, parameters: Mapping[str, Parameter]) -> str | None:
    """The sentence about the first parameter whose value names nothing, None when all do."""
    for parameter in parameters.values():
        match = re.fullmatch(
            r"(?:AWS::SSM::Parameter::Value<)?(?:List<)?(AWS::EC2::[\w:]+)>*", parameter.type
        )
        if match is None or match[1] not in LOOKUPS:
            continue
        for value in [parameter.value] if isinstance(parameter.value, str) else parameter.value:
            if not _exists(engine, region, match[1], value):
                return (
                    f"Parameter validation failed: parameter value {value} for parameter name "
                    f"{parameter.key} does not exist."
                )
    return None


# What rules may ask of a parameter's type: describe call, key of the answer, key of the id, attributes.
ATTRIBUTES = {
    "AWS::EC2::SecurityGroup::Id": ("describe_security_groups", "SecurityGroups", "GroupId", ()),
    "AWS::EC2::Subnet::Id": ("describe_subnets", "Subnets", "SubnetId", ("AvailabilityZone", "VpcId")),
    "AWS::EC2::VPC::Id": ("describe_vpcs", "Vpcs", "VpcId", ()),
}


def account(engine: Engine, region: str) -> Callable[[str], dict[str, dict[str, str]]]:
    """A function that lists what the account has of a parameter type, with what rules may ask of it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html
    """

    def described(kind: str) -> dict[str, dict[str, str]]:
        if kind not in ATTRIBUTES:
            raise TemplateError(f"Template error: rules cannot ask for {kind} here: {', '.join(ATTRIBUTES)}")
        operation, key, id, attributes = ATTRIBUTES[kind]
        pages = engine.client("ec2", region).get_paginator(operation).paginate()
        return {
            one[id]: {
                **{name: one[name] for name in attributes},
                **{f"Tags.{tag['Key']}": tag["Value"] for tag in one.get("Tags", ())},
            }
            for page in pages
            for one in page[key]
        }

    return described


def _exists(engine: Engine, region: str, kind: str, value: str) -> bool:
    operation, argument = LOOKUPS[kind]
    try:
        found = getattr(engine.client("ec2", region), operation)(**{argument: [value]})
    except ClientError:
        return False
    return any(items for key, items in found.items() if isinstance(items, list))
