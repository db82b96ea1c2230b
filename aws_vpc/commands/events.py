"""events: what happened in the last operation on the stack and the stacks in it, and why it failed."""

from argparse import ArgumentParser, Namespace

from botocore.exceptions import ClientError

from aws_vpc import deploy, follow, report
from aws_vpc.causes import causes
from aws_vpc.commands.console import Console
from aws_vpc.commands.options import stack
from aws_vpc.commands.session import Session, begin
from aws_vpc.events import Event
from aws_vpc.follow import Watch

# What CloudFormation tells by DescribeEvents alone.
ASIDE = ("VALIDATION_ERROR", "HOOK_INVOCATION_ERROR")


def arguments(parser: ArgumentParser) -> None:
    """The options of events."""
    stack(parser)
    parser.add_argument("--all", action="store_true", help="of every operation, not only the last one")
    parser.add_argument("--failed", action="store_true", help="only what failed")


def run(options: Namespace, console: Console) -> int:
    """0 when the events have been told, 3 when there is no such stack."""
    session = begin(options, console)
    found = deploy.describe(session.cfn, session.name)
    if found is None:
        console.answer(
            [f"stack {session.name} does not exist"], report.result("events", session.name, events=[])
        )
        return 3
    seen = past(session, found.id, whole=options.all)
    aside = told_aside(session, found.id)
    shown = [one for one in seen if one.failed] if options.failed else seen
    start = seen[0].timestamp if seen else None
    lines = [report.event_line(one, start) for one in shown if start]
    why = causes(seen)
    if why:
        lines += ["", *(f"cause: {cause}" for cause in why)]
    console.answer(
        [*lines, *aside] or ["no events"],
        report.result(
            "events",
            session.name,
            status=found.status,
            events=[report.event_values(one) for one in shown],
            causes=[report.cause_values(one) for one in why],
            validation=aside or None,
        ),
    )
    return 0


def past(session: Session, stack_id: str, *, whole: bool) -> list[Event]:
    """The events of the last operation, or of all, of a stack and of those nested in it, oldest first."""
    name = session.name
    root = Watch(stack_id, (name,)) if whole else follow.attach(session.cfn, stack_id, name)
    return follow.told(session.cfn, root)


def told_aside(session: Session, stack_id: str) -> list[str]:
    """What validations and hooks have said; nothing where the endpoint does not know DescribeEvents."""
    try:
        pages = session.cfn.get_paginator("describe_events").paginate(
            StackName=stack_id, Filters={"FailedEvents": True}
        )
        events = [one for page in pages for one in page["OperationEvents"]]
    except ClientError:
        return []
    return [
        " ".join(
            str(one[key])
            for key in ("EventType", "LogicalResourceId", "ValidationPath", "ValidationStatusReason",
                        "HookType", "HookStatusReason")
            if one.get(key)
        )
        for one in events
        if one.get("EventType") in ASIDE
    ]  # fmt: skip
