"""Drift: what the template states beside what stands. Pure; the resource is read by its provider.

Only properties that the template states are compared, as DetectStackDrift documents. A difference has the
path of the value in the resource's properties, `/SecurityGroupIngress/0/CidrIp`, and is NOT_EQUAL; members
of a list that went or came are REMOVE and ADD.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aws_vpc.local.cloudformation.model import now
from aws_vpc.template_functions import text

IDENTITY = ("Key", "Id", "Sid", "PolicyName", "Name", "ParameterKey")  # members that name a member of a list


@dataclass(frozen=True)
class Difference:
    """One value that is not as stated."""

    path: str
    expected: Any
    actual: Any
    kind: str  # ADD, REMOVE, NOT_EQUAL


@dataclass(frozen=True)
class Drift:
    """What detection found for one resource."""

    status: str  # IN_SYNC, MODIFIED, DELETED, NOT_CHECKED, UNKNOWN
    expected: Mapping[str, Any] = field(default_factory=dict)
    actual: Mapping[str, Any] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    reason: str | None = None
    timestamp: datetime = field(default_factory=now)


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[Difference]:
    """Every difference between the stated value and the actual one."""
    expected, actual = _object(expected), _object(actual)
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for key, value in expected.items():
            if key in actual:
                yield from differences(value, actual[key], f"{path}/{key}")
            elif not _empty(value):
                yield Difference(f"{path}/{key}", value, None, "REMOVE")
    elif isinstance(expected, list):
        yield from _lists(expected, actual if isinstance(actual, list) else [actual], path)
    elif not _same(expected, actual):
        yield Difference(path, expected, actual, "NOT_EQUAL")


def _lists(expected: list[Any], actual: list[Any], path: str) -> Iterator[Difference]:
    """Differences of two lists whose order means nothing: as sets, named members by their name."""
    spare = [item for item in actual if not _own_tag(item)]
    left = []
    for number, item in enumerate(expected):
        if not _take(spare, lambda one, item=item: not any(differences(item, one))):  # type: ignore[misc]
            left.append((number, item))
    for number, item in left:
        twin = _take(spare, lambda one, item=item: _name(item) is not None and _name(item) == _name(one))  # type: ignore[misc]
        if not twin and len(left) == len(spare) == 1 and isinstance(item, Mapping):
            twin = [spare.pop()]
        if twin:
            yield from differences(item, twin[0], f"{path}/{number}")
        else:
            yield Difference(f"{path}/{number}", item, None, "REMOVE")
    for number, item in enumerate(spare, len(expected)):
        yield Difference(f"{path}/{number}", None, item, "ADD")


def _take(items: list[Any], wanted: Callable[[Any], bool]) -> list[Any]:
    """The first wanted item, taken out of the list; empty when there is none."""
    for place, item in enumerate(items):
        if wanted(item):
            return [items.pop(place)]
    return []


def _name(item: Any) -> Any:
    named = (item.get(key) for key in IDENTITY) if isinstance(item, Mapping) else ()
    return next((found for found in named if found is not None), None)


def _own_tag(item: Any) -> bool:
    """Whether a list member is a tag of AWS's own."""
    return isinstance(item, Mapping) and str(item.get("Key", "")).startswith("aws:")


def _object(value: Any) -> Any:
    """The object that a JSON text holds, any other value as it is."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _same(expected: Any, actual: Any) -> bool:
    if _empty(expected) and _empty(actual):
        return True
    if isinstance(actual, (list, Mapping)) or isinstance(expected, (list, Mapping)):
        return isinstance(actual, list) and len(actual) == 1 and _same(expected, actual[0])
    try:
        return text(expected) == text(actual) or float(expected) == float(actual)
    except (TypeError, ValueError):
        return False


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def without_stack_tags(actual: Mapping[str, Any], stated: Any, carried: Mapping[str, str]) -> dict[str, Any]:
    """The actual properties without the tags that come from the stack itself."""
    tags = actual.get("Tags")
    if not isinstance(tags, list):
        return dict(actual)
    own = (
        {tag.get("Key") for tag in stated if isinstance(tag, Mapping)} if isinstance(stated, list) else set()
    )
    kept = [
        tag
        for tag in tags
        if not (tag.get("Key") not in own and carried.get(tag.get("Key", "")) == tag.get("Value"))
    ]
    return {**actual, "Tags": kept}


def compared(expected: Mapping[str, Any], actual: Mapping[str, Any] | None) -> Drift:
    """IN_SYNC, MODIFIED or, when nothing stands, DELETED. Properties that cannot be read are left out."""
    if actual is None:
        return Drift("DELETED", expected)
    known = {key: value for key, value in expected.items() if key in actual}
    found = tuple(differences(known, actual))
    return Drift("MODIFIED" if found else "IN_SYNC", expected, actual, found)
