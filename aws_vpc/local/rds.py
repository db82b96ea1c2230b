"""RDS in front of moto: every PostgreSQL instance is a real server.

    CreateDBInstance ─► checked ─► moto's record ─► server started in the background ─► available | failed

moto keeps the records (subnet groups, parameter groups, snapshots, tags). Status, endpoint and master
password are those of the server. Instances of other engines, and clusters of instances, are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from aws_vpc.local import database_interfaces, databases, ec2_interfaces
from aws_vpc.local.databases import Making, lower_identifier, with_parameters
from aws_vpc.local.postgres import Postgres
from aws_vpc.local.rds_instance import GRANTED, Instance, must_be
from aws_vpc.local.rds_restores import Restores, latest
from aws_vpc.local.rds_rules import check_create, check_engine, check_password, engine_versions
from aws_vpc.local.snapshots import Snapshots
from aws_vpc.local.wire import Forward, Handler, Request, Response, ServiceError, answer, form, parse
from aws_vpc.local.world import World

Result = dict[str, Any]
SPECIALS = "!#$%&()*+-.:;<=>?[]^_{|}~"  # no / @ " or blank
_running = databases.Running()


class Instances:
    """The DB instances of an embedded AWS, by Region and identifier."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._found: dict[tuple[str, str], Instance] = {}
        self._snapshots = Snapshots(world, "rds", "DBSnapshot")
        self._operations: Mapping[str, Callable[[Request, Forward, Result], Response]] = {
            "CreateDBInstance": self._create,
            "ModifyDBInstance": self._modify,
            "DeleteDBInstance": self._delete,
            "StopDBInstance": self._stop,
            "StartDBInstance": self._start,
            "RebootDBInstance": self._reboot,
            "DescribeDBEngineVersions": self._engine_versions,
            "CreateDBCluster": self._refuse_cluster,
            "CopyDBSnapshot": self._snapshots.copied,
            "DeleteDBSnapshot": self._snapshots.deleted,
            **Restores(world, self._named, self._snapshots, self._started).operations,
        }

    def handle(self, request: Request, forward: Forward) -> Response:
        """The answer to a request to RDS."""
        request = lower_identifier(request, "DBInstanceIdentifier")
        operation = form(request).get("Action", "")
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
        must_be(instance, "available")
        version, password = self._renew(instance, region)
        instance.server.set_password(instance.user, password)
        return version

    def _make(self, instance: Instance, region: str) -> None:
        """Make the server with its users, and have it on the disk before anybody is told."""
        server, user, making = instance.server, instance.user, instance.making
        assert making is not None
        if making.snapshot:
            self._snapshots.put(region, making.snapshot, server)
            server.start()
            if making.password:
                server.set_password(user, making.password)
        else:
            server.start()
            server.create_rds_superuser(GRANTED)
            server.create_master(user, str(making.password), making.database, ("rds_superuser",))
        instance.making = None
        self.world.settle("rds")
        if making.snapshot == latest(server.name.removeprefix("rds-")):
            self._snapshots.forget(region, making.snapshot)

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
        check_engine(asked)
        check_create(asked)
        making = Making(asked.get("MasterUserPassword"), asked.get("DBName"))
        return self._started(request, forward(request), asked["MasterUsername"], making)

    def _started(self, request: Request, response: Response, user: str, making: Making) -> Response:
        """moto's answer to what makes an instance, and the server that is being made."""
        if response.status != 200:
            return response
        operation, region = form(request)["Action"], request.region
        made = databases.result("rds", operation, response)["DBInstance"]
        identifier = made["DBInstanceIdentifier"]
        server = databases.server(self.world, f"rds-{identifier}", tls=True)
        instance = self._found[region, identifier] = Instance(identifier, server, user)
        database_interfaces.place_instance(self.world, region, instance.name, made)
        if "MasterUserSecret" in made:  # also of a restore whose source had one: moto makes another
            making = replace(making, password=self._manage(instance, made, region))
        instance.making = making
        instance.status = "creating"
        answer = self._corrected(operation, response, region)  # before there is anything else to tell
        instance.begin("creating", "available", partial(self._make, instance, region))
        return answer

    def _refuse_cluster(self, request: Request, forward: Forward, asked: Result) -> Response:
        check_engine(asked)
        text = "CreateDBCluster is not part of the embedded AWS, which runs instances only."
        raise ServiceError("UnsupportedOperation", text)

    def _modify(self, request: Request, forward: Forward, asked: Result) -> Response:
        instance = self._instance(request)
        if instance is None:
            return forward(request)
        password = asked.get("MasterUserPassword")
        if password is not None:
            check_password(password)
        if password or asked.get("ManageMasterUserPassword") or asked.get("RotateMasterUserPassword"):
            must_be(instance, "available")
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
        must_be(instance, before)
        response = forward(request)
        if response.status == 200:
            instance.begin(doing, then, lambda: work(instance.server))
            return self._corrected(operation, response, request.region, {"DBInstanceStatus": doing})
        return response

    def _engine_versions(self, request: Request, forward: Forward, asked: Result) -> Response:
        if asked.get("Engine") not in (None, "postgres"):
            return forward(request)
        return answer("rds", "DescribeDBEngineVersions", {"DBEngineVersions": engine_versions(asked)})

    # ------------------------------------------------------------ facts

    def _named(self, region: str, identifier: str) -> Instance | None:
        return self._found.get((region, identifier))

    def _instance(self, request: Request) -> Instance | None:
        return self._named(request.region, form(request).get("DBInstanceIdentifier", ""))

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
