"""Log groups, keys, parameters, alarms."""

from dataclasses import replace
from typing import Any

from aws_vpc.local.providers.call import call, gone_is_done, pick, property_names, tag_list, tags, truth
from aws_vpc.local.providers.named import Description, Kind, resource
from aws_vpc.local.providers.resource import Provider, ResourceRequest, ResourceState, name
from aws_vpc.local.providers.tagging import retag


def find_group(client: Any, id: str) -> Description | None:
    """The log group as CloudWatch Logs has it."""
    found = client.describe_log_groups(logGroupNamePrefix=id)["logGroups"]
    return next((dict(entry) for entry in found if entry["logGroupName"] == id), None)


LOG_GROUP = Kind(
    "logs", "create_log_group", find_group, "delete_log_group", "logGroupName", "LogGroupName", maximum=512
)


def settle_group(request: ResourceRequest, id: str) -> None:
    """Nothing; retention and key of the log group are as stated."""
    client, stated = request.client("logs"), request.properties
    if request.changed("RetentionInDays"):
        if days := stated.get("RetentionInDays"):
            client.put_retention_policy(logGroupName=id, retentionInDays=int(days))
        else:
            client.delete_retention_policy(logGroupName=id)
    if request.previous and request.changed("KmsKeyId"):
        if key := stated.get("KmsKeyId"):
            client.associate_kms_key(logGroupName=id, kmsKeyId=key)
        else:
            client.disassociate_kms_key(logGroupName=id)


def group_arn(request: ResourceRequest, id: str) -> str:
    """The ARN that the tag operations take: without the `:*` that GetAtt has."""
    return f"arn:aws:logs:{request.region}:{request.account}:log-group:{id}"


def find_key(client: Any, id: str) -> Description | None:
    """The key as KMS has it; None when its deletion is scheduled."""
    found = dict(client.describe_key(KeyId=id)["KeyMetadata"])
    return None if found["KeyState"] == "PendingDeletion" else found


KEY = Kind("kms", "create_key", find_key, "schedule_key_deletion", "KeyId", answer="KeyMetadata.KeyId")


def settle_key(request: ResourceRequest, id: str) -> None:
    """Nothing; rotation, policy, description and state of the key are as stated."""
    client, stated = request.client("kms"), request.properties
    if request.changed("EnableKeyRotation", "RotationPeriodInDays"):
        if truth(stated.get("EnableKeyRotation", False)):
            call(client, "enable_key_rotation", {"KeyId": id, **pick(stated, "RotationPeriodInDays")})
        elif request.previous:
            client.disable_key_rotation(KeyId=id)
    if request.previous and request.changed("KeyPolicy"):
        call(client, "put_key_policy", {"KeyId": id, "PolicyName": "default", "Policy": stated["KeyPolicy"]})
    if request.previous and request.changed("Description"):
        client.update_key_description(KeyId=id, Description=stated.get("Description", ""))
    if request.changed("Enabled"):
        operation = "enable_key" if truth(stated.get("Enabled", True)) else "disable_key"
        call(client, operation, {"KeyId": id})


def delete_key(request: ResourceRequest) -> None:
    """Nothing; the key's deletion is scheduled, as KMS does it."""
    days = int(request.properties.get("PendingWindowInDays", 30))
    with gone_is_done("KMSInvalidStateException"):
        request.client("kms").schedule_key_deletion(KeyId=request.id, PendingWindowInDays=days)


def create_alias(request: ResourceRequest) -> ResourceState:
    """The new name of a key."""
    given = pick(request.properties, "AliasName TargetKeyId")
    call(request.client("kms"), "create_alias", given)
    return ResourceState(given["AliasName"])


def update_alias(request: ResourceRequest) -> ResourceState:
    """The name, now of another key."""
    call(request.client("kms"), "update_alias", pick(request.properties, "AliasName TargetKeyId"))
    return ResourceState(request.id)


def delete_alias(request: ResourceRequest) -> None:
    """Nothing; no key has the name."""
    with gone_is_done():
        request.client("kms").delete_alias(AliasName=request.id)


