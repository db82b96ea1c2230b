"""Tags of resources outside EC2: each service has its own three operations for the same thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_vpc.local.providers.call import call, tag_list, tags
from aws_vpc.local.providers.resource import ResourceRequest


@dataclass(frozen=True)
class Tagging:
    """How a service lists, adds and removes tags, and which parameter names the resource."""

    list: str
    key: str  # the member of the list answer that holds the tags
    add: str
    remove: str
    identifier: str


TAGGING = {
    "batch": Tagging("list_tags_for_resource", "tags", "tag_resource", "untag_resource", "resourceArn"),
    "cloudwatch": Tagging("list_tags_for_resource", "Tags", "tag_resource", "untag_resource", "ResourceARN"),
    "codedeploy": Tagging("list_tags_for_resource", "Tags", "tag_resource", "untag_resource", "ResourceArn"),
    "ecr": Tagging("list_tags_for_resource", "tags", "tag_resource", "untag_resource", "resourceArn"),
    "ecs": Tagging("list_tags_for_resource", "tags", "tag_resource", "untag_resource", "resourceArn"),
    "elbv2": Tagging("describe_tags", "TagDescriptions", "add_tags", "remove_tags", "ResourceArns"),
    "events": Tagging("list_tags_for_resource", "Tags", "tag_resource", "untag_resource", "ResourceARN"),
    "iam": Tagging("list_role_tags", "Tags", "tag_role", "untag_role", "RoleName"),
    "kms": Tagging("list_resource_tags", "Tags", "tag_resource", "untag_resource", "KeyId"),
    "logs": Tagging("list_tags_for_resource", "tags", "tag_resource", "untag_resource", "resourceArn"),
    "rds": Tagging(
        "list_tags_for_resource",
        "TagList",
        "add_tags_to_resource",
        "remove_tags_from_resource",
        "ResourceName",
    ),
    "redshift": Tagging("describe_tags", "TaggedResources", "create_tags", "delete_tags", "ResourceName"),
    "redshift-serverless": Tagging(
        "list_tags_for_resource", "tags", "tag_resource", "untag_resource", "resourceArn"
    ),
    "scheduler": Tagging("list_tags_for_resource", "Tags", "tag_resource", "untag_resource", "ResourceArn"),
    "secretsmanager": Tagging("describe_secret", "Tags", "tag_resource", "untag_resource", "SecretId"),
    "sns": Tagging("list_tags_for_resource", "Tags", "tag_resource", "untag_resource", "ResourceArn"),
    "sqs": Tagging("list_queue_tags", "Tags", "tag_queue", "untag_queue", "QueueUrl"),
    "ssm": Tagging(
        "list_tags_for_resource", "TagList", "add_tags_to_resource", "remove_tags_from_resource", "ResourceId"
    ),
}


def as_map(listed: Any) -> dict[str, str]:
    """The tags by name, from whichever form the service answers in."""
    if isinstance(listed, Mapping):
        return dict(listed)
    flat = [tag for entry in listed or [] for tag in entry.get("Tags", [entry.get("Tag", entry)])]
    lower = [{key.lower().removeprefix("tag"): value for key, value in entry.items()} for entry in flat]
    return {entry["key"]: entry["value"] for entry in lower}


def present_tags(request: ResourceRequest, service: str, identifier: str) -> dict[str, str]:
    """The tags that the resource has now."""
    how = TAGGING[service]
    return as_map(call(request.client(service), how.list, {how.identifier: identifier}).get(how.key))


def retag(request: ResourceRequest, service: str, identifier: str, **more: Any) -> None:
    """Nothing; the resource has exactly the tags that the request wants."""
    how, client = TAGGING[service], request.client(service)
    target = {how.identifier: identifier, **more}
    present = as_map(call(client, how.list, target).get(how.key))
    wanted = tags(request)
    if dropped := sorted(present.keys() - wanted.keys()):
        call(client, how.remove, {**target, "TagKeys": dropped})
    if fresh := {key: value for key, value in wanted.items() if present.get(key) != value}:
        call(client, how.add, {**target, "Tags": tag_list(fresh)})
