"""Template parameters: declarations and given texts in, checked values out, AWS's message when refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.template_functions import UNKNOWN

SPECIFIC = (
    "AWS::EC2::AvailabilityZone::Name", "AWS::EC2::Image::Id", "AWS::EC2::Instance::Id",
    "AWS::EC2::KeyPair::KeyName", "AWS::EC2::SecurityGroup::GroupName", "AWS::EC2::SecurityGroup::Id",
    "AWS::EC2::Subnet::Id", "AWS::EC2::Volume::Id", "AWS::EC2::VPC::Id", "AWS::Route53::HostedZone::Id",
)  # fmt: skip
SCALARS = ("String", "Number", *SPECIFIC, "AWS::SSM::Parameter::Name")
LISTS = ("CommaDelimitedList", "List<String>", "List<Number>", *(f"List<{kind}>" for kind in SPECIFIC))
STORED = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
KEYS = {
    "Type", "Default", "Description", "NoEcho", "AllowedValues", "AllowedPattern", "ConstraintDescription",
    "MinLength", "MaxLength", "MinValue", "MaxValue",
}  # fmt: skip
Fetch = Callable[[str], str]  # a Systems Manager parameter's value, by name


@dataclass(frozen=True)
class Parameter:
    """One parameter with its value: `given` as text, `value` as functions see it."""

    key: str
    type: str
    given: str
    value: str | list[str]
    no_echo: bool = False
    resolved: str | None = None  # the text behind a Systems Manager parameter type


def check_declarations(declared: Mapping[str, Any]) -> None:
    """Nothing; TemplateError when a declaration in the Parameters section breaks a rule."""
    for key, parameter in declared.items():
        if not re.fullmatch(r"[A-Za-z0-9]+", key):
            raise TemplateError(f"Template format error: Parameter name {key} is non alphanumeric.")
        if not isinstance(parameter, dict):
            raise TemplateError("Template format error: Each Parameters member must be a JSON object.")
        if unknown := sorted(parameter.keys() - KEYS):
            raise TemplateError(f"Invalid template parameter property '{unknown[0]}'")
        if not isinstance(parameter.get("Type"), str):
            raise TemplateError("Template format error: Every Parameters object must contain a Type member.")
        if not known_type(parameter["Type"]):
            raise TemplateError(f"Template format error: Unrecognized parameter type: {parameter['Type']}")
        if len(str(parameter.get("Description", ""))) > 4000:
            raise TemplateError(f"Template format error: Parameter '{key}' description is greater than 4000.")
        if isinstance(parameter.get("Default", ""), (list, dict)):
            raise TemplateError("Template format error: Every Default member must be a string.")
        if not isinstance(parameter.get("AllowedValues", []), list):
            raise TemplateError("Template format error: Every AllowedValues member must be a list.")


def known_type(kind: str) -> bool:
    """Whether a parameter may have this type."""
    stored = STORED.fullmatch(kind)
    return (stored[1] if stored else kind) in (*SCALARS, *LISTS)


def resolve(declared: Mapping[str, Any], given: Mapping[str, str], fetch: Fetch) -> dict[str, Parameter]:
    """Every declared parameter with its value; TemplateError in AWS's words when one is wrong or missing."""
    if unknown := [key for key in given if key not in declared]:
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [key for key, parameter in declared.items() if key not in given and "Default" not in parameter]
    if missing:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
    return {key: _one(key, parameter, given.get(key), fetch) for key, parameter in declared.items()}


def _one(key: str, declared: Mapping[str, Any], given: str | None, fetch: Fetch) -> Parameter:
    raw = scalar(declared.get("Default", "")) if given is None else given
    kind = declared["Type"]
    stored = STORED.fullmatch(kind)
    no_echo = scalar(declared.get("NoEcho", "")) == "true"
    if UNKNOWN in raw:  # planned: what another stack will put out is checked when it is there
        return Parameter(key, kind, raw, UNKNOWN, no_echo)
    check(key, {**declared, "Type": "String"} if stored else declared, raw)
    resolved = fetch(raw) if stored else None
    text = raw if resolved is None else resolved
    value = split(text) if (stored[1] if stored else kind) in LISTS else text
    return Parameter(key, kind, raw, value, no_echo, resolved)


def scalar(value: Any) -> str:
    """A YAML scalar as the text CloudFormation makes of it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def split(text: str) -> list[str]:
    """The items of a comma-delimited list, without the blanks around them."""
    return [item.strip() for item in text.split(",")] if text else []


def check(key: str, declared: Mapping[str, Any], raw: str) -> None:
    """Nothing; TemplateError when the text breaks a constraint of the parameter."""
    reason = next(_broken(key, declared, raw), None)
    if reason:
        described = declared.get("ConstraintDescription")
        raise TemplateError(
            f"Parameter {key} failed to satisfy constraint: {described}" if described else reason
        )


def _broken(key: str, declared: Mapping[str, Any], raw: str) -> Any:
    """The constraints that the text breaks, in AWS's words."""
    items = split(raw) if declared["Type"] in LISTS else [raw]
    number = declared["Type"] in ("Number", "List<Number>")
    allowed = {scalar(value) for value in declared.get("AllowedValues", ())}
    for item in items:
        if number and not _is_number(item):
            raise TemplateError(f"Parameter '{key}' must be a number")
        if "AllowedValues" in declared and item not in allowed:
            yield f"Parameter '{key}' must be one of AllowedValues"
        if "AllowedPattern" in declared and not _matches(str(declared["AllowedPattern"]), item):
            yield f"Parameter '{key}' must match pattern {declared['AllowedPattern']}"
        if len(item) < int(declared.get("MinLength", 0)):
            yield f"Parameter '{key}' must contain at least {declared['MinLength']} characters"
        if "MaxLength" in declared and len(item) > int(declared["MaxLength"]):
            yield f"Parameter '{key}' must contain at most {declared['MaxLength']} characters"
        if number and "MinValue" in declared and float(item) < float(declared["MinValue"]):
            yield f"Parameter '{key}' must be a number not less than {declared['MinValue']}"
        if number and "MaxValue" in declared and float(item) > float(declared["MaxValue"]):
            yield f"Parameter '{key}' must be a number not greater than {declared['MaxValue']}"
    if len(raw.encode()) > 4096:
        yield f"Parameter '{key}' must contain at most 4096 bytes"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*", text) is not None


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error as error:
        raise TemplateError(
            f"Template format error: AllowedPattern {pattern} is no regular expression: {error}"
        ) from None
