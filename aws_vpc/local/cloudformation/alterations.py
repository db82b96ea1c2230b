"""Changing one resource: in place, by a replacement, and back to what it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation import durations, nested, waits
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import STACK, Leaving, Resource, Run, Stack
from aws_vpc.local.cloudformation.reasons import reason_of
from aws_vpc.local.cloudformation.resources import (
    NOTHING,
    Work,
    attempt,
    difference,
    initiated,
    make,
    provider_of,
    replaces,
    request,
    stabilised,
)
from aws_vpc.local.providers import NotUpdatable, schema


def in_place(work: Work, old: Resource, wanted: Resource, paths: set[str]) -> bool:
    """Whether the resource took the change; one that cannot is replaced."""
    engine, stack = work.engine, work.stack
    if not paths and dict(old.tags) == dict(wanted.tags):  # metadata or a policy: nothing to tell the service
        engine.put(stack, wanted)
        engine.put(stack, replace(wanted, status="UPDATE_COMPLETE"))
        return True
    engine.put(stack, wanted)
    must_replace: list[str] = []

    def act() -> Resource:
        if wanted.type in waits.WAITS:
            return replace(wanted, status="UPDATE_COMPLETE")
        try:
            state = provider_of(wanted).update(request(work, wanted, old))
        except NotUpdatable:
            must_replace.append(wanted.logical_id)
            return wanted
        if state.physical_id != old.physical_id:  # a new revision: the old one leaves with the cleanup
            with engine.changed:
                stack.leaving.append(Leaving(old, old.replace_policy))
        attributes = {**old.attributes, **state.attributes}
        waits.pause(engine, stack, work.run, wanted.logical_id, durations.seconds(wanted.type).update)
        return replace(wanted, status="UPDATE_COMPLETE", physical_id=state.physical_id, attributes=attributes)

    if not must_replace_after(work, wanted, act, must_replace):
        return False
    return replacement(work, old, wanted) if must_replace else True


def must_replace_after(
    work: Work, wanted: Resource, act: Callable[[], Resource], must_replace: list[str]
) -> bool:
    """Whether the act ended well, also when it found that only a replacement will do."""
    try:
        result = act()
    except Exception as error:
        return attempt(work, wanted, _raising(error), "UPDATE_FAILED")
    return True if must_replace else attempt(work, wanted, lambda: result, "UPDATE_FAILED")


def _raising(error: Exception) -> Callable[[], Resource]:
    def act() -> Resource:
        raise error

    return act


REPLACEMENT = "Requested update requires the creation of a new physical resource; hence creating one."


def replacement(work: Work, old: Resource, wanted: Resource) -> bool:
    """Whether a new physical resource stands; the old one leaves with the cleanup."""
    engine, stack = work.engine, work.stack
    asked = engine.put(stack, replace(wanted, reason=REPLACEMENT))

    def act() -> Resource:
        refuse_same_name(old, wanted)
        fresh = replace(wanted, physical_id=None, attributes={})
        waits.forget(engine, stack, old.logical_id)
        state = make(work, fresh)
        made = replace(fresh, physical_id=state.physical_id, attributes=dict(state.attributes))
        initiated(work, made)
        stabilised(work, made)
        policy = wanted.source.get("CreationPolicy", {})
        waits.creation_policy(engine, stack, work.run, old.logical_id, policy)
        with engine.changed:
            stack.leaving.append(Leaving(old, old.replace_policy))
        return replace(made, status="UPDATE_COMPLETE", reason=None)

    return attempt(work, asked, act, "UPDATE_FAILED")


def refuse_same_name(old: Resource, wanted: Resource) -> None:
    """Nothing; TemplateError when both would bear the name that the template gives."""
    try:
        identifier = schema(wanted.type).get("primaryIdentifier", ())
    except KeyError:
        return
    names = [path.removeprefix("/properties/") for path in identifier]
    if names and all(
        name in wanted.properties and wanted.properties[name] == old.properties.get(name) for name in names
    ):
        raise TemplateError(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {wanted.properties[names[0]]} and update the stack again."
        )


def restore(engine: Engine, stack: Stack, run: Run, old: Resource) -> bool:
    """Whether the resource is again what the old record says."""
    present = stack.resources[old.logical_id]
    back = replace(old, status="UPDATE_IN_PROGRESS", reason=None)
    engine.put(stack, back)
    try:
        if old.type == STACK:
            back = nested.restore(engine, back, run)
        elif present.physical_id not in (None, old.physical_id):
            stack.leaving.append(Leaving(present, present.deletion_policy, created=True))
        elif present.physical_id is not None and old.type not in waits.WAITS:
            back = _undo(engine, stack, run, present, back)
    except Exception as error:
        reason = reason_of(error, old.logical_id, old.type)
        engine.put(stack, replace(present, status="UPDATE_FAILED", reason=reason))
        return False
    engine.put(stack, replace(back, status="UPDATE_COMPLETE"))
    return True


def _undo(engine: Engine, stack: Stack, run: Run, present: Resource, back: Resource) -> Resource:
    """The record after its provider changed the properties back."""
    if present.properties == back.properties and dict(present.tags) == dict(back.tags):
        return back
    if replaces(back.type, difference(present.properties, back.properties)):
        return back  # its replacement failed; the old one was never touched
    work = Work(engine, stack, run, NOTHING, set())
    try:
        state = provider_of(back).update(request(work, back, present))
    except NotUpdatable:
        return back
    return replace(back, physical_id=state.physical_id, attributes={**back.attributes, **state.attributes})
