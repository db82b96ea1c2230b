"""What the stacks that are to be deleted hold, read before anybody is asked."""

from collections.abc import Iterable, Mapping

from aws_vpc import buckets, deploy
from aws_vpc.commands.session import Session
from aws_vpc.deploy import Stack
from aws_vpc.events import STACK
from aws_vpc.plan import PLANNED
from aws_vpc.remains import BUCKET, Resource, policy
from aws_vpc.template import load


def inventory(session: Session, stacks: Mapping[str, Stack]) -> list[Resource]:
    """The resources in stacks, given by the logical path at which each stands, nested stacks left out."""
    return [one for path, stack in stacks.items() for one in held(session, path, stack)]


def held(session: Session, path: str, stack: Stack) -> Iterable[Resource]:
    """The resources of one stack that stand; an error where its template is unreadable."""
    if stack.status == PLANNED:
        return
    template = load(deploy.template(session.cfn, stack.id)).resources
    for below, member in deploy.own_resources(session.cfn, stack.id):
        if member["ResourceType"] == STACK or member["ResourceStatus"] == "DELETE_COMPLETE":
            continue
        kind, physical = member["ResourceType"], member.get("PhysicalResourceId", "")
        objects = buckets.count(session.aws.client("s3"), physical) if kind == BUCKET and physical else 0
        where = (*(part for part in path.split("/") if part), below)
        yield Resource(where, kind, physical, policy(template, below), objects)
