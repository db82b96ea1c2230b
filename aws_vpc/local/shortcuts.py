"""What moto and botocore work out anew each time, remembered: models, Regions, services, operations.

Nothing here changes an answer. Each names the function that it stands in for; the versions are pinned.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any
from unittest import mock


def take() -> None:
    """Put all of them in place; before moto's first request."""
    share_models()
    share_regions()
    remember_services()
    put_off_offerings()


def share_models() -> None:
    """Let every botocore session read a service model once: moto alone makes several at its start."""
    import botocore.session

    from aws_vpc.local.wire_types import loader

    botocore.session.create_loader = lambda *_: loader()


def share_regions() -> None:
    """Let moto have every service in the Regions of EC2, where it would read a model of each service."""
    import boto3
    from moto.core import base_backend

    session = boto3.Session()
    partitions = session.get_available_partitions()
    regions = [each for part in partitions for each in session.get_available_regions("ec2", part)]

    def every_region(*_: Any) -> list[str]:
        return regions

    setattr(base_backend.AccountSpecificBackend, "_generate_regions", every_region)  # noqa: B010


def remember_services() -> None:
    """Let moto list its folders once, and the operations of a class once, not at each request."""
    from moto import backends
    from moto.core import responses, utils

    modules = tuple(backends.list_of_moto_modules())
    setattr(backends, "list_of_moto_modules", lambda: modules)  # noqa: B010
    setattr(responses, "method_names_from_class", cache(utils.method_names_from_class))  # noqa: B010


OFFERINGS = "instance_type_offerings"


class Offerings(dict[str, Any]):
    """The instance types that each Region offers, read when they are first asked for."""

    def __init__(self, kind: str, regions: Iterable[str]) -> None:
        super().__init__(dict.fromkeys(regions))
        self.kind = kind

    def __getitem__(self, region: str) -> Any:
        if super().__getitem__(region) is None:
            from moto.utilities.utils import load_resource

            found = load_resource(f"ec2/resources/{OFFERINGS}/{self.kind}/{region}.json")
            self[region] = [{**each, "LocationType": self.kind} for each in found]
        return super().__getitem__(region)

    def get(self, region: str, default: Any = None) -> Any:
        """Those of a Region, the default for one that is not there."""
        if region not in self:
            return default
        return self[region]


def put_off_offerings() -> None:
    """Let moto read what every Region offers when that is asked: 80 MB that hardly anybody asks for."""
    from moto.utilities import utils

    load = utils.load_resource
    with mock.patch.object(utils, "load_resource", lambda name: [] if OFFERINGS in name else load(name)):
        from moto.ec2.models import instance_types
    setattr(instance_types, "load_resource", load)  # noqa: B010
    found = instance_types.INSTANCE_TYPE_OFFERINGS
    found.update({kind: Offerings(kind, regions) for kind, regions in found.items()})
