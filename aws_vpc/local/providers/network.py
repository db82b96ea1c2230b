"""VPCs, subnets, gateways, addresses, route tables and routes."""

from typing import Any

from aws_vpc.local.providers import ec2
from aws_vpc.local.providers.call import call, gone_is_done, pick, truth
from aws_vpc.local.providers.ec2 import Description, Noun
from aws_vpc.local.providers.resource import Late, NotUpdatable, Provider, ResourceRequest, ResourceState

VPC = Noun("vpc", "Vpc")
SUBNET = Noun("subnet", "Subnet")
INTERNET_GATEWAY = Noun("internet_gateway", "InternetGateway")
EGRESS_ONLY = Noun("egress_only_internet_gateway", "EgressOnlyInternetGateway")
ROUTE_TABLE = Noun("route_table", "RouteTable")
NAT_GATEWAY = Noun("nat_gateway", "NatGateway", tag="natgateway")
IPAM = "the embedded AWS has no IP Address Manager"


def one(request: ResourceRequest, operation: str, key: str, **filters: str) -> Description:
    """The first thing that the describe operation finds by the filters; empty when there is none."""
    by = [
        {"Name": name.replace("__", ".").replace("_", "-"), "Values": [value]}
        for name, value in filters.items()
    ]
    found = call(request.client("ec2"), operation, {"Filters": by})[key]
    return dict(found[0]) if found else {}


def settle_vpc(request: ResourceRequest, id: str) -> None:
    """Nothing; the DNS attributes are as stated, one call each as the API wants it."""
    for key in ("EnableDnsSupport", "EnableDnsHostnames"):
        if request.changed(key):
            default = key == "EnableDnsSupport"
            value = truth(request.properties.get(key, default))
            request.client("ec2").modify_vpc_attribute(VpcId=id, **{key: {"Value": value}})
    if request.previous and request.changed("InstanceTenancy"):
        if request.properties.get("InstanceTenancy") != "default":
            raise NotUpdatable(f"the tenancy of {id} can only be changed to default")
        request.client("ec2").modify_vpc_tenancy(VpcId=id, InstanceTenancy="default")


def vpc_attributes(request: ResourceRequest, vpc: Description) -> Description:
    """The default group and ACL that came with the VPC, and its CIDR blocks."""
    id = vpc["VpcId"]
    group = one(request, "describe_security_groups", "SecurityGroups", vpc_id=id, group_name="default")
    acl = one(request, "describe_network_acls", "NetworkAcls", vpc_id=id, default="true")
    return {
        "DefaultSecurityGroup": group.get("GroupId"),
        "DefaultNetworkAcl": acl.get("NetworkAclId"),
        "CidrBlockAssociations": [entry["AssociationId"] for entry in vpc["CidrBlockAssociationSet"]],
        "Ipv6CidrBlocks": ipv6_blocks(vpc),
    }


def ipv6_blocks(description: Description) -> list[str]:
    """The IPv6 blocks that a VPC or subnet has now."""
    return [entry["Ipv6CidrBlock"] for entry in description.get("Ipv6CidrBlockAssociationSet", ())]


def vpc_blocks(client: Any, id: str) -> list[str]:
    """The IPv6 blocks of the VPC, which are associated after it is made."""
    return ipv6_blocks(client("ec2").describe_vpcs(VpcIds=[id])["Vpcs"][0])


def subnet_blocks(client: Any, id: str) -> list[str]:
    """The IPv6 blocks of the subnet, which may be associated after it is made."""
    return ipv6_blocks(client("ec2").describe_subnets(SubnetIds=[id])["Subnets"][0])


def settle_subnet(request: ResourceRequest, id: str) -> None:
    """Nothing; its IPv6 block, and what modify-subnet-attribute sets, are as stated, one call each."""
    client = request.client("ec2")
    moved = request.previous is not None and request.changed("Ipv6CidrBlock")
    if moved:
        leave_block(request, id)
    if moved and "Ipv6CidrBlock" in request.properties:
        given = {"SubnetId": id, **pick(request.properties, "Ipv6CidrBlock")}
        call(client, "associate_subnet_cidr_block", given)
    for key in ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64"):
        if request.changed(key) or (moved and key in request.properties):
            value = truth(request.properties.get(key, False))
            call(client, "modify_subnet_attribute", {"SubnetId": id, key: {"Value": value}})
    options = request.properties.get("PrivateDnsNameOptionsOnLaunch") or {}
    if request.changed("PrivateDnsNameOptionsOnLaunch") and "HostnameType" in options:
        hostname = {"PrivateDnsHostnameTypeOnLaunch": options["HostnameType"]}
        call(client, "modify_subnet_attribute", {"SubnetId": id, **hostname})


