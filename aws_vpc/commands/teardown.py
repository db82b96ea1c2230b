"""teardown: what an earlier update gave up, the root, then the children it retained, dependants first."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from aws_vpc import deploy, master, report, vpc_settings
from aws_vpc.commands import orphans
from aws_vpc.commands.console import Console
from aws_vpc.commands.options import change
from aws_vpc.commands.session import Session, begin
from aws_vpc.deploy import Stack
from aws_vpc.follow import mark
from aws_vpc.local import control


def arguments(parser: ArgumentParser) -> None:
    """The options of teardown."""
    change(parser)


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
    left, own = orphans.orphans(session, found), children(session, found)
    others = standing(session) if options.local else []
    if found or left:
        agree(session, found, left, own, others)
        kept = remove(session, options, found, left, own)
        if kept is None:
            return 0
    else:
        agree_to_end(session, others)
        kept = []
    secret = master.remove(session.aws.client("secretsmanager"), session.name)
    if options.local:
        control.stop(control.folder())
        console.say("the embedded AWS has ended")
        kept = []  # what a policy kept there has ended with it
    told = bool(found or left or secret)
    action = "deleted" if told else "unchanged"
    console.answer(lines(session, told, kept), report.result(action, session.name, kept=kept))
    return 0


def children(session: Session, found: Stack | None) -> dict[str, Stack]:
    """The nested stacks that the root has."""
    listed = deploy.children(session.cfn, found.id) if found else {}
    described = {logical: deploy.describe(session.cfn, one) for logical, one in listed.items()}
    return {logical: one for logical, one in described.items() if one}


def standing(session: Session) -> list[str]:
    """The other stacks, which end with the embedded AWS."""
    return [one.name for one in deploy.stacks(session.cfn) if not one.parent and one.name != session.name]


def agree_to_end(session: Session, others: list[str]) -> None:
    """Returns when the user agrees that stacks of other names end with the embedded AWS."""
    if others:
        what = f"Stack {session.name} does not exist. End the embedded AWS with {', '.join(others)} in it?"
        session.console.confirm(what, destroys=True)


def agree(
    session: Session, found: Stack | None, left: Iterable[str], own: Iterable[str], others: list[str]
) -> None:
    """Returns when the user agrees that the stacks go."""
    parts = [", ".join(sorted(own))] if own else []
    parts += [f"left behind by an earlier update: {', '.join(sorted(left))}"] if found and left else []
    names = "; ".join(parts) if found else ", ".join(sorted(left))
    what = f"Delete stack {session.name}" if found else f"Delete what stack {session.name} left behind"
    inside = f" ({names}) and everything in it" if names else ""
    more = f", and end the embedded AWS with {', '.join(others)} in it" if others else ""
    session.console.confirm_name(f"{what}{inside}{more}?", session.name)


def remove(
    session: Session, options: Namespace, found: Stack | None, left: dict[str, Stack], own: dict[str, Stack]
) -> list[str] | None:
    """What policies have kept of it all, or None with --no-wait."""
    for line in vpc_settings.remove_paths(session.aws.client("ec2"), session.name):
        session.console.say(line)
    template = deploy.template(session.cfn, root_of(found, left)) if found or left else ""
    kept = orphans.remove(session, left, orphans.needs(left, template))
    if found:
        watch = mark(session.cfn, found.id, session.name)
        deploy.delete(session.cfn, found.id)
        if options.no_wait:
            session.console.say(f"deleting stack {session.name} has begun; run again to delete its children")
            return None
        session.console.say(f"deleting stack {session.name}")
        kept += orphans.kept(session.succeed(watch, "deleting"))
    return kept + orphans.remove(session, own, orphans.needs(own, template))


def root_of(found: Stack | None, left: dict[str, Stack]) -> str:
    """The id of the root whose template tells what needs what: the one that stands, or the one that did."""
    return found.id if found else next(iter(left.values())).parent


def lines(session: Session, told: bool, kept: Iterable[str]) -> list[str]:
    """What has happened, and what is kept."""
    gone, none = "is deleted", "does not exist: nothing to tear down"
    head = f"stack {session.name} {gone if told else none}"
    return [head, *(f"  kept by its policy: {one}" for one in kept)]
