"""RDS instances with their subnet and parameter groups."""

from collections.abc import Callable
from typing import Any

from aws_vpc.local.providers.call import accepted, call, pick, text, wait
from aws_vpc.local.providers.named import Description, Kind, look, make, resource
from aws_vpc.local.providers.resource import ResourceFailed, ResourceRequest, name

FAILED = {
    "failed",
    "hardware-failure",
    "incompatible-network",
    "incompatible-parameters",
    "restore-error",
    "storage-full",
}
STANDING = {"available", "paused", "stopped"}
BATCH = 20  # parameters that one modify call may carry


def first(operation: str, key: str, parameter: str) -> Callable[[Any, str], Description | None]:
    """A description: the first thing that the operation lists under the key for the id."""

    def describe(client: Any, id: str) -> Description | None:
        found = getattr(client, operation)(**{parameter: id})[key]
        return dict(found[0]) if found else None

    return describe


def ready(kind: Kind, key: str) -> Callable[[ResourceRequest, str], None]:
    """A wait until the database is available; ResourceFailed when its status says that it never will be."""

    def stable(request: ResourceRequest, id: str) -> None:
        def standing() -> str | None:
            found = look(request, kind, id) or {}
            status = str(found.get(key))
            if status in FAILED:
                raise ResourceFailed(f"{request.type} {id} is {status}{why(found)}")
            return status if status in STANDING else None

        wait(standing, f"{request.type} {id}")

    return stable


def why(found: Description) -> str:
    """The reason that a failed database's description gives, if any."""
    infos = found.get("StatusInfos") or [{}]
    told = infos[0].get("Message") or found.get("ModifyStatus")
    return f": {told}" if told else ""


