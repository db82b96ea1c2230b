"""Stacks deleted in the order of their dependencies, and what that leaves: kept resources, snapshots."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aws_vpc import buckets, databases, deploy, plan, stranded
from aws_vpc.commands.session import Session
from aws_vpc.deploy import Stack
from aws_vpc.errors import DeployFailed
from aws_vpc.events import STACK, Event
from aws_vpc.follow import Watch, mark
from aws_vpc.stranded import Stranded


@dataclass(frozen=True)
class Manner:
    """How stacks are deleted: what is retained after a failure, what is emptied, whose role acts."""

    retain: tuple[str, ...] = ()  # logical paths, such as NestedBatchStack/DataBucket
    purge: tuple[str, ...] = ()  # names of buckets
    snapshots: bool = True  # databases leave a final one
    role: str = ""


def remove(
    session: Session, stacks: Mapping[str, Stack], order: Mapping[str, Iterable[str]], manner: Manner
) -> list[str]:
    """What is kept of nested stacks, by logical id, that are deleted now, those that others need last."""
    left = {name: one for name, one in stacks.items() if stands(session, one.id)}
    held = databases.held(session.cfn, [one.id for one in left.values()])
    before = set(databases.snapshots(session.aws.client, held))
    for name in databases.unprotect(session.aws.client("rds"), held):
        session.console.say(f"deletion protection of database {name} turned off")
    ec2, ids = session.aws.client("ec2"), {name: one.id for name, one in left.items()}
    astray = stranded.find(session.cfn, ec2, ids)
    seen: list[Event] = []
    for wave in plan.teardown_order(left, order):
        sweep(session, [one for one in astray if one.owner in wave])
        session.console.say(f"deleting {', '.join(wave)}")
        seen += remove_wave(session, {name: left[name].id for name in wave}, manner)
    made = [one for one in databases.snapshots(session.aws.client, held) if one not in before]
    return [*kept(seen), *settle_snapshots(session, made, manner)]


def sweep(session: Session, found: Sequence[Stranded]) -> None:
    """Returns when what the cleanup of an update could not delete is gone, or told to stand still."""
    if not found:
        return
    names = ", ".join(map(str, found))
    session.console.say(f"deleting what the cleanup of an update could not delete then: {names}")
    for one, why in stranded.remove(session.aws.client("ec2"), found, session.wait()).items():
        session.console.note(f"{one} still stands: {why}; the same command, run again, tries again")


def at_stake(session: Session, stack_id: str, changes: Iterable[plan.Change]) -> list[tuple[str, str]]:
    """The types and names of the databases that changes to a stack delete or may replace."""
    ending = (one for one in changes if one.action == "Remove" or one.replacement != "False")
    names = {one.path[0] for one in ending if one.type in databases.SNAPSHOTS}
    listed = deploy.children(session.cfn, stack_id) if names else {}
    return databases.held(session.cfn, [listed[name] for name in sorted(names & listed.keys())])


def settle_snapshots(session: Session, made: Sequence[databases.Snapshot], manner: Manner) -> list[str]:
    """A line for each final snapshot that stays; without snapshots they are deleted, and no other ones."""
    if manner.snapshots:
        return [str(one) for one in made]
    for one in made:
        databases.delete_snapshot(session.aws.client, one)
        session.console.say(f"{one} deleted")
    return []


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


def purge(session: Session, stack_ids: Iterable[str], manner: Manner) -> None:
    """Returns when the buckets of these stacks that are to be emptied hold nothing."""
    if not manner.purge:
        return
    for stack_id in stack_ids:
        for _, member in deploy.resources(session.cfn, stack_id):
            name = member.get("PhysicalResourceId", "")
            if name in manner.purge:
                count = buckets.empty(session.aws.client("s3"), name, session.account)
                session.console.say(f"bucket {name} emptied of {count} objects")


def remove_wave(session: Session, wave: Mapping[str, str], manner: Manner) -> list[Event]:
    """The events of the deletion of stacks that do not need each other."""
    purge(session, wave.values(), manner)
    seen = delete(session, {f"{session.name}/{name}": one for name, one in wave.items()}, {}, manner)
    failed = {name: one for name, one in wave.items() if stands(session, one)}
    for name, stack_id in list(failed.items()):
        if release(session, (name,), stack_id, manner):
            del failed[name]
    if failed:
        told = session.why(seen)
        way_on = plan.next_step(session.name, "DELETE_FAILED")
        raise DeployFailed(f"deleting {', '.join(failed)} of stack {session.name} failed: {told}; {way_on}")
    return seen


def delete(
    session: Session, stacks: Mapping[str, str], retain: Mapping[str, Sequence[str]], manner: Manner
) -> list[Event]:
    """The events of the deletion of stacks, by name, all at once; `retain` by stack id."""
    watches = []
    for name, stack_id in stacks.items():
        watches.append(Watch(stack_id, (name,), mark(session.cfn, stack_id, "").seen))
        deploy.delete(session.cfn, stack_id, retain.get(stack_id, ()), manner.role)
    return session.watch(*watches)


def release(session: Session, path: tuple[str, ...], stack_id: str, manner: Manner) -> bool:
    """True when a stack whose deletion failed is gone, because the user retains all that blocked it.

    The stack inside which something blocks is deleted first, without it, then the one around it.
    """
    blocked = blockers(session, path, stack_id)
    if not blocked or not all("/".join(one) in manner.retain for one, _ in blocked):
        return False
    retain: dict[str, list[str]] = {stack_id: []}
    for below, owner in sorted(blocked, key=lambda one: -len(one[0])):
        retain.setdefault(owner, []).append(below[-1])
    for owner in sorted(retain, key=lambda one: one == stack_id):
        names = ", ".join(retain[owner]) or "nothing more"
        session.console.say(f"deleting {owner.split('/')[1]} once more, and leaving {names} standing")
        delete(session, {owner.split("/")[1]: owner}, retain, manner)
    return not stands(session, stack_id)


def blockers(session: Session, path: tuple[str, ...], stack_id: str) -> list[tuple[tuple[str, ...], str]]:
    """The paths of the resources that could not be deleted, each with the id of its stack."""
    owners, found = {path: stack_id}, []
    for below, member in deploy.resources(session.cfn, stack_id, path):
        if member["ResourceType"] == STACK and member.get("PhysicalResourceId"):
            owners[below] = member["PhysicalResourceId"]
        elif member["ResourceStatus"] == "DELETE_FAILED":
            found.append((below, owners[below[:-1]]))
    return found
