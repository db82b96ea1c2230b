"""Stack policies: which resources an update may modify, replace or delete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from aws_vpc.errors import TemplateError


def valid(text: str) -> bool:
    """Whether the text is a stack policy: JSON, statements about updates by everybody."""
    try:
        statements = _list(json.loads(text).get("Statement"))
        return all(_is_statement(one) for one in statements)
    except (ValueError, AttributeError, TypeError):
        return False


def _is_statement(one: Mapping[str, Any]) -> bool:
    actions = [str(action) for key in ("Action", "NotAction") for action in _list(one.get(key))]
    return (
        one.get("Effect") in ("Allow", "Deny")
        and one.get("Principal") == "*"
        and bool(actions)
        and all(action == "*" or action.startswith("Update:") for action in actions)
        and bool(one.keys() & {"Resource", "NotResource"})
    )


def refuse(policy: str | None, action: str, logical_id: str, type: str) -> None:
    """Nothing; TemplateError when the policy does not allow Modify, Replace or Delete of the resource."""
    if not policy:
        return
    verdict, number = _verdict(json.loads(policy), f"Update:{action}", logical_id, type)
    if verdict:
        return
    because = f"Statement [#{number}] does not allow" if number else "No statement allows"
    raise TemplateError(
        f"Action denied by stack policy: {because} [Update:{action}] "
        f"for resource [LogicalResourceId/{logical_id}]"
    )


def _verdict(policy: Mapping[str, Any], action: str, logical_id: str, type: str) -> tuple[bool, int]:
    """Whether the policy allows it, and the number of the statement that denies it (0: none does)."""
    allowed = False
    for number, statement in enumerate(_list(policy.get("Statement")), 1):
        if _applies(statement, action, logical_id, type):
            if statement.get("Effect") == "Deny":
                return False, number
            allowed = True
    return allowed, 0


def _applies(statement: Mapping[str, Any], action: str, logical_id: str, type: str) -> bool:
    wanted = statement.get("Condition", {})
    kinds = [kind for test in wanted.values() for kind in _list(test.get("ResourceType"))]
    return (
        _matches(statement, "Action", action)
        and _matches(statement, "Resource", f"LogicalResourceId/{logical_id}")
        and (not kinds or any(fnmatchcase(type, kind) for kind in kinds))
    )


def _matches(statement: Mapping[str, Any], key: str, value: str) -> bool:
    """Whether the value is among those of the key, or not among those of its Not form."""
    if f"Not{key}" in statement:
        return not any(fnmatchcase(value, pattern) for pattern in _list(statement[f"Not{key}"]))
    return any(fnmatchcase(value, pattern) for pattern in _list(statement.get(key)))


def _list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]
