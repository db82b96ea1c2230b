"""Acts on one resource: evaluate its properties, call its provider, keep record and events.

Each act answers True when it succeeded; what went wrong is the record's reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aws_vpc.local.cloudformation import durations, nested, waits
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import STACK, Resource, Run, Stack
from aws_vpc.local.cloudformation.reasons import reason_of
from aws_vpc.local.cloudformation.scopes import dynamic, masked, standing
from aws_vpc.local.cloudformation.waits import CANCELLED
from aws_vpc.local.providers import (
    PROVIDERS,
    Provider,
    ResourceFailed,
    ResourceRequest,
    ResourceState,
    create_only,
    provider,
)
from aws_vpc.template import Bound, Template
from aws_vpc.template_functions import Scope, evaluate


@dataclass(frozen=True)
class Work:
    """One operation on one stack: what its acts share."""

    engine: Engine
    stack: Stack
    run: Run
    bound: Bound
    imports: set[str]


def record(work: Work, logical: str, status: str) -> Resource:
    """A new record of a resource, before anything is known of what it becomes."""
    source = work.bound.resources[logical]
    return Resource(
        logical, source["Type"], status, source=source,
        deletion_policy=source.get("DeletionPolicy", nested.default_policy(source)),
        replace_policy=source.get("UpdateReplacePolicy", "Delete"),
        depends=frozenset(work.bound.graph[logical]),
        tags=work.stack.definition.tags,
    )  # fmt: skip


def evaluated(work: Work, resource: Resource) -> Resource:
    """The record with properties and metadata evaluated as things stand."""
    scope = standing(work.engine, work.stack, work.bound.scope, work.stack.resources, work.imports)
    properties = evaluate(resource.source.get("Properties", {}), scope)
    hidden = masked(scope, work.stack.definition.parameters)
    shown = properties if hidden is scope else evaluate(resource.source.get("Properties", {}), hidden)
    metadata = evaluate(resource.source.get("Metadata", {}), hidden)
    return replace(resource, properties=properties, shown=shown, metadata=metadata)


def request(work: Work, resource: Resource, previous: Resource | None = None) -> ResourceRequest:
    """What its provider is asked to do, with dynamic references resolved."""
    stack, engine = work.stack, work.engine
    return ResourceRequest(
        type=resource.type, logical_id=resource.logical_id, stack_name=stack.name, stack_id=stack.id,
        region=stack.region, account=stack.account,
        properties=dynamic(engine, stack.region, resource.properties),
        previous=dynamic(engine, stack.region, previous.properties) if previous else None,
        physical_id=resource.physical_id, tags=tags(stack, resource),
        client=lambda service: engine.client(service, stack.region), attributes=resource.attributes,
    )  # fmt: skip


def tags(stack: Stack, resource: Resource) -> dict[str, str]:
    """The stack's tags and AWS's own three."""
    return {
        **resource.tags,
        "aws:cloudformation:stack-name": stack.name,
        "aws:cloudformation:stack-id": stack.id,
        "aws:cloudformation:logical-id": resource.logical_id,
    }


def attempt(work: Work, resource: Resource, act: Callable[[], Resource], failed: str) -> bool:
    """Whether the act succeeded; its record is put, or the resource's with the reason of its failure."""
    logical = resource.logical_id
    try:
        result = act()
    except Exception as error:  # a provider's bug fails its resource, not the engine
        with work.engine.changed:
            present = work.stack.resources[logical]
            if not cancelled(present):
                work.engine.put(
                    work.stack,
                    replace(
                        present, status=failed, detailed=None, reason=reason_of(error, logical, resource.type)
                    ),
                )
        return False
    with work.engine.changed:
        present = work.stack.resources[logical]
        if cancelled(present):  # it stands all the same, and goes with the rollback
            result = replace(result, status=present.status, reason=present.reason)
        work.engine.put(work.stack, result, quiet=cancelled(present))
    return not cancelled(result)


def cancelled(resource: Resource) -> bool:
    """Whether the resource was given up while its act went on."""
    return resource.reason in (CANCELLED["CREATE"], CANCELLED["UPDATE"])


def cancel(work: Work, active: list[str]) -> None:
    """Give up what is in progress, nested stacks with all they do."""
    for logical in active:
        with work.engine.changed:
            present = work.stack.resources.get(logical)
            if present is None or not present.status.endswith("_IN_PROGRESS"):
                continue
            verb = present.status.split("_")[0]
            if verb in CANCELLED:
                given_up = replace(present, status=f"{verb}_FAILED", reason=CANCELLED[verb], detailed=None)
                work.engine.put(work.stack, given_up)
        if present.type == STACK and present.physical_id:
            nested.cancel(work.engine, present.physical_id)


