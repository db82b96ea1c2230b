"""plan: what create or update would do, every property before and after, and nothing done."""

from argparse import ArgumentParser, Namespace

from aws_vpc import plan
from aws_vpc.commands import planning
from aws_vpc.commands.console import Console
from aws_vpc.commands.options import parameters
from aws_vpc.commands.request import need_address, requested
from aws_vpc.commands.session import begin
from aws_vpc.errors import Error
from aws_vpc.plan import Step


def arguments(parser: ArgumentParser) -> None:
    """The options of plan."""
    parameters(parser)
    parser.add_argument("--exit-code", action="store_true", help="exit 3 when something would change")
    parser.add_argument(
        "--refresh-images", action="store_true", help="plan with the newest machine image and platform"
    )
    parser.set_defaults(words=[], express=False, no_rollback=False, stack_policy=None)


def run(options: Namespace, console: Console) -> int:
    """0 after the plan has been told; with --exit-code 3 when it changes something."""
    request = requested(options, console)
    session = begin(options, console)
    found = session.settled()
    status = found.status if found else None
    if plan.step("create", status) is Step.CREATE:
        need_address(options, request)
        found = None
    elif plan.step("update", status) is not Step.UPDATE:
        raise Error(plan.refusal("update", session.name, status))
    asked = planning.examine(session, options, request, found)
    drawn = planning.draw_up(session, options, request, found, asked)
    changes = planning.report_only(session, drawn)
    return 3 if changes and options.exit_code else 0
