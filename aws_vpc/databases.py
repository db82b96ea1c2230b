"""What the databases of a stack leave when it goes: protection lifted, their last snapshots named.

In: the CloudFormation, RDS and Redshift clients, stacks that somebody agreed to delete. Out: names.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

INSTANCE = "AWS::RDS::DBInstance"
CLUSTER = "AWS::Redshift::Cluster"
NAMESPACE = "AWS::RedshiftServerless::Namespace"
Clients = Any  # a function from a service's name to its client


def held(cfn: Any, stack_ids: Iterable[str]) -> list[tuple[str, str]]:
    """The types and names of the databases that stand in stacks."""
    return [
        (member["ResourceType"], member["PhysicalResourceId"])
        for stack_id in stack_ids
        for page in cfn.get_paginator("list_stack_resources").paginate(StackName=stack_id)
        for member in page["StackResourceSummaries"]
        if member["ResourceType"] in {INSTANCE, CLUSTER, NAMESPACE}
        and member.get("PhysicalResourceId")
        and member["ResourceStatus"] != "DELETE_COMPLETE"
    ]


def unprotect(rds: Any, databases: Iterable[tuple[str, str]]) -> list[str]:
    """The instances among the databases that were protected from deletion and are not any more."""
    return [name for kind, name in databases if kind == INSTANCE and lifted(rds, name)]


def lifted(rds: Any, instance: str) -> bool:
    """True when an instance was protected; it is not any more."""
    try:
        found = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] in {"DBInstanceNotFound", "DBInstanceNotFoundFault"}:
            return False
        raise
    if not found.get("DeletionProtection"):
        return False
    rds.modify_db_instance(DBInstanceIdentifier=instance, DeletionProtection=False, ApplyImmediately=True)
    return True


@dataclass(frozen=True)
class Snapshot:
    """A manual snapshot, which stays when its database goes."""

    type: str  # of the database's resource
    id: str
    database: str

    def __str__(self) -> str:
        what = "database" if self.type == INSTANCE else "warehouse"
        return f"snapshot {self.id} of {what} {self.database}"


def snapshots(client: Clients, databases: Iterable[tuple[str, str]]) -> list[Snapshot]:
    """The manual snapshots of databases, also of those that are gone."""
    return [one for kind, name in databases for one in SNAPSHOTS[kind](client, name)]


def of_instance(client: Clients, name: str) -> Iterator[Snapshot]:
    """The snapshots of an RDS instance that stay after it."""
    pages = client("rds").get_paginator("describe_db_snapshots")
    for page in pages.paginate(DBInstanceIdentifier=name, SnapshotType="manual"):
        yield from (Snapshot(INSTANCE, one["DBSnapshotIdentifier"], name) for one in page["DBSnapshots"])


def of_cluster(client: Clients, name: str) -> Iterator[Snapshot]:
    """The snapshots of a Redshift cluster that stay after it."""
    pages = client("redshift").get_paginator("describe_cluster_snapshots")
    for page in pages.paginate(ClusterIdentifier=name, SnapshotType="manual"):
        yield from (Snapshot(CLUSTER, one["SnapshotIdentifier"], name) for one in page["Snapshots"])


def of_namespace(client: Clients, name: str) -> Iterator[Snapshot]:
    """The snapshots of a serverless warehouse that stay after it."""
    for page in client("redshift-serverless").get_paginator("list_snapshots").paginate(namespaceName=name):
        yield from (Snapshot(NAMESPACE, one["snapshotName"], name) for one in page["snapshots"])


SNAPSHOTS = {INSTANCE: of_instance, CLUSTER: of_cluster, NAMESPACE: of_namespace}


def delete_snapshot(client: Clients, one: Snapshot) -> None:
    """Returns when a snapshot is being deleted, or was gone already."""
    try:
        if one.type == INSTANCE:
            client("rds").delete_db_snapshot(DBSnapshotIdentifier=one.id)
        elif one.type == CLUSTER:
            client("redshift").delete_cluster_snapshot(SnapshotIdentifier=one.id)
        else:
            client("redshift-serverless").delete_snapshot(snapshotName=one.id)
    except ClientError as error:
        if "NotFound" not in error.response["Error"]["Code"]:
            raise
