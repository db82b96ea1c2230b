"""What stacks report while they work: events, and when an operation is over.

In: the members of DescribeStackEvents. Out: Event values with their logical path; causes.py reads on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

STACK = "AWS::CloudFormation::Stack"


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


# The statuses of an operation that did what was asked.
SUCCESS = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "IMPORT_COMPLETE")


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
