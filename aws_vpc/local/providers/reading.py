"""How the resources of a type stand now, in the words of the template: what drift detection compares.

A reader answers the description that the service gives, None when the resource is not there. Types made
by `ec2.resource` and `named.resource` are read by their describe operation; READERS has the others, and
those whose properties the description names or nests in another way.
"""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.local.providers import iam, reading_network, storage
from aws_vpc.local.providers.call import absent, pick
from aws_vpc.local.providers.events import on_bus
from aws_vpc.local.providers.resource import Properties, ResourceRequest
from aws_vpc.local.providers.spelling import properties

Description = dict[str, Any]
Reader = Callable[[ResourceRequest], Description | None]


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
    **reading_network.READERS,
    "AWS::Batch::JobDefinition": job_definition,
    "AWS::CloudWatch::Alarm": alarm,
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


def read(reader: Reader, request: ResourceRequest) -> Properties | None:
    """The resource's stated properties as they are now; None when it is gone."""
    try:
        found = reader(request)
    except ClientError as error:
        if absent(error):
            return None
        raise
    return None if found is None else properties(request, found)
