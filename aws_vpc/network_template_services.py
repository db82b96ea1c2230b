"""Declared resources to describe answers: NAT and transit gateways, and everything that has interfaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_vpc.network_template import Declared
from aws_vpc.network_template_balancers import load_balancers
from aws_vpc.network_template_beanstalk import beanstalk
from aws_vpc.network_template_making import (
    Making,
    associate,
    interface,
    ipv6_count,
    tagged,
    truth,
    zone,
)


def _nat_gateways(making: Making) -> None:
    for it in making.of("NatGateway"):
        given, subnet = it.properties, it.properties.get("SubnetId")
        place = making.find("Subnets", "SubnetId", subnet)
        row = {
            "NatGatewayId": it.path,
            "VpcId": given.get("VpcId") or place.get("VpcId", ""),
            "SubnetId": subnet,
            "ConnectivityType": given.get("ConnectivityType") or "public",
            "State": "available",
            "AvailabilityMode": given.get("AvailabilityMode") or "zonal",
            "NatGatewayAddresses": [],
        }
        if subnet:
            eni = interface(making, f"{it.path}/{zone(making, subnet)}", subnet, [], "nat_gateway", it.path)
            at = {"NetworkInterfaceId": eni["NetworkInterfaceId"], "PrivateIp": eni["PrivateIpAddress"]}
            if row["ConnectivityType"] == "public":
                at["PublicIp"] = making.public_address()
                associate(eni, at["PublicIp"])
            row["NatGatewayAddresses"].append(at)
        making.add("NatGateways", tagged(it, row))


def _transit_gateways(making: Making) -> None:
    for it in making.of("TransitGateway"):
        row = {"TransitGatewayId": it.path, "State": "available", "Options": dict(it.properties)}
        making.add("TransitGateways", tagged(it, row))
        if it.properties.get("DefaultRouteTableAssociation", "enable") == "enable" or (
            it.properties.get("DefaultRouteTablePropagation", "enable") == "enable"
        ):
            table = f"{it.path}.AssociationDefaultRouteTableId"
            making.add(
                "TransitGatewayRouteTables",
                {"TransitGatewayRouteTableId": table, "TransitGatewayId": it.path},
            )
    for it in making.of("TransitGatewayRouteTable"):
        row = {"TransitGatewayRouteTableId": it.path, "TransitGatewayId": it.properties["TransitGatewayId"]}
        making.add("TransitGatewayRouteTables", tagged(it, row))
    _attachments(making)


def _attachments(making: Making) -> None:
    associated = {
        it.properties["TransitGatewayAttachmentId"]: it.properties["TransitGatewayRouteTableId"]
        for it in making.of("TransitGatewayRouteTableAssociation")
    }
    for it in making.of("TransitGatewayAttachment", "TransitGatewayVpcAttachment"):
        given = it.properties
        same = {
            "TransitGatewayAttachmentId": it.path,
            "TransitGatewayId": given["TransitGatewayId"],
            "State": "available",
        }
        options = given.get("Options") or {}
        row = {
            **same,
            "VpcId": given["VpcId"],
            "SubnetIds": list(given.get("SubnetIds") or ()),
            "Options": options,
        }
        making.add("TransitGatewayVpcAttachments", tagged(it, row))
        gateway = (
            making.find("TransitGateways", "TransitGatewayId", given["TransitGatewayId"]).get("Options") or {}
        )
        default = f"{given['TransitGatewayId']}.AssociationDefaultRouteTableId"
        table = associated.get(it.path)
        if table is None and gateway.get("DefaultRouteTableAssociation", "enable") == "enable":
            table = default
        link = {"Association": {"TransitGatewayRouteTableId": table, "State": "associated"}} if table else {}
        making.add(
            "TransitGatewayAttachments", {**same, "ResourceType": "vpc", "ResourceId": given["VpcId"], **link}
        )
        if gateway and gateway.get("DefaultRouteTablePropagation", "enable") == "enable":
            _propagate(making, default, it.path)
    for it in making.of("TransitGatewayRouteTablePropagation"):
        _propagate(
            making, it.properties["TransitGatewayRouteTableId"], it.properties["TransitGatewayAttachmentId"]
        )
    _transit_routes(making)


def _propagate(making: Making, table: str, attachment: str) -> None:
    link = {"TransitGatewayAttachmentId": attachment, "State": "enabled"}
    key, member = "TransitGatewayPropagations", "TransitGatewayRouteTablePropagations"
    row = making.find(key, "TransitGatewayRouteTableId", table)
    if not row:
        row = making.add(key, {"TransitGatewayRouteTableId": table, member: []})
    row[member].append(link)


def _transit_routes(making: Making) -> None:
    key = "TransitGatewayStaticRoutes"
    for it in making.of("TransitGatewayRoute"):
        given = it.properties
        blackhole = str(given.get("Blackhole", "false")).lower() == "true"
        route = {
            "DestinationCidrBlock": given["DestinationCidrBlock"],
            "Type": "static",
            "State": "blackhole" if blackhole else "active",
            "TransitGatewayAttachments": []
            if blackhole
            else [{"TransitGatewayAttachmentId": given["TransitGatewayAttachmentId"]}],
        }
        row = making.find(key, "TransitGatewayRouteTableId", given["TransitGatewayRouteTableId"])
        if not row:
            row = making.add(
                key, {"TransitGatewayRouteTableId": given["TransitGatewayRouteTableId"], "Routes": []}
            )
        row["Routes"].append(route)


def _instances(making: Making) -> None:
    templates = {it.path: it.properties.get("LaunchTemplateData") or {} for it in making.of("LaunchTemplate")}
    for it in making.of("NetworkInterface"):
        given = it.properties
        groups = [{"GroupId": one} for one in given.get("GroupSet") or ()]
        wanted = ipv6_count(making, given["SubnetId"], given.get("Ipv6AddressCount"))
        eni = interface(making, it.path, given["SubnetId"], groups, ipv6=wanted)
        eni["SourceDestCheck"] = str(given.get("SourceDestCheck", True)).lower() == "true"
    for it in making.of("Instance"):
        template = (it.properties.get("LaunchTemplate") or {}).get("LaunchTemplateId")
        _instance(making, it, {**templates.get(str(template), {}), **it.properties})
    _elastic_addresses(making)


def _instance(making: Making, it: Declared, given: Mapping[str, Any]) -> None:
    subnet = None
    for number, stated in enumerate(given.get("NetworkInterfaces") or [{}]):
        place = _attached(making, it, given, stated, number)
        subnet = subnet or place
    vpc = making.find("Subnets", "SubnetId", subnet).get("VpcId", "")
    row = tagged(it, {"InstanceId": it.path, "VpcId": vpc, "State": {"Name": "running"}})
    making.add("Reservations", {"Instances": [row]})


def _attached(
    making: Making, it: Declared, given: Mapping[str, Any], stated: Mapping[str, Any], number: int
) -> Any:
    """The subnet of an instance's interface, which is made, or taken where it is declared by itself."""
    subnet = stated.get("SubnetId") or given.get("SubnetId")
    if stated.get("NetworkInterfaceId"):
        eni = making.find("NetworkInterfaces", "NetworkInterfaceId", stated["NetworkInterfaceId"])
        eni["Owner"], subnet = it.path, eni.get("SubnetId")
    elif subnet:
        place = making.find("Subnets", "SubnetId", subnet)
        names = stated.get("GroupSet") or stated.get("Groups") or given.get("SecurityGroupIds") or []
        groups = [{"GroupId": one} for one in names or [f"{place.get('VpcId')}.DefaultSecurityGroup"]]
        asked = [one.get("Ipv6AddressCount") for one in ((stated, given) if number == 0 else (stated,))]
        dual = ipv6_count(making, subnet, *asked)
        eni = interface(making, f"{it.path}/eth{number}", subnet, groups, owner=it.path, ipv6=dual)
        eni["SourceDestCheck"] = str(given.get("SourceDestCheck", True)).lower() == "true"
        wanted = stated.get("AssociatePublicIpAddress", place.get("MapPublicIpOnLaunch"))
        if str(wanted).lower() == "true":
            associate(eni, making.public_address())
    return subnet


