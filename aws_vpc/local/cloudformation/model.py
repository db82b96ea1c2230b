"""What the engine remembers: stacks, their resources and events, change sets. Values only, no behaviour.

A Resource is frozen: each change of it is a new record, so that an update's beginning is a plain copy
of the dictionary and going back is putting it back.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aws_vpc.local.cloudformation.walk import Walk
from aws_vpc.template import Bound, Template
from aws_vpc.template_parameters import Parameter

STACK = "AWS::CloudFormation::Stack"


def now() -> datetime:
    """The present, as AWS writes it: UTC with milliseconds."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(frozen=True)
class Definition:
    """All that was asked of a stack: what an update changes and a rollback restores."""

    template: Template
    parameters: Mapping[str, Parameter]
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    notification_arns: tuple[str, ...] = ()
    role_arn: str | None = None


@dataclass(frozen=True)
class Prepared:
    """A definition that passed every check, with its conditions decided."""

    definition: Definition
    bound: Bound


@dataclass(frozen=True)
class Resource:
    """One resource of a stack as it stands. `properties` keep dynamic references as written."""

    logical_id: str
    type: str
    status: str
    physical_id: str | None = None
    reason: str | None = None
    detailed: str | None = None  # CONFIGURATION_COMPLETE while the service stabilises it
    timestamp: datetime = field(default_factory=now)
    properties: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)  # the properties with NoEcho values masked
    attributes: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)  # the template's own text of it
    metadata: dict[str, Any] = field(default_factory=dict)
    deletion_policy: str = "Delete"
    replace_policy: str = "Delete"
    depends: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)  # of the stack, when it was last touched

    @property
    def ref(self) -> Any:
        """What Ref answers."""
        return self.attributes.get("Ref", self.physical_id)


@dataclass(frozen=True)
class Event:
    """One line of a stack's history."""

    id: str
    stack_id: str
    stack_name: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    timestamp: datetime
    operation_id: str
    reason: str | None = None
    properties: str | None = None
    token: str | None = None
    detailed: str | None = None  # CONFIGURATION_COMPLETE, VALIDATION_FAILED


@dataclass(frozen=True)
class Validation:
    """One thing that pre-deployment validation found."""

    operation_id: str
    operation_kind: str
    logical_id: str
    physical_id: str
    type: str
    name: str
    mode: str  # FAIL or WARN
    reason: str
    path: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    timestamp: datetime = field(default_factory=now)


@dataclass(frozen=True)
class Output:
    """One output of a stack."""

    key: str
    value: str
    description: str | None = None
    export: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """A stack before an update."""

    definition: Definition
    resources: dict[str, Resource]
    outputs: tuple[Output, ...]
    imports: frozenset[str]
    protected: bool


@dataclass
class Run:
    """One operation on a tree of stacks, from the call to its end."""

    kind: str  # as DescribeEvents names it: CREATE_STACK, UPDATE_STACK, DELETE_STACK, ...
    token: str | None = None
    disable_rollback: bool = False
    on_failure: str = "ROLLBACK"
    retain_except_on_create: bool = False
    policy: str | None = None  # the stack policy during this update
    skip: frozenset[str] = frozenset()  # LogicalId, or StackName.LogicalId of a nested stack's resource
    live: dict[tuple[str, str], Any] = field(default_factory=dict)  # live.Live, when drift is reverted
    express: bool = False  # complete as soon as resources are configured
    unchecked: bool = False  # without pre-deployment validation
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: datetime = field(default_factory=now)
    ended: datetime | None = None
    failed: bool = False
    superseded: bool = False  # a delete waits: do not roll back
    cancelled: threading.Event = field(default_factory=threading.Event)
    cancel_reason: str = ""
    done: threading.Event = field(default_factory=threading.Event)
    rollback: Run | None = None  # the operation that its failure began
    walk: Walk | None = None  # what the stack's resources are going through

    def cancel(self, reason: str = "") -> None:
        """Give up: nothing more starts."""
        self.cancel_reason = self.cancel_reason or reason
        if self.walk is not None:  # first its resources are told, then what they wait for ends
            self.walk.cancel()
        self.cancelled.set()
        if self.walk is not None:  # it may have begun meanwhile
            self.walk.cancel()


