"""RDS in front of moto: every PostgreSQL instance is a real server.

    CreateDBInstance ─► checked ─► moto's record ─► server started in the background ─► available | failed

moto keeps the records (subnet groups, parameter groups, snapshots, tags). Status, endpoint and master
password are those of the server. Instances of other engines are records only, as moto has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aws_vpc.local import database_interfaces, databases, ec2_interfaces
from aws_vpc.local.databases import lower_identifier, with_parameters
from aws_vpc.local.postgres import Postgres
from aws_vpc.local.rds_instance import GRANTED, Instance, Making
from aws_vpc.local.rds_rules import check_create, check_password, engine_versions
from aws_vpc.local.rds_snapshots import Snapshots
from aws_vpc.local.wire import Forward, Handler, Request, Response, ServiceError, answer, form, parse
from aws_vpc.local.world import World

Result = dict[str, Any]
SPECIALS = "!#$%&()*+-.:;<=>?[]^_{|}~"  # no / @ " or blank
_NO_SERVER_YET = (
    "RestoreDBInstanceToPointInTime",
    "CreateDBInstanceReadReplica",
)

_running = databases.Running()


class Instances:
    """The DB instances of an embedded AWS, by Region and identifier."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._found: dict[tuple[str, str], Instance] = {}
        self._snapshots = Snapshots(world)
        self._operations: Mapping[str, Callable[[Request, Forward, Result], Response]] = {
            "CreateDBInstance": self._create,
            "ModifyDBInstance": self._modify,
            "DeleteDBInstance": self._delete,
            "StopDBInstance": self._stop,
            "StartDBInstance": self._start,
            "RebootDBInstance": self._reboot,
            "DescribeDBEngineVersions": self._engine_versions,
            "CreateDBSnapshot": self._snapshot,
            "CopyDBSnapshot": self._snapshots.copied,
            "DeleteDBSnapshot": self._snapshots.deleted,
            "RestoreDBInstanceFromDBSnapshot": self._restore,
        }

    def handle(self, request: Request, forward: Forward) -> Response:
        """The answer to a request to RDS."""
        request = lower_identifier(request, "DBInstanceIdentifier")
        operation = form(request).get("Action", "")
        if operation in _NO_SERVER_YET and self._source(request):
            raise NotImplementedError(f"{operation} of a PostgreSQL instance is not available")
        own = self._operations.get(operation)
        if own is None:
            return self._corrected(operation, forward(request), request.region)
        return own(request, forward, parse("rds", request)[1])

    def stop(self) -> None:
        """Stop all servers and remove their data."""
        for instance in list(self._found.values()):
            instance.finish()
            instance.server.remove()
        self._found.clear()
        self._snapshots.stop()

    def rotation(self, secret: str) -> Callable[[], str] | None:
        """What rotates the secret and the password of its instance; None when it is of no instance here."""
        for (region, _), instance in list(self._found.items()):
            if instance.secret == secret:
                return partial(self._rotate, instance, region)
        return None

    def _rotate(self, instance: Instance, region: str) -> str:
        self._must_be(instance, "available")
        version, password = self._renew(instance, region)
        instance.server.set_password(instance.user, password)
        return version

    def _make(self, instance: Instance, region: str) -> None:
        """Make the server with its users, and have it on the disk before anybody is told."""
        server, user, making = instance.server, instance.user, instance.making
        assert making is not None
        if making.snapshot:
            self._snapshots.restore(region, making.snapshot, server)
            if making.password:
                server.set_password(user, making.password)
        else:
            server.start()
            server.create_rds_superuser(GRANTED)
            server.create_master(user, str(making.password), making.database, ("rds_superuser",))
        instance.making = None
        self.world.settle("rds")

    def folders(self) -> set[str]:
        """The names of the data folders of instances and snapshots."""
        return {each.server.name for each in self._found.values()} | self._snapshots.folders()

    def resume(self) -> list[Instance]:
        """All instances; the servers that were not stopped start again, or are made anew."""
        for (region, _), instance in list(self._found.items()):
            if instance.making is not None:
                instance.server.forget()
                instance.begin("creating", "available", partial(self._make, instance, region))
            elif instance.status in ("stopped", "stopping"):
                instance.status = "stopped"
            elif instance.status != "failed":
                instance.begin("starting", "available", instance.server.start)
        return list(self._found.values())

    # ------------------------------------------------------------ operations

    def _create(self, request: Request, forward: Forward, asked: Result) -> Response:
        if asked.get("Engine") != "postgres":
            return forward(request)
        check_create(asked)
        response = forward(request)
        if response.status != 200:
            return response
        made = databases.result("rds", "CreateDBInstance", response)["DBInstance"]
        identifier, user = made["DBInstanceIdentifier"], asked["MasterUsername"]
        server = databases.server(self.world, f"rds-{identifier}", tls=True)
        instance = self._found[request.region, identifier] = Instance(identifier, server, user)
        database_interfaces.place_instance(self.world, request.region, instance.name, made)
        password = asked.get("MasterUserPassword") or self._manage(instance, made, request.region)
        instance.making = Making(password, asked.get("DBName"))
        instance.begin("creating", "available", partial(self._make, instance, request.region))
        return self._corrected("CreateDBInstance", response, request.region)

    def _modify(self, request: Request, forward: Forward, asked: Result) -> Response:
        instance = self._instance(request)
        if instance is None:
            return forward(request)
        password = asked.get("MasterUserPassword")
        if password is not None:
            check_password(password)
        if password or asked.get("ManageMasterUserPassword") or asked.get("RotateMasterUserPassword"):
            self._must_be(instance, "available")
        # Rotation is ours: moto would leave a version without a value behind.
        response = forward(with_parameters(request, RotateMasterUserPassword=None))
        if response.status != 200:
            return response
        record = databases.result("rds", "ModifyDBInstance", response)["DBInstance"]
        if asked.get("VpcSecurityGroupIds") or "MultiAZ" in asked:
            database_interfaces.place_instance(self.world, request.region, instance.name, record)
        if asked.get("ManageMasterUserPassword") or asked.get("RotateMasterUserPassword"):
            password = self._manage(instance, record, request.region)
        if password:
            instance.server.set_password(instance.user, password)
        if asked.get("ManageMasterUserPassword") is False:
            instance.secret = None
        if asked.get("NewDBInstanceIdentifier"):
            del self._found[request.region, asked["DBInstanceIdentifier"]]
            self._found[request.region, record["DBInstanceIdentifier"]] = instance
        return self._corrected("ModifyDBInstance", response, request.region)

    def _delete(self, request: Request, forward: Forward, asked: Result) -> Response:
        instance = self._instance(request)
        if instance is None:
            return forward(request)
        if not asked.get("SkipFinalSnapshot") and not asked.get("FinalDBSnapshotIdentifier"):
            text = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
            raise ServiceError("InvalidParameterCombination", text)
        response = forward(request)
        if response.status != 200:
            return response
        instance.finish()
        final = asked.get("FinalDBSnapshotIdentifier")
        if final and not asked.get("SkipFinalSnapshot") and instance.status != "failed":
            instance.server.stop()
            self._snapshots.take(request.region, final.lower(), instance.server, instance.user)
        instance.status = "deleting"
        corrected = self._corrected("DeleteDBInstance", response, request.region)
        del self._found[request.region, asked["DBInstanceIdentifier"]]
        ec2_interfaces.remove(self.world, request.region, instance.name)
        self.world.settle("rds")
        instance.server.remove()
        return corrected

    def _stop(self, request: Request, forward: Forward, asked: Result) -> Response:
        return self._change(request, forward, "available", "stopping", "stopped", Postgres.stop)

    def _start(self, request: Request, forward: Forward, asked: Result) -> Response:
        return self._change(request, forward, "stopped", "starting", "available", Postgres.start)

    def _reboot(self, request: Request, forward: Forward, asked: Result) -> Response:
        return self._change(request, forward, "available", "rebooting", "available", Postgres.restart)

    def _change(
        self,
        request: Request,
        forward: Forward,
        before: str,
        doing: str,
        then: str,
        work: Callable[[Postgres], None],
    ) -> Response:
        instance, operation = self._instance(request), form(request)["Action"]
        if instance is None:
            return forward(request)
        self._must_be(instance, before)
        response = forward(request)
        if response.status == 200:
            instance.begin(doing, then, lambda: work(instance.server))
            return self._corrected(operation, response, request.region, {"DBInstanceStatus": doing})
        return response

    def _engine_versions(self, request: Request, forward: Forward, asked: Result) -> Response:
        if asked.get("Engine") not in (None, "postgres"):
            return forward(request)
        return answer("rds", "DescribeDBEngineVersions", {"DBEngineVersions": engine_versions(asked)})

    # ------------------------------------------------------------ snapshots

    def _snapshot(self, request: Request, forward: Forward, asked: Result) -> Response:
        instance = self._instance(request)
        if instance and instance.status not in ("available", "stopped"):
            self._must_be(instance, "available")
        response = forward(request)
        if instance and response.status == 200:
            identifier = asked["DBSnapshotIdentifier"].lower()
            self._snapshots.take(request.region, identifier, instance.server, instance.user)
        return response

    def _restore(self, request: Request, forward: Forward, asked: Result) -> Response:
        source = asked["DBSnapshotIdentifier"].rpartition(":snapshot:")[2].lower()
        pages = self.world.client("rds", request.region).get_paginator("describe_db_snapshots").paginate()
        known = {
            each["DBSnapshotIdentifier"]: each["Engine"] for page in pages for each in page["DBSnapshots"]
        }
        if known.get(source) == "postgres":
            self._snapshots.user(request.region, source)  # refuses before there is a record
        response = forward(request)
        if response.status != 200:
            return response
        made = databases.result("rds", "RestoreDBInstanceFromDBSnapshot", response)["DBInstance"]
        if made["Engine"] != "postgres":
            return response
        identifier, user = made["DBInstanceIdentifier"], self._snapshots.user(request.region, source)
        server = databases.server(self.world, f"rds-{identifier}", tls=True)
        instance = self._found[request.region, identifier] = Instance(identifier, server, user)
        database_interfaces.place_instance(self.world, request.region, instance.name, made)
        managed = "MasterUserSecret" in made  # also when the source had one: moto makes another
        password = self._manage(instance, made, request.region) if managed else None
        instance.making = Making(password, snapshot=source)
        instance.begin("creating", "available", partial(self._make, instance, request.region))
        return self._corrected("RestoreDBInstanceFromDBSnapshot", response, request.region)

    # ------------------------------------------------------------ facts

    def _instance(self, request: Request) -> Instance | None:
        return self._found.get((request.region, form(request).get("DBInstanceIdentifier", "")))

    def _source(self, request: Request) -> bool:
        """Whether the operation would copy one of our servers."""
        named = form(request)
        source = named.get("SourceDBInstanceIdentifier") or named.get("DBSnapshotIdentifier") or ""
        return bool(source)

    def _must_be(self, instance: Instance, status: str) -> None:
        if instance.status != status:
            name = instance.name.removeprefix("rds-")
            raise ServiceError("InvalidDBInstanceState", f"Instance {name} is not in {status} state.")

    def _manage(self, instance: Instance, record: Result, region: str) -> str:
        """A new master password, put into the managed secret that moto made."""
        instance.secret = record["MasterUserSecret"]["SecretArn"]
        return self._renew(instance, region)[1]

    def _renew(self, instance: Instance, region: str) -> tuple[str, str]:
        """The new version of the managed secret, and the password in it."""
        client = self.world.client("secretsmanager", region)
        return databases.renew(client, str(instance.secret), instance.user, SPECIALS)

    def _corrected(
        self, operation: str, response: Response, region: str, fixed: Mapping[str, Any] | None = None
    ) -> Response:
        """moto's answer with what is really there."""

        def correct(record: Result) -> None:
            if instance := self._found.get((region, record["DBInstanceIdentifier"])):
                instance.correct(record)
                record.update(fixed or {})

        return databases.corrected("rds", operation, response, "DBInstance", correct)


def handler(world: World) -> Handler:
    """The handler of requests to RDS."""
    instances = Instances(world)
    world.keep("rds", instances, "_found", resume=instances.resume)
    world.data_owners.append(instances.folders)
    databases.installation(world)
    _running.add(instances)
    return instances.handle


rotation, stop = _running.rotation, _running.stop
