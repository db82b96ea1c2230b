"""One DB instance as it runs: its PostgreSQL, its master user, what it is doing."""

from __future__ import annotations

from typing import Any

from aws_vpc.local.databases import ADDRESS, Background, Making
from aws_vpc.local.postgres import Postgres
from aws_vpc.local.wire import ServiceError

Result = dict[str, Any]
# What RDS gives its master user in place of SUPERUSER.
GRANTED = (
    "pg_monitor",
    "pg_signal_backend",
    "pg_checkpoint",
)


class Instance(Background):
    """One DB instance: its server, its user, what it is doing."""

    def __init__(self, identifier: str, server: Postgres, user: str) -> None:
        super().__init__(f"rds-{identifier}")
        self.server, self.user = server, user
        self.secret: str | None = None  # the ARN of the managed master secret
        # Until the server has it: its password, its first database, the snapshot that it is made from.
        self.making: Making | None = None

    def correct(self, record: Result) -> None:
        """Put the server's facts into moto's record of the instance."""
        record["DBInstanceStatus"] = self.status
        record.pop("Endpoint", None)
        if self.server.port and self.status not in ("creating", "failed"):
            record["Endpoint"] = {
                "Address": ADDRESS,
                "Port": self.server.port,
                "HostedZoneId": "Z2R2ITUGPM61AM",
            }
        if self.reason:
            record["StatusInfos"] = [
                {"StatusType": "server", "Normal": False, "Status": "error", "Message": self.reason}
            ]


def must_be(instance: Instance, status: str) -> None:
    """Raise ServiceError when the instance does not have the status."""
    if instance.status != status:
        name = instance.name.removeprefix("rds-")
        raise ServiceError("InvalidDBInstanceState", f"Instance {name} is not in {status} state.")
