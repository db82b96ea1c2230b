"""teardown: the root stack goes, then the children it retained, in reverse order of their dependencies."""

from argparse import Namespace
from collections.abc import Iterable

from aws_vpc import deploy, events, master, plan, report
from aws_vpc.commands.console import Console
from aws_vpc.commands.session import Session, begin
from aws_vpc.deploy import Stack
from aws_vpc.errors import DeployFailed
from aws_vpc.events import STACK, Event
from aws_vpc.follow import Watch, mark
from aws_vpc.local import control
from aws_vpc.template import load


def run(options: Namespace, console: Console) -> int:
    """0 when nothing of the stack stands any more; with --local the embedded AWS has ended, too."""
    if options.local and control.facts(control.folder()) is None:
        console.answer(
            ["the embedded AWS does not run: nothing to tear down"],
            report.result("unchanged", options.stack_name),
        )
        return 0
    session = begin(options, console)
    found = session.settled()
    children = nested(session, found)
    others = standing(session) if options.local else []
    if found or children:
        agree(session, found, children, others)
        seen = remove(session, options, found, children)
        if seen is None:
            return 0
    else:
        agree_to_end(session, others)
        seen = []
    secret = master.remove(session.aws.client("secretsmanager"), session.name)
    if options.local:
        control.stop(control.folder())
        console.say("the embedded AWS has ended")
        seen = []  # what a policy kept there has ended with it
    told = bool(found or children or secret)
    action = "deleted" if told else "unchanged"
    console.answer(lines(session, told, seen), report.result(action, session.name, kept=kept(seen)))
    return 0


def nested(session: Session, found: Stack | None) -> dict[str, str]:
    """The children that go: those of the stack that stands, and what an earlier root left behind."""
    own = deploy.children(session.cfn, found.id) if found else {}
    return deploy.left_behind(session.cfn, session.name) | own


def standing(session: Session) -> list[str]:
    """The other stacks, which end with the embedded AWS."""
    return [one.name for one in deploy.stacks(session.cfn) if not one.parent and one.name != session.name]


def agree_to_end(session: Session, others: list[str]) -> None:
    """Returns when the user agrees that stacks of other names end with the embedded AWS."""
    if others:
        what = f"Stack {session.name} does not exist. End the embedded AWS with {', '.join(others)} in it?"
        session.console.confirm(what, destroys=True)


def agree(session: Session, found: Stack | None, children: Iterable[str], others: list[str]) -> None:
    """Returns when the user agrees that the stacks go."""
    names = ", ".join(sorted(children))
    what = f"Delete stack {session.name}" if found else f"Delete what stack {session.name} left behind"
    inside = f" ({names}) and everything in it" if names else ""
    more = f", and end the embedded AWS with {', '.join(others)} in it" if others else ""
    session.console.confirm_name(f"{what}{inside}{more}?", session.name)


def remove(
    session: Session, options: Namespace, found: Stack | None, children: dict[str, str]
) -> list[Event] | None:
    """The events of the deletions, or None with --no-wait."""
    needs = dependencies(session, found, children)
    seen: list[Event] = []
    if found:
        watch = mark(session.cfn, found.id, session.name)
        deploy.delete(session.cfn, found.id)
        if options.no_wait:
            session.console.say(f"deleting stack {session.name} has begun; run again to delete its children")
            return None
        session.console.say(f"deleting stack {session.name}")
        seen += session.succeed(watch, "deleting")
    left = {logical: one for logical, one in children.items() if stands(session, one)}
    for wave in plan.teardown_order(left, needs):
        seen += remove_wave(session, {logical: left[logical] for logical in wave})
    return seen


def dependencies(session: Session, found: Stack | None, children: dict[str, str]) -> dict[str, set[str]]:
    """Which child needs which, from the root's template as it was deployed."""
    if not children:
        return {}
    root = found.id if found else parent(session, next(iter(children.values())))
    return load(deploy.template(session.cfn, root)).graph


def parent(session: Session, stack_id: str) -> str:
    """The id of the stack that a nested stack was made by."""
    found = deploy.describe(session.cfn, stack_id)
    return found.parent if found else ""


def stands(session: Session, stack_id: str) -> bool:
    """True when the stack is there."""
    found = deploy.describe(session.cfn, stack_id)
    return found is not None and found.status != "DELETE_COMPLETE"


def remove_wave(session: Session, wave: dict[str, str]) -> list[Event]:
    """The events of the deletion of stacks that do not need each other."""
    watches = []
    for logical, stack_id in wave.items():
        watches.append(Watch(stack_id, (f"{session.name}/{logical}",), mark(session.cfn, stack_id, "").seen))
        deploy.delete(session.cfn, stack_id)
    seen = session.watch(*watches)
    failed = [logical for logical, stack_id in wave.items() if stands(session, stack_id)]
    if failed:
        reasons = report.failure(events.causes(seen))
        raise DeployFailed(f"deleting {', '.join(failed)} of stack {session.name} failed: {reasons}")
    return seen


def kept(seen: Iterable[Event]) -> list[str]:
    """The resources that a policy keeps, with their physical ids."""
    return [
        f"{'/'.join(event.path)} ({event.type}) {event.physical_id}"
        for event in seen
        if event.status == "DELETE_SKIPPED" and event.type != STACK
    ]


def lines(session: Session, told: bool, seen: Iterable[Event]) -> list[str]:
    """What has happened, and what is kept."""
    gone, none = "is deleted", "does not exist: nothing to tear down"
    head = f"stack {session.name} {gone if told else none}"
    return [head, *(f"  kept by its policy: {one}" for one in kept(seen))]
