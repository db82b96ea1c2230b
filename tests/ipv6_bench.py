"""A VPC that becomes dual stack, on an embedded AWS that the modules about IPv6 share."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded import Embedded

WORLD = "::/0"


@pytest.fixture
def aws(ipv6_aws: Embedded) -> Embedded:
    """The embedded AWS; each test has address blocks of its own."""
    return ipv6_aws


class Dual:
    """A VPC that gets an IPv6 block, with a subnet and a route table that were there before."""

    def __init__(self, aws: Embedded, block: str) -> None:
        self.ec2, self.cidr = aws.client("ec2"), block
        self.vpc = self.ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
        self.table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.subnet = self.new_subnet(0)

    def new_subnet(self, number: int, **more: Any) -> str:
        block = list(ip_network(self.cidr).subnets(new_prefix=24))[number]
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=str(block), **more)
        return str(made["Subnet"]["SubnetId"])

    def associate(self) -> dict[str, Any]:
        made = self.ec2.associate_vpc_cidr_block(VpcId=self.vpc, AmazonProvidedIpv6CidrBlock=True)
        self.block = ip_network(made["Ipv6CidrBlockAssociation"]["Ipv6CidrBlock"])
        return dict(made["Ipv6CidrBlockAssociation"])

    def part(self, number: int) -> str:
        return str(list(self.block.subnets(new_prefix=64))[number])

    def give(self, subnet: str, number: int) -> str:
        made = self.ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=self.part(number))
        return str(made["Ipv6CidrBlockAssociation"]["AssociationId"])

    def interface(self, subnet: str, **more: Any) -> dict[str, Any]:
        made = self.ec2.create_network_interface(SubnetId=subnet, **more)["NetworkInterface"]
        return dict(made)

    def default_acl(self) -> dict[tuple[bool, int], tuple[str, str]]:
        by = [{"Name": "vpc-id", "Values": [self.vpc]}, {"Name": "default", "Values": ["true"]}]
        (acl,) = self.ec2.describe_network_acls(Filters=by)["NetworkAcls"]
        return {
            (one["Egress"], one["RuleNumber"]): (
                one["RuleAction"],
                one.get("Ipv6CidrBlock") or one["CidrBlock"],
            )
            for one in acl["Entries"]
        }

    def ways_out(self, group: str) -> list[str]:
        (found,) = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return [
            place.get("CidrIp") or place["CidrIpv6"]
            for rule in found["IpPermissionsEgress"]
            for place in [*rule["IpRanges"], *rule["Ipv6Ranges"]]
        ]

    def new_group(self, name: str) -> str:
        made = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)
        return str(made["GroupId"])


def refused(code: str, act: Any, **asked: Any) -> str:
    with pytest.raises(ClientError) as told:
        act(**asked)
    assert told.value.response["Error"]["Code"] == code
    return str(told.value.response["Error"]["Message"])
