"""What lets packets pass (groups, ACLs, prefix lists, endpoints): made, seen, changed, deleted twice."""

from typing import Any

import pytest
from providers_bench import Bench, Case, Made, ec2, prove


def rules(bench: Bench, group: str) -> list[dict[str, Any]]:
    """All rules of the group."""
    by = [{"Name": "group-id", "Values": [group]}]
    return list(bench.ec2.describe_security_group_rules(Filters=by)["SecurityGroupRules"])


def acl_of(bench: Bench, subnet: str) -> Any:
    """The ACL that the subnet is under."""
    by = [{"Name": "association.subnet-id", "Values": [subnet]}]
    return bench.ec2.describe_network_acls(Filters=by)["NetworkAcls"][0]


def entry(bench: Bench, made: Made) -> Any:
    """The ACL entry with the number of the resource."""
    acl = bench.ec2.describe_network_acls(NetworkAclIds=[made.request.properties["NetworkAclId"]])
    return [one for one in acl["NetworkAcls"][0]["Entries"] if one["RuleNumber"] == 100]


def endpoint_service(name: str) -> str:
    """The name of an endpoint service."""
    return f"com.amazonaws.eu-central-1.{name}"


POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}],
}
WEB = {"IpProtocol": "tcp", "FromPort": "80", "ToPort": 80, "CidrIp": "192.0.2.0/24", "Description": "web"}

