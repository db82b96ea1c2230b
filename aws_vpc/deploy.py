"""Stacks described, created, updated by change set, and deleted; follow.py tells how it goes on.

In: the CloudFormation client, names, a template's address, parameters. Out: stacks and change sets.
Every create, update and execute passes RetainExceptOnCreate, so that Retain leaves no litter on a failure.
"""

import json
import uuid
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.errors import DeployFailed
from aws_vpc.events import STACK
from aws_vpc.plan import is_empty, is_nested_failure
from aws_vpc.wait import Wait

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


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


@dataclass(frozen=True)
class ChangeSet:
    """A change set and the answers for it and its nested ones, each with the path below the root."""

    id: str
    stack: str
    answers: tuple[tuple[tuple[str, ...], Mapping[str, Any]], ...] = ()
    note: str = ""

    @property
    def empty(self) -> bool:
        return not self.id


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
    )


def stacks(cfn: Any) -> Iterator[Stack]:
    """Every stack of the Region that is not deleted."""
    for page in cfn.get_paginator("describe_stacks").paginate():
        yield from map(stack, page["Stacks"])


def create(cfn: Any, name: str, url: str, parameters: Mapping[str, str], tags: Mapping[str, str]) -> str:
    """The id of a stack whose creation has begun."""
    answer = cfn.create_stack(
        StackName=name,
        TemplateURL=url,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        Capabilities=CAPABILITIES,
        RetainExceptOnCreate=True,
        ClientRequestToken=token(),
    )
    return str(answer["StackId"])


def token() -> str:
    """A name for a request, so that a repeated one counts once."""
    return f"aws-vpc-{uuid.uuid4().hex}"


def preview(
    cfn: Any, found: Stack, url: str, given: Mapping[str, str], declared: Iterable[str], wait: Wait
) -> ChangeSet:
    """A change set over the stack and its children; empty when nothing changes."""
    parameters = [
        {"ParameterKey": key, "ParameterValue": given[key]}
        if key in given
        else {"ParameterKey": key, "UsePreviousValue": True}
        for key in declared
        if key in given or key in found.parameters
    ]
    try:
        return change_set(cfn, found, url, parameters, wait, nested=True)
    except DeployFailed as error:
        if not is_nested_failure(str(error)):
            raise
        note = "nested changes are not shown: CloudFormation cannot tell them before siblings have changed"
        return change_set(cfn, found, url, parameters, wait, nested=False, note=note)


def change_set(
    cfn: Any,
    found: Stack,
    url: str,
    parameters: Sequence[Mapping[str, Any]],
    wait: Wait,
    *,
    nested: bool,
    note: str = "",
) -> ChangeSet:
    """A change set that is ready to be executed, or an empty one."""
    try:
        made = cfn.create_change_set(
            StackName=found.id,
            ChangeSetName=token(),
            ChangeSetType="UPDATE",
            TemplateURL=url,
            Parameters=parameters,
            Capabilities=CAPABILITIES,
            IncludeNestedStacks=nested,
        )
    except ClientError as error:
        if is_empty(error.response["Error"]["Message"]):
            return ChangeSet("", found.id)
        raise
    answer = settled(cfn, made["Id"], found.id, wait)
    if answer["Status"] == "FAILED":
        cfn.delete_change_set(ChangeSetName=made["Id"])
        reason = answer.get("StatusReason", "no reason given")
        if is_empty(reason) and not is_nested_failure(reason):
            return ChangeSet("", found.id)
        raise DeployFailed(f"the change set for stack {found.name} could not be made: {reason}")
    return ChangeSet(made["Id"], found.id, tuple(answers(cfn, made["Id"], found.id, ())), note)


def settled(cfn: Any, change_set_id: str, stack_id: str, wait: Wait) -> dict[str, Any]:
    """The description of a change set whose making has ended."""
    for _ in wait.pauses("the change set"):
        answer: dict[str, Any] = cfn.describe_change_set(ChangeSetName=change_set_id, StackName=stack_id)
        if answer["Status"] in {"CREATE_COMPLETE", "FAILED"}:
            break
    return answer


def answers(
    cfn: Any, change_set_id: str, stack_id: str, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """The descriptions of a change set and of the nested ones in it."""
    request: dict[str, Any] = {"ChangeSetName": change_set_id, "IncludePropertyValues": True}
    # A nested stack that is yet to be made has no id; its change set's own says enough.
    if stack_id:
        request["StackName"] = stack_id
    while True:
        answer = cfn.describe_change_set(**request)
        yield path, answer
        for member in answer.get("Changes", ()):
            resource = member.get("ResourceChange", {})
            if resource.get("ChangeSetId"):
                below = (*path, resource["LogicalResourceId"])
                child = resource.get("PhysicalResourceId", "")
                yield from answers(cfn, resource["ChangeSetId"], child, below)
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]


def execute(cfn: Any, ready: ChangeSet) -> None:
    """Returns when the update that a change set describes has begun."""
    cfn.execute_change_set(
        ChangeSetName=ready.id, StackName=ready.stack, RetainExceptOnCreate=True, ClientRequestToken=token()
    )


def discard(cfn: Any, ready: ChangeSet) -> None:
    """Returns when a change set, and the nested ones in it, will not be executed."""
    cfn.delete_change_set(ChangeSetName=ready.id, StackName=ready.stack)


def delete(cfn: Any, stack_id: str) -> None:
    """Returns when the deletion of a stack has begun."""
    cfn.delete_stack(StackName=stack_id, ClientRequestToken=token())


def children(cfn: Any, stack_id: str) -> dict[str, str]:
    """The stacks nested in a stack, also in a deleted one: logical id to stack id."""
    return {
        member["LogicalResourceId"]: member["PhysicalResourceId"]
        for page in cfn.get_paginator("list_stack_resources").paginate(StackName=stack_id)
        for member in page["StackResourceSummaries"]
        if member["ResourceType"] == STACK and member.get("PhysicalResourceId")
    }


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
