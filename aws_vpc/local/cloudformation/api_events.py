"""DescribeEvents: what happened, by operation, with what failed and what validation found.

An operation is a create, update, delete or rollback of one stack, a rollback that a failure began, or the
making of a change set. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from aws_vpc.local.cloudformation import change_sets, shapes
from aws_vpc.local.cloudformation.api_read import page
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import STACK, ChangeSet, Event, Run, Stack, Validation
from aws_vpc.local.wire import ServiceError

Params = dict[str, Any]


def describe_events(engine: Engine, region: str, params: Params) -> Params:
    """Events of a stack, change set or operation, newest first, on request only the failed ones."""
    found = _shown(engine, region, params)
    if operation := params.get("OperationId"):
        found = [one for one in found if one.get("OperationId") == operation]
    if (params.get("Filters") or {}).get("FailedEvents"):
        found = [one for one in found if _failed(one)]
    found.sort(key=lambda one: one["Timestamp"])
    shown, more = page(found[::-1], params)
    return {"OperationEvents": list(shown), **more}


def _failed(shown: Params) -> bool:
    if shown["EventType"] == "STACK_EVENT":
        return False
    return shown["EventType"].endswith("_ERROR") or str(shown.get("ResourceStatus", "")).endswith("_FAILED")


def _shown(engine: Engine, region: str, params: Params) -> list[Params]:
    if params.get("ChangeSetName"):
        return _of_change_set(engine, region, params)
    if params.get("StackName"):
        return list(_of_stack(engine.find(params["StackName"], region)))
    if not params.get("OperationId"):
        raise ServiceError(
            "ValidationError", "One of StackName, ChangeSetName or OperationId must be specified"
        )
    return [shown for stack in list(engine.stacks.values()) for shown in _of_stack(stack)]


def _of_change_set(engine: Engine, region: str, params: Params) -> list[Params]:
    one = change_sets.find(engine, region, params)
    stack = engine.stacks.get(one.stack_id)
    found = (
        [] if stack is None else [item for item in stack.validations if item.operation_id == one.operation_id]
    )
    return [_making(one), *(_validation(stack, item) for item in found if stack)]


def _making(one: ChangeSet) -> Params:
    """The making of a change set as one event."""
    status = {"CREATE_COMPLETE": "SUCCEEDED", "FAILED": "FAILED"}.get(one.status, "IN_PROGRESS")
    return shapes.without_none({
        "EventId": one.operation_id, "StackId": one.stack_id or None, "OperationId": one.operation_id,
        "OperationType": "CREATE_CHANGESET", "OperationStatus": status, "EventType": "STACK_EVENT",
        "Timestamp": one.ended or one.created, "StartTime": one.created, "EndTime": one.ended,
    })  # fmt: skip


def _of_stack(stack: Stack) -> Iterable[Params]:
    runs = {run.id: run for run in list(stack.runs)}
    for event in list(stack.events):
        yield _event(event, runs.get(event.operation_id))
    for item in list(stack.validations):
        yield _validation(stack, item)


def _event(one: Event, run: Run | None) -> Params:
    shown = shapes.event(one)
    shown.pop("StackName")
    shown.pop("DetailedStatus", None)
    own = one.type == STACK and one.physical_id == one.stack_id
    failed = one.status.endswith("_FAILED") and not own
    shown["EventType"] = "STACK_EVENT" if own else "PROVISIONING_ERROR" if failed else "PROGRESS_EVENT"
    if one.detailed:
        shown["DetailedStatus"] = one.detailed
    if run is not None:
        ended: datetime | None = run.ended
        status = "IN_PROGRESS" if ended is None else "FAILED" if run.failed else "SUCCEEDED"
        shown.update(OperationType=run.kind, OperationStatus=status)
        if own:
            shown.update(StartTime=run.started, **({"EndTime": ended} if ended else {}))
    return shown


def _validation(stack: Stack, one: Validation) -> Params:
    return {
        "EventId": one.id, "StackId": stack.id, "OperationId": one.operation_id,
        "OperationType": one.operation_kind, "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": one.logical_id, "PhysicalResourceId": one.physical_id,
        "ResourceType": one.type, "Timestamp": one.timestamp, "ValidationName": one.name,
        "ValidationFailureMode": one.mode, "ValidationStatus": "FAILED",
        "ValidationStatusReason": one.reason, "ValidationPath": one.path,
    }  # fmt: skip