def create(work: Work, logical: str) -> bool:
    """Whether the resource now stands."""
    engine, stack = work.engine, work.stack
    resource = engine.put(stack, record(work, logical, "CREATE_IN_PROGRESS"))

    def act() -> Resource:
        wanted = evaluated(work, resource)
        state = make(work, wanted)
        made = replace(wanted, physical_id=state.physical_id, attributes=dict(state.attributes))
        if wanted.type != STACK:
            initiated(work, made)
            stabilised(work, made)
        waits.creation_policy(engine, stack, work.run, logical, wanted.source.get("CreationPolicy", {}))
        return replace(made, status="CREATE_COMPLETE")

    return attempt(work, resource, act, "CREATE_FAILED")


def stabilised(work: Work, made: Resource) -> None:
    """Nothing, when the service has taken its time; meanwhile those that depend on it may begin.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-resource-configuration-complete.html
    """
    engine, stack, run = work.engine, work.stack, work.run
    needed = durations.seconds(made.type).create
    if not needed * engine.delay:
        return
    waits.pause(engine, stack, run, made.logical_id, needed / 3)
    if optimistic(work, made) and run.walk is not None:
        run.walk.early(made.logical_id)
    if not run.express:
        waits.pause(engine, stack, run, made.logical_id, needed * 2 / 3)


def optimistic(work: Work, made: Resource) -> bool:
    """Whether the resource is configured as far as its dependants need, which its event now says."""
    engine, stack = work.engine, work.stack
    if made.type not in PROVIDERS or not PROVIDERS[made.type].readable or "CreationPolicy" in made.source:
        return False
    with engine.changed:
        present = stack.resources[made.logical_id]
        if cancelled(present):
            return False
        engine.put(stack, replace(present, reason=CHECKING, detailed="CONFIGURATION_COMPLETE"))
        return True


CHECKING = "Eventual consistency check initiated"


def make(work: Work, wanted: Resource) -> ResourceState:
    """The state of what its provider, or the engine itself, created."""
    if wanted.type == STACK:
        return nested.create(work, wanted)
    if wanted.type == waits.HANDLE:
        return ResourceState(waits.handle(work.engine, work.stack, wanted.logical_id))
    if wanted.type == waits.CONDITION:
        policy = wanted.source.get("CreationPolicy", {})
        got = waits.wait_condition(
            work.engine, work.stack, work.run, wanted.logical_id, wanted.properties, policy
        )
        return ResourceState(f"{work.stack.id}/{wanted.logical_id}", got)
    return provider_of(wanted).create(request(work, wanted))


def provider_of(resource: Resource) -> Provider:
    """The provider of the resource's type."""
    try:
        return provider(resource.type)
    except KeyError:
        message = f"Template format error: Unrecognized resource types: [{resource.type}]"
        raise ResourceFailed(message) from None


def initiated(work: Work, made: Resource) -> None:
    """The record with its physical id, told as AWS tells it when the service has answered."""
    with work.engine.changed:
        quiet = cancelled(work.stack.resources[made.logical_id])
        if quiet:
            present = work.stack.resources[made.logical_id]
            made = replace(made, status=present.status, reason=present.reason)
        else:
            made = replace(made, reason="Resource creation Initiated")
        work.engine.put(work.stack, made, quiet=quiet)


def difference(old: Mapping[str, Any], new: Mapping[str, Any], path: str = "") -> set[str]:
    """The paths at which two property values differ, `A/B/*/C`."""
    found: set[str] = set()
    for key in old.keys() | new.keys():
        left, right = old.get(key), new.get(key)
        if left == right:
            continue
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            found |= difference(left, right, f"{path}{key}/")
        else:
            found.add(f"{path}{key}")
    return found


def replaces(type: str, paths: set[str]) -> bool:
    """Whether a change at these paths needs a new physical resource."""
    if type == STACK:
        return False
    if type in waits.WAITS:
        return True
    fixed = stems(create_only, type)
    return any(
        path == one or path.startswith(f"{one}/") or one.startswith(f"{path}/")
        for path in paths
        for one in fixed
    )


def stems(listed: Callable[[str], frozenset[str]], type: str) -> set[str]:
    """The property paths a schema lists for the type, without what follows a list's star."""
    try:
        return {path.split("/*")[0] for path in listed(type)}
    except KeyError:  # no public schema: its provider says what it cannot change
        return set()


def changed(old: Resource, new: Resource) -> bool:
    """Whether an update touches the resource at all."""
    return (
        old.properties != new.properties
        or dict(old.tags) != dict(new.tags)
        or old.metadata != new.metadata
        or old.deletion_policy != new.deletion_policy
        or old.replace_policy != new.replace_policy
    )


NOTHING = Bound(Template("", {}), Scope(), {}, {}, {})
