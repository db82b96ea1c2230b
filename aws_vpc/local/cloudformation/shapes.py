"""Records to the API's own shapes."""

from __future__ import annotations

import json
from typing import Any

from aws_vpc.local.cloudformation.model import Definition, Event, Resource, Stack
from aws_vpc.template import Template
from aws_vpc.template_parameters import Parameter, scalar


def without_none(value: dict[str, Any]) -> dict[str, Any]:
    """The pairs whose value is there."""
    return {key: item for key, item in value.items() if item is not None}


def tag_list(tags: Any) -> list[dict[str, str]]:
    """Tags as the API lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def parameter(one: Parameter) -> dict[str, Any]:
    """A parameter as describe calls show it, NoEcho values masked."""
    value = "****" if one.no_echo else one.given
    resolved = None if one.resolved is None else "****" if one.no_echo else one.resolved
    return without_none({"ParameterKey": one.key, "ParameterValue": value, "ResolvedValue": resolved})


def parameter_list(definition: Definition) -> list[dict[str, Any]]:
    """The parameters of a definition."""
    return [parameter(one) for one in definition.parameters.values()]


def stack(one: Stack) -> dict[str, Any]:
    """A stack as DescribeStacks shows it."""
    definition = one.definition
    return without_none({
        "StackId": one.id, "StackName": one.name, "ChangeSetId": one.change_set_id,
        "Description": definition.template.description, "Parameters": parameter_list(definition) or None,
        "CreationTime": one.created, "DeletionTime": one.deleted, "LastUpdatedTime": one.updated,
        "RollbackConfiguration": one.rollback_configuration, "DetailedStatus": one.detailed,
        "DeploymentConfig": deployment(one), "StackStatus": one.status, "StackStatusReason": one.reason,
        "DisableRollback": one.disable_rollback, "NotificationARNs": list(definition.notification_arns),
        "TimeoutInMinutes": one.timeout, "Capabilities": list(definition.capabilities) or None,
        "Outputs": [output(found) for found in one.outputs] or None, "RoleARN": definition.role_arn,
        "Tags": tag_list(definition.tags),
        "EnableTerminationProtection": None if one.status == "DELETE_COMPLETE" else one.protected,
        "ParentId": one.parent_id, "RootId": one.root_id,
        "DriftInformation": stack_drift(one), "DeletionMode": one.deletion_mode,
        "RetainExceptOnCreate": one.retain_except_on_create or None,
        "LastOperations": [{"OperationType": run.kind, "OperationId": run.id} for run in one.runs[-2:]],
    })  # fmt: skip


def deployment(one: Stack) -> dict[str, Any]:
    """How the stack was deployed last."""
    return {"Mode": "EXPRESS" if one.express else "STANDARD", "DisableRollback": one.disable_rollback}


def stack_drift(one: Stack) -> dict[str, Any]:
    """What the last drift detection said of the stack."""
    return without_none({"StackDriftStatus": one.drift_status, "LastCheckTimestamp": one.drift_checked})


def resource_drift(owner: Stack, one: Resource) -> dict[str, Any]:
    """What the last drift detection said of the resource."""
    found = owner.drifts.get(one.logical_id)
    if found is None:
        return {"StackResourceDriftStatus": "NOT_CHECKED"}
    return {"StackResourceDriftStatus": found.status, "LastCheckTimestamp": found.timestamp}


def output(one: Any) -> dict[str, Any]:
    """An output as DescribeStacks shows it."""
    return without_none({
        "OutputKey": one.key, "OutputValue": one.value, "Description": one.description,
        "ExportName": one.export,
    })  # fmt: skip


def summary(one: Stack) -> dict[str, Any]:
    """A stack as ListStacks shows it."""
    return without_none({
        "StackId": one.id, "StackName": one.name, "TemplateDescription": one.definition.template.description,
        "CreationTime": one.created, "LastUpdatedTime": one.updated, "DeletionTime": one.deleted,
        "StackStatus": one.status, "StackStatusReason": one.reason, "ParentId": one.parent_id,
        "RootId": one.root_id, "DriftInformation": stack_drift(one),
    })  # fmt: skip


def event(one: Event) -> dict[str, Any]:
    """An event as DescribeStackEvents shows it."""
    return without_none({
        "StackId": one.stack_id, "EventId": one.id, "StackName": one.stack_name,
        "OperationId": one.operation_id,
        "LogicalResourceId": one.logical_id, "PhysicalResourceId": one.physical_id, "ResourceType": one.type,
        "Timestamp": one.timestamp, "ResourceStatus": one.status, "ResourceStatusReason": one.reason,
        "ResourceProperties": one.properties, "ClientRequestToken": one.token,
        "DetailedStatus": one.detailed,
    })  # fmt: skip


def resource(owner: Stack, one: Resource, *, time: str = "Timestamp") -> dict[str, Any]:
    """A resource as DescribeStackResources shows it."""
    return without_none({
        "StackName": owner.name, "StackId": owner.id, "LogicalResourceId": one.logical_id,
        "PhysicalResourceId": one.physical_id, "ResourceType": one.type, time: one.timestamp,
        "ResourceStatus": one.status, "ResourceStatusReason": one.reason,
        "DriftInformation": resource_drift(owner, one),
    })  # fmt: skip


def resource_summary(owner: Stack, one: Resource) -> dict[str, Any]:
    """A resource as ListStackResources shows it."""
    return without_none({
        "LogicalResourceId": one.logical_id, "PhysicalResourceId": one.physical_id, "ResourceType": one.type,
        "LastUpdatedTimestamp": one.timestamp, "ResourceStatus": one.status,
        "ResourceStatusReason": one.reason, "DriftInformation": resource_drift(owner, one),
    })  # fmt: skip


def declared(template: Template, *, full: bool) -> list[dict[str, Any]]:
    """The declared parameters as ValidateTemplate (or, full, GetTemplateSummary) lists them."""
    found = []
    for key, one in template.parameters.items():
        hidden = scalar(one.get("NoEcho", False)) == "true"
        shown = {
            "ParameterKey": key,
            "DefaultValue": None if "Default" not in one else "****" if hidden else scalar(one["Default"]),
            "NoEcho": hidden,
            "Description": one.get("Description"),
        }
        if full:
            allowed = [scalar(value) for value in one.get("AllowedValues", ())]
            shown["ParameterType"] = one["Type"]
            shown["ParameterConstraints"] = {"AllowedValues": allowed} if allowed else {}
        found.append(without_none(shown))
    return found


def metadata_text(one: Resource) -> str | None:
    """A resource's metadata as JSON text."""
    return json.dumps(one.metadata) if one.metadata else None
