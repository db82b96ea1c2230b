"""Stacks followed while they work: their events and those of every stack nested in them, each once.

In: the CloudFormation client and a watch on each root. Out: events, oldest first, until each root has ended.
Events are told apart by EventId, nested stacks found by stack id; a poll that AWS refuses is tried again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from aws_vpc.events import Event, parse
from aws_vpc.wait import Wait

TRANSIENT = frozenset(
    [
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "InternalFailure",
        "InternalError",
        "ServiceUnavailable",
    ]
)
# An operation begins with one of these; what follows (rollback, clean-up) belongs to it.
BEGINS = frozenset(["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"])


@dataclass
class Watch:
    """What has been seen of one stack whose events are followed."""

    stack_id: str
    path: tuple[str, ...]
    seen: set[str] = field(default_factory=set)
    since: datetime | None = None
    open: bool = True


def mark(cfn: Any, stack_id: str, name: str) -> Watch:
    """A watch that overlooks what has happened to the stack before now."""
    page = cfn.describe_stack_events(StackName=stack_id)["StackEvents"]
    return Watch(stack_id, (name,), seen={member["EventId"] for member in page})


def attach(cfn: Any, stack_id: str, name: str) -> Watch:
    """A watch that begins with the operation that is going on in the stack."""
    for page in cfn.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        for member in page["StackEvents"]:
            if member.get("PhysicalResourceId") == stack_id and member["ResourceStatus"] in BEGINS:
                return Watch(stack_id, (name,), since=member["Timestamp"])
    return Watch(stack_id, (name,))


def follow(cfn: Any, roots: Sequence[Watch], wait: Wait) -> Iterator[Event]:
    """The events of stacks and of all stacks nested in them, until the operation on each has ended."""
    watches = {watch.stack_id: watch for watch in roots}
    names = ", ".join(watch.path[0] for watch in roots)
    for _ in wait.pauses(f"the operation on {names}"):
        yield from sorted(round_of(cfn, watches), key=lambda event: event.timestamp)
        if not any(root.open for root in roots):
            break
    # A child's last words may come after its parent's.
    yield from sorted(round_of(cfn, watches), key=lambda event: event.timestamp)


def told(cfn: Any, root: Watch) -> list[Event]:
    """What a stack and those nested in it have told up to now, oldest first."""
    return sorted(round_of(cfn, {root.stack_id: root}), key=lambda event: event.timestamp)


def round_of(cfn: Any, watches: dict[str, Watch]) -> Iterator[Event]:
    """What every open watch has to tell now, those that open on the way included."""
    polled: set[str] = set()
    while waiting := [one for one in watches.values() if one.open and one.stack_id not in polled]:
        for watch in waiting:
            polled.add(watch.stack_id)
            for event in fresh(cfn, watch):
                note(event, watch, watches)
                yield event


def note(event: Event, watch: Watch, watches: dict[str, Watch]) -> None:
    """Opens the watch on a stack that is at work, closes that of a stack that has ended."""
    watch.since = watch.since or event.timestamp
    if event.is_own:
        watch.open = not event.done
    elif event.is_nested and not event.done:
        child = watches.setdefault(event.physical_id, Watch(event.physical_id, event.path, since=watch.since))
        child.open = True


def fresh(cfn: Any, watch: Watch) -> list[Event]:
    """The events of a stack that have not been seen yet, oldest first; none where AWS is out of breath."""
    found: list[Event] = []
    try:
        for page in cfn.get_paginator("describe_stack_events").paginate(StackName=watch.stack_id):
            new = [member for member in page["StackEvents"] if is_new(member, watch)]
            found += [parse(member, watch.path) for member in new]
            if len(new) < len(page["StackEvents"]):
                break
    except (ClientError, BotoCoreError) as error:
        if not is_transient(error):
            raise
        return []
    watch.seen.update(event.event_id for event in found)
    return found[::-1]


def is_new(member: Mapping[str, Any], watch: Watch) -> bool:
    """True for an event of the operation that is followed which has not been told yet."""
    return member["EventId"] not in watch.seen and (watch.since is None or member["Timestamp"] >= watch.since)


def is_transient(error: Exception) -> bool:
    """True for an answer that a later poll may not get: throttling, a server's fault, a lost connection."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return error.response["Error"]["Code"] in TRANSIENT or status >= 500
    return isinstance(error, HTTPClientError)
