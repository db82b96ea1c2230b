"""IPv6 of the embedded EC2: blocks, addresses, the rules that come with a block, and what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded import Embedded, embedded_aws, until
from same_network import differences

from aws_vpc import addresses, discover
from aws_vpc.aws import connect
from aws_vpc.commands.freeing import freed
from aws_vpc.errors import DeployFailed
from aws_vpc.plan import Change

WORLD = "::/0"


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


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


def test_a_block_comes_with_local_routes_and_lets_all_of_ipv6_pass_where_nobody_changed_the_rules(
    aws: Embedded,
) -> None:
    it = Dual(aws, "10.40.0.0/16")
    plain, own = it.new_group("plain"), it.new_group("own")
    all_out = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    it.ec2.revoke_security_group_egress(GroupId=own, IpPermissions=all_out)
    assert {number for _, number in it.default_acl()} == {100, 32767}
    it.associate()
    assert it.block.prefixlen == 56
    (shown,) = it.ec2.describe_vpcs(VpcIds=[it.vpc])["Vpcs"]
    (held,) = shown["Ipv6CidrBlockAssociationSet"]
    assert (held["Ipv6CidrBlock"], held["Ipv6CidrBlockState"]["State"]) == (str(it.block), "associated")
    (table,) = it.ec2.describe_route_tables(RouteTableIds=[it.table])["RouteTables"]
    routes = {one.get("DestinationIpv6CidrBlock"): one["GatewayId"] for one in table["Routes"]}
    assert routes[str(it.block)] == "local"
    for egress in (False, True):
        assert it.default_acl()[egress, 101] == ("allow", WORLD)
        assert it.default_acl()[egress, 32768] == ("deny", WORLD)
    assert it.ways_out(plain) == ["0.0.0.0/0", WORLD]
    assert it.ways_out(own) == []


def test_a_changed_default_acl_admits_no_ipv6_by_itself(aws: Embedded) -> None:
    it = Dual(aws, "10.41.0.0/16")
    by = [{"Name": "vpc-id", "Values": [it.vpc]}]
    (acl,) = it.ec2.describe_network_acls(Filters=by)["NetworkAcls"]
    it.ec2.delete_network_acl_entry(NetworkAclId=acl["NetworkAclId"], RuleNumber=100, Egress=False)
    it.associate()
    found = it.default_acl()
    assert (False, 101) not in found and found[False, 32768] == ("deny", WORLD)
    assert found[True, 101] == ("allow", WORLD)


def test_an_interface_has_an_address_where_it_asks_or_its_subnet_gives_them(aws: Embedded) -> None:
    it = Dual(aws, "10.42.0.0/16")
    it.associate()
    it.give(it.subnet, 0)
    assert it.interface(it.subnet)["Ipv6Addresses"] == []
    asked = it.interface(it.subnet, Ipv6AddressCount=2)["Ipv6Addresses"]
    assert len({one["Ipv6Address"] for one in asked}) == 2
    it.ec2.modify_subnet_attribute(SubnetId=it.subnet, AssignIpv6AddressOnCreation={"Value": True})
    (given,) = it.interface(it.subnet)["Ipv6Addresses"]
    addresses = [one["Ipv6Address"] for one in [*asked, given]]
    assert all(ip_address(one) in ip_network(it.part(0)) for one in addresses)
    assert len(set(addresses)) == 3


def test_an_instance_has_the_addresses_that_its_first_interface_asks_for(aws: Embedded) -> None:
    it = Dual(aws, "10.43.0.0/16")
    it.associate()
    it.give(it.subnet, 7)
    first = {"DeviceIndex": 0, "SubnetId": it.subnet, "Ipv6AddressCount": 1}
    run = {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1}
    (made,) = it.ec2.run_instances(NetworkInterfaces=[first], **run)["Instances"]
    (shown,) = it.ec2.describe_instances(InstanceIds=[made["InstanceId"]])["Reservations"]
    (interface,) = shown["Instances"][0]["NetworkInterfaces"]
    (address,) = interface["Ipv6Addresses"]
    assert ip_address(address["Ipv6Address"]) in ip_network(it.part(7))
    it.ec2.terminate_instances(InstanceIds=[made["InstanceId"]])


def test_a_service_has_no_address_that_it_does_not_ask_for(aws: Embedded) -> None:
    it = Dual(aws, "10.44.0.0/16")
    it.associate()
    subnet = it.new_subnet(3, Ipv6CidrBlock=it.part(3))
    it.ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
    made = it.ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]
    by = [{"Name": "subnet-id", "Values": [subnet]}]
    (interface,) = it.ec2.describe_network_interfaces(Filters=by)["NetworkInterfaces"]
    assert interface["InterfaceType"] == "nat_gateway" and interface["Ipv6Addresses"] == []
    it.ec2.delete_nat_gateway(NatGatewayId=made["NatGatewayId"])


def test_a_subnet_has_a_part_of_its_vpcs_block_that_no_other_has(aws: Embedded) -> None:
    it = Dual(aws, "10.45.0.0/16")
    give = it.ec2.associate_subnet_cidr_block
    refused("InvalidSubnet.Range", give, SubnetId=it.subnet, Ipv6CidrBlock="2001:db8::/64")
    it.associate()
    refused("InvalidSubnet.Range", give, SubnetId=it.subnet, Ipv6CidrBlock="2001:db8::/64")
    it.give(it.subnet, 1)
    other = it.new_subnet(1)
    refused("InvalidSubnet.Conflict", give, SubnetId=other, Ipv6CidrBlock=it.part(1))
    made = it.ec2.create_subnet
    taken = {"VpcId": it.vpc, "CidrBlock": "10.45.9.0/24", "Ipv6CidrBlock": it.part(1)}
    refused("InvalidSubnet.Conflict", made, **taken)


def test_addresses_come_from_a_block_only(aws: Embedded) -> None:
    it = Dual(aws, "10.46.0.0/16")
    told = refused(
        "InvalidParameterValue",
        it.ec2.modify_subnet_attribute,
        SubnetId=it.subnet,
        AssignIpv6AddressOnCreation={"Value": True},
    )
    assert it.subnet in told


def test_a_block_stays_while_something_uses_it_and_then_goes_without_a_trace(aws: Embedded) -> None:
    it = Dual(aws, "10.47.0.0/16")
    whole = it.associate()["AssociationId"]
    part = it.give(it.subnet, 0)
    it.ec2.modify_subnet_attribute(SubnetId=it.subnet, AssignIpv6AddressOnCreation={"Value": True})
    interface = it.interface(it.subnet)
    leave = it.ec2.disassociate_subnet_cidr_block
    assert "set to true" in refused("InvalidCidrBlock.InUse", leave, AssociationId=part)
    it.ec2.modify_subnet_attribute(SubnetId=it.subnet, AssignIpv6AddressOnCreation={"Value": False})
    id = interface["NetworkInterfaceId"]
    assert id in refused("InvalidCidrBlock.InUse", leave, AssociationId=part)
    held = [one["Ipv6Address"] for one in interface["Ipv6Addresses"]]
    it.ec2.unassign_ipv6_addresses(NetworkInterfaceId=id, Ipv6Addresses=held)
    told = refused("InvalidCidrBlock.InUse", it.ec2.disassociate_vpc_cidr_block, AssociationId=whole)
    assert str(it.block) in told
    leave(AssociationId=part)
    it.ec2.disassociate_vpc_cidr_block(AssociationId=whole)
    (vpc,) = it.ec2.describe_vpcs(VpcIds=[it.vpc])["Vpcs"]
    (subnet,) = it.ec2.describe_subnets(SubnetIds=[it.subnet])["Subnets"]
    assert not vpc.get("Ipv6CidrBlockAssociationSet") and not subnet["Ipv6CidrBlockAssociationSet"]
    fresh = it.ec2.create_route_table(VpcId=it.vpc)["RouteTable"]
    for table in (it.table, fresh["RouteTableId"]):
        (found,) = it.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        assert [one["DestinationCidrBlock"] for one in found["Routes"]] == [it.cidr]


def test_a_rule_for_ipv6_goes_also_when_the_block_has_gone_first(aws: Embedded) -> None:
    it = Dual(aws, "10.48.0.0/16")
    whole, group = it.associate()["AssociationId"], it.new_group("late")
    rule = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Ipv6Ranges": [{"CidrIpv6": WORLD}]}]
    it.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=rule)
    it.ec2.disassociate_vpc_cidr_block(AssociationId=whole)
    it.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rule)
    assert it.ways_out(group) == ["0.0.0.0/0", WORLD]
    all_out = [{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": WORLD}]}]
    it.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=all_out)
    assert it.ways_out(group) == ["0.0.0.0/0"]


def test_a_peering_connection_tells_the_blocks_of_both_sides(aws: Embedded) -> None:
    near, far = Dual(aws, "10.49.0.0/16"), Dual(aws, "10.50.0.0/16")
    near.associate()
    made = near.ec2.create_vpc_peering_connection(VpcId=near.vpc, PeerVpcId=far.vpc)
    id = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    (shown,) = near.ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[id])[
        "VpcPeeringConnections"
    ]
    assert shown["RequesterVpcInfo"]["Ipv6CidrBlockSet"] == [{"Ipv6CidrBlock": str(near.block)}]
    assert "Ipv6CidrBlockSet" not in shown["AccepterVpcInfo"]


def test_a_transit_gateway_carries_ipv6_where_the_attachment_says_so(aws: Embedded) -> None:
    it = Dual(aws, "10.51.0.0/16")
    it.associate()
    it.give(it.subnet, 0)
    off = {"DefaultRouteTableAssociation": "disable", "DefaultRouteTablePropagation": "disable"}
    gateway = it.ec2.create_transit_gateway(Options=off)["TransitGateway"]["TransitGatewayId"]
    made = it.ec2.create_transit_gateway_route_table(TransitGatewayId=gateway)["TransitGatewayRouteTable"]
    named = {"TransitGatewayId": gateway, "VpcId": it.vpc, "SubnetIds": [it.subnet]}
    attached = it.ec2.create_transit_gateway_vpc_attachment(**named)["TransitGatewayVpcAttachment"]
    ends = {
        "TransitGatewayRouteTableId": made["TransitGatewayRouteTableId"],
        "TransitGatewayAttachmentId": attached["TransitGatewayAttachmentId"],
    }
    it.ec2.enable_transit_gateway_route_table_propagation(**ends)

    def routes(**more: Any) -> set[str]:
        by = more.get("by") or [{"Name": "type", "Values": ["propagated"]}]
        table = ends["TransitGatewayRouteTableId"]
        found = it.ec2.search_transit_gateway_routes(TransitGatewayRouteTableId=table, Filters=by)
        return {one["DestinationCidrBlock"] for one in found["Routes"]}

    assert routes() == {it.cidr}
    id = ends["TransitGatewayAttachmentId"]
    options = {"Ipv6Support": "enable"}
    it.ec2.modify_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=id, Options=options)
    assert routes() == {it.cidr, str(it.block)}
    exact = [{"Name": "route-search.exact-match", "Values": [str(it.block)]}]
    assert routes(by=exact) == {str(it.block)}


def test_a_vpc_with_an_egress_only_gateway_stays(aws: Embedded) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.52.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    made = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    id = made["EgressOnlyInternetGatewayId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock=WORLD, EgressOnlyInternetGatewayId=id)
    refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc)
    ec2.delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=id)
    (found,) = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
    (route,) = [one for one in found["Routes"] if one.get("DestinationIpv6CidrBlock") == WORLD]
    assert (route["State"], route["EgressOnlyInternetGatewayId"]) == ("blackhole", id)


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
