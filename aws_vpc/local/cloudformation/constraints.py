"""What every request to CloudFormation has to keep: lengths, patterns and values of its parameters.

By botocore's model of the service; told as AWS tells it, all at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from aws_vpc.local.wire import ServiceError, model


def check(operation: str, params: Mapping[str, Any]) -> None:
    """Nothing; ValidationError names every parameter that breaks its constraint."""
    shape = model("cloudformation").operation_model(operation).input_shape
    found = list(_broken(shape, params, "")) if shape else []
    if found:
        errors = "error" if len(found) == 1 else "errors"
        raise ServiceError(
            "ValidationError", f"{len(found)} validation {errors} detected: {'; '.join(found)}"
        )


def _broken(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _broken(member, value[name], f"{path}.{camel(name)}".lstrip("."))
        return
    if shape.type_name == "list":
        wrong = [one for one in value if _rule(shape.member, one)]
        if wrong and getattr(shape.member, "enum", None):
            yield _told(value, path, _rule(shape.member, wrong[0]))
        else:
            for number, one in enumerate(value, 1):
                yield from _broken(shape.member, one, f"{path}.{number}.member")
    if rule := _rule(shape, value):
        yield _told(value, path, rule)


def _told(value: Any, path: str, rule: str) -> str:
    text = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
    shown = f"{text[:64]}..." if len(text) > 256 else text
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: Member must {rule}"


def _rule(shape: Any, value: Any) -> str:
    """What the value would have to satisfy and does not; empty when there is nothing."""
    if getattr(shape, "enum", None) and value not in shape.enum:
        return f"satisfy enum value set: [{', '.join(shape.enum)}]"
    if shape.type_name not in ("string", "list", "integer"):
        return ""
    what, size = ("value", value) if shape.type_name == "integer" else ("length", len(value))
    if "max" in shape.metadata and size > shape.metadata["max"]:
        return f"have {what} less than or equal to {shape.metadata['max']}"
    if "min" in shape.metadata and size < shape.metadata["min"]:
        return f"have {what} greater than or equal to {shape.metadata['min']}"
    wanted = shape.metadata.get("pattern")
    if wanted and shape.type_name == "string" and not (_pattern(wanted).fullmatch(value)):
        return f"satisfy regular expression pattern: {wanted}"
    return ""


@cache
def _pattern(text: str) -> re.Pattern[str]:
    r"""The model's pattern; one that Python does not know, such as with \p, matches everything."""
    try:
        return re.compile(text, re.DOTALL)
    except re.error:
        return re.compile(".*", re.DOTALL)


def camel(name: str) -> str:
    """The parameter's name as AWS's messages write it: stackName for StackName."""
    return name[:1].lower() + name[1:]
