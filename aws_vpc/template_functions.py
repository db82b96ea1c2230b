"""Intrinsic functions: a template value and a scope in, the value out.

Pure: what only a running system knows (references, attributes, exports, zones) comes from callables in
the scope. What needs no scope is computed in template_values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.template_graph import VARIABLE
from aws_vpc.template_values import (
    UNKNOWN,
    cidr,
    encode,
    find_in_map,
    join,
    length,
    select,
    split,
    text,
    to_json,
    unknown,
)


class NoValue:
    """What AWS::NoValue evaluates to: the property is not there."""


NO_VALUE = NoValue()


def _absent(*names: str) -> Any:
    raise TemplateError(f"Template error: {' '.join(names)} cannot be evaluated here")


@dataclass(frozen=True)
class Scope:
    """All that evaluation may ask: values by name, mappings, conditions, and lookups into what stands."""

    values: Mapping[str, Any] = field(default_factory=dict)  # parameters and pseudo parameters
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, bool] = field(default_factory=dict)
    ref: Callable[[str], Any] = _absent
    attribute: Callable[[str, str], Any] = _absent
    import_value: Callable[[str], Any] = _absent
    zones: Callable[[str], list[str]] = _absent
    stack_output: Callable[[str, str, str], Any] = _absent  # of a stack's output, in a Region or its own
    # what the account has of a parameter type, and its attributes: {"subnet-1": {"VpcId": "vpc-1"}}
    account: Callable[[str], Mapping[str, Mapping[str, str]]] = _absent


def evaluate(value: Any, scope: Scope) -> Any:
    """The value with every function evaluated; members that are AWS::NoValue are gone."""
    if isinstance(value, list):
        return [item for item in (evaluate(child, scope) for child in value) if item is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, argument),) = value.items()
        if key in FUNCTIONS:
            return FUNCTIONS[key](argument, scope)
        if key.startswith("Fn::"):
            raise TemplateError(f"Template error: {key} is not supported; write its result into the template")
    pairs = ((key, evaluate(child, scope)) for key, child in value.items())
    return {key: item for key, item in pairs if item is not NO_VALUE}


def _ref(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, str):
        raise TemplateError("Template error: every Ref object must have a single String value.")
    if argument == "AWS::NoValue":
        return NO_VALUE
    return scope.values[argument] if argument in scope.values else scope.ref(argument)


def _get_att(argument: Any, scope: Scope) -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[0], str):
        raise TemplateError(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, "
            "the resource name and the resource attribute"
        )
    return scope.attribute(parts[0], ".".join(text(evaluate(part, scope)) for part in parts[1:]))


def _sub(argument: Any, scope: Scope) -> Any:
    template, own = (
        (argument, {}) if isinstance(argument, str) else (argument if _sub_pair(argument) else (None, {}))
    )
    if template is None:
        raise TemplateError(
            "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. "
            "Specify a string as first argument, and an optional second argument to specify a mapping of "
            "values to replace in the string"
        )
    given = {key: evaluate(child, scope) for key, child in own.items()}

    def replace(match: re.Match[str]) -> str:
        name = match[1].strip()
        value = given[name] if name in given else _variable(name, scope)
        if isinstance(value, (list, dict)) or value is NO_VALUE:
            raise TemplateError(
                "Template error: Fn::Sub expression does not resolve to a string: variable " + name
            )
        return text(value)

    return VARIABLE.sub(replace, template).replace("${!", "${")


def _sub_pair(argument: Any) -> bool:
    return (
        isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], str)
        and isinstance(argument[1], dict)
    )


def _variable(name: str, scope: Scope) -> Any:
    if name in scope.values:
        return scope.values[name]
    logical, _, attribute = name.partition(".")
    return scope.attribute(logical, attribute) if attribute else scope.ref(logical)


def _if(argument: Any, scope: Scope) -> Any:
    if not (isinstance(argument, list) and len(argument) == 3 and isinstance(argument[0], str)):
        raise TemplateError(
            "Template error: Fn::If requires a list argument with three elements, "
            "with the first one indicating the name of a condition"
        )
    return evaluate(argument[1 if _condition(argument[0], scope) else 2], scope)


def _condition(argument: Any, scope: Scope) -> bool:
    if argument not in scope.conditions:
        raise TemplateError(f"Template error: unresolved condition dependency {argument}")
    return scope.conditions[argument]


def _equals(argument: Any, scope: Scope) -> bool:
    argument = evaluate(argument, scope)
    if not (isinstance(argument, list) and len(argument) == 2):
        raise TemplateError("Template error: every Fn::Equals object requires a list of 2 string parameters.")
    left, right = argument
    return text(left) == text(right) if not isinstance(left, (list, dict)) else left == right


def _truths(name: str, least: int, most: int) -> Callable[[Any, Scope], list[bool]]:
    wanted = "a list of 1" if most == 1 else f"a list of at least {least} and at most {most}"

    def truths(argument: Any, scope: Scope) -> list[bool]:
        if not isinstance(argument, list) or not least <= len(argument) <= most:
            raise TemplateError(f"Template error: every {name} object requires {wanted} boolean parameters.")
        return [_truth(item, scope) for item in argument]

    return truths


def _truth(item: Any, scope: Scope) -> bool:
    if isinstance(item, dict) and item.keys() == {"Condition"}:
        return _condition(item["Condition"], scope)
    found = evaluate(item, scope)
    if isinstance(found, bool) or found in ("true", "false"):
        return found in (True, "true")
    raise TemplateError("Template error: a condition must evaluate to true or false")


def truth(item: Any, scope: Scope) -> bool:
    """What a condition's definition evaluates to."""
    return _truth(item, scope)


