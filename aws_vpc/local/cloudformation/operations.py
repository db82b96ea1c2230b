"""Operations on one stack, nested stacks included: create, update, clean up.

    create   CREATE_IN_PROGRESS -> CREATE_COMPLETE | CREATE_FAILED | ROLLBACK_* | DELETE_*
    forward  UPDATE_IN_PROGRESS -> UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
                                 | UPDATE_ROLLBACK_IN_PROGRESS | UPDATE_FAILED
    cleanup  -> UPDATE_COMPLETE

Each blocks until its stack is there; the API runs them in threads of their own.
"""

from __future__ import annotations

from dataclasses import replace

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation import (
    alterations,
    deletion,
    existence,
    nested,
    outputs,
    policies,
    resources,
    rollback,
    triggers,
    validation,
    waits,
)
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.live import overlaid
from aws_vpc.local.cloudformation.model import (
    STACK,
    Leaving,
    Prepared,
    Resource,
    Run,
    Snapshot,
    Stack,
    now,
)
from aws_vpc.local.cloudformation.reasons import failed, reason_of
from aws_vpc.local.cloudformation.resources import Work
from aws_vpc.local.cloudformation.walk import Walk
from aws_vpc.template import Bound


def create(engine: Engine, stack: Stack, run: Run, bound: Bound) -> None:
    """Nothing; the stack is complete, failed, rolled back or deleted."""
    try:
        initiated = None if stack.parent_id else "User Initiated"
        engine.set_status(stack, "CREATE_IN_PROGRESS", initiated)
        work = Work(engine, stack, run, bound, set())
        problem = existence.missing(engine, stack.region, stack.definition.parameters)
        problem = problem or validation.refuse(work) or triggers.alarm(engine, stack)
        with triggers.watched(engine, stack, run):
            problem = problem or _walk(work, lambda logical: resources.create(work, logical), "create")
        problem = problem or outputs.finish(work) or triggers.monitor(engine, stack, run)
        if problem is None:
            engine.set_status(stack, "CREATE_COMPLETE")
        elif not run.superseded:
            _create_failed(engine, stack, run, problem)
    finally:
        engine.finish(stack, run)


def _create_failed(engine: Engine, stack: Stack, run: Run, problem: str) -> None:
    action = run.on_failure if not run.disable_rollback else "DO_NOTHING"
    if stack.parent_id or action == "DO_NOTHING":
        engine.set_status(stack, "CREATE_FAILED", problem)
    elif action == "DELETE":
        engine.turn_back(stack, run)
        engine.set_status(stack, "DELETE_IN_PROGRESS", f"{problem} Delete requested by user.")
        deletion.remove_all(engine, stack, run, created=True)
        deletion.conclude(engine, stack, "DELETE")
    else:
        engine.turn_back(stack, run)
        engine.set_status(stack, "ROLLBACK_IN_PROGRESS", f"{problem} Rollback requested by user.")
        deletion.remove_all(engine, stack, run, created=True)
        deletion.conclude(engine, stack, "ROLLBACK")


def _walk(work: Work, act: object, verb: str) -> str | None:
    """None when every resource is done, or the sentence about those that are not."""
    run, stack = work.run, work.stack
    walk = Walk(
        work.bound.graph, act, on_stop=lambda active: resources.cancel(work, active),  # type: ignore[arg-type]
        width=work.engine.width,
    )  # fmt: skip
    run.walk = walk
    if run.cancelled.is_set():
        walk.stopped = True
    timeout = stack.timeout * 60.0 if stack.timeout and verb == "create" else None
    if walk.run(timeout):
        return None
    if walk.timed_out:
        return "Stack creation time exceeded the specified timeout."
    if run.cancel_reason:
        return run.cancel_reason
    found = [stack.resources[name] for name in walk.failed if name in stack.resources]
    pairs = [
        (word, [one.logical_id for one in found if one.status.startswith(word.upper())]) for word in VERBS
    ]
    return failed(pairs) or waits.CANCELLED[verb.upper()]


VERBS = ("create", "update", "delete")


def update(engine: Engine, stack: Stack, run: Run, prepared: Prepared) -> None:
    """Nothing; the stack is updated and cleaned up, or back where it was."""
    try:
        engine.set_status(stack, "UPDATE_IN_PROGRESS", "User Initiated")
        if forward(engine, stack, run, prepared):
            cleanup(engine, stack, run)
        elif stack.status == "UPDATE_ROLLBACK_IN_PROGRESS":
            rollback.rollback(engine, stack, run)
    finally:
        engine.finish(stack, run)


