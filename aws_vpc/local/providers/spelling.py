"""A service's description in the words of the template: names in its case, lists in its form."""

import json
from collections.abc import Mapping
from typing import Any

from aws_vpc.local.providers.resource import Properties, ResourceRequest


def respell(stated: Any, found: Any) -> Any:
    """What was found, spelled and nested as the stated value, without what that does not mention."""
    if isinstance(stated, Mapping):
        found = document(found)
        if not isinstance(found, Mapping):
            return found
        spelled = {key.lower(): key for key in found}
        known = {key: spelled[key.lower()] for key in stated if key.lower() in spelled}
        return {key: respell(stated[key], found[name]) for key, name in known.items()}
    if isinstance(stated, list) and isinstance(found, Mapping):  # tags, which some services keep as a map
        return [{"Key": key, "Value": value} for key, value in found.items()]
    if isinstance(stated, list) and isinstance(found, list):
        return respell_list(stated, found)
    return found


def respell_list(stated: list[Any], found: list[Any]) -> list[Any]:
    """The members found, spelled as the stated ones; one that is more than a name comes to its name."""
    pattern: Any = {}
    for one in stated:
        pattern = merged(pattern, one)
    if not isinstance(pattern, Mapping):
        return [named(one) for one in found]
    known = {key.lower() for key in pattern}
    return [
        {**{k: v for k, v in one.items() if k.lower() not in known}, **respell(pattern, one)}
        if isinstance(one, Mapping)
        else one
        for one in found
    ]


def merged(one: Any, other: Any) -> Any:
    """All that either value mentions."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {
            **one,
            **{key: merged(one[key], value) if key in one else value for key, value in other.items()},
        }
    return other


def named(found: Any) -> Any:
    """The id, ARN or name in a description, any other value as it is."""
    if not isinstance(found, Mapping):
        return found
    return next((value for key, value in found.items() if key.endswith(("Id", "Arn", "Name"))), found)


def document(value: Any) -> Any:
    """The object that a JSON text holds, any other value as it is."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def properties(request: ResourceRequest, description: Mapping[str, Any]) -> Properties:
    """The description as template properties: those that the template states and the service describes."""
    spelled = {key.lower(): key for key in description}
    return {
        key: respell(stated, document(description[spelled[key.lower()]]) if structured(stated) else
                     description[spelled[key.lower()]])
        for key, stated in request.properties.items()
        if key.lower() in spelled
    }  # fmt: skip


def structured(value: Any) -> bool:
    """Whether the value is an object or a list."""
    return isinstance(value, Mapping | list)