_NOT, _AND, _OR = _truths("Fn::Not", 1, 1), _truths("Fn::And", 2, 10), _truths("Fn::Or", 2, 10)


def _zones(argument: Any, scope: Scope) -> Any:
    region = evaluate(argument, scope)
    if not isinstance(region, str):
        raise TemplateError("Template error: every Fn::GetAZs object must have a String-typed value.")
    return scope.zones(region or text(scope.values.get("AWS::Region", "")))


def _import(argument: Any, scope: Scope) -> Any:
    name = evaluate(argument, scope)
    if not isinstance(name, str):
        raise TemplateError(
            "Template error: the attribute in Fn::ImportValue must be a string or a function that "
            "returns a string"
        )
    return UNKNOWN if unknown(name) else scope.import_value(name)


def _stack_output(argument: Any, scope: Scope) -> Any:
    """Fn::GetStackOutput; the account is the embedded AWS's only one, so that RoleArn says nothing."""
    found = evaluate(argument, scope)
    if not isinstance(found, dict) or not {"StackName", "OutputName"} <= found.keys():
        raise TemplateError(
            "Template error: every Fn::GetStackOutput object requires StackName and OutputName"
        )
    names = [text(found.get(key, "")) for key in ("StackName", "OutputName", "Region")]
    return UNKNOWN if unknown(*names) else scope.stack_output(*names)


def _computed(function: Callable[[Any], Any]) -> Callable[[Any, Scope], Any]:
    return lambda argument, scope: function(evaluate(argument, scope))


FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _computed(join),
    "Fn::Split": _computed(split),
    "Fn::Select": _computed(select),
    "Fn::If": _if,
    "Fn::Equals": _equals,
    "Fn::Not": lambda argument, scope: not _NOT(argument, scope)[0],
    "Fn::And": lambda argument, scope: all(_AND(argument, scope)),
    "Fn::Or": lambda argument, scope: any(_OR(argument, scope)),
    "Fn::FindInMap": lambda argument, scope: find_in_map(evaluate(argument, scope), scope.mappings),
    "Fn::Base64": _computed(encode),
    "Fn::Cidr": _computed(cidr),
    "Fn::GetAZs": _zones,
    "Fn::ImportValue": _import,
    "Fn::GetStackOutput": _stack_output,
    "Fn::Length": _computed(length),
    "Fn::ToJsonString": _computed(to_json),
}

__all__ = ["NO_VALUE", "UNKNOWN", "NoValue", "Scope", "evaluate", "text", "truth"]
