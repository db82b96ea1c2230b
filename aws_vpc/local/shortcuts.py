"""What moto and botocore work out anew each time, remembered: models, Regions, services, operations.

Nothing here changes an answer. Each names the function that it stands in for; the versions are pinned.
"""

from __future__ import annotations

from functools import cache
from typing import Any


def take() -> None:
    """Put all of them in place; before moto's first request."""
    share_models()
    share_regions()
    remember_services()


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
