"""What is set on a stack or told to a resource without an operation: signals, protection, policy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aws_vpc.local.cloudformation import api_write
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Signal

Params = dict[str, Any]


def signal_resource(engine: Engine, region: str, params: Params) -> Params:
    """Nothing; the signal is counted."""
    stack = engine.find(params["StackName"], region)
    with engine.changed:
        resource = stack.resources.get(params["LogicalResourceId"])
        if resource is None:
            raise api_write.refuse(
                f"Resource {params['LogicalResourceId']} does not exist for stack {stack.name}"
            )
        if resource.status not in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
            raise api_write.refuse(
                f"Resource {resource.logical_id} is in {resource.status} state and cannot be signaled"
            )
        got = stack.signals.setdefault(resource.logical_id, {})
        if params["UniqueId"] not in got:
            got[params["UniqueId"]] = Signal(params["Status"])
            told = f"Received {params['Status']} signal with UniqueId {params['UniqueId']}"
            engine.put(stack, replace(resource, reason=told))
        engine.changed.notify_all()
    return {}


def update_termination_protection(engine: Engine, region: str, params: Params) -> Params:
    """The stack's id; whether it may be deleted is set."""
    stack = engine.standing(params["StackName"], region)
    if stack.root_id:
        raise api_write.refuse(
            f"TerminationProtection cannot be updated on nested stack [{stack.name}]; update its root"
        )
    stack.protected = bool(params["EnableTerminationProtection"])
    return {"StackId": stack.id}


def set_stack_policy(engine: Engine, region: str, params: Params) -> Params:
    """Nothing; the stack's policy is set."""
    stack = engine.standing(params["StackName"], region)
    policy = api_write.policy_given(engine, region, params)
    if policy is None:
        raise api_write.refuse("Either StackPolicyBody or StackPolicyURL must be specified.")
    stack.policy = policy
    return {}
