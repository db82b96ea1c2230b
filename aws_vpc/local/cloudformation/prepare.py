"""From what a call gives to a definition that passed every check: parameters, tags, capabilities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation import existence
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import STACK, Definition, Prepared
from aws_vpc.local.cloudformation.scopes import pseudo, stored_parameter
from aws_vpc.local.cloudformation.waits import WAITS
from aws_vpc.local.providers import PROVIDERS, schema
from aws_vpc.local.wire import ServiceError
from aws_vpc.template import Bound, Template, bind, foreseen
from aws_vpc.template_check import fail as malformed
from aws_vpc.template_functions import Scope, evaluate
from aws_vpc.template_graph import body, functions, references
from aws_vpc.template_parameters import resolve


def prepare(
    engine: Engine, region: str, name: str, stack_id: str, template: Template,
    parameters: Mapping[str, str], *,
    tags: Mapping[str, str], capabilities: Iterable[str] = (), notification_arns: Sequence[str] = (),
    role_arn: str | None = None, reviewed: bool = False,
) -> Prepared:  # fmt: skip
    """The definition with conditions decided; TemplateError or ServiceError in AWS's words when refused.

    `reviewed`: for a change set, which shows what transforms made of the template before anything is done.
    """
    refuse_role(engine, region, role_arn)
    refuse_capabilities(template, {*capabilities, *(["CAPABILITY_AUTO_EXPAND"] if reviewed else [])})
    refuse_unknown_types(template)
    resolved = resolve(template.parameters, parameters, stored_parameter(engine, region))
    arns = tuple(notification_arns)
    definition = Definition(template, resolved, tags, tuple(capabilities), arns, role_arn)
    names = {key: parameter.value for key, parameter in resolved.items()}
    given = {**pseudo(stack_id, name, region, engine.account, arns), **names}
    scope = Scope(given, account=existence.account(engine, region))
    bound = bind(template, scope)
    foreseen(bound)
    refuse_snapshots(bound)
    refuse_export_names(bound)
    refuse_secure_strings(bound)
    refuse_unknown_attributes(bound)
    return Prepared(definition, bound)


# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
SNAPSHOTS = {
    "AWS::DocDB::DBCluster", "AWS::EC2::Volume", "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup", "AWS::Neptune::DBCluster", "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance", "AWS::Redshift::Cluster",
}  # fmt: skip


# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html
def refuse_export_names(bound: Bound) -> None:
    """Nothing; TemplateError names an export whose name is malformed, or another's of the same template."""
    seen: set[str] = set()
    for key, output in bound.outputs.items():
        if "Export" not in output:
            continue
        if any(key == "Fn::GetStackOutput" for key, _ in functions(output["Export"])):
            continue  # known once its stack is asked
        name = evaluate(output["Export"]["Name"], bound.scope)
        every = "The Name field of every Export member must"
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9:-]+", name):
            malformed(
                f"Output {key} is malformed. {every} be specified and consist only of alphanumeric "
                "characters, colons, or hyphens."
            )
        if len(name) > 256:
            malformed(f"{every} not be longer than 256 characters.")
        if name in seen:
            malformed(
                f"The Outputs section contains duplicate Export names: [{name}]. "
                "Specify a unique name for each export."
            )
        seen.add(name)


def public(kind: str) -> set[str]:
    """The type, if it has a public schema."""
    try:
        schema(kind)
    except KeyError:
        return set()
    return {kind}


def refuse_unknown_attributes(bound: Bound) -> None:
    """Nothing; TemplateError names a Fn::GetAtt of an attribute that the schema of its type does not have."""
    parts = [body(source) for source in bound.resources.values()]
    for found in references([*parts, *bound.outputs.values()]):
        source = bound.resources.get(found.name)
        if found.kind != "Fn::GetAtt" or source is None or source["Type"] == STACK or not found.attribute:
            continue
        if not public(source["Type"]) or "${" in found.attribute:
            continue
        if found.attribute.split(".")[0] not in schema(source["Type"])["properties"]:
            raise TemplateError(
                f"Template error: resource {found.name} does not support attribute type {found.attribute} "
                "in Fn::GetAtt"
            )


def refuse_snapshots(bound: Bound) -> None:
    """Nothing; TemplateError names a resource whose type takes no snapshots and whose policy wants one."""
    for source in bound.resources.values():
        for key, words in (
            ("DeletionPolicy", "deletion policy"),
            ("UpdateReplacePolicy", "update replace policy"),
        ):
            if source.get(key) == "Snapshot" and public(source["Type"]) - SNAPSHOTS:
                kind = source["Type"]
                raise TemplateError(f"Template error: resource type {kind} does not support {words} Snapshot")


# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm-secure-strings.html
SECURE = {
    "AWS::DirectoryService::MicrosoftAD": "Password", "AWS::DirectoryService::SimpleAD": "Password",
    "AWS::ElastiCache::ReplicationGroup": "AuthToken", "AWS::IAM::User": "LoginProfile",
    "AWS::KinesisFirehose::DeliveryStream": "RedshiftDestinationConfiguration",
    "AWS::RDS::DBCluster": "MasterUserPassword", "AWS::RDS::DBInstance": "MasterUserPassword",
    "AWS::Redshift::Cluster": "MasterUserPassword",
}  # fmt: skip


def refuse_secure_strings(bound: Bound) -> None:
    """Nothing; TemplateError names the properties with a secure string that may not hold one."""
    wrong = [
        f"{source['Type']}/Properties/{name}"
        for source in bound.resources.values()
        for name, value in source.get("Properties", {}).items()
        if "{{resolve:ssm-secure:" in str(value) and SECURE.get(source["Type"]) != name
    ]
    if wrong:
        raise TemplateError(f"SSM Secure reference is not supported in: [{','.join(wrong)}]")


def refuse_other_types(template: Template, allowed: Sequence[str] | None) -> None:
    """Nothing; ValidationError names a type that the call's ResourceTypes do not allow."""
    for kind in template.types if allowed else ():
        if not any(fnmatchcase(kind, pattern) for pattern in allowed or ()):
            listed = ", ".join(allowed or ())
            said = f"Resource type {kind} is not allowed by parameter ResourceTypes [{listed}]"
            raise ServiceError("ValidationError", said)


def refuse_unknown_types(template: Template) -> None:
    """Nothing; TemplateError names the types that cannot be made here."""
    unknown = [
        kind for kind in template.types if kind != STACK and kind not in WAITS and kind not in PROVIDERS
    ]
    if unknown:
        raise TemplateError(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")


def refuse_role(engine: Engine, region: str, arn: str | None) -> None:
    """Nothing; ValidationError when there is no such role to act in."""
    if arn is None:
        return
    try:
        engine.client("iam", region).get_role(RoleName=arn.rpartition("/")[2])
    except ClientError:
        raise ServiceError("ValidationError", f"Role {arn} is invalid or cannot be assumed") from None


def refuse_triggers(configuration: Mapping[str, Any] | None) -> None:
    """Nothing; ValidationError when a rollback trigger is no alarm, or its ARN is none of an alarm."""
    for trigger in (configuration or {}).get("RollbackTriggers") or ():
        if trigger["Type"] not in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
            raise ServiceError("ValidationError", "Rollback Trigger Type not supported")
        if not re.fullmatch(r"arn:[\w-]+:cloudwatch:[^:]*:\d*:alarm:.+", trigger["Arn"]):
            raise ServiceError("ValidationError", "RelativeId of a Rollback Trigger's ARN is incorrect")


def refuse_capabilities(template: Template, given: set[str]) -> None:
    """Nothing; InsufficientCapabilities when the template needs what was not acknowledged."""
    for needed in template.capabilities:
        enough = {needed, "CAPABILITY_NAMED_IAM"} if "IAM" in needed else {needed}
        if not enough & given:
            raise ServiceError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def parameters_given(items: Iterable[Mapping[str, Any]], previous: Definition | None) -> dict[str, str]:
    """The parameter texts of a call, previous values filled in."""
    found: dict[str, str] = {}
    for item in items:
        key = item.get("ParameterKey")
        if not key:
            raise ServiceError("ValidationError", "Invalid input for parameter: ParameterKey is missing")
        if key in found:
            raise ServiceError("ValidationError", f"Duplicate parameter key {key}")
        if item.get("UsePreviousValue"):
            if item.get("ParameterValue") is not None:
                raise ServiceError(
                    "ValidationError",
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and "
                    "non empty value for a parameter",
                )
            if previous is None or key not in previous.parameters:
                raise ServiceError(
                    "ValidationError",
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a "
                    "parameter key not in the previous template",
                )
            found[key] = previous.parameters[key].given
        else:
            found[key] = item.get("ParameterValue") or ""
    return found


def tags_given(items: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Tags as a dictionary; ValidationError when a key is AWS's own or stands twice."""
    found: dict[str, str] = {}
    for item in items:
        key = item["Key"]
        if key.lower().startswith("aws:"):
            raise ServiceError(
                "ValidationError",
                f"aws: prefixed tag key names are not allowed for external use. Invalid: {key}",
            )
        if key in found:
            raise ServiceError("ValidationError", f"Duplicate tag keys found: {key}")
        found[key] = item["Value"]
    return found