def _elastic_addresses(making: Making) -> None:
    """An Elastic IP takes the place of the address that EC2 chose."""
    wanted = [
        (it.properties.get("InstanceId"), it.properties.get("NetworkInterfaceId"))
        for it in making.of("EIP", "EIPAssociation")
    ]
    for instance, eni in wanted:
        for row in making.answers.get("NetworkInterfaces", ()):
            chosen = (instance and row["Owner"] == instance) or (eni and row["NetworkInterfaceId"] == eni)
            if chosen and row.get("PrivateIpAddresses"):
                associate(row, making.public_address())


def _databases(making: Making) -> None:
    places = {it.path: it.properties.get("SubnetIds") or [] for it in making.of("AWS::RDS::DBSubnetGroup")}
    for it in making.of("AWS::RDS::DBInstance"):
        given = it.properties
        chosen = [{"SubnetIdentifier": one} for one in places.get(given.get("DBSubnetGroupName", ""), [])]
        groups = [{"VpcSecurityGroupId": one} for one in given.get("VPCSecurityGroups") or ()]
        port = int(given.get("Port") or (5432 if "postgres" in str(given.get("Engine")) else 3306))
        row = {
            "DBInstanceIdentifier": it.path,
            "Endpoint": {"Port": port},
            "DBSubnetGroup": {"Subnets": chosen},
            "VpcSecurityGroups": groups,
            "PubliclyAccessible": truth(given.get("PubliclyAccessible", False)),
        }
        making.add("DBInstances", tagged(it, row))


