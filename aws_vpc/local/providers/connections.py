"""What joins networks: endpoints, peering, transit gateways, extra CIDR blocks, flow logs."""

from collections.abc import Callable, Mapping
from typing import Any

from aws_vpc.local.providers import ec2
from aws_vpc.local.providers.call import call, gone_is_done, pick, property_names
from aws_vpc.local.providers.ec2 import Description, Noun
from aws_vpc.local.providers.network import one
from aws_vpc.local.providers.resource import Provider, ResourceFailed, ResourceRequest, ResourceState

ENDPOINT = Noun("vpc_endpoint", "VpcEndpoint", many=True)
PEERING = Noun("vpc_peering_connection", "VpcPeeringConnection")
GATEWAY = Noun("transit_gateway", "TransitGateway")
ATTACHMENT = Noun(
    "transit_gateway_vpc_attachment",
    "TransitGatewayVpcAttachment",
    "TransitGatewayAttachmentId",
    tag="transit-gateway-attachment",
)
GATEWAY_TABLE = Noun("transit_gateway_route_table", "TransitGatewayRouteTable")
FLOW_LOG = Noun("flow_log", "FlowLog", tag="vpc-flow-log", many=True)


def difference(request: ResourceRequest, key: str) -> dict[str, list[str] | None]:
    """The Add- and Remove- parameters that take the listed ids from before to after."""
    before, after = (request.previous or {}).get(key) or [], request.properties.get(key) or []
    return {
        f"Add{key}": [id for id in after if id not in before] or None,
        f"Remove{key}": [id for id in before if id not in after] or None,
    }


def settle_endpoint(request: ResourceRequest, id: str) -> None:
    """Nothing; policy, tables, subnets, groups and private DNS are as stated."""
    members = ("RouteTableIds", "SubnetIds", "SecurityGroupIds")
    plain = ("PolicyDocument", "PrivateDnsEnabled", "IpAddressType", "DnsOptions")
    if request.previous is None or not request.changed(*members, *plain):
        return
    given: dict[str, Any] = {"VpcEndpointId": id}
    for key in members:
        given |= difference(request, key)
    given |= {
        key: request.properties[key] for key in plain if request.changed(key) and key in request.properties
    }
    if request.changed("PolicyDocument") and "PolicyDocument" not in request.properties:
        given["ResetPolicy"] = True
    call(request.client("ec2"), "modify_vpc_endpoint", given)
    move_routes(request, id)


def move_routes(request: ResourceRequest, id: str) -> None:
    """Nothing; the tables of a gateway endpoint have its route, which moto makes at creation only."""
    client, moved = request.client("ec2"), difference(request, "RouteTableIds")
    before = (request.previous or {}).get("RouteTableIds") or []
    found = [
        route for table in before for route in table_routes(request, table) if route.get("GatewayId") == id
    ]
    if not found:
        return
    destination = found[0]["DestinationPrefixListId"]
    for table in moved["AddRouteTableIds"] or []:
        with gone_is_done("RouteAlreadyExists"):
            client.create_route(RouteTableId=table, DestinationPrefixListId=destination, GatewayId=id)
    for table in moved["RemoveRouteTableIds"] or []:
        with gone_is_done():
            client.delete_route(RouteTableId=table, DestinationPrefixListId=destination)


def table_routes(request: ResourceRequest, table: str) -> list[Description]:
    """The routes of the table; none when it is gone."""
    found = one(request, "describe_route_tables", "RouteTables", route_table_id=table)
    return list(found.get("Routes", []))


def endpoint_attributes(request: ResourceRequest, endpoint: Description) -> Description:
    """The DNS entries as `zone:name`, the interfaces and the time of creation."""
    entries = [
        f"{entry.get('HostedZoneId', '')}:{entry['DnsName']}" for entry in endpoint.get("DnsEntries", [])
    ]
    created = endpoint.get("CreationTimestamp")
    return {"DnsEntries": entries, "CreationTimestamp": created.isoformat() if created else None}


def settle_peering(request: ResourceRequest, id: str) -> None:
    """Nothing; the connection is accepted where CloudFormation may do that: in this account and Region."""
    owner = request.properties.get("PeerOwnerId", request.account)
    region = request.properties.get("PeerRegion", request.region)
    if request.previous is None and (str(owner), region) == (request.account, request.region):
        request.client("ec2").accept_vpc_peering_connection(VpcPeeringConnectionId=id)


