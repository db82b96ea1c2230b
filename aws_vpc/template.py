"""A CloudFormation template: text to a checked value, and what it becomes with parameters.

    load(text) -> Template            parsed, every rule of ValidateTemplate checked
    bind(template, values, ...)       -> Bound: conditions decided, the resources that will stand, their graph
    template_parse, template_parameters, template_functions, template_graph, template_rules hold the parts

Pure: what only a running system knows comes in as callables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.template_check import EXTENSIONS, check, check_frame, transforms
from aws_vpc.template_functions import Scope, evaluate, truth
from aws_vpc.template_graph import body, dependencies, depends_on, order, references
from aws_vpc.template_loops import check_loops, loops, members, unroll
from aws_vpc.template_parse import parse
from aws_vpc.template_rules import check_rules
from aws_vpc.template_values import UNKNOWN

IAM_TYPES = {
    "AWS::IAM::AccessKey", "AWS::IAM::Group", "AWS::IAM::InstanceProfile", "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::UserToGroupAddition",
}  # fmt: skip
NAMES = ("RoleName", "UserName", "GroupName", "ManagedPolicyName", "InstanceProfileName")
NAMED = {
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::IAM::Group",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::InstanceProfile",
}


@dataclass(frozen=True)
class Template:
    """A template that keeps every rule; its sections as plain values."""

    text: str
    body: dict[str, Any]

    def section(self, name: str) -> dict[str, Any]:
        """A top-level section, empty when it is not there."""
        found: dict[str, Any] = self.body.get(name, {})
        return found

    @property
    def parameters(self) -> dict[str, Any]:
        """The declared parameters."""
        return self.section("Parameters")

    @property
    def resources(self) -> dict[str, Any]:
        """The declared resources, conditional ones included; those of a loop once."""
        return dict(members(self.section("Resources"))) if self.looped else self.section("Resources")

    @property
    def outputs(self) -> dict[str, Any]:
        """The declared outputs, conditional ones included; those of a loop once."""
        return dict(members(self.section("Outputs"))) if self.looped else self.section("Outputs")

    @cached_property
    def looped(self) -> bool:
        """Whether it has a Fn::ForEach, so that its parameters' values decide what it declares."""
        return EXTENSIONS in self.transforms and any(loops(self.body))

    @property
    def description(self) -> str | None:
        """The description, when there is one."""
        return self.body.get("Description")

    @cached_property
    def types(self) -> list[str]:
        """The resource types used, each once, in order of appearance."""
        return list(dict.fromkeys(resource["Type"] for resource in self.resources.values()))

    @cached_property
    def graph(self) -> dict[str, set[str]]:
        """What each resource depends on, all branches of all conditions taken together."""
        return dependencies(self.resources)

    @property
    def capabilities(self) -> list[str]:
        """The capabilities that the template's resources require."""
        used = [resource for resource in self.resources.values() if resource["Type"] in IAM_TYPES]
        iam = "CAPABILITY_NAMED_IAM" if any(_named(resource) for resource in used) else "CAPABILITY_IAM"
        return ([iam] if used else []) + (["CAPABILITY_AUTO_EXPAND"] if self.transforms else [])

    @property
    def transforms(self) -> list[str]:
        """The transforms that the template declares."""
        return transforms(self.body)

    @property
    def capabilities_reason(self) -> str | None:
        """Why, in AWS's words."""
        used = [kind for kind in self.types if kind in IAM_TYPES] + self.transforms
        return f"The following resource(s) require capabilities: [{', '.join(used)}]" if used else None


def _named(resource: Mapping[str, Any]) -> bool:
    return resource["Type"] in NAMED and any(key in resource.get("Properties", {}) for key in NAMES)


def load(text: str) -> Template:
    """The template of the text; TemplateError, in AWS's words, when it breaks a rule."""
    template = Template(text, parse(text))
    if template.looped:
        check_frame(template.body)
        check_loops(template.body)
        return template
    return _checked(template)


def _checked(template: Template) -> Template:
    check(template.body)
    order(template.graph)
    return template


def unrolled(template: Template, scope: Scope) -> Template:
    """The template without its loops, under the values; the very template when it has none."""
    if not template.looped:
        return template
    scope = replace(scope, mappings=template.section("Mappings"))
    return _checked(Template(template.text, unroll(template.body, scope)))