def _warehouses(making: Making) -> None:
    for it in making.of("AWS::Redshift::ClusterSubnetGroup"):
        chosen = [{"SubnetIdentifier": one} for one in it.properties.get("SubnetIds") or ()]
        making.add("ClusterSubnetGroups", {"ClusterSubnetGroupName": it.path, "Subnets": chosen})
    for it in making.of("AWS::Redshift::Cluster"):
        given = it.properties
        groups = [{"VpcSecurityGroupId": one} for one in given.get("VpcSecurityGroupIds") or ()]
        row = {
            "ClusterIdentifier": it.path,
            "ClusterSubnetGroupName": given.get("ClusterSubnetGroupName"),
            "Endpoint": {"Port": int(given.get("Port") or 5439)},
            "VpcSecurityGroups": groups,
            "PubliclyAccessible": truth(given.get("PubliclyAccessible", False)),
        }
        making.add("Clusters", tagged(it, row))
    for it in making.of("AWS::RedshiftServerless::Workgroup"):
        given = it.properties
        row = {
            "workgroupName": it.path,
            "subnetIds": given.get("SubnetIds") or [],
            "port": given.get("Port"),
            "securityGroupIds": given.get("SecurityGroupIds") or [],
            "publiclyAccessible": truth(given.get("PubliclyAccessible", False)),
        }
        making.add("Workgroups", tagged(it, row))
    for it in making.of("AWS::Batch::ComputeEnvironment"):
        given = it.properties.get("ComputeResources") or {}
        resources = {
            "subnets": given.get("Subnets") or [],
            "securityGroupIds": given.get("SecurityGroupIds") or [],
        }
        row = {
            "computeEnvironmentName": it.path,
            "computeResources": resources,
            "LogicalPath": it.path,
            "tags": it.properties.get("Tags") or {},
        }
        making.add("ComputeEnvironments", row)


SERVICE_STEPS: tuple[Callable[[Making], None], ...] = (
    _nat_gateways,
    _transit_gateways,
    _instances,
    _databases,
    _warehouses,
    beanstalk,
    load_balancers,
)
