"""Redshift in front of moto: every cluster is a real server that the real driver connects to.

    CreateCluster ─► checked ─► moto's record ─► PostgreSQL ─► warehouse process ─► available | failed

moto keeps the records (subnet groups, parameter groups, snapshots, tags). Status, endpoint, IAM roles
and master password are those of the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aws_vpc.local import database_interfaces, databases, ec2_interfaces, redshift_subnets
from aws_vpc.local.databases import lower_identifier, with_parameters
from aws_vpc.local.redshift_cluster import Cluster
from aws_vpc.local.redshift_parameters import ParameterGroups
from aws_vpc.local.redshift_rules import check_create, check_password
from aws_vpc.local.redshift_schedules import ScheduledActions
from aws_vpc.local.wire import Forward, Handler, Request, Response, ServiceError, answer, form, parse
from aws_vpc.local.world import World

Result = dict[str, Any]
SPECIALS = "!#$%&()*+-.:;<=>?[]^_{|}~"  # no / @ " ' \ or blank

_running = databases.Running()


class Clusters:
    """The clusters of an embedded AWS, by Region and identifier."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._found: dict[tuple[str, str], Cluster] = {}
        groups, self._schedules = ParameterGroups(), ScheduledActions(world)
        world.keep("redshift.groups", groups, "_set")
        world.keep("redshift.schedules", self._schedules, "_found", resume=self._schedules.resume)
        self._operations: Mapping[str, Callable[[Request, Forward, Result], Response]] = {
            "ModifyClusterParameterGroup": groups.modify,
            "ResetClusterParameterGroup": groups.reset,
            "DescribeClusterParameters": groups.describe,
            "DeleteClusterParameterGroup": groups.forget,
            "CreateCluster": self._create,
            "ModifyCluster": self._modify,
            "ModifyClusterIamRoles": self._modify_roles,
            "DeleteCluster": self._delete,
            "PauseCluster": self._pause,
            "ResumeCluster": self._resume,
            "RebootCluster": self._reboot,
            "ModifyClusterSubnetGroup": redshift_subnets.modify,
            **self._schedules.operations,
        }

    def handle(self, request: Request, forward: Forward) -> Response:
        """The answer to a request to Redshift."""
        request = lower_identifier(request, "ClusterIdentifier")
        operation = form(request).get("Action", "")
        if operation == "RestoreFromClusterSnapshot":
            raise NotImplementedError("RestoreFromClusterSnapshot is not available")
        own = self._operations.get(operation)
        if own is None:
            return self._corrected(operation, forward(request), request.region)
        return own(request, forward, parse("redshift", request)[1])

    def resume(self) -> list[Cluster]:
        """All clusters; the servers of those that were not paused start again."""
        for cluster in list(self._found.values()):
            cluster.resume("rebooting", "available", "paused")
        return list(self._found.values())

    def stop(self) -> None:
        """Stop all clusters and remove their data."""
        self._schedules.stop()
        for cluster in list(self._found.values()):
            cluster.finish()
            cluster.remove()
        self._found.clear()

    def rotation(self, secret: str) -> Callable[[], str] | None:
        """What rotates the secret and the password of its cluster; None when it is of no cluster here."""
        found = (each for each in list(self._found.values()) if each.secret == secret)
        return next((partial(self._rotate, each) for each in found), None)

    def _rotate(self, cluster: Cluster) -> str:
        self._must_be(cluster, "available")
        version, password = self._renew(cluster)
        cluster.server.set_password(cluster.user, password)
        return version

    # ------------------------------------------------------------ operations

    def _create(self, request: Request, forward: Forward, asked: Result) -> Response:
        check_create(asked)
        response = forward(request)
        if response.status != 200:
            return response
        record = databases.result("redshift", "CreateCluster", response)["Cluster"]
        cluster = Cluster(self.world, request.region, record)
        cluster.default_role = asked.get("DefaultIamRoleArn")
        self._found[request.region, cluster.identifier] = cluster
        database_interfaces.place_cluster(self.world, request.region, cluster.name, record)
        password = asked.get("MasterUserPassword") or self._manage(cluster, asked)
        database = asked.get("DBName") or "dev"
        cluster.making = (password, database)
        cluster.begin("creating", "available", cluster.make)
        return self._corrected("CreateCluster", response, request.region, {"ClusterStatus": "creating"})

    def _modify(self, request: Request, forward: Forward, asked: Result) -> Response:
        cluster = self._cluster(request)
        password, managed = asked.get("MasterUserPassword"), asked.get("ManageMasterPassword")
        if password is not None:
            check_password(password)
        if password or managed:
            self._must_be(cluster, "available")
        response = forward(request)
        if response.status != 200:
            return response
        record = databases.result("redshift", "ModifyCluster", response)["Cluster"]
        database_interfaces.place_cluster(self.world, request.region, cluster.name, record)
        if managed:
            password = self._manage(cluster, asked)
        elif managed is False and cluster.secret:
            self._forget_secret(cluster)
        if password:
            cluster.server.set_password(cluster.user, password)
        if new := asked.get("NewClusterIdentifier"):
            self._found[request.region, new.lower()] = self._found.pop((request.region, cluster.identifier))
            cluster.identifier = new.lower()
        return self._corrected("ModifyCluster", response, request.region)

    def _modify_roles(self, request: Request, forward: Forward, asked: Result) -> Response:
        cluster = self._cluster(request)
        removed, added = asked.get("RemoveIamRoles") or [], asked.get("AddIamRoles") or []
        kept = [role for role in cluster.roles if role not in removed]
        cluster.roles = kept + [role for role in added if role not in kept]
        if "DefaultIamRoleArn" in asked:
            cluster.default_role = asked["DefaultIamRoleArn"] or None
        cluster.tell()
        record = self._record(request, forward)
        cluster.correct(record)
        return answer("redshift", "ModifyClusterIamRoles", {"Cluster": record})

    def _delete(self, request: Request, forward: Forward, asked: Result) -> Response:
        cluster = self._cluster(request)
        if not asked.get("SkipFinalClusterSnapshot") and not asked.get("FinalClusterSnapshotIdentifier"):
            text = "FinalClusterSnapshotIdentifier is required unless SkipFinalClusterSnapshot is specified."
            raise ServiceError("InvalidParameterCombination", text)
        skip = "true" if asked.get("SkipFinalClusterSnapshot") else "false"  # moto takes silence for yes
        response = forward(with_parameters(request, SkipFinalClusterSnapshot=skip))
        if response.status != 200:
            return response
        cluster.finish()
        cluster.status = "deleting"
        corrected = self._corrected("DeleteCluster", response, request.region)
        self._found.pop((request.region, cluster.identifier), None)
        ec2_interfaces.remove(self.world, request.region, cluster.name)
        self.world.settle("redshift")
        cluster.remove()
        if cluster.secret:
            self._forget_secret(cluster)
        return corrected

    def _pause(self, request: Request, forward: Forward, asked: Result) -> Response:
        return self._change(request, forward, "available", "pausing", "paused", Cluster.close)

    def _resume(self, request: Request, forward: Forward, asked: Result) -> Response:
        return self._change(request, forward, "paused", "resuming", "available", Cluster.reopen)

    def _reboot(self, request: Request, forward: Forward, asked: Result) -> Response:
        cluster = self._cluster(request)
        self._must_be(cluster, "available")
        record = self._record(request, forward)
        cluster.begin("rebooting", "available", cluster.restart)
        cluster.correct(record)
        return answer("redshift", "RebootCluster", {"Cluster": {**record, "ClusterStatus": "rebooting"}})

    def _change(
        self,
        request: Request,
        forward: Forward,
        before: str,
        doing: str,
        then: str,
        work: Callable[[Cluster], None],
    ) -> Response:
        cluster, operation = self._cluster(request), form(request)["Action"]
        self._must_be(cluster, before)
        response = forward(request)
        if response.status == 200:
            cluster.begin(doing, then, lambda: work(cluster))
        return self._corrected(operation, response, request.region, {"ClusterStatus": doing})

    # ------------------------------------------------------------ facts

    def _cluster(self, request: Request) -> Cluster:
        name = form(request).get("ClusterIdentifier", "")
        found = self._found.get((request.region, name))
        if found is None:
            raise ServiceError("ClusterNotFound", f"Cluster {name} not found.", 404)
        return found

    def _record(self, request: Request, forward: Forward) -> Result:
        """moto's record of the cluster that the request names."""
        asked = form(request)
        question: dict[str, str | None] = dict.fromkeys(asked)
        question["Action"] = "DescribeClusters"
        question |= {name: asked[name] for name in ("Version", "ClusterIdentifier")}
        response = forward(with_parameters(request, **question))
        clusters = databases.result("redshift", "DescribeClusters", response)["Clusters"]
        return dict(clusters[0])

    def _must_be(self, cluster: Cluster, status: str) -> None:
        if cluster.status != status:
            text = f"There is an operation running on the Cluster. Please try to {status} it at a later time."
            if cluster.status in ("available", "paused", "failed"):
                text = f"Cluster {cluster.identifier} is in state {cluster.status}, not {status}."
            raise ServiceError("InvalidClusterState", text)

    def _manage(self, cluster: Cluster, asked: Result) -> str:
        """A new master password, put into the cluster's managed secret, which is made if there is none."""
        if cluster.secret:
            return self._renew(cluster)[1]
        password, value = databases.login(cluster.user, SPECIALS)
        secrets = self.world.client("secretsmanager", cluster.region)
        arn = f"arn:aws:redshift:{cluster.region}:{self.world.account}:namespace:{cluster.identifier}"
        tags = {"aws:redshift:primaryClusterArn": arn, "aws:secretsmanager:owningService": "redshift"}
        key = asked.get("MasterPasswordSecretKmsKeyId")
        made = secrets.create_secret(
            Name=f"redshift!{cluster.identifier}-{cluster.user}",
            Description=f"The admin credentials of the cluster {cluster.identifier}",
            SecretString=value,
            Tags=[{"Key": name, "Value": text} for name, text in tags.items()],
            **({"KmsKeyId": key} if key else {}),
        )
        cluster.secret, cluster.secret_key = made["ARN"], key
        return password

    def _renew(self, cluster: Cluster) -> tuple[str, str]:
        """The new version of the managed secret, and the password in it."""
        client = self.world.client("secretsmanager", cluster.region)
        return databases.renew(client, str(cluster.secret), cluster.user, SPECIALS)

    def _forget_secret(self, cluster: Cluster) -> None:
        secrets = self.world.client("secretsmanager", cluster.region)
        secrets.delete_secret(SecretId=cluster.secret, ForceDeleteWithoutRecovery=True)
        cluster.secret = None

    def _corrected(
        self, operation: str, response: Response, region: str, fixed: Mapping[str, Any] | None = None
    ) -> Response:
        """moto's answer with what is really there."""

        def correct(record: Result) -> None:
            if cluster := self._found.get((region, record["ClusterIdentifier"])):
                cluster.correct(record)
                record.update(fixed or {})

        return databases.corrected("redshift", operation, response, "Cluster", correct)


def handler(world: World) -> Handler:
    """The handler of requests to Redshift."""
    clusters = Clusters(world)
    world.keep("redshift", clusters, "_found", resume=clusters.resume)
    world.data_owners.append(lambda: {each.server.name for each in clusters._found.values()})
    databases.installation(world)
    _running.add(clusters)
    return clusters.handle


rotation, stop = _running.rotation, _running.stop
