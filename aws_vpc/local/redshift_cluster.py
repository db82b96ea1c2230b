"""One Redshift cluster as it runs: PostgreSQL, and the warehouse process in front of it."""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import Any

from aws_vpc.errors import LocalError
from aws_vpc.local import databases
from aws_vpc.local.databases import ADDRESS, Background, Making
from aws_vpc.local.postgres import START_TIMEOUT, free_port, last_reason
from aws_vpc.local.processes import Process
from aws_vpc.local.snapshots import Snapshots
from aws_vpc.local.warehouse import catalog
from aws_vpc.local.world import World

Result = dict[str, Any]
# Redshift's master user is a superuser, who reads and writes every table.
GRANTED = ("pg_monitor", "pg_signal_backend", "pg_read_all_data", "pg_write_all_data")
SPECIALS = "!#$%&()*+-.:;<=>?[]^_{|}~"  # no / @ " ' \ or blank
AVAILABILITY = {"available": "Available", "failed": "Failed", "modifying": "Modifying"}


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
        self.making: Making | None = None  # until the server has it
        self._process: Process | None = None
        self._state, self._ready = (world.run / f"{self.name}.{kind}.json" for kind in ("state", "ready"))
        self._log = world.logs / f"warehouse-{self.identifier}.log"

    def make(self, snapshots: Snapshots) -> None:
        """Create what is to be made, and have it on the disk before anybody is told."""
        making = self.making
        assert making is not None
        if making.snapshot:
            snapshots.put(self.region, making.snapshot, self.server)
            self.reopen()
            if making.password:
                self.server.set_password(self.user, making.password)
        else:
            self.create(str(making.password), str(making.database))
        self.making = None
        self.world.settle("redshift")

    def resume(self, doing: str, then: str, paused: str, snapshots: Snapshots) -> None:
        """Start again in the background, as the status was; what was being made is made anew."""
        if self.making is not None:
            self.server.forget()
            self.begin(self.status, then, partial(self.make, snapshots))
        elif self.status in (paused, "pausing"):
            self.status = paused
        elif self.status != "failed":
            self.begin(doing, then, self.reopen)

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

    def manage(self, key: str | None) -> str:
        """A new master password, put into the cluster's managed secret, which is made if there is none."""
        if self.secret:
            return self.renew()[1]
        password, value = databases.login(self.user, SPECIALS)
        arn = f"arn:aws:redshift:{self.region}:{self.world.account}:namespace:{self.identifier}"
        tags = {"aws:redshift:primaryClusterArn": arn, "aws:secretsmanager:owningService": "redshift"}
        made = self._secrets.create_secret(
            Name=f"redshift!{self.identifier}-{self.user}",
            Description=f"The admin credentials of the cluster {self.identifier}",
            SecretString=value,
            Tags=[{"Key": name, "Value": text} for name, text in tags.items()],
            **({"KmsKeyId": key} if key else {}),
        )
        self.secret, self.secret_key = made["ARN"], key
        return password

    def renew(self) -> tuple[str, str]:
        """The new version of the managed secret, and the password in it."""
        return databases.renew(self._secrets, str(self.secret), self.user, SPECIALS)

    def forget_secret(self) -> None:
        """Delete the managed secret."""
        self._secrets.delete_secret(SecretId=self.secret, ForceDeleteWithoutRecovery=True)
        self.secret = None

    @property
    def _secrets(self) -> Any:
        return self.world.client("secretsmanager", self.region)
