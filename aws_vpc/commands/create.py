"""create: the whole system stands, is released, holds data; done twice, the second time changes nothing."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from aws_vpc import deploy, master, plan, report
from aws_vpc.commands import planning, terms
from aws_vpc.commands.console import Console
from aws_vpc.commands.finish import finish
from aws_vpc.commands.options import delay_option, operation
from aws_vpc.commands.planning import Asked, Plan
from aws_vpc.commands.request import Request, check_port, need_address, requested
from aws_vpc.commands.session import Session, begin
from aws_vpc.deploy import Stack
from aws_vpc.errors import Error, Refused
from aws_vpc.follow import mark
from aws_vpc.plan import Step

# Nothing of this stands any more: deleting the record destroys nothing.
EMPTY = ("ROLLBACK_COMPLETE",)


def arguments(parser: ArgumentParser) -> None:
    """The options of create."""
    operation(parser)
    delay_option(parser)
    parser.set_defaults(refresh_images=False)
    parser.add_argument(
        "--keep",
        action="store_true",
        help="with --local: keep the state for `local start`",
    )
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="none, or USERNAME PASSWORD ADDRESS REPO-ROOT [NAT] [ELASTIC-IP]: master user (password - is"
        " read from standard input), the address that may open the page (a.b.c.d/24, /32 or bare),"
        " true or false",
    )


def run(options: Namespace, console: Console) -> int:
    """0 when the system stands."""
    request = requested(options, console)
    need_address(options, request)
    session = begin(options, console, start=True)
    found = session.settled()
    status = found.status if found else None
    step = plan.step("create", status)
    if step is Step.REFUSE:
        raise Error(plan.refusal("create", session.name, status))
    if step is Step.NOTHING and found:
        return standing(session, options, request, found)
    asked = planning.examine(session, options, request, None)
    if options.local:
        check_port(request)
    if step is Step.RECREATE and found:
        if options.dry_run:
            raise Refused(f"stack {session.name} is {status}: it has to be deleted before a plan can be made")
        remove(session, found)
    stack = make(session, options, request, asked, agreed=step is Step.RECREATE)
    return 0 if stack is None else finish(session, stack, request.web, "created")


def standing(session: Session, options: Namespace, request: Request, found: Stack) -> int:
    """0 when a stack that stands already has its pages and rows, too."""
    session.console.say(f"stack {session.name} stands already ({found.status}): nothing to create")
    for line in ignored(request, found):
        session.console.note(line)
    terms.settle(session, options, request, found)
    return finish(session, found, request.web, "unchanged")


def ignored(request: Request, found: Stack) -> list[str]:
    """What was asked for and is not so, because a create leaves a stack that stands as it is."""
    told = [
        f"{name} stays {found.parameters.get(name) or 'empty'};"
        f" ./update_stacks.sh --param {name}={value} changes it"
        for name, value in request.given.items()
        if found.parameters.get(name) != value
    ]
    return [*told, "the master user's name and password stay as they are"] if request.password else told


def remove(session: Session, found: Stack) -> None:
    """Returns when a stack that never stood is gone, with the user's consent."""
    question = f"Stack {session.name} is {found.status}: delete what is left of it and create it again?"
    session.console.confirm(question, destroys=found.status not in EMPTY)
    session.console.say(f"stack {session.name} is {found.status}: deleting it first")
    watch = mark(session.cfn, found.id, session.name)
    deploy.delete(session.cfn, found.id)
    session.succeed(watch, "deleting")


def make(
    session: Session, options: Namespace, request: Request, asked: Asked, *, agreed: bool
) -> Stack | None:
    """The stack once it is complete, or None when it only was planned, or has only begun."""
    try:
        wanted = with_secret(session, options, request, asked)
        drawn = planning.draw_up(session, options, request, None, wanted)
        if options.dry_run:
            planning.report_only(session, drawn)
            return None
        planning.show(session, drawn)
        if not options.local and not agreed:
            planning.agree(session, drawn, question(session, request))
        return apply(session, options, request, drawn)
    except (Error, BotoCoreError, ClientError, KeyboardInterrupt) as error:
        if planning.is_overtaken(error):
            session.console.say(f"another run has begun to make stack {session.name}: following it")
            return session.settled()
        forget(session, request)
        raise


def with_secret(session: Session, options: Namespace, request: Request, asked: Asked) -> Asked:
    """What is asked for, with the ARN of the secret that now holds the master user's password."""
    if not request.password or options.dry_run:
        return asked
    secrets = session.aws.client("secretsmanager")
    arn = master.put(secrets, session.name, request.username, request.password)
    return replace(asked, parameters=asked.parameters | {"MasterSecret": arn})


def question(session: Session, request: Request) -> str:
    """What is asked before something new is made."""
    count = len(request.package.children)
    where = f"account {session.account}, {session.aws.region}"
    return f"Create stack {session.name} with {count} nested stacks in {where}?"


def apply(session: Session, options: Namespace, request: Request, drawn: Plan) -> Stack | None:
    """The stack once it is complete, or None with --no-wait; a failed create leaves nothing."""
    watch = planning.begin(session, drawn)
    session.remember_account()
    if options.no_wait:
        begun(session, watch.stack_id, "create")
        return None
    session.console.say(f"creating stack {session.name}")
    session.succeed(watch, "creating")
    found = deploy.describe(session.cfn, watch.stack_id)
    if found:
        terms.settle(session, options, request, found)
    return found


def forget(session: Session, request: Request) -> None:
    """Returns when the secret of a stack that does not stand is gone, too; why it stays is a note."""
    if not request.password:
        return
    try:
        found = deploy.describe(session.cfn, session.name)
        if found is None or found.status in EMPTY:
            master.remove(session.aws.client("secretsmanager"), session.name)
    except (BotoCoreError, ClientError) as error:  # the cause of the failure is what has to be told last
        secret = master.secret_name(session.name)
        session.console.note(f"secret {secret} may be left: {error}; the next create or teardown takes it")


def begun(session: Session, stack_id: str, action: str) -> None:
    """Tells that an operation goes on by itself."""
    lines = [f"{action} of stack {session.name} has begun; the same command, run again, follows it", stack_id]
    answer = report.result(f"{action} begun", session.name, stack_id=stack_id, **session.planned)
    session.console.answer(lines, answer)
