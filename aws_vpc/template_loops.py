"""Fn::ForEach of AWS::LanguageExtensions: a template with loops and what its parameters are, to one without.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html

The identifier of a loop is replaced in the keys of its fragment (`${Id}`; `&{Id}` without what is no letter
or digit), in the texts of Fn::Sub and where Ref names it. Plain texts and keys further down keep it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.template_functions import Scope, evaluate, text

LOOP = "Fn::ForEach::"
SECTIONS = ("Conditions", "Resources", "Outputs")
PLACE = re.compile(r"([$&])\{([^!{}][^{}]*)\}")


def failed(message: str) -> TemplateError:
    """The error that a transform fails with."""
    return TemplateError(f"Transform AWS::LanguageExtensions failed with: {message}")


def loops(value: Any) -> Iterator[tuple[str, Any]]:
    """The name and the argument of every loop in a value, the outermost first."""
    if isinstance(value, list):
        for child in value:
            yield from loops(child)
    elif isinstance(value, Mapping):
        for key, child in value.items():
            if key.startswith(LOOP):
                yield key.removeprefix(LOOP), child
            yield from loops(child)


def members(section: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The members of a section as they are written: of a loop, those of its fragment, once."""
    for key, member in section.items():
        if key.startswith(LOOP):
            yield from members(_parts(key, member)[2])
        else:
            yield key, member


def check_loops(template: Mapping[str, Any]) -> None:
    """Nothing; TemplateError when a loop stands where none may, is malformed, or has another's name."""
    names = set(template.get("Resources", {}))
    for section, content in template.items():
        for name, argument in loops(content):
            if section not in SECTIONS:
                raise failed(f"Fn::ForEach is not supported in the {section} section")
            _parts(LOOP + name, argument)
            if not name or name in names:
                raise failed(f"The name of the loop Fn::ForEach::{name} is not unique in the template")
            names.add(name)


def unroll(template: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """The template without its loops and the transform, under the values of its parameters."""
    check_loops(template)
    done = {name: content for name, content in template.items() if name != "Transform"}
    for section in SECTIONS:
        if section in template:
            done[section] = {
                key: _named(member, scope) for key, member in _turned(template[section], scope).items()
            }
    return done


def _parts(key: str, argument: Any) -> tuple[str, Any, dict[str, Any]]:
    """The identifier, the collection and the fragment of a loop."""
    if not isinstance(argument, list) or len(argument) != 3 or isinstance(argument[1], str):
        raise failed("Fn::ForEach layout is incorrect")
    identifier, collection, fragment = argument
    if not isinstance(identifier, str) or not isinstance(fragment, dict):
        raise failed("Fn::ForEach layout is incorrect")
    for name in fragment:
        if not name.startswith(LOOP) and identifier not in (place[1] for place in PLACE.findall(name)):
            raise failed(f"{key}: the key {name} does not contain ${{{identifier}}} or &{{{identifier}}}")
    return identifier, collection, fragment


def _turned(value: Any, scope: Scope, bound: Mapping[str, str] | None = None) -> Any:
    """The value with every loop in it unrolled, and the identifiers of those around it replaced."""
    bound = bound or {}
    if isinstance(value, list):
        return [_turned(child, scope, bound) for child in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, argument),) = value.items()
        if key in NAMING:
            return NAMING[key](argument, scope, bound)
    done: dict[str, Any] = {}
    for key, child in value.items():
        turns = _turns(key, child, scope, bound) if key.startswith(LOOP) else [(key, child, bound)]
        for name, member, inner in turns:
            if name in done:
                raise failed(f"{key} makes {name} twice")
            done[name] = _turned(member, scope, inner)
    return done


def _turns(
    key: str, argument: Any, scope: Scope, bound: Mapping[str, str]
) -> Iterator[tuple[str, Any, Mapping[str, str]]]:
    """What a loop makes: name, member, and the identifiers in it."""
    identifier, collection, fragment = _parts(key, argument)
    for item in _items(collection, scope, bound):
        inner = {**bound, identifier: item}
        for name, member in fragment.items():
            if name.startswith(LOOP):
                yield from _turns(name, member, scope, inner)
            else:
                yield PLACE.sub(partial(_filled, bound=inner), name), member, inner


def _filled(place: re.Match[str], bound: Mapping[str, str]) -> str:
    """What stands for a place in a key."""
    if place[2] not in bound:
        return place[0]
    return bound[place[2]] if place[1] == "$" else re.sub(r"[^0-9A-Za-z]", "", bound[place[2]])


def _items(collection: Any, scope: Scope, bound: Mapping[str, str]) -> list[str]:
    """The items of a collection: a list, or a function of parameters and mappings that gives one."""
    try:
        found = _evaluated(collection, scope, bound)
    except TemplateError:
        found = None
    if not isinstance(found, list) or any(isinstance(item, list | dict) for item in found):
        raise failed("Could not find a collection or could not be resolved for Fn::ForEach")
    return [text(item) for item in found]


def _evaluated(value: Any, scope: Scope, bound: Mapping[str, str]) -> Any:
    return evaluate(value, replace(scope, values={**scope.values, **bound}))


def _ref(argument: Any, scope: Scope, bound: Mapping[str, str]) -> Any:
    if isinstance(argument, str):
        return bound.get(argument, {"Ref": argument})
    return {"Ref": _evaluated(argument, scope, bound)}


def _get_att(argument: Any, scope: Scope, bound: Mapping[str, str]) -> Any:
    if not isinstance(argument, list):
        return {"Fn::GetAtt": argument}
    return {"Fn::GetAtt": [_evaluated(part, scope, bound) for part in argument]}


def _sub(argument: Any, scope: Scope, bound: Mapping[str, str]) -> Any:
    if isinstance(argument, str):
        return {"Fn::Sub": _text(argument, bound)}
    first, *rest = argument if isinstance(argument, list) and argument else [argument]
    first = _text(first, bound) if isinstance(first, str) else first
    return {"Fn::Sub": [first, *_turned(rest, scope, bound)]}


def _text(written: str, bound: Mapping[str, str]) -> str:
    """A text of Fn::Sub with the identifiers replaced."""
    return PLACE.sub(lambda place: place[0] if place[1] == "&" else _filled(place, bound), written)


def _if(argument: Any, scope: Scope, bound: Mapping[str, str]) -> Any:
    done = _turned(argument, scope, bound)
    if isinstance(done, list) and done and isinstance(done[0], dict):
        done[0] = evaluate(done[0], scope)
    return {"Fn::If": done}


# Functions that name something, of which the names have to be known now.
NAMING = {"Ref": _ref, "Fn::GetAtt": _get_att, "Fn::Sub": _sub, "Fn::If": _if}


def _named(member: Any, scope: Scope) -> Any:
    """A resource or an output, whose Condition and DependsOn are names now."""
    if not isinstance(member, dict):
        return member
    found = {key: evaluate(member[key], scope) for key in ("Condition", "DependsOn") if key in member}
    return {**member, **found}
