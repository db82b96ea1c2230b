"""The engine's memory and its clock: stacks by id and name, exports, events; one lock guards all of it."""

from __future__ import annotations

import json
import logging
import secrets
import string
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from aws_vpc.local.cloudformation.model import STACK, Detection, Event, Resource, Run, Stack, now
from aws_vpc.local.cloudformation.notifications import Notifier
from aws_vpc.local.cloudformation.walk import WIDE, WIDTH
from aws_vpc.local.wire import ServiceError

log = logging.getLogger(__name__)


class Engine:
    """All stacks of one embedded AWS."""

    def __init__(
        self,
        client: Callable[[str, str], Any],
        account: str,
        endpoint: Callable[[], str],
        delay: float = 0.0,
    ) -> None:
        self._client, self.account, self.endpoint = client, account, endpoint
        self.delay = delay  # of what resources take on AWS, 1: as long, 0: no time at all
        self.width = WIDE if delay else WIDTH
        self.changed = threading.Condition(threading.RLock())
        self.at_rest: Callable[[], None] = lambda: None  # called before a stack is seen at rest
        self.stacks: dict[str, Stack] = {}  # by id, deleted ones included
        self.names: dict[tuple[str, str], str] = {}  # (region, name) -> id of the live stack
        self.tokens: dict[tuple[str, str, str], tuple[str, dict[str, Any]]] = {}
        self.notifier = Notifier(client)
        self.detections: dict[str, Detection] = {}
        self._zones: dict[str, list[str]] = {}

    def client(self, service: str, region: str) -> Any:
        """A client of a service of this embedded AWS."""
        return self._client(service, region)

    def find(self, name: str, region: str) -> Stack:
        """The stack by name (live) or id (also deleted); ValidationError when there is none."""
        with self.changed:
            stack = self.stacks.get(self.names.get((region, name), name))
            if stack is None:
                raise ServiceError("ValidationError", f"Stack with id {name} does not exist")
            return stack

    def standing(self, name: str, region: str) -> Stack:
        """The stack that an operation is about; refused in the words of operations that change or list."""
        try:
            return self.find(name, region)
        except ServiceError:
            raise ServiceError("ValidationError", f"Stack [{name}] does not exist") from None

    def live(self, region: str) -> Iterator[Stack]:
        """The stacks of a Region that are not deleted, newest first."""
        with self.changed:
            found = [self.stacks[id] for (where, _), id in self.names.items() if where == region]
        return reversed(found)

    def add(self, stack: Stack, instead_of: Stack | None = None) -> None:
        """Remember a new stack; AlreadyExistsException when its name is taken.

        `instead_of`: the same stack under review, whose change sets are obsolete now.
        """
        with self.changed:
            if instead_of is not None and self.stacks.get(stack.id) is instead_of:
                stack.events, stack.change_sets = instead_of.events, instead_of.change_sets
                for change_set in stack.change_sets.values():
                    change_set.execution = "OBSOLETE"
            elif (stack.region, stack.name) in self.names:
                raise ServiceError("AlreadyExistsException", f"Stack [{stack.name}] already exists")
            self.stacks[stack.id] = stack
            self.names[stack.region, stack.name] = stack.id

    def forget_name(self, stack: Stack) -> None:
        """The name is free again; the stack stays known by its id."""
        with self.changed:
            self.names.pop((stack.region, stack.name), None)
            self.changed.notify_all()

    def new_id(self, region: str, name: str, kind: str = "stack") -> str:
        """A new ARN of a stack or change set."""
        return f"arn:aws:cloudformation:{region}:{self.account}:{kind}/{name}/{uuid.uuid4()}"

    def begin(self, stack: Stack, run: Run) -> None:
        """The operation becomes the stack's present one."""
        with self.changed:
            stack.run = run
            stack.runs.append(run)

    def turn_back(self, stack: Stack, run: Run) -> None:
        """A failure begins the rollback, an operation of its own."""
        with self.changed:
            run.ended, run.failed = now(), True
            run.rollback = Run("ROLLBACK", run.token)
            stack.runs.append(run.rollback)

    def finish(self, stack: Stack, run: Run) -> None:
        """The operation is over, and the rollback that it may have begun."""
        with self.changed:
            last = run.rollback or run
            last.ended, last.failed = now(), "FAILED" in stack.status
            if stack.run is run:
                stack.run = None
            run.done.set()
            self.changed.notify_all()

    def set_status(self, stack: Stack, status: str, reason: str | None = None) -> None:
        """The stack's new status, as an event of its own too."""
        with self.changed:
            if not status.endswith("_IN_PROGRESS"):
                self.at_rest()
            stack.status, stack.reason = status, reason
            if status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"):
                stack.detailed = None
            self._emit(stack, stack.name, stack.id, STACK, status, reason, None, stack.detailed)

    def put(self, stack: Stack, resource: Resource, *, quiet: bool = False) -> Resource:
        """The resource's new record in its stack, as an event too unless quiet."""
        with self.changed:
            resource = replace(resource, timestamp=now())
            stack.resources[resource.logical_id] = resource
            if not quiet:
                self.tell(stack, resource)
            return resource

    def tell(self, stack: Stack, resource: Resource) -> None:
        """An event about a resource."""
        properties = json.dumps(resource.shown, default=str) if resource.shown else None
        with self.changed:
            self._emit(
                stack, resource.logical_id, resource.physical_id or "", resource.type,
                resource.status, resource.reason, properties, resource.detailed,
            )  # fmt: skip

    def _emit(
        self, stack: Stack, logical: str, physical: str, type: str, status: str,
        reason: str | None, properties: str | None, detailed: str | None = None,
    ) -> None:  # fmt: skip
        run = stack.run.rollback or stack.run if stack.run else None
        event = Event(
            event_id(logical, status, type == STACK and physical == stack.id),
            stack.id, stack.name, logical, physical, type, status, now(), run.id if run else "", reason,
            properties, run.token if run else None, detailed,
        )  # fmt: skip
        stack.events.append(event)
        self.notifier.tell(stack.definition.notification_arns, event)
        self.changed.notify_all()

    def exports(self, region: str) -> dict[str, tuple[Stack, str]]:
        """Every export of the Region: its stack and value."""
        found = {}
        for stack in self.live(region):
            for output in stack.outputs:
                if output.export:
                    found[output.export] = (stack, output.value)
        return found

    def importers(self, region: str, name: str) -> list[str]:
        """The names of the stacks that use the export."""
        return sorted(stack.name for stack in self.live(region) if name in stack.imports)

    def zones(self, region: str, asked: str) -> list[str]:
        """The names of the Region's availability zones."""
        if asked not in self._zones:
            answer = self.client("ec2", asked or region).describe_availability_zones()
            self._zones[asked] = [zone["ZoneName"] for zone in answer["AvailabilityZones"]]
        return self._zones[asked]

    def wait_for(self, check: Callable[[], bool], deadline: float, given_up: Callable[[], bool]) -> bool:
        """Whether the check came true before the deadline (time.monotonic) and before all was given up."""
        with self.changed:
            while not check():
                left = deadline - time.monotonic()
                if left <= 0 or given_up():
                    return False
                self.changed.wait(min(left, 1))
            return True


def event_id(logical: str, status: str, own: bool) -> str:
    """A new event id: bare for the stack itself, speaking for its resources."""
    return str(uuid.uuid4()) if own else f"{logical}-{status}-{uuid.uuid4()}"


def suffix() -> str:
    """Twelve random characters, as CloudFormation ends the names it makes."""
    return "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(12))
