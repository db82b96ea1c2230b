"""Nested stacks that a root has given up: found, and what needs what of them; nothing is paid for unseen.

A switch turned off takes a child out of the root; its policy keeps it, and nobody sees it any more but here.
"""

from collections.abc import Mapping

from aws_vpc import deploy, plan, stranded
from aws_vpc.commands.session import Session
from aws_vpc.deploy import Stack
from aws_vpc.stranded import Stranded
from aws_vpc.template import load


def orphans(session: Session, found: Stack | None) -> dict[str, Stack]:
    """The nested stacks that stand and that the root, where there is one, has no more."""
    own = set(deploy.children(session.cfn, found.id).values()) if found else set()
    return deploy.left_behind(session.cfn, session.name, own)


def astray(session: Session, found: Stack | None) -> list[Stranded]:
    """What the cleanup of an update of the root or of its nested stacks could not delete."""
    stacks = {"": found.id, **deploy.children(session.cfn, found.id)} if found else {}
    return stranded.find(session.cfn, session.aws.client("ec2"), stacks)


def needs(stacks: Mapping[str, Stack], template: str = "") -> dict[str, set[str]]:
    """Which stack needs which: as the root's template says, and as their parameters and outputs show."""
    graph = load(template).graph if template else {}
    seen = plan.uses({name: (one.parameters, one.outputs) for name, one in stacks.items()})
    return {name: seen.get(name, set()) | set(graph.get(name, ())) for name in {*graph, *seen}}
