"""update: what has changed in templates, parameters and application is brought to what stands."""

from argparse import Namespace

from aws_vpc import deploy, plan, report
from aws_vpc.commands.console import Console
from aws_vpc.commands.create import begun, upload
from aws_vpc.commands.finish import finish, put_data, release_web
from aws_vpc.commands.request import Request, network_outputs, requested
from aws_vpc.commands.session import Session, begin
from aws_vpc.deploy import ChangeSet, Stack
from aws_vpc.errors import Error, Refused
from aws_vpc.follow import mark


def run(options: Namespace, console: Console) -> int:
    """0 when what stands is as templates and parameters say."""
    request = requested(options, console)
    session = begin(options, console)
    found = session.settled()
    step = plan.step("update", found.status if found else None)
    if step is not plan.Step.UPDATE or not found:
        raise Error(plan.refusal("update", session.name, found.status if found else None))
    ready = prepare(session, options, request, found)
    if ready.empty:
        return unchanged(session, found, request)
    agree(session, ready)
    if not apply(session, options, ready):
        return 0
    return finish(session, deploy.describe(session.cfn, found.id) or found, request.web, "updated")


def prepare(session: Session, options: Namespace, request: Request, found: Stack) -> ChangeSet:
    """The change set from what stands to what is asked for."""
    declared = request.package.template.parameters
    network = network_outputs(session.cfn, options.network_stack, declared) if options.network_stack else {}
    url, places = upload(session, options, request, found.parameters.get("ArtifactBucket", ""))
    given = network | request.given | places
    return deploy.preview(session.cfn, found, url, given, declared, session.wait())


def unchanged(session: Session, found: Stack, request: Request) -> int:
    """0 when there is nothing to update; a changed application or sample still goes out."""
    console = session.console
    item = put_data(session, found)
    if release_web(session, found, request.web) or (item and item.uploaded):
        return finish(session, found, request.web, "released")
    console.answer(
        [f"nothing to update: stack {session.name} is as the templates say"],
        report.result("unchanged", session.name, status=found.status, outputs=dict(found.outputs)),
    )
    return 0


def agree(session: Session, ready: ChangeSet) -> None:
    """Returns when the user agrees to the changes; a refused change set is deleted."""
    console = session.console
    changes = plan.changes(ready.answers)
    console.say(f"changes to stack {session.name}:")
    for line in report.change_lines(changes):
        console.say(line)
    if ready.note:
        console.note(ready.note)
    gone = plan.destroyed(changes)
    if not gone:
        return
    names = ", ".join("/".join(one.path) for one in gone)
    try:
        console.confirm(
            f"{len(gone)} resources that stand are replaced or deleted: {names}. Go on?", destroys=True
        )
    except (Refused, KeyboardInterrupt):
        deploy.discard(session.cfn, ready)
        raise


def apply(session: Session, options: Namespace, ready: ChangeSet) -> bool:
    """True when the update has succeeded, False when it only has begun."""
    watch = mark(session.cfn, ready.stack, session.name)
    deploy.execute(session.cfn, ready)
    if options.no_wait:
        begun(session, ready.stack, "update")
        return False
    session.console.say(f"updating stack {session.name}")
    session.succeed(watch, "updating")
    return True
