"""Stacks described, cancelled, rolled back, protected and deleted; change_set.py creates and updates them.

In: the CloudFormation client, names and ids. Out: stacks; follow.py tells how an operation goes on.
"""

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.events import STACK
from aws_vpc.tokens import token


@dataclass(frozen=True)
class Stack:
    """A stack as DescribeStacks shows it."""

    id: str
    name: str
    status: str
    reason: str = ""
    parent: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False
    changed: str = ""  # when it was last created or updated, as text

    @property
    def account(self) -> str:
        """The account in the stack's ARN."""
        return self.id.split(":")[4]


def describe(cfn: Any, name: str) -> Stack | None:
    """The stack of this name or id, or None."""
    try:
        found = cfn.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return stack(found[0])


def stack(member: Mapping[str, Any]) -> Stack:
    """The stack in a member of DescribeStacks."""
    return Stack(
        id=member["StackId"],
        name=member["StackName"],
        status=member["StackStatus"],
        reason=member.get("StackStatusReason", ""),
        parent=member.get("ParentId", "") or member.get("RootId", ""),
        parameters={
            one["ParameterKey"]: one.get("ParameterValue", "") for one in member.get("Parameters", ())
        },
        outputs={one["OutputKey"]: one["OutputValue"] for one in member.get("Outputs", ())},
        tags={one["Key"]: one["Value"] for one in member.get("Tags", ())},
        protected=bool(member.get("EnableTerminationProtection")),
        changed=str(member.get("LastUpdatedTime") or member.get("CreationTime", "")),
    )


def stacks(cfn: Any) -> Iterator[Stack]:
    """Every stack of the Region that is not deleted."""
    for page in cfn.get_paginator("describe_stacks").paginate():
        yield from map(stack, page["Stacks"])


def cancel(cfn: Any, stack_id: str) -> None:
    """Returns when an update has been told to stop, which rolls it back."""
    cfn.cancel_update_stack(StackName=stack_id, ClientRequestToken=token())


def continue_rollback(cfn: Any, stack_id: str, skip: Iterable[str], role: str = "") -> None:
    """Returns when the rollback of an update goes on, without the resources to skip.

    Those of a nested stack are named `NestedStackName.LogicalId` (CloudFormation's ContinueUpdateRollback).
    """
    more = {"RoleARN": role} if role else {}
    cfn.continue_update_rollback(
        StackName=stack_id, ResourcesToSkip=list(skip), ClientRequestToken=token(), **more
    )


def rollback(cfn: Any, stack_id: str, role: str = "") -> None:
    """Returns when a stack whose operation failed without rollback goes back."""
    more = {"RoleARN": role} if role else {}
    cfn.rollback_stack(StackName=stack_id, RetainExceptOnCreate=True, ClientRequestToken=token(), **more)


def protect(cfn: Any, found: Stack, on: bool) -> bool:
    """True when the termination protection of a root stack had to be changed."""
    if found.protected == on:
        return False
    cfn.update_termination_protection(StackName=found.id, EnableTerminationProtection=on)
    return True


def set_policy(cfn: Any, stack_id: str, policy: str) -> bool:
    """True when the stack policy had to be changed."""
    now = cfn.get_stack_policy(StackName=stack_id).get("StackPolicyBody")
    if now and json.loads(now) == json.loads(policy):
        return False
    cfn.set_stack_policy(StackName=stack_id, StackPolicyBody=policy)
    return True


def delete(cfn: Any, stack_id: str, retain: Iterable[str] = (), role: str = "") -> None:
    """Returns when the deletion of a stack has begun; `retain` counts only after one that failed."""
    more: dict[str, Any] = {"RoleARN": role} if role else {}
    if names := list(retain):
        more["RetainResources"] = names
    cfn.delete_stack(StackName=stack_id, ClientRequestToken=token(), **more)


def children(cfn: Any, stack_id: str) -> dict[str, str]:
    """The stacks nested in a stack, also in a deleted one: logical id to stack id."""
    return {
        logical: member["PhysicalResourceId"]
        for logical, member in own_resources(cfn, stack_id)
        if member["ResourceType"] == STACK and member.get("PhysicalResourceId")
    }


def resources(
    cfn: Any, stack_id: str, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every resource of a stack and of the stacks in it: its logical path, a member of ListStackResources."""
    for logical, member in own_resources(cfn, stack_id):
        yield (*path, logical), member
        if member["ResourceType"] == STACK and member.get("PhysicalResourceId"):
            yield from resources(cfn, member["PhysicalResourceId"], (*path, logical))


def own_resources(cfn: Any, stack_id: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The resources of one stack, also of a deleted one: logical id, a member of ListStackResources."""
    for page in cfn.get_paginator("list_stack_resources").paginate(StackName=stack_id):
        for member in page["StackResourceSummaries"]:
            yield member["LogicalResourceId"], member


def left_behind(cfn: Any, name: str, own: Container[str] = ()) -> dict[str, Stack]:
    """The nested stacks that a root of this name made and has no more, by logical id.

    `own` are the ids of those that the root still has; a second stack of one logical id keeps its suffix.
    """
    found: dict[str, Stack] = {}
    for one in stacks(cfn):
        if one.id not in own and is_child(one, name):
            suffixed = one.name.removeprefix(f"{name}-")
            logical = suffixed.rpartition("-")[0] or suffixed
            found[suffixed if logical in found else logical] = one
    return found


def is_child(one: Stack, name: str) -> bool:
    """True for a stack that was nested in a root of this name."""
    made = f":stack/{name}/" in one.parent or one.tags.get("EnvironmentName") == name
    return made and one.name.startswith(f"{name}-")


def template(cfn: Any, stack_id: str) -> str:
    """The text of the template of a stack, also of a deleted one."""
    body = cfn.get_template(StackName=stack_id)["TemplateBody"]
    # botocore hands JSON over as values.
    return body if isinstance(body, str) else json.dumps(body)
