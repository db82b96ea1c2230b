"""What all EC2 resources have in common: create, describe, tag, wait, delete.

A Noun says how the API names a thing; `resource` makes a provider of it and of what is particular to a type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.local.providers.call import (
    absent,
    attributes,
    call,
    gone_is_done,
    pick,
    property_names,
    tag_list,
    tags,
    wait,
)
from aws_vpc.local.providers.resource import (
    Late,
    Provider,
    ResourceFailed,
    ResourceRequest,
    ResourceState,
    undone,
)

Description = dict[str, Any]
UNDER_WAY = {"pending", "creating", "modifying", "initiating-request", "provisioning", "rolling-back"}
GONE = {"deleted", "terminated", "delete-complete"}


@dataclass(frozen=True)
class Noun:
    """How EC2 names one kind of thing in its operations, parameters and answers."""

    operation: str  # create_<operation>, delete_<operation>, describe_<operation>s
    key: str  # the member of the create answer; <key>s that of the describe answer
    id: str = ""  # <key>Id unless stated; <id>s is the describe parameter
    tag: str = ""  # the resource type of a tag specification, unless it is the operation with dashes
    many: bool = False  # the delete operation takes a list and is named in the plural
    plural: str = ""  # the describe operation's noun, unless it is <operation>s
    keys: str = ""  # the member of the describe answer, unless it is <key>s

    @property
    def identifier(self) -> str:
        """The member that holds the id."""
        return self.id or f"{self.key}Id"

    @property
    def kind(self) -> str:
        """The resource type in a tag specification."""
        return self.tag or self.operation.replace("_", "-")


def tag_specification(request: ResourceRequest, kind: str) -> list[dict[str, Any]]:
    """The TagSpecifications parameter for the resource's tags; empty without tags."""
    wanted = tag_list(tags(request))
    return [{"ResourceType": kind, "Tags": wanted}] if wanted else []


def create(request: ResourceRequest, noun: Noun, parameters: Mapping[str, Any]) -> str:
    """The id of the new, tagged thing."""
    given = {**parameters, "TagSpecifications": tag_specification(request, noun.kind) or None}
    answer = call(request.client("ec2"), f"create_{noun.operation}", given)
    return str(answer.get(noun.key, answer)[noun.identifier])


def describe(request: ResourceRequest, noun: Noun, id: str) -> Description | None:
    """The thing as EC2 describes it now; None when it is not there, or only as a memory."""
    try:
        answer = call(
            request.client("ec2"),
            f"describe_{noun.plural or f'{noun.operation}s'}",
            {f"{noun.identifier}s": [id]},
        )
    except ClientError as error:
        if absent(error):
            return None
        raise
    found = [dict(entry) for entry in answer[noun.keys or f"{noun.key}s"] if entry[noun.identifier] == id]
    return found[0] if found and status(found[0]) not in GONE else None


def status(description: Mapping[str, Any]) -> str:
    """The state word of a description, wherever EC2 keeps it."""
    state = description.get("State", description.get("Status", ""))
    return str(state.get("Name", state.get("Code", ""))) if isinstance(state, Mapping) else str(state)


def stable(request: ResourceRequest, noun: Noun, id: str) -> Description:
    """The thing once its state is not transient any more; ResourceFailed when it failed."""

    def look() -> Description | None:
        found = describe(request, noun, id)
        return found if found and status(found) not in UNDER_WAY else None

    found = wait(look, f"{noun.kind} {id}")
    if "failed" in status(found):
        reason = found.get("FailureMessage", "no reason given")
        raise ResourceFailed(f"{noun.kind} {id} is {status(found)}: {reason}")
    return found


def retag(request: ResourceRequest, id: str) -> None:
    """Nothing; the thing has exactly the tags that the request wants."""
    ec2 = request.client("ec2")
    answer = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [id]}])
    present = {tag["Key"]: tag["Value"] for tag in answer["Tags"]}
    wanted = tags(request)
    if dropped := present.keys() - wanted.keys():
        ec2.delete_tags(Resources=[id], Tags=[{"Key": key} for key in sorted(dropped)])
    if fresh := {key: value for key, value in wanted.items() if present.get(key) != value}:
        ec2.create_tags(Resources=[id], Tags=tag_list(fresh))


def delete(request: ResourceRequest, noun: Noun, id: str) -> None:
    """Nothing; the thing is deleted and no longer described."""
    if describe(request, noun, id) is None:
        return
    plural = "s" if noun.many else ""
    with gone_is_done():
        call(request.client("ec2"), f"delete_{noun.operation}{plural}", {f"{noun.identifier}{plural}": id})
    wait(lambda: True if describe(request, noun, id) is None else None, f"deletion of {noun.kind} {id}")


def nothing(request: ResourceRequest, id: str) -> None:
    """Nothing: the type has no more to set, or to clear away."""


def no_more(request: ResourceRequest, description: Description) -> Description:
    """No attributes beyond those of the schema."""
    return {}


def resource(
    type: str,
    noun: Noun,
    given: str = "",
    *,
    make: Callable[[ResourceRequest, Noun, Mapping[str, Any]], str] = create,
    set_later: str = "",
    settle: Callable[[ResourceRequest, str], None] = nothing,
    clear: Callable[[ResourceRequest, str], None] = nothing,
    more: Callable[[ResourceRequest, Description], Description] = no_more,
    defaults: Mapping[str, Any] | None = None,
    ignored: Mapping[str, str] | None = None,
    late: Mapping[str, Late] | None = None,
) -> Provider:
    """The provider of a type that is created with the `given` properties and then settled.

    `make` stands in for the plain create operation. `settle` sets the properties of `set_later` at
    creation and update, where they change. `clear` takes away what hinders deletion. `more` adds
    attributes to those of the schema, of which `late` are looked up when somebody asks.
    """

    def state(request: ResourceRequest, id: str) -> ResourceState:
        found = stable(request, noun, id)
        return ResourceState(id, attributes(type, found, Id=id, **more(request, found)))

    def create_it(request: ResourceRequest) -> ResourceState:
        id = make(request, noun, {**(defaults or {}), **pick(request.properties, given)})
        with undone(request, id, delete_it):
            settle(request, id)
            return state(request, id)

    def update_it(request: ResourceRequest) -> ResourceState:
        settle(request, request.id)
        retag(request, request.id)
        return state(request, request.id)

    def delete_it(request: ResourceRequest) -> None:
        with gone_is_done():
            clear(request, request.id)
        delete(request, noun, request.id)

    def describe_it(request: ResourceRequest) -> Description | None:
        return describe(request, noun, request.id)

    applied = property_names(f"{given} {set_later} Tags")
    return Provider(
        type, applied, create_it, delete_it, update_it, ignored or {}, describe=describe_it, late=late or {}
    )
