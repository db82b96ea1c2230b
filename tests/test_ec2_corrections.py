"""What moto gets wrong about routes, transit gateways, endpoints and default groups is right here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded import Embedded, embedded_aws


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


def vpc(aws: Embedded, block: str, *, names: bool = False) -> tuple[str, str, str]:
    """A VPC, a subnet of it, and a route table."""
    ec2 = aws.client("ec2")
    made = ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=made, EnableDnsHostnames={"Value": names})
    subnet = ec2.create_subnet(VpcId=made, CidrBlock=block.replace("/16", "/24"))["Subnet"]["SubnetId"]
    return made, subnet, ec2.create_route_table(VpcId=made)["RouteTable"]["RouteTableId"]


def states(aws: Embedded, table: str) -> dict[str, str]:
    """The state of each route that is not local."""
    (found,) = aws.client("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"]
    routes = [one for one in found["Routes"] if one["Origin"] == "CreateRoute"]
    return {one["DestinationCidrBlock"]: one["State"] for one in routes}


def test_a_default_group_admits_its_members(aws: Embedded) -> None:
    ec2 = aws.client("ec2")
    made, _, _ = vpc(aws, "10.10.0.0/16")
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])
    assert {made} < {one["VpcId"] for one in groups["SecurityGroups"]}  # the default VPC's, too
    for group in groups["SecurityGroups"]:
        (rule,) = group["IpPermissions"]
        assert rule["IpProtocol"] == "-1" and not rule["IpRanges"]
        assert [one["GroupId"] for one in rule["UserIdGroupPairs"]] == [group["GroupId"]]


def test_a_route_over_a_peering_connection_works_while_it_is_active(aws: Embedded) -> None:
    ec2 = aws.client("ec2")
    (near, _, table), (far, _, _) = vpc(aws, "10.11.0.0/16"), vpc(aws, "10.12.0.0/16")
    made = ec2.create_vpc_peering_connection(VpcId=near, PeerVpcId=far)["VpcPeeringConnection"]
    id = made["VpcPeeringConnectionId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.12.0.0/16", VpcPeeringConnectionId=id)
    assert states(aws, table) == {"10.12.0.0/16": "blackhole"}
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=id)
    assert states(aws, table) == {"10.12.0.0/16": "active"}
    ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=id)
    assert states(aws, table) == {"10.12.0.0/16": "blackhole"}


def test_peering_connections_are_found_by_filters(aws: Embedded) -> None:
    ec2 = aws.client("ec2")
    a, b, c = (vpc(aws, f"10.{number}.0.0/16")[0] for number in (31, 32, 33))
    first, second = (
        ec2.create_vpc_peering_connection(VpcId=near, PeerVpcId=far)["VpcPeeringConnection"]
        for near, far in ((a, b), (b, c))
    )
    id = first["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=id)
    ec2.create_tags(Resources=[id], Tags=[{"Key": "Name", "Value": "near-far"}])

    def found(**filters: str) -> set[str]:
        asked = [{"Name": name, "Values": [value]} for name, value in filters.items()]
        listed = ec2.describe_vpc_peering_connections(Filters=asked)["VpcPeeringConnections"]
        return {one["VpcPeeringConnectionId"] for one in listed}

    both = {id, second["VpcPeeringConnectionId"]}
    assert found(**{"requester-vpc-info.vpc-id": a}) == {id}
    assert found(**{"accepter-vpc-info.vpc-id": c}) == both - {id}
    assert found(**{"requester-vpc-info.vpc-id": a, "accepter-vpc-info.vpc-id": c}) == set()
    assert found(**{"vpc-peering-connection-id": id, "status-code": "act*"}) == {id}
    assert (
        found(**{"tag:Name": "near-far"})
        == found(**{"tag-key": "Name", "vpc-peering-connection-id": id})
        == {id}
    )
    with pytest.raises(ClientError, match="The filter 'no-such-filter' is invalid"):
        found(**{"no-such-filter": a})


def test_a_route_to_a_gateway_that_has_gone_is_a_blackhole(aws: Embedded) -> None:
    ec2 = aws.client("ec2")
    made, subnet, table = vpc(aws, "10.13.0.0/16")
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=made)
    nat = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=internet)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.99.0.0/16", NatGatewayId=nat)
    assert states(aws, table) == {"0.0.0.0/0": "active", "10.99.0.0/16": "active"}
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.detach_internet_gateway(InternetGatewayId=internet, VpcId=made)
    assert states(aws, table) == {"0.0.0.0/0": "blackhole", "10.99.0.0/16": "blackhole"}


def test_a_route_to_an_instance_works_while_it_runs(aws: Embedded) -> None:
    ec2 = aws.client("ec2")
    _, subnet, table = vpc(aws, "10.14.0.0/16")
    made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"]
    id = made[0]["InstanceId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.98.0.0/16", InstanceId=id)
    assert states(aws, table) == {"10.98.0.0/16": "active"}
    ec2.terminate_instances(InstanceIds=[id])
    assert states(aws, table) == {"10.98.0.0/16": "blackhole"}


def test_a_route_leads_to_the_vpcs_own_internet_gateway_only(aws: Embedded) -> None:
    ec2 = aws.client("ec2")
    _, _, table = vpc(aws, "10.15.0.0/16")
    loose = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    with pytest.raises(ClientError, match="belong to different networks"):
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=loose)


@pytest.fixture(scope="module")
def transit(aws: Embedded) -> dict[str, Any]:
    """A transit gateway with two attached VPCs, of which the second propagates into a route table."""
    ec2 = aws.client("ec2")
    off = {"DefaultRouteTableAssociation": "disable", "DefaultRouteTablePropagation": "disable"}
    gateway = ec2.create_transit_gateway(Options=off)["TransitGateway"]["TransitGatewayId"]
    places = [vpc(aws, "10.16.0.0/16"), vpc(aws, "10.17.0.0/16")]
    attachments = [
        ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=id, SubnetIds=[subnet])
        for id, subnet, _ in places
    ]
    ids = [one["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"] for one in attachments]
    made = ec2.create_transit_gateway_route_table(TransitGatewayId=gateway)["TransitGatewayRouteTable"]
    table = made["TransitGatewayRouteTableId"]
    named = {"TransitGatewayRouteTableId": table, "TransitGatewayAttachmentId": ids[1]}
    ec2.enable_transit_gateway_route_table_propagation(**named)
    return {"gateway": gateway, "places": places, "attachments": ids, "table": table, "named": named}


def routes(aws: Embedded, table: str, **filters: str) -> list[tuple[str, str]]:
    """The routes of a transit gateway's table that pass the filters."""
    asked = [{"Name": key.replace("__", ".").replace("_", "-"), "Values": [v]} for key, v in filters.items()]
    found = aws.client("ec2").search_transit_gateway_routes(TransitGatewayRouteTableId=table, Filters=asked)
    return [(one["DestinationCidrBlock"], one["Type"]) for one in found["Routes"]]


