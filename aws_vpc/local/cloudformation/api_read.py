"""The operations that only look: describe, list, get, validate."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aws_vpc.local.cloudformation import shapes
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Stack
from aws_vpc.local.cloudformation.scopes import pseudo
from aws_vpc.local.cloudformation.source import given
from aws_vpc.local.providers import schema
from aws_vpc.local.wire import ServiceError
from aws_vpc.template import Template, unrolled
from aws_vpc.template_functions import Scope

Params = dict[str, Any]
PAGE = 100


def page(items: Sequence[Any], params: Params, size: int = PAGE) -> tuple[Sequence[Any], dict[str, str]]:
    """One page of the items and, when there are more, the token of the next."""
    try:
        start = int(base64.b64decode(params["NextToken"])) if params.get("NextToken") else 0
    except ValueError:
        raise ServiceError("ValidationError", "Invalid NextToken") from None
    more = (
        {"NextToken": base64.b64encode(str(start + size).encode()).decode()}
        if start + size < len(items)
        else {}
    )
    return items[start : start + size], more


def describe_stacks(engine: Engine, region: str, params: Params) -> Params:
    """The stack by name or id, or all that are not deleted."""
    if params.get("StackName"):
        return {"Stacks": [shapes.stack(engine.find(params["StackName"], region))]}
    found, more = page(list(engine.live(region)), params)
    return {"Stacks": [shapes.stack(one) for one in found], **more}


def list_stacks(engine: Engine, region: str, params: Params) -> Params:
    """Stacks by status, deleted ones included."""
    wanted = params.get("StackStatusFilter")
    with engine.changed:
        stacks = [one for one in reversed(engine.stacks.values()) if one.region == region]
    found, more = page([one for one in stacks if not wanted or one.status in wanted], params)
    return {"StackSummaries": [shapes.summary(one) for one in found], **more}


def describe_stack_events(engine: Engine, region: str, params: Params) -> Params:
    """The stack's events, newest first."""
    stack = engine.standing(params["StackName"], region)
    found, more = page(stack.events[::-1], params)
    return {"StackEvents": [shapes.event(one) for one in found], **more}


def _resource(engine: Engine, region: str, params: Params) -> tuple[Stack, Any]:
    stack = engine.find(params["StackName"], region)
    resource = stack.resources.get(params["LogicalResourceId"])
    if resource is None:
        message = f"Resource {params['LogicalResourceId']} does not exist for stack {stack.name}"
        raise ServiceError("ValidationError", message)
    return stack, resource


def describe_stack_resource(engine: Engine, region: str, params: Params) -> Params:
    """One resource with its metadata."""
    stack, resource = _resource(engine, region, params)
    shown = shapes.resource(stack, resource, time="LastUpdatedTimestamp")
    return {"StackResourceDetail": shapes.without_none({**shown, "Metadata": shapes.metadata_text(resource)})}


def describe_stack_resources(engine: Engine, region: str, params: Params) -> Params:
    """The resources of a stack, or of the stack that a physical id belongs to."""
    asked = [key for key in ("StackName", "PhysicalResourceId") if params.get(key)]
    if len(asked) != 1:
        raise ServiceError("ValidationError", "Specify either StackName or PhysicalResourceId, but not both")
    if asked == ["PhysicalResourceId"]:
        return {"StackResources": _by_physical_id(engine, region, params["PhysicalResourceId"])}
    if params.get("LogicalResourceId"):
        stack, resource = _resource(engine, region, params)
        return {"StackResources": [shapes.resource(stack, resource)]}
    stack = engine.find(params["StackName"], region)
    first = list(stack.resources.values())[:PAGE]  # the others are ListStackResources' alone
    return {"StackResources": [shapes.resource(stack, one) for one in first]}


def _by_physical_id(engine: Engine, region: str, physical_id: str | None) -> list[Params]:
    for stack in engine.live(region):
        resources = list(stack.resources.values())
        if physical_id and any(one.physical_id == physical_id for one in resources):
            return [shapes.resource(stack, one) for one in resources[:PAGE]]
    raise ServiceError("ValidationError", f"Stack for {physical_id} does not exist")


def list_stack_resources(engine: Engine, region: str, params: Params) -> Params:
    """The resources of a stack, a page at a time."""
    stack = engine.find(params["StackName"], region)
    found, more = page(list(stack.resources.values()), params)
    return {"StackResourceSummaries": [shapes.resource_summary(stack, one) for one in found], **more}


