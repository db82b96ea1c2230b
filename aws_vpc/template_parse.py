"""CloudFormation YAML or JSON text to plain values: dicts, lists, strings, numbers, booleans.

Short forms become long forms (`!GetAtt A.B.C` is {"Fn::GetAtt": ["A", "B.C"]}). Dates stay strings.
Duplicate keys and null values are refused.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from aws_vpc.errors import TemplateError

Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
FUNCTIONS = (
    "And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap", "ForEach",
    "GetAZs", "GetAtt", "GetStackOutput", "If", "ImportValue", "Join", "Length", "Not", "Or", "RefAll",
    "Select", "Split", "Sub", "ToJsonString", "Transform", "ValueOf", "ValueOfAll",
)  # fmt: skip


class Loader(Base):  # type: ignore[misc]
    """A safe YAML loader that knows CloudFormation's short forms and refuses duplicate keys."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in Base.yaml_implicit_resolvers.items()
    }


class Malformed(Exception):
    """The text breaks a rule at a line and column (both from 1)."""

    def __init__(self, problem: str, line: int, column: int) -> None:
        super().__init__(problem)
        self.line, self.column = line, column


def _mapping(loader: Any, node: Any) -> dict[Any, Any]:
    """The mapping's pairs; Malformed when a key stands twice."""
    found: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, (str, int, float, bool)):
            raise Malformed(
                "a key must be a scalar", key_node.start_mark.line + 1, key_node.start_mark.column + 1
            )
        key = key_node.value
        if key in found:
            mark = key_node.start_mark
            raise Malformed(f"Duplicate key {key}", mark.line + 1, mark.column + 1)
        found[key] = loader.construct_object(value_node, deep=True)
    return found


def _plain(loader: Any, node: Any) -> Any:
    """The value under a short form's tag, as if the tag were not there."""
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node)
    if isinstance(node, yaml.SequenceNode):
        return [loader.construct_object(child, deep=True) for child in node.value]
    return node.value


def _short(name: str) -> Any:
    def construct(loader: Any, node: Any) -> dict[str, Any]:
        value = _plain(loader, node)
        if name == "Fn::GetAtt" and isinstance(value, str):
            logical, _, attribute = value.partition(".")
            value = [logical, attribute]
        return {name: value}

    return construct


def _unknown(loader: Any, node: Any) -> Any:
    mark = node.start_mark
    raise Malformed(f"Unsupported tag {node.tag}", mark.line + 1, mark.column + 1)


Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
Loader.add_constructor("!Ref", _short("Ref"))
Loader.add_constructor("!Condition", _short("Condition"))
Loader.add_constructor(None, _unknown)
for _function in FUNCTIONS:
    Loader.add_constructor(f"!{_function}", _short(f"Fn::{_function}"))


def parse(text: str) -> dict[str, Any]:
    """The template as plain values; TemplateError worded as AWS words it when the text is malformed."""
    value = _json(text) if text.lstrip().startswith("{") else _yaml(text)
    if not isinstance(value, dict):
        raise TemplateError("Template format error: unsupported structure.")
    _refuse_nulls(value, "")
    return value


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader)
    except Malformed as error:
        place = f"(line {error.line}, column {error.column})"
        raise TemplateError(f"Template format error: YAML not well-formed. {place}: {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise TemplateError(f"Template format error: YAML not well-formed.{place}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise TemplateError("Template format error: YAML not well-formed.") from None


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        try:  # a YAML flow mapping also starts with a brace
            return yaml.load(text, Loader)
        except (yaml.YAMLError, Malformed, ValueError):
            place = f"(line {error.lineno}, column {error.colno})"
            raise TemplateError(f"Template format error: JSON not well-formed. {place}") from None
    except Malformed as error:
        raise TemplateError(f"Template format error: JSON not well-formed. {error}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Malformed(f"Duplicate key {key}", 0, 0)
        found[key] = [*value.split(".", 1)] if key == "Fn::GetAtt" and isinstance(value, str) else value
    return found


def _refuse_nulls(value: Any, path: str) -> None:
    if value is None:
        raise TemplateError(f"[{path}] 'null' values are not allowed in templates")
    if isinstance(value, dict):
        for key, child in value.items():
            _refuse_nulls(child, f"{path}/{key}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            _refuse_nulls(child, f"{path}/{index}")
