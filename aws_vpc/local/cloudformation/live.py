"""How a stack's resources stand now, read through their providers: for drift and what reverts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aws_vpc.local.cloudformation import resources, waits
from aws_vpc.local.cloudformation.drift import Drift, compared, differences, without_stack_tags
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import STACK, Resource, Run, Stack
from aws_vpc.local.cloudformation.reasons import reason_of
from aws_vpc.local.providers import read

Live = dict[tuple[str, str], Drift]  # (stack id, logical id) -> how the resource stands


def drift_of(engine: Engine, stack: Stack, resource: Resource) -> Drift:
    """What stands of the resource, beside what is stated; nested stacks are not looked into."""
    if resource.physical_id is None or resource.status == "DELETE_COMPLETE":
        return Drift("NOT_CHECKED")
    if resource.type == STACK or resource.type in waits.WAITS or resource.logical_id in stack.skipped:
        return Drift("NOT_CHECKED")
    provider = resources.provider_of(resource)
    if not provider.readable:
        return Drift("NOT_CHECKED")
    request = resources.request(resources.Work(engine, stack, Run(""), resources.NOTHING, set()), resource)
    try:
        actual = read(provider.describe, request)
    except Exception as error:
        return Drift("UNKNOWN", reason=reason_of(error, resource.logical_id, resource.type))
    if actual is not None:
        actual = without_stack_tags(actual, resource.properties.get("Tags"), resource.tags)
        actual = without_own_parts(engine, resource, actual)
    return masked(compared(request.properties, actual), resource)


def masked(drift: Drift, resource: Resource) -> Drift:
    """The drift with what the template hides hidden."""
    hidden = {key for key, value in resource.properties.items() if resource.shown.get(key) != value}
    if not hidden:
        return drift
    return replace(
        drift,
        expected={
            **drift.expected,
            **{key: resource.shown.get(key) for key in hidden & drift.expected.keys()},
        },
        actual={**drift.actual, **dict.fromkeys(hidden & drift.actual.keys(), "****")},
        differences=tuple(
            replace(one, expected="****", actual="****") if one.path.split("/")[1] in hidden else one
            for one in drift.differences
        ),
    )


def without_own_parts(engine: Engine, whole: Resource, actual: Mapping[str, Any]) -> dict[str, Any]:
    """The actual properties without the members of lists that are resources of their own, in any stack."""
    found = dict(actual)
    if whole.type not in PARTS:
        return found
    records = [one for stack in list(engine.stacks.values()) for one in list(stack.resources.values())]
    for key, kinds in PARTS[whole.type].items():
        parts = [one for one in records if one.type in kinds and one.physical_id]
        if key in found:
            found[key] = [item for item in found[key] if not any(_is(item, part, whole) for part in parts)]
    return found


# A type -> a list of it -> the types whose resources are members of that list too.
PARTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "AWS::EC2::SecurityGroup": {
        "SecurityGroupIngress": ("AWS::EC2::SecurityGroupIngress",),
        "SecurityGroupEgress": ("AWS::EC2::SecurityGroupEgress",),
    },
    "AWS::IAM::Role": {
        "Policies": ("AWS::IAM::Policy", "AWS::IAM::RolePolicy"),
        "ManagedPolicyArns": ("AWS::IAM::ManagedPolicy",),
    },
}


def _is(item: Any, part: Resource, whole: Resource) -> bool:
    """Whether the member of a list of the whole is what the part made."""
    stated = part.properties
    if whole.type == "AWS::EC2::SecurityGroup":
        same = all(str(stated.get(key)) == str(value) for key, value in item.items() if key != "Description")
        return stated.get("GroupId") == whole.physical_id and same
    if whole.physical_id not in (stated.get("RoleName"), *stated.get("Roles", ())):
        return False
    if part.type == "AWS::IAM::ManagedPolicy":
        return bool(item == part.physical_id)
    return isinstance(item, Mapping) and item.get("PolicyName") == stated.get("PolicyName")


def overlaid(old: Resource, drift: Drift | None, wanted: Mapping[str, Any]) -> Resource:
    """The record with the actual values where they drifted; the wanted ones where those are the actual."""
    if drift is None or drift.status != "MODIFIED":
        return old
    properties = dict(old.properties)
    for name in {one.path.split("/")[1] for one in drift.differences}:
        actual = drift.actual.get(name)
        same = name in wanted and not any(differences(wanted[name], actual))
        properties[name] = wanted[name] if same else actual
    return replace(old, properties={key: value for key, value in properties.items() if value is not None})
