"""A service that is answered here without moto: one object for each Region, one method for each operation.

Methods are named as the operations, in snake case: `create_project` answers CreateProject. What the
object lacks is refused by name.
"""

from __future__ import annotations

import re
import secrets
import string
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from aws_vpc.local import wire
from aws_vpc.local.kept import Waited
from aws_vpc.local.wire import Forward, Handler, Request, Response
from aws_vpc.local.world import World

Parameters = dict[str, Any]
Answer = dict[str, Any]


def whole(service: str, world: World, make: Callable[[str], Any]) -> Handler:
    """The handler of a service; `make` gives the object that answers in a Region.

    The objects are kept; those that have a method `resume` are told after a start.
    """
    regions: dict[str, Any] = {}
    lock = threading.RLock()

    def resume() -> list[Waited]:
        begun = (getattr(each, "resume", lambda: None)() for each in regions.values())
        return [one for each in begun for one in each or ()]

    world.keep(service, SimpleNamespace(regions=regions), "regions", resume=resume)

    def handle(request: Request, _forward: Forward) -> Response:
        name, params = wire.parse(service, request)
        with lock:
            if request.region not in regions:
                regions[request.region] = make(request.region)
            found = getattr(regions[request.region], snake(name), None)
            if found is None:
                raise NotImplementedError(f"{service}'s {name} is not modelled")
            result = found(params)
        return wire.answer(service, name, result, wire.spoken(service, request))

    return handle


def snake(operation: str) -> str:
    """The method that answers an operation: `DescribeVPCs` -> `describe_vpcs`."""
    parts = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", operation)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parts).lower()


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def new_id(prefix: str, length: int, letters: str = string.ascii_lowercase + string.digits) -> str:
    """A random id with a prefix, as AWS makes them."""
    return prefix + "".join(secrets.choice(letters) for _ in range(length))


def page(key: str, found: Sequence[Any], params: Mapping[str, Any], size: str, token: str) -> Answer:
    """One page of the list under its key: `size` and `token` are the parameters that ask for it."""
    start = int(params.get(token) or 0)
    end = start + int(params.get(size) or 100)
    more = {token: str(end)} if end < len(found) else {}
    return {key: list(found[start:end]), **more}


def tag_map(listed: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    """The tags of a list by name, whatever the case of its members."""
    lower = [{name.lower(): value for name, value in tag.items()} for tag in listed or []]
    return {tag["key"]: tag.get("value", "") for tag in lower}