CASES = [
    Case(
        "AWS::EC2::SecurityGroup",
        lambda b: {
            "GroupDescription": "web server",
            "VpcId": b.vpc,
            "SecurityGroupIngress": [WEB, {"IpProtocol": "-1", "SourceSecurityGroupId": b.group}],
            "SecurityGroupEgress": [
                {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
            ],
        },
        lambda b, made: rules(
            b, b.ec2.describe_security_groups(GroupIds=[made.ref])["SecurityGroups"][0]["GroupId"]
        ),
        lambda b, found: (
            sorted((one["IsEgress"], one.get("FromPort")) for one in found if one.get("FromPort") != -1)[-2:]
            == [(False, 80), (True, 443)]
            and len(found) == 3
        ),
        lambda b: {
            "SecurityGroupIngress": [WEB | {"FromPort": 81, "ToPort": 81}],
            "SecurityGroupEgress": None,
        },
        lambda b, found: (
            sorted((one["IsEgress"], one["IpProtocol"]) for one in found) == [(False, "tcp"), (True, "-1")]
        ),
    ),
    Case(
        "AWS::EC2::SecurityGroupIngress",
        lambda b: {
            "GroupId": b.group,
            "IpProtocol": "tcp",
            "FromPort": "5432",
            "ToPort": "5432",
            "SourceSecurityGroupId": b.other_group,
            "Description": "database",
        },
        lambda b, made: [one for one in rules(b, b.group) if one.get("FromPort") == 5432],
        lambda b, found: found[0]["ReferencedGroupInfo"]["GroupId"] == b.other_group,
        label="group",
    ),
    Case(
        "AWS::EC2::SecurityGroupIngress",
        lambda b: {"GroupId": b.group, **WEB},
        lambda b, made: [one for one in rules(b, b.group) if one.get("FromPort") == 80],
        lambda b, found: found[0]["CidrIpv4"] == "192.0.2.0/24",
        lambda b: {"Description": "the web"},
        lambda b, found: found[0]["Description"] == "the web",
        label="address",
    ),
    Case(
        "AWS::EC2::SecurityGroupEgress",
        lambda b: {
            "GroupId": b.group,
            "IpProtocol": "tcp",
            "FromPort": "5439",
            "ToPort": "5439",
            "CidrIp": "10.1.0.0/16",
            "Description": "warehouse",
        },
        lambda b, made: [one for one in rules(b, b.group) if one.get("FromPort") == 5439],
        lambda b, found: found[0]["IsEgress"] and found[0]["CidrIpv4"] == "10.1.0.0/16",
        lambda b: {"Description": "the warehouse"},
        lambda b, found: found[0]["Description"] == "the warehouse",
    ),
    Case(
        "AWS::EC2::NetworkAcl",
        lambda b: {"VpcId": b.vpc},
        ec2("describe_network_acls", "NetworkAcls", "NetworkAclIds"),
        change=lambda b: {},
    ),
    Case(
        "AWS::EC2::NetworkAclEntry",
        lambda b: {
            "NetworkAclId": b.make("AWS::EC2::NetworkAcl", VpcId=b.vpc).ref,
            "RuleNumber": "100",
            "Protocol": 6,
            "RuleAction": "allow",
            "CidrBlock": "0.0.0.0/0",
            "PortRange": {"From": "80", "To": "80"},
        },
        entry,
        lambda b, found: found[0]["PortRange"] == {"From": 80, "To": 80} and not found[0]["Egress"],
        lambda b: {"RuleAction": "deny"},
        lambda b, found: found[0]["RuleAction"] == "deny",
    ),
    Case(
        "AWS::EC2::SubnetNetworkAclAssociation",
        lambda b: {"SubnetId": b.subnets[1], "NetworkAclId": b.make("AWS::EC2::NetworkAcl", VpcId=b.vpc).ref},
        lambda b, made: None if acl_of(b, b.subnets[1])["IsDefault"] else acl_of(b, b.subnets[1]),
    ),
    Case(
        "AWS::EC2::PrefixList",
        lambda b: {
            "PrefixListName": b.fresh(),
            "AddressFamily": "IPv4",
            "MaxEntries": "5",
            "Entries": [{"Cidr": "192.0.2.0/24", "Description": "one"}],
        },
        lambda b, made: (
            ec2("describe_managed_prefix_lists", "PrefixLists", "PrefixListIds")(b, made)
            and b.ec2.get_managed_prefix_list_entries(PrefixListId=made.ref)["Entries"]
        ),
        lambda b, found: [one["Cidr"] for one in found] == ["192.0.2.0/24"],
        lambda b: {"Entries": [{"Cidr": "198.51.100.0/24"}]},
        lambda b, found: [one["Cidr"] for one in found] == ["198.51.100.0/24"],
    ),
    Case(
        "AWS::EC2::VPCEndpoint",
        lambda b: {
            "VpcId": b.vpc,
            "ServiceName": endpoint_service("s3"),
            "RouteTableIds": [b.table],
            "PolicyDocument": POLICY,
        },
        ec2("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointIds"),
        lambda b, found: found["VpcEndpointType"] == "Gateway" and "s3:GetObject" in found["PolicyDocument"],
        lambda b: {"RouteTableIds": [b.make("AWS::EC2::RouteTable", VpcId=b.vpc).ref]},
        lambda b, found: (
            [found["VpcEndpointId"]]
            == [
                route["GatewayId"]
                for route in b.ec2.describe_route_tables(RouteTableIds=found["RouteTableIds"])["RouteTables"][
                    0
                ]["Routes"]
                if "DestinationPrefixListId" in route
            ]
            and found["RouteTableIds"] != [b.table]
        ),
        label="gateway",
    ),
    Case(
        "AWS::EC2::VPCEndpoint",
        lambda b: {
            "VpcId": b.vpc,
            "VpcEndpointType": "Interface",
            "ServiceName": endpoint_service("secretsmanager"),
            "SubnetIds": b.subnets,
            "SecurityGroupIds": [b.group],
            "PrivateDnsEnabled": "true",
        },
        ec2("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointIds"),
        lambda b, found: (
            found["PrivateDnsEnabled"]
            and len(found["NetworkInterfaceIds"]) == 2
            and found["Groups"][0]["GroupId"] == b.group
        ),
        lambda b: {"SecurityGroupIds": [b.other_group]},
        lambda b, found: [one["GroupId"] for one in found["Groups"]] == [b.other_group],
        label="interface",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_type_is_made_seen_changed_and_deleted(moto_bench: Bench, case: Case) -> None:
    prove(moto_bench, case)
