"""Declared resources to describe answers: ACLs, security groups, prefix lists and endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_vpc.network_template import Declared
from aws_vpc.network_template_making import Making, Row, interface, tagged, truth, zone

ALL_OUT = {
    "IpProtocol": "-1",
    "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
    "Ipv6Ranges": [],
    "UserIdGroupPairs": [],
    "PrefixListIds": [],
}
ALL_OUT_IPV6 = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
# Published for us-east-1 (ip-ranges.amazonaws.com); a template cannot tell its Region's, `--live` reads them.
SERVICE_BLOCKS = {
    "s3": ["52.216.0.0/15", "3.5.0.0/19", "54.231.0.0/16"],
    "dynamodb": ["3.218.182.0/24", "3.218.180.0/23", "52.94.0.0/22", "52.119.224.0/20"],
}


def _acls(making: Making) -> None:
    for it in making.of("NetworkAcl"):
        row = {"NetworkAclId": it.path, "VpcId": it.properties["VpcId"], "Entries": [], "Associations": []}
        making.add("NetworkAcls", tagged(it, row))
    for it in making.of("NetworkAclEntry"):
        given = it.properties
        entry = {
            key: given[key]
            for key in ("RuleNumber", "RuleAction", "Protocol", "CidrBlock", "Ipv6CidrBlock", "PortRange")
            if given.get(key) is not None
        }
        if given.get("Icmp"):
            entry["IcmpTypeCode"] = given["Icmp"]
        entry["Egress"] = truth(given.get("Egress", False))
        making.find("NetworkAcls", "NetworkAclId", given["NetworkAclId"]).setdefault("Entries", []).append(
            entry
        )
    for it in making.of("SubnetNetworkAclAssociation"):
        row = making.find("NetworkAcls", "NetworkAclId", it.properties["NetworkAclId"])
        row.setdefault("Associations", []).append({"SubnetId": it.properties["SubnetId"]})


def _groups(making: Making) -> None:
    for it in making.of("SecurityGroup"):
        inward = [permission(rule, False) for rule in it.properties.get("SecurityGroupIngress") or ()]
        outward = [permission(rule, True) for rule in it.properties.get("SecurityGroupEgress") or ()]
        row = {
            "GroupId": it.path,
            "GroupName": it.properties.get("GroupName", ""),
            "VpcId": it.properties.get("VpcId", ""),
            "IpPermissions": inward,
            "IpPermissionsEgress": outward or _all_out(making, it),
        }
        making.add("SecurityGroups", tagged(it, row))
    for kind, key, egress in (
        ("SecurityGroupIngress", "IpPermissions", False),
        ("SecurityGroupEgress", "IpPermissionsEgress", True),
    ):
        for it in making.of(kind):
            row = making.find("SecurityGroups", "GroupId", it.properties.get("GroupId"))
            row.setdefault(key, []).append(permission(it.properties, egress))


def _all_out(making: Making, group: Declared) -> list[Row]:
    """What a group without rules for the way out has: everything, in each family that its VPC has."""
    vpc = making.find("Vpcs", "VpcId", group.properties.get("VpcId"))
    return [ALL_OUT, *([ALL_OUT_IPV6] if vpc.get("Ipv6CidrBlockAssociationSet") else [])]


def permission(rule: Mapping[str, Any], egress: bool) -> Row:
    """A rule as DescribeSecurityGroups gives it."""
    side = "Destination" if egress else "Source"
    found: Row = {"IpProtocol": str(rule["IpProtocol"])}
    found |= {key: int(rule[key]) for key in ("FromPort", "ToPort") if rule.get(key) is not None}
    told = {"Description": rule["Description"]} if rule.get("Description") else {}
    if rule.get("CidrIp"):
        found["IpRanges"] = [{"CidrIp": rule["CidrIp"], **told}]
    if rule.get("CidrIpv6"):
        found["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **told}]
    group, listed = rule.get(f"{side}SecurityGroupId"), rule.get(f"{side}PrefixListId")
    if group:
        found["UserIdGroupPairs"] = [{"GroupId": group, **told}]
    if listed:
        found["PrefixListIds"] = [{"PrefixListId": listed, **told}]
    return found


def _prefix_lists(making: Making) -> None:
    for it in making.of("PrefixList"):
        entries = [{"Cidr": entry["Cidr"]} for entry in it.properties.get("Entries") or ()]
        row = {
            "PrefixListId": it.path,
            "PrefixListName": it.properties.get("PrefixListName", ""),
            "Entries": entries,
        }
        making.add("ManagedPrefixLists", tagged(it, row))


def _endpoints(making: Making) -> None:
    for it in making.of("VPCEndpoint"):
        given = it.properties
        kind = given.get("VpcEndpointType") or "Gateway"
        row = {
            "VpcEndpointId": it.path,
            "VpcId": given["VpcId"],
            "VpcEndpointType": kind,
            "State": "available",
            "ServiceName": given.get("ServiceName", ""),
            "NetworkInterfaceIds": [],
            "PrivateDnsEnabled": truth(given.get("PrivateDnsEnabled", False)),
            "Groups": [{"GroupId": one} for one in given.get("SecurityGroupIds") or ()],
        }
        if kind == "Gateway":
            _gateway_routes(making, it, row["ServiceName"])
        making.add("VpcEndpoints", tagged(it, row))
        for subnet in given.get("SubnetIds") or () if kind == "Interface" else ():
            groups = row["Groups"] or [{"GroupId": f"{given['VpcId']}.DefaultSecurityGroup"}]
            eni = interface(
                making, f"{it.path}/{zone(making, subnet)}", subnet, groups, "vpc_endpoint", it.path
            )
            row["NetworkInterfaceIds"].append(eni["NetworkInterfaceId"])
            row["Groups"] = groups


def _gateway_routes(making: Making, it: Declared, service: str) -> None:
    short = service.rsplit(".", 1)[-1]
    listed = service_list(making, service, short)
    for table in it.properties.get("RouteTableIds") or ():
        route = {
            "DestinationPrefixListId": listed,
            "GatewayId": it.path,
            "State": "active",
            "Origin": "CreateRoute",
        }
        making.find("RouteTables", "RouteTableId", table).setdefault("Routes", []).append(route)


def service_list(making: Making, service: str, short: str) -> str:
    """The prefix list of a service, which AWS keeps: the one that a rule names, else one with its name."""
    told = {
        one["PrefixListId"]
        for row in making.answers.get("SecurityGroups", ())
        for permission in row["IpPermissionsEgress"]
        for one in permission.get("PrefixListIds") or ()
    }
    declared = {row["PrefixListId"] for row in making.answers.get("ManagedPrefixLists", ())}
    foreign = sorted(told - declared)
    name = foreign[0] if len(foreign) == 1 and short == "s3" else f"pl-{short}"
    if not making.find("PrefixLists", "PrefixListId", name):
        blocks = SERVICE_BLOCKS.get(short, [])
        making.add("PrefixLists", {"PrefixListId": name, "PrefixListName": service, "Cidrs": blocks})
    return name


FILTER_STEPS: tuple[Callable[[Making], None], ...] = (_acls, _groups, _prefix_lists, _endpoints)