PARAMETER = "Name Type Value Description AllowedPattern DataType Tier Policies"


def put_parameter(request: ResourceRequest) -> ResourceState:
    """The parameter with its value."""
    given = pick(request.properties, PARAMETER)
    given["Name"] = request.physical_id or given.get("Name") or f"CFN-{name(request, maximum=128)}"
    if request.previous is None:
        given["Tags"] = tag_list(tags(request)) or None
    else:
        given["Overwrite"] = True
    call(request.client("ssm"), "put_parameter", given)
    if request.previous is not None:
        retag(request, "ssm", given["Name"], ResourceType="Parameter")
    path = given["Name"].removeprefix("/")
    arn = f"arn:aws:ssm:{request.region}:{request.account}:parameter/{path}"
    return ResourceState(given["Name"], {"Arn": arn, "Type": given["Type"], "Value": given["Value"]})


def delete_parameter(request: ResourceRequest) -> None:
    """Nothing; the parameter is gone."""
    with gone_is_done():
        request.client("ssm").delete_parameter(Name=request.id)


ALARM = (
    "AlarmName ActionsEnabled AlarmActions AlarmDescription ComparisonOperator DatapointsToAlarm Dimensions "
    "EvaluateLowSampleCountPercentile EvaluationPeriods ExtendedStatistic InsufficientDataActions MetricName "
    "Metrics Namespace OKActions Period Statistic Threshold ThresholdMetricId TreatMissingData Unit"
)


def put_alarm(request: ResourceRequest) -> ResourceState:
    """The alarm as stated: one operation makes and changes it."""
    given = pick(request.properties, ALARM)
    given["AlarmName"] = request.physical_id or given.get("AlarmName") or name(request, maximum=255)
    if request.previous is None:
        given["Tags"] = tag_list(tags(request)) or None
    call(request.client("cloudwatch"), "put_metric_alarm", given)
    found = request.client("cloudwatch").describe_alarms(AlarmNames=[given["AlarmName"]])["MetricAlarms"][0]
    if request.previous is not None:
        retag(request, "cloudwatch", found["AlarmArn"])
    return ResourceState(given["AlarmName"], {"Arn": found["AlarmArn"]})


def delete_alarm(request: ResourceRequest) -> None:
    """Nothing; the alarm is gone."""
    with gone_is_done():
        request.client("cloudwatch").delete_alarms(AlarmNames=[request.id])


PROVIDERS = (
    resource(
        "AWS::Logs::LogGroup",
        LOG_GROUP,
        "LogGroupName KmsKeyId LogGroupClass",
        set_later="RetentionInDays",
        settle=settle_group,
        tag_name=group_arn,
        more=lambda request, found: {"Arn": f"{group_arn(request, found['logGroupName'])}:*"},
        ignored={
            "DataProtectionPolicy": "log events are not scanned",
            "FieldIndexPolicies": "log events are searched without an index",
            "DeletionProtectionEnabled": "the API behind has no such setting",
            "ResourcePolicyDocument": "no other account or service writes the group's events",
            "BearerTokenAuthenticationEnabled": "log events come with signed requests only",
        },
    ),
    replace(
        resource(
            "AWS::KMS::Key",
            KEY,
            "Policy=KeyPolicy Description KeySpec KeyUsage MultiRegion Origin BypassPolicyLockoutSafetyCheck",
            set_later="EnableKeyRotation RotationPeriodInDays Enabled PendingWindowInDays",
            settle=settle_key,
        ),
        delete_resource=delete_key,
    ),
    Provider(
        "AWS::KMS::Alias", property_names("AliasName TargetKeyId"), create_alias, delete_alias, update_alias
    ),
    Provider(
        "AWS::SSM::Parameter",
        property_names(f"{PARAMETER} Tags"),
        put_parameter,
        delete_parameter,
        put_parameter,
    ),
    Provider("AWS::CloudWatch::Alarm", property_names(f"{ALARM} Tags"), put_alarm, delete_alarm, put_alarm),
)
