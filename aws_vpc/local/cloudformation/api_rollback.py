"""Going back: cancel an update, continue or begin a rollback."""

from __future__ import annotations

from typing import Any

from aws_vpc.local.cloudformation import api_write, deletion, nested, rollback
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Run, Stack

Params = dict[str, Any]


def cancel_update_stack(engine: Engine, region: str, params: Params) -> Params:
    """Nothing; the update stops and rolls back."""
    stack = engine.standing(params["StackName"], region)
    if stack.status != "UPDATE_IN_PROGRESS" or stack.run is None:
        raise api_write.refuse(
            f"CancelUpdateStack cannot be called from current stack status: {stack.status}"
        )
    api_write.background(lambda run=stack.run: run.cancel("User Initiated"), f"cancel-{stack.name}")  # type: ignore[misc]
    return {}


def continue_update_rollback(engine: Engine, region: str, params: Params) -> Params:
    """Nothing; the rollback of an update is taken up again, without the resources to skip."""
    stack = engine.standing(params["StackName"], region)
    if stack.parent_id is not None:
        raise api_write.refuse(
            f"ContinueUpdateRollback cannot be called on nested stack [{stack.id}]: call it on its root stack"
        )
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise api_write.refuse(
            f"Stack:{stack.id} is in {stack.status} state and can not continue update rollback."
        )
    if params.get("ForceRollback") and params.get("ResourcesToSkip"):
        raise api_write.refuse("ForceRollback and ResourcesToSkip are mutually exclusive.")
    failed = failed_to_roll_back(engine, stack)
    skip = failed if params.get("ForceRollback") else frozenset(params.get("ResourcesToSkip") or ())
    if wrong := sorted(skip - failed):
        raise api_write.refuse(f"Resources to skip [{', '.join(wrong)}] are not in UPDATE_FAILED state")
    resume(engine, stack, Run("CONTINUE_ROLLBACK", params.get("ClientRequestToken"), skip=skip))
    return {}


def failed_to_roll_back(engine: Engine, stack: Stack) -> frozenset[str]:
    """What may be skipped: LogicalId, and StackName.LogicalId, of the resources that failed, nested too."""
    found: set[str] = set()
    for one in list(stack.resources.values()):
        child = nested.child_of(engine, one)
        if child is not None and child.status == "UPDATE_ROLLBACK_FAILED":
            found |= {name for name in failed_to_roll_back(engine, child) if "." in name}
        elif one.status == "UPDATE_FAILED":
            found |= {f"{stack.name}.{one.logical_id}"}
            found |= {one.logical_id} if stack.parent_id is None else set()
    return frozenset(found)


def resume(engine: Engine, stack: Stack, run: Run) -> None:
    """Nothing; the stack's rollback goes on in the background."""
    engine.begin(stack, run)
    engine.set_status(stack, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")

    def work() -> None:
        try:
            rollback.rollback(engine, stack, run)
        finally:
            engine.finish(stack, run)

    api_write.background(work, f"rollback-{stack.name}")


def rollback_stack(engine: Engine, region: str, params: Params) -> Params:
    """The stack's id; a stack that failed without rollback goes back now."""
    stack = engine.standing(params["StackName"], region)
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