@dataclass(frozen=True)
class Leaving:
    """A resource that an update leaves behind for its cleanup, and the policy that decides its fate."""

    resource: Resource
    policy: str
    created: bool = False  # by the very operation that is being undone


@dataclass
class ChangeSet:
    """A change set and, once computed, what it would do."""

    id: str
    name: str
    stack_id: str
    kind: str  # CREATE or UPDATE
    status: str = "CREATE_IN_PROGRESS"
    execution: str = "UNAVAILABLE"
    reason: str | None = None
    created: datetime = field(default_factory=now)
    description: str | None = None
    nested: bool = False
    on_failure: str | None = None
    prepared: Prepared | None = None
    changes: list[Any] = field(default_factory=list)
    live: dict[tuple[str, str], Any] | None = None  # live.Live, when drift is reverted
    parent_id: str | None = None
    root_id: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    operation_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    ended: datetime | None = None


@dataclass(frozen=True)
class Signal:
    """What a wait condition or a CreationPolicy was told."""

    status: str  # SUCCESS, FAILURE
    reason: str = ""
    data: str = ""


@dataclass
class Detection:
    """One drift detection of a stack."""

    id: str
    stack_id: str
    started: datetime = field(default_factory=now)
    ended: datetime | None = None
    drifted: int | None = None
    reason: str | None = None

    def finish(self, drifted: int, reason: str | None) -> None:
        """Nothing; the detection is over with this many resources that drifted."""
        self.drifted, self.reason, self.ended = drifted, reason, now()

    @property
    def status(self) -> str:
        """How the detection stands."""
        if self.ended is None:
            return "DETECTION_IN_PROGRESS"
        return "DETECTION_FAILED" if self.reason else "DETECTION_COMPLETE"

    @property
    def drift_status(self) -> str:
        """What it says of the stack."""
        if self.ended is None:
            return "NOT_CHECKED"
        return "DRIFTED" if self.drifted else "UNKNOWN" if self.reason else "IN_SYNC"


@dataclass
class Stack:
    """One stack."""

    id: str
    name: str
    region: str
    account: str
    definition: Definition
    status: str
    created: datetime = field(default_factory=now)
    updated: datetime | None = None
    deleted: datetime | None = None
    reason: str | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)
    outputs: tuple[Output, ...] = ()
    imports: frozenset[str] = frozenset()  # names of the exports it uses
    parent_id: str | None = None
    root_id: str | None = None
    parent_logical_id: str | None = None
    disable_rollback: bool = False
    retain_except_on_create: bool = False
    timeout: int | None = None
    express: bool = False
    rollback_configuration: dict[str, Any] = field(default_factory=dict)
    detailed: str | None = None  # VALIDATION_FAILED
    protected: bool = False
    policy: str | None = None
    deletion_mode: str | None = None
    run: Run | None = None
    runs: list[Run] = field(default_factory=list)
    before: Snapshot | None = None
    applied: set[str] = field(default_factory=set)  # resources the present update has touched
    leaving: list[Leaving] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    change_set_id: str | None = None
    signals: dict[str, dict[str, Signal]] = field(default_factory=dict)  # logical id -> unique id
    drifts: dict[str, Any] = field(default_factory=dict)  # logical id -> drift.Drift
    drift_status: str = "NOT_CHECKED"
    drift_checked: datetime | None = None
    skipped: set[str] = field(default_factory=set)  # by a rollback that was continued without them

    def skips(self, run: Run, logical: str) -> bool:
        """Whether a continued rollback leaves the resource as it is."""
        return f"{self.name}.{logical}" in run.skip or (self.parent_id is None and logical in run.skip)

    @property
    def in_progress(self) -> bool:
        """Whether an operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"
