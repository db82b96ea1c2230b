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
from aws_vpc.local.databases import Making, lower_identifier, with_parameters
from aws_vpc.local.redshift_cluster import Cluster
from aws_vpc.local.redshift_parameters import ParameterGroups
from aws_vpc.local.redshift_rules import check_create, check_password
from aws_vpc.local.redshift_schedules import ScheduledActions
from aws_vpc.local.snapshots import Snapshots, plain
from aws_vpc.local.wire import Forward, Handler, Request, Response, ServiceError, answer, form, parse
from aws_vpc.local.world import World

Result = dict[str, Any]
SECRET_KEY = "MasterPasswordSecretKmsKeyId"

_running = databases.Running()


class Clusters:
    """The clusters of an embedded AWS, by Region and identifier."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._found: dict[tuple[str, str], Cluster] = {}
        groups, self._schedules = ParameterGroups(), ScheduledActions(world)
        self.snapshots = Snapshots(world, "redshift", "Snapshot")
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
            "CreateClusterSnapshot": self._snapshot,
            "DeleteClusterSnapshot": self.snapshots.deleted,
            "RestoreFromClusterSnapshot": self._restore,
            **self._schedules.operations,
        }

    def handle(self, request: Request, forward: Forward) -> Response:
        """The answer to a request to Redshift."""
        for name in ("ClusterIdentifier", "SnapshotIdentifier", "FinalClusterSnapshotIdentifier"):
            request = lower_identifier(request, name)
        operation = form(request).get("Action", "")
        own = self._operations.get(operation)
        if own is None:
            return self._corrected(operation, forward(request), request.region)
        return own(request, forward, parse("redshift", request)[1])

    def resume(self) -> list[Cluster]:
        """All clusters; the servers of those that were not paused start again."""
        for cluster in list(self._found.values()):
            cluster.resume("rebooting", "available", "paused", self.snapshots)
        return list(self._found.values())

    def stop(self) -> None:
        """Stop all clusters and remove their data."""
        self._schedules.stop()
        for cluster in list(self._found.values()):
            cluster.finish()
            cluster.remove()
        self._found.clear()
        self.snapshots.stop()

    def rotation(self, secret: str) -> Callable[[], str] | None:
        """What rotates the secret and the password of its cluster; None when it is of no cluster here."""
        found = (each for each in list(self._found.values()) if each.secret == secret)
        return next((partial(self._rotate, each) for each in found), None)

    def _rotate(self, cluster: Cluster) -> str:
        self._must_be(cluster, "available")
        version, password = cluster.renew()
        cluster.server.set_password(cluster.user, password)
        return version

    # ------------------------------------------------------------ operations

    def _create(self, request: Request, forward: Forward, asked: Result) -> Response:
        check_create(asked)
        response = forward(request)
        if response.status != 200:
            return response
        cluster = self._added(request, response, asked)
        password = asked.get("MasterUserPassword") or cluster.manage(asked.get(SECRET_KEY))
        return self._made(cluster, Making(password, asked.get("DBName") or "dev"), request, response)

    def _restore(self, request: Request, forward: Forward, asked: Result) -> Response:
        source = plain(asked.get("SnapshotIdentifier") or asked.get("SnapshotArn") or "")
        client = self.world.client("redshift", request.region)
        known = client.get_paginator("describe_cluster_snapshots").paginate()
        if source in {each["SnapshotIdentifier"] for page in known for each in page["Snapshots"]}:
            self.snapshots.user(request.region, source)  # refuses before there is a record
        response = forward(with_parameters(request, SnapshotIdentifier=source, SnapshotArn=None))
        if response.status != 200:
            return response
        cluster = self._added(request, response, asked)
        cluster.user = self.snapshots.user(request.region, source)
        password = cluster.manage(asked.get(SECRET_KEY)) if asked.get("ManageMasterPassword") else None
        return self._made(cluster, Making(password, snapshot=source), request, response)

    def _added(self, request: Request, response: Response, asked: Result) -> Cluster:
        """The new cluster that moto has a record of, in its subnets."""
        record = databases.result("redshift", form(request)["Action"], response)["Cluster"]
        cluster = Cluster(self.world, request.region, record)
        cluster.roles = list(asked.get("IamRoles") or cluster.roles)
        cluster.default_role = asked.get("DefaultIamRoleArn")
        self._found[request.region, cluster.identifier] = cluster
        database_interfaces.place_cluster(self.world, request.region, cluster.name, record)
        return cluster

    def _made(self, cluster: Cluster, making: Making, request: Request, response: Response) -> Response:
        """moto's answer, and the servers of the cluster being made."""
        cluster.making = making
        cluster.status = "creating"
        answer = self._corrected(form(request)["Action"], response, request.region)
        cluster.begin("creating", "available", partial(cluster.make, self.snapshots))
        return answer  # of before there was anything else to tell

    def _snapshot(self, request: Request, forward: Forward, asked: Result) -> Response:
        cluster = self._cluster(request)
        self._must_be(cluster, "available")
        response = forward(request)
        if response.status == 200:
            identifier = asked["SnapshotIdentifier"].lower()
            self.snapshots.take(request.region, identifier, cluster.server, cluster.user)
        return response

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
            password = cluster.manage(asked.get(SECRET_KEY))
        elif managed is False and cluster.secret:
            cluster.forget_secret()
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
        final = asked.get("FinalClusterSnapshotIdentifier")
        if final and not asked.get("SkipFinalClusterSnapshot") and cluster.status != "failed":
            cluster.close()
            self.snapshots.take(request.region, final.lower(), cluster.server, cluster.user)
        cluster.status = "deleting"
        corrected = self._corrected("DeleteCluster", response, request.region)
        self._found.pop((request.region, cluster.identifier), None)
        ec2_interfaces.remove(self.world, request.region, cluster.name)
        self.world.settle("redshift")
        cluster.remove()
        if cluster.secret:
            cluster.forget_secret()
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
    world.data_owners.append(
        lambda: {each.server.name for each in clusters._found.values()} | clusters.snapshots.folders()
    )
    databases.installation(world)
    _running.add(clusters)
    return clusters.handle


rotation, stop = _running.rotation, _running.stop
