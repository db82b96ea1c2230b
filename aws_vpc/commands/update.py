"""update: what has changed in templates, parameters and application is brought to what stands."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from botocore.exceptions import ClientError

from aws_vpc import databases, deploy, plan, report
from aws_vpc.commands import network, orphans, planning, recovery, removal, stamp, terms
from aws_vpc.commands.console import Console
from aws_vpc.commands.create import begun
from aws_vpc.commands.finish import PLACES, bring, finish
from aws_vpc.commands.freeing import freed
from aws_vpc.commands.options import operation
from aws_vpc.commands.planning import Plan
from aws_vpc.commands.removal import Manner
from aws_vpc.commands.request import Request, requested
from aws_vpc.commands.session import Session, begin
from aws_vpc.deploy import Stack
from aws_vpc.errors import Error


def arguments(parser: ArgumentParser) -> None:
    """The options of update."""
    operation(parser)
    parser.add_argument(
        "--refresh-images",
        action="store_true",
        help="take the newest machine image and platform, which replaces the web server",
    )
    recovery.arguments(parser)
    parser.set_defaults(words=[])
    parser.add_argument("root", nargs="?", metavar="REPO-ROOT", help="the same as --repo-root")


def run(options: Namespace, console: Console) -> int:
    """0 when what stands is as templates and parameters say."""
    if options.cancel:
        return recovery.cancel(begin(options, console))
    request = requested(options, console)
    session = begin(options, console)
    found = recovery.recovered(session, options, session.settled())
    step = plan.step("update", found.status if found else None)
    if step is not plan.Step.UPDATE or not found:
        raise Error(plan.refusal("update", session.name, found.status if found else None))
    try:
        return bring_up(session, options, request, found)
    except ClientError as error:
        if not planning.is_overtaken(error):
            raise
        console.say(f"another run has begun to change stack {session.name} since this was planned")
        now = session.settled()
        return bring_up(session, options, request, now or found)


def bring_up(session: Session, options: Namespace, request: Request, found: Stack) -> int:
    """0 when the plan from what stands to what is asked for has been applied, or there is nothing to do."""
    asked = planning.examine(session, options, request, found)
    settled = stamp.stamped(session, found, request, asked.where.bucket)
    drawn = planning.draw_up(session, options, request, found, asked, settled=settled)
    if options.dry_run:
        planning.report_only(session, drawn)
        return 0
    if drawn.empty:
        changed = terms.settle(session, options, request, found)
        return unchanged(session, found, request, settled=settled, changed=bool(changed))
    planning.show(session, drawn)
    planning.agree(session, drawn, f"Apply this to stack {session.name}?")
    return carry_out(session, options, request, found, drawn)


def carry_out(session: Session, options: Namespace, request: Request, found: Stack, drawn: Plan) -> int:
    """0 when the plan has been applied, or with --no-wait has begun."""
    order = orphans.needs(
        {**drawn.left, **drawn.going}, deploy.template(session.cfn, found.id) if drawn.gone else ""
    )
    manner = Manner(role=options.role_arn or "")
    # Before the update: a name that a given up stack still holds may be wanted again.
    tell(session, removal.remove(session, drawn.left, order, manner))
    removal.sweep(session, drawn.astray)
    if drawn.ready.empty:
        return finish(session, found, request.web, "updated")
    stake = removal.at_stake(session, found.id, drawn.changes)
    before = databases.snapshots(session.aws.client, stake)
    with freed(session, drawn.changes):
        if not apply(session, options, drawn):
            return 0
    after = databases.snapshots(session.aws.client, stake)
    tell(session, [str(one) for one in after if one not in before])
    tell(session, removal.remove(session, drawn.going, order, manner))
    removal.sweep(session, orphans.astray(session, found))
    now = deploy.describe(session.cfn, found.id) or found
    terms.settle(session, options, request, now)
    return finish(session, now, request.web, "updated", reload=moved(found, now))


def moved(before: Stack, after: Stack) -> bool:
    """True when a database stands elsewhere than before, and so has no rows yet."""
    return any(before.outputs.get(key) != after.outputs.get(key) for key in PLACES)


def tell(session: Session, kept: Iterable[str]) -> None:
    """Tells what is kept of nested stacks that are gone."""
    for one in kept:
        session.console.note(f"kept by its policy: {one}")


def unchanged(session: Session, found: Stack, request: Request, *, settled: bool, changed: bool) -> int:
    """0 when there is nothing to update; a changed application or sample still goes out."""
    console = session.console
    settings: list[str] = []
    if not settled:
        nested = network.outputs(session, found)
        settings = network.settle(session, found, nested)
        item, released = bring(session, found, nested, request.web)
        if released or (item and item.uploaded):
            return finish(session, found, request.web, "released")
        stamp.stamp(session, found, request.web.key)
    facts = {"status": found.status, "outputs": dict(found.outputs), "network": settings or None}
    console.answer(
        [f"nothing to update: stack {session.name} is as the templates say"],
        report.result("settings" if changed else "unchanged", session.name, **facts),
    )
    return 0


def apply(session: Session, options: Namespace, drawn: Plan) -> bool:
    """True when the update has succeeded, False when it only has begun."""
    watch = planning.begin(session, drawn)
    if options.no_wait:
        if drawn.going:
            names = ", ".join(drawn.going)
            session.console.note(f"{names} will be left behind; update, run again, deletes that")
        begun(session, watch.stack_id, "update")
        return False
    session.console.say(f"updating stack {session.name}")
    session.succeed(watch, "updating")
    return True