def forward(engine: Engine, stack: Stack, run: Run, prepared: Prepared) -> bool:
    """Whether every resource is as the new definition says; what it replaced still stands."""
    with engine.changed:
        before = Snapshot(
            stack.definition, dict(stack.resources), stack.outputs, stack.imports, stack.protected
        )
        if stack.before is None:  # an update after UPDATE_FAILED goes back to where the first began
            stack.before, stack.applied, stack.leaving = before, set(), []
        stack.definition, stack.updated = prepared.definition, now()
    work = Work(engine, stack, run, prepared.bound, set())
    problem = existence.missing(engine, stack.region, stack.definition.parameters)
    problem = problem or validation.refuse(work) or triggers.alarm(engine, stack)
    with triggers.watched(engine, stack, run):
        problem = problem or _walk(work, lambda logical: change(work, logical), "update")
    problem = problem or _refuse_removals(work) or outputs.finish(work)
    problem = problem or triggers.monitor(engine, stack, run)
    if problem is None:
        with engine.changed:
            _drop_removed(work)
            engine.set_status(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        return True
    status = "UPDATE_FAILED" if run.disable_rollback else "UPDATE_ROLLBACK_IN_PROGRESS"
    if status == "UPDATE_ROLLBACK_IN_PROGRESS":
        engine.turn_back(stack, run)
    engine.set_status(stack, status, problem)
    return False


def change(work: Work, logical: str) -> bool:
    """Whether the resource is as the new definition says: made, replaced, changed in place or untouched."""
    engine, stack = work.engine, work.stack
    old, drift = stack.resources.get(logical), work.run.live.get((stack.id, logical))
    gone = drift is not None and drift.status == "DELETED"
    if old is None or old.physical_id is None or old.status == "CREATE_FAILED" or gone:
        stack.applied.add(logical)
        if old is not None and old.physical_id is not None and not gone:  # it never became ready
            stack.leaving.append(Leaving(old, "Delete"))
        return resources.create(work, logical)
    try:
        wanted = resources.evaluated(work, resources.record(work, logical, "UPDATE_IN_PROGRESS"))
        wanted = replace(wanted, physical_id=old.physical_id, attributes=old.attributes)
        old = overlaid(old, drift, wanted.properties)
        child = nested.child_of(engine, old)
        target = child and nested.child_prepared(
            engine, stack, stack.definition, wanted, child.name, child.id
        )
    except Exception as error:
        return _refused(work, old, reason_of(error, logical))
    if not resources.changed(old, wanted) and not (
        child
        and target
        and (nested.differs(engine, child, target) or nested.drifted(engine, child, work.run.live))
    ):
        return _untouched(work, old, wanted)
    if drift is not None and stack.before is not None:  # a rollback goes back to what stood
        stack.before.resources[logical] = old
    if child and target:
        return _permitted(work, old, anew=False) and nested.update(work, wanted, child, target)
    return _change(work, old, wanted)


def _change(work: Work, old: Resource, wanted: Resource) -> bool:
    """Whether the resource has changed, in place or by a replacement."""
    paths = resources.difference(old.properties, wanted.properties)
    if paths and old.type in waits.WAITS:
        return _refused(work, old, f"Update to resource type {old.type} is not supported.")
    anew = resources.replaces(old.type, paths)
    if not _permitted(work, old, anew=anew):
        return False
    if anew:
        return alterations.replacement(work, old, wanted)
    return alterations.in_place(work, old, wanted, paths)


def _permitted(work: Work, old: Resource, *, anew: bool) -> bool:
    """Whether the stack policy lets the resource change, which then counts as touched."""
    action = "Replace" if anew else "Modify"
    try:
        policies.refuse(work.run.policy or work.stack.policy, action, old.logical_id, old.type)
    except TemplateError as error:
        return _refused(work, old, str(error))
    work.stack.applied.add(old.logical_id)
    return True


def _refused(work: Work, old: Resource, reason: str) -> bool:
    """False; the resource stays as it is, UPDATE_FAILED for the reason."""
    work.engine.put(work.stack, replace(old, status="UPDATE_FAILED", reason=reason))
    return False


def _untouched(work: Work, old: Resource, wanted: Resource) -> bool:
    """True; the record takes on the template's new text, without an event."""
    same = replace(old, source=wanted.source, depends=wanted.depends, shown=wanted.shown)
    if old.status.endswith("_FAILED"):
        same = replace(same, status="UPDATE_COMPLETE", reason=None)
    with work.engine.changed:
        work.stack.resources[old.logical_id] = same
    return True


def _refuse_removals(work: Work) -> str | None:
    """The reason why a resource that left the template may not be deleted, None when all may."""
    for logical, gone in work.stack.resources.items():
        if logical not in work.bound.resources:
            try:
                policies.refuse(work.run.policy or work.stack.policy, "Delete", logical, gone.type)
            except TemplateError as error:
                return str(error)
    return None


def _drop_removed(work: Work) -> None:
    """Resources that the new template has no more leave the stack with the cleanup."""
    for logical in [name for name in work.stack.resources if name not in work.bound.resources]:
        gone = work.stack.resources[logical]
        work.stack.leaving.append(Leaving(gone, gone.deletion_policy))


def cleanup(engine: Engine, stack: Stack, run: Run) -> None:
    """Nothing; what the update left behind is deleted, in nested stacks too, and it is complete."""
    for child in touched_children(engine, stack):
        if child.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
            cleanup(engine, child, run)
            if child.run is not None:
                engine.finish(child, child.run)
    deletion.remove_left(engine, stack, run)
    with engine.changed:
        stack.before, stack.applied, stack.leaving = None, set(), []
        engine.set_status(stack, "UPDATE_COMPLETE")


def touched_children(engine: Engine, stack: Stack) -> list[Stack]:
    """The nested stacks that the present update has changed in place."""
    found = [
        nested.child_of(engine, resource)
        for logical, resource in stack.resources.items()
        if resource.type == STACK and logical in stack.applied
    ]
    return [child for child in found if child is not None]
