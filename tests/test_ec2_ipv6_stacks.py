"""Stacks that become dual stack and go back, and the addresses that are in their way."""

from __future__ import annotations

import json
import os
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from embedded import Embedded, until
from ipv6_bench import Dual, aws
from same_network import differences

from aws_vpc import addresses, discover
from aws_vpc.aws import connect
from aws_vpc.commands.freeing import freed
from aws_vpc.errors import DeployFailed
from aws_vpc.plan import Change

__all__ = ["aws"]


def standing(cfn: Any, name: str) -> str:
    """The status of a stack; empty when there is none."""
    found = cfn.list_stacks()["StackSummaries"]
    words = [one["StackStatus"] for one in found if one["StackName"] == name]
    return next((word for word in words if word != "DELETE_COMPLETE"), "")


def settled(cfn: Any, name: str, wanted: str) -> None:
    """Returns when the stack is where an operation ends; AssertionError when that is elsewhere."""
    until(lambda: not standing(cfn, name).endswith("_IN_PROGRESS"))
    assert standing(cfn, name) == wanted


TEMPLATE = {
    "Parameters": {"Dual": {"Type": "String", "Default": "no"}},
    "Conditions": {"IsDual": {"Fn::Equals": [{"Ref": "Dual"}, "yes"]}},
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.60.0.0/16"}},
        "Block": {
            "Type": "AWS::EC2::VPCCidrBlock",
            "Condition": "IsDual",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "AmazonProvidedIpv6CidrBlock": True},
        },
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.60.0.0/24"},
        },
        "SubnetBlock": {
            "Type": "AWS::EC2::SubnetCidrBlock",
            "Condition": "IsDual",
            "DependsOn": "Block",
            "Properties": {
                "SubnetId": {"Ref": "Subnet"},
                "Ipv6CidrBlock": {
                    "Fn::Select": [
                        2,
                        {"Fn::Cidr": [{"Fn::Select": [0, {"Fn::GetAtt": "Vpc.Ipv6CidrBlocks"}]}, 4, 64]},
                    ]
                },
            },
        },
    },
    "Outputs": {
        "Part": {
            "Condition": "IsDual",
            "Value": {"Fn::Select": [0, {"Fn::GetAtt": "Subnet.Ipv6CidrBlocks"}]},
        }
    },
}


