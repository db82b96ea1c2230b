"""What becomes of operations that the end of the embedded AWS cut short.

CREATE_IN_PROGRESS -> CREATE_FAILED, not rolled back: a database in it may have rows
UPDATE_IN_PROGRESS -> UPDATE_ROLLBACK_*          *_CLEANUP_IN_PROGRESS, *ROLLBACK_IN_PROGRESS,
                                                 DELETE_IN_PROGRESS -> go on to their end
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from aws_vpc.local.cloudformation import deletion, operations, rollback
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Resource, Run, Stack
from aws_vpc.local.kept import INTERRUPTED

log = logging.getLogger("aws_vpc.local")


def resume(engine: Engine) -> None:
    """Nothing; what was under way in each stack goes on in the background."""
    begun = [stack for stack in engine.stacks.values() if stack.run is not None or stack.in_progress]
    for stack in begun:
        with engine.changed:
            for resource in list(stack.resources.values()):
                stack.resources[resource.logical_id] = cut_short(resource)
    for stack in begun:
        run = stack.run or Run("CONTINUE")
        stack.run = None
        if stack.parent_id is None and stack.status in WAYS:
            engine.begin(stack, run)
            name = f"resume {stack.name}"
            threading.Thread(target=_go_on, args=(engine, stack, run), name=name, daemon=True).start()


def cut_short(resource: Resource) -> Resource:
    """The record of a resource with nothing under way."""
    verb, _, rest = resource.status.partition("_")
    if rest != "IN_PROGRESS" or verb not in ("CREATE", "UPDATE", "DELETE"):
        return resource
    return replace(resource, status=f"{verb}_FAILED", reason=INTERRUPTED)


def _go_on(engine: Engine, stack: Stack, run: Run) -> None:
    try:
        WAYS[stack.status](engine, stack, run)
    except Exception:
        log.exception("stack %s", stack.name)
    finally:
        engine.finish(stack, run)


def _create(engine: Engine, stack: Stack, run: Run) -> None:
    engine.set_status(stack, "CREATE_FAILED", INTERRUPTED)


def _remove(kind: str, engine: Engine, stack: Stack, run: Run) -> None:
    deletion.remove_all(engine, stack, run, created=kind == "ROLLBACK")
    deletion.conclude(engine, stack, kind)


def _update(engine: Engine, stack: Stack, run: Run) -> None:
    status = "UPDATE_FAILED" if run.disable_rollback else "UPDATE_ROLLBACK_IN_PROGRESS"
    engine.set_status(stack, status, INTERRUPTED)
    if not run.disable_rollback:
        rollback.rollback(engine, stack, run)


def _roll_back(engine: Engine, stack: Stack, run: Run) -> None:
    rollback.rollback(engine, stack, run)


def _rolled_back(engine: Engine, stack: Stack, run: Run) -> None:
    deletion.remove_left(engine, stack, run)
    with engine.changed:
        stack.before, stack.applied, stack.leaving = None, set(), []
        engine.set_status(stack, "UPDATE_ROLLBACK_COMPLETE")


WAYS: dict[str, Callable[[Engine, Stack, Run], None]] = {
    "CREATE_IN_PROGRESS": _create,
    "ROLLBACK_IN_PROGRESS": partial(_remove, "ROLLBACK"),
    "DELETE_IN_PROGRESS": partial(_remove, "DELETE"),
    "UPDATE_IN_PROGRESS": _update,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": operations.cleanup,
    "UPDATE_ROLLBACK_IN_PROGRESS": _roll_back,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": _rolled_back,
}
