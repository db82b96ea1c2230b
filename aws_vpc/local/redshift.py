"""Redshift in front of moto: every cluster is a real server that the real driver connects to.

    CreateCluster ─► checked ─► moto's record ─► PostgreSQL ─► warehouse process ─► available | failed

moto keeps the records (subnet groups, parameter groups, snapshots, tags). Status, endpoint, IAM roles
and master password are those of the server.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aws_vpc.errors import LocalError
from aws_vpc.local import databases, redshift_subnets
from aws_vpc.local.databases import ADDRESS, Background, lower_identifier, new_password, with_parameters
from aws_vpc.local.postgres import free_port, last_reason
from aws_vpc.local.processes import Process
from aws_vpc.local.redshift_parameters import ParameterGroups
from aws_vpc.local.redshift_rules import check_create, check_password
from aws_vpc.local.redshift_schedules import ScheduledActions
from aws_vpc.local.warehouse import catalog
from aws_vpc.local.wire import Forward, Handler, Request, Response, ServiceError, answer, form, model, parse
from aws_vpc.local.world import World

Result = dict[str, Any]
SPECIALS = "!#$%&()*+-.:;<=>?[]^_{|}~"  # no / @ " ' \ or blank
# Redshift's master user is a superuser, who reads and writes every table.
GRANTED = ("pg_monitor", "pg_signal_backend", "pg_read_all_data", "pg_write_all_data")
START_TIMEOUT = 30.0
AVAILABILITY = {"available": "Available", "failed": "Failed", "modifying": "Modifying"}

_running: list[Clusters] = []


class Cluster(Background):
    """One cluster: its PostgreSQL, the warehouse process in front of it, its roles, what it is doing."""

    def __init__(self, world: World, region: str, record: Result) -> None:
        self.identifier: str = record["ClusterIdentifier"]
        super().__init__(f"redshift-{self.identifier}")
        self.world, self.region, self.user = world, region, str(record["MasterUsername"])
        self.server = databases.server(world, self.name, tls=False)
        self.roles = [role["IamRoleArn"] for role in record.get("IamRoles", ())]
        self.default_role: str | None = None
        self.secret: str | None = None
        self.secret_key: str | None = None
        self.port = 0
        self._process: Process | None = None
        self._state, self._ready = (world.run / f"{self.name}.{kind}.json" for kind in ("state", "ready"))
        self._log = world.logs / f"warehouse-{self.identifier}.log"

    def create(self, password: str, database: str) -> None:
        """Start both processes and make the master user and the first database."""
        self._start_server()
        with self.server.session("template1") as cursor:
            for statement in catalog.statements():
                cursor.execute(statement)
        self.server.create_master(self.user, password, database, GRANTED)
        self._await_warehouse()

    def _start_server(self) -> None:
        """Start PostgreSQL, and the warehouse process beside it: both take their time."""
        self.server.port = self.server.port or free_port()
        told = self.server.port
        self._start_warehouse()
        self.server.start()
        if self.server.port != told:  # somebody else was faster on that port
            self._end_warehouse()
            self._start_warehouse()

    def _start_warehouse(self) -> None:
        """Start the warehouse process, on the port of before if that is free."""
        self.world.run.mkdir(parents=True, exist_ok=True)
        self._ready.unlink(missing_ok=True)
        self.tell()
        certificates = self.world.certificates
        options = {
            "--port": self.port,
            "--server-port": self.server.port,
            "--certificate": certificates.server,
            "--key": certificates.key,
            "--state": self._state,
            "--ready": self._ready,
        }
        words = [str(word) for pair in options.items() for word in pair]
        self._process = self.world.processes.spawn(
            f"warehouse-{self.identifier}",
            [sys.executable, "-m", "aws_vpc.local.warehouse", *words],
            env={**self.world.child_environment(), "AWS_DEFAULT_REGION": self.region},
            log=self._log,
        )

    def _await_warehouse(self) -> None:
        """Wait until the warehouse process listens, and learn where."""
        ready, log = self._ready, self._log
        deadline = time.monotonic() + START_TIMEOUT
        while not ready.exists():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace") if log.exists() else ""
                raise LocalError(f"the warehouse process did not start: {last_reason(said)}, see {log}")
            time.sleep(0.01)
        self.port = int(json.loads(ready.read_text())["port"])

    def tell(self) -> None:
        """Write what the warehouse process must know of the cluster; it reads it at each COPY."""
        arn = f"arn:aws:redshift:{self.region}:{self.world.account}:dbuser:{self.identifier}"
        draft = self._state.with_suffix(".new")
        draft.write_text(
            json.dumps({"roles": self.roles, "default_role": self.default_role, "user_arn": arn})
        )
        draft.replace(self._state)

    def close(self) -> None:
        """End both processes; the data stays."""
        self._end_warehouse()
        self.server.stop()

    def _end_warehouse(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process = None

    def reopen(self) -> None:
        """Start both processes again."""
        self._start_server()
        self._await_warehouse()

    def restart(self) -> None:
        """End and start both processes."""
        self.close()
        self.reopen()

    def remove(self) -> None:
        """End both processes and delete the data."""
        self.close()
        self.server.remove()
        for file in (self._state, self._ready):
            file.unlink(missing_ok=True)

    def correct(self, record: Result) -> None:
        """Put the server's facts into moto's record of the cluster."""
        record["ClusterStatus"] = "hardware-failure" if self.status == "failed" else self.status
        record["ClusterAvailabilityStatus"] = AVAILABILITY.get(self.status, "Unavailable")
        record.pop("Endpoint", None)
        if self.port:
            record["Endpoint"] = {"Address": ADDRESS, "Port": self.port}
        record["IamRoles"] = [{"IamRoleArn": arn, "ApplyStatus": "in-sync"} for arn in self.roles]
        if self.default_role:
            record["DefaultIamRoleArn"] = self.default_role
        if self.secret:
            record["MasterPasswordSecretArn"] = self.secret
            record["MasterPasswordSecretKmsKeyId"] = self.secret_key or "alias/aws/secretsmanager"
        if self.reason:
            record["ModifyStatus"] = self.reason  # the one field of free text


class Clusters:
    """The clusters of an embedded AWS, by Region and identifier."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._found: dict[tuple[str, str], Cluster] = {}
        groups, self._schedules = ParameterGroups(), ScheduledActions(world)
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
        password = asked.get("MasterUserPassword") or self._manage(cluster, asked)
        database = asked.get("DBName") or "dev"
        cluster.begin("creating", "available", lambda: cluster.create(password, database))
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
        password, value = _login(cluster)
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
        password, value = _login(cluster)
        secrets = self.world.client("secretsmanager", cluster.region)
        return str(
            secrets.put_secret_value(SecretId=cluster.secret, SecretString=value)["VersionId"]
        ), password

    def _forget_secret(self, cluster: Cluster) -> None:
        secrets = self.world.client("secretsmanager", cluster.region)
        secrets.delete_secret(SecretId=cluster.secret, ForceDeleteWithoutRecovery=True)
        cluster.secret = None

    def _corrected(
        self, operation: str, response: Response, region: str, fixed: Mapping[str, Any] | None = None
    ) -> Response:
        """moto's answer with what is really there."""
        if response.status != 200 or not _members(operation) & {"Cluster", "Clusters"}:
            return response
        result = databases.result("redshift", operation, response)
        for record in [*result.get("Clusters", ()), *([result["Cluster"]] if "Cluster" in result else [])]:
            cluster = self._found.get((region, record["ClusterIdentifier"]))
            if cluster:
                cluster.correct(record)
                record.update(fixed or {})
        return answer("redshift", operation, result)


def _login(cluster: Cluster) -> tuple[str, str]:
    """A new password, and the secret's text with it."""
    password = new_password(SPECIALS)
    return password, json.dumps({"username": cluster.user, "password": password})


def _members(operation: str) -> set[str]:
    if operation not in model("redshift").operation_names:
        return set()
    shape = model("redshift").operation_model(operation).output_shape
    return set(shape.members) if shape else set()


def handler(world: World) -> Handler:
    """The handler of requests to Redshift."""
    clusters = Clusters(world)
    databases.installation(world)
    _running.append(clusters)
    return clusters.handle


def rotation(world: World, secret: str) -> Callable[[], str] | None:
    """What rotates a managed master secret of this embedded AWS; None when it is of no cluster."""
    found = (each.rotation(secret) for each in _running if each.world is world)
    return next((rotate for rotate in found if rotate), None)


def stop() -> None:
    """Stop every cluster and remove what they left."""
    while _running:
        clusters = _running.pop()
        clusters.stop()
        databases.close(clusters.world)
