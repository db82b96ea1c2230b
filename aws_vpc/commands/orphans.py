"""Nested stacks that a root has given up: found, shown, deleted with consent; nothing is paid for unseen.

A switch turned off takes a child out of the root; its policy keeps it, and nobody sees it any more but here.
"""

from collections.abc import Iterable, Mapping

from aws_vpc import databases, deploy, events, plan, report
from aws_vpc.commands.session import Session
from aws_vpc.deploy import Stack
from aws_vpc.errors import DeployFailed
from aws_vpc.events import STACK, Event
from aws_vpc.follow import Watch, mark
from aws_vpc.template import load


def orphans(session: Session, found: Stack | None) -> dict[str, Stack]:
    """The nested stacks that stand and that the root, where there is one, has no more."""
    own = set(deploy.children(session.cfn, found.id).values()) if found else set()
    return deploy.left_behind(session.cfn, session.name, own)


def needs(stacks: Mapping[str, Stack], template: str = "") -> dict[str, set[str]]:
    """Which stack needs which: as the root's template says, and as their parameters and outputs show."""
    graph = load(template).graph if template else {}
    seen = plan.uses({name: (one.parameters, one.outputs) for name, one in stacks.items()})
    return {name: seen.get(name, set()) | set(graph.get(name, ())) for name in {*graph, *seen}}


def remove(session: Session, stacks: Mapping[str, Stack], order: Mapping[str, Iterable[str]]) -> list[str]:
    """What policies have kept of nested stacks that are deleted now, those that others need last."""
    left = {name: one for name, one in stacks.items() if stands(session, one.id)}
    held = databases.held(session.cfn, [one.id for one in left.values()])
    for name in databases.unprotect(session.aws.client("rds"), held):
        session.console.say(f"deletion protection of database {name} turned off")
    seen: list[Event] = []
    for wave in plan.teardown_order(left, order):
        session.console.say(f"deleting {', '.join(wave)}")
        seen += remove_wave(session, {name: left[name].id for name in wave})
    return [*kept(seen), *databases.snapshots(session.aws.client, held)]


def kept(seen: Iterable[Event]) -> list[str]:
    """The resources that a policy keeps, with their physical ids."""
    return [
        f"{'/'.join(event.path)} ({event.type}) {event.physical_id}"
        for event in seen
        if event.status == "DELETE_SKIPPED" and event.type != STACK
    ]


def stands(session: Session, stack_id: str) -> bool:
    """True when the stack is there."""
    found = deploy.describe(session.cfn, stack_id)
    return found is not None and found.status != "DELETE_COMPLETE"


def remove_wave(session: Session, wave: Mapping[str, str]) -> list[Event]:
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
