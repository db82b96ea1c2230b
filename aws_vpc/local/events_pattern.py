"""EventBridge's event patterns: `matches(pattern, event)`. Pure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from aws_vpc.local.wire import ServiceError

_ABSENT = object()


def matches(pattern: Any, event: Any) -> bool:
    """Whether the event has, for every field of the pattern, one of the values that it lists."""
    if not isinstance(pattern, dict):
        raise _invalid("Filter is not an object")
    if isinstance(event, list):  # of objects: one of them must match as a whole
        return any(isinstance(item, dict) and matches(pattern, item) for item in event)
    fields = event if isinstance(event, dict) else {}
    return all(
        any(matches(each, event) for each in wanted)
        if name == "$or" and isinstance(wanted, list)
        else _field(wanted, fields.get(name, _ABSENT))
        for name, wanted in pattern.items()
    )


def _field(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict):
        return matches(wanted, {} if value is _ABSENT else value)
    if not isinstance(wanted, list) or not wanted:
        raise _invalid("Match value must be a non-empty array or an object")
    values = value if isinstance(value, list) else [value]
    return any(_one(each, item) for each in wanted for item in values or [_ABSENT])


def _one(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, dict):
        return value is not _ABSENT and _equal(wanted, value)
    if len(wanted) != 1:
        raise _invalid("Only one key allowed in match expression")
    (operator, operand), *_ = wanted.items()
    if operator == "exists":
        present = value is not _ABSENT and not isinstance(value, dict)
        return present is bool(operand)
    if value is _ABSENT:
        return False
    if operator == "anything-but":
        return _anything_but(operand, value)
    if operator == "numeric":
        return _numeric(operand, value)
    if operator not in TEXT:
        raise _invalid(f"Unrecognized match type {operator}")
    return isinstance(value, str) and TEXT[operator](operand, value)


def _equal(a: Any, b: Any) -> bool:
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)  # True is not 1 in JSON


def _affix(operand: Any, value: str, test: Callable[[str, str], bool]) -> bool:
    if isinstance(operand, dict):
        return test(value.lower(), str(operand.get("equals-ignore-case", "\0")).lower())
    return test(value, str(operand))


def _cidr(operand: Any, value: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(operand, strict=False)
    except ValueError:
        return False


def _wildcard(operand: Any, value: str) -> bool:
    parts = re.findall(r"\\[*\\]|\*|[^*\\]+|\\", str(operand))
    expression = "".join(
        ".*" if part == "*" else re.escape(re.sub(r"\\([*\\])", r"\1", part)) for part in parts
    )
    return re.fullmatch(expression, value, re.DOTALL) is not None


TEXT: dict[str, Callable[[Any, str], bool]] = {
    "prefix": lambda operand, value: _affix(operand, value, str.startswith),
    "suffix": lambda operand, value: _affix(operand, value, str.endswith),
    "equals-ignore-case": lambda operand, value: value.lower() == str(operand).lower(),
    "wildcard": _wildcard,
    "cidr": _cidr,
}


def _anything_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        (operator, inner), *_ = operand.items()
        if operator not in TEXT:
            raise _invalid(f"Unsupported anything-but pattern: {operator}")
        inners = inner if isinstance(inner, list) else [inner]
        return not (isinstance(value, str) and any(TEXT[operator](each, value) for each in inners))
    return not any(_equal(each, value) for each in (operand if isinstance(operand, list) else [operand]))


COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _numeric(operand: Any, value: Any) -> bool:
    if not isinstance(operand, list) or len(operand) not in (2, 4) or set(operand[::2]) - COMPARE.keys():
        raise _invalid("Value of numeric must be an array of operators and numbers")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return all(COMPARE[sign](value, bound) for sign, bound in zip(operand[::2], operand[1::2], strict=True))


def _invalid(reason: str) -> ServiceError:
    return ServiceError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {reason}")
