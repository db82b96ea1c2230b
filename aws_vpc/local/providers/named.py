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


@dataclass(frozen=True)
class Particular:
    """What is particular to a type, beyond the operations of its kind.

    `creation` names another create operation where the properties ask for one. `shape` alters the
    parameters of both operations. `settle` sets the properties that are set later, at creation and update,
    where they change. `stable` waits. `clear` takes away what hinders deletion. `more` adds attributes.
    `tag_name` is what the tag operations call the thing.
    """

    settle: Callable[[ResourceRequest, str], None] = nothing
    clear: Callable[[ResourceRequest, str], None] = nothing
    creation: Callable[[ResourceRequest], str] | None = None
    shape: Callable[[ResourceRequest, Description], Description] = same
    stable: Callable[[ResourceRequest, str], None] = nothing
    more: Callable[[ResourceRequest, Description], Description] = no_more
    tag_name: Callable[[ResourceRequest, str], str] = lambda request, id: id


@dataclass(frozen=True)
class Named:
    """The verbs of one type: its kind, the properties of its operations, and what is particular."""

    type: str
    kind: Kind
    given: str
    updated: str
    own: Particular

    def state(self, request: ResourceRequest, id: str) -> ResourceState:
        """The thing as it is now."""
        found = self.kind.describe(request.client(self.kind.service), id) or {}
        return ResourceState(id, attributes(self.type, found, **self.own.more(request, found)))

    def create(self, request: ResourceRequest) -> ResourceState:
        """The new thing; nothing of it is left when that fails."""
        own = self.own
        chosen = replace(self.kind, create=own.creation(request)) if own.creation else self.kind
        id = make(request, chosen, own.shape(request, pick(request.properties, self.given)))
        with undone(request, id, self.delete):
            own.stable(request, id)
            own.settle(request, id)
            if chosen.create != self.kind.create:  # which may know no tags
                self.tag(request, id)
            return self.state(request, id)

    def tag(self, request: ResourceRequest, id: str) -> None:
        """Give the thing the tags that it is to have."""
        if self.kind.tagged:
            found = self.kind.describe(request.client(self.kind.service), id) or {}
            retag(request, self.kind.service, self._tagged_as(request, id, found))

    def _tagged_as(self, request: ResourceRequest, id: str, found: Description) -> str:
        return str(found[self.kind.arn]) if self.kind.arn else self.own.tag_name(request, id)

    def update(self, request: ResourceRequest) -> ResourceState:
        """The thing with its new properties."""
        id, kind = request.id, self.kind
        if kind.update and request.changed(*property_names(self.updated)):
            parameters = self.own.shape(request, pick(request.properties, self.updated))
            call(request.client(kind.service), kind.update, {**parameters, kind.key: id})
            self.own.stable(request, id)
        self.own.settle(request, id)
        self.tag(request, id)
        return self.state(request, id)

    def delete(self, request: ResourceRequest) -> None:
        """The thing is gone."""
        kind = self.kind
        if look(request, kind, request.id) is None:
            return
        with gone_is_done():
            self.own.clear(request, request.id)
            call(request.client(kind.service), kind.delete, {kind.key: request.id, **kind.deletion})

    def describe(self, request: ResourceRequest) -> Description | None:
        """The thing as its service describes it, with its tags where the template has some."""
        found = look(request, self.kind, request.id)
        if found is None or not self.kind.tagged or "Tags" not in request.properties:
            return found
        where = self._tagged_as(request, request.id, found)
        return {**found, "Tags": present_tags(request, self.kind.service, where)}


def resource(
    type: str,
    kind: Kind,
    given: str,
    updated: str = "",
    *,
    set_later: str = "",
    ignored: Mapping[str, str] | None = None,
    snapshot: Callable[[ResourceRequest], str | None] | None = None,
    **particular: Any,
) -> Provider:
    """The provider of a type that is created with the `given` properties and updated with the `updated`.

    `set_later` are the properties that `settle` sets; `particular` is what a Particular says of the type.
    """
    verbs = Named(type, kind, given, updated, Particular(**particular))
    applied = property_names(f"{given} {updated} {set_later}" + (" Tags" if kind.tagged else ""))
    made = Provider(
        type, applied, verbs.create, verbs.delete, verbs.update, ignored or {}, describe=verbs.describe
    )
    return made if snapshot is None else replace(made, snapshot=snapshot)
