"""Create, update, delete: each call checks, begins its work in a thread of its own, and answers at once."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

from aws_vpc.errors import Error
from aws_vpc.local.cloudformation import deletion, operations, plans, policies
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.live import Live
from aws_vpc.local.cloudformation.model import Definition, Prepared, Run, Stack
from aws_vpc.local.cloudformation.notifications import refuse_topics
from aws_vpc.local.cloudformation.prepare import (
    parameters_given,
    prepare,
    refuse_other_types,
    refuse_triggers,
    tags_given,
)
from aws_vpc.local.cloudformation.source import fetch, given
from aws_vpc.local.cloudformation.tokens import remember, repeated
from aws_vpc.local.wire import ServiceError
from aws_vpc.template import Bound, Template

Params = dict[str, Any]
NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
UPDATABLE = (
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED",
)  # fmt: skip


def refuse(message: str, code: str = "ValidationError") -> ServiceError:
    """The error that refuses a call."""
    return ServiceError(code, message)


def check_name(name: str) -> None:
    """Nothing; ValidationError when a stack may not be called so."""
    if len(name) > 128 or not NAME.fullmatch(name):
        rule = "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*"
        if len(name) > 128:
            rule = "have length less than or equal to 128"
        raise refuse(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
            f"Member must {rule}"
        )


def background(target: Callable[[], object], name: str) -> None:
    """Run the target in a daemon thread."""
    threading.Thread(target=target, name=name, daemon=True).start()


def create_stack(engine: Engine, region: str, params: Params) -> Params:
    """The new stack's id; its creation goes on."""
    if known := repeated(engine, "CreateStack", params):
        return known
    name = params["StackName"]
    check_name(name)
    if "OnFailure" in params and "DisableRollback" in params:
        raise refuse("Only one of DisableRollback or OnFailure may be specified, not both")
    reviewed = engine.stacks.get(engine.names.get((region, name), ""))
    if reviewed is not None and reviewed.status != "REVIEW_IN_PROGRESS":
        reviewed = None
    stack_id = reviewed.id if reviewed else engine.new_id(region, name)
    prepared = prepared_new(engine, region, name, stack_id, params)
    stack = new_stack(engine, region, name, stack_id, prepared, params)
    engine.add(stack, instead_of=reviewed)
    run = begin_create(engine, stack, prepared, params)
    return remember(engine, "CreateStack", params, {"StackId": stack_id, "OperationId": run.id})


def prepared_new(engine: Engine, region: str, name: str, stack_id: str, params: Params) -> Prepared:
    """The checked definition of a stack that is to be created."""
    return prepare(
        engine, region, name, stack_id, allowed(engine, region, params),
        parameters_given(params.get("Parameters") or (), None), tags=tags_given(params.get("Tags") or ()),
        capabilities=params.get("Capabilities") or (), notification_arns=params.get("NotificationARNs") or (),
        role_arn=params.get("RoleARN"), reviewed="ChangeSetName" in params,
    )  # fmt: skip


def allowed(engine: Engine, region: str, params: Params, previous: Template | None = None) -> Template:
    """The template that the call names; ValidationError when the call's own options refuse it."""
    template = given(engine, region, params, previous)
    refuse_triggers(params.get("RollbackConfiguration"))
    if "ChangeSetName" not in params:  # those of a change set are looked at when it is executed
        refuse_topics(engine.client, params.get("NotificationARNs") or ())
    refuse_other_types(template, params.get("ResourceTypes"))
    return template


def new_stack(
    engine: Engine, region: str, name: str, stack_id: str, prepared: Prepared, params: Params
) -> Stack:
    """The record of a stack that is to be created."""
    on_failure = params.get("OnFailure") or params.get("OnStackFailure")
    return Stack(
        stack_id, name, region, engine.account, prepared.definition, "CREATE_IN_PROGRESS",
        disable_rollback=rollback_off(params) or on_failure == "DO_NOTHING", express=express(params),
        rollback_configuration=params.get("RollbackConfiguration") or {},
        retain_except_on_create=bool(params.get("RetainExceptOnCreate")),
        timeout=params.get("TimeoutInMinutes"), protected=bool(params.get("EnableTerminationProtection")),
        policy=policy_given(engine, region, params),
    )  # fmt: skip


