"""Which property a failure's reason speaks of, and the parameter of the root that sets it.

In: a cause, and the templates and parameters of the stacks around it as they were deployed.
Out: a phrase such as «property CidrBlock, which the root's parameter VpcCidr sets», or nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aws_vpc.causes import Cause
from aws_vpc.events import STACK
from aws_vpc.template_graph import references

Path = tuple[str, ...]
SHORTEST = 3  # a value of fewer characters stands in any sentence


@dataclass(frozen=True)
class Layer:
    """One stack as it was deployed: the resources of its template, and its parameters' values."""

    resources: Mapping[str, Any]
    parameters: Mapping[str, str]


def blamed(cause: Cause, layers: Mapping[Path, Layer]) -> str:
    """The properties that a reason speaks of, each with what sets it; empty where none is named."""
    layer = layers.get(cause.path[:-1])
    resource = layer.resources.get(cause.path[-1], {}) if layer else {}
    properties = resource.get("Properties", {})
    if cause.type == STACK:
        properties = properties.get("Parameters", {})
    scores = {name: score(name, value, cause.reason, layer) for name, value in properties.items() if layer}
    best = max(scores.values(), default=0)
    names = [name for name, points in scores.items() if points == best] if best else []
    kind = "parameter" if cause.type == STACK else "property"
    return ", ".join(phrase(cause.path, kind, name, properties[name], layers) for name in names[:3])


def score(name: str, value: Any, reason: str, layer: Layer) -> int:
    """How much a reason speaks of a property: 2 for its name, 1 for its value, 0 for neither."""
    by_name = re.search(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", reason, re.IGNORECASE)
    by_value = any(
        len(text) >= SHORTEST and re.search(rf"(?<![\w.]){re.escape(text)}(?![\w])", reason)
        for text in texts(value, layer.parameters)
    )
    return 2 * bool(by_name) + bool(by_value)


def texts(value: Any, parameters: Mapping[str, str]) -> Iterator[str]:
    """The literal values in a property, and those of the parameters that it refers to."""
    yield from literals(value)
    for found in references(value):
        if found.kind == "Ref" and found.name in parameters:
            yield parameters[found.name]


def literals(value: Any) -> Iterator[str]:
    """The scalars in a value, function names and references left out."""
    if isinstance(value, list):
        for child in value:
            yield from literals(child)
    elif isinstance(value, dict):
        for key, child in value.items():
            if key not in {"Ref", "Fn::GetAtt", "Condition"}:
                yield from literals(child)
    elif not isinstance(value, bool) and value is not None:
        yield str(value)


def phrase(path: Path, kind: str, name: str, value: Any, layers: Mapping[Path, Layer]) -> str:
    """A property, and the parameters of the root or the outputs of siblings that set it."""
    behind = list(dict.fromkeys(origins(path[:-1], value, layers)))
    return f"{kind} {name}" + (f", which {' and '.join(behind)} sets" if behind else "")


def origins(stack: Path, value: Any, layers: Mapping[Path, Layer]) -> Iterator[str]:
    """Where the values that a property refers to come from, as far up as the root."""
    layer = layers.get(stack)
    if layer is None:
        return
    for found in references(value):
        if found.kind == "Fn::GetAtt" and found.attribute.startswith("Outputs."):
            yield f"output {found.attribute.removeprefix('Outputs.')} of {found.name}"
        elif found.kind == "Ref" and found.name in layer.parameters:
            yield from source(stack, found.name, layers)


def source(stack: Path, parameter: str, layers: Mapping[Path, Layer]) -> Iterator[str]:
    """What gives a stack's parameter its value: the root's own parameter, or what its parent passes."""
    if len(stack) == 1:
        yield f"--param {parameter}=..."
        return
    above = layers.get(stack[:-1])
    passed = above.resources.get(stack[-1], {}).get("Properties", {}).get("Parameters", {}) if above else {}
    if parameter not in passed:
        yield f"the default of {parameter} in {stack[-1]}"
        return
    found = list(origins(stack[:-1], passed[parameter], layers))
    yield from found or [f"parameter {parameter} of {stack[-1]}"]
