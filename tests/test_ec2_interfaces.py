"""What services have in one's subnets: described as AWS words it, with the right groups, ended by them."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded import Embedded, embedded_aws, until


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


@pytest.fixture(scope="module")
def place(aws: Embedded) -> dict[str, Any]:
    """A VPC with three subnets in as many zones, and two groups."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.70.0.0/16")["Vpc"]["VpcId"]
    zones = [one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"]][:3]
    made = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.70.{at}.0/24", AvailabilityZone=zone)["Subnet"]
        for at, zone in enumerate(zones)
    ]
    subnets = [one["SubnetId"] for one in made]
    groups = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("one", "other")
    ]
    return {"vpc": vpc, "subnets": subnets, "groups": groups}


def interfaces(aws: Embedded, **filters: str) -> list[dict[str, Any]]:
    """The interfaces of the requesters and kinds asked for."""
    asked = [{"Name": key.replace("_", "-"), "Values": [value]} for key, value in filters.items()]
    return list(aws.client("ec2").describe_network_interfaces(Filters=asked)["NetworkInterfaces"])


def belong(aws: Embedded, found: list[dict[str, Any]], requester: str, groups: list[str]) -> bool:
    """Whether interfaces are a service's, in use, with the groups, each at an address of its subnet."""
    for one in found:
        (subnet,) = aws.client("ec2").describe_subnets(SubnetIds=[one["SubnetId"]])["Subnets"]
        assert one["RequesterManaged"] and one["Status"] == "in-use" and one["RequesterId"] == requester
        assert "InstanceId" not in one["Attachment"] and one["Attachment"]["Status"] == "attached"
        assert [group["GroupId"] for group in one["Groups"]] == groups
        assert ipaddress.ip_address(one["PrivateIpAddress"]) in ipaddress.ip_network(subnet["CidrBlock"])
    return True


def test_a_database_stands_in_its_subnets_and_its_standby_in_another(
    aws: Embedded, place: dict[str, Any]
) -> None:
    rds, (one, other) = aws.client("rds"), place["groups"]
    rds.create_db_subnet_group(
        DBSubnetGroupName="db", DBSubnetGroupDescription="db", SubnetIds=place["subnets"][:2]
    )
    made = rds.create_db_instance(
        DBInstanceIdentifier="placed", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
        MasterUsername="dbadmin", ManageMasterUserPassword=True, DBSubnetGroupName="db",
        VpcSecurityGroupIds=[one],
    )  # fmt: skip
    assert made["DBInstance"]["DBInstanceStatus"] == "creating"
    (found,) = interfaces(aws, description="RDSNetworkInterface")
    assert belong(aws, [found], "amazon-rds", [one]) and found["VpcId"] == place["vpc"]
    until(lambda: shown_status(rds) == "available")
    rds.modify_db_instance(
        DBInstanceIdentifier="placed", VpcSecurityGroupIds=[other], MultiAZ=True, ApplyImmediately=True
    )
    found = interfaces(aws, description="RDSNetworkInterface")
    assert belong(aws, found, "amazon-rds", [other])
    assert {one["SubnetId"] for one in found} == set(place["subnets"][:2])
    rds.delete_db_instance(DBInstanceIdentifier="placed", SkipFinalSnapshot=True)
    assert interfaces(aws, description="RDSNetworkInterface") == []


def shown_status(rds: Any) -> str:
    """The status of the instance."""
    found = rds.describe_db_instances(DBInstanceIdentifier="placed")["DBInstances"]
    return str(found[0]["DBInstanceStatus"])


NODES = [(2, 3), (1, 1)]


@pytest.mark.parametrize(("nodes", "count"), NODES if "AWS_VPC_TEST_ALL" in os.environ else NODES[:1])
def test_a_cluster_stands_in_one_subnet_with_its_nodes_and_their_leader(
    aws: Embedded, place: dict[str, Any], nodes: int, count: int
) -> None:
    redshift, (one, _) = aws.client("redshift"), place["groups"]
    name = f"nodes{nodes}"
    redshift.create_cluster_subnet_group(
        ClusterSubnetGroupName=name, Description="warehouse", SubnetIds=place["subnets"][:2]
    )
    redshift.create_cluster(
        ClusterIdentifier=name, NodeType="ra3.large", MasterUsername="dbadmin", ManageMasterPassword=True,
        ClusterSubnetGroupName=name, VpcSecurityGroupIds=[one], NumberOfNodes=nodes,
        ClusterType="single-node" if nodes == 1 else "multi-node",
    )  # fmt: skip
    found = interfaces(aws, description="RedshiftNetworkInterface")
    assert len(found) == count and len({one["SubnetId"] for one in found}) == 1
    assert belong(aws, found, "amazon-redshift", [one])
    redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
    assert interfaces(aws, description="RedshiftNetworkInterface") == []


