"""Operations on one stack, nested stacks included: create, update, roll back, clean up, delete.

    create   CREATE_IN_PROGRESS -> CREATE_COMPLETE | CREATE_FAILED | ROLLBACK_* | DELETE_*
    forward  UPDATE_IN_PROGRESS -> UPDATE_COMPLETE_CLEANUP_IN_PROGRESS
                                 | UPDATE_ROLLBACK_IN_PROGRESS | UPDATE_FAILED
    cleanup  -> UPDATE_COMPLETE          rollback -> UPDATE_ROLLBACK_COMPLETE | UPDATE_ROLLBACK_FAILED
    delete   DELETE_IN_PROGRESS -> DELETE_COMPLETE | DELETE_FAILED

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
    policies,
    resources,
    validation,
    waits,
)
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.live import overlaid
from aws_vpc.local.cloudformation.model import (
    STACK,
    Leaving,
    Output,
    Prepared,
    Resource,
    Run,
    Snapshot,
    Stack,
    now,
)
from aws_vpc.local.cloudformation.reasons import failed, reason_of
from aws_vpc.local.cloudformation.resources import Work
from aws_vpc.local.cloudformation.scopes import standing
from aws_vpc.local.cloudformation.walk import Walk
from aws_vpc.template import Bound
from aws_vpc.template_functions import evaluate, text


def create(engine: Engine, stack: Stack, run: Run, bound: Bound) -> None:
    """Nothing; the stack is complete, failed, rolled back or deleted."""
    try:
        initiated = None if stack.parent_id else "User Initiated"
        engine.set_status(stack, "CREATE_IN_PROGRESS", initiated)
        work = Work(engine, stack, run, bound, set())
        problem = existence.missing(engine, stack.region, stack.definition.parameters)
        problem = problem or validation.refuse(work)
        problem = problem or _walk(work, lambda logical: resources.create(work, logical), "create")
        problem = problem or _finish_outputs(work)
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


def _finish_outputs(work: Work) -> str | None:
    """None once the outputs are the stack's, or the reason why they cannot be."""
    engine, stack = work.engine, work.stack
    try:
        found = tuple(outputs(work))
        with engine.changed:
            refuse_exports(engine, stack, found)
            stack.outputs, stack.imports = found, frozenset(work.imports)
    except Exception as error:
        return reason_of(error, stack.name)
    return None


def outputs(work: Work) -> list[Output]:
    """The stack's outputs as its resources stand."""
    scope = standing(work.engine, work.stack, work.bound.scope, work.stack.resources, work.imports)
    found = []
    for key, output in work.bound.outputs.items():
        value = evaluate(output["Value"], scope)
        if isinstance(value, (list, dict)):
            raise TemplateError(
                f"Template format error: Output {key} is malformed. The Value field of every Outputs "
                "member must evaluate to a String."
            )
        export = evaluate(output["Export"]["Name"], scope) if "Export" in output else None
        found.append(Output(key, text(value), output.get("Description"), export))
    return found


def refuse_exports(engine: Engine, stack: Stack, found: tuple[Output, ...]) -> None:
    """Nothing; TemplateError when an export is another's, or one in use would change or go."""
    standing_exports = engine.exports(stack.region)
    mine = {output.export: output.value for output in found if output.export}
    for name in mine:
        owner = standing_exports.get(name, (stack, ""))[0]
        if owner is not stack:
            raise TemplateError(f"Export with name {name} is already exported by stack {owner.name}.")
    for output in stack.outputs:
        if output.export and mine.get(output.export) != output.value:
            users = engine.importers(stack.region, output.export)
            verb = "updated" if output.export in mine else "deleted"
            if users:
                raise TemplateError(
                    f"Export {output.export} cannot be {verb} as it is in use by {' and '.join(users)}."
                )


def update(engine: Engine, stack: Stack, run: Run, prepared: Prepared) -> None:
    """Nothing; the stack is updated and cleaned up, or back where it was."""
    try:
        engine.set_status(stack, "UPDATE_IN_PROGRESS", "User Initiated")
        if forward(engine, stack, run, prepared):
            cleanup(engine, stack, run)
        elif stack.status == "UPDATE_ROLLBACK_IN_PROGRESS":
            rollback(engine, stack, run)
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
    problem = problem or validation.refuse(work)
    problem = problem or _walk(work, lambda logical: change(work, logical), "update")
    problem = problem or _refuse_removals(work) or _finish_outputs(work)
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
        engine.put(stack, replace(old, status="UPDATE_FAILED", reason=reason_of(error, logical)))
        return False
    if not resources.changed(old, wanted) and not (
        child
        and target
        and (nested.differs(engine, child, target) or nested.drifted(engine, child, work.run.live))
    ):
        return _untouched(work, old, wanted)
    paths = resources.difference(old.properties, wanted.properties)
    if paths and old.type in waits.WAITS:
        reason = f"Update to resource type {old.type} is not supported."
        engine.put(stack, replace(old, status="UPDATE_FAILED", reason=reason))
        return False
    anew = resources.replaces(old.type, paths)
    try:
        action = "Replace" if anew else "Modify"
        policies.refuse(work.run.policy or stack.policy, action, logical, old.type)
    except TemplateError as error:
        engine.put(stack, replace(old, status="UPDATE_FAILED", reason=str(error)))
        return False
    stack.applied.add(logical)
    if (
        drift is not None and stack.before is not None
    ):  # a rollback goes back to what stood, not to the template
        stack.before.resources[logical] = old
    if child and target:
        return nested.update(work, wanted, child, target)
    if anew:
        return alterations.replacement(work, old, wanted)
    return alterations.in_place(work, old, wanted, paths)


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


def rollback(engine: Engine, stack: Stack, run: Run) -> bool:
    """Whether the stack is back where it was before the update."""
    before = stack.before
    if before is None:
        return True
    with engine.changed:
        stack.definition = before.definition
    bound = deletion.graph_of(before.resources.values())
    walk = Walk(
        bound, lambda logical: restore(engine, stack, run, logical), keep_going=True, width=engine.width
    )
    if not walk.run():
        engine.set_status(stack, "UPDATE_ROLLBACK_FAILED", failed([("update", walk.failed)]))
        return False
    with engine.changed:
        for logical in [name for name in stack.resources if name not in before.resources]:
            made = stack.resources[logical]
            stack.leaving.append(Leaving(made, made.deletion_policy, created=True))
        stack.leaving = [one for one in stack.leaving if one.created]
        stack.outputs, stack.imports = before.outputs, before.imports
        engine.set_status(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    deletion.remove_left(engine, stack, run)
    with engine.changed:
        stack.before, stack.applied, stack.leaving = None, set(), []
        engine.set_status(stack, "UPDATE_ROLLBACK_COMPLETE")
    return True


def restore(engine: Engine, stack: Stack, run: Run, logical: str) -> bool:
    """Whether a resource is again what it was before the update."""
    before = stack.before
    if before is None or logical not in stack.applied:
        if before is not None:
            with engine.changed:
                stack.resources[logical] = before.resources[logical]
        return True
    if stack.skips(run, logical):
        stack.skipped.add(logical)
        engine.put(stack, replace(stack.resources[logical], status="UPDATE_COMPLETE", reason=None))
        return True
    return alterations.restore(engine, stack, run, before.resources[logical])