INSTANCE = Kind(
    "rds",
    "create_db_instance",
    first("describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    "delete_db_instance",
    "DBInstanceIdentifier",
    "DBInstanceIdentifier",
    maximum=63,
    lower=True,
    update="modify_db_instance",
    arn="DBInstanceArn",
    deletion={"SkipFinalSnapshot": True},
)
SUBNET_GROUP = Kind(
    "rds",
    "create_db_subnet_group",
    first("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
    "delete_db_subnet_group",
    "DBSubnetGroupName",
    "DBSubnetGroupName",
    maximum=255,
    lower=True,
    update="modify_db_subnet_group",
    arn="DBSubnetGroupArn",
)
PARAMETER_GROUP = Kind(
    "rds",
    "create_db_parameter_group",
    first("describe_db_parameter_groups", "DBParameterGroups", "DBParameterGroupName"),
    "delete_db_parameter_group",
    "DBParameterGroupName",
    "DBParameterGroupName",
    maximum=255,
    lower=True,
    arn="DBParameterGroupArn",
)


def creation(request: ResourceRequest) -> str:
    """The operation that makes the instance: anew, from a snapshot or as a replica."""
    if request.properties.get("DBSnapshotIdentifier"):
        return "restore_db_instance_from_db_snapshot"
    if request.properties.get("SourceDBInstanceIdentifier"):
        return "create_db_instance_read_replica"
    return "create_db_instance"


def shape(request: ResourceRequest, given: Description) -> Description:
    """The parameters of creation, or of modification: only what changes, at once, logs as a difference."""
    if request.previous is None:
        return accepted(request.client("rds"), creation(request), given)
    changed = {key: value for key, value in given.items() if request.changed(UPDATED.get(key, key))}
    if request.changed("EnableCloudwatchLogsExports"):
        before = request.previous.get("EnableCloudwatchLogsExports") or []
        after = request.properties.get("EnableCloudwatchLogsExports") or []
        changed["CloudwatchLogsExportConfiguration"] = {
            "EnableLogTypes": [log for log in after if log not in before],
            "DisableLogTypes": [log for log in before if log not in after],
        }
    changed.pop("EnableCloudwatchLogsExports", None)
    upgrade = pick(request.properties, "AllowMajorVersionUpgrade")
    return {**changed, **upgrade, "ApplyImmediately": True}


def with_key(request: ResourceRequest, given: Description) -> Description:
    """The parameters with the KMS key of a managed master secret, which the template states inside it."""
    key = (request.properties.get("MasterUserSecret") or {}).get("KmsKeyId")
    return {**given, "MasterUserSecretKmsKeyId": key} if key and request.previous is None else given


def settle_instance(request: ResourceRequest, id: str) -> None:
    """Nothing; what a restore or a replica could not be given at creation is set on it."""
    operation = creation(request)
    if request.previous is not None or operation == "create_db_instance":
        return
    client = request.client("rds")
    known = accepted(client, operation, pick(request.properties, CREATED))
    later = {
        key: value
        for key, value in accepted(client, "modify_db_instance", pick(request.properties, CREATED)).items()
        if key not in known and key != "Engine"
    }
    if later:
        call(client, "modify_db_instance", {**later, "DBInstanceIdentifier": id, "ApplyImmediately": True})
        ready(INSTANCE, "DBInstanceStatus")(request, id)


def snapshot_instance(request: ResourceRequest) -> str | None:
    """The name of the finished snapshot; None when there is no instance to take it of."""
    if look(request, INSTANCE, request.id) is None:
        return None
    client, id = request.client("rds"), name(request, maximum=255, lower=True)
    client.create_db_snapshot(DBSnapshotIdentifier=id, DBInstanceIdentifier=request.id)

    def done() -> bool | None:
        found = client.describe_db_snapshots(DBSnapshotIdentifier=id)["DBSnapshots"][0]
        return True if found["Status"] == "available" else None

    wait(done, f"snapshot {id}")
    return id


def keep_subnet_group(request: ResourceRequest, id: str) -> None:
    """Nothing; the subnet group is there, also after moto's modify operation, which loses it."""
    if look(request, SUBNET_GROUP, id) is None:
        given = pick(request.properties, "DBSubnetGroupDescription SubnetIds")
        make(request, SUBNET_GROUP, {**given, "DBSubnetGroupName": id})


def parameters(properties: Description | None) -> dict[str, str]:
    """The parameters of a parameter group by name."""
    stated = (properties or {}).get("Parameters") or {}
    return {key: text(value) for key, value in stated.items()}


def settle_parameters(request: ResourceRequest, id: str) -> None:
    """Nothing; the group has the parameters stated, and the engine's own values for those taken away."""
    before, after = parameters(request.previous), parameters(request.properties)
    change(
        request,
        "modify_db_parameter_group",
        id,
        [
            {"ParameterName": key, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for key, value in after.items()
            if before.get(key) != value
        ],
    )
    reset = [{"ParameterName": key, "ApplyMethod": "pending-reboot"} for key in before if key not in after]
    change(request, "reset_db_parameter_group", id, reset)


def change(request: ResourceRequest, operation: str, id: str, listed: list[dict[str, str]]) -> None:
    """Nothing; the operation has had all the parameters, as many at a time as it takes."""
    for start in range(0, len(listed), BATCH):
        given = {"DBParameterGroupName": id, "Parameters": listed[start : start + BATCH]}
        call(request.client("rds"), operation, given)


SUBSCRIPTION = Kind(
    "rds",
    "create_event_subscription",
    first("describe_event_subscriptions", "EventSubscriptionsList", "SubscriptionName"),
    "delete_event_subscription",
    "SubscriptionName",
    "SubscriptionName",
    maximum=255,
    lower=True,
    arn="EventSubscriptionArn",
)
SUBSCRIPTION_PROPERTIES = "SubscriptionName SnsTopicArn SourceType EventCategories SourceIds Enabled"


def settle_subscription(request: ResourceRequest, id: str) -> None:
    """Nothing; a changed subscription is made again under its name, as moto has no operation to modify it."""
    if request.previous is None or not request.changed(*SUBSCRIPTION_PROPERTIES.split()):
        return
    request.client("rds").delete_event_subscription(SubscriptionName=id)
    make(request, SUBSCRIPTION, {**pick(request.properties, SUBSCRIPTION_PROPERTIES), "SubscriptionName": id})


MODIFIABLE = (
    "AllocatedStorage AutoMinorVersionUpgrade BackupRetentionPeriod CACertificateIdentifier "
    "CopyTagsToSnapshot "
    "DBInstanceClass DBParameterGroupName DatabaseInsightsMode DedicatedLogVolume DeletionProtection Domain "
    "DomainAuthSecretArn DomainDnsIps DomainFqdn DomainIAMRoleName DomainOu Engine "
    "EnableIAMDatabaseAuthentication "
    "EnablePerformanceInsights EngineVersion Iops LicenseModel ManageMasterUserPassword MasterUserPassword "
    "MaxAllocatedStorage MonitoringInterval MonitoringRoleArn MultiAZ NetworkType OptionGroupName "
    "PerformanceInsightsKMSKeyId PerformanceInsightsRetentionPeriod PreferredBackupWindow "
    "PreferredMaintenanceWindow ProcessorFeatures PromotionTier PubliclyAccessible StorageThroughput "
    "StorageType "
    "TdeCredentialArn TdeCredentialPassword VpcSecurityGroupIds=VPCSecurityGroups DBSecurityGroups "
    "EnableCloudwatchLogsExports"
)
FIXED = (
    "AvailabilityZone BackupTarget CharacterSetName CustomIamInstanceProfile=CustomIAMInstanceProfile "
    "DBClusterIdentifier DBInstanceIdentifier DBName DBSnapshotIdentifier DBSubnetGroupName DBSystemId "
    "EngineLifecycleSupport KmsKeyId MasterUsername NcharCharacterSetName SourceDBInstanceIdentifier "
    "StorageEncrypted Timezone"
)
CREATED = f"{MODIFIABLE} {FIXED} Port"
UPDATED = {"VpcSecurityGroupIds": "VPCSecurityGroups", "DBPortNumber": "Port"}  # parameter -> property
ALONE = "one server stands behind the endpoint, without replicas or storage of several kinds"

PROVIDERS = (
    resource(
        "AWS::RDS::DBInstance",
        INSTANCE,
        CREATED,
        f"{MODIFIABLE} DBPortNumber=Port",
        set_later="AllowMajorVersionUpgrade MasterUserSecret",
        creation=creation,
        shape=lambda request, given: shape(request, with_key(request, given)),
        settle=settle_instance,
        stable=ready(INSTANCE, "DBInstanceStatus"),
        snapshot=snapshot_instance,
        ignored={
            "ApplyImmediately": "every change is applied at once, as CloudFormation does by default",
            "DeleteAutomatedBackups": "automated backups of a deleted instance are not kept",
            "AssociatedRoles": "the server does not read or write S3",
            "UseDefaultProcessorFeatures": "the server has no processor of its own",
            "CertificateRotationRestart": "the server keeps its certificate",
            "AdditionalStorageVolumes": ALONE,
            "ReplicaMode": ALONE,
        },
    ),
    resource(
        "AWS::RDS::DBSubnetGroup",
        SUBNET_GROUP,
        "DBSubnetGroupName DBSubnetGroupDescription SubnetIds",
        "DBSubnetGroupDescription SubnetIds",
        stable=keep_subnet_group,
    ),
    resource(
        "AWS::RDS::DBParameterGroup",
        PARAMETER_GROUP,
        "DBParameterGroupName DBParameterGroupFamily=Family Description",
        set_later="Parameters",
        settle=settle_parameters,
    ),
    resource(
        "AWS::RDS::EventSubscription",
        SUBSCRIPTION,
        SUBSCRIPTION_PROPERTIES,
        settle=settle_subscription,
    ),
)
