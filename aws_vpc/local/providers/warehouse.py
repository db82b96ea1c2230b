"""Redshift clusters with their subnet and parameter groups."""

from typing import Any

from aws_vpc.local.providers.call import accepted, call, pick, text, wait
from aws_vpc.local.providers.databases import first, ready
from aws_vpc.local.providers.named import Description, Kind, look, resource
from aws_vpc.local.providers.resource import ResourceRequest, name

CLUSTER = Kind(
    "redshift",
    "create_cluster",
    first("describe_clusters", "Clusters", "ClusterIdentifier"),
    "delete_cluster",
    "ClusterIdentifier",
    "ClusterIdentifier",
    maximum=63,
    lower=True,
    update="modify_cluster",
    deletion={"SkipFinalClusterSnapshot": True},
)
SUBNET_GROUP = Kind(
    "redshift",
    "create_cluster_subnet_group",
    first("describe_cluster_subnet_groups", "ClusterSubnetGroups", "ClusterSubnetGroupName"),
    "delete_cluster_subnet_group",
    "ClusterSubnetGroupName",
    "ClusterSubnetGroupName",
    maximum=255,
    lower=True,
    update="modify_cluster_subnet_group",
)
PARAMETER_GROUP = Kind(
    "redshift",
    "create_cluster_parameter_group",
    first("describe_cluster_parameter_groups", "ParameterGroups", "ParameterGroupName"),
    "delete_cluster_parameter_group",
    "ParameterGroupName",
    "ParameterGroupName",
    maximum=255,
    lower=True,
)


def creation(request: ResourceRequest) -> str:
    """The operation that makes the cluster: anew or from a snapshot."""
    restored = request.properties.get("SnapshotIdentifier")
    return "restore_from_cluster_snapshot" if restored else "create_cluster"


def shape(request: ResourceRequest, given: Description) -> Description:
    """The parameters of creation, or of modification: only what changes."""
    if given.get("ClusterType") == "single-node":
        given = {key: value for key, value in given.items() if key != "NumberOfNodes"}
    if request.previous is None:
        return accepted(request.client("redshift"), creation(request), given)
    changed = {key: value for key, value in given.items() if request.changed(key)}
    if {"ClusterType", "NodeType", "NumberOfNodes"} & changed.keys():
        changed |= pick(given, "ClusterType NodeType NumberOfNodes")
    return changed


def settle_cluster(request: ResourceRequest, id: str) -> None:
    """Nothing; roles, logging, and whether the cluster is paused are as stated."""
    settle_restored(request, id)
    settle_roles(request, id)
    settle_logging(request, id)
    action = request.properties.get("ResourceAction")
    if action and request.previous is not None and request.changed("ResourceAction"):
        call(request.client("redshift"), action.replace("-", "_"), {"ClusterIdentifier": id})
        ready(CLUSTER, "ClusterStatus")(request, id)


def settle_restored(request: ResourceRequest, id: str) -> None:
    """Nothing; a cluster made from a snapshot has the master password that the template states."""
    password = request.properties.get("MasterUserPassword")
    if request.previous is None and request.properties.get("SnapshotIdentifier") and password:
        ready(CLUSTER, "ClusterStatus")(request, id)
        given = {"ClusterIdentifier": id, "MasterUserPassword": password}
        call(request.client("redshift"), "modify_cluster", given)


def settle_roles(request: ResourceRequest, id: str) -> None:
    """Nothing; a changed set of IAM roles is the cluster's."""
    before = (request.previous or {}).get("IamRoles") or []
    after = request.properties.get("IamRoles") or []
    if request.previous is not None and before != after:
        given = {
            "AddIamRoles": [role for role in after if role not in before],
            "RemoveIamRoles": [role for role in before if role not in after],
        }
        call(request.client("redshift"), "modify_cluster_iam_roles", {"ClusterIdentifier": id, **given})


def settle_logging(request: ResourceRequest, id: str) -> None:
    """Nothing; audit logs go where the properties say."""
    if not request.changed("LoggingProperties"):
        return
    stated = request.properties.get("LoggingProperties")
    operation = "enable_logging" if stated else "disable_logging"
    call(request.client("redshift"), operation, {"ClusterIdentifier": id, **(stated or {})})


def cluster_arn(request: ResourceRequest, id: str, kind: str = "cluster") -> str:
    """The ARN that Redshift's tag operations take."""
    return f"arn:aws:redshift:{request.region}:{request.account}:{kind}:{id}"


def snapshot_cluster(request: ResourceRequest) -> str | None:
    """The name of the finished snapshot; None when there is no cluster to take it of."""
    if look(request, CLUSTER, request.id) is None:
        return None
    client, id = request.client("redshift"), name(request, maximum=255, lower=True)
    client.create_cluster_snapshot(SnapshotIdentifier=id, ClusterIdentifier=request.id)

    def done() -> bool | None:
        found = client.describe_cluster_snapshots(SnapshotIdentifier=id)["Snapshots"][0]
        return True if found["Status"] == "available" else None

    wait(done, f"snapshot {id}")
    return id