GATEWAY_OPTIONS = (
    "AmazonSideAsn AutoAcceptSharedAttachments DefaultRouteTableAssociation DefaultRouteTablePropagation "
    "DnsSupport MulticastSupport SecurityGroupReferencingSupport TransitGatewayCidrBlocks VpnEcmpSupport"
)
LATER_OPTIONS = "AssociationDefaultRouteTableId PropagationDefaultRouteTableId"


def make_gateway(request: ResourceRequest, noun: Noun, given: Mapping[str, Any]) -> str:
    """The id of the new transit gateway; the properties are options of the API."""
    options = pick(request.properties, GATEWAY_OPTIONS)
    return ec2.create(request, noun, {"Description": "", **given, "Options": options or None})


def settle_gateway(request: ResourceRequest, id: str) -> None:
    """Nothing; description and options are as stated."""
    names = f"{GATEWAY_OPTIONS} {LATER_OPTIONS}".split()
    updated = request.previous is not None and request.changed("Description", *names)
    if updated or any(key in request.properties for key in LATER_OPTIONS.split()):
        changed = [key for key in names if request.changed(key) and key != "TransitGatewayCidrBlocks"]
        options = pick(request.properties, " ".join(changed))
        if request.changed("TransitGatewayCidrBlocks"):
            blocks = difference(request, "TransitGatewayCidrBlocks")
            options |= {key: value for key, value in blocks.items() if value}
        given = {"TransitGatewayId": id, "Options": options or None}
        call(request.client("ec2"), "modify_transit_gateway", given | pick(request.properties, "Description"))


def gateway_attributes(request: ResourceRequest, gateway: Description) -> Description:
    """The default route tables, which EC2 lists among the options."""
    options = gateway.get("Options", {})
    return {key: options.get(key) for key in LATER_OPTIONS.split()}


def settle_attachment(request: ResourceRequest, id: str) -> None:
    """Nothing; the attachment has the subnets and options stated."""
    if request.previous is None or not request.changed(
        "SubnetIds", "Options", "AddSubnetIds", "RemoveSubnetIds"
    ):
        return
    given = {"TransitGatewayAttachmentId": id, **difference(request, "SubnetIds")}
    given |= pick(request.properties, "Options AddSubnetIds RemoveSubnetIds")
    call(request.client("ec2"), "modify_transit_gateway_vpc_attachment", given)


GATEWAY_ROUTE = "TransitGatewayRouteTableId DestinationCidrBlock"
JOINED = "TransitGatewayRouteTableId TransitGatewayAttachmentId"


def routes(request: ResourceRequest) -> list[Any]:
    """The route of a transit gateway route table to the destination."""
    by = [{"Name": "route-search.exact-match", "Values": [request.properties["DestinationCidrBlock"]]}]
    table = request.properties["TransitGatewayRouteTableId"]
    answer = request.client("ec2").search_transit_gateway_routes(TransitGatewayRouteTableId=table, Filters=by)
    return list(answer["Routes"])


def related(kind: str, key: str) -> Callable[[ResourceRequest], list[Any]]:
    """A look for the attachments that a transit gateway route table has under the key."""

    def look(request: ResourceRequest) -> list[Any]:
        table = request.properties["TransitGatewayRouteTableId"]
        operation = f"get_transit_gateway_route_table_{kind}"
        answer = call(request.client("ec2"), operation, {"TransitGatewayRouteTableId": table})
        wanted = request.properties["TransitGatewayAttachmentId"]
        return [entry for entry in answer[key] if entry["TransitGatewayAttachmentId"] == wanted]

    return look


def joined(type: str, make: str, undo: str, key: str, given: str, look: Callable[..., list[Any]]) -> Provider:
    """The provider of a type that is one call to make and one to undo, named by its key properties."""

    def create_it(request: ResourceRequest) -> ResourceState:
        call(request.client("ec2"), make, pick(request.properties, given))
        return ResourceState("|".join(str(request.properties[part]) for part in key.split()))

    def delete_it(request: ResourceRequest) -> None:
        with gone_is_done():
            if look(request):
                call(request.client("ec2"), undo, pick(request.properties, key))

    return Provider(type, property_names(given), create_it, delete_it)


def associated(type: str, noun: str, given: str) -> Provider:
    """The provider of an additional CIDR block of a VPC or subnet, named by its association."""

    def create_it(request: ResourceRequest) -> ResourceState:
        answer = call(request.client("ec2"), f"associate_{noun}_cidr_block", pick(request.properties, given))
        made = answer.get("CidrBlockAssociation") or answer["Ipv6CidrBlockAssociation"]
        return ResourceState(made["AssociationId"], {"Id": made["AssociationId"]})

    def delete_it(request: ResourceRequest) -> None:
        with gone_is_done():
            call(request.client("ec2"), f"disassociate_{noun}_cidr_block", {"AssociationId": request.id})

    return Provider(type, property_names(given), create_it, delete_it)


