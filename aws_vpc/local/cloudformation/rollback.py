"""Back to where a stack was before its update, nested stacks included; taken up again where it failed.

UPDATE_ROLLBACK_IN_PROGRESS -> UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS -> UPDATE_ROLLBACK_COMPLETE
                             | UPDATE_ROLLBACK_FAILED
"""

from __future__ import annotations

from dataclasses import replace

from aws_vpc.local.cloudformation import alterations, deletion
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Leaving, Run, Stack
from aws_vpc.local.cloudformation.reasons import failed
from aws_vpc.local.cloudformation.walk import Walk


def rollback(engine: Engine, stack: Stack, run: Run) -> bool:
    """Whether the stack is back where it was before the update."""
    before = stack.before
    if before is None:
        if stack.in_progress:  # cut short before the update had touched anything
            engine.set_status(stack, "UPDATE_ROLLBACK_COMPLETE")
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
