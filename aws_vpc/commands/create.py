"""create: the whole system stands, is released, holds data; done twice, the second time changes nothing."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from botocore.exceptions import ClientError

from aws_vpc import deploy, master, package, plan, report
from aws_vpc.commands import made
from aws_vpc.commands.console import Console
from aws_vpc.commands.finish import finish
from aws_vpc.commands.options import parameters as parameters_options
from aws_vpc.commands.preflight import preflight
from aws_vpc.commands.request import Request, check_port, need_address, network_outputs, requested
from aws_vpc.commands.session import Session, begin
from aws_vpc.deploy import Stack
from aws_vpc.errors import DeployFailed, Error
from aws_vpc.follow import Watch, mark
from aws_vpc.plan import Step

TAGS = {"Project": "aws-vpc"}
# Nothing of these stands any more, or ever did: deleting the record destroys nothing.
EMPTY = ("ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS")


def arguments(parser: ArgumentParser) -> None:
    """The options of create."""
    parameters_options(parser)
    parser.set_defaults(refresh_images=False)
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
    step = plan.step("create", found.status if found else None)
    if step is Step.REFUSE:
        raise Error(plan.refusal("create", session.name, found.status if found else None))
    if step is Step.NOTHING and found:
        console.say(f"stack {session.name} stands already ({found.status}): nothing to create")
        for line in ignored(request, found):
            console.note(line)
        return finish(session, found, request.web, "unchanged")
    given = parameters(session, options, request)
    preflight(session, request, given)
    if options.local:
        check_port(request)
    agree(session, options, request, found if step is Step.RECREATE else None)
    if step is Step.RECREATE and found:
        remove(session, found)
    stack = make(session, options, request, given)
    if stack is None:
        return 0
    return finish(session, stack, request.web, "created")


def parameters(session: Session, options: Namespace, request: Request) -> dict[str, str]:
    """The parameters of a first create, but for those that the command makes itself."""
    declared = request.package.template.parameters
    there = network_outputs(session.cfn, options.network_stack, declared) if options.network_stack else {}
    return request.defaults | there | request.given


def ignored(request: Request, found: Stack) -> list[str]:
    """What was asked for and is not so, because a create leaves a stack that stands as it is."""
    told = [
        f"{name} stays {found.parameters.get(name)}; ./update_stacks.sh --param {name}={value} changes it"
        for name, value in request.given.items()
        if found.parameters.get(name) != value
    ]
    return [*told, "the master user's name and password stay as they are"] if request.password else told


def agree(session: Session, options: Namespace, request: Request, dead: Stack | None) -> None:
    """Returns when the user agrees that stacks are made, and that what is left of a failed one goes."""
    count = len(request.package.children)
    question = (
        f"Create stack {session.name} with {count} nested stacks in account {session.account},"
        f" {session.aws.region}?"
    )
    if dead:
        question = f"Stack {session.name} is {dead.status}: delete what is left of it and create it again?"
    # What --local makes costs nothing and is this machine's own.
    if not options.local or dead:
        session.console.confirm(question, destroys=dead is not None and dead.status not in EMPTY)


def remove(session: Session, found: Stack) -> None:
    """Returns when a stack that never stood is gone."""
    session.console.say(f"stack {session.name} is {found.status}: deleting it first")
    watch = mark(session.cfn, found.id, session.name)
    deploy.delete(session.cfn, found.id)
    session.succeed(watch, "deleting")


def make(session: Session, options: Namespace, request: Request, asked: Mapping[str, str]) -> Stack | None:
    """The stack once it is complete, or None with --no-wait; a failed create leaves nothing."""
    url, places = upload(session, options, request)
    given = {**asked, **places}
    if request.password:
        secrets = session.aws.client("secretsmanager")
        given["MasterSecret"] = master.put(secrets, session.name, request.username, request.password)
    try:
        stack_id = deploy.create(session.cfn, session.name, url, given, TAGS)
        if options.no_wait:
            begun(session, stack_id, "create")
            return None
        session.console.say(f"creating stack {session.name}")
        session.succeed(Watch(stack_id, (session.name,)), "creating")
    except (DeployFailed, ClientError) as error:
        if is_taken(error):
            return session.settled()
        forget(session, request)
        raise
    return deploy.describe(session.cfn, stack_id)


def is_taken(error: Exception) -> bool:
    """True when another run of the command has begun to make the stack in the meantime."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] == "AlreadyExistsException"


def forget(session: Session, request: Request) -> None:
    """Returns when the secret of a stack that was rolled back is gone, too."""
    found = deploy.describe(session.cfn, session.name)
    if request.password and (found is None or found.status in EMPTY):
        master.remove(session.aws.client("secretsmanager"), session.name)


def begun(session: Session, stack_id: str, action: str) -> None:
    """Tells that an operation goes on by itself."""
    lines = [f"{action} of stack {session.name} has begun; the same command, run again, follows it", stack_id]
    session.console.answer(lines, report.result(f"{action} begun", session.name, stack_id=stack_id))


def upload(
    session: Session, options: Namespace, request: Request, previous: Mapping[str, str] | None = None
) -> tuple[str, dict[str, str]]:
    """The root template's address, and the parameters that the command makes itself; all uploaded."""
    s3, account, previous = session.aws.client("s3"), session.account, previous or {}
    own = f"aws-vpc-artifacts-{account}-{session.aws.region}"
    bucket = options.bucket or previous.get("ArtifactBucket") or own
    root, children = request.package.root, request.package.children
    if not package.exists(s3, bucket, root.key, account):
        if package.ensure_bucket(s3, bucket, session.aws.region, account, ours=bucket == own):
            session.console.say(f"bucket {bucket} made")
        keys = package.upload(s3, bucket, account, [*children, root])
        session.console.say(f"{len(keys)} of {len(children) + 1} templates uploaded to {bucket}")
    base = package.base_url(s3, bucket)
    places = {"TemplateBaseUrl": base, "ArtifactBucket": bucket}
    declared = request.package.template.parameters
    url = f"{base}/{root.key.removeprefix('templates/')}"
    found = made.made(made.Makers(session, request, previous, bucket, options.refresh_images))
    return url, {name: value for name, value in places.items() if name in declared} | found
