"""Snapshots of RDS instances: a copy of the server's data, from which a new server starts.

The data of a running server is copied while all of its processes are halted for that moment, so that the
copy is what a power cut would have left: the new server replays its log and has every committed row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_vpc.local import databases
from aws_vpc.local.postgres import Postgres
from aws_vpc.local.postgres_files import copy, discard
from aws_vpc.local.wire import Forward, Request, Response, ServiceError
from aws_vpc.local.world import World


class Snapshots:
    """The data of all snapshots, by Region and identifier, and the master user in each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._users: dict[tuple[str, str], str] = {}
        world.keep("rds.snapshots", self, "_users")

    def take(self, region: str, identifier: str, server: Postgres, user: str) -> None:
        """Copy the server's data as it is now."""
        server.copy_data(self._folder(region, identifier))
        self._users[region, identifier] = user

    def copy(self, region: str, source: str, target: str) -> None:
        """Copy a snapshot that has data."""
        if (region, source) in self._users:
            copy(self._folder(region, source), self._folder(region, target))
            self._users[region, target] = self._users[region, source]

    def user(self, region: str, identifier: str) -> str:
        """The master user in the snapshot; ServiceError when there is no data to start from."""
        if (region, identifier) not in self._users:
            text = f"The snapshot {identifier} has no data: its instance had none when it was taken."
            raise ServiceError("InvalidDBSnapshotState", text)
        return self._users[region, identifier]

    def restore(self, region: str, identifier: str, server: Postgres) -> None:
        """Put the data where the new server will find it, and start that."""
        copy(self._folder(region, identifier), server.data)
        (server.data / "postmaster.pid").unlink(missing_ok=True)
        server.start()

    def forget(self, region: str, identifier: str) -> None:
        """Delete the data of a snapshot, if it has any."""
        if self._users.pop((region, identifier), None) is not None:
            self.world.settle("rds")
            discard(self._folder(region, identifier))

    def copied(self, request: Request, forward: Forward, asked: dict[str, Any]) -> Response:
        """moto's answer to CopyDBSnapshot, the data copied, too."""
        response = forward(request)
        if response.status == 200:
            source = asked["SourceDBSnapshotIdentifier"].rpartition(":snapshot:")[2].lower()
            self.copy(request.region, source, asked["TargetDBSnapshotIdentifier"].lower())
        return response

    def deleted(self, request: Request, forward: Forward, asked: dict[str, Any]) -> Response:
        """moto's answer to DeleteDBSnapshot, the data deleted, too."""
        response = forward(request)
        if response.status == 200:
            self.forget(request.region, asked["DBSnapshotIdentifier"].lower())
        return response

    def folders(self) -> set[str]:
        """The names of the folders with data."""
        return {self._folder(*key).name for key in self._users}

    def stop(self) -> None:
        """Delete the data of all snapshots."""
        for region, identifier in list(self._users):
            self.forget(region, identifier)

    def _folder(self, region: str, identifier: str) -> Path:
        return databases.installation(self.world).place / f"snapshot-{region}-{identifier.replace(':', '-')}"
