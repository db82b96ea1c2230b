"""EventBridge rules with their targets, and event buses."""

from typing import Any

from aws_vpc.local.providers.call import call, gone_is_done, pick, property_names, tag_list, tags
from aws_vpc.local.providers.named import Kind, resource
from aws_vpc.local.providers.resource import (
    Properties,
    Provider,
    ResourceFailed,
    ResourceRequest,
    ResourceState,
    name,
    undone,
)
from aws_vpc.local.providers.tagging import retag

RULE = "Name EventPattern ScheduleExpression State Description RoleArn EventBusName"
DEFAULT_BUS = "default"


def on_bus(request: ResourceRequest) -> dict[str, str]:
    """The parameters that name an existing rule and its bus."""
    bus, _, rule = request.id.rpartition("|")
    return {"Name": rule, "EventBusName": bus or DEFAULT_BUS}


def put_rule(request: ResourceRequest, rule: str) -> ResourceState:
    """The rule with its targets; Ref is its name, on a bus of one's own `bus|name`."""
    client, given = request.client("events"), {**pick(request.properties, RULE), "Name": rule}
    wanted = tag_list(tags(request)) if request.previous is None else []
    arn = call(client, "put_rule", {**given, "Tags": wanted or None})["RuleArn"]
    bus = request.properties.get("EventBusName", DEFAULT_BUS)
    settle_targets(request, rule, bus)
    id = rule if bus == DEFAULT_BUS else f"{bus}|{rule}"
    return ResourceState(id, {"Arn": arn, "RuleName": rule})


def targets(properties: Properties | None) -> dict[str, Any]:
    """The targets of a rule by their id."""
    return {target["Id"]: target for target in (properties or {}).get("Targets") or []}


def settle_targets(request: ResourceRequest, rule: str, bus: str) -> None:
    """Nothing; the rule has exactly the targets stated."""
    before, after = targets(request.previous), targets(request.properties)
    remove_targets(request, rule, bus, sorted(before.keys() - after.keys()))
    if changed := [target for id, target in after.items() if before.get(id) != target]:
        given = {"Rule": rule, "EventBusName": bus, "Targets": changed}
        answer = call(request.client("events"), "put_targets", given)
        for refused in answer.get("FailedEntries", []):
            raise ResourceFailed(f"target {refused['TargetId']} of {rule}: {refused['ErrorMessage']}")


def remove_targets(request: ResourceRequest, rule: str, bus: str, ids: list[str]) -> None:
    """Nothing; the rule has none of the targets."""
    if ids:
        with gone_is_done():
            request.client("events").remove_targets(Rule=rule, EventBusName=bus, Ids=ids)


def create_rule(request: ResourceRequest) -> ResourceState:
    """The new rule."""
    rule = request.properties.get("Name") or name(request, maximum=64)
    bus = request.properties.get("EventBusName", DEFAULT_BUS)
    with undone(request, rule if bus == DEFAULT_BUS else f"{bus}|{rule}", delete_rule):
        return put_rule(request, rule)


def update_rule(request: ResourceRequest) -> ResourceState:
    """The rule as it is now stated."""
    state = put_rule(request, on_bus(request)["Name"])
    retag(request, "events", state.attributes["Arn"])
    return state


def delete_rule(request: ResourceRequest) -> None:
    """Nothing; the rule and its targets are gone."""
    client, named = request.client("events"), on_bus(request)
    with gone_is_done():
        listed = client.list_targets_by_rule(Rule=named["Name"], EventBusName=named["EventBusName"])[
            "Targets"
        ]
        remove_targets(request, named["Name"], named["EventBusName"], [target["Id"] for target in listed])
        client.delete_rule(**named)


BUS = Kind(
    "events",
    "create_event_bus",
    lambda client, id: dict(client.describe_event_bus(Name=id)),
    "delete_event_bus",
    "Name",
    "Name",
    maximum=256,
    arn="Arn",
)

PROVIDERS = (
    Provider(
        "AWS::Events::Rule", property_names(f"{RULE} Targets Tags"), create_rule, delete_rule, update_rule
    ),
    resource("AWS::Events::EventBus", BUS, "Name EventSourceName Description"),
)
