"""The functions that only compute: an evaluated argument in, a value out.

UNKNOWN stands for a value that is known after apply; functions pass it on.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any

from aws_vpc.errors import TemplateError

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"


def text(value: Any) -> str:
    """A scalar as CloudFormation writes it into a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def unknown(*values: Any) -> bool:
    """Whether one of the values is, or is text made of, what is known after apply."""
    return any(isinstance(value, str) and UNKNOWN in value for value in values)


def join(argument: Any) -> Any:
    """Fn::Join of a delimiter and a list of strings."""
    wrong = TemplateError(
        "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and "
        "(2) a list of strings to be joined or a function that returns a list of strings (such as "
        "Fn::GetAZs) to be joined."
    )
    if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str)):
        raise wrong
    delimiter, items = argument
    if unknown(items):
        return UNKNOWN
    if not isinstance(items, list) or any(isinstance(item, (list, dict)) for item in items):
        raise wrong
    return delimiter.join(text(item) for item in items)


def split(argument: Any) -> Any:
    """Fn::Split of a delimiter and a string."""
    if not (
        isinstance(argument, list) and len(argument) == 2 and all(isinstance(item, str) for item in argument)
    ):
        raise TemplateError(
            "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and "
            "(2) a string to be split or a function that returns a string to be split."
        )
    delimiter, source = argument
    return UNKNOWN if unknown(source) else source.split(delimiter)


def select(argument: Any) -> Any:
    """Fn::Select of an index and a list."""
    wrong = TemplateError(
        "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
    )
    if not (isinstance(argument, list) and len(argument) == 2):
        raise wrong
    index, items = argument
    if unknown(index, items):
        return UNKNOWN
    if not isinstance(items, list) or not re.fullmatch(r"\d+", text(index)):
        raise wrong
    if int(index) >= len(items):
        raise TemplateError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[int(index)]


def find_in_map(argument: Any, mappings: Mapping[str, Any]) -> Any:
    """Fn::FindInMap of a map, its top and second level keys and, on occasion, a default."""
    fallback = argument[3] if isinstance(argument, list) and len(argument) == 4 else None
    if not isinstance(argument, list) or len(argument) != 3 + isinstance(fallback, dict):
        raise TemplateError(
            "Template error: every Fn::FindInMap object requires three parameters, "
            "the map name, map key and the attribute for return value"
        )
    mapping, top, second = argument[:3]
    if unknown(mapping, top, second):
        return UNKNOWN
    found = mappings.get(mapping, {}).get(text(top), {}).get(text(second))
    if found is not None:
        return found
    if isinstance(fallback, dict) and "DefaultValue" in fallback:
        return fallback["DefaultValue"]
    if mapping not in mappings:
        raise TemplateError(
            f"Template error: Mapping named '{mapping}' is not present in the 'Mappings' section of template."
        )
    raise TemplateError(f"Template error: Unable to get mapping for {mapping}::{top}::{second}")


def encode(argument: Any) -> Any:
    """Fn::Base64 of a string."""
    if isinstance(argument, (list, dict)):
        raise TemplateError("Template error: every Fn::Base64 object must have a String-typed value.")
    return UNKNOWN if unknown(argument) else base64.b64encode(text(argument).encode()).decode()


def cidr(argument: Any) -> Any:
    """Fn::Cidr of a block, a count and the host bits of each part."""
    if not isinstance(argument, list) or len(argument) not in (2, 3):
        raise TemplateError(
            "Template error: every Fn::Cidr object requires two or three parameters, "
            "the IP block, the count and optionally the CIDR bits"
        )
    if unknown(*argument):
        return UNKNOWN
    try:
        network = ipaddress.ip_network(text(argument[0]), strict=False)
        count, *bits = (int(text(number)) for number in argument[1:])
    except ValueError:
        raise TemplateError(
            f"Template error: Fn::Cidr cannot divide {argument}: block or number malformed"
        ) from None
    if not 1 <= count <= 256:
        raise TemplateError(f"Template error: Fn::Cidr makes 1 to 256 blocks, not {count}")
    prefix = network.max_prefixlen - (bits[0] if bits else 8 if network.version == 4 else 64)
    if prefix < network.prefixlen or 2 ** (prefix - network.prefixlen) < count:
        raise TemplateError(
            f"Template error: Fn::Cidr cannot make {count} blocks with prefix /{prefix} in {network}"
        )
    parts = network.subnets(new_prefix=prefix)
    return [str(next(parts)) for _ in range(count)]


def length(argument: Any) -> Any:
    """Fn::Length of a list."""
    if unknown(argument):
        return UNKNOWN
    if not isinstance(argument, list):
        raise TemplateError("Template error: Fn::Length requires a list or a function that returns a list")
    return len(argument)


def to_json(argument: Any) -> Any:
    """Fn::ToJsonString of an object or a list."""
    if not isinstance(argument, (list, dict)):
        raise TemplateError("Template error: Fn::ToJsonString requires an object or an array")
    return json.dumps(argument, separators=(",", ":"))