def leave_block(request: ResourceRequest, id: str) -> None:
    """Nothing; the subnet has no IPv6 block, and gives no addresses of one."""
    client = request.client("ec2")
    found = ec2.describe(request, SUBNET, id) or {}
    if found.get("AssignIpv6AddressOnCreation"):
        client.modify_subnet_attribute(SubnetId=id, AssignIpv6AddressOnCreation={"Value": False})
    for entry in found.get("Ipv6CidrBlockAssociationSet", ()):
        client.disassociate_subnet_cidr_block(AssociationId=entry["AssociationId"])


def subnet_attributes(request: ResourceRequest, subnet: Description) -> Description:
    """The subnet's IPv6 blocks and the association with its network ACL."""
    acl = one(request, "describe_network_acls", "NetworkAcls", association__subnet_id=subnet["SubnetId"])
    joined = [entry for entry in acl.get("Associations", []) if entry["SubnetId"] == subnet["SubnetId"]]
    return {
        "NetworkAclAssociationId": joined[0]["NetworkAclAssociationId"] if joined else None,
        "Ipv6CidrBlocks": ipv6_blocks(subnet),
        "BlockPublicAccessStates": subnet.get("BlockPublicAccessStates", {}),
    }


def attach_gateway(request: ResourceRequest) -> ResourceState:
    """The attachment of an internet or VPN gateway to the VPC, named as CloudFormation names it."""
    client, vpc = request.client("ec2"), request.properties["VpcId"]
    if gateway := request.properties.get("InternetGatewayId"):
        client.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        return ResourceState(f"IGW|{vpc}", {"AttachmentType": "IGW"})
    client.attach_vpn_gateway(VpnGatewayId=request.properties["VpnGatewayId"], VpcId=vpc)
    return ResourceState(f"VGW|{vpc}", {"AttachmentType": "VGW"})


def detach_gateway(request: ResourceRequest) -> None:
    """Nothing; the gateway is detached from the VPC."""
    detach(request, request.properties)


def detach(request: ResourceRequest, properties: dict[str, Any]) -> None:
    """Nothing; the gateway that the properties name is detached."""
    client, vpc = request.client("ec2"), properties["VpcId"]
    with gone_is_done("Gateway.NotAttached"):
        if gateway := properties.get("InternetGatewayId"):
            client.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        else:
            client.detach_vpn_gateway(VpnGatewayId=properties["VpnGatewayId"], VpcId=vpc)


def exchange_gateway(request: ResourceRequest) -> ResourceState:
    """The attachment of the other gateway, in the place of the one before."""
    if request.previous and request.changed("InternetGatewayId", "VpnGatewayId"):
        detach(request, request.previous)
        return attach_gateway(request)
    return ResourceState(request.id, request.attributes)


def settle_nat(request: ResourceRequest, id: str) -> None:
    """Nothing; changed secondary addresses are not known to the API behind, so they replace the gateway."""
    if request.previous and request.changed("SecondaryAllocationIds", "SecondaryPrivateIpAddressCount"):
        raise NotUpdatable(f"secondary addresses of {id} change with a new gateway only")


def nat_attributes(request: ResourceRequest, gateway: Description) -> Description:
    """The interface that the gateway has in its subnet."""
    addresses = gateway.get("NatGatewayAddresses") or [{}]
    return {"EniId": addresses[0].get("NetworkInterfaceId")}


def clear_nat(request: ResourceRequest, id: str) -> None:
    """Nothing; the gateway's interface is gone, which moto would leave in the subnet."""
    interface = nat_attributes(request, ec2.describe(request, NAT_GATEWAY, id) or {})["EniId"]
    if interface:
        client = request.client("ec2")
        with gone_is_done():
            found = client.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
            if not found[0]["RequesterManaged"]:
                client.delete_network_interface(NetworkInterfaceId=interface)


def associate(request: ResourceRequest) -> ResourceState:
    """The association of the route table with the subnet."""
    given = pick(request.properties, "RouteTableId SubnetId GatewayId")
    made = call(request.client("ec2"), "associate_route_table", given)["AssociationId"]
    return ResourceState(made, {"Id": made})


