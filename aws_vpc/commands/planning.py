"""The plan of a create or an update: made, shown, agreed to or discarded, applied."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc import change_set, deploy, plan, report, unanswered
from aws_vpc.change_set import ChangeSet, Target, Terms
from aws_vpc.commands import orphans
from aws_vpc.commands.plan_checks import Draft, hold
from aws_vpc.commands.preflight import preflight, standing
from aws_vpc.commands.request import Request, network_outputs
from aws_vpc.commands.session import Session
from aws_vpc.commands.uploading import Place, place, upload
from aws_vpc.deploy import Stack
from aws_vpc.diagnosis import Attempt
from aws_vpc.errors import Refused
from aws_vpc.follow import Watch, mark
from aws_vpc.stranded import Stranded

TAGS = {"Project": "aws-vpc"}
OVERTAKEN = frozenset(
    ["AlreadyExistsException", "InvalidChangeSetStatus", "ChangeSetNotFound", "ChangeSetNotFoundException"]
)
BUSY = ("already exists and cannot be created", "_IN_PROGRESS state and can not be updated")


@dataclass(frozen=True)
class Plan:
    """What is about to be done to a stack, and which nested stacks go with it."""

    ready: ChangeSet
    left: Mapping[str, Stack] = field(default_factory=dict)  # given up by an earlier update
    going: Mapping[str, Stack] = field(default_factory=dict)  # given up by this one
    astray: Sequence[Stranded] = ()  # that an earlier update's cleanup could not delete

    @property
    def changes(self) -> list[plan.Change]:
        """The changes as they end."""
        return plan.with_deletions(plan.changes(self.ready.answers))

    @property
    def empty(self) -> bool:
        return self.ready.empty and not self.left and not self.astray

    @property
    def gone(self) -> bool:
        """True when nested stacks go, which has an order."""
        return bool(self.left or self.going)

    @property
    def behind(self) -> list[tuple[str, str]]:
        """The names and types of what an earlier update has left standing."""
        stacks = sorted((one.name, plan.NESTED) for one in self.left.values())
        return stacks + [(one.name, one.type) for one in self.astray]

    @property
    def destroys(self) -> list[str]:
        """The names of what stands and goes away, or is replaced."""
        gone = ["/".join(one.path) for one in plan.destroyed(self.changes)]
        return gone + [name for name, _ in self.behind]

    def values(self) -> dict[str, Any]:
        """The plan for --json."""
        return {
            "changes": report.change_values(self.changes),
            "deletes_left_behind": [name for name, _ in self.behind] or None,
            "destroys": self.destroys,
        }


@dataclass(frozen=True)
class Asked:
    """What is asked for, once it has passed every check: parameters, and where the templates go."""

    parameters: dict[str, str]
    where: Place


def examine(session: Session, options: Namespace, request: Request, found: Stack | None) -> Asked:
    """What is asked for; UsageError or Refused where parameters or templates cannot be right."""
    before = found.parameters if found else {}
    where = place(session, request, options.bucket, before)
    given = parameters(session, options, request, found)
    new = found is None or bool(given)
    if new:
        preflight(session, request, {**before, **given})
    if not options.skip_checks:
        hold(Draft(session, request, {**before, **given}, new or not where.holds))
    return Asked(given, where)


def draw_up(
    session: Session,
    options: Namespace,
    request: Request,
    found: Stack | None,
    asked: Asked,
    *,
    settled: bool = False,
) -> Plan:
    """The plan from what stands, if anything does, to what is asked for; the templates are uploaded.

    `settled` says that no nested stack can have been left behind.
    """
    before = found.parameters if found else {}
    url, places = upload(session, request, asked.where, before, refresh=options.refresh_images)
    session.attempts.append(
        Attempt(request.package.template, {**before, **asked.parameters, **places}, request.package.files)
    )
    target = Target(
        stack=found.id if found else session.name,
        name=session.name,
        url=url,
        parameters=change_set.previous(
            asked.parameters | places, list(request.package.template.parameters), before
        ),
        kind="UPDATE" if found else "CREATE",
        terms=terms(options, request, found),
    )
    if found and (count := unanswered.clear(session.cfn, found.id)):
        session.console.say(f"plans deleted that a run which has ended left without an answer: {count}")
    ready = change_set.preview(session.cfn, target, session.wait())
    if found is None or (settled and ready.empty):
        return Plan(ready)
    going = given_up(session, found, plan.given_up(plan.changes(ready.answers)))
    left, astray = orphans.orphans(session, found), orphans.astray(session, found)
    return Plan(ready, left, going, astray)


def parameters(session: Session, options: Namespace, request: Request, found: Stack | None) -> dict[str, str]:
    """The parameters that are given, or come from another stack's network; defaults for a first create."""
    declared = request.package.template.parameters
    there = network_outputs(session.cfn, options.network_stack, declared) if options.network_stack else {}
    given = there | request.given
    return (standing(found, declared, given) if found else request.defaults) | given


