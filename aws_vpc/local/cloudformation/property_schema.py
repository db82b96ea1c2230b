"""Properties beside the schema of their type: what the resource provider schemas allow, in AWS's words.

Values of the template are coerced as CloudFormation does (5 and "5", true and "true"); what is known only
later, and dynamic references, fit everywhere. Keywords that only cfn-lint knows are left out.
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft7Validator, ValidationError
from jsonschema.validators import extend

from aws_vpc.local.providers import read_only, schema
from aws_vpc.template_functions import UNKNOWN, text

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]


@dataclass(frozen=True)
class Misfit:
    """One property that the schema does not allow."""

    path: str  # below the properties, `/A/0/B`; empty for the properties themselves
    message: str  # as a resource handler says it
    reason: str  # as pre-deployment validation says it


def misfits(type: str, properties: Mapping[str, Any]) -> list[Misfit]:
    """All that is wrong with the properties; nothing for a type without a public schema."""
    try:
        validator, fixed = validator_of(type), read_only(type)
    except KeyError:
        return []
    found = [
        Misfit(f"/{key}", f"Encountered unsupported property {key}", f"Unsupported property [{key}]")
        for key in properties
        if key in fixed
    ]
    for error in validator.iter_errors({key: properties[key] for key in properties if key not in fixed}):
        found.extend(worded(error))
    return sorted(found, key=lambda one: (one.path, one.message))


@cache
def validator_of(type: str) -> Any:
    """The validator of the type's properties; KeyError without a schema."""
    return CloudFormationValidator(in_python(schema(type)))


# Unicode categories as Java names them; only keys of maps have to be read, values that cannot be hold.
CATEGORIES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}


def in_python(value: Any) -> Any:
    """A schema whose patterns for keys Python can read."""
    if isinstance(value, list):
        return [in_python(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    return {
        key: {translated(pattern): in_python(inner) for pattern, inner in one.items()}
        if key == "patternProperties"
        else in_python(one)
        for key, one in value.items()
    }


def translated(pattern: str) -> str:
    """A pattern of Java's as Python has it."""
    for java, python in CATEGORIES.items():
        pattern = pattern.replace(java, python)
    return pattern


def worded(error: ValidationError) -> Iterator[Misfit]:
    """The error in AWS's words, one for each key that is too many or missing."""
    path = "".join(f"/{part}" for part in error.absolute_path)
    if error.validator == "additionalProperties":
        allowed = error.schema.get("properties", {})
        patterns = list(error.schema.get("patternProperties", {}))
        for key in error.instance:
            if key not in allowed and not any(re.search(pattern, key) for pattern in patterns):
                said = f"#{path}: extraneous key [{key}] is not permitted"
                yield Misfit(f"{path}/{key}", said, f"Unsupported property [{key}]")
    elif error.validator == "required":
        key = error.message.split("'")[1]
        said = f"Required property [{key}] not found"
        yield Misfit(path, f"#{path}: required key [{key}] not found", said)
    elif error.validator == "type":
        wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        said = f"expected type: {' or '.join(NAMES[one] for one in wanted)}, found: {kind(error.instance)}"
        yield Misfit(path, f"#{path}: {said}", said)
    else:
        said = f"failed validation constraint for keyword [{error.validator}]"
        yield Misfit(path, f"#{path}: {said}", said)


NAMES = {
    "array": "JSONArray", "object": "JSONObject", "string": "String", "boolean": "Boolean",
    "integer": "Integer", "number": "Number", "null": "Null",
}  # fmt: skip


def kind(value: Any) -> str:
    """The name of a value's type as the messages have it."""
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int):
        return "Integer"
    words = ((float, "BigDecimal"), (str, "String"), (list, "JSONArray"), (Mapping, "JSONObject"))
    return next((word for type, word in words if isinstance(value, type)), "Null")


def later(value: Any) -> bool:
    """Whether the value, or a part of it, is known only when the resources stand."""
    if isinstance(value, str):
        return UNKNOWN in value or "{{resolve:" in value
    if isinstance(value, Mapping):
        return any(later(item) for item in value.values())
    return isinstance(value, list) and any(later(item) for item in value)


def is_string(_: Any, value: Any) -> bool:
    """Whether the value can be written as text."""
    return isinstance(value, str | int | float)


def is_number(_: Any, value: Any) -> bool:
    """Whether the value is a number, or text of one."""
    return (
        not isinstance(value, bool)
        and re.fullmatch(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?", str(value)) is not None
    )


def is_integer(_: Any, value: Any) -> bool:
    """Whether the value is a whole number, or text of one."""
    return is_number(_, value) and float(value).is_integer()


def is_boolean(_: Any, value: Any) -> bool:
    """Whether the value is a truth value, or text of one."""
    return isinstance(value, bool) or value in ("true", "false", "True", "False")


def compared(holds: Callable[[Any, Any], bool]) -> Keyword:
    """A keyword that holds when the scalar compares so with its limit."""

    def keyword(validator: Any, limit: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
        if not isinstance(instance, list | Mapping) and not holds(instance, limit):
            yield ValidationError("does not hold")

    return keyword


def matches(instance: Any, pattern: str) -> bool:
    """Whether the text has the pattern; a pattern that only Java knows holds."""
    try:
        return re.search(pattern, text(instance)) is not None
    except re.error:
        return True


def bounded(holds: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    """Whether a number keeps the limit; what is none is another keyword's affair."""
    return lambda instance, limit: not is_number(None, instance) or holds(float(instance), float(limit))


SCALAR_KEYWORDS: dict[str, Keyword] = {
    "enum": compared(lambda instance, allowed: text(instance) in {text(one) for one in allowed}),
    "const": compared(lambda instance, wanted: text(instance) == text(wanted)),
    "pattern": compared(matches),
    "minLength": compared(lambda instance, limit: len(text(instance)) >= limit),
    "maxLength": compared(lambda instance, limit: len(text(instance)) <= limit),
    "minimum": compared(bounded(lambda instance, limit: instance >= limit)),
    "maximum": compared(bounded(lambda instance, limit: instance <= limit)),
}
DEEP = ("anyOf", "oneOf", "allOf", "uniqueItems", "contains", "if", "dependencies")


def guarded(name: str, keyword: Keyword) -> Keyword:
    """The keyword, silent about values that are known only later."""

    def silent(validator: Any, value: Any, instance: Any, within: Any) -> Iterator[ValidationError]:
        open_ended = later(instance) if isinstance(instance, str) or name in DEEP else False
        return iter(()) if open_ended else keyword(validator, value, instance, within) or iter(())

    return silent


CloudFormationValidator = extend(
    Draft7Validator,
    validators={
        name: guarded(name, keyword)
        for name, keyword in {**Draft7Validator.VALIDATORS, **SCALAR_KEYWORDS}.items()
    },
    type_checker=Draft7Validator.TYPE_CHECKER.redefine_many(
        {"string": is_string, "number": is_number, "integer": is_integer, "boolean": is_boolean}
    ),
)
