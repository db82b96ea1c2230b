"""The namespaces of Redshift Serverless: their user, database, roles, password and data, and their secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from aws_vpc.local.databases import new_password
from aws_vpc.local.redshift_cluster import SPECIALS, Cluster
from aws_vpc.local.redshift_rules import check_password
from aws_vpc.local.redshift_serverless_records import Records, refused
from aws_vpc.local.service import Answer, Parameters, new_id, now, page, tag_map
from aws_vpc.local.world import World

NAME = re.compile(r"[a-z0-9-]{3,64}")
NAMESPACE = "adminUsername dbName defaultIamRoleArn iamRoles kmsKeyId logExports"


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


class Namespaces(Records):
    """The namespaces of one Region."""

    def __init__(self, world: World, region: str) -> None:
        super().__init__(f"arn:aws:redshift-serverless:{region}:{world.account}")
        self.world, self.region = world, region
        self._namespaces: dict[str, Namespace] = {}

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
            self.snapshot(
                found.record, params["finalSnapshotName"], params.get("finalSnapshotRetentionPeriod")
            )
        found.cluster.finish()
        if "adminPasswordSecretArn" in found.record:
            self._forget_secret(found)
        del self._namespaces[name]
        self.world.settle("redshift-serverless")
        found.cluster.remove()
        return {"namespace": {**found.record, "status": "DELETING"}}

    def create_snapshot(self, params: Parameters) -> Answer:
        """The new snapshot."""
        found = self._namespace(params)
        made = self.snapshot(found.record, params["snapshotName"], params.get("retentionPeriod"))
        return {"snapshot": made}

    def _namespace(self, params: Parameters) -> Namespace:
        name = params.get("namespaceName", "")
        if name not in self._namespaces:
            raise refused(f"Namespace {name} not found.", "ResourceNotFoundException")
        return self._namespaces[name]

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