def test_a_workgroup_stands_in_each_of_its_subnets(aws: Embedded, place: dict[str, Any]) -> None:
    serverless, (one, other) = aws.client("redshift-serverless"), place["groups"]
    serverless.create_namespace(namespaceName="placed", adminUsername="dbadmin", manageAdminPassword=True)
    serverless.create_workgroup(
        workgroupName="placed", namespaceName="placed", subnetIds=place["subnets"], securityGroupIds=[one]
    )
    found = interfaces(aws, description="RedshiftNetworkInterface")
    assert {one["SubnetId"] for one in found} == set(place["subnets"])
    assert belong(aws, found, "amazon-redshift", [one])

    def workgroup() -> Any:
        shown = serverless.get_workgroup(workgroupName="placed")["workgroup"]
        return shown if shown["status"] == "AVAILABLE" else None

    (inside,) = until(workgroup)["endpoint"]["vpcEndpoints"]
    told = {one["networkInterfaceId"] for one in inside["networkInterfaces"]}
    assert told == {one["NetworkInterfaceId"] for one in found}
    serverless.update_workgroup(workgroupName="placed", securityGroupIds=[other])
    assert belong(aws, interfaces(aws, description="RedshiftNetworkInterface"), "amazon-redshift", [other])
    serverless.delete_workgroup(workgroupName="placed")
    assert interfaces(aws, description="RedshiftNetworkInterface") == []


def test_an_interface_endpoint_stands_where_it_is_told_to(aws: Embedded, place: dict[str, Any]) -> None:
    ec2, (one, other) = aws.client("ec2"), place["groups"]
    first, second, third = place["subnets"]
    id = ec2.create_vpc_endpoint(
        VpcId=place["vpc"], ServiceName=f"com.amazonaws.{aws.facts.region}.kms", VpcEndpointType="Interface",
        SubnetIds=[first, second], SecurityGroupIds=[one],
    )["VpcEndpoint"]["VpcEndpointId"]  # fmt: skip
    found = interfaces(aws, description=f"VPC Endpoint Interface {id}")
    assert belong(aws, found, "727180483921", [one]) and {one["SubnetId"] for one in found} == {first, second}
    assert {one["InterfaceType"] for one in found} == {"vpc_endpoint"}
    ec2.modify_vpc_endpoint(
        VpcEndpointId=id, AddSubnetIds=[third], RemoveSubnetIds=[first],
        AddSecurityGroupIds=[other], RemoveSecurityGroupIds=[one],
    )  # fmt: skip
    found = interfaces(aws, description=f"VPC Endpoint Interface {id}")
    assert belong(aws, found, "727180483921", [other])
    assert {one["SubnetId"] for one in found} == {second, third}
    (shown,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[id])["VpcEndpoints"]
    assert set(shown["NetworkInterfaceIds"]) == {one["NetworkInterfaceId"] for one in found}
    ec2.delete_vpc_endpoints(VpcEndpointIds=[id])
    assert interfaces(aws, description=f"VPC Endpoint Interface {id}") == []


def test_a_nat_gateway_has_an_interface_without_groups(aws: Embedded, place: dict[str, Any]) -> None:
    ec2 = aws.client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=place["subnets"][0], AllocationId=address)["NatGateway"]
    id = made["NatGatewayId"]
    (found,) = interfaces(aws, description=f"Interface for NAT Gateway {id}")
    assert belong(aws, [found], "amazon-aws", []) and found["InterfaceType"] == "nat_gateway"
    (shown,) = ec2.describe_nat_gateways(NatGatewayIds=[id])["NatGateways"]
    assert shown["NatGatewayAddresses"][0]["PrivateIp"] == found["PrivateIpAddress"]
    ec2.delete_nat_gateway(NatGatewayId=id)
    assert interfaces(aws, description=f"Interface for NAT Gateway {id}") == []
    ec2.release_address(AllocationId=address)


def test_nobody_but_its_service_ends_an_interface(aws: Embedded, place: dict[str, Any]) -> None:
    ec2 = aws.client("ec2")
    id = ec2.create_nat_gateway(SubnetId=place["subnets"][0], ConnectivityType="private")["NatGateway"][
        "NatGatewayId"
    ]
    (found,) = interfaces(aws, description=f"Interface for NAT Gateway {id}")
    for end in (
        lambda: ec2.delete_network_interface(NetworkInterfaceId=found["NetworkInterfaceId"]),
        lambda: ec2.detach_network_interface(AttachmentId=found["Attachment"]["AttachmentId"]),
    ):
        with pytest.raises(ClientError, match="is currently in use"):
            end()
    ec2.delete_nat_gateway(NatGatewayId=id)
    mine = ec2.create_network_interface(SubnetId=place["subnets"][0])["NetworkInterface"]
    assert not mine["RequesterManaged"]
    ec2.delete_network_interface(NetworkInterfaceId=mine["NetworkInterfaceId"])