def make_flow_log(request: ResourceRequest, noun: Noun, given: Mapping[str, Any]) -> str:
    """The id of the new flow log; the reason is raised when EC2 made none."""
    tagged = ec2.tag_specification(request, noun.kind) or None
    answer = call(request.client("ec2"), "create_flow_logs", {**given, "TagSpecifications": tagged})
    for refused in answer.get("Unsuccessful", []):
        raise ResourceFailed(f"{refused['Error']['Message']} ({refused['Error']['Code']})")
    return str(answer["FlowLogIds"][0])


ATTACHMENT_PROPERTIES = "TransitGatewayId VpcId SubnetIds Options"

PROVIDERS = (
    ec2.resource(
        "AWS::EC2::VPCEndpoint",
        ENDPOINT,
        "VpcId ServiceName VpcEndpointType PolicyDocument RouteTableIds SubnetIds SecurityGroupIds "
        "PrivateDnsEnabled IpAddressType DnsOptions",
        settle=settle_endpoint,
        more=endpoint_attributes,
        defaults={"VpcEndpointType": "Gateway"},
        ignored={"ServiceRegion": "the embedded AWS is one Region"},
    ),
    ec2.resource(
        "AWS::EC2::VPCPeeringConnection",
        PEERING,
        "VpcId PeerVpcId PeerOwnerId PeerRegion",
        settle=settle_peering,
        ignored={
            "PeerRoleArn": "the far account is not here, so nobody can be asked to accept",
            "AssumeRoleRegion": "the far account is not here, so nobody can be asked to accept",
        },
    ),
    ec2.resource(
        "AWS::EC2::TransitGateway",
        GATEWAY,
        "Description",
        make=make_gateway,
        set_later=f"{GATEWAY_OPTIONS} {LATER_OPTIONS}",
        settle=settle_gateway,
        more=gateway_attributes,
        ignored={"EncryptionSupport": "no traffic runs through the gateway"},
    ),
    ec2.resource(
        "AWS::EC2::TransitGatewayAttachment", ATTACHMENT, ATTACHMENT_PROPERTIES, settle=settle_attachment
    ),
    ec2.resource(
        "AWS::EC2::TransitGatewayVpcAttachment",
        ATTACHMENT,
        ATTACHMENT_PROPERTIES,
        set_later="AddSubnetIds RemoveSubnetIds",
        settle=settle_attachment,
    ),
    ec2.resource("AWS::EC2::TransitGatewayRouteTable", GATEWAY_TABLE, "TransitGatewayId"),
    joined(
        "AWS::EC2::TransitGatewayRoute",
        "create_transit_gateway_route",
        "delete_transit_gateway_route",
        GATEWAY_ROUTE,
        f"{GATEWAY_ROUTE} TransitGatewayAttachmentId Blackhole",
        routes,
    ),
    joined(
        "AWS::EC2::TransitGatewayRouteTableAssociation",
        "associate_transit_gateway_route_table",
        "disassociate_transit_gateway_route_table",
        JOINED,
        JOINED,
        related("associations", "Associations"),
    ),
    joined(
        "AWS::EC2::TransitGatewayRouteTablePropagation",
        "enable_transit_gateway_route_table_propagation",
        "disable_transit_gateway_route_table_propagation",
        JOINED,
        JOINED,
        related("propagations", "TransitGatewayRouteTablePropagations"),
    ),
    associated(
        "AWS::EC2::VPCCidrBlock",
        "vpc",
        "VpcId CidrBlock AmazonProvidedIpv6CidrBlock Ipv6CidrBlock Ipv6Pool Ipv6CidrBlockNetworkBorderGroup",
    ),
    associated("AWS::EC2::SubnetCidrBlock", "subnet", "SubnetId Ipv6CidrBlock"),
    ec2.resource(
        "AWS::EC2::FlowLog",
        FLOW_LOG,
        "ResourceIds=ResourceId ResourceType TrafficType LogDestination LogDestinationType LogGroupName "
        "LogFormat MaxAggregationInterval DeliverLogsPermissionArn DeliverCrossAccountRole "
        "DestinationOptions",
        make=make_flow_log,
    ),
)