@pytest.mark.parametrize(
    ("filters", "there"),
    [
        ({"type": "propagated"}, True),
        ({"type": "static"}, False),
        ({"state": "active"}, True),
        ({"route_search__exact_match": "10.17.0.0/16"}, True),
        ({"route_search__exact_match": "10.17.0.0/24"}, False),
        ({"route_search__longest_prefix_match": "10.17.3.0/24"}, True),
        ({"route_search__subnet_of_match": "10.0.0.0/8"}, True),
        ({"route_search__supernet_of_match": "10.0.0.0/8"}, False),
        ({"attachment__resource_type": "vpc"}, True),
        ({"attachment__resource_type": "vpn"}, False),
    ],
)
def test_what_is_propagated_is_a_route(
    aws: Embedded, transit: dict[str, Any], filters: dict[str, str], there: bool
) -> None:
    assert routes(aws, transit["table"], **filters) == ([("10.17.0.0/16", "propagated")] if there else [])


def test_a_static_route_wins_over_a_propagated_one_that_ends_with_its_propagation(
    aws: Embedded, transit: dict[str, Any]
) -> None:
    ec2, table = aws.client("ec2"), transit["table"]
    ec2.create_transit_gateway_route(
        DestinationCidrBlock="10.17.0.0/16", TransitGatewayRouteTableId=table,
        TransitGatewayAttachmentId=transit["attachments"][0],
    )  # fmt: skip
    assert routes(aws, table, state="active") == [("10.17.0.0/16", "static")]
    ec2.delete_transit_gateway_route(DestinationCidrBlock="10.17.0.0/16", TransitGatewayRouteTableId=table)
    ec2.disable_transit_gateway_route_table_propagation(**transit["named"])
    assert routes(aws, table, type="propagated") == []
    ec2.enable_transit_gateway_route_table_propagation(**transit["named"])


