"""The structural rules of ValidateTemplate: a parsed template in, TemplateError in AWS's words out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.template_graph import body, depends_on, functions, references, variables
from aws_vpc.template_parameters import check_declarations

SECTIONS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions",
    "Transform", "Resources", "Outputs", "Hooks",
}  # fmt: skip
RESOURCE = {
    "Type", "Condition", "DependsOn", "CreationPolicy", "UpdatePolicy", "DeletionPolicy",
    "UpdateReplacePolicy", "Metadata", "Properties", "Description",
}  # fmt: skip
REPLACE_POLICIES = ("Delete", "Retain", "Snapshot")
POLICIES = {
    "DeletionPolicy": (*REPLACE_POLICIES, "RetainExceptOnCreate"),
    "UpdateReplacePolicy": REPLACE_POLICIES,
}
# Attribute -> the types that have it: aws-attribute-creationpolicy.html, aws-attribute-updatepolicy.html in
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/
OF_TYPES = {
    "CreationPolicy": {
        "AWS::AppStream::Fleet", "AWS::AutoScaling::AutoScalingGroup", "AWS::CloudFormation::WaitCondition",
        "AWS::EC2::Instance",
    },
    "UpdatePolicy": {
        "AWS::AppStream::Fleet", "AWS::AutoScaling::AutoScalingGroup", "AWS::ElastiCache::ReplicationGroup",
        "AWS::Elasticsearch::Domain", "AWS::Lambda::Alias", "AWS::OpenSearchService::Domain",
    },
}  # fmt: skip
PSEUDO = {
    "AWS::AccountId", "AWS::NotificationARNs", "AWS::NoValue", "AWS::Partition", "AWS::Region",
    "AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
}  # fmt: skip


# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-languageextensions.html
EXTENSIONS = "AWS::LanguageExtensions"
EXTENDED = {"Fn::Length", "Fn::ToJsonString"}


def transforms(template: Mapping[str, Any]) -> list[str]:
    """The transforms that the template declares."""
    found = template.get("Transform", [])
    return [str(one) for one in (found if isinstance(found, list) else [found])]


def fail(message: str) -> None:
    """Raise the format error."""
    raise TemplateError(f"Template format error: {message}")


def check(template: Mapping[str, Any]) -> None:
    """Nothing; TemplateError at the first rule the template breaks."""
    check_frame(template)
    for logical, resource in template["Resources"].items():
        _resource(logical, resource)
    for key, output in template.get("Outputs", {}).items():
        _output(key, output)
    _conditions(template)
    _arguments(template)
    _references(template)


def check_frame(template: Mapping[str, Any]) -> None:
    """Nothing; TemplateError when the sections or the parameters break a rule, whatever else there is."""
    if unknown := sorted(template.keys() - SECTIONS):
        raise TemplateError(f"Invalid template property or properties [{', '.join(unknown)}]")
    _header(template)
    check_declarations(template.get("Parameters", {}))


def _header(template: Mapping[str, Any]) -> None:
    version = template.get("AWSTemplateFormatVersion", "2010-09-09")
    if version != "2010-09-09":
        fail(f"{version} is not a supported value for AWSTemplateFormatVersion.")
    description = template.get("Description", "")
    if not isinstance(description, str):
        fail("Description must be a string.")
    if len(description.encode()) > 1024:
        fail("Template description is greater than 1024 bytes.")
    if others := [name for name in transforms(template) if name != EXTENSIONS]:
        raise TemplateError(
            f"Transform {', '.join(others)} is not supported here: expand the template first "
            "(sam build, cdk synth) and deploy the result"
        )
    for section in ("Parameters", "Rules", "Mappings", "Conditions", "Resources", "Outputs"):
        if not isinstance(template.get(section, {}), dict):
            fail(
                f"{section} must be a JSON object."
                if section != "Resources"
                else "Resources must be an object."
            )
    if not template.get("Resources"):
        fail("At least one Resources member must be defined.")
    _mappings(template.get("Mappings", {}))
    if EXTENSIONS not in transforms(template):
        _without_extensions(template)
    for section, most in (("Parameters", 200), ("Resources", 500), ("Outputs", 200), ("Mappings", 200)):
        if len(template.get(section, {})) > most:
            fail(
                f"Number of {section.lower()}, {len(template[section])}, "
                f"is greater than maximum allowed, {most}"
            )


def _mappings(mappings: Mapping[str, Any]) -> None:
    for name, mapping in mappings.items():
        members = list(mapping.values()) if isinstance(mapping, dict) else [mapping]
        if not all(isinstance(pairs, dict) for pairs in members):
            fail(f"Every Mappings member {name} must be a map")
        for pairs in members:
            if any(isinstance(value, dict) for value in pairs.values()):
                fail("Every Mappings attribute must be a String or a List.")


def _without_extensions(template: Mapping[str, Any]) -> None:
    """Refuse what needs the transform for language extensions where that is not declared."""
    blocks = [template.get(section, {}) for section in ("Conditions", "Resources", "Outputs")]
    for key, argument in functions(blocks):
        if key in EXTENDED:
            raise TemplateError(
                f"Template error: encountered unsupported function: {key}. It needs Transform: {EXTENSIONS}"
            )
        if key == "Fn::FindInMap" and isinstance(argument, list) and len(argument) > 3:
            raise TemplateError(
                "Template error: every Fn::FindInMap object requires three parameters, "
                f"the map name, map key and the attribute for return value. DefaultValue needs "
                f"Transform: {EXTENSIONS}"
            )


def _resource(logical: str, resource: Any) -> None:
    if logical.startswith("Fn::ForEach"):
        fail(f"[/Resources/{logical}] resource definition is malformed")
    if not re.fullmatch(r"[A-Za-z0-9]+", logical):
        fail(f"Resource name {logical} is non alphanumeric.")
    if not isinstance(resource, dict):
        fail("Any Resources member must be an object.")
    if unknown := sorted(resource.keys() - RESOURCE):
        raise TemplateError(f"Invalid template resource property '{unknown[0]}'")
    if not isinstance(resource.get("Type"), str):
        fail(f"[/Resources/{logical}] Every Resources object must contain a Type member.")
    if not isinstance(resource.get("Properties", {}), dict):
        fail(f"[/Resources/{logical}/Properties] Properties must be an object")
    if not isinstance(resource.get("Condition", ""), str):
        fail(f"[/Resources/{logical}/Condition] Every Condition member must be a string.")
    named = resource.get("DependsOn", [])
    if not isinstance(named, str) and not (
        isinstance(named, list) and all(isinstance(x, str) for x in named)
    ):
        fail(f"[/Resources/{logical}/DependsOn] DependsOn must be a string or a list of strings.")
    for key in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = resource.get(key, "Delete")
        if isinstance(policy, str) and policy not in POLICIES[key]:
            fail(f"Unrecognized {key} {policy} for resource {logical}")
    for key, types in OF_TYPES.items():
        if key in resource and resource["Type"] not in types:
            raise TemplateError(f"Template error: resource type {resource['Type']} does not support {key}")


def _output(key: str, output: Any) -> None:
    if not re.fullmatch(r"[A-Za-z0-9]+", key):
        fail(f"Output name {key} is non alphanumeric.")
    if not isinstance(output, dict):
        fail("Each Outputs member must be a JSON object.")
    if unknown := sorted(output.keys() - {"Value", "Description", "Export", "Condition"}):
        raise TemplateError(f"Invalid template output property '{unknown[0]}'")
    if "Value" not in output:
        fail("Every Outputs member must contain a Value object")
    if isinstance(output["Value"], list):
        fail("The Value field of every Outputs member must evaluate to a String.")
    if "Export" in output and not (isinstance(output["Export"], dict) and "Name" in output["Export"]):
        fail("Output Export must contain a Name")


def _conditions(template: Mapping[str, Any]) -> None:
    known = template.get("Conditions", {}).keys()
    for block in ("Resources", "Outputs"):
        for member in template.get(block, {}).values():
            used = [member["Condition"]] if "Condition" in member else []
            parts = body(member) if block == "Resources" else [member["Value"], member.get("Export", {})]
            used += [found.name for found in references(parts) if found.kind == "Condition"]
            for name in used:
                if name not in known:
                    fail(f"Unresolved condition dependency {name} in the {block} block of the template")
    for value in template.get("Conditions", {}).values():
        for found in references([value]):
            if found.kind == "Condition" and found.name not in known:
                fail(f"Unresolved condition dependency {found.name} in the Conditions block of the template")


def _references(template: Mapping[str, Any]) -> None:
    resources, parameters = template["Resources"].keys(), template.get("Parameters", {}).keys()
    _refuse(template.get("Conditions", {}), parameters | PSEUDO, set(), "Conditions")
    for resource in template["Resources"].values():
        _refuse(body(resource), resources | parameters | PSEUDO, resources, "Resources")
        if missing := sorted(set(depends_on(resource)) - resources):
            fail(
                f"Unresolved resource dependencies [{', '.join(missing)}] "
                "in the Resources block of the template"
            )
    outputs = [[output["Value"], output.get("Export", {})] for output in template.get("Outputs", {}).values()]
    _refuse(outputs, resources | parameters | PSEUDO, resources, "Outputs")


def _refuse(value: Any, names: Any, resources: Any, block: str) -> None:
    """Refuse references to what the block may not name."""
    missing = []
    for found in references(value):
        if found.kind == "Ref" and found.name not in names:
            missing.append(found.name)
        elif found.kind == "Fn::GetAtt" and found.name not in resources:
            raise TemplateError(
                f"Template error: instance of Fn::GetAtt references undefined resource {found.name}"
            )
    if not missing:
        return
    listed = ", ".join(dict.fromkeys(missing))
    if block == "Conditions":
        fail(
            f"Unresolved dependencies [{listed}]. "
            "Cannot reference resources in the Conditions block of the template"
        )
    fail(f"Unresolved resource dependencies [{listed}] in the {block} block of the template")


NOT_NAMED_BY = "must not depend on any resources, imported values, or Fn::GetAZs"


def _arguments(template: Mapping[str, Any]) -> None:
    """Refuse variables of Fn::Sub that are no names, and names of exports that only a running stack knows."""
    resources = template["Resources"].keys()
    blocks = [template.get(section, {}) for section in ("Conditions", "Resources", "Outputs")]
    for key, argument in functions(blocks):
        if key == "Fn::Sub" and not all(
            re.fullmatch(r"[\w.:]+", name, re.ASCII) for name in _named(argument)
        ):
            raise TemplateError(
                "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, "
                "underscores, periods, and colons"
            )
        if key == "Fn::ImportValue" and _of_a_stack(argument, resources):
            raise TemplateError(f"Template error: the attribute in Fn::ImportValue {NOT_NAMED_BY}")
    for output in template.get("Outputs", {}).values():
        if _of_a_stack(output.get("Export", {}), resources):
            fail(f"The Name field of Export {NOT_NAMED_BY}.")


def _named(argument: Any) -> list[str]:
    """The variables of a Fn::Sub."""
    text = argument[0] if isinstance(argument, list) and argument else argument
    return variables(text) if isinstance(text, str) else []


def _of_a_stack(value: Any, resources: Collection[str]) -> bool:
    """Whether only a running stack knows what the value is."""
    used = any(found.kind in ("Ref", "Fn::GetAtt") and found.name in resources for found in references(value))
    return used or any(key in ("Fn::ImportValue", "Fn::GetAZs") for key, _ in functions(value))
