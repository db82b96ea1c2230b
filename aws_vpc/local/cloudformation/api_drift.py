"""Drift detection: of a stack in the background, of one resource at once, and what was found."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from aws_vpc.local.cloudformation import api_write
from aws_vpc.local.cloudformation.api_read import page
from aws_vpc.local.cloudformation.drift import Drift
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.live import drift_of
from aws_vpc.local.cloudformation.model import Detection, Resource, Stack
from aws_vpc.local.cloudformation.shapes import without_none

Params = dict[str, Any]
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
DETECTABLE = (
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED",
    "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
)  # fmt: skip


def detect_stack_drift(engine: Engine, region: str, params: Params) -> Params:
    """The id of a detection that goes on in the background."""
    stack = engine.find(params["StackName"], region)
    refuse(stack)
    wanted = params.get("LogicalResourceIds")
    if unknown := [name for name in wanted or () if name not in stack.resources]:
        raise api_write.refuse(f"Resources [{', '.join(unknown)}] do not exist in stack {stack.name}")
    detection = Detection(str(uuid.uuid4()), stack.id)
    with engine.changed:
        if any(one.stack_id == stack.id and one.ended is None for one in engine.detections.values()):
            raise api_write.refuse(f"Drift detection is already in progress for stack {stack.id}")
        engine.detections[detection.id] = detection
    names = list(wanted or stack.resources)
    api_write.background(lambda: detect(engine, stack, detection, names), f"drift-{stack.name}")
    return {"StackDriftDetectionId": detection.id}


def refuse(stack: Stack) -> None:
    """Nothing; ValidationError when the stack's state allows no detection."""
    if stack.status not in DETECTABLE:
        raise api_write.refuse(
            f"Drift detection cannot be performed on stack [{stack.id}] in status [{stack.status}]"
        )


def detect(engine: Engine, stack: Stack, detection: Detection, names: list[str]) -> None:
    """Nothing; every named resource of the stack has its drift, and the detection its end."""
    reasons = []
    for name in names:
        found = drift_of(engine, stack, stack.resources[name])
        if found.status == "UNKNOWN":
            reasons.append(f"Failed to detect drift on resource [{name}]")
        with engine.changed:
            stack.drifts[name] = found
    drifted = [one for one in stack.drifts.values() if one.status in ("MODIFIED", "DELETED")]
    with engine.changed:
        detection.finish(len(drifted), ". ".join(reasons) or None)
        stack.drift_status, stack.drift_checked = detection.drift_status, detection.ended
        engine.changed.notify_all()


def detect_stack_resource_drift(engine: Engine, region: str, params: Params) -> Params:
    """The drift of one resource, found while the caller waits."""
    stack = engine.find(params["StackName"], region)
    refuse(stack)
    resource = stack.resources.get(params["LogicalResourceId"])
    if resource is None:
        raise api_write.refuse(
            f"Resource {params['LogicalResourceId']} does not exist for stack {stack.name}"
        )
    with engine.changed:
        stack.skipped.discard(resource.logical_id)
    found = drift_of(engine, stack, resource)
    if found.status == "NOT_CHECKED":
        raise api_write.refuse(
            f"Drift detection is not supported for resource type {resource.type}, "
            f"logical ID {resource.logical_id}"
        )
    with engine.changed:
        stack.drifts[resource.logical_id] = found
        any_drift = any(one.status in ("MODIFIED", "DELETED") for one in stack.drifts.values())
        stack.drift_status = "DRIFTED" if any_drift else "IN_SYNC"
        stack.drift_checked = found.timestamp
    return {"StackResourceDrift": shape(stack, resource, found)}


def describe_stack_drift_detection_status(engine: Engine, region: str, params: Params) -> Params:
    """How far a detection is."""
    id = params["StackDriftDetectionId"]
    one = engine.detections.get(id)
    if one is None:
        raise api_write.refuse(f"StackDriftDetectionId {id} does not exist")
    return without_none({
        "StackId": one.stack_id, "StackDriftDetectionId": one.id, "StackDriftStatus": one.drift_status,
        "DetectionStatus": one.status, "DetectionStatusReason": one.reason,
        "DriftedStackResourceCount": one.drifted, "Timestamp": one.started,
    })  # fmt: skip


def describe_stack_resource_drifts(engine: Engine, region: str, params: Params) -> Params:
    """The drift of every resource that was checked, or of those with the statuses asked for."""
    stack = engine.find(params["StackName"], region)
    wanted = params.get("StackResourceDriftStatusFilters")
    found = [
        shape(stack, stack.resources[name], one)
        for name, one in list(stack.drifts.items())
        if name in stack.resources and (one.status in wanted if wanted else one.status != "NOT_CHECKED")
    ]
    shown, more = page(found, params, min(int(params.get("MaxResults") or 100), 100))
    return {"StackResourceDrifts": list(shown), **more}


def shape(stack: Stack, resource: Resource, drift: Drift) -> Params:
    """A drift as the API shows it."""
    checked = drift.status in ("IN_SYNC", "MODIFIED", "DELETED")
    return without_none({
        "StackId": stack.id, "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id, "ResourceType": resource.type,
        "ExpectedProperties": _text(drift.expected) if checked else None,
        "ActualProperties": _text(drift.actual) if checked and drift.status != "DELETED" else None,
        "PropertyDifferences": [
            {
                "PropertyPath": one.path, "DifferenceType": one.kind,
                "ExpectedValue": _text(one.expected), "ActualValue": _text(one.actual),
            }
            for one in drift.differences
        ],
        "StackResourceDriftStatus": drift.status, "Timestamp": drift.timestamp,
        "DriftStatusReason": drift.reason,
    })  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, default=str)
