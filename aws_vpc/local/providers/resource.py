"""The vocabulary of the resource providers: a request, the state that answers it, a provider, and its errors.

A provider is made of functions that act only through the boto3 clients of the request. Each blocks until
the resource is stable. Errors of the services pass through as botocore's ClientError.
"""

import secrets
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from aws_vpc.errors import LocalError

Properties = dict[str, Any]


@dataclass(frozen=True)
class ResourceRequest:
    """One thing CloudFormation wants done to one resource; intrinsics are resolved, NoValue is gone."""

    type: str
    logical_id: str
    stack_name: str
    stack_id: str
    region: str
    account: str
    properties: Properties
    previous: Properties | None  # on update: the properties before
    physical_id: str | None  # on update, delete, snapshot
    tags: dict[str, str]  # of the stack, and aws:cloudformation:*
    client: Callable[[str], Any]
    attributes: dict[str, Any] = field(default_factory=dict)  # on update, delete: what create returned

    @property
    def id(self) -> str:
        """The physical id of a resource that exists."""
        if self.physical_id is None:
            raise ValueError(f"{self.logical_id} has no physical id yet")
        return self.physical_id

    def changed(self, *names: str) -> bool:
        """Whether an update alters any of the named properties (all, when none is named)."""
        old, new = self.previous or {}, self.properties
        return any(old.get(key) != new.get(key) for key in names or old | new)


@dataclass(frozen=True)
class ResourceState:
    """What stands: its physical id, and the attributes that Fn::GetAtt may ask for.

    Ref returns the physical id unless `attributes` has 'Ref'.
    """

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


class ResourceFailed(LocalError):
    """The resource did not become what was asked; worded as a resource handler's message."""


class NotUpdatable(LocalError):
    """The change cannot be made in place: CloudFormation makes a replacement."""


Act = Callable[[ResourceRequest], ResourceState]


@dataclass(frozen=True)
class Late:
    """An attribute that resources of another type change after its own resource is made."""

    look: Callable[[Callable[[str], Any], str], Any]  # clients by service, physical id -> what it is now
    by: str


def not_updatable(request: ResourceRequest) -> ResourceState:
    """Nothing: the type has no update, each of its properties replaces the resource."""
    raise NotUpdatable(f"{request.logical_id} ({request.type}) cannot be updated in place")


def no_snapshot(request: ResourceRequest) -> str | None:
    """None: the type takes no snapshots."""
    return None


def unread(request: ResourceRequest) -> Properties | None:
    """The properties as stated: nobody can say how the resource is now."""
    return dict(request.properties)


@dataclass(frozen=True)
class Provider:
    """How resources of one type are created, updated in place, deleted and, for some, snapshotted or read."""

    type: str
    applied: frozenset[str]  # the properties that reach the service
    create_resource: Act
    delete_resource: Callable[[ResourceRequest], None]
    update_resource: Act = not_updatable
    ignored: Mapping[str, str] = field(default_factory=dict)  # property -> the reason why it is not applied
    snapshot: Callable[[ResourceRequest], str | None] = no_snapshot
    describe: Callable[[ResourceRequest], Properties | None] = unread  # as the service has it, None when gone
    late: Mapping[str, Late] = field(default_factory=dict)  # attributes that other resources change later

    @property
    def readable(self) -> bool:
        """Whether drift can be detected."""
        return self.describe is not unread

    def create(self, request: ResourceRequest) -> ResourceState:
        """The new resource, stable."""
        self.check(request)
        return self.create_resource(request)

    def update(self, request: ResourceRequest) -> ResourceState:
        """The resource after its change in place; NotUpdatable when it has to be replaced."""
        self.check(request)
        return self.update_resource(request)

    def delete(self, request: ResourceRequest) -> None:
        """Nothing; the resource is gone, also when it was before."""
        self.delete_resource(request)

    def check(self, request: ResourceRequest) -> None:
        """Nothing; ResourceFailed names the properties that are neither applied nor consciously ignored."""
        unknown = sorted(set(request.properties) - self.applied - set(self.ignored))
        if unknown:
            raise ResourceFailed(
                f"Encountered unsupported property {', '.join(unknown)} of {request.logical_id} ({self.type})"
            )


@contextmanager
def undone(request: ResourceRequest, id: str, delete: Callable[[ResourceRequest], None]) -> Iterator[None]:
    """A block that finishes what is created; when it fails, the half-made thing is deleted again."""
    try:
        yield
    except Exception:
        with suppress(Exception):  # the failure that counts is the first one
            delete(replace(request, physical_id=id, previous=None))
        raise


def name(request: ResourceRequest, *, maximum: int, lower: bool = False) -> str:
    """A physical name as CloudFormation makes them: stack, logical id and twelve random characters."""
    suffix = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(12))
    room = maximum - len(suffix) - 1
    logical = request.logical_id[: max(room // 2, room - len(request.stack_name) - 1)]
    stack = request.stack_name[: max(room - len(logical) - 1, 0)].rstrip("-")
    made = "-".join(part for part in (stack, logical, suffix) if part)
    return made.lower() if lower else made
