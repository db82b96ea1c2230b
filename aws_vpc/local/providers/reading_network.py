"""How the parts of a network stand now, for drift detection: what EC2's description names another way."""

from typing import Any

from aws_vpc.local.providers import ec2, network, security
from aws_vpc.local.providers.call import pick
from aws_vpc.local.providers.resource import ResourceRequest

Description = dict[str, Any]


def vpc(request: ResourceRequest) -> Description | None:
    """The VPC with its DNS attributes, which EC2 describes one by one."""
    found = ec2.describe(request, network.VPC, request.id)
    if found is None:
        return None
    client = request.client("ec2")
    for key, word in (("EnableDnsSupport", "enableDnsSupport"), ("EnableDnsHostnames", "enableDnsHostnames")):
        found[key] = client.describe_vpc_attribute(VpcId=request.id, Attribute=word)[key]["Value"]
    return found


def group(request: ResourceRequest) -> Description | None:
    """The security group with its rules as the template writes them."""
    found = ec2.describe(request, security.GROUP, request.id)
    if found is None:
        return None
    return {
        **found,
        "GroupDescription": found["Description"],
        "SecurityGroupIngress": rules(found["IpPermissions"], "Source"),
        "SecurityGroupEgress": rules(found["IpPermissionsEgress"], "Destination"),
    }


def rules(permissions: list[Description], side: str) -> list[Description]:
    """One flat rule for every peer of the permissions; `side` is Source or Destination."""
    peers = {
        "IpRanges": (("CidrIp", "CidrIp"),),
        "Ipv6Ranges": (("CidrIpv6", "CidrIpv6"),),
        "PrefixListIds": ((f"{side}PrefixListId", "PrefixListId"),),
        "UserIdGroupPairs": ((f"{side}SecurityGroupId", "GroupId"),),
    }
    return [
        {
            **pick(permission, "IpProtocol FromPort ToPort"),
            **{name: peer[member] for name, member in members if peer.get(member)},
            **pick(peer, "Description"),
        }
        for permission in permissions
        for kind, members in peers.items()
        for peer in permission.get(kind, [])
    ]


def rule(request: ResourceRequest) -> Description | None:
    """The one rule of the group that the resource is; its description may be another."""
    id = security.rule_group(request, request.properties)
    found = ec2.describe(request, security.GROUP, id)
    ingress = security.rule_way(request) == "ingress"
    stated = {k: str(v) for k, v in request.properties.items() if k in RULE_IDENTITY}
    listed = (found or {}).get("IpPermissions" if ingress else "IpPermissionsEgress", [])
    for one in rules(listed, "Source" if ingress else "Destination"):
        if {key: str(value) for key, value in one.items() if key in RULE_IDENTITY} == stated:
            return {**one, "GroupId": id}
    return None


RULE_IDENTITY = (
    "IpProtocol", "FromPort", "ToPort", "CidrIp", "CidrIpv6", "SourcePrefixListId", "SourceSecurityGroupId",
    "DestinationPrefixListId", "DestinationSecurityGroupId",
)  # fmt: skip


def acl_entry(request: ResourceRequest) -> Description | None:
    """The numbered entry of the network ACL."""
    stated = request.properties
    found = ec2.describe(request, security.ACL, stated["NetworkAclId"]) or {}
    egress = str(stated.get("Egress", False)).lower() == "true"
    for entry in found.get("Entries", []):
        if (str(entry["RuleNumber"]), entry["Egress"]) == (str(stated["RuleNumber"]), egress):
            return {**entry, "Icmp": entry.get("IcmpTypeCode")}
    return None


def route(request: ResourceRequest) -> Description | None:
    """The route of the table to the destination."""
    stated = request.properties
    found = ec2.describe(request, network.ROUTE_TABLE, stated["RouteTableId"]) or {}
    wanted = {stated.get(key) for key in network.DESTINATIONS} - {None}
    for entry in found.get("Routes", []):
        if {entry.get(key) for key in network.DESTINATIONS} & wanted:
            target = entry.get("GatewayId", "")
            return {**entry, **({"VpcEndpointId": target} if target.startswith("vpce-") else {})}
    return None