def test_a_route_to_a_transit_gateway_works_while_the_vpc_is_attached(
    aws: Embedded, transit: dict[str, Any]
) -> None:
    ec2 = aws.client("ec2")
    _, _, table = transit["places"][0]
    target = {"TransitGatewayId": transit["gateway"]}
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.17.0.0/16", **target)
    assert states(aws, table) == {"10.17.0.0/16": "active"}
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=transit["attachments"][0])
    assert states(aws, table) == {"10.17.0.0/16": "blackhole"}


@pytest.mark.parametrize(
    ("service", "host", "private"),
    [
        ("secretsmanager", "secretsmanager", "secretsmanager"),
        ("ecr.api", "api.ecr", "api.ecr"),
        ("ecr.dkr", "dkr.ecr", "*.dkr.ecr"),
    ],
)
def test_an_endpoint_has_a_name_for_itself_each_zone_and_the_service(
    aws: Embedded, service: str, host: str, private: str
) -> None:
    ec2, region = aws.client("ec2"), aws.facts.region
    made, subnet, _ = vpc(aws, "10.18.0.0/16", names=True)
    endpoint = ec2.create_vpc_endpoint(
        VpcId=made, VpcEndpointType="Interface", ServiceName=f"com.amazonaws.{region}.{service}",
        SubnetIds=[subnet], PrivateDnsEnabled=True,
    )["VpcEndpoint"]  # fmt: skip
    own, zonal, public = (one["DnsName"] for one in endpoint["DnsEntries"])
    mark = own.removeprefix(f"{endpoint['VpcEndpointId']}-").partition(".")[0]
    (place,) = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
    tail = f"{host}.{region}.vpce.amazonaws.com"
    assert own == f"{endpoint['VpcEndpointId']}-{mark}.{tail}"
    assert zonal == f"{endpoint['VpcEndpointId']}-{mark}-{place['AvailabilityZone']}.{tail}"
    assert public == f"{private}.{region}.amazonaws.com"
    assert [one["GroupName"] for one in endpoint["Groups"]] == ["default"]


def test_private_names_need_a_vpc_with_names_and_no_other_endpoint(aws: Embedded) -> None:
    ec2 = aws.client("ec2")
    asked = {"VpcEndpointType": "Interface", "ServiceName": f"com.amazonaws.{aws.facts.region}.kms"}
    plain, _, _ = vpc(aws, "10.19.0.0/16")
    with pytest.raises(ClientError, match="requires both enableDnsSupport and enableDnsHostnames"):
        ec2.create_vpc_endpoint(VpcId=plain, PrivateDnsEnabled=True, **asked)
    named, _, _ = vpc(aws, "10.20.0.0/16", names=True)
    ec2.create_vpc_endpoint(VpcId=named, PrivateDnsEnabled=True, **asked)
    with pytest.raises(ClientError, match="already a conflicting DNS domain for kms"):
        ec2.create_vpc_endpoint(VpcId=named, PrivateDnsEnabled=True, **asked)
    ec2.create_vpc_endpoint(VpcId=named, PrivateDnsEnabled=False, **asked)


def test_an_endpoint_without_a_type_is_a_gateway(aws: Embedded) -> None:
    ec2 = aws.client("ec2")
    made, _, table = vpc(aws, "10.21.0.0/16")
    service = f"com.amazonaws.{aws.facts.region}.s3"
    endpoint = ec2.create_vpc_endpoint(VpcId=made, ServiceName=service, RouteTableIds=[table])["VpcEndpoint"]
    assert endpoint["VpcEndpointType"] == "Gateway" and not endpoint.get("DnsEntries")
