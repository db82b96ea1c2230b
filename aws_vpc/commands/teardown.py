"""teardown: what an earlier update gave up, the root, then the children it retained, dependants first."""

from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from aws_vpc import deploy, master, plan, remains, report, vpc_settings
from aws_vpc.commands import orphans, removal
from aws_vpc.commands.console import Console
from aws_vpc.commands.inventory import inventory
from aws_vpc.commands.options import change
from aws_vpc.commands.removal import Manner
from aws_vpc.commands.session import Session, begin, started
from aws_vpc.deploy import Stack
from aws_vpc.errors import DeployFailed, Refused, UsageError
from aws_vpc.local import control
from aws_vpc.remains import End, Fate


def arguments(parser: ArgumentParser) -> None:
    """The options of teardown."""
    change(parser)
    parser.add_argument("--dry-run", action="store_true", help="list what goes and stays; delete nothing")
    parser.add_argument(
        "--purge-data",
        action="store_true",
        help="empty the buckets that go with the stacks",
    )
    parser.add_argument(
        "--no-snapshots", action="store_true", help="delete the databases' final snapshots afterwards"
    )
    parser.add_argument(
        "--retain",
        action="append",
        default=[],
        metavar="RESOURCE",
        help="leave this resource (Nested.../Name) standing where it cannot be deleted",
    )
    parser.add_argument("--role-arn", metavar="ARN", help="role that CloudFormation acts in")
    parser.add_argument(
        "--termination-protection",
        action=BooleanOptionalAction,
        default=None,
        help="set the root's protection; off is needed for it to go",
    )


@dataclass(frozen=True)
class Standing:
    """What there is to delete: the root, its nested stacks, those left behind, and what becomes of it all."""

    root: Stack | None
    own: dict[str, Stack]
    left: dict[str, Stack]
    fates: list[Fate] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        return self.root is None and not self.left

    def ending(self, end: End) -> list[Fate]:
        """The resources that end in one way."""
        return [one for one in self.fates if one.end is end]


def run(options: Namespace, console: Console) -> int:
    """0 when nothing of the stack stands any more; with --local the embedded AWS has ended, too."""
    if options.local and control.kept(control.folder()):
        started(console)
    if options.local and control.facts(control.folder()) is None:
        console.answer(
            ["the embedded AWS does not run: nothing to tear down"],
            report.result("unchanged", options.stack_name),
        )
        return 0
    session = begin(options, console)
    there = look(session, options)
    others = standing(session) if options.local else []
    if options.dry_run:
        return list_only(session, there)
    if there.nothing:
        agree_to_end(session, others)
        kept: list[str] | None = []
    else:
        agree(session, options, there, others)
        kept = remove(session, options, there)
    return 0 if kept is None else conclude(session, options, there, kept, others)


def look(session: Session, options: Namespace) -> Standing:
    """What stands, once what is going on has ended, and what will become of it."""
    root = session.settled()
    left = orphans.orphans(session, root)
    own = children(session, root)
    stacks = {**({"": root} if root else {}), **own, **left}
    retain = options.retain
    found = remains.fates(inventory(session, stacks), purge=options.purge_data, retain=retain)
    if root:
        refuse_unknown(retain, found)
    return Standing(root, own, left, found)


def refuse_unknown(retain: Sequence[str], found: Sequence[Fate]) -> None:
    """Raises UsageError when something is to be left standing that is not there."""
    names = [one.resource.name for one in found]
    for name in retain:
        if name not in names:
            near = get_close_matches(name, names, n=3)
            hint = f"do you mean {', '.join(near)}?" if near else "--dry-run --json lists what there is"
            raise UsageError(f"--retain {name}: there is no such resource; {hint}")


def children(session: Session, found: Stack | None) -> dict[str, Stack]:
    """The nested stacks that the root has."""
    listed = deploy.children(session.cfn, found.id) if found else {}
    described = {logical: deploy.describe(session.cfn, one) for logical, one in listed.items()}
    return {logical: one for logical, one in described.items() if one and one.status != "DELETE_COMPLETE"}


def standing(session: Session) -> list[str]:
    """The other stacks, which end with the embedded AWS."""
    return [one.name for one in deploy.stacks(session.cfn) if not one.parent and one.name != session.name]


def list_only(session: Session, there: Standing) -> int:
    """0 after what goes and what is kept has been told."""
    told = remains.summary(there.fates) if not there.nothing else []
    said = "does not exist" if there.nothing else "is as it was: nothing has been deleted"
    last = f"stack {session.name} {said}"
    values = [one.values() for one in there.fates]
    session.console.answer([*told, last], report.result("planned", session.name, resources=values))
    return 0


