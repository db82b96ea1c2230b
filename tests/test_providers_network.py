"""EC2 network types: each is created, seen by the API, changed in place, deleted, and deleted again."""

from typing import Any

import pytest
from providers_bench import IMAGE, Bench, Case, Made, ec2, prove


def filtered(operation: str, key: str, name: str, value: Any):  # type: ignore[no-untyped-def]
    """A look that finds by one filter."""

    def look(bench: Bench, made: Made) -> Any:
        by = [{"Name": name, "Values": [value(bench, made)]}]
        found = getattr(bench.ec2, operation)(Filters=by)[key]
        return found[0] if found else None

    return look


def dns(bench: Bench, found: Any) -> tuple[bool, bool]:
    """EnableDnsSupport and EnableDnsHostnames of the VPC."""
    return tuple(
        bench.ec2.describe_vpc_attribute(VpcId=found["VpcId"], Attribute=key)[f"{key[0].upper()}{key[1:]}"][
            "Value"
        ]
        for key in ("enableDnsSupport", "enableDnsHostnames")
    )  # type: ignore[return-value]


def routes(bench: Bench, made: Made) -> Any:
    """The route to the destination in the table of the resource."""
    stated = made.request.properties
    table = bench.ec2.describe_route_tables(RouteTableIds=[stated["RouteTableId"]])["RouteTables"][0]
    keys = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    destination = next(stated[key] for key in keys if key in stated)
    found = [route for route in table["Routes"] if destination in [route.get(key) for key in keys]]
    return found[0] if found else None


def entry(bench: Bench, made: Made) -> Any:
    """The ACL entry with the number of the resource."""
    acl = bench.ec2.describe_network_acls(NetworkAclIds=[made.request.properties["NetworkAclId"]])
    return [one for one in acl["NetworkAcls"][0]["Entries"] if one["RuleNumber"] == 100]


def table_of(bench: Bench, made: Made) -> Any:
    """The route table with the association of the resource."""
    by = [{"Name": "association.route-table-association-id", "Values": [made.ref]}]
    return bench.ec2.describe_route_tables(Filters=by)["RouteTables"]


def nat(bench: Bench) -> str:
    """A NAT gateway."""
    address = bench.make("AWS::EC2::EIP")
    return bench.make(
        "AWS::EC2::NatGateway", SubnetId=bench.subnets[0], AllocationId=address["AllocationId"]
    ).ref