def terms(options: Namespace, request: Request, found: Stack | None) -> Terms:
    """How the operation is carried out, as the options say; tags of a stack that stands are kept."""
    given = request.tags
    tags = {**(found.tags if found else TAGS), **given} if given or not found else {}
    return Terms(tags, options.role_arn or "", options.express, not options.no_rollback)


def given_up(session: Session, found: Stack, logical: Sequence[str]) -> dict[str, Stack]:
    """The nested stacks of these logical ids as they stand."""
    listed = deploy.children(session.cfn, found.id) if logical else {}
    described = {name: deploy.describe(session.cfn, listed[name]) for name in logical if name in listed}
    return {name: one for name, one in described.items() if one}


def show(session: Session, drawn: Plan, *, whole: bool = False) -> None:
    """Tells what the plan does, on stderr, and what should be known of it."""
    console = session.console
    console.say(f"changes to stack {session.name}:")
    for line in lines(drawn, whole=whole):
        console.say(line)
    for note in drawn.ready.notes:
        console.note(note)


def lines(drawn: Plan, *, whole: bool = False) -> list[str]:
    """The table of a plan."""
    return [*report.change_lines(drawn.changes, whole=whole), *report.left_lines(drawn.behind)]


def agree(session: Session, drawn: Plan, question: str, *, destroys: bool = False) -> None:
    """Returns when the user agrees to the plan; what is refused is discarded.

    Without a terminal only what replaces and deletes nothing goes on.
    """
    names = drawn.destroys
    if names:
        question = f"What stands is replaced or deleted: {', '.join(names)}. Go on?"
    try:
        session.console.confirm(question, destroys=destroys or bool(names))
    except (Refused, KeyboardInterrupt):
        discard(session, drawn)
        raise


def discard(session: Session, drawn: Plan) -> None:
    """Returns when nothing of a plan is left in AWS."""
    change_set.discard(session.cfn, drawn.ready)


def begin(session: Session, drawn: Plan) -> Watch:
    """The watch on the operation that the plan's change set has begun."""
    ready = drawn.ready
    session.planned.update(changed=True, **drawn.values())
    watch = mark(session.cfn, ready.stack, session.name)
    change_set.execute(session.cfn, ready)
    return watch


def report_only(session: Session, drawn: Plan) -> bool:
    """True when the plan changes something; it has been told and discarded."""
    discard(session, drawn)
    console, name = session.console, session.name
    changes = not drawn.empty
    last = f"this is a plan: stack {name} is as it was" if changes else f"nothing to change in stack {name}"
    shown = lines(drawn, whole=True) if changes else []
    console.answer([*shown, last], report.result("planned", name, changed=changes, **drawn.values()))
    return changes


def is_overtaken(error: BaseException) -> bool:
    """True when another run has begun to change the stack since it was planned."""
    if not isinstance(error, ClientError):
        return False
    why = error.response["Error"]
    return why["Code"] in OVERTAKEN or any(text in why["Message"] for text in BUSY)