def policy_given(engine: Engine, region: str, params: Params, key: str = "StackPolicy") -> str | None:
    """The stack policy a call names."""
    if params.get(f"{key}URL") and params.get(f"{key}Body"):
        raise refuse(f"You cannot specify both {key}URL and {key}Body")
    if params.get(f"{key}URL"):
        return check_policy(fetch(engine, region, params[f"{key}URL"]))
    return check_policy(params[f"{key}Body"]) if params.get(f"{key}Body") else None


def check_policy(text: str) -> str:
    """The policy's text; ValidationError when it is none."""
    if not policies.valid(text):
        raise refuse("Error validating stack policy: Invalid stack policy")
    return text


def rollback_off(params: Params) -> bool:
    """Whether the call wants no rollback: by itself or in its deployment configuration."""
    config = params.get("DeploymentConfig") or {}
    return bool(params.get("DisableRollback") or config.get("DisableRollback"))


def express(params: Params) -> bool:
    """Whether the call wants the express mode."""
    return (params.get("DeploymentConfig") or {}).get("Mode") == "EXPRESS"


def begin_create(engine: Engine, stack: Stack, prepared: Prepared, params: Params) -> Run:
    """The run of a creation that has begun."""
    run = Run(
        "CREATE_STACK", params.get("ClientRequestToken"), disable_rollback=stack.disable_rollback,
        on_failure=params.get("OnFailure") or params.get("OnStackFailure") or "ROLLBACK",
        retain_except_on_create=bool(params.get("RetainExceptOnCreate")),
        unchecked=bool(params.get("DisableValidation")), express=express(params),
    )  # fmt: skip
    engine.begin(stack, run)
    background(lambda: operations.create(engine, stack, run, prepared.bound), f"create-{stack.name}")
    return run


HALTED = ("CREATE_FAILED", "UPDATE_FAILED")  # as an operation without rollback leaves a stack


def update_stack(engine: Engine, region: str, params: Params) -> Params:
    """The stack's id; its update goes on. ValidationError when there is nothing to do."""
    if known := repeated(engine, "UpdateStack", params):
        return known
    stack = engine.standing(params["StackName"], region)
    refuse_update(stack)
    if stack.status in HALTED and not rollback_off(params):
        raise refuse(
            f"This stack is currently in a non-terminal [{stack.status}] state. To update the stack from "
            "this state, please use the disable-rollback parameter with update-stack API. To rollback to "
            "the last known good state, use the rollback-stack API"
        )
    prepared = prepared_update(engine, stack, params)
    refuse_retyped(stack, prepared.bound)
    policy = policy_given(engine, region, params)
    if not _may_change(engine, stack, prepared):
        if policy is None:
            raise refuse("No updates are to be performed.")
        stack.policy = policy
        return {"StackId": stack.id}
    run = begin_update(engine, stack, prepared, params)
    stack.policy = policy or stack.policy
    return remember(engine, "UpdateStack", params, {"StackId": stack.id, "OperationId": run.id})


def _may_change(engine: Engine, stack: Stack, prepared: Prepared) -> bool:
    """Whether the update has something to do; what cannot be foreseen shows when it is done."""
    try:
        return plans.any_change(engine, stack, prepared)
    except (Error, ServiceError):
        return True


