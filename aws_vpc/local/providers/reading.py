"""How the resources of a type stand now, in the words of the template: what drift detection compares.

A reader answers the description that the service gives, None when the resource is not there. Types made
by `ec2.resource` and `named.resource` are read by their describe operation; READERS has the others, and
those whose properties the description names or nests in another way.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.local.providers import ec2, iam, network, security, storage
from aws_vpc.local.providers.call import absent, pick
from aws_vpc.local.providers.events import on_bus
from aws_vpc.local.providers.resource import Properties, ResourceRequest

Description = dict[str, Any]
Reader = Callable[[ResourceRequest], Description | None]


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


def role(request: ResourceRequest) -> Description:
    """The role with its inline and managed policies."""
    client, id = request.client("iam"), request.id
    found = iam.find_role(client, id)
    names = client.list_role_policies(RoleName=id)["PolicyNames"]
    documents = [client.get_role_policy(RoleName=id, PolicyName=name) for name in names]
    attached = client.list_attached_role_policies(RoleName=id)["AttachedPolicies"]
    return {
        **found,
        "PermissionsBoundary": found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "Policies": [pick(one, "PolicyName PolicyDocument") for one in documents],
        "ManagedPolicyArns": [one["PolicyArn"] for one in attached],
    }


def role_policy(request: ResourceRequest) -> Description:
    """The inline policy of the role."""
    given = pick(request.properties, "RoleName PolicyName")
    return dict(request.client("iam").get_role_policy(**given))


def profile(request: ResourceRequest) -> Description:
    """The instance profile with the names of its roles."""
    found = iam.find_profile(request.client("iam"), request.id)
    return {**found, "Roles": [one["RoleName"] for one in found["Roles"]]}


def bucket(request: ResourceRequest) -> Description:
    """The bucket with the settings that read back as they are written."""
    client, id = request.client("s3"), request.id
    storage.find_bucket(client, id)
    found: Description = {
        "BucketName": id,
        "VersioningConfiguration": client.get_bucket_versioning(Bucket=id),
    }
    for key, (operation, member) in BUCKET_SETTINGS.items():
        if key in request.properties:
            found[key] = setting(client, operation, id).get(member)
    if "BucketEncryption" in request.properties:
        found["BucketEncryption"] = encryption(setting(client, "get_bucket_encryption", id))
    if "Tags" in request.properties:
        found["Tags"] = setting(client, "get_bucket_tagging", id).get("TagSet", [])
    return found


BUCKET_SETTINGS = {
    "PublicAccessBlockConfiguration": ("get_public_access_block", "PublicAccessBlockConfiguration"),
    "OwnershipControls": ("get_bucket_ownership_controls", "OwnershipControls"),
}


def setting(client: Any, operation: str, bucket: str) -> Description:
    """One setting of the bucket; empty when the bucket has none."""
    try:
        return dict(getattr(client, operation)(Bucket=bucket))
    except ClientError as error:
        if absent(error) and error.response["Error"]["Code"] != "NoSuchBucket":
            return {}
        raise


def encryption(answer: Description) -> Description | None:
    """The default encryption under the names of the template."""
    stated = answer.get("ServerSideEncryptionConfiguration")
    renamed = {"ApplyServerSideEncryptionByDefault": "ServerSideEncryptionByDefault"}
    return stated and {
        "ServerSideEncryptionConfiguration": [
            {renamed.get(key, key): value for key, value in one.items()} for one in stated["Rules"]
        ]
    }


def bucket_policy(request: ResourceRequest) -> Description:
    """The policy of the bucket."""
    id = request.properties["Bucket"]
    return {"Bucket": id, "PolicyDocument": request.client("s3").get_bucket_policy(Bucket=id)["Policy"]}


def queue_policy(request: ResourceRequest) -> Description | None:
    """The policy of the queues, of which the first speaks for all."""
    queues = request.properties["Queues"]
    client = request.client("sqs")
    found = client.get_queue_attributes(QueueUrl=queues[0], AttributeNames=["Policy"]).get("Attributes", {})
    return {"Queues": queues, "PolicyDocument": found["Policy"]} if found.get("Policy") else None


def topic_policy(request: ResourceRequest) -> Description | None:
    """The policy of the topics, of which the first speaks for all."""
    topics = request.properties["Topics"]
    found = request.client("sns").get_topic_attributes(TopicArn=topics[0])["Attributes"]
    return {"Topics": topics, "PolicyDocument": found["Policy"]} if found.get("Policy") else None


def subscription(request: ResourceRequest) -> Description:
    """The subscription with its attributes."""
    return dict(request.client("sns").get_subscription_attributes(SubscriptionArn=request.id)["Attributes"])


def parameter(request: ResourceRequest) -> Description:
    """The parameter with its value, and what its metadata adds."""
    client, id = request.client("ssm"), request.id
    found = dict(client.get_parameter(Name=id, WithDecryption=True)["Parameter"])
    filters = [{"Key": "Name", "Option": "Equals", "Values": [id]}]
    listed = client.describe_parameters(ParameterFilters=filters)["Parameters"]
    tags = client.list_tags_for_resource(ResourceType="Parameter", ResourceId=id)["TagList"]
    more = pick(listed[0], "Description AllowedPattern Tier DataType") if listed else {}
    return {"Description": "", **more, **found, "Tags": tags}


def alarm(request: ResourceRequest) -> Description | None:
    """The alarm as CloudWatch has it."""
    found = request.client("cloudwatch").describe_alarms(AlarmNames=[request.id])["MetricAlarms"]
    return dict(found[0]) if found else None


def event_rule(request: ResourceRequest) -> Description:
    """The rule with its targets."""
    client, named = request.client("events"), on_bus(request)
    listed = client.list_targets_by_rule(Rule=named["Name"], EventBusName=named["EventBusName"])
    return {**client.describe_rule(**named), "Targets": listed["Targets"]}


def job_definition(request: ResourceRequest) -> Description | None:
    """The revision of the job definition, gone when it is not active any more."""
    listed = request.client("batch").describe_job_definitions(jobDefinitions=[request.id])["jobDefinitions"]
    if not listed or listed[0].get("status") != "ACTIVE":
        return None
    found = dict(listed[0])
    for entry in found.get("retryStrategy", {}).get("evaluateOnExit", []):
        entry["action"] = entry["action"].upper()
    return found


READERS: Mapping[str, Reader] = {
    "AWS::Batch::JobDefinition": job_definition,
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::EC2::EIP": address,
    "AWS::EC2::Instance": instance,
    "AWS::EC2::NetworkAclEntry": acl_entry,
    "AWS::EC2::Route": route,
    "AWS::EC2::SecurityGroup": group,
    "AWS::EC2::SecurityGroupEgress": rule,
    "AWS::EC2::SecurityGroupIngress": rule,
    "AWS::EC2::SubnetNetworkAclAssociation": acl_association,
    "AWS::EC2::SubnetRouteTableAssociation": table_association,
    "AWS::EC2::VPC": vpc,
    "AWS::EC2::VPCGatewayAttachment": gateway_attachment,
    "AWS::Events::Rule": event_rule,
    "AWS::IAM::InstanceProfile": profile,
    "AWS::IAM::Role": role,
    "AWS::IAM::RolePolicy": role_policy,
    "AWS::S3::Bucket": bucket,
    "AWS::S3::BucketPolicy": bucket_policy,
    "AWS::SNS::Subscription": subscription,
    "AWS::SNS::TopicPolicy": topic_policy,
    "AWS::SQS::QueuePolicy": queue_policy,
    "AWS::SSM::Parameter": parameter,
}


def respell(stated: Any, found: Any) -> Any:
    """What was found, spelled and nested as the stated value, without what that does not mention."""
    if isinstance(stated, Mapping):
        found = document(found)
        if not isinstance(found, Mapping):
            return found
        spelled = {key.lower(): key for key in found}
        known = {key: spelled[key.lower()] for key in stated if key.lower() in spelled}
        return {key: respell(stated[key], found[name]) for key, name in known.items()}
    if isinstance(stated, list) and isinstance(found, Mapping):  # tags, which some services keep as a map
        return [{"Key": key, "Value": value} for key, value in found.items()]
    if isinstance(stated, list) and isinstance(found, list):
        return respell_list(stated, found)
    return found


def respell_list(stated: list[Any], found: list[Any]) -> list[Any]:
    """The members found, spelled as the stated ones; one that is more than a name comes to its name."""
    pattern: Any = {}
    for one in stated:
        pattern = merged(pattern, one)
    if not isinstance(pattern, Mapping):
        return [named(one) for one in found]
    known = {key.lower() for key in pattern}
    return [
        {**{k: v for k, v in one.items() if k.lower() not in known}, **respell(pattern, one)}
        if isinstance(one, Mapping)
        else one
        for one in found
    ]


def merged(one: Any, other: Any) -> Any:
    """All that either value mentions."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {
            **one,
            **{key: merged(one[key], value) if key in one else value for key, value in other.items()},
        }
    return other


def named(found: Any) -> Any:
    """The id, ARN or name in a description, any other value as it is."""
    if not isinstance(found, Mapping):
        return found
    return next((value for key, value in found.items() if key.endswith(("Id", "Arn", "Name"))), found)


def document(value: Any) -> Any:
    """The object that a JSON text holds, any other value as it is."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def properties(request: ResourceRequest, description: Mapping[str, Any]) -> Properties:
    """The description as template properties: those that the template states and the service describes."""
    spelled = {key.lower(): key for key in description}
    return {
        key: respell(stated, document(description[spelled[key.lower()]]) if structured(stated) else
                     description[spelled[key.lower()]])
        for key, stated in request.properties.items()
        if key.lower() in spelled
    }  # fmt: skip


def structured(value: Any) -> bool:
    """Whether the value is an object or a list."""
    return isinstance(value, Mapping | list)


def read(reader: Reader, request: ResourceRequest) -> Properties | None:
    """The resource's stated properties as they are now; None when it is gone."""
    try:
        found = reader(request)
    except ClientError as error:
        if absent(error):
            return None
        raise
    return None if found is None else properties(request, found)


__all__ = ["READERS", "Reader", "properties", "read", "respell"]
