"""The project's own rules: how a root passes values to its children, and what no scanner looks at.

UNKNOWN_TEMPLATE      the root names a file that is not beside it
MISSING_PARAMETER     a child needs a value that the root does not pass
UNSET_PARAMETER       a child's parameter has a default, and nobody can set it from the root
UNKNOWN_PARAMETER     the root passes what the child does not take
UNKNOWN_OUTPUT        the root reads what the child does not put out
CONTRADICTION         the root accepts or passes a value that the child refuses
WILDCARD_ACTION       a policy allows an action with a wildcard
OPEN_PORT             a rule admits the whole internet by a literal address
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.template import decide
from aws_vpc.template_functions import Scope
from aws_vpc.template_graph import references
from aws_vpc.template_parameters import check, scalar, split
from aws_vpc.validate_findings import Finding
from aws_vpc.validate_lines import line_of

STACK = "AWS::CloudFormation::Stack"
WORLD = ("0.0.0.0/0", "::/0")
INGRESS = "AWS::EC2::SecurityGroupIngress"
LISTS = ("CommaDelimitedList", "List<")


@dataclass(frozen=True)
class Document:
    """A template with the name of its file and the lines of its parts."""

    file: str
    body: Mapping[str, Any]
    lines: Mapping[tuple[str, ...], int]

    @property
    def name(self) -> str:
        """The file without its folder."""
        return PurePosixPath(self.file).name

    def section(self, name: str) -> Mapping[str, Any]:
        """A section, empty when there is none."""
        found: Mapping[str, Any] = self.body.get(name) or {}
        return found

    def fault(self, rule: str, place: tuple[str, ...], message: str, severity: str = "ERROR") -> Finding:
        """A finding at a place of this template."""
        resource = place[1] if len(place) > 1 else ""
        line = line_of(dict(self.lines), *place)
        return Finding(self.file, line, "wiring", rule, severity, resource, message)


def wiring(documents: Mapping[str, Document]) -> list[Finding]:
    """What is wrong between and inside the templates, which are known by the names of their files."""
    found: list[Finding] = []
    for document in documents.values():
        found += [*_wildcards(document), *_open_ports(document)]
        for logical, resource in document.section("Resources").items():
            if isinstance(resource, dict) and resource.get("Type") == STACK:
                found += _child(document, logical, resource, documents)
    return found


def _child(
    root: Document, logical: str, stack: Mapping[str, Any], documents: Mapping[str, Document]
) -> Iterator[Finding]:
    """What is wrong with one nested stack."""
    properties = stack.get("Properties") or {}
    name = template_name(properties.get("TemplateURL"))
    place = ("Resources", logical, "Properties", "TemplateURL")
    if name is None:
        return
    if name not in documents:
        yield root.fault(
            "UNKNOWN_TEMPLATE", place, f"{logical} names {name}, which is not beside {root.name}"
        )
        return
    child = documents[name]
    yield from _passed(root, logical, stack, child)
    yield from _read(root, logical, child)


def template_name(url: Any) -> str | None:
    """The file that a TemplateURL ends in; None when it cannot be told."""
    text = url.get("Fn::Sub") if isinstance(url, dict) else url
    if isinstance(text, list) and text:
        text = text[0]
    found = re.search(r"([^/{}$]+\.(?:ya?ml|json|template))$", text) if isinstance(text, str) else None
    return found[1] if found else None


def _passed(root: Document, logical: str, stack: Mapping[str, Any], child: Document) -> Iterator[Finding]:
    """What the root passes and what the child declares."""
    passed = (stack.get("Properties") or {}).get("Parameters") or {}
    place = ("Resources", logical, "Properties", "Parameters")
    declared = child.section("Parameters")
    for key, parameter in declared.items():
        if key in passed:
            for reason in contradictions(key, parameter, passed[key], root, stack.get("Condition")):
                yield root.fault("CONTRADICTION", (*place, key), f"{logical} passes {key}: {reason}")
        elif "Default" not in parameter:
            yield root.fault("MISSING_PARAMETER", place, f"{logical} does not pass {key} to {child.name}")
        else:
            message = f"{logical} leaves {key} of {child.name} to its default, so nobody can set it"
            yield root.fault("UNSET_PARAMETER", place, message, "WARN")
    for key in sorted(passed.keys() - declared.keys()):
        yield root.fault(
            "UNKNOWN_PARAMETER", (*place, key), f"{logical} passes {key}, which {child.name} does not take"
        )


def contradictions(
    key: str, parameter: Mapping[str, Any], value: Any, root: Document, condition: str | None
) -> Iterator[str]:
    """Why values that the root accepts or writes down are refused by the child."""
    if isinstance(value, (str, int, bool)):
        yield from _refused(key, parameter, scalar(value), "the literal")
        return
    name = str(value.get("Ref")) if isinstance(value, dict) and len(value) == 1 else ""
    source = root.section("Parameters").get(name)
    if source is None or str(source.get("Type", "")).startswith("AWS::SSM::"):
        return
    if str(source["Type"]).startswith(LISTS):
        yield "a list must be joined before it is passed"
        return
    allowed = source.get("AllowedValues", [source["Default"]] if "Default" in source else [])
    for text in map(scalar, allowed):
        if stands(root, condition, {name: text}):
            yield from _refused(key, parameter, text, "the value")


def stands(root: Document, condition: str | None, given: Mapping[str, str]) -> bool:
    """False when the root leaves out, at such a value and otherwise by default, what has the condition."""
    values: dict[str, Any] = dict.fromkeys(("AWS::Region", "AWS::AccountId", "AWS::StackName"), "unknown")
    for key, parameter in root.section("Parameters").items():
        text = given.get(key, scalar(parameter.get("Default", "")))
        values[key] = split(text) if str(parameter.get("Type")).startswith(LISTS) else text
    scope = Scope(values=values, mappings=root.section("Mappings"))
    try:
        return not condition or decide(root.section("Conditions"), scope)[condition]
    except (TemplateError, KeyError):
        return True


def _refused(key: str, parameter: Mapping[str, Any], text: str, what: str) -> Iterator[str]:
    kind = str(parameter.get("Type", "String"))
    if kind.startswith(("AWS::", "List<AWS::")):
        return
    try:
        check(key, parameter, text)
    except TemplateError as error:
        yield f"the child refuses {what} «{text}»: {error}"


def _read(root: Document, logical: str, child: Document) -> Iterator[Finding]:
    """What the root reads of a child and what the child puts out."""
    known = child.section("Outputs")
    for section in ("Resources", "Outputs"):
        for key, value in root.section(section).items():
            for name in sorted(_outputs(value, logical) - known.keys()):
                message = f"{key} reads {logical}.Outputs.{name}, which {child.name} does not put out"
                yield root.fault("UNKNOWN_OUTPUT", (section, key), message)


def _outputs(value: Any, logical: str) -> set[str]:
    return {
        one.attribute.removeprefix("Outputs.")
        for one in references(value)
        if one.kind == "Fn::GetAtt" and one.name == logical and one.attribute.startswith("Outputs.")
    }


def _wildcards(document: Document) -> Iterator[Finding]:
    """Statements that allow an action with a wildcard, in whatever kind of policy."""
    for place, value in walk(document.section("Resources"), ("Resources",)):
        if not isinstance(value, dict) or value.get("Effect") != "Allow":
            continue
        actions = value.get("Action", value.get("NotAction", []))
        for action in actions if isinstance(actions, list) else [actions]:
            if isinstance(action, str) and (action == "*" if at_endpoint(document, place) else "*" in action):
                yield document.fault("WILDCARD_ACTION", (*place, "Action"), f"{place[1]} allows {action}")


def at_endpoint(document: Document, place: tuple[str, ...]) -> bool:
    """True for the policy of an endpoint, which grants nothing and may let a whole service pass."""
    resource = document.section("Resources")[place[1]]
    return isinstance(resource, dict) and resource.get("Type") == "AWS::EC2::VPCEndpoint"


def _open_ports(document: Document) -> Iterator[Finding]:
    """Rules whose source is everybody, in rules of their own or inside a group."""
    for place, rule in _ingress(document):
        for key in ("CidrIp", "CidrIpv6"):
            if rule.get(key) in WORLD:
                first, last = rule.get("FromPort", "all ports"), rule.get("ToPort", "")
                ports = f"{first}-{last}" if last not in ("", first) else f"{first}"
                yield document.fault("OPEN_PORT", (*place, key), f"{place[1]} admits everybody to {ports}")


def _ingress(document: Document) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """The rules that let traffic in, with their places."""
    for logical, resource in document.section("Resources").items():
        properties = resource.get("Properties") or {}
        place = ("Resources", logical, "Properties")
        if resource.get("Type") == INGRESS:
            yield place, properties
        inside = properties.get("SecurityGroupIngress")
        for index, rule in enumerate(inside if isinstance(inside, list) else []):
            if isinstance(rule, dict):
                yield (*place, "SecurityGroupIngress", str(index)), rule


def walk(value: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value inside, with its path."""
    yield place, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, (*place, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, (*place, str(index)))
