"""The network that the embedded EC2 describes, for Reachability Analyzer and Network Access Analyzer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_vpc import discover
from aws_vpc.local.world import World
from aws_vpc.network import Network


@dataclass(frozen=True)
class Own:
    """The embedded AWS's own clients in one Region, as discover.py asks for them."""

    world: World
    region: str

    def client(self, service: str) -> Any:
        """The client of a service."""
        return self.world.client(service, self.region)


def network(world: World, region: str) -> Network:
    """The Region's network as it stands."""
    return discover.from_live(Own(world, region), named=False)  # type: ignore[arg-type]
