"""Change sets over a stack and its nested ones: made, read whole, executed or discarded.

In: the CloudFormation client, a template's address, parameters, terms. Out: ChangeSet values.
The change sets of nested stacks are asked for; where CloudFormation cannot make one of them, because it
needs what a sibling has yet to put out, the root's alone is taken and the note says so.
Every execution passes RetainExceptOnCreate, so that Retain leaves no litter on a failure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc import unanswered
from aws_vpc.errors import DeployFailed
from aws_vpc.plan import is_empty, is_nested_failure
from aws_vpc.tokens import token
from aws_vpc.wait import Wait

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
ARN = re.compile(r"arn:[\w-]+:cloudformation:\S+:changeSet/\S+?(?=[\s,]|$)")
BLOCKS = "VALIDATION_ERROR"
Answers = tuple[tuple[tuple[str, ...], Mapping[str, Any]], ...]


@dataclass(frozen=True)
class Terms:
    """How an operation is carried out: tags of the root, the role it acts in, Express mode, rollback."""

    tags: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
    express: bool = False
    rollback: bool = True

    def request(self) -> dict[str, Any]:
        """The members of CreateChangeSet."""
        found: dict[str, Any] = {}
        if self.tags:
            found["Tags"] = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        if self.role:
            found["RoleARN"] = self.role
        if self.express:
            found["DeploymentConfig"] = {"Mode": "EXPRESS", "DisableRollback": not self.rollback}
        return found


@dataclass(frozen=True)
class Target:
    """What a change set leads to: a stack (by id or name), a template's address, parameters, terms."""

    stack: str
    name: str
    url: str
    parameters: tuple[Mapping[str, Any], ...] = ()
    kind: str = "UPDATE"
    terms: Terms = Terms()
    mode: Mapping[str, str] = field(default_factory=dict)  # DeploymentMode of a drift-aware change set

    def request(self) -> dict[str, Any]:
        """The members of CreateChangeSet."""
        template = {"TemplateURL": self.url} if self.url else {"UsePreviousTemplate": True}
        return {
            "StackName": self.stack,
            "ChangeSetType": self.kind,
            "Parameters": list(self.parameters),
            "Capabilities": CAPABILITIES,
            **template,
            **self.terms.request(),
            **self.mode,
        }


@dataclass(frozen=True)
class ChangeSet:
    """A change set and the answers for it and its nested ones, each with the path below the root."""

    id: str
    stack: str
    kind: str = "UPDATE"
    rollback: bool = True
    answers: Answers = ()
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.id


def previous(given: Mapping[str, str], declared: Sequence[str], before: Mapping[str, str]) -> Any:
    """Parameters of an update: those given, and the previous value of every other one."""
    return tuple(
        {"ParameterKey": key, "ParameterValue": given[key]}
        if key in given
        else {"ParameterKey": key, "UsePreviousValue": True}
        for key in declared
        if key in given or key in before
    )


def preview(cfn: Any, target: Target, wait: Wait) -> ChangeSet:
    """A change set over the stack and its children, ready to be executed; empty when nothing changes."""
    found = attempt(cfn, target, wait, nested=True)
    if not isinstance(found, str):
        return found
    if not is_nested_failure(found):
        raise failed(target, found)
    alone = attempt(cfn, target, wait, nested=False)
    if isinstance(alone, str):
        raise failed(target, alone)
    note = f"the changes inside nested stacks are not shown, for CloudFormation cannot tell them yet: {found}"
    return ChangeSet(alone.id, alone.stack, alone.kind, alone.rollback, alone.answers, (note, *alone.notes))


def failed(target: Target, reason: str) -> DeployFailed:
    """The error of a change set that could not be made."""
    return DeployFailed(f"the change set for stack {target.name} could not be made: {reason}")


def attempt(cfn: Any, target: Target, wait: Wait, *, nested: bool) -> ChangeSet | str:
    """The change set, empty when there is nothing to change, or the reason why it cannot be made."""
    try:
        name, request = unanswered.name(), target.request()
        made = cfn.create_change_set(
            **request, ChangeSetName=name, IncludeNestedStacks=nested, ClientToken=token()
        )
    except ClientError as error:
        if is_empty(error.response["Error"]["Message"]):
            return ChangeSet("", target.stack)
        raise
    stack_id = str(made.get("StackId") or target.stack)
    answer = settled(cfn, made["Id"], stack_id, wait)
    if answer["Status"] == "FAILED":
        return refused(cfn, target, made["Id"], stack_id, answer)
    found = tuple(answers(cfn, made["Id"], stack_id, ()))
    return ChangeSet(
        made["Id"], stack_id, target.kind, target.terms.rollback, found, tuple(remarks(cfn, target, answer))
    )


