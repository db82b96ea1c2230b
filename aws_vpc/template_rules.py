"""The Rules section: assertions on parameter values, with the functions only rules may use.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.template_functions import Scope, evaluate, text

Declared = Mapping[str, Mapping[str, Any]]
OF_THE_ACCOUNT = {"Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll"}


def check_rules(rules: Mapping[str, Any], scope: Scope, parameters: Declared | None = None) -> None:
    """Nothing; TemplateError names the first assertion that does not hold.

    `parameters` are the declared ones, whose types Fn::ValueOf goes by.
    """
    parameters = parameters or {}
    for name, rule in rules.items():
        if "RuleCondition" in rule and not _holds(rule["RuleCondition"], parameters, scope):
            continue
        for assertion in rule.get("Assertions", ()):
            if not _holds(assertion["Assert"], parameters, scope):
                described = assertion.get("AssertDescription", "an assertion does not hold")
                raise TemplateError(f"Template error: Rule {name} failed: {described}")


def _holds(value: Any, parameters: Declared, scope: Scope) -> bool:
    if isinstance(value, dict) and len(value) == 1:
        ((key, argument),) = value.items()
        if key in ("Fn::And", "Fn::Or"):
            return (all if key == "Fn::And" else any)(_holds(item, parameters, scope) for item in argument)
        if key == "Fn::Not":
            return not _holds(argument[0] if isinstance(argument, list) else argument, parameters, scope)
        if key in ("Fn::Contains", "Fn::EachMemberIn", "Fn::EachMemberEquals"):
            left, right = (_members(one, parameters, scope) for one in argument)
            return _compare(key, left, right)
        if key == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
            left, right = (_members(one, parameters, scope) for one in argument)
            return left == right
    return text(evaluate(value, scope)) == "true"


def _compare(key: str, left: list[str], right: list[str]) -> bool:
    if key == "Fn::EachMemberEquals":
        return all([item] == right for item in left)
    return set(right) <= set(left) if key == "Fn::Contains" else set(left) <= set(right)


def _members(value: Any, parameters: Declared, scope: Scope) -> list[str]:
    """The value as a list of texts, also of what the account has."""
    if isinstance(value, dict) and len(value) == 1 and value.keys() <= OF_THE_ACCOUNT:
        ((key, argument),) = value.items()
        return _of_the_account(key, argument, parameters, scope)
    found = evaluate(value, scope)
    return [text(item) for item in found] if isinstance(found, list) else [text(found)]


def _of_the_account(key: str, argument: Any, parameters: Declared, scope: Scope) -> list[str]:
    if key == "Fn::RefAll":
        return list(scope.account(str(argument)))
    named, attribute = argument
    kind = str(parameters.get(named, {}).get("Type", "")) if key == "Fn::ValueOf" else str(named)
    found = scope.account(kind.removeprefix("List<").removesuffix(">"))
    chosen = _members({"Ref": named}, parameters, scope) if key == "Fn::ValueOf" else list(found)
    missing = [one for one in chosen if attribute not in found.get(one, {})]
    if missing and key == "Fn::ValueOf":
        raise TemplateError(f"Template error: {key} cannot tell {attribute} of {', '.join(missing)}")
    return [found[one][attribute] for one in chosen if one not in missing]
