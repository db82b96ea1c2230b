"""Going back: cancel an update, continue or begin a rollback."""

from __future__ import annotations

from typing import Any

from aws_vpc.local.cloudformation import api_write, deletion, operations
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Run, Stack

Params = dict[str, Any]


def cancel_update_stack(engine: Engine, region: str, params: Params) -> Params:
    """Nothing; the update stops and rolls back."""
    stack = engine.find(params["StackName"], region)
    if stack.status != "UPDATE_IN_PROGRESS" or stack.run is None:
        raise api_write.refuse(
            f"CancelUpdateStack cannot be called from current stack status: {stack.status}"
        )
    api_write.background(lambda run=stack.run: run.cancel("User Initiated"), f"cancel-{stack.name}")  # type: ignore[misc]
    return {}


def continue_update_rollback(engine: Engine, region: str, params: Params) -> Params:
    """Nothing; the rollback of an update is taken up again, without the resources to skip."""
    stack = engine.find(params["StackName"], region)
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise api_write.refuse(
            f"Stack:{stack.id} is in {stack.status} state and can not continue update rollback."
        )
    skip = frozenset(params.get("ResourcesToSkip") or ())
    failed = {one.logical_id for one in stack.resources.values() if one.status == "UPDATE_FAILED"}
    if wrong := sorted(name for name in skip if "." not in name and name not in failed):
        raise api_write.refuse(f"Resources to skip [{', '.join(wrong)}] are not in UPDATE_FAILED state")
    resume(engine, stack, Run("CONTINUE_ROLLBACK", params.get("ClientRequestToken")), skip)
    return {}


def resume(engine: Engine, stack: Stack, run: Run, skip: frozenset[str] = frozenset()) -> None:
    """Nothing; the stack's rollback goes on in the background."""
    engine.begin(stack, run)
    engine.set_status(stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")

    def work() -> None:
        try:
            operations.rollback(engine, stack, run, skip)
        finally:
            engine.finish(stack, run)

    api_write.background(work, f"rollback-{stack.name}")


def rollback_stack(engine: Engine, region: str, params: Params) -> Params:
    """The stack's id; a stack that failed without rollback goes back now."""
    stack = engine.find(params["StackName"], region)
    run = Run(
        "ROLLBACK", params.get("ClientRequestToken"),
        retain_except_on_create=bool(params.get("RetainExceptOnCreate")),
    )  # fmt: skip
    if stack.status == "UPDATE_FAILED":
        resume(engine, stack, run)
        return {"StackId": stack.id, "OperationId": run.id}
    if stack.status != "CREATE_FAILED":
        raise api_write.refuse(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
    engine.begin(stack, run)
    engine.set_status(stack, "ROLLBACK_IN_PROGRESS", "User Initiated")

    def work() -> None:
        try:
            deletion.remove_all(engine, stack, run, created=True)
            deletion.conclude(engine, stack, "ROLLBACK")
        finally:
            engine.finish(stack, run)

    api_write.background(work, f"rollback-{stack.name}")
    return {"StackId": stack.id, "OperationId": run.id}