def agree_to_end(session: Session, others: list[str]) -> None:
    """Returns when the user agrees that stacks of other names end with the embedded AWS."""
    if others:
        what = f"Stack {session.name} does not exist. End the embedded AWS with {', '.join(others)} in it?"
        session.console.confirm(what, destroys=True)


def agree(session: Session, options: Namespace, there: Standing, others: list[str]) -> None:
    """Returns when the stacks may go, and the user agrees to it."""
    for line in remains.summary(there.fates):
        session.console.say(line)
    root, name = there.root, session.name
    if root and root.protected and options.termination_protection is not False:
        raise Refused(f"stack {name} is protected from termination; --no-termination-protection ends that")
    full = there.ending(End.BLOCKS)
    # With --local everything ends anyway.
    if full and not options.local:
        names = ", ".join(f"{one.resource.name} ({one.resource.objects} objects)" for one in full)
        raise Refused(
            f"buckets that go with the stacks are not empty: {names}; nothing has been changed:"
            " --purge-data empties them, --retain PATH leaves one standing"
        )
    session.console.confirm_name(question(name, there, others), name)


def question(name: str, there: Standing, others: list[str]) -> str:
    """What is asked before stacks go."""
    parts = [", ".join(sorted(there.own))] if there.own else []
    left = ", ".join(sorted(there.left))
    parts += [f"left behind by an earlier update: {left}"] if there.root and left else []
    names = "; ".join(parts) if there.root else left
    what = f"Delete stack {name}" if there.root else f"Delete what stack {name} left behind"
    inside = f" ({names}) and everything in it" if names else ""
    more = f", and end the embedded AWS with {', '.join(others)} in it" if others else ""
    return f"{what}{inside}{more}?"


def remove(session: Session, options: Namespace, there: Standing) -> list[str] | None:
    """What is kept of it all, or None with --no-wait."""
    for line in vpc_settings.remove_paths(session.aws.client("ec2"), session.name):
        session.console.say(line)
    emptied = there.ending(End.BLOCKS) if options.local else there.ending(End.PURGED)
    manner = Manner(
        tuple(options.retain),
        tuple(one.resource.physical_id for one in emptied),
        not options.no_snapshots,
        options.role_arn or "",
    )
    root = there.root
    template = template_of(session, there)
    kept = removal.remove(session, there.left, orphans.needs(there.left, template), manner)
    if root:
        if root.protected:
            deploy.protect(session.cfn, root, False)
        if options.no_wait:
            deploy.delete(session.cfn, root.id, (), manner.role)
            session.console.say(f"deleting stack {session.name} has begun; run again to delete its children")
            return None
        session.console.say(f"deleting stack {session.name}")
        kept += remove_root(session, root, manner)
    return kept + removal.remove(session, there.own, orphans.needs(there.own, template), manner)


def template_of(session: Session, there: Standing) -> str:
    """The template of the root, the one that stands or the one that did; empty where it was only planned."""
    if there.root and there.root.status == plan.PLANNED:
        return ""
    root = there.root.id if there.root else next(iter(there.left.values())).parent
    return deploy.template(session.cfn, root)


def remove_root(session: Session, root: Stack, manner: Manner) -> list[str]:
    """What is kept of the root, which is gone."""
    if root.status == plan.PLANNED:
        deploy.delete(session.cfn, root.id)
        return []
    removal.purge(session, [root.id], manner)
    seen = removal.delete(session, {session.name: root.id}, {}, manner)
    if removal.stands(session, root.id) and not removal.release(session, (), root.id, manner):
        told = session.why(seen)
        way_on = plan.next_step(session.name, "DELETE_FAILED")
        raise DeployFailed(f"deleting stack {session.name} failed (DELETE_FAILED): {told}; {way_on}")
    return removal.kept(seen)


def conclude(
    session: Session, options: Namespace, there: Standing, kept: list[str], others: list[str]
) -> int:
    """0 after the secret is gone, the account forgotten, and the user told what is kept."""
    secret = master.remove(session.aws.client("secretsmanager"), session.name)
    session.remember_account("")
    if options.local:
        control.stop(control.folder())
        control.forget(control.folder())
        within = f", and with it {', '.join(others)}" if others else ""
        session.console.say(f"the embedded AWS has ended{within}")
        kept = []  # what a policy kept there has ended with it
    told = not there.nothing or secret
    answer = report.result("deleted" if told else "unchanged", session.name, kept=kept)
    session.console.answer(lines(session, told, kept), answer)
    return 0


def lines(session: Session, told: bool, kept: Iterable[str]) -> list[str]:
    """What has happened, and what is kept."""
    gone, none = "is deleted", "does not exist: nothing to tear down"
    head = f"stack {session.name} {gone if told else none}"
    return [head, *(f"  kept by its policy: {one}" for one in kept)]