def test_a_stack_becomes_dual_stack_in_place_and_goes_back(aws: Embedded) -> None:
    cfn, ec2 = aws.client("cloudformation"), aws.client("ec2")
    cfn.create_stack(StackName="dual", TemplateBody=json.dumps(TEMPLATE))
    settled(cfn, "dual", "CREATE_COMPLETE")
    found = cfn.describe_stack_resources(StackName="dual")["StackResources"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    update = {"StackName": "dual", "UsePreviousTemplate": True}
    dual = [{"ParameterKey": "Dual", "ParameterValue": "yes"}]
    cfn.create_change_set(ChangeSetName="plan", Parameters=dual, **update)
    until(
        lambda: cfn.describe_change_set(StackName="dual", ChangeSetName="plan")["Status"] == "CREATE_COMPLETE"
    )
    changes = cfn.describe_change_set(StackName="dual", ChangeSetName="plan")["Changes"]
    told = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"]["Action"] for one in changes}
    assert told == {"Block": "Add", "SubnetBlock": "Add"}
    cfn.execute_change_set(StackName="dual", ChangeSetName="plan")
    settled(cfn, "dual", "UPDATE_COMPLETE")
    (subnet,) = ec2.describe_subnets(SubnetIds=[ids["Subnet"]])["Subnets"]
    (held,) = subnet["Ipv6CidrBlockAssociationSet"]
    (vpc,) = ec2.describe_vpcs(VpcIds=[ids["Vpc"]])["Vpcs"]
    whole = ip_network(vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    assert held["Ipv6CidrBlock"] == str(list(whole.subnets(new_prefix=64))[2])
    assert held["Ipv6CidrBlockState"]["State"] == "associated"
    (stack,) = cfn.describe_stacks(StackName="dual")["Stacks"]
    assert [one["OutputValue"] for one in stack["Outputs"]] == [held["Ipv6CidrBlock"]]
    drift = cfn.detect_stack_drift(StackName="dual")["StackDriftDetectionId"]
    until(
        lambda: (
            "COMPLETE"
            in cfn.describe_stack_drift_detection_status(StackDriftDetectionId=drift)["DetectionStatus"]
        )
    )
    found = cfn.describe_stack_resource_drifts(StackName="dual")["StackResourceDrifts"]
    assert {one["StackResourceDriftStatus"] for one in found} == {"IN_SYNC"} and len(found) == 4
    cfn.update_stack(Parameters=[{"ParameterKey": "Dual", "ParameterValue": "no"}], **update)
    settled(cfn, "dual", "UPDATE_COMPLETE")
    (subnet,) = ec2.describe_subnets(SubnetIds=[ids["Subnet"]])["Subnets"]
    (vpc,) = ec2.describe_vpcs(VpcIds=[ids["Vpc"]])["Vpcs"]
    assert not subnet["Ipv6CidrBlockAssociationSet"] and not vpc.get("Ipv6CidrBlockAssociationSet")
    cfn.delete_stack(StackName="dual")
    until(lambda: not standing(cfn, "dual"))


def test_an_inline_block_is_given_to_a_subnet_that_stands_and_taken_again(aws: Embedded) -> None:
    cfn, ec2 = aws.client("cloudformation"), aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.61.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    block = ip_network(vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    part = str(next(block.subnets(new_prefix=64)))
    plain = {"VpcId": vpc["VpcId"], "CidrBlock": "10.61.0.0/24"}
    dual = {**plain, "Ipv6CidrBlock": part, "AssignIpv6AddressOnCreation": True}

    def body(properties: dict[str, Any]) -> str:
        return json.dumps({"Resources": {"Subnet": {"Type": "AWS::EC2::Subnet", "Properties": properties}}})

    def shown() -> tuple[list[str], bool]:
        (subnet,) = ec2.describe_subnets(SubnetIds=[id])["Subnets"]
        blocks = [one["Ipv6CidrBlock"] for one in subnet["Ipv6CidrBlockAssociationSet"]]
        return blocks, subnet["AssignIpv6AddressOnCreation"]

    cfn.create_stack(StackName="inline", TemplateBody=body(plain))
    settled(cfn, "inline", "CREATE_COMPLETE")
    (made,) = cfn.describe_stack_resources(StackName="inline")["StackResources"]
    id = made["PhysicalResourceId"]
    for properties, wanted in ((dual, ([part], True)), (plain, ([], False))):
        cfn.update_stack(StackName="inline", TemplateBody=body(properties))
        settled(cfn, "inline", "UPDATE_COMPLETE")
        assert shown() == wanted
    cfn.delete_stack(StackName="inline")
    until(lambda: not standing(cfn, "inline"))


NETWORK = Path(__file__).parent.parent / "templates" / "vpc.yaml"


def differing(name: str, **given: str) -> list[str]:
    """How the network of vpc.yaml differs from the one that its stack has made."""
    account = connect()
    planned = discover.from_templates(NETWORK, given, account.region)
    return differences(planned, discover.from_live(account), name)


@pytest.fixture
def reached(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded AWS is the account of the environment."""
    for name, value in aws.facts.environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize(
    "interconnect", ["transit-gateway", *["peering"] * ("AWS_VPC_TEST_ALL" in os.environ)]
)
def test_a_network_stands_as_it_is_planned_with_ipv6_and_without(aws: Embedded, interconnect: str) -> None:
    cfn, name = aws.client("cloudformation"), f"net-{interconnect}"
    body = {"StackName": name, "TemplateBody": NETWORK.read_text()}

    def parameters(**given: str) -> list[dict[str, str]]:
        stated = {"Interconnect": interconnect, "NatGateway": "none", **given}
        return [{"ParameterKey": key, "ParameterValue": value} for key, value in stated.items()]

    plain = {"Interconnect": interconnect, "NatGateway": "none"}
    dual = {**plain, "EnableIpv6": "true", "WebIngressCidrIpv6": "2001:db8:ffff::/64"}
    cfn.create_stack(Parameters=parameters(), **body)
    settled(cfn, name, "CREATE_COMPLETE")
    ids = physical(cfn, name)
    for given in (dual, plain):
        cfn.update_stack(Parameters=parameters(**given), **body)
        settled(cfn, name, "UPDATE_COMPLETE")
        assert differing(name, **given) == []
        assert physical(cfn, name).items() >= ids.items()
    cfn.delete_stack(StackName=name)
    until(lambda: not standing(cfn, name))


def physical(cfn: Any, name: str) -> dict[str, str]:
    """The physical ids of a stack's resources."""
    pages = cfn.get_paginator("list_stack_resources").paginate(StackName=name)
    rows = [row for page in pages for row in page["StackResourceSummaries"]]
    return {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in rows}


def test_what_an_instance_has_of_a_block_is_given_back_and_taken_again(aws: Embedded) -> None:
    it = Dual(aws, "10.53.0.0/16")
    it.associate()
    part, other = it.give(it.subnet, 0), it.give(it.new_subnet(1), 1)
    free = it.interface(it.subnet, Ipv6AddressCount=1)["NetworkInterfaceId"]
    first = {"DeviceIndex": 0, "SubnetId": it.subnet, "Ipv6AddressCount": 1}
    run = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1}
    (made,) = it.ec2.run_instances(NetworkInterfaces=[first], **run)["Instances"]
    assert addresses.held(it.ec2, [other]) == []
    (held,) = addresses.held(it.ec2, [part, other])
    assert held.interface != free and len(held.addresses) == 1
    addresses.give_back(it.ec2, held)
    assert addresses.held(it.ec2, [part]) == []
    addresses.take_again(it.ec2, held)
    assert addresses.held(it.ec2, [part]) == [held]
    said: list[str] = []
    session: Any = SimpleNamespace(
        aws=SimpleNamespace(client=aws.client), console=SimpleNamespace(say=said.append)
    )
    going = [Change(("Net", "Block"), "AWS::EC2::SubnetCidrBlock", "Remove", id=part)]
    with pytest.raises(DeployFailed), freed(session, going):
        assert addresses.held(it.ec2, [part]) == []
        raise DeployFailed("the update went back")
    assert addresses.held(it.ec2, [part]) == [held] and held.interface in said[0]
    with freed(session, going):
        pass
    assert addresses.held(it.ec2, [part]) == []
    it.ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    addresses.take_again(it.ec2, held)  # there is nothing any more that could have them