def refuse_update(stack: Stack) -> None:
    """Nothing; ValidationError when the stack's state allows no update."""
    if stack.status not in UPDATABLE:
        raise refuse(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def prepared_update(engine: Engine, stack: Stack, params: Params) -> Prepared:
    """The checked definition an update asks for; what the call leaves out stays as it was."""
    old: Definition = stack.definition
    tags = params.get("Tags")
    arns = params.get("NotificationARNs")
    return prepare(
        engine, stack.region, stack.name, stack.id, allowed(engine, stack.region, params, old.template),
        parameters_given(params.get("Parameters") or (), old),
        tags=old.tags if tags is None else tags_given(tags), capabilities=params.get("Capabilities") or (),
        notification_arns=old.notification_arns if arns is None else arns,
        role_arn=params.get("RoleARN") or old.role_arn, reviewed="ChangeSetName" in params,
    )  # fmt: skip


def refuse_retyped(stack: Stack, bound: Bound) -> None:
    """Nothing; ValidationError when a resource keeps its name and changes its type."""
    changed = [
        name for name, source in bound.resources.items()
        if name in stack.resources and stack.resources[name].type != source["Type"]
    ]  # fmt: skip
    if changed:
        raise refuse(
            "Update of resource type is not permitted. The new template modifies resource type of the "
            f"following resources: [{', '.join(changed)}]"
        )


def begin_update(
    engine: Engine, stack: Stack, prepared: Prepared, params: Params, live: Live | None = None
) -> Run:
    """The run of an update that has begun."""
    run = Run(
        "UPDATE_STACK", params.get("ClientRequestToken"),
        disable_rollback=rollback_off(params), express=express(params),
        retain_except_on_create=bool(params.get("RetainExceptOnCreate")),
        policy=policy_given(engine, stack.region, params, "StackPolicyDuringUpdate"), live=live or {},
        unchecked=bool(params.get("DisableValidation")),
    )  # fmt: skip
    with engine.changed:
        refuse_update(stack)  # two callers, one stack: the first wins
        engine.begin(stack, run)
        stack.status, stack.express = "UPDATE_IN_PROGRESS", run.express
        stack.rollback_configuration = params.get("RollbackConfiguration") or stack.rollback_configuration
        for change_set in stack.change_sets.values():
            if change_set.execution == "AVAILABLE":
                change_set.execution = "OBSOLETE"
    background(lambda: operations.update(engine, stack, run, prepared), f"update-{stack.name}")
    return run


def delete_stack(engine: Engine, region: str, params: Params) -> Params:
    """Nothing; the deletion goes on. A stack that is not there is no error."""
    with engine.changed:
        stack = engine.stacks.get(engine.names.get((region, name := str(params["StackName"])), name))
        if stack is None or stack.status in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
            return {}
        retain = params.get("RetainResources") or []
        force = params.get("DeletionMode") == "FORCE_DELETE_STACK"
        refuse_delete(engine, stack, retain, force)
        if stack.status == "REVIEW_IN_PROGRESS":
            stack.status = "DELETE_COMPLETE"
            engine.forget_name(stack)
            return {}
        before, run = stack.run, Run("DELETE_STACK", params.get("ClientRequestToken"))
        stack.deletion_mode = params.get("DeletionMode")
        if before is not None:
            before.superseded = True
        else:
            engine.begin(stack, run)
            stack.status = "DELETE_IN_PROGRESS"

    def work() -> None:
        if before is not None:  # a creation or update under way ends first
            before.cancel()
            before.done.wait()
            engine.begin(stack, run)
        deletion.delete(engine, stack, run, retain, force)

    background(work, f"delete-{stack.name}")
    return {}


def refuse_delete(engine: Engine, stack: Stack, retain: list[str], force: bool) -> None:
    """Nothing; ValidationError when the stack may not be deleted so."""
    root = engine.stacks.get(stack.root_id or "", stack)
    if stack.protected or (root.protected and root is not stack):
        raise refuse(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    if (retain or force) and stack.status != "DELETE_FAILED":
        named = "RetainResources" if retain else "FORCE_DELETE_STACK"
        raise refuse(
            f"Invalid operation on stack. Use of {named} is only allowed when the stack is in the "
            f"DELETE_FAILED state: {stack.id} is in {stack.status} state"
        )
    if unknown := [name for name in retain if name not in stack.resources]:
        raise refuse(f"Resources [{', '.join(unknown)}] do not exist in stack {stack.name}")
    if any(stack.resources[name].status == "DELETE_COMPLETE" for name in retain):
        raise refuse(
            "The specified resources to retain must be in a valid state. "
            "Do not specify resources that are in the DELETE_COMPLETE state."
        )
    deletion.refuse_exports_in_use(engine, stack)
