"""What refers to what in a template: references of a value, the dependency graph of resources, its order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from aws_vpc.errors import TemplateError

VARIABLE = re.compile(r"\$\{([^!${}][^${}]*)\}")


class Reference(NamedTuple):
    """One mention of a name: by Ref, GetAtt (with the attribute), Condition or FindInMap."""

    kind: str
    name: str
    attribute: str = ""


def references(value: Any) -> Iterator[Reference]:
    """Every reference in a value, Fn::Sub's variables included."""
    for key, argument in _single(value):
        yield from _own(key, argument)


def functions(value: Any) -> Iterator[tuple[str, Any]]:
    """Every function in a value with its argument, the outermost first."""
    return ((key, argument) for key, argument in _single(value) if key.startswith("Fn::"))


def _single(value: Any) -> Iterator[tuple[str, Any]]:
    """The key and value of every map with a single one, which may be a function; the outermost first."""
    if isinstance(value, list):
        for child in value:
            yield from _single(child)
    elif isinstance(value, dict):
        if len(value) == 1:
            yield from value.items()
        for child in value.values():
            yield from _single(child)


def _own(key: str, argument: Any) -> Iterator[Reference]:
    if key == "Ref" and isinstance(argument, str):
        yield Reference("Ref", argument)
    elif key == "Condition" and isinstance(argument, str):
        yield Reference("Condition", argument)
    elif key == "Fn::GetAtt":
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if isinstance(parts, list) and len(parts) >= 2 and isinstance(parts[0], str):
            attribute = ".".join(part for part in parts[1:] if isinstance(part, str))
            yield Reference("Fn::GetAtt", parts[0], attribute)
    elif key == "Fn::If" and isinstance(argument, list) and argument and isinstance(argument[0], str):
        yield Reference("Condition", argument[0])
    elif key == "Fn::Sub":
        yield from _sub(argument)


def _sub(argument: Any) -> Iterator[Reference]:
    text, own = (
        (argument, {})
        if isinstance(argument, str)
        else (argument[0], argument[1])
        if _pair(argument)
        else ("", {})
    )
    for variable in variables(text):
        if variable in own:
            continue
        name, _, attribute = variable.partition(".")
        yield Reference("Fn::GetAtt", name, attribute) if attribute else Reference("Ref", name)


def _pair(argument: Any) -> bool:
    return (
        isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], str)
        and isinstance(argument[1], dict)
    )


def variables(text: str) -> list[str]:
    """The `${names}` of a Fn::Sub text; `${!Literal}` is none."""
    return [found.strip() for found in VARIABLE.findall(text)]


def depends_on(resource: Mapping[str, Any]) -> list[str]:
    """The logical ids a resource names in DependsOn."""
    stated = resource.get("DependsOn", [])
    return [stated] if isinstance(stated, str) else list(stated)


def dependencies(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, set[str]]:
    """For every resource the resources that must stand before it."""
    graph: dict[str, set[str]] = {}
    for logical, resource in resources.items():
        used = {found.name for found in references(body(resource)) if found.kind in ("Ref", "Fn::GetAtt")}
        graph[logical] = (used | set(depends_on(resource))) & resources.keys()
    return graph


def body(resource: Mapping[str, Any]) -> list[Any]:
    """The parts of a resource in which functions are evaluated."""
    return [resource.get(key, {}) for key in ("Properties", "Metadata", "CreationPolicy", "UpdatePolicy")]


def order(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The names, each after all it depends on; TemplateError names a circle."""
    remaining = {name: set(needs) for name, needs in graph.items()}
    waiting: dict[str, list[str]] = {}
    for name, needs in remaining.items():
        for need in needs:
            waiting.setdefault(need, []).append(name)
    ready = [name for name, needs in remaining.items() if not needs]
    found: list[str] = []
    for name in ready:
        found.append(name)
        del remaining[name]
        for waiter in waiting.get(name, ()):
            remaining[waiter].discard(name)
            if not remaining[waiter]:
                ready.append(waiter)
    if remaining:
        names = ", ".join(sorted(circle(remaining)))
        raise TemplateError(f"Circular dependency between resources: [{names}]")
    return found


def circle(remaining: Mapping[str, set[str]]) -> set[str]:
    """The names that take part in circles: what is left after dropping what nothing left depends on."""
    names = set(remaining)
    while True:
        needed = {need for name in names for need in remaining[name]}
        if names <= needed:
            return names
        names &= needed
