"""Where databases and warehouses stand in a network: their interfaces, made, changed and ended with them."""

from __future__ import annotations

from typing import Any

from aws_vpc.local import ec2_interfaces
from aws_vpc.local.ec2_interfaces import RDS, REDSHIFT
from aws_vpc.local.world import World

Record = dict[str, Any]


def place_instance(world: World, region: str, owner: str, record: Record) -> None:
    """A DB instance has an interface in its zone, and one in another where it has a standby."""
    subnets = record.get("DBSubnetGroup", {}).get("Subnets") or default_subnets(world, region)
    zone = record.get("AvailabilityZone")
    ordered = sorted(subnets, key=lambda one: one["SubnetAvailabilityZone"]["Name"] != zone)
    wanted = [one["SubnetIdentifier"] for one in ordered][: 2 if record.get("MultiAZ") else 1]
    groups = [one["VpcSecurityGroupId"] for one in record.get("VpcSecurityGroups", ())]
    settle(world, region, owner, RDS, wanted, groups)


def place_cluster(world: World, region: str, owner: str, record: Record) -> None:
    """A cluster has an interface for each node, and one for the leader of several, all in one subnet."""
    name = record.get("ClusterSubnetGroupName")
    if name:
        redshift = world.client("redshift", region)
        found = redshift.describe_cluster_subnet_groups(ClusterSubnetGroupName=name)
        subnets = found["ClusterSubnetGroups"][0]["Subnets"]
    else:
        subnets = default_subnets(world, region)
    zone = record.get("AvailabilityZone")
    ordered = sorted(subnets, key=lambda one: one["SubnetAvailabilityZone"]["Name"] != zone)
    nodes = int(record.get("NumberOfNodes") or 1)
    wanted = [one["SubnetIdentifier"] for one in ordered[:1]] * (nodes if nodes == 1 else nodes + 1)
    groups = [one["VpcSecurityGroupId"] for one in record.get("VpcSecurityGroups", ())]
    settle(world, region, owner, REDSHIFT, wanted, groups)


def place_workgroup(world: World, region: str, owner: str, workgroup: Record) -> None:
    """A serverless workgroup has an interface in each of its subnets."""
    subnets = workgroup["subnetIds"] or [
        one["SubnetIdentifier"] for one in default_subnets(world, region)[:3]
    ]
    settle(world, region, owner, REDSHIFT, subnets, workgroup["securityGroupIds"])


def settle(
    world: World, region: str, owner: str, kind: ec2_interfaces.Kind, subnets: list[str], groups: list[str]
) -> None:
    """The owner has interfaces in these subnets, one for each mention, with these groups."""
    present = [one.subnet.id for one in ec2_interfaces.owned(world, region, owner)]
    if sorted(present) != sorted(subnets):
        ec2_interfaces.remove(world, region, owner)
        ec2_interfaces.make(world, region, kind, owner, subnets, groups)
    elif groups:
        ec2_interfaces.regroup(world, region, owner, groups)


def default_subnets(world: World, region: str) -> list[Record]:
    """The subnets of the default VPC, as a subnet group tells of them."""
    filters = [{"Name": "default-for-az", "Values": ["true"]}]
    found = world.client("ec2", region).describe_subnets(Filters=filters)["Subnets"]
    return [
        {"SubnetIdentifier": one["SubnetId"], "SubnetAvailabilityZone": {"Name": one["AvailabilityZone"]}}
        for one in found
    ]


def shown(world: World, region: str, owner: str) -> list[Record]:
    """A workgroup's interfaces, as Redshift Serverless tells of them."""
    return [
        {
            "networkInterfaceId": one.id,
            "subnetId": one.subnet.id,
            "privateIpAddress": one.private_ip_address,
            "availabilityZone": one.subnet.availability_zone,
        }
        for one in ec2_interfaces.owned(world, region, owner)
    ]