def table_association(request: ResourceRequest) -> Description | None:
    """The association of the subnet with its route table."""
    given = {"association__route_table_association_id": request.id}
    found = network.one(request, "describe_route_tables", "RouteTables", **given)
    joined = [one for one in found.get("Associations", []) if one["RouteTableAssociationId"] == request.id]
    return dict(joined[0]) if joined else None


def acl_association(request: ResourceRequest) -> Description | None:
    """The subnet with the network ACL that it is under."""
    subnet = request.properties["SubnetId"]
    found = network.one(request, "describe_network_acls", "NetworkAcls", association__subnet_id=subnet)
    return {"SubnetId": subnet, "NetworkAclId": found["NetworkAclId"]} if found else None


def gateway_attachment(request: ResourceRequest) -> Description | None:
    """The gateway with the VPC that it is attached to."""
    id = request.properties.get("InternetGatewayId")
    if not id:
        return dict(request.properties)
    found = ec2.describe(request, network.INTERNET_GATEWAY, id) or {}
    vpcs = [one["VpcId"] for one in found.get("Attachments", [])]
    return {"InternetGatewayId": id, "VpcId": vpcs[0]} if vpcs else None


def vpc_block(request: ResourceRequest) -> Description | None:
    """The block that is associated with the VPC."""
    found = ec2.describe(request, network.VPC, request.properties["VpcId"]) or {}
    for kind in ("CidrBlockAssociationSet", "Ipv6CidrBlockAssociationSet"):
        for entry in found.get(kind, ()):
            if entry["AssociationId"] == request.id:
                shown = pick(entry, "CidrBlock") or {"AmazonProvidedIpv6CidrBlock": True}
                return {**shown, "VpcId": found["VpcId"]}
    return None


def subnet_block(request: ResourceRequest) -> Description | None:
    """The block that is associated with the subnet."""
    found = ec2.describe(request, network.SUBNET, request.properties["SubnetId"]) or {}
    for entry in found.get("Ipv6CidrBlockAssociationSet", ()):
        if entry["AssociationId"] == request.id:
            return pick(entry, "Ipv6CidrBlock") | {"SubnetId": found["SubnetId"]}
    return None


def instance(request: ResourceRequest) -> Description | None:
    """The instance; one that is terminated is gone."""
    answer = request.client("ec2").describe_instances(InstanceIds=[request.id])
    found = [one for entry in answer["Reservations"] for one in entry["Instances"]]
    if not found or found[0]["State"]["Name"] in ("terminated", "shutting-down"):
        return None
    groups = [entry["GroupId"] for entry in found[0].get("SecurityGroups", [])]
    return {**found[0], "SecurityGroupIds": groups, "Monitoring": None}


def address(request: ResourceRequest) -> Description | None:
    """The elastic address."""
    found = request.client("ec2").describe_addresses(AllocationIds=[request.attributes["AllocationId"]])
    return dict(found["Addresses"][0]) if found["Addresses"] else None


READERS = {
    "AWS::EC2::EIP": address,
    "AWS::EC2::Instance": instance,
    "AWS::EC2::NetworkAclEntry": acl_entry,
    "AWS::EC2::Route": route,
    "AWS::EC2::SecurityGroup": group,
    "AWS::EC2::SecurityGroupEgress": rule,
    "AWS::EC2::SecurityGroupIngress": rule,
    "AWS::EC2::SubnetCidrBlock": subnet_block,
    "AWS::EC2::SubnetNetworkAclAssociation": acl_association,
    "AWS::EC2::SubnetRouteTableAssociation": table_association,
    "AWS::EC2::VPC": vpc,
    "AWS::EC2::VPCCidrBlock": vpc_block,
    "AWS::EC2::VPCGatewayAttachment": gateway_attachment,
}