def describe_action(client: Any, id: str) -> Description | None:
    """The scheduled action, its next times as text."""
    found = client.describe_scheduled_actions(ScheduledActionName=id)["ScheduledActions"]
    return {**found[0], "NextInvocations": [str(moment) for moment in found[0]["NextInvocations"]]}


ACTION = Kind(
    "redshift",
    "create_scheduled_action",
    describe_action,
    "delete_scheduled_action",
    "ScheduledActionName",
    "ScheduledActionName",
    maximum=60,
    lower=True,
    update="modify_scheduled_action",
    tagged=False,
)
ACTION_PROPERTIES = "TargetAction Schedule IamRole ScheduledActionDescription StartTime EndTime Enable"


def listed(properties: Description | None) -> dict[str, str]:
    """The parameters of a parameter group by name."""
    stated: Any = (properties or {}).get("Parameters") or []
    return {entry["ParameterName"]: text(entry["ParameterValue"]) for entry in stated}


def settle_parameters(request: ResourceRequest, id: str) -> None:
    """Nothing; the group has the parameters stated, and the service's own values for those taken away."""
    before, after = listed(request.previous), listed(request.properties)
    client = request.client("redshift")
    changed = [
        {"ParameterName": key, "ParameterValue": value}
        for key, value in after.items()
        if before.get(key) != value
    ]
    if changed:
        client.modify_cluster_parameter_group(ParameterGroupName=id, Parameters=changed)
    reset = [{"ParameterName": key} for key in before if key not in after]
    if reset:
        client.reset_cluster_parameter_group(ParameterGroupName=id, Parameters=reset)


MODIFIABLE = (
    "AllowVersionUpgrade AutomatedSnapshotRetentionPeriod AvailabilityZone AvailabilityZoneRelocation "
    "ClusterParameterGroupName ClusterSecurityGroups ClusterType ClusterVersion ElasticIp Encrypted "
    "EnhancedVpcRouting HsmClientCertificateIdentifier HsmConfigurationIdentifier KmsKeyId "
    "MaintenanceTrackName "
    "ManageMasterPassword ManualSnapshotRetentionPeriod MasterPasswordSecretKmsKeyId "
    "MasterUserPassword MultiAZ "
    "NodeType NumberOfNodes Port PreferredMaintenanceWindow PubliclyAccessible VpcSecurityGroupIds"
)
FIXED = (
    "AquaConfigurationStatus ClusterIdentifier ClusterSubnetGroupName DBName IamRoles MasterUsername "
    "OwnerAccount "
    "SnapshotClusterIdentifier SnapshotIdentifier"
)
ONE_REGION = "the embedded AWS is one Region, so no snapshot is copied"
NO_MAINTENANCE = "the embedded AWS has no maintenance windows"

PROVIDERS = (
    resource(
        "AWS::Redshift::ScheduledAction",
        ACTION,
        f"ScheduledActionName {ACTION_PROPERTIES}",
        ACTION_PROPERTIES,
    ),
    resource(
        "AWS::Redshift::Cluster",
        CLUSTER,
        f"{MODIFIABLE} {FIXED}",
        MODIFIABLE,
        set_later="LoggingProperties ResourceAction",
        creation=creation,
        shape=shape,
        settle=settle_cluster,
        stable=ready(CLUSTER, "ClusterStatus"),
        snapshot=snapshot_cluster,
        ignored={
            "Endpoint": "its members are attributes, not settings",
            "AvailabilityZoneRelocationStatus": "it says what AvailabilityZoneRelocation sets",
            "Classic": "a resize is immediate",
            "RevisionTarget": "the service decides its revision",
            "RotateEncryptionKey": "the disk of the server is not encrypted by key",
            "NamespaceResourcePolicy": "no other account shares data with the cluster",
            "DeferMaintenance": NO_MAINTENANCE,
            "DeferMaintenanceDuration": NO_MAINTENANCE,
            "DeferMaintenanceStartTime": NO_MAINTENANCE,
            "DeferMaintenanceEndTime": NO_MAINTENANCE,
            "DestinationRegion": ONE_REGION,
            "SnapshotCopyGrantName": ONE_REGION,
            "SnapshotCopyManual": ONE_REGION,
            "SnapshotCopyRetentionPeriod": ONE_REGION,
        },
        tag_name=cluster_arn,
    ),
    resource(
        "AWS::Redshift::ClusterSubnetGroup",
        SUBNET_GROUP,
        "Description SubnetIds",
        "Description SubnetIds",
        tag_name=lambda request, id: cluster_arn(request, id, "subnetgroup"),
        more=lambda request, found: {"ClusterSubnetGroupName": found["ClusterSubnetGroupName"]},
    ),
    resource(
        "AWS::Redshift::ClusterParameterGroup",
        PARAMETER_GROUP,
        "ParameterGroupName ParameterGroupFamily Description",
        set_later="Parameters",
        settle=settle_parameters,
        tag_name=lambda request, id: cluster_arn(request, id, "parametergroup"),
    ),
)
