"""What every command begins with: the account, the stack's name, the folders, the deadline."""

import os
from argparse import Namespace
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_vpc import account_guard, aws, deploy, events, follow, inputs, plan
from aws_vpc.commands.console import Console
from aws_vpc.deploy import Stack
from aws_vpc.diagnosis import Attempt, paragraph
from aws_vpc.errors import DeployFailed, LocalError, Refused, UsageError
from aws_vpc.follow import Watch
from aws_vpc.inputs import stack_name
from aws_vpc.local import control
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
    state: Path
    expected: str = ""  # the account that the user names
    known: dict[str, str] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)  # what was deployed last, if anything was
    planned: dict[str, Any] = field(default_factory=dict)  # the plan that was carried out, for --json

    @property
    def cfn(self) -> Any:
        return self.aws.client("cloudformation")

    @property
    def account(self) -> str:
        """The account that the credentials belong to; a stack's ARN tells it without another call."""
        if "account" not in self.known:
            self.known["account"] = self.aws.account()
        return self.known["account"]

    def guard(self) -> None:
        """Returns unless this is another account than the stack's; Refused names both."""
        wanted = self.expected or account_guard.remembered(self.state, self.aws.region, self.name)
        if wanted and wanted != self.account:
            said = "--expect-account names" if self.expected else f"stack {self.name} was created in"
            raise Refused(
                f"these credentials belong to account {self.account}, and {said} {wanted};"
                " nothing has been changed: take other credentials, or give --expect-account"
            )

    def remember_account(self, account: str | None = None) -> None:
        """Returns when the stack's account is remembered for the next time; an empty one is forgotten."""
        told = self.account if account is None else account
        account_guard.remember(self.state, self.aws.region, self.name, told)

    def wait(self) -> Wait:
        """A wait that ends when the user's patience does."""
        return Wait.seconds(self.minutes * 60)

    def watch(self, *watches: Watch) -> list[events.Event]:
        """The events of what is going on in stacks, shown while they come, once it has ended."""
        self.console.going_on = (
            f"the operation on stack {self.name} goes on in AWS; the same command, run again, follows it,"
            " and `update --cancel` stops an update"
        )
        seen = self.console.watch(follow.follow(self.cfn, watches, self.wait()))
        self.console.going_on = ""
        return seen

    def settled(self) -> Stack | None:
        """The stack after an operation that is already going on has ended, or None.

        Refused when it is another account's than it has to be.
        """
        found = deploy.describe(self.cfn, self.name)
        if found:
            self.known["account"] = found.account
        self.guard()
        while found and plan.step("teardown", found.status) is plan.Step.ATTACH:
            self.console.say(f"stack {self.name} is {found.status}: following what is already going on")
            self.watch(follow.attach(self.cfn, found.id, self.name))
            found = deploy.describe(self.cfn, self.name)
        return found

    def why(self, seen: list[events.Event]) -> str:
        """Why an operation failed, in one paragraph."""
        return paragraph(self.name, seen, self.attempts[-1] if self.attempts else None)

    def succeed(self, watch: Watch, what: str, good: Container[str] = events.SUCCESS) -> list[events.Event]:
        """The events of an operation that has succeeded; DeployFailed names why not, and the way on."""
        seen = self.watch(watch)
        found = deploy.describe(self.cfn, watch.stack_id)
        status = found.status if found else "DELETE_COMPLETE"
        if status not in good:
            told = self.why(seen)
            way_on = plan.next_step(self.name, status)
            raise DeployFailed(f"{what} stack {self.name} failed ({status}): {told}; {way_on}")
        return seen


def begin(options: Namespace, console: Console, *, start: bool = False) -> Session:
    """The session that the options describe; with --local the embedded AWS is started or has to run."""
    name, expected = stack_name(options.stack_name), inputs.account(options.expect_account)
    inputs.role_arn(getattr(options, "role_arn", None))
    keep = getattr(options, "keep", False)
    for option, given in (("--name", getattr(options, "name", None)), ("--keep", keep)):
        if given and not options.local:
            raise UsageError(f"{option} is for the embedded AWS: it needs --local")
    if options.local:
        delay = getattr(options, "delay", None)
        use_local(started(console, delay, keep=keep) if start else running())
    elif getattr(options, "delay", None) is not None:
        raise UsageError("--delay is for the embedded AWS: add --local, or leave it out")
    session = Session(
        aws=aws.connect(options.region, options.profile, options.timeout * 60),
        console=console,
        name=name,
        root=Path(options.repo_root or ROOT).expanduser(),
        minutes=options.timeout,
        state=control.folder() if options.local else account_guard.folder(os.environ),
        expected=expected,
    )
    if session.expected:
        session.guard()
    return session


def started(console: Console, delay: float | None = None, *, keep: bool = False) -> control.Facts:
    """The facts of the embedded AWS, started where it does not run, with the state that it has kept."""
    folder = control.folder()
    if control.facts(folder) is None:
        console.say("starting the embedded AWS" + (" with its kept state" if control.kept(folder) else ""))
    return control.start(folder, delay=delay, keep=keep)


def running() -> control.Facts:
    """The facts of the embedded AWS, which has to run."""
    facts = control.facts(control.folder())
    if facts is None:
        raise LocalError(absent())
    return facts


def absent() -> str:
    """What is said where the embedded AWS does not run."""
    if control.kept(control.folder()):
        return "the embedded AWS does not run; `python -m aws_vpc local start` brings its kept state back"
    others = [name for name in control.names() if control.facts(control.folder_of(name)) is not None]
    hint = f" (others do: {', '.join(name or 'the one without a name' for name in others)})" if others else ""
    return f"the embedded AWS does not run{hint}; ./create_stacks.sh --local starts it"


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
