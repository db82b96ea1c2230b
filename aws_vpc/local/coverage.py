"""How much of what templates state the embedded AWS models: every property of every resource type.

    modelled      a server, a process, a refusal or an answer depends on it
    stored only   its API shows it, nothing acts by it (stored_only.yaml)
    ignored       not even that, with the reason (Provider.ignored)
    unknown       the type or the property fails, with its name

What a provider applies and nothing names as stored only counts as modelled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from aws_vpc.local.providers import PROVIDERS

WAYS = ("modelled", "stored only", "ignored", "unknown")
# A nested stack is the engine's own.
ENGINE = {"AWS::CloudFormation::Stack": frozenset({"TemplateURL", "Parameters", "Tags"})}


@dataclass(frozen=True)
class Covered:
    """A property of a type, how far it is modelled, and for an ignored one why."""

    type: str
    property: str
    way: str
    reason: str = ""


@cache
def stored() -> Mapping[str, Any]:
    """The lists of stored_only.yaml."""
    found: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("stored_only.yaml").read_text())
    return found


def stated(templates: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, set[str]]:
    """The properties that resources of each type state, in the resources of several templates."""
    found: dict[str, set[str]] = {}
    for resources in templates:
        for resource in resources.values():
            found.setdefault(resource["Type"], set()).update(resource.get("Properties", {}))
    return found


def covered(properties: Mapping[str, Iterable[str]]) -> list[Covered]:
    """How far each property is modelled, by type and name."""
    return [judged(type, name) for type, names in sorted(properties.items()) for name in sorted(names)]


def judged(type: str, name: str) -> Covered:
    """How far one property is modelled."""
    provider = PROVIDERS.get(type)
    applied = provider.applied if provider else ENGINE.get(type, frozenset())
    if provider and name in provider.ignored:
        return Covered(type, name, "ignored", provider.ignored[name])
    if name not in applied:
        return Covered(type, name, "unknown")
    tag = name == "Tags" and type not in stored()["finds"]
    only = tag or name in stored()["types"].get(type, ())
    return Covered(type, name, "stored only" if only else "modelled")


def lines(found: Iterable[Covered]) -> list[str]:
    """The report: a line for each type and way, and the counts."""
    told = []
    listed = list(found)
    for type in dict.fromkeys(one.type for one in listed):
        told.append(type)
        for way in WAYS:
            some = [one for one in listed if (one.type, one.way) == (type, way)]
            names = [f"{one.property} ({one.reason})" if one.reason else one.property for one in some]
            told += [f"  {way:<11}  {', '.join(names)}"] if some else []
    numbers = counts(listed)
    types = len({one.type for one in listed})
    sums = ", ".join(f"{number} {way}" for way, number in numbers.items())
    return [*told, f"{types} types, {len(listed)} properties: {sums}"]


def counts(found: Iterable[Covered]) -> dict[str, int]:
    """How many properties there are of each kind."""
    ways = [one.way for one in found]
    return {way: ways.count(way) for way in WAYS}
