"""The ways out of an update that is stuck: cancel one that runs, go on with a rollback that has failed."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from aws_vpc import deploy, events, plan, report
from aws_vpc.commands.session import Session
from aws_vpc.deploy import Stack
from aws_vpc.errors import DeployFailed, Error, UsageError
from aws_vpc.follow import attach, mark

STUCK = "UPDATE_ROLLBACK_FAILED"
# Failed and left as they are, because no rollback was asked for.
HALTED = ("UPDATE_FAILED", "CREATE_FAILED")


def arguments(parser: ArgumentParser) -> None:
    """The options of update that lead out of a stuck one."""
    parser.add_argument("--cancel", action="store_true", help="stop the update that is going on, no more")
    parser.add_argument(
        "--continue-rollback", action="store_true", help="go on with a failed rollback, then update"
    )
    parser.add_argument(
        "--skip",
        action="append",
        default=[],
        metavar="RESOURCE",
        help="leave this resource (Nested.../Name) out of the rollback; it will not be as its template says",
    )


def cancel(session: Session) -> int:
    """0 when no update of the stack is going on any more."""
    found = deploy.describe(session.cfn, session.name)
    status = found.status if found else "not there"
    if found and status == "UPDATE_IN_PROGRESS":
        deploy.cancel(session.cfn, found.id)
        session.console.say(f"cancelling the update of stack {session.name}")
    elif found and status in {"CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}:
        why = f"stack {session.name} is {status}, and only an update can be cancelled; teardown deletes it"
        raise Error(why)
    elif found is None or events.finished(status):
        session.console.answer(
            [f"stack {session.name} is {status}: there is no update to cancel"],
            report.result("unchanged", session.name, status=status),
        )
        return 0
    session.watch(attach(session.cfn, found.id, session.name))
    now = deploy.describe(session.cfn, found.id) or found
    if now.status not in plan.SETTLED:
        raise DeployFailed(f"stack {session.name} is {now.status}; {way_out(session, now)}")
    session.console.answer(
        [f"stack {session.name} {now.status}"], report.result("cancelled", session.name, status=now.status)
    )
    return 0


def recovered(session: Session, options: Namespace, found: Stack | None) -> Stack | None:
    """The stack after a rollback that had failed has come to its end, with consent; or as it is."""
    if found is None or not (found.status == STUCK or (options.continue_rollback and found.status in HALTED)):
        if options.skip:
            raise UsageError(f"--skip: stack {session.name} has no failed rollback to go on with")
        return found
    if not options.continue_rollback:
        failed = ", ".join(stuck(session, found)) or "nothing that it names"
        why = f"Stack {session.name} is {found.status} because of {failed}. Go on with its rollback?"
        session.console.confirm(why, destroys=True, answer="--continue-rollback")
    begin_rollback(session, options, found)
    return deploy.describe(session.cfn, found.id)


def begin_rollback(session: Session, options: Namespace, found: Stack) -> None:
    """Returns when the rollback has ended well; DeployFailed names why it has not."""
    watch = mark(session.cfn, found.id, session.name)
    if found.status == STUCK:
        names = [qualified(session, found, one) for one in options.skip]
        deploy.continue_rollback(session.cfn, found.id, names, options.role_arn or "")
    else:
        deploy.rollback(session.cfn, found.id, options.role_arn or "")
    session.console.say(f"going on with the rollback of stack {session.name}")
    session.succeed(watch, "rolling back", good=(*plan.SETTLED, "ROLLBACK_COMPLETE"))


def stuck(session: Session, found: Stack) -> list[str]:
    """The logical paths of the resources that could not go back."""
    return [
        "/".join(path)
        for path, member in deploy.resources(session.cfn, found.id)
        if member["ResourceStatus"] == "UPDATE_FAILED" and member["ResourceType"] != events.STACK
    ]


def qualified(session: Session, found: Stack, path: str) -> str:
    """A resource as ContinueUpdateRollback takes it: the name of its nested stack, a dot, its logical id."""
    *outer, logical = path.replace(".", "/").split("/")
    stack_id = found.id
    for name in outer:
        listed = deploy.children(session.cfn, stack_id)
        if name not in listed:
            raise UsageError(f"--skip {path}: there is no nested stack {name}; {named(listed)}")
        stack_id = listed[name]
    return f"{stack_id.split('/')[1]}.{logical}" if outer else logical


def named(listed: Iterable[str]) -> str:
    """What there is instead of something that was not found."""
    return f"there are {', '.join(sorted(listed))}" if listed else "there are none"


def way_out(session: Session, found: Stack) -> str:
    """The command that leads out of a state."""
    return plan.refusal("update", session.name, found.status).partition("; ")[2]
