"""A planned change as DescribeChangeSet shows it: scope, replacement, properties before and after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aws_vpc.local.cloudformation.model import STACK, ChangeSet, Prepared, Resource, Stack
from aws_vpc.local.cloudformation.plans import Change, known, replacement
from aws_vpc.local.cloudformation.shapes import without_none
from aws_vpc.template_graph import references

RECREATION = {"True": "Always", "Conditional": "Conditionally", "False": "Never"}


def change_shape(
    change: Change, found: list[dict[str, Any]], child: ChangeSet | None, values: bool
) -> dict[str, Any]:
    """One member of Changes."""
    modify = change.action == "Modify"
    if change.drift and change.drift.status == "NOT_CHECKED":
        change = replace(change, drift=replace(change.drift, status="UNSUPPORTED"))
    shown = {
        "PolicyAction": change.policy if change.policy != "Delete" or change.action == "Remove" else None,
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "PhysicalResourceId": change.old.physical_id if change.old else None,
        "ResourceType": change.type,
        "Replacement": change.replacement if modify else None,
        "Scope": scope(change) if modify else [],
        "Details": found,
        "ChangeSetId": child.id if child else None,
        "ResourceDriftStatus": change.drift.status if change.drift else None,
        "BeforeContext": context(actual(change)) if values else None,
        "PreviousDeploymentContext": context(change.old) if values and change.drift else None,
        "AfterContext": context(change.new) if values else None,
    }
    return {"Type": "Resource", "ResourceChange": without_none(shown)}


def actual(change: Change) -> Resource | None:
    """The resource before the change: of a drift-aware change set as it stands, not as it was deployed."""
    old, drift = change.old, change.drift
    if old is None or drift is None or drift.status != "MODIFIED":
        return old
    drifted = {one.path.split("/")[1] for one in drift.differences}
    return replace(old, shown={**old.shown, **{name: drift.actual.get(name) for name in drifted}})


def context(resource: Resource | None) -> str | None:
    """The resource's properties as JSON text, NoEcho values masked."""
    return json.dumps({"Properties": resource.shown}, default=str) if resource else None


def scope(change: Change) -> list[str]:
    """The attributes that change."""
    old, new = change.old, change.new
    if old is None or new is None:
        return []
    pairs = (
        ("Properties", bool(change.paths) or change.type == STACK),
        ("Metadata", old.metadata != new.metadata),
        ("Tags", dict(old.tags) != dict(new.tags)),
        ("DeletionPolicy", old.deletion_policy != new.deletion_policy),
        ("UpdateReplacePolicy", old.replace_policy != new.replace_policy),
    )
    return [name for name, changes in pairs if changes]


def details(
    change: Change, prepared: Prepared | None, stack: Stack | None, values: bool
) -> list[dict[str, Any]]:
    """Why and how each property changes, or is brought in step with what stands."""
    if change.action != "Modify":
        return synced(change, values)
    found = []
    for path in sorted(change.paths):
        found.append(one := _property(change, path, prepared, stack, values))
        if one["ChangeSource"] == "ParameterReference":  # the template might have changed there, too
            named = {"Evaluation": "Dynamic", "ChangeSource": "DirectModification"}
            found.append({"Target": one["Target"], **named})
    old, new = change.old, change.new
    if old is None or new is None:
        return found
    for name in scope(change):
        if name != "Properties":
            target = {"Attribute": name, "RequiresRecreation": "Never"}
            found.append({"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"})
    if change.type == STACK and not change.paths:
        found.append({
            "Target": {"Attribute": "Properties", "Name": "TemplateURL", "RequiresRecreation": "Never"},
            "Evaluation": "Dynamic", "ChangeSource": "Automatic",
        })  # fmt: skip
    return found


def _property(
    change: Change, path: str, prepared: Prepared | None, stack: Stack | None, values: bool
) -> dict[str, Any]:
    old, new = change.old, change.new
    before, after = at(old.shown if old else {}, path), at(new.shown if new else {}, path)
    top = path.split("/")[0]
    source, cause = _source(change, top, prepared, stack)
    target: dict[str, Any] = {
        "Attribute": "Properties", "Name": top,
        "RequiresRecreation": RECREATION[replacement(change.type, {path})],
    }  # fmt: skip
    if values or change.drift:
        target |= {
            "Path": f"/Properties/{path}",
            "AttributeChangeType": "Add" if before is None else "Remove" if after is None else "Modify",
            "BeforeValue": _text(before) if values else None, "AfterValue": _text(after) if values else None,
            **drifted(change, path, before),
        }  # fmt: skip
    return without_none({
        "Target": without_none(target), "Evaluation": "Static" if known(after) else "Dynamic",
        "ChangeSource": source, "CausingEntity": cause,
    })  # fmt: skip


def drifted(change: Change, path: str, before: Any) -> dict[str, Any]:
    """What a drift-aware change set adds to a property: where its values come from, and how it drifted."""
    drift, top = change.drift, path.split("/")[0]
    if drift is None:
        return {}
    where = {"BeforeValueFrom": "ACTUAL_STATE", "AfterValueFrom": "TEMPLATE"}
    if top not in {one.path.split("/")[1] for one in drift.differences}:
        return (
            where if drift.status == "IN_SYNC" else {**where, "BeforeValueFrom": "PREVIOUS_DEPLOYMENT_STATE"}
        )
    actual = _text(at(drift.actual, path))
    told = {"PreviousValue": _text(before), "ActualValue": actual, "DriftDetectionTimestamp": drift.timestamp}
    return {**where, "BeforeValue": actual, "Drift": without_none(told)}


def synced(change: Change, values: bool) -> list[dict[str, Any]]:
    """The properties whose drift is reset because the template says now what stands."""
    if change.action != "SyncWithActual" or change.drift is None or change.new is None:
        return []
    found = []
    for one in change.drift.differences:
        path = one.path.strip("/")
        target = {
            "Attribute": "Properties", "Name": path.split("/")[0], "Path": f"/Properties/{path}",
            "RequiresRecreation": "Never", "AttributeChangeType": "SyncWithActual",
            "AfterValue": _text(at(change.new.shown, path)) if values else None,
            **drifted(change, path, at(change.old.shown if change.old else {}, path)),
        }  # fmt: skip
        found.append(
            {"Target": without_none(target), "Evaluation": "Static", "ChangeSource": "DirectModification"}
        )
    return found


def at(value: Any, path: str) -> Any:
    """What stands at a path, None when nothing does."""
    for part in path.split("/"):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _text(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else json.dumps(value, default=str)


def _source(
    change: Change, top: str, prepared: Prepared | None, stack: Stack | None
) -> tuple[str, str | None]:
    """What makes the property change, and the entity behind it."""
    old, new = change.old, change.new
    if old is None or new is None or prepared is None:
        return "DirectModification", None
    was, becomes = (one.source.get("Properties", {}).get(top) for one in (old, new))
    if old.properties.get(top) == new.properties.get(top):
        return "NoModification", None
    if was != becomes:
        return "DirectModification", None
    for found in references(becomes):
        if found.name in prepared.definition.parameters:
            before = stack.definition.parameters.get(found.name) if stack else None
            if before != prepared.definition.parameters[found.name]:
                return "ParameterReference", found.name
        elif found.kind == "Fn::GetAtt":
            return "ResourceAttribute", f"{found.name}.{found.attribute}"
        elif found.name in prepared.bound.resources:
            return "ResourceReference", found.name
    return "DirectModification", None