@dataclass(frozen=True)
class Bound:
    """A template with its parameters' values: only what will stand, Fn::If decided."""

    template: Template
    scope: Scope
    resources: dict[str, dict[str, Any]]
    outputs: dict[str, dict[str, Any]]
    graph: dict[str, set[str]]

    @cached_property
    def order(self) -> list[str]:
        """The resources, each after all it depends on."""
        return order(self.graph)


def bind(template: Template, scope: Scope) -> Bound:
    """The template under the values; TemplateError when a rule fails or something needed is not made."""
    template = unrolled(template, scope)
    scope = replace(scope, mappings=template.section("Mappings"))
    check_rules(template.section("Rules"), scope, template.parameters)
    scope = replace(scope, conditions=decide(template.section("Conditions"), scope))
    resources = {
        logical: {**resource, **_pruned(resource, scope)}
        for logical, resource in template.resources.items()
        if scope.conditions.get(resource.get("Condition", ""), True)
    }
    outputs = {
        key: prune(output, scope.conditions)
        for key, output in template.outputs.items()
        if scope.conditions.get(output.get("Condition", ""), True)
    }
    _refuse_missing(template, resources, outputs)
    return Bound(template, scope, resources, outputs, dependencies(resources))


def _pruned(resource: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    parts = ("Properties", "Metadata", "CreationPolicy", "UpdatePolicy")
    found = {key: prune(resource[key], scope.conditions) for key in parts if key in resource}
    for key in ("DeletionPolicy", "UpdateReplacePolicy"):  # may be functions of parameters
        if key in resource:
            found[key] = evaluate(resource[key], scope)
    return found


def decide(conditions: Mapping[str, Any], scope: Scope) -> dict[str, bool]:
    """Every condition's truth, each after the conditions it names."""
    needs = {
        name: {found.name for found in references({"Fn::Not": [value]}) if found.kind == "Condition"}
        for name, value in conditions.items()
    }
    decided: dict[str, bool] = {}
    for name in order(needs):
        decided[name] = truth(conditions[name], replace(scope, conditions=decided))
    return decided


def prune(value: Any, conditions: Mapping[str, bool]) -> Any:
    """The value with every Fn::If replaced by the branch that is taken."""
    if isinstance(value, list):
        return [prune(child, conditions) for child in value]
    if not isinstance(value, dict):
        return value
    argument = value.get("Fn::If")
    if len(value) == 1 and isinstance(argument, list) and len(argument) == 3 and argument[0] in conditions:
        return prune(argument[1 if conditions[argument[0]] else 2], conditions)
    return {key: prune(child, conditions) for key, child in value.items()}


def foreseen(bound: Bound) -> dict[str, dict[str, Any]]:
    """The properties of every resource, UNKNOWN where only what stands could say more.

    TemplateError when a function of a resource or an output cannot come to anything.
    """
    scope = replace(
        bound.scope,
        ref=lambda _: UNKNOWN,
        attribute=lambda *_: UNKNOWN,
        import_value=lambda _: UNKNOWN,
        stack_output=lambda *_: UNKNOWN,
        zones=lambda _: UNKNOWN,  # type: ignore[arg-type,return-value]
    )
    for output in bound.outputs.values():
        evaluate([output["Value"], output.get("Export", {})], scope)
    return {
        logical: evaluate(source.get("Properties", {}), scope) for logical, source in bound.resources.items()
    }


def _refuse_missing(template: Template, resources: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Refuse what refers to a resource whose condition is false."""
    gone = template.resources.keys() - resources.keys()
    for block, values in (
        ("Resources", [body(resource) for resource in resources.values()]),
        ("Outputs", list(outputs.values())),
    ):
        named = {found.name for found in references(values) if found.kind in ("Ref", "Fn::GetAtt")}
        if missing := sorted(named & gone):
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
                f"in the {block} block of the template"
            )


DYNAMIC = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")


def resolve_dynamic(value: Any, fetch: Any) -> Any:
    """The value with every dynamic reference replaced by `fetch(service, reference)`."""
    if isinstance(value, str):
        return (
            DYNAMIC.sub(lambda match: str(fetch(match[1], match[2])), value)
            if "{{resolve:" in value
            else value
        )
    if isinstance(value, list):
        return [resolve_dynamic(child, fetch) for child in value]
    if isinstance(value, dict):
        return {key: resolve_dynamic(child, fetch) for key, child in value.items()}
    return value


__all__ = [
    "Bound",
    "Template",
    "bind",
    "decide",
    "depends_on",
    "foreseen",
    "load",
    "prune",
    "resolve_dynamic",
    "unrolled",
]
