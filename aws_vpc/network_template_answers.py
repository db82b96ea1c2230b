"""Declared resources to describe answers: what EC2 makes by itself is added, what is joined is put together.

    answers_of(files, root, parameters, region) -> Answers

EC2 gives each VPC a main route table, a default ACL and a default security group, and each group without
inline egress a rule that allows everything out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_vpc.network_routes import ROUTE_TARGETS
from aws_vpc.network_template import Declared, declared_of
from aws_vpc.network_template_filters import ALL_OUT, ALL_OUT_IPV6, FILTER_STEPS
from aws_vpc.network_template_making import Answers, Making, Row, tagged, truth
from aws_vpc.network_template_services import SERVICE_STEPS


def answers_of(files: Mapping[str, str], root: str, given: Mapping[str, Any], region: str) -> Answers:
    """What AWS would answer about the network once the templates stand."""
    making = Making(declared_of(files, root, given, region), region, {"NetworkAcls": []})
    for step in (*STEPS, *FILTER_STEPS, *SERVICE_STEPS):
        step(making)
    return making.answers


def _vpcs(making: Making) -> None:
    for it in making.of("VPC"):
        cidr = it.properties.get("CidrBlock")
        making.add("Vpcs", tagged(it, {"VpcId": it.path, "CidrBlock": cidr, "Region": making.region}))
        told = {
            key: truth(it.properties.get(key, key == "EnableDnsSupport"))
            for key in ("EnableDnsSupport", "EnableDnsHostnames")
        }
        making.add("VpcAttributes", {"VpcId": it.path, **told})
        making.add(
            "RouteTables",
            {
                "RouteTableId": f"{it.path}.MainRouteTable",
                "VpcId": it.path,
                "Routes": [],
                "Associations": [{"Main": True}],
            },
        )
        _default_acl(making, it.path)
        group = f"{it.path}.DefaultSecurityGroup"
        own = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
        making.add(
            "SecurityGroups",
            {
                "GroupId": group,
                "GroupName": "default",
                "VpcId": it.path,
                "IpPermissions": [own],
                "IpPermissionsEgress": [ALL_OUT],
            },
        )
    for it in making.of("VPCCidrBlock"):
        row = making.find("Vpcs", "VpcId", it.properties.get("VpcId"))
        if it.properties.get("CidrBlock"):
            row.setdefault("CidrBlockAssociationSet", []).append({"CidrBlock": it.properties["CidrBlock"]})
        else:
            block = it.properties["Ipv6CidrBlock"]
            row.setdefault("Ipv6CidrBlockAssociationSet", []).append({"Ipv6CidrBlock": block})
            _admit_ipv6(making, str(row.get("VpcId")))


def _admit_ipv6(making: Making, vpc: str) -> None:
    """With a VPC's IPv6 block come rules of the default ACL and group that let all of IPv6 pass."""
    acl = making.find("NetworkAcls", "NetworkAclId", f"{vpc}.DefaultNetworkAcl")
    if acl and len(acl["Entries"]) == 2:
        same = {"RuleNumber": 101, "RuleAction": "allow", "Protocol": "-1", "Ipv6CidrBlock": "::/0"}
        acl["Entries"] += [{**same, "Egress": egress} for egress in (False, True)]
    group = making.find("SecurityGroups", "GroupId", f"{vpc}.DefaultSecurityGroup")
    if group:
        group["IpPermissionsEgress"] = [ALL_OUT, ALL_OUT_IPV6]


def _default_acl(making: Making, vpc: str) -> None:
    entries = [
        {
            "RuleNumber": 100,
            "RuleAction": "allow",
            "Egress": egress,
            "Protocol": "-1",
            "CidrBlock": "0.0.0.0/0",
        }
        for egress in (False, True)
    ]
    row = {"NetworkAclId": f"{vpc}.DefaultNetworkAcl", "VpcId": vpc, "IsDefault": True}
    making.add("NetworkAcls", {**row, "Entries": entries, "Associations": []})