def disassociate(request: ResourceRequest) -> None:
    """Nothing; the subnet is back at the main route table."""
    with gone_is_done():
        request.client("ec2").disassociate_route_table(AssociationId=request.id)


DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
TARGETS = (
    "CarrierGatewayId CoreNetworkArn EgressOnlyInternetGatewayId GatewayId InstanceId LocalGatewayId "
    "NatGatewayId NetworkInterfaceId TransitGatewayId VpcEndpointId VpcPeeringConnectionId"
)


def create_route(request: ResourceRequest) -> ResourceState:
    """The new route, named by its table and destination."""
    given = pick(request.properties, f"RouteTableId {' '.join(DESTINATIONS)} {TARGETS}")
    call(request.client("ec2"), "create_route", given)
    return route_state(request)


def replace_route(request: ResourceRequest) -> ResourceState:
    """The route with its new target."""
    if request.changed(*TARGETS.split()):
        given = pick(request.properties, f"RouteTableId {' '.join(DESTINATIONS)} {TARGETS}")
        call(request.client("ec2"), "replace_route", given)
    return route_state(request)


def route_state(request: ResourceRequest) -> ResourceState:
    """The route's name, `table|destination`, and its destination."""
    destination = next(request.properties[key] for key in DESTINATIONS if request.properties.get(key))
    table = request.properties["RouteTableId"]
    return ResourceState(f"{table}|{destination}", {"CidrBlock": destination})


def delete_route(request: ResourceRequest) -> None:
    """Nothing; the table has no route to the destination."""
    with gone_is_done():
        given = pick(request.properties, f"RouteTableId {' '.join(DESTINATIONS)}")
        call(request.client("ec2"), "delete_route", given)


PROVIDERS = (
    ec2.resource(
        "AWS::EC2::VPC",
        VPC,
        "CidrBlock InstanceTenancy",
        set_later="EnableDnsSupport EnableDnsHostnames",
        settle=settle_vpc,
        more=vpc_attributes,
        late={"Ipv6CidrBlocks": Late(vpc_blocks, "AWS::EC2::VPCCidrBlock")},
        ignored={"Ipv4IpamPoolId": IPAM, "Ipv4NetmaskLength": IPAM},
    ),
    ec2.resource(
        "AWS::EC2::Subnet",
        SUBNET,
        "VpcId CidrBlock AvailabilityZone AvailabilityZoneId Ipv6CidrBlock Ipv6Native",
        set_later="MapPublicIpOnLaunch AssignIpv6AddressOnCreation EnableDns64 PrivateDnsNameOptionsOnLaunch",
        settle=settle_subnet,
        more=subnet_attributes,
        late={"Ipv6CidrBlocks": Late(subnet_blocks, "AWS::EC2::SubnetCidrBlock")},
        ignored={"Ipv4IpamPoolId": IPAM, "Ipv4NetmaskLength": IPAM, "Ipv6IpamPoolId": IPAM},
    ),
    ec2.resource("AWS::EC2::InternetGateway", INTERNET_GATEWAY),
    ec2.resource("AWS::EC2::EgressOnlyInternetGateway", EGRESS_ONLY, "VpcId"),
    ec2.resource("AWS::EC2::RouteTable", ROUTE_TABLE, "VpcId"),
    ec2.resource(
        "AWS::EC2::NatGateway",
        NAT_GATEWAY,
        "SubnetId AllocationId ConnectivityType PrivateIpAddress VpcId AvailabilityMode "
        "AvailabilityZoneAddresses SecondaryAllocationIds SecondaryPrivateIpAddressCount "
        "SecondaryPrivateIpAddresses",
        settle=settle_nat,
        clear=clear_nat,
        more=nat_attributes,
        ignored={"MaxDrainDurationSeconds": "no connection runs through the gateway, so none is drained"},
    ),
    Provider(
        "AWS::EC2::VPCGatewayAttachment",
        frozenset({"VpcId", "InternetGatewayId", "VpnGatewayId"}),
        attach_gateway,
        detach_gateway,
        exchange_gateway,
    ),
    Provider(
        "AWS::EC2::SubnetRouteTableAssociation",
        frozenset({"SubnetId", "RouteTableId"}),
        associate,
        disassociate,
    ),
    Provider(
        "AWS::EC2::Route",
        frozenset({"RouteTableId", *DESTINATIONS, *TARGETS.split()}),
        create_route,
        delete_route,
        replace_route,
    ),
)
