"""What stacks report while they work: events, when an operation is over, and why it failed.

In: the members of DescribeStackEvents. Out: Event values with their logical path, and the root causes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

STACK = "AWS::CloudFormation::Stack"
CANCELLED = ("cancelled", "canceled")
# What a parent says about its child: the child's own events say it better.
WRAPPED = ("Embedded stack ", "The following resource(s) failed to ", "Nested stack ")


@dataclass(frozen=True)
class Event:
    """One stack event; `path` names the resource from the root stack's name down."""

    event_id: str
    stack_id: str
    path: tuple[str, ...]
    physical_id: str
    type: str
    status: str
    reason: str
    timestamp: datetime

    @property
    def logical_id(self) -> str:
        return self.path[-1]

    @property
    def is_own(self) -> bool:
        """True when the stack speaks about itself rather than about one of its resources."""
        return self.type == STACK and self.physical_id == self.stack_id

    @property
    def is_nested(self) -> bool:
        """True when a stack speaks about a stack inside it."""
        return self.type == STACK and bool(self.physical_id) and not self.is_own

    @property
    def done(self) -> bool:
        return finished(self.status)

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED")


def finished(status: str) -> bool:
    """True when no operation is going on in a stack or resource of this status."""
    return bool(status) and not status.endswith("_IN_PROGRESS")


def succeeded(status: str) -> bool:
    """True when an operation that ended in this status did what was asked."""
    return status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "IMPORT_COMPLETE"}


def parse(member: Mapping[str, Any], path: tuple[str, ...]) -> Event:
    """The event in a member of DescribeStackEvents, told by the stack that stands at `path`."""
    own = member.get("PhysicalResourceId") == member["StackId"]
    return Event(
        event_id=member["EventId"],
        stack_id=member["StackId"],
        path=path if own else (*path, member.get("LogicalResourceId", "")),
        physical_id=member.get("PhysicalResourceId", ""),
        type=member.get("ResourceType", ""),
        status=member.get("ResourceStatus", ""),
        reason=member.get("ResourceStatusReason", ""),
        timestamp=member["Timestamp"],
    )


@dataclass(frozen=True)
class Cause:
    """Why an operation failed: the resource's logical path and the reason in AWS's words."""

    path: tuple[str, ...]
    type: str
    status: str
    reason: str

    def __str__(self) -> str:
        return f"{'/'.join(self.path)} ({self.type}) {self.status}: {self.reason or 'no reason given'}"


def causes(events: Iterable[Event]) -> list[Cause]:
    """The distinct root causes among `events`, deepest stack first, then in order of time."""
    failures = [event for event in sorted(events, key=lambda event: event.timestamp) if event.failed]
    found: dict[tuple[str, str], Cause] = {}
    for event in failures:
        if is_cancelled(event) or is_wrapper(event, failures):
            continue
        key = ("/".join(event.path), event.reason)
        found.setdefault(key, Cause(event.path, event.type, event.status, event.reason))
    return sorted(found.values(), key=lambda cause: -len(cause.path))


def is_cancelled(event: Event) -> bool:
    """True for a sibling that was only stopped because something else failed."""
    reason = event.reason.lower()
    return any(word in reason for word in CANCELLED) and reason.startswith("resource ")


def is_wrapper(event: Event, failures: Iterable[Event]) -> bool:
    """True for a stack's word about a failure inside it, which the failure's own event says better."""
    if event.type != STACK or not (event.is_own or event.reason.startswith(WRAPPED) or not event.reason):
        return False
    depth = len(event.path)
    return any(len(other.path) > depth and other.path[:depth] == event.path for other in failures)
