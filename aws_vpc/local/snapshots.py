"""Snapshots of RDS instances and Redshift clusters: a copy of the server's data, from which a new one starts.

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
    """The data of all snapshots of a service, by Region and identifier, and the master user in each.

    `word`: what stands for a snapshot in the service's parameters, DBSnapshot or Snapshot.
    """

    def __init__(self, world: World, service: str, word: str) -> None:
        self.world, self._service, self._word = world, service, word
        self._users: dict[tuple[str, str], str] = {}
        world.keep(f"{service}.snapshots", self, "_users")

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
            text = f"The snapshot {identifier} has no data: there was none when it was taken."
            code = "InvalidDBSnapshotState" if self._service == "rds" else "InvalidClusterSnapshotState"
            raise ServiceError(code, text)
        return self._users[region, identifier]

    def put(self, region: str, identifier: str, server: Postgres) -> None:
        """Put the data where the new server will find it when it starts."""
        copy(self._folder(region, identifier), server.data)
        (server.data / "postmaster.pid").unlink(missing_ok=True)

    def forget(self, region: str, identifier: str) -> None:
        """Delete the data of a snapshot, if it has any."""
        if self._users.pop((region, identifier), None) is not None:
            self.world.settle(self._service)
            discard(self._folder(region, identifier))

    def copied(self, request: Request, forward: Forward, asked: dict[str, Any]) -> Response:
        """moto's answer to the copy of a snapshot, the data copied, too."""
        response = forward(request)
        if response.status == 200:
            source = plain(asked[f"Source{self._word}Identifier"])
            self.copy(request.region, source, asked[f"Target{self._word}Identifier"].lower())
        return response

    def deleted(self, request: Request, forward: Forward, asked: dict[str, Any]) -> Response:
        """moto's answer to the deletion of a snapshot, the data deleted, too."""
        response = forward(request)
        if response.status == 200:
            self.forget(request.region, asked[f"{self._word}Identifier"].lower())
        return response

    def folders(self) -> set[str]:
        """The names of the folders with data."""
        return {self._folder(*key).name for key in self._users}

    def stop(self) -> None:
        """Delete the data of all snapshots."""
        for region, identifier in list(self._users):
            self.forget(region, identifier)

    def _folder(self, region: str, identifier: str) -> Path:
        begin = "snapshot" if self._service == "rds" else f"{self._service}-snapshot"
        return databases.installation(self.world).place / f"{begin}-{region}-{identifier.replace(':', '-')}"


def plain(identifier: str) -> str:
    """A snapshot's identifier as it is stored: in small letters, without what an ARN has before it."""
    return identifier.rpartition(":snapshot:")[2].rpartition("/")[2].lower()
