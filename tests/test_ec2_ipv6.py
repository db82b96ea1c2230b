"""IPv6 of the embedded EC2: blocks, addresses, the rules that come with a block, and what is refused."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from embedded import Embedded
from ipv6_bench import WORLD, Dual, aws, refused

__all__ = ["aws"]


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
