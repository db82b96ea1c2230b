"""Whether what AWS-specific parameter types name exists in the account."""

from __future__ import annotations

import re
from collections.abc import Mapping

from botocore.exceptions import ClientError

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


def _exists(engine: Engine, region: str, kind: str, value: str) -> bool:
    operation, argument = LOOKUPS[kind]
    try:
        found = getattr(engine.client("ec2", region), operation)(**{argument: [value]})
    except ClientError:
        return False
    return any(items for key, items in found.items() if isinstance(items, list))
