"""drift: what has changed behind CloudFormation's back, in the root and every stack in it, and its return."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from botocore.exceptions import ClientError, ParamValidationError

from aws_vpc import change_set, deploy, drift, plan, report
from aws_vpc.change_set import Target, Terms
from aws_vpc.commands import planning
from aws_vpc.commands.console import Console
from aws_vpc.commands.options import change
from aws_vpc.commands.planning import Plan
from aws_vpc.commands.session import Session, begin
from aws_vpc.deploy import Stack
from aws_vpc.drifted import Drift
from aws_vpc.errors import DeployFailed, Error

UNKNOWN = ("UnsupportedOperation", "UnknownOperationException", "InvalidAction", "NotImplemented")


def arguments(parser: ArgumentParser) -> None:
    """The options of drift."""
    change(parser)
    parser.add_argument(
        "--revert", action="store_true", help="bring back what the templates say, by a drift-aware change set"
    )
    parser.add_argument("--role-arn", metavar="ARN", help="role that CloudFormation acts in")


def run(options: Namespace, console: Console) -> int:
    """0 when nothing has drifted, or all of it is reverted; 3 when something has."""
    session = begin(options, console)
    found = session.settled()
    if found is None or plan.step("update", found.status) is not plan.Step.UPDATE:
        raise Error(plan.refusal("drift", session.name, found.status if found else None))
    drifted = detected(session, found)
    if not drifted:
        console.answer(
            [f"nothing has drifted in stack {session.name}"], report.result("drift", session.name, drift=[])
        )
        return 0
    if options.revert:
        return revert(session, options, found, drifted)
    told = [*report.drift_lines(drifted), "drift --revert brings back what the templates say"]
    console.answer(told, report.result("drift", session.name, drift=report.drift_values(drifted)))
    return 3


def detected(session: Session, found: Stack) -> list[Drift]:
    """What has drifted in the stack and in all stacks in it."""
    stacks = {(): found.id} | {
        path: member["PhysicalResourceId"]
        for path, member in deploy.resources(session.cfn, found.id)
        if member["ResourceType"] == plan.NESTED and member.get("PhysicalResourceId")
    }
    session.console.say(f"detecting drift in {len(stacks)} stacks")
    try:
        return drift.detect(session.cfn, stacks, session.wait())
    except ClientError as error:
        raise unsupported(error, "drift detection") from error


def unsupported(error: ClientError, what: str) -> Error | ClientError:
    """The error of an endpoint that does not know an operation, or `error` itself."""
    if error.response["Error"]["Code"] in UNKNOWN:
        return Error(f"this endpoint has no {what} ({error.operation_name})")
    return error


def revert(session: Session, options: Namespace, found: Stack, drifted: Sequence[Drift]) -> int:
    """0 when what had drifted is as the templates say."""
    console = session.console
    for line in report.drift_lines(drifted):
        console.say(line)
    drawn = Plan(reverting(session, options, found))
    if drawn.ready.empty:
        console.answer(
            ["nothing of that can be reverted by a change set"],
            report.result("drift", session.name, drift=report.drift_values(drifted)),
        )
        return 3
    planning.show(session, drawn)
    planning.agree(session, drawn, f"Bring stack {session.name} back to its templates?")
    watch = planning.begin(session, drawn)
    console.say(f"reverting drift of stack {session.name}")
    session.succeed(watch, "reverting drift of")
    console.answer(
        [f"stack {session.name} is as its templates say again"],
        report.result("reverted", session.name, drift=report.drift_values(drifted)),
    )
    return 0


def reverting(session: Session, options: Namespace, found: Stack) -> change_set.ChangeSet:
    """A drift-aware change set from what is there to what the stack's own template says."""
    target = Target(
        stack=found.id,
        name=session.name,
        url="",
        parameters=change_set.previous({}, list(found.parameters), found.parameters),
        terms=Terms(role=options.role_arn or ""),
        mode={"DeploymentMode": "REVERT_DRIFT"},
    )
    try:
        return change_set.preview(session.cfn, target, session.wait())
    except ParamValidationError:
        raise Error("this version of boto3 knows no drift-aware change sets; upgrade it") from None
    except (ClientError, DeployFailed) as error:
        if "DeploymentMode" in str(error) or "REVERT_DRIFT" in str(error):
            raise Error(f"this endpoint has no drift-aware change sets: {error}") from error
        raise