def refused(cfn: Any, target: Target, made: str, stack_id: str, answer: Mapping[str, Any]) -> ChangeSet | str:
    """An empty change set, or the reason why one failed: that of the nested one where that is behind it."""
    reason = answer.get("StatusReason", "no reason given")
    if is_empty(reason) and not is_nested_failure(reason):
        cfn.delete_change_set(ChangeSetName=made, StackName=stack_id)
        return ChangeSet("", stack_id)
    reason = "; ".join([deepest(cfn, reason), *validation(cfn, made, "FAIL")])
    discard(cfn, ChangeSet(made, stack_id, target.kind))
    return reason


def deepest(cfn: Any, reason: str, depth: int = 8) -> str:
    """A reason, and behind it that of the nested change set which it only names."""
    named = ARN.search(reason) if depth and is_nested_failure(reason) else None
    if not named:
        return reason
    try:
        answer = cfn.describe_change_set(ChangeSetName=named[0].rstrip("."))
    except ClientError:
        return reason
    inner = answer.get("StatusReason", "")
    stack = answer.get("StackName", "")
    return f"nested change set of {stack}: {deepest(cfn, inner, depth - 1)}" if inner else reason


def validation(cfn: Any, change_set_id: str, mode: str) -> list[str]:
    """What CloudFormation's own validation before the deployment says; nothing where it is not known."""
    try:
        pages = list(cfn.get_paginator("describe_events").paginate(ChangeSetName=change_set_id))
    except ClientError:
        return []
    events = [one for page in pages for one in page["OperationEvents"]]
    return [
        f"{one.get('LogicalResourceId', '')} {one.get('ValidationPath', '')}: "
        f"{one.get('ValidationStatusReason', '')} ({one.get('ValidationName', '')})"
        for one in events
        if one.get("EventType") == BLOCKS and one.get("ValidationFailureMode", "FAIL") == mode
    ]


def remarks(cfn: Any, target: Target, answer: Mapping[str, Any]) -> Iterator[str]:
    """What a user should know of a change set that could be made."""
    yield from validation(cfn, answer["ChangeSetId"], "WARN")
    if target.terms.express and (answer.get("DeploymentConfig") or {}).get("Mode") != "EXPRESS":
        yield "the endpoint does not confirm Express mode; the operation may take its usual time"


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
    """Returns when what a change set describes has begun."""
    more = {} if ready.rollback else {"DisableRollback": True}
    cfn.execute_change_set(
        ChangeSetName=ready.id,
        StackName=ready.stack,
        RetainExceptOnCreate=True,
        ClientRequestToken=token(),
        **more,
    )


def discard(cfn: Any, ready: ChangeSet) -> None:
    """Returns when a change set and the nested ones in it are gone, and a stack that was only planned."""
    if ready.empty:
        return
    cfn.delete_change_set(ChangeSetName=ready.id, StackName=ready.stack)
    if ready.kind == "CREATE" and not others(cfn, ready):
        for stack_id in [ready.stack, *planned_children(cfn, ready.stack)]:
            cfn.delete_stack(StackName=stack_id, ClientRequestToken=token())


def others(cfn: Any, ready: ChangeSet) -> bool:
    """True when a stack under review has another change set, somebody else's, or is under review no more."""
    try:
        found = cfn.describe_stacks(StackName=ready.stack)["Stacks"]
        listed = cfn.list_change_sets(StackName=ready.stack)["Summaries"]
    except ClientError:
        return True
    left = [one for one in listed if one["ChangeSetId"] != ready.id]
    return found[0]["StackStatus"] != "REVIEW_IN_PROGRESS" or any(one["Status"] != "FAILED" for one in left)


def planned_children(cfn: Any, stack_id: str) -> list[str]:
    """The stacks inside a stack under review that are under review, too."""
    return [
        one["StackId"]
        for page in cfn.get_paginator("describe_stacks").paginate()
        for one in page["Stacks"]
        if one.get("RootId") == stack_id and one["StackStatus"] == "REVIEW_IN_PROGRESS"
    ]
