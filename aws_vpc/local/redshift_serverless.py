"""Amazon Redshift Serverless: a workgroup's endpoint is a real warehouse server, as that of a cluster.

    CreateNamespace ─► user, database, roles on record; its secret when the password is managed
    CreateWorkgroup ─► CREATING ─► the namespace's server ─► AVAILABLE | FAILED

The data belongs to the namespace: it outlives the workgroup, and goes with the namespace. A snapshot is a
record. Out: usage limits, endpoint access, restoring, temporary credentials.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from aws_vpc.local import database_interfaces, databases, ec2_interfaces
from aws_vpc.local.databases import ADDRESS, new_password
from aws_vpc.local.redshift import SPECIALS
from aws_vpc.local.redshift_cluster import Cluster
from aws_vpc.local.redshift_rules import check_password
from aws_vpc.local.service import Answer, Parameters, new_id, now, page, tag_map, whole
from aws_vpc.local.wire import Handler, ServiceError
from aws_vpc.local.world import World

NAME = re.compile(r"[a-z0-9-]{3,64}")
SETTINGS = {  # what a workgroup's configParameters may set
    *("auto_mv", "datestyle", "enable_case_sensitive_identifier", "enable_user_activity_logging"),
    *("query_group", "search_path", "require_ssl", "use_fips_ssl", "wlm_json_configuration"),
    *("max_query_cpu_time", "max_query_blocks_read", "max_scan_row_count", "max_query_execution_time"),
    *("max_query_queue_time", "max_query_cpu_usage_percent", "max_query_temp_blocks_to_disk"),
    *("max_join_row_count", "max_nested_loop_join_row_count"),
}
ZONES = 3  # in which a workgroup must have subnets
NAMESPACE = "adminUsername dbName defaultIamRoleArn iamRoles kmsKeyId logExports"
WORKGROUP = (
    "baseCapacity maxCapacity configParameters enhancedVpcRouting publiclyAccessible securityGroupIds "
    "subnetIds pricePerformanceTarget trackName ipAddressType"
)
_running: list[Serverless] = []


def refused(message: str, code: str = "ValidationException") -> ServiceError:
    """The error for what the service does not take."""
    return ServiceError(code, message)


class Namespace:
    """One namespace: its record, its server, its password until the server has it."""

    def __init__(self, world: World, region: str, record: dict[str, Any], password: str) -> None:
        self.record, self.password = record, password
        identifier = f"serverless-{record['namespaceName']}"
        roles = [{"IamRoleArn": arn} for arn in record["iamRoles"]]
        facts = {
            "ClusterIdentifier": identifier,
            "MasterUsername": record["adminUsername"],
            "IamRoles": roles,
        }
        self.cluster = Cluster(world, region, facts)
        self.cluster.default_role = record.get("defaultIamRoleArn")
        self.workgroup: dict[str, Any] | None = None
        self.filled = False

    def open(self) -> None:
        """Start the server, with the admin and the first database when it is the first time."""
        if self.filled:
            self.cluster.reopen()
            return
        self.cluster.create(self.password, self.record["dbName"])
        self.filled = True
        self.cluster.world.settle("redshift-serverless")

    def resume(self) -> None:
        """Start the server again where there is a workgroup."""
        if not self.filled:
            self.cluster.server.forget()
        if self.workgroup and self.cluster.status != "failed":
            self.cluster.begin(self.cluster.status, "AVAILABLE", self.open)


class Serverless:
    """Redshift Serverless in one Region."""

    def __init__(self, world: World, region: str) -> None:
        self.world, self.region = world, region
        self.arn = f"arn:aws:redshift-serverless:{region}:{world.account}"
        self._namespaces: dict[str, Namespace] = {}
        self._snapshots: dict[str, dict[str, Any]] = {}
        self._tags: dict[str, dict[str, str]] = {}

    # ------------------------------------------------------------ namespaces

    def create_namespace(self, params: Parameters) -> Answer:
        """The new namespace."""
        name = params["namespaceName"]
        if not NAME.fullmatch(name):
            raise refused(f"Invalid namespaceName {name}: 3 to 64 lowercase letters, digits and hyphens")
        if name in self._namespaces:
            raise refused(f"Namespace {name} already exists.", "ConflictException")
        if params.get("manageAdminPassword") and params.get("adminUserPassword"):
            raise refused("You can't use adminUserPassword if manageAdminPassword is true.")
        if params.get("adminUserPassword"):
            check_password(params["adminUserPassword"])
        id = "-".join(new_id("", length, "0123456789abcdef") for length in (8, 4, 4, 4, 12))
        record = {
            "adminUsername": "admin",
            "dbName": "dev",
            "iamRoles": [],
            "logExports": [],
            "kmsKeyId": "AWS_OWNED_KMS_KEY",
            **{key: params[key] for key in NAMESPACE.split() if params.get(key) is not None},
            "namespaceName": name,
            "namespaceId": id,
            "namespaceArn": f"{self.arn}:namespace/{id}",
            "creationDate": now(),
            "status": "AVAILABLE",
        }
        password = params.get("adminUserPassword") or new_password(SPECIALS)
        found = self._namespaces[name] = Namespace(self.world, self.region, record, password)
        self._tags[record["namespaceArn"]] = tag_map(params.get("tags"))
        if params.get("manageAdminPassword"):
            self._manage(found, params.get("adminPasswordSecretKmsKeyId"))
        return {"namespace": record}

    def get_namespace(self, params: Parameters) -> Answer:
        """The namespace."""
        return {"namespace": self._namespace(params).record}

    def list_namespaces(self, params: Parameters) -> Answer:
        """All namespaces."""
        found = [each.record for each in self._namespaces.values()]
        return page("namespaces", found, params, "maxResults", "nextToken")

    def update_namespace(self, params: Parameters) -> Answer:
        """The namespace as it is now; a new password is the running server's at once."""
        found = self._namespace(params)
        record, cluster = found.record, found.cluster
        if params.get("adminUserPassword"):
            check_password(params["adminUserPassword"])
        changed = ("defaultIamRoleArn", "iamRoles", "kmsKeyId", "logExports")
        record |= {key: params[key] for key in changed if params.get(key) is not None}
        cluster.roles, cluster.default_role = record["iamRoles"], record.get("defaultIamRoleArn")
        if found.filled:
            cluster.tell()
        managed = "adminPasswordSecretArn" in record
        if params.get("manageAdminPassword") and not managed:
            found.password = new_password(SPECIALS)
            self._manage(found, params.get("adminPasswordSecretKmsKeyId"))
            self._set_password(found)
        elif params.get("manageAdminPassword") is False and managed:
            self._forget_secret(found)
        if params.get("adminUserPassword"):
            found.password = params["adminUserPassword"]
            self._set_password(found)
        return {"namespace": record}

    def delete_namespace(self, params: Parameters) -> Answer:
        """The namespace that is gone, with its data, and with a final snapshot when one is named."""
        found = self._namespace(params)
        name = found.record["namespaceName"]
        if found.workgroup:
            text = (
                f"Namespace {name} has the workgroup {found.workgroup['workgroupName']}; delete that first."
            )
            raise refused(text, "ConflictException")
        if params.get("finalSnapshotName"):
            self._snapshot(found, params["finalSnapshotName"], params.get("finalSnapshotRetentionPeriod"))
        found.cluster.finish()
        if "adminPasswordSecretArn" in found.record:
            self._forget_secret(found)
        del self._namespaces[name]
        self.world.settle("redshift-serverless")
        found.cluster.remove()
        return {"namespace": {**found.record, "status": "DELETING"}}

    def _namespace(self, params: Parameters) -> Namespace:
        name = params.get("namespaceName", "")
        if name not in self._namespaces:
            raise refused(f"Namespace {name} not found.", "ResourceNotFoundException")
        return self._namespaces[name]

    # ------------------------------------------------------------ passwords

    def _manage(self, found: Namespace, key: str | None) -> None:
        """Put the admin's password in a managed secret."""
        record = found.record
        made = self._secrets().create_secret(
            Name=f"redshift!{record['namespaceName']}-{record['adminUsername']}",
            Description=f"The admin credentials of the namespace {record['namespaceName']}",
            SecretString=self._login(found),
            Tags=[
                {"Key": "aws:redshift-serverless:namespaceArn", "Value": record["namespaceArn"]},
                {"Key": "aws:secretsmanager:owningService", "Value": "redshift"},
            ],
            **({"KmsKeyId": key} if key else {}),
        )
        record["adminPasswordSecretArn"] = made["ARN"]
        record["adminPasswordSecretKmsKeyId"] = key or "alias/aws/secretsmanager"

    def _login(self, found: Namespace) -> str:
        return json.dumps({"username": found.record["adminUsername"], "password": found.password})

    def _set_password(self, found: Namespace) -> None:
        found.cluster.finish()
        if found.workgroup and found.cluster.status == "AVAILABLE":
            found.cluster.server.set_password(found.cluster.user, found.password)

    def _forget_secret(self, found: Namespace) -> None:
        arn = found.record.pop("adminPasswordSecretArn")
        found.record.pop("adminPasswordSecretKmsKeyId")
        self._secrets().delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)

    def _secrets(self) -> Any:
        return self.world.client("secretsmanager", self.region)

    def rotation(self, secret: str) -> Callable[[], str] | None:
        """What rotates the secret and the password behind it; None when it is of no namespace here."""
        for found in list(self._namespaces.values()):
            if found.record.get("adminPasswordSecretArn") == secret:
                return partial(self._rotate, found)
        return None

    def _rotate(self, found: Namespace) -> str:
        found.password = new_password(SPECIALS)
        arn = found.record["adminPasswordSecretArn"]
        version = self._secrets().put_secret_value(SecretId=arn, SecretString=self._login(found))["VersionId"]
        self._set_password(found)
        return str(version)

    # ------------------------------------------------------------ workgroups

    def create_workgroup(self, params: Parameters) -> Answer:
        """The new workgroup, whose server starts in the background."""
        name, found = params["workgroupName"], self._namespace(params)
        if not NAME.fullmatch(name):
            raise refused(f"Invalid workgroupName {name}: 3 to 64 lowercase letters, digits and hyphens")
        if self._holder(name):
            raise refused(f"Workgroup {name} already exists.", "ConflictException")
        if found.workgroup:
            text = f"Namespace {params['namespaceName']} already has a workgroup."
            raise refused(text, "ConflictException")
        self._check(params)
        id = "-".join(new_id("", length, "0123456789abcdef") for length in (8, 4, 4, 4, 12))
        found.workgroup = {
            "baseCapacity": 128,
            "enhancedVpcRouting": False,
            "publiclyAccessible": False,
            "configParameters": [],
            "securityGroupIds": [],
            "subnetIds": [],
            "trackName": "current",
            "ipAddressType": "ipv4",
            **{key: params[key] for key in WORKGROUP.split() if params.get(key) is not None},
            "workgroupName": name,
            "namespaceName": params["namespaceName"],
            "workgroupId": id,
            "workgroupArn": f"{self.arn}:workgroup/{id}",
            "workgroupVersion": "1.0",
            "creationDate": now(),
        }
        self._tags[found.workgroup["workgroupArn"]] = tag_map(params.get("tags"))
        database_interfaces.place_workgroup(self.world, self.region, name, found.workgroup)
        found.cluster.begin("CREATING", "AVAILABLE", found.open)
        return {"workgroup": self._shown(found)}

    def get_workgroup(self, params: Parameters) -> Answer:
        """The workgroup."""
        return {"workgroup": self._shown(self._workgroup(params))}

    def list_workgroups(self, params: Parameters) -> Answer:
        """All workgroups."""
        found = [self._shown(each) for each in self._namespaces.values() if each.workgroup]
        return page("workgroups", found, params, "maxResults", "nextToken")

    def update_workgroup(self, params: Parameters) -> Answer:
        """The workgroup as it is now."""
        found = self._workgroup(params)
        if found.cluster.status != "AVAILABLE":
            text = f"Workgroup {params['workgroupName']} is {found.cluster.status}, not AVAILABLE."
            raise refused(text, "ConflictException")
        self._check(params)
        fresh = {key: params[key] for key in WORKGROUP.split() if params.get(key) is not None}
        found.workgroup = {**(found.workgroup or {}), **fresh}
        database_interfaces.place_workgroup(self.world, self.region, params["workgroupName"], found.workgroup)
        return {"workgroup": self._shown(found)}

    def delete_workgroup(self, params: Parameters) -> Answer:
        """The workgroup that is gone; the namespace keeps the data."""
        found = self._workgroup(params)
        found.cluster.finish()
        found.cluster.close()
        found.cluster.status = "DELETING"
        shown = self._shown(found)
        found.workgroup = None
        ec2_interfaces.remove(self.world, self.region, params["workgroupName"])
        return {"workgroup": shown}

    def _holder(self, name: str) -> Namespace | None:
        held = (each for each in self._namespaces.values() if each.workgroup)
        return next((each for each in held if (each.workgroup or {})["workgroupName"] == name), None)

    def _workgroup(self, params: Parameters) -> Namespace:
        found = self._holder(params["workgroupName"])
        if found is None:
            raise refused(f"Workgroup {params['workgroupName']} not found.", "ResourceNotFoundException")
        return found

    def _shown(self, found: Namespace) -> Answer:
        """The workgroup as the API shows it."""
        cluster, name = found.cluster, (found.workgroup or {})["workgroupName"]
        inside = {"networkInterfaces": database_interfaces.shown(self.world, self.region, name)}
        reached = {"address": ADDRESS, "vpcEndpoints": [inside]} | (
            {"port": cluster.port} if cluster.port else {}
        )
        status = {"failed": "FAILED"}.get(cluster.status, cluster.status)
        return {
            **(found.workgroup or {}),
            "status": status,
            "endpoint": reached,
            "port": cluster.port or None,
        }

    def _check(self, params: Parameters) -> None:
        """Raise ServiceError for a workgroup that the service would not take."""
        for each in params.get("configParameters") or []:
            if each.get("parameterKey") not in SETTINGS:
                raise refused(f"Invalid parameter key: {each.get('parameterKey')}")
        base, most = params.get("baseCapacity"), params.get("maxCapacity")
        if base is not None and not (base == 4 or (8 <= base <= 1024 and base % 8 == 0)):
            raise refused(f"Invalid base capacity {base}: 4, or 8 to 1024 in steps of 8")
        if base is not None and most is not None and most < base:
            raise refused(f"Max capacity {most} is below base capacity {base}")
        if subnets := params.get("subnetIds"):
            listed = self.world.client("ec2", self.region).describe_subnets(SubnetIds=subnets)["Subnets"]
            zones = {subnet["AvailabilityZone"] for subnet in listed}
            if len(zones) < ZONES:
                text = f"Insufficient number of Availability Zones: the subnets are in {len(zones)}, "
                raise refused(f"{text}a workgroup needs subnets in {ZONES}.")

    # ------------------------------------------------------------ snapshots and tags

    def _snapshot(self, found: Namespace, name: str, days: int | None) -> dict[str, Any]:
        if name in self._snapshots:
            raise refused(f"Snapshot {name} already exists.", "ConflictException")
        kept = ("namespaceName", "namespaceArn", "adminUsername", "kmsKeyId")
        self._snapshots[name] = {
            **{key: found.record[key] for key in kept},
            "snapshotName": name,
            "snapshotArn": f"{self.arn}:snapshot/{new_id('', 32, '0123456789abcdef')}",
            "snapshotCreateTime": now(),
            "snapshotRetentionPeriod": days if days is not None else -1,
            "status": "AVAILABLE",
        }
        return self._snapshots[name]

    def create_snapshot(self, params: Parameters) -> Answer:
        """The new snapshot."""
        found = self._namespace(params)
        return {"snapshot": self._snapshot(found, params["snapshotName"], params.get("retentionPeriod"))}

    def get_snapshot(self, params: Parameters) -> Answer:
        """The snapshot."""
        for each in self._snapshots.values():
            if (
                params.get("snapshotName") == each["snapshotName"]
                or params.get("snapshotArn") == each["snapshotArn"]
            ):
                return {"snapshot": each}
        raise refused(f"Snapshot {params.get('snapshotName')} not found.", "ResourceNotFoundException")

    def list_snapshots(self, params: Parameters) -> Answer:
        """The snapshots, of one namespace when it is named."""
        wanted = params.get("namespaceName")
        found = [each for each in self._snapshots.values() if wanted in (None, each["namespaceName"])]
        return page("snapshots", found, params, "maxResults", "nextToken")

    def delete_snapshot(self, params: Parameters) -> Answer:
        """The snapshot that is gone."""
        snapshot = self.get_snapshot(params)["snapshot"]
        del self._snapshots[snapshot["snapshotName"]]
        return {"snapshot": {**snapshot, "status": "DELETED"}}

    def list_tags_for_resource(self, params: Parameters) -> Answer:
        """The tags of a namespace or workgroup."""
        tags = self._tagged(params)
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def tag_resource(self, params: Parameters) -> Answer:
        """Nothing; the tags are added."""
        self._tagged(params).update(tag_map(params["tags"]))
        return {}

    def untag_resource(self, params: Parameters) -> Answer:
        """Nothing; the tags are removed."""
        for key in params["tagKeys"]:
            self._tagged(params).pop(key, None)
        return {}

    def _tagged(self, params: Parameters) -> dict[str, str]:
        if params["resourceArn"] not in self._tags:
            raise refused(f"Resource {params['resourceArn']} not found.", "ResourceNotFoundException")
        return self._tags[params["resourceArn"]]

    def resume(self) -> list[Cluster]:
        """The servers of all workgroups, which start again."""
        _running.append(self)
        self.world.data_owners.append(self._folders)
        for found in self._namespaces.values():
            found.resume()
        return [found.cluster for found in self._namespaces.values()]

    def _folders(self) -> set[str]:
        return {each.cluster.server.name for each in self._namespaces.values()}

    def stop(self) -> None:
        """Stop the servers and remove their data."""
        for found in self._namespaces.values():
            found.cluster.finish()
            found.cluster.remove()


def handler(world: World) -> Handler:
    """The handler of requests to Redshift Serverless."""
    databases.installation(world)

    def make(region: str) -> Serverless:
        made = Serverless(world, region)
        _running.append(made)
        return made

    return whole("redshift-serverless", world, make)


def rotation(world: World, secret: str) -> Callable[[], str] | None:
    """What rotates a managed admin secret of this embedded AWS; None when it is of no namespace."""
    found = (each.rotation(secret) for each in _running if each.world is world)
    return next((rotate for rotate in found if rotate), None)


def stop() -> None:
    """Stop every server and remove what it left."""
    worlds = []
    while _running:
        serverless = _running.pop()
        serverless.stop()
        worlds.append(serverless.world)
    for world in worlds:
        databases.close(world)
