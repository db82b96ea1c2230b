"""What is given back before an update, because it would hinder what CloudFormation takes away at its end."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from aws_vpc import addresses, plan
from aws_vpc.commands.session import Session
from aws_vpc.errors import DeployFailed

BLOCK = "AWS::EC2::SubnetCidrBlock"


@contextmanager
def freed(session: Session, changes: Iterable[plan.Change]) -> Iterator[None]:
    """A block in which no instance has addresses that go; after a failed update it has them again."""
    gone = {one.id for one in changes if one.type == BLOCK and one.action == "Remove"}
    ec2 = session.aws.client("ec2")
    held = addresses.held(ec2, gone) if gone else []
    for one in held:
        addresses.give_back(ec2, one)
        session.console.say(f"given back, for its block goes: {one}")
    try:
        yield
    except DeployFailed:
        for one in held:
            addresses.take_again(ec2, one)
        raise