def get_template(engine: Engine, region: str, params: Params) -> Params:
    """The text of a stack's template, or of a change set's."""
    if params.get("ChangeSetName"):
        if not params.get("StackName") and not params["ChangeSetName"].startswith("arn:"):
            raise ServiceError("ValidationError", "StackName is a required parameter.")
        from aws_vpc.local.cloudformation.change_sets import find

        prepared = find(engine, region, params).prepared
        template = prepared.definition.template if prepared else Template("", {})
        done = prepared.bound.template if prepared else template
    else:
        stack = engine.find(params["StackName"], region)
        template, done = stack.definition.template, processed(stack)
    as_made = template.looped and params.get("TemplateStage") != "Original"
    text = json.dumps(done.body) if as_made else template.text
    return {"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}


def processed(stack: Stack) -> Template:
    """The stack's template as its transform left it: a loop is what it made."""
    one = stack.definition
    values = {key: parameter.value for key, parameter in one.parameters.items()}
    always = pseudo(stack.id, stack.name, stack.region, stack.account, one.notification_arns)
    return unrolled(one.template, Scope({**always, **values}))


def validate_template(engine: Engine, region: str, params: Params) -> Params:
    """The template's parameters and capabilities; ValidationError when it breaks a rule."""
    template = given(engine, region, params)
    return shapes.without_none({
        "Parameters": shapes.declared(template, full=False), "Description": template.description,
        "Capabilities": template.capabilities, "CapabilitiesReason": template.capabilities_reason,
        "DeclaredTransforms": template.transforms,
    })  # fmt: skip


def get_template_summary(engine: Engine, region: str, params: Params) -> Params:
    """Parameters, types and capabilities of a template or of a stack's."""
    if params.get("StackName"):
        stack = engine.find(params["StackName"], region)
        if stack.status == "REVIEW_IN_PROGRESS":
            said = "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."
            raise ServiceError("ValidationError", said)
        template = stack.definition.template
    else:
        template = given(engine, region, params)
    metadata = template.section("Metadata")
    return shapes.without_none({
        "Parameters": shapes.declared(template, full=True), "Description": template.description,
        "Capabilities": template.capabilities, "CapabilitiesReason": template.capabilities_reason,
        "ResourceTypes": template.types, "Version": template.body.get("AWSTemplateFormatVersion"),
        "Metadata": json.dumps(metadata) if metadata else None, "DeclaredTransforms": template.transforms,
        "ResourceIdentifierSummaries": list(identifiers(template)),
    })  # fmt: skip


def identifiers(template: Template) -> Iterator[Params]:
    """Which properties name the resources of each type, for those that have a public schema."""
    for type in template.types:
        try:
            paths = schema(type).get("primaryIdentifier", ())
        except KeyError:
            continue
        named = [logical for logical, one in template.resources.items() if one["Type"] == type]
        yield {
            "ResourceType": type, "LogicalResourceIds": named,
            "ResourceIdentifiers": [path.removeprefix("/properties/") for path in paths],
        }  # fmt: skip


def list_exports(engine: Engine, region: str, params: Params) -> Params:
    """Every export of the Region."""
    exports = sorted(engine.exports(region).items())
    found, more = page(exports, params)
    return {"Exports": [_export(name, *pair) for name, pair in found], **more}


def _export(name: str, stack: Stack, value: str) -> Params:
    return {"ExportingStackId": stack.id, "Name": name, "Value": value}


def list_imports(engine: Engine, region: str, params: Params) -> Params:
    """The names of the stacks that import an export."""
    name = params["ExportName"]
    if name not in engine.exports(region):
        raise ServiceError("ValidationError", f"Export '{name}' does not exist")
    users: Iterable[str] = engine.importers(region, name)
    found, more = page(list(users), params)
    if not found:
        raise ServiceError("ValidationError", f"Export '{name}' is not imported by any stack.")
    return {"Imports": list(found), **more}


def get_stack_policy(engine: Engine, region: str, params: Params) -> Params:
    """The stack's policy."""
    policy = engine.find(params["StackName"], region).policy
    return {"StackPolicyBody": policy} if policy else {}


def describe_account_limits(engine: Engine, region: str, params: Params) -> Params:
    """The account's limits, AWS's defaults."""
    limits = {"StackLimit": 2000, "StackOutputsLimit": 200, "ConcurrentResourcesLimit": 2500}
    return {"AccountLimits": [{"Name": name, "Value": value} for name, value in limits.items()]}


def estimate_template_cost(engine: Engine, region: str, params: Params) -> Params:
    """Nothing: always an error that says where costs are told."""
    raise ServiceError(
        "ValidationError",
        "EstimateTemplateCost is not part of the embedded AWS, which has no prices; docs/costs.rst tells "
        "what the stacks cost on AWS",
    )
