"""The options that commands share; each command's module adds its own in `arguments`."""

import math
import os
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction

from aws_vpc.inputs import instance_name

STACK = "Nested-RDS-Redshift-EC2-VPC"


def common(parser: ArgumentParser) -> None:
    """The options that every command has."""
    parser.add_argument("--json", action="store_true", help="print the answer as one JSON object")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parser.add_argument("--debug", action="store_true", help="let an error's traceback through")


def stack(parser: ArgumentParser) -> None:
    """The options of every command that reads a stack."""
    parser.add_argument("--local", action="store_true", help="use the embedded AWS on this machine")
    name(parser)
    parser.add_argument("--stack-name", default=STACK, metavar="NAME", help="root stack (%(default)s)")
    parser.add_argument("--region", help="Region, instead of the configured one")
    parser.add_argument("--profile", help="profile of the AWS configuration")
    parser.add_argument("--expect-account", metavar="ID", help="refuse any other account than this one")
    parser.add_argument("--repo-root", metavar="PATH", help="where templates/, eb-flask/ and data/ are")
    parser.add_argument(
        "--timeout", type=minutes, default=90, metavar="MINUTES", help="how long to wait (%(default)s)"
    )


def minutes(text: str) -> float:
    """The minutes that the text says, more than none."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise ArgumentTypeError(f"{text!r} is no number of minutes: give one such as 90 or 0.5")
    return found


def name(parser: ArgumentParser) -> None:
    """The option that tells one embedded AWS from another."""
    parser.add_argument("--name", metavar="NAME", help="the embedded AWS of this name, beside others")


def choose(name: str | None) -> None:
    """Returns when the embedded AWS of the name is the one that is meant from now on."""
    if name is not None:
        os.environ["AWS_VPC_LOCAL_NAME"] = instance_name(name)


def change(parser: ArgumentParser) -> None:
    """The options of every command that changes a stack."""
    stack(parser)
    parser.add_argument("--yes", action="store_true", help="answer every question with yes")
    parser.add_argument("--no-wait", action="store_true", help="begin, and do not wait for the end")


def parameters(parser: ArgumentParser) -> None:
    """The options of every command that gives parameters to the root stack."""
    change(parser)
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter, as often as needed"
    )
    parser.add_argument(
        "--params", metavar="FILE", help="parameters in a YAML or JSON file; --param wins over it"
    )
    parser.add_argument("--bucket", metavar="NAME", help="bucket for templates and web bundles")
    parser.add_argument("--network-stack", metavar="NAME", help="build in this stack's network")
    parser.add_argument("--skip-checks", action="store_true", help="plan although the templates have faults")
    parser.add_argument("--role-arn", metavar="ARN", help="role that CloudFormation acts in")
    parser.add_argument(
        "--tags", action="append", default=[], metavar="NAME=VALUE", help="tags of every stack, with commas"
    )


def operation(parser: ArgumentParser) -> None:
    """The options of create and update: how the operation is carried out."""
    parameters(parser)
    parser.add_argument("--dry-run", action="store_true", help="show the plan, and change no stack")
    parser.add_argument("--stack-policy", metavar="FILE", help="set this stack policy (JSON) on the root")
    parser.add_argument(
        "--termination-protection",
        action=BooleanOptionalAction,
        default=None,
        help="set whether the root may not be deleted",
    )
    parser.add_argument(
        "--express", action="store_true", help="Express mode: done as soon as resources are configured"
    )
    parser.add_argument(
        "--no-rollback", action="store_true", help="on a failure keep what has been made; update goes on"
    )


def delay_option(parser: ArgumentParser) -> None:
    """The pace of an embedded AWS that is started."""
    parser.add_argument(
        "--delay",
        type=delay,
        metavar="FACTOR",
        help="how long the embedded AWS's resources take: 1 as on AWS, 0.01 a hundredth, 0 no time (default)",
    )


def delay(text: str) -> float:
    """The factor that the text says; ArgumentTypeError unless it is a number from 0 to 10."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 10:
        raise ArgumentTypeError(f"{text!r} is no factor: give a number such as 0.01, from 0 to 10")
    return found
