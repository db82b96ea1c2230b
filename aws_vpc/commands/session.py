"""What every command begins with: the account, the stack's name, the folders, the deadline."""

import os
from argparse import Namespace
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from aws_vpc import aws, deploy, events, follow, plan
from aws_vpc.commands.console import Console
from aws_vpc.deploy import Stack
from aws_vpc.errors import DeployFailed, LocalError
from aws_vpc.follow import Watch
from aws_vpc.inputs import stack_name
from aws_vpc.local import control
from aws_vpc.report import failure
from aws_vpc.wait import Wait

ROOT = Path(__file__).resolve().parents[2]
# Settings of the user's that would lead past the embedded AWS.
FOREIGN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CA_BUNDLE")


@dataclass(frozen=True)
class Session:
    """One run of a command against one stack in one account and Region."""

    aws: aws.Aws
    console: Console
    name: str
    root: Path
    minutes: float

    @property
    def cfn(self) -> Any:
        return self.aws.client("cloudformation")

    @cached_property
    def account(self) -> str:
        return self.aws.account()

    def wait(self) -> Wait:
        """A wait that ends when the user's patience does."""
        return Wait.seconds(self.minutes * 60)

    def watch(self, *watches: Watch) -> list[events.Event]:
        """The events of what is going on in stacks, shown while they come, once it has ended."""
        return self.console.watch(follow.follow(self.cfn, watches, self.wait()))

    def settled(self) -> Stack | None:
        """The stack after an operation that is already going on has ended, or None."""
        found = deploy.describe(self.cfn, self.name)
        while found and plan.step("teardown", found.status) is plan.Step.ATTACH:
            self.console.say(f"stack {self.name} is {found.status}: following what is already going on")
            self.watch(follow.attach(self.cfn, found.id, self.name))
            found = deploy.describe(self.cfn, self.name)
        return found

    def succeed(self, watch: Watch, what: str) -> list[events.Event]:
        """The events of an operation that has succeeded; DeployFailed names why it has not."""
        seen = self.watch(watch)
        found = deploy.describe(self.cfn, watch.stack_id)
        status = found.status if found else "DELETE_COMPLETE"
        if not events.succeeded(status):
            reasons = failure(events.causes(seen))
            raise DeployFailed(
                f"{what} stack {self.name} failed ({status}): {reasons};"
                " with that put right, run the same command again"
            )
        return seen


def begin(options: Namespace, console: Console, *, start: bool = False) -> Session:
    """The session that the options describe; with --local the embedded AWS is started or has to run."""
    name = stack_name(options.stack_name)
    if options.local:
        use_local(started(console) if start else running())
    return Session(
        aws=aws.connect(options.region, options.profile),
        console=console,
        name=name,
        root=Path(options.repo_root or ROOT).expanduser(),
        minutes=options.timeout,
    )


def started(console: Console) -> control.Facts:
    """The facts of the embedded AWS, started where it does not run."""
    folder = control.folder()
    if control.facts(folder) is None:
        console.say("starting the embedded AWS")
    return control.start(folder)


def running() -> control.Facts:
    """The facts of the embedded AWS, which has to run."""
    facts = control.facts(control.folder())
    if facts is None:
        raise LocalError("the embedded AWS does not run; ./create_stacks.sh --local starts it")
    return facts


def use_local(facts: control.Facts) -> None:
    """Returns when this process, and what it starts, reach only the embedded AWS."""
    for name in foreign():
        del os.environ[name]
    os.environ.update(local_environment(facts))


def foreign() -> list[str]:
    """The variables now set that would lead past the embedded AWS."""
    return [name for name in os.environ if name in FOREIGN or name.startswith("AWS_ENDPOINT_URL_")]


def local_environment(facts: control.Facts) -> dict[str, str]:
    """What leads to the embedded AWS, past any proxy."""
    without = [one for one in os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")).split(",") if one]
    hosts = ",".join(dict.fromkeys([*without, "127.0.0.1", "localhost"]))
    return {**facts.environment(), "NO_PROXY": hosts, "no_proxy": hosts}
