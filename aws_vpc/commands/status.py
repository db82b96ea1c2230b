"""status: what stands."""

from argparse import ArgumentParser, Namespace

from aws_vpc import deploy, leftovers, plan, report
from aws_vpc.commands import orphans
from aws_vpc.commands.console import Console
from aws_vpc.commands.options import stack
from aws_vpc.commands.session import Session, begin
from aws_vpc.deploy import Stack


def arguments(parser: ArgumentParser) -> None:
    """The options of status."""
    stack(parser)


def run(options: Namespace, console: Console) -> int:
    """0 when the stack stands, 3 when there is none."""
    session = begin(options, console)
    found = deploy.describe(session.cfn, session.name)
    listed = deploy.children(session.cfn, found.id) if found else {}
    left = deploy.left_behind(session.cfn, session.name, set(listed.values()))
    if found is None and not left:
        return gone(session)
    described = {logical: deploy.describe(session.cfn, one) for logical, one in listed.items()}
    states = {logical: one.status for logical, one in described.items() if one}
    astray = {one.name: one.status for one in left.values()}
    astray |= {one.name: f"{one.type} {one.id}" for one in orphans.astray(session, found)}
    own = found.status if found else "DELETED, children left behind"
    outputs = dict(found.outputs) if found else {}
    rows = [[session.name, own], *map(list, states.items())]
    rows += [[name, f"{state}, LEFT BEHIND and still paid for"] for name, state in astray.items()]
    told = [*report.table(rows, ""), *report.output_lines(outputs)]
    if astray:
        told.append(f"{'update or teardown' if found else 'teardown'} deletes what is left behind")
    told += way_on(found)
    facts = {"status": own, "stacks": states, "left_behind": astray or None, "outputs": outputs}
    console.answer(told, report.result("status", session.name, **facts))
    return 0


def way_on(found: Stack | None) -> list[str]:
    """The command that goes on from a status in which a stack does not rest."""
    if found is None or found.status in plan.SETTLED:
        return []
    if plan.step("update", found.status) is plan.Step.ATTACH:
        return ["an operation goes on: any command follows it, and `update --cancel` stops an update"]
    step = plan.next_step(found.name, found.status)
    return [step if found.status == plan.PLANNED else f"`events` tells why; {step}"]


def gone(session: Session) -> int:
    """3 after what a stack that does not stand has left has been told."""
    kept = leftovers.leftovers(session.aws.client, session.name)
    told = [f"stack {session.name} does not exist", *(f"  kept: {one}" for one in kept)]
    session.console.answer(told, report.result("status", session.name, stacks={}, kept=kept or None))
    return 3
