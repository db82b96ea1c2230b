"""What a stack carries besides its template: termination protection and a stack policy."""

from argparse import Namespace

from aws_vpc import deploy
from aws_vpc.commands.request import Request
from aws_vpc.commands.session import Session
from aws_vpc.deploy import Stack


def settle(session: Session, options: Namespace, request: Request, found: Stack) -> list[str]:
    """A sentence for each setting that was asked for and has been changed now."""
    told = []
    wanted = options.termination_protection
    if wanted is not None and deploy.protect(session.cfn, found, wanted):
        told.append(f"termination protection of stack {found.name} turned {'on' if wanted else 'off'}")
    if request.policy and deploy.set_policy(session.cfn, found.id, request.policy):
        told.append(f"stack policy of {found.name} set from {options.stack_policy}")
    for line in told:
        session.console.say(line)
    return told
