"""Resources outside EC2 that are created, described, updated and deleted under one name or ARN.

A Kind says which operations those are; `resource` makes a provider of it and of what is particular to a type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
)
from aws_vpc.local.providers.resource import Provider, ResourceRequest, ResourceState, name, undone
from aws_vpc.local.providers.tagging import present_tags, retag

Description = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """The operations for one kind of thing, and what names it."""

    service: str
    create: str
    describe: Callable[[Any, str], Description | None]  # (client, physical id) -> as it is now
    delete: str
    key: str  # the parameter that names the thing when it is updated and deleted
    property: str = ""  # the property that holds its name; empty when the service gives the id
    maximum: int = 64  # the longest name
    lower: bool = False  # names in small letters only
    update: str = ""
    answer: str = ""  # where the create answer has the physical id, `A.B`; empty when that is the name
    arn: str = (
        ""  # where the description has what the tag operations take; empty when that is the physical id
    )
    deletion: Mapping[str, Any] = field(default_factory=dict)  # more parameters of the delete operation
    tagged: bool = True


def nothing(request: ResourceRequest, id: str) -> None:
    """Nothing: the type has no more to set, or to clear away."""


def no_more(request: ResourceRequest, description: Description) -> Description:
    """No attributes beyond those of the schema."""
    return {}


def same(request: ResourceRequest, parameters: Description) -> Description:
    """The parameters as they are."""
    return parameters


def look(request: ResourceRequest, kind: Kind, id: str) -> Description | None:
    """The thing as its service describes it; None when it is not there."""
    try:
        return kind.describe(request.client(kind.service), id)
    except ClientError as error:
        if absent(error):
            return None
        raise


def make(request: ResourceRequest, kind: Kind, parameters: Description) -> str:
    """The physical id of the new, tagged thing."""
    naming = kind.key
    if kind.property:
        stated = next((p for p in parameters if p.lower() == kind.property.lower()), None)
        naming = stated or kind.key
        if stated is None:
            parameters = {**parameters, naming: name(request, maximum=kind.maximum, lower=kind.lower)}
    client, wanted = request.client(kind.service), tag_list(tags(request))
    if kind.tagged and wanted and takes_tags(client, kind.create):
        parameters = {**parameters, "Tags": wanted}
    answer: Any = call(client, kind.create, parameters)
    if not kind.answer:
        return str(parameters[naming])
    for part in kind.answer.split("."):
        answer = answer[int(part) if part.isdigit() else part]
    return str(answer)


def takes_tags(client: Any, operation: str) -> bool:
    """Whether the operation tags what it makes, however its parameter is spelled."""
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    return "tags" in {name.lower() for name in model.input_shape.members}


def resource(
    type: str,
    kind: Kind,
    given: str,
    updated: str = "",
    *,
    set_later: str = "",
    settle: Callable[[ResourceRequest, str], None] = nothing,
    clear: Callable[[ResourceRequest, str], None] = nothing,
    creation: Callable[[ResourceRequest], str] | None = None,
    shape: Callable[[ResourceRequest, Description], Description] = same,
    stable: Callable[[ResourceRequest, str], None] = nothing,
    more: Callable[[ResourceRequest, Description], Description] = no_more,
    ignored: Mapping[str, str] | None = None,
    snapshot: Callable[[ResourceRequest], str | None] | None = None,
    tag_name: Callable[[ResourceRequest, str], str] = lambda request, id: id,
) -> Provider:
    """The provider of a type that is created with the `given` properties and updated with the `updated`.

    `creation` names another create operation where the properties ask for one. `shape` alters the
    parameters of both operations. `settle` sets the properties of `set_later` at creation and update,
    where they change. `stable` waits. `clear` takes away what hinders deletion. `more` adds attributes.
    `tag_name` is what the tag operations call the thing.
    """

    def state(request: ResourceRequest, id: str) -> ResourceState:
        found = kind.describe(request.client(kind.service), id) or {}
        return ResourceState(id, attributes(type, found, **more(request, found)))

    def create_it(request: ResourceRequest) -> ResourceState:
        chosen = replace(kind, create=creation(request)) if creation else kind
        id = make(request, chosen, shape(request, pick(request.properties, given)))
        with undone(request, id, delete_it):
            stable(request, id)
            settle(request, id)
            if chosen.create != kind.create:  # which may know no tags
                tag_it(request, id)
            return state(request, id)

    def tag_it(request: ResourceRequest, id: str) -> None:
        if kind.tagged:
            found = kind.describe(request.client(kind.service), id) or {}
            retag(request, kind.service, str(found[kind.arn]) if kind.arn else tag_name(request, id))

    def update_it(request: ResourceRequest) -> ResourceState:
        id = request.id
        if kind.update and request.changed(*property_names(updated)):
            parameters = shape(request, pick(request.properties, updated))
            call(request.client(kind.service), kind.update, {**parameters, kind.key: id})
            stable(request, id)
        settle(request, id)
        tag_it(request, id)
        return state(request, id)

    def delete_it(request: ResourceRequest) -> None:
        if look(request, kind, request.id) is None:
            return
        with gone_is_done():
            clear(request, request.id)
            call(request.client(kind.service), kind.delete, {kind.key: request.id, **kind.deletion})

    def describe_it(request: ResourceRequest) -> Description | None:
        found = look(request, kind, request.id)
        if found is None or not kind.tagged or "Tags" not in request.properties:
            return found
        where = str(found[kind.arn]) if kind.arn else tag_name(request, request.id)
        return {**found, "Tags": present_tags(request, kind.service, where)}

    applied = property_names(f"{given} {updated} {set_later}" + (" Tags" if kind.tagged else ""))
    made = Provider(type, applied, create_it, delete_it, update_it, ignored or {}, describe=describe_it)
    return made if snapshot is None else replace(made, snapshot=snapshot)
