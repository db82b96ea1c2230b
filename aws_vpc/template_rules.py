"""The Rules section: assertions on parameter values, with the functions only rules may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.template_functions import Scope, evaluate, text


def check_rules(rules: Mapping[str, Any], scope: Scope) -> None:
    """Nothing; TemplateError names the first assertion that does not hold."""
    for name, rule in rules.items():
        if "RuleCondition" in rule and not _holds(rule["RuleCondition"], scope):
            continue
        for assertion in rule.get("Assertions", ()):
            if not _holds(assertion["Assert"], scope):
                described = assertion.get("AssertDescription", "an assertion does not hold")
                raise TemplateError(f"Template error: Rule {name} failed: {described}")


def _holds(value: Any, scope: Scope) -> bool:
    if isinstance(value, dict) and len(value) == 1:
        ((key, argument),) = value.items()
        if key in ("Fn::And", "Fn::Or"):
            return (all if key == "Fn::And" else any)(_holds(item, scope) for item in argument)
        if key == "Fn::Not":
            return not _holds(argument[0] if isinstance(argument, list) else argument, scope)
        if key in ("Fn::Contains", "Fn::EachMemberIn", "Fn::EachMemberEquals"):
            return _compare(key, _members(argument[0], scope), argument[1], scope)
    return text(evaluate(value, scope)) == "true"


def _compare(key: str, left: list[str], argument: Any, scope: Scope) -> bool:
    if key == "Fn::EachMemberEquals":
        wanted = text(evaluate(argument, scope))
        return all(item == wanted for item in left)
    right = _members(argument, scope)
    return set(right) <= set(left) if key == "Fn::Contains" else set(left) <= set(right)


def _members(value: Any, scope: Scope) -> list[str]:
    if isinstance(value, dict) and value.keys() & {"Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll"}:
        raise TemplateError(
            f"Template error: {next(iter(value))} in Rules is not supported: it reads the account's resources"
        )
    found = evaluate(value, scope)
    return [text(item) for item in found] if isinstance(found, list) else [text(found)]