def _subnets(making: Making) -> None:
    for it in making.of("Subnet"):
        given = it.properties
        row = {
            "SubnetId": it.path,
            "VpcId": given["VpcId"],
            "CidrBlock": given.get("CidrBlock"),
            "AvailabilityZone": given.get("AvailabilityZone") or f"{making.region}a",
            "MapPublicIpOnLaunch": truth(given.get("MapPublicIpOnLaunch", False)),
            "AssignIpv6AddressOnCreation": truth(given.get("AssignIpv6AddressOnCreation", False)),
        }
        if given.get("Ipv6CidrBlock"):
            row["Ipv6CidrBlockAssociationSet"] = [{"Ipv6CidrBlock": given["Ipv6CidrBlock"]}]
        making.add("Subnets", tagged(it, row))
    for it in making.of("SubnetCidrBlock"):
        row = making.find("Subnets", "SubnetId", it.properties["SubnetId"])
        row["Ipv6CidrBlockAssociationSet"] = [{"Ipv6CidrBlock": it.properties["Ipv6CidrBlock"]}]


def _gateways(making: Making) -> None:
    for kind, key in (("InternetGateway", "InternetGateways"), ("VPNGateway", "VpnGateways")):
        for it in making.of(kind):
            name = "InternetGatewayId" if kind == "InternetGateway" else "VpnGatewayId"
            making.add(key, tagged(it, {name: it.path, "Attachments": []}))
    for it in making.of("VPCGatewayAttachment"):
        row = making.find("InternetGateways", "InternetGatewayId", it.properties.get("InternetGatewayId"))
        row.setdefault("Attachments", []).append({"VpcId": it.properties["VpcId"], "State": "available"})
    for it in making.of("EgressOnlyInternetGateway"):
        held = [{"VpcId": it.properties["VpcId"], "State": "attached"}]
        row = {"EgressOnlyInternetGatewayId": it.path, "Attachments": held}
        making.add("EgressOnlyInternetGateways", tagged(it, row))
    for it in making.of("VPCPeeringConnection"):
        making.add("VpcPeeringConnections", tagged(it, _peering(making, it)))


def _peering(making: Making, it: Declared) -> Row:
    """Accepted by itself when both VPCs are of the template; a far side elsewhere is taken to accept."""
    sides = {}
    for name, key in (("RequesterVpcInfo", "VpcId"), ("AccepterVpcInfo", "PeerVpcId")):
        vpc = it.properties[key]
        row = making.find("Vpcs", "VpcId", vpc)
        sides[name] = {
            "VpcId": vpc,
            "CidrBlock": row.get("CidrBlock"),
            "Ipv6CidrBlockSet": row.get("Ipv6CidrBlockAssociationSet", []),
            "Region": making.region,
        }
    sides["AccepterVpcInfo"]["Region"] = it.properties.get("PeerRegion") or making.region
    return {"VpcPeeringConnectionId": it.path, "Status": {"Code": "active"}, **sides}


def _route_tables(making: Making) -> None:
    for it in making.of("RouteTable"):
        row = {"RouteTableId": it.path, "VpcId": it.properties["VpcId"], "Routes": [], "Associations": []}
        making.add("RouteTables", tagged(it, row))
    for it in making.of("SubnetRouteTableAssociation", "GatewayRouteTableAssociation"):
        row = making.find("RouteTables", "RouteTableId", it.properties["RouteTableId"])
        end = "SubnetId" if "SubnetId" in it.properties else "GatewayId"
        row.setdefault("Associations", []).append({end: it.properties[end]})
    for it in making.of("Route"):
        given = it.properties
        route = {key: given[key] for key in ROUTE_TARGETS if key in given}
        for key, name in (
            ("DestinationCidrBlock",) * 2,
            ("DestinationIpv6CidrBlock",) * 2,
            ("DestinationPrefixListId",) * 2,
        ):
            if given.get(key):
                route[name] = given[key]
        row = making.find("RouteTables", "RouteTableId", given["RouteTableId"])
        row.setdefault("Routes", []).append({**route, "Origin": "CreateRoute", "State": "active"})


def _not_modelled(making: Making) -> None:
    """What changes answers and is not modelled: routes of virtual private gateways, Block Public Access."""
    for it in making.of("VPNGatewayRoutePropagation"):
        for table in it.properties.get("RouteTableIds") or ():
            making.find("RouteTables", "RouteTableId", table)["RoutesUnknown"] = True
    for it in making.of("VPCBlockPublicAccessOptions"):
        mode = it.properties.get("InternetGatewayBlockMode") or "off"
        making.add("VpcBlockPublicAccessOptions", {"InternetGatewayBlockMode": mode})


STEPS: tuple[Callable[[Making], None], ...] = (
    _vpcs,
    _subnets,
    _gateways,
    _route_tables,
    _not_modelled,
)
