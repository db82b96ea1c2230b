"""update: what has changed in templates, parameters and application is brought to what stands."""

from argparse import ArgumentParser, Namespace
from collections.abc import Collection, Iterable, Mapping, Sequence

from aws_vpc import deploy, plan, report
from aws_vpc.commands import network, orphans
from aws_vpc.commands.console import Console
from aws_vpc.commands.create import begun, upload
from aws_vpc.commands.finish import bring, finish
from aws_vpc.commands.options import parameters
from aws_vpc.commands.preflight import preflight
from aws_vpc.commands.request import Request, network_outputs, requested
from aws_vpc.commands.session import Session, begin
from aws_vpc.deploy import ChangeSet, Stack
from aws_vpc.errors import Error, Refused
from aws_vpc.follow import mark

# The outputs of the root that say where the databases are.
PLACES = ("DatabaseAddress", "DatabasePort", "WarehouseAddress", "WarehousePort")


def arguments(parser: ArgumentParser) -> None:
    """The options of update."""
    parameters(parser)
    parser.add_argument(
        "--refresh-images",
        action="store_true",
        help="take the newest machine image and platform, which replaces the web server",
    )
    parser.set_defaults(words=[])
    parser.add_argument("root", nargs="?", metavar="REPO-ROOT", help="the same as --repo-root")


def run(options: Namespace, console: Console) -> int:
    """0 when what stands is as templates and parameters say."""
    request = requested(options, console)
    session = begin(options, console)
    found = session.settled()
    step = plan.step("update", found.status if found else None)
    if step is not plan.Step.UPDATE or not found:
        raise Error(plan.refusal("update", session.name, found.status if found else None))
    left = orphans.orphans(session, found)
    ready = prepare(session, options, request, found)
    if ready.empty and not left:
        return unchanged(session, found, request)
    going = agree(session, found, ready, left)
    order = orphans.needs(left | going, deploy.template(session.cfn, found.id))
    # Before the update: a name that a given up stack still holds may be wanted again.
    tell(session, orphans.remove(session, left, order))
    if ready.empty:
        return finish(session, found, request.web, "updated")
    if not apply(session, options, ready, going):
        return 0
    tell(session, orphans.remove(session, going, order))
    now = deploy.describe(session.cfn, found.id) or found
    return finish(session, now, request.web, "updated", reload=moved(found, now))


def moved(before: Stack, after: Stack) -> bool:
    """True when a database stands elsewhere than before, and so has no rows yet."""
    return any(before.outputs.get(key) != after.outputs.get(key) for key in PLACES)


def tell(session: Session, kept: Iterable[str]) -> None:
    """Tells what is kept of nested stacks that are gone."""
    for one in kept:
        session.console.note(f"kept by its policy: {one}")


def prepare(session: Session, options: Namespace, request: Request, found: Stack) -> ChangeSet:
    """The change set from what stands to what is asked for."""
    declared = request.package.template.parameters
    there = network_outputs(session.cfn, options.network_stack, declared) if options.network_stack else {}
    if request.given or there:
        preflight(session, request, {**found.parameters, **there, **request.given})
    url, places = upload(session, options, request, found.parameters)
    given = there | request.given | places
    return deploy.preview(session.cfn, found, url, given, declared, session.wait())


def unchanged(session: Session, found: Stack, request: Request) -> int:
    """0 when there is nothing to update; a changed application or sample still goes out."""
    console = session.console
    nested = network.outputs(session, found)
    settled = network.settle(session, found, nested)
    item, released = bring(session, found, nested, request.web)
    if released or (item and item.uploaded):
        return finish(session, found, request.web, "released")
    facts = {"status": found.status, "outputs": dict(found.outputs), "network": settled or None}
    console.answer(
        [f"nothing to update: stack {session.name} is as the templates say"],
        report.result("unchanged", session.name, **facts),
    )
    return 0


def agree(session: Session, found: Stack, ready: ChangeSet, left: Mapping[str, Stack]) -> dict[str, Stack]:
    """The nested stacks that go once the root has given them up, when the user agrees to it all.

    A refused change set is deleted.
    """
    console = session.console
    changes = plan.with_deletions(plan.changes(ready.answers))
    console.say(f"changes to stack {session.name}:")
    for line in [*report.change_lines(changes), *report.left_lines(one.name for one in left.values())]:
        console.say(line)
    if ready.note:
        console.note(ready.note)
    going = given_up(session, found, plan.given_up(plan.changes(ready.answers)))
    names = ["/".join(one.path) for one in plan.destroyed(changes)] + [one.name for one in left.values()]
    if not names:
        return going
    try:
        console.confirm(
            f"{len(names)} resources that stand are replaced or deleted: {', '.join(names)}. Go on?",
            destroys=True,
        )
    except (Refused, KeyboardInterrupt):
        if not ready.empty:
            deploy.discard(session.cfn, ready)
        raise
    return going


def given_up(session: Session, found: Stack, logical: Sequence[str]) -> dict[str, Stack]:
    """The nested stacks of these logical ids as they stand."""
    listed = deploy.children(session.cfn, found.id) if logical else {}
    described = {name: deploy.describe(session.cfn, listed[name]) for name in logical if name in listed}
    return {name: one for name, one in described.items() if one}


def apply(session: Session, options: Namespace, ready: ChangeSet, going: Collection[str]) -> bool:
    """True when the update has succeeded, False when it only has begun."""
    watch = mark(session.cfn, ready.stack, session.name)
    deploy.execute(session.cfn, ready)
    if options.no_wait:
        if going:
            session.console.note(f"{', '.join(going)} will be left behind; update, run again, deletes that")
        begun(session, ready.stack, "update")
        return False
    session.console.say(f"updating stack {session.name}")
    session.succeed(watch, "updating")
    return True
