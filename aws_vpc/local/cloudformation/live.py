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
        actual = without_own_rules(engine, resource, actual)
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


def without_own_rules(engine: Engine, group: Resource, actual: Mapping[str, Any]) -> dict[str, Any]:
    """The actual properties of a security group without the rules that are resources of their own."""
    found = dict(actual)
    if group.type != "AWS::EC2::SecurityGroup":
        return found
    for way in ("Ingress", "Egress"):
        if f"SecurityGroup{way}" in found:
            own = [
                one.properties
                for stack in list(engine.stacks.values())
                for one in list(stack.resources.values())
                if one.type == f"AWS::EC2::SecurityGroup{way}"
                and one.properties.get("GroupId") == group.physical_id
            ]
            rules = found[f"SecurityGroup{way}"]
            found[f"SecurityGroup{way}"] = [
                rule for rule in rules if not any(_same_rule(rule, one) for one in own)
            ]
    return found


def _same_rule(rule: Mapping[str, Any], stated: Mapping[str, Any]) -> bool:
    return all(str(stated.get(key)) == str(value) for key, value in rule.items() if key != "Description")


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
