"""RDS: instances that begin with another one's data, from a snapshot or from the instance as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_vpc.local.databases import Making, lower_identifier
from aws_vpc.local.rds_instance import Instance, must_be
from aws_vpc.local.rds_rules import check_time, refuse_replica
from aws_vpc.local.snapshots import Snapshots, plain
from aws_vpc.local.wire import Forward, Request, Response, ServiceError, form
from aws_vpc.local.world import World

Result = dict[str, Any]
Started = Callable[[Request, Response, str, Making], Response]


class Restores:
    """What takes the data of instances that `named` finds by Region and identifier, and starts others."""

    def __init__(
        self,
        world: World,
        named: Callable[[str, str], Instance | None],
        snapshots: Snapshots,
        started: Started,
    ) -> None:
        self._world, self._named, self._snapshots, self._started = world, named, snapshots, started
        self.operations: Mapping[str, Callable[[Request, Forward, Result], Response]] = {
            "CreateDBSnapshot": self._snapshot,
            "RestoreDBInstanceFromDBSnapshot": self._restore,
            "RestoreDBInstanceToPointInTime": self._restore_to_time,
            "CreateDBInstanceReadReplica": self._replicate,
            "PromoteReadReplica": self._promote,
        }

    def _snapshot(self, request: Request, forward: Forward, asked: Result) -> Response:
        instance = self._named(request.region, form(request).get("DBInstanceIdentifier", ""))
        if instance and instance.status != "stopped":
            must_be(instance, "available")
        response = forward(request)
        if instance and response.status == 200:
            identifier = asked["DBSnapshotIdentifier"].lower()
            self._snapshots.take(request.region, identifier, instance.server, instance.user)
        return response

    def _restore(self, request: Request, forward: Forward, asked: Result) -> Response:
        source = plain(asked["DBSnapshotIdentifier"])
        pages = self._world.client("rds", request.region).get_paginator("describe_db_snapshots").paginate()
        if source in {each["DBSnapshotIdentifier"] for page in pages for each in page["DBSnapshots"]}:
            self._snapshots.user(request.region, source)  # refuses before there is a record
        return self._restored(request, forward(request), source)

    def _restore_to_time(self, request: Request, forward: Forward, asked: Result) -> Response:
        """An instance like another as it stands: its data is copied before the answer."""
        request = lower_identifier(request, "TargetDBInstanceIdentifier")
        source = self._named(request.region, str(asked.get("SourceDBInstanceIdentifier")).lower())
        if source is not None:
            check_time(asked, self._record(request.region, source))
            if source.status != "stopped":
                must_be(source, "available")
        response = forward(request)
        if source is None or response.status != 200:
            return response
        name = latest(form(request)["TargetDBInstanceIdentifier"])
        self._snapshots.take(request.region, name, source.server, source.user)
        return self._restored(request, response, name)

    def _restored(self, request: Request, response: Response, source: str) -> Response:
        """moto's answer, and the server that is being made from the snapshot's data."""
        if response.status != 200:
            return response
        user = self._snapshots.user(request.region, source)
        return self._started(request, response, user, Making(None, snapshot=source))

    def _replicate(self, request: Request, forward: Forward, asked: Result) -> Response:
        found = self._named(request.region, asked["SourceDBInstanceIdentifier"].rpartition(":")[2].lower())
        if found is None:
            return forward(request)
        raise refuse_replica(self._record(request.region, found))

    def _promote(self, request: Request, forward: Forward, asked: Result) -> Response:
        name = form(request).get("DBInstanceIdentifier", "")
        if self._named(request.region, name) is None:
            raise ServiceError("DBInstanceNotFound", f"DBInstance {name} not found.", 404)
        raise ServiceError("InvalidDBInstanceState", f"DB Instance {name} is not a read replica.")

    def _record(self, region: str, instance: Instance) -> Result:
        """The record of an instance."""
        name = instance.name.removeprefix("rds-")
        found = self._world.client("rds", region).describe_db_instances(DBInstanceIdentifier=name)
        return dict(found["DBInstances"][0])


def latest(identifier: str) -> str:
    """What the data for an instance restored to the latest time is called; no snapshot may be called so."""
    return f"latest--{identifier}"