CASES = [
    Case(
        "AWS::EC2::VPC",
        lambda b: {"CidrBlock": "10.9.0.0/16", "EnableDnsHostnames": True},
        ec2("describe_vpcs", "Vpcs", "VpcIds"),
        lambda b, found: dns(b, found) == (True, True),
        lambda b: {"EnableDnsHostnames": "false", "EnableDnsSupport": "false"},
        lambda b, found: dns(b, found) == (False, False),
    ),
    Case(
        "AWS::EC2::Subnet",
        lambda b: {"VpcId": b.vpc, "CidrBlock": "10.0.9.0/24", "AvailabilityZone": "eu-central-1b"},
        ec2("describe_subnets", "Subnets", "SubnetIds"),
        lambda b, found: found["AvailabilityZone"] == "eu-central-1b" and not found["MapPublicIpOnLaunch"],
        lambda b: {"MapPublicIpOnLaunch": "true"},
        lambda b, found: found["MapPublicIpOnLaunch"],
    ),
    Case(
        "AWS::EC2::InternetGateway",
        lambda b: {},
        ec2("describe_internet_gateways", "InternetGateways", "InternetGatewayIds"),
        change=lambda b: {},
    ),
    Case(
        "AWS::EC2::EgressOnlyInternetGateway",
        lambda b: {"VpcId": b.vpc},
        ec2(
            "describe_egress_only_internet_gateways",
            "EgressOnlyInternetGateways",
            "EgressOnlyInternetGatewayIds",
        ),
        change=lambda b: {},
    ),
    Case(
        "AWS::EC2::VPCGatewayAttachment",
        lambda b: {"VpcId": b.far_vpc, "InternetGatewayId": b.make("AWS::EC2::InternetGateway").ref},
        filtered(
            "describe_internet_gateways", "InternetGateways", "attachment.vpc-id", lambda b, made: b.far_vpc
        ),
        change=lambda b: {"InternetGatewayId": b.make("AWS::EC2::InternetGateway").ref},
    ),
    Case(
        "AWS::EC2::RouteTable",
        lambda b: {"VpcId": b.vpc},
        ec2("describe_route_tables", "RouteTables", "RouteTableIds"),
        change=lambda b: {},
    ),
    Case(
        "AWS::EC2::SubnetRouteTableAssociation",
        lambda b: {"SubnetId": b.subnets[0], "RouteTableId": b.table},
        table_of,
        lambda b, found: found[0]["RouteTableId"] == b.table,
    ),
    Case(
        "AWS::EC2::Route",
        lambda b: {"RouteTableId": b.table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": b.gateway},
        routes,
        lambda b, found: found["GatewayId"] == b.gateway,
        lambda b: {"GatewayId": None, "NatGatewayId": nat(b)},
        lambda b, found: found["NatGatewayId"].startswith("nat-") and "GatewayId" not in found,
    ),
    Case(
        "AWS::EC2::Route",
        lambda b: {
            "RouteTableId": b.table,
            "DestinationCidrBlock": "10.1.0.0/16",
            "TransitGatewayId": b.transit,
        },
        routes,
        lambda b, found: found["TransitGatewayId"] == b.transit,
        lambda b: {
            "TransitGatewayId": None,
            "VpcPeeringConnectionId": b.make(
                "AWS::EC2::VPCPeeringConnection", VpcId=b.vpc, PeerVpcId=b.far_vpc
            ).ref,
        },
        lambda b, found: found["VpcPeeringConnectionId"].startswith("pcx-"),
        label="peering",
    ),
    Case(
        "AWS::EC2::Route",
        lambda b: {
            "RouteTableId": b.table,
            "DestinationIpv6CidrBlock": "::/0",
            "EgressOnlyInternetGatewayId": b.make("AWS::EC2::EgressOnlyInternetGateway", VpcId=b.vpc).ref,
        },
        routes,
        label="ipv6",
    ),
    Case(
        "AWS::EC2::NatGateway",
        lambda b: {"SubnetId": b.subnets[0], "AllocationId": b.make("AWS::EC2::EIP")["AllocationId"]},
        ec2("describe_nat_gateways", "NatGateways", "NatGatewayIds"),
        lambda b, found: found["State"] == "available" and found["SubnetId"] == b.subnets[0],
        change=lambda b: {},
        lacks="AutoProvisionZones AutoScalingIps RouteTableId",
    ),
    Case(
        "AWS::EC2::EIP",
        lambda b: {"InstanceId": b.instance},
        filtered("describe_addresses", "Addresses", "public-ip", lambda b, made: made.ref),
        lambda b, found: found["Domain"] == "vpc" and found["InstanceId"] == b.instance,
        lambda b: {"InstanceId": None},
        lambda b, found: not found.get("InstanceId"),
    ),
    Case(
        "AWS::EC2::EIPAssociation",
        lambda b: {"AllocationId": b.make("AWS::EC2::EIP")["AllocationId"], "InstanceId": b.instance},
        filtered("describe_addresses", "Addresses", "association-id", lambda b, made: made.ref),
        lambda b, found: found["InstanceId"] == b.instance,
    ),
    Case(
        "AWS::EC2::VPCPeeringConnection",
        lambda b: {"VpcId": b.vpc, "PeerVpcId": b.far_vpc},
        ec2("describe_vpc_peering_connections", "VpcPeeringConnections", "VpcPeeringConnectionIds"),
        lambda b, found: found["Status"]["Code"] == "active",
        change=lambda b: {},
    ),
    Case(
        "AWS::EC2::TransitGateway",
        lambda b: {"AmazonSideAsn": 64520, "DefaultRouteTableAssociation": "disable"},
        ec2("describe_transit_gateways", "TransitGateways", "TransitGatewayIds"),
        lambda b, found: found["Options"]["DefaultRouteTableAssociation"] == "disable",
        lambda b: {"Description": "between the VPCs"},
        lambda b, found: found["Description"] == "between the VPCs",
        lacks="EncryptionSupportState",
    ),
    *(
        Case(
            f"AWS::EC2::{type}",
            lambda b: {"TransitGatewayId": b.transit, "VpcId": b.far_vpc, "SubnetIds": b.far_subnets[:1]},
            ec2(
                "describe_transit_gateway_vpc_attachments",
                "TransitGatewayVpcAttachments",
                "TransitGatewayAttachmentIds",
            ),
            lambda b, found: found["State"] == "available",
            lambda b: {"Options": {"DnsSupport": "disable"}},
            lambda b, found: found["Options"]["DnsSupport"] == "disable",
        )
        for type in ("TransitGatewayAttachment", "TransitGatewayVpcAttachment")
    ),
    Case(
        "AWS::EC2::TransitGatewayRouteTable",
        lambda b: {"TransitGatewayId": b.transit},
        ec2(
            "describe_transit_gateway_route_tables",
            "TransitGatewayRouteTables",
            "TransitGatewayRouteTableIds",
        ),
        change=lambda b: {},
    ),
    Case(
        "AWS::EC2::TransitGatewayRoute",
        lambda b: {
            "TransitGatewayRouteTableId": b.transit_table,
            "DestinationCidrBlock": "10.7.0.0/16",
            "TransitGatewayAttachmentId": b.attachment,
        },
        lambda b, made: [
            one
            for one in b.ec2.search_transit_gateway_routes(
                TransitGatewayRouteTableId=b.transit_table, Filters=[{"Name": "type", "Values": ["static"]}]
            )["Routes"]
            if one["State"] != "deleted"
        ],
    ),
    Case(
        "AWS::EC2::TransitGatewayRouteTableAssociation",
        lambda b: {"TransitGatewayRouteTableId": b.transit_table, "TransitGatewayAttachmentId": b.attachment},
        lambda b, made: b.ec2.get_transit_gateway_route_table_associations(
            TransitGatewayRouteTableId=b.transit_table
        )["Associations"],
    ),
    Case(
        "AWS::EC2::TransitGatewayRouteTablePropagation",
        lambda b: {"TransitGatewayRouteTableId": b.transit_table, "TransitGatewayAttachmentId": b.attachment},
        lambda b, made: b.ec2.get_transit_gateway_route_table_propagations(
            TransitGatewayRouteTableId=b.transit_table
        )["TransitGatewayRouteTablePropagations"],
    ),
    Case(
        "AWS::EC2::VPCCidrBlock",
        lambda b: {"VpcId": b.far_vpc, "CidrBlock": "10.66.0.0/16"},
        lambda b, made: [
            one
            for one in b.ec2.describe_vpcs(VpcIds=[b.far_vpc])["Vpcs"][0]["CidrBlockAssociationSet"]
            if one["AssociationId"] == made.ref and one["CidrBlockState"]["State"] == "associated"
        ],
        lacks="Ipv6AddressAttribute IpSource",
    ),
    Case(
        "AWS::EC2::SubnetCidrBlock",
        lambda b: {"SubnetId": b.far_subnets[0], "Ipv6CidrBlock": "2001:db8:1234:1a00::/64"},
        lambda b, made: [
            one
            for one in b.ec2.describe_subnets(SubnetIds=[b.far_subnets[0]])["Subnets"][0][
                "Ipv6CidrBlockAssociationSet"
            ]
            if one["AssociationId"] == made.ref and "'associated'" in one["Ipv6CidrBlockState"]["State"]
        ],
        lacks="Ipv6AddressAttribute IpSource",
    ),
    Case(
        "AWS::EC2::FlowLog",
        lambda b: {
            "ResourceId": b.vpc,
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogGroupName": b.fresh(),
            "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/flow",
        },
        ec2("describe_flow_logs", "FlowLogs", "FlowLogIds"),
        change=lambda b: {},
    ),
    Case(
        "AWS::EC2::NetworkInterface",
        lambda b: {"SubnetId": b.subnets[0], "GroupSet": [b.group], "Description": "one"},
        ec2("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceIds"),
        lambda b, found: found["Groups"][0]["GroupId"] == b.group and found["SourceDestCheck"],
        lambda b: {"GroupSet": [b.other_group], "SourceDestCheck": "false", "Description": "two"},
        lambda b, found: (
            found["Groups"][0]["GroupId"] == b.other_group
            and not found["SourceDestCheck"]
            and found["Description"] == "two"
        ),
        lacks="PrimaryIpv6Address PublicIpDnsNameOptions",
    ),
    Case(
        "AWS::EC2::Volume",
        lambda b: {"AvailabilityZone": "eu-central-1a", "Size": "8", "VolumeType": "gp3", "Encrypted": True},
        ec2("describe_volumes", "Volumes", "VolumeIds"),
        lambda b, found: found["Size"] == 8 and found["Encrypted"],
        lambda b: {"Size": 9},
        lambda b, found: found["Size"] == 9,
    ),
    Case(
        "AWS::EC2::KeyPair",
        lambda b: {"KeyName": b.fresh()},
        lambda b, made: b.ec2.describe_key_pairs(KeyNames=[made.ref])["KeyPairs"],
        lambda b, found: b.ssm.get_parameter(
            Name=f"/ec2/keypair/{found[0]['KeyPairId']}", WithDecryption=True
        )["Parameter"]["Value"].startswith("-----BEGIN"),
    ),
    Case(
        "AWS::EC2::LaunchTemplate",
        lambda b: {"LaunchTemplateData": {"ImageId": IMAGE, "InstanceType": "t3.micro"}},
        ec2("describe_launch_templates", "LaunchTemplates", "LaunchTemplateIds"),
        lambda b, found: found["LatestVersionNumber"] == 1,
        lambda b: {"LaunchTemplateData": {"ImageId": IMAGE, "InstanceType": "t3.small"}},
        lambda b, found: found["LatestVersionNumber"] == 2 and found["DefaultVersionNumber"] == 1,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_type_is_made_seen_changed_and_deleted(moto_bench: Bench, case: Case) -> None:
    prove(moto_bench, case)
