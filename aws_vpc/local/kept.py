"""What of the embedded AWS is kept: parts of our own services, and moto's backends, in groups.

A part is an object that is there before any state, and the names of its attributes that are the state.
What refers to the object refers, after a start, to the one that is there then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from aws_vpc.local.wire_types import MODEL_NAMES

OWN, STACKS, NETWORK, OUTBOX = "own", "cloudformation", "network", "outbox"
# Services of moto whose objects no other service holds; all others are one group.
ALONE = {
    *("batch", "cloudwatch", "ecr", "events", "iam", "kms", "logs"),
    *("s3", "secretsmanager", "sns", "sqs", "ssm", "sts"),
}
# Taken only when a request to one of their services may have changed them; the rest is small.
HEAVY = frozenset((STACKS, NETWORK, "iam", "logs", "s3"))
INBORN = {"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"}


class Waited(Protocol):
    """Something that is being brought back."""

    def finish(self) -> None:
        """Wait until it is there, or has failed."""


@dataclass(frozen=True)
class Part:
    """One part: its object, the attributes that are kept, and what has to be done after a start.

    `resume` may answer with what it has begun.
    """

    owner: Any
    names: tuple[str, ...]
    resume: Callable[[], Iterable[Waited] | None] | None = None
    lock: AbstractContextManager[Any] | None = None  # of the stacks: held while they are taken

    def take(self) -> dict[str, Any]:
        """The attributes."""
        return {name: getattr(self.owner, name) for name in self.names}

    def give(self, found: dict[str, Any]) -> None:
        """Give the object the attributes; a dictionary or set stays the one that others may hold."""
        for name, value in found.items():
            present = getattr(self.owner, name)
            if isinstance(present, dict | set):
                present.clear()
                present.update(value)
            else:
                setattr(self.owner, name, value)


def take(parts: dict[str, Part]) -> dict[str, dict[str, Any]]:
    """The attributes of each part, by its name."""
    return {name: part.take() for name, part in parts.items()}


def give(parts: dict[str, Part], found: dict[str, dict[str, Any]]) -> None:
    """Give each part what was taken of it."""
    for name, values in found.items():
        parts[name].give(values)


def group(service: str | None) -> str:
    """The group that a request to a service, by the name it signs with, may change."""
    name = MODEL_NAMES.get(service or "s3", service or "s3")
    return STACKS if name == STACKS else name if name in ALONE else NETWORK


def backends() -> dict[str, list[tuple[Any, Any]]]:
    """Group -> (where, state) of each backend and of each dictionary of backends that has more than those."""
    from moto.core.base_backend import BackendDict

    found: dict[str, list[tuple[Any, Any]]] = {}
    instances: list[Any] = list(BackendDict._instances)  # type: ignore[misc]
    for each in instances:
        module = each.backend.__module__
        entries = found.setdefault(group(each.service_name), [])
        for account, region, backend in list(each.iter_backends()):
            entries.append(((module, each.service_name, account, region), vars(backend)))
        more = {name: value for name, value in vars(each).items() if name not in INBORN}
        if more:
            entries.append(((module, each.service_name), more))
    return found


def restore_backends(entries: list[tuple[Any, Any]]) -> None:
    """Give moto's backends the state that was taken of them."""
    from aws_vpc.local.state_pickle import backend, backend_dicts

    for where, state in entries:
        if len(where) == 2:
            (found,) = (each for each in backend_dicts(where[0]) if each.service_name == where[1])
            vars(found).update(state)
        else:
            made = backend(*where)
            made.__dict__ = state


def services_of(names: list[str]) -> Iterator[str]:
    """The services that parts of these names belong to: 'rds.snapshots' to rds."""
    yield from dict.fromkeys(name.partition(".")[0] for name in names)


# What is said of an operation that the end of the embedded AWS cut short.
INTERRUPTED = "The embedded AWS ended while this was under way."
