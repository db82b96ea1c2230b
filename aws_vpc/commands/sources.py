"""Where a command's network comes from: templates (the project's, unless others are named), a live account, a
snapshot. Shared by reach, check, matrix, map and snapshot."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from aws_vpc.commands.console import Console
from aws_vpc.inputs import assignments, parameter_file
from aws_vpc.network import Network

if TYPE_CHECKING:
    from aws_vpc.aws import Aws

PROJECT = Path(__file__).resolve().parents[2]
REGION = "us-west-2"  # that of the embedded AWS; it only names zones and services


def arguments(parser: ArgumentParser) -> None:
    """The options that say where the network comes from."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--templates",
        metavar="PATH",
        help="a root template, or a folder with nested-stack.yaml; without any of these, the project's own",
    )
    where.add_argument("--live", action="store_true", help="the account that the credentials belong to")
    where.add_argument("--local", action="store_true", help="the embedded AWS on this machine, as it stands")
    where.add_argument(
        "--snapshot", metavar="DIR", help="answers that `snapshot save` or Batfish's layout keeps"
    )
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the root template"
    )
    parser.add_argument("--params", metavar="FILE", help="parameters in a YAML or JSON file; --param wins")
    parser.add_argument("--region", help=f"Region; of templates {REGION}, else the configured one")
    parser.add_argument("--profile", help="profile of the AWS configuration, with --live")


def network(options: Namespace, console: Console) -> Network:
    """The network that the options name; its warnings are told."""
    found = _network(options)
    for warning in found.warnings:
        console.note(warning)
    return found


def _network(options: Namespace) -> Network:
    from aws_vpc import discover

    if options.snapshot:
        return discover.from_snapshot(Path(options.snapshot).expanduser())
    if options.live or options.local:
        return discover.from_live(account(options))
    return discover.from_templates(_templates(options), parameters(options), options.region or REGION)


def account(options: Namespace) -> Aws:
    """The account to ask; with --local the embedded AWS, which has to run."""
    from aws_vpc import aws

    if options.local:
        from aws_vpc.commands.session import running, use_local

        use_local(running())
    return aws.connect(options.region, options.profile)


def stated(options: Namespace) -> dict[str, str]:
    """The values of the root template's parameters: those given, and else its defaults."""
    given = parameters(options)
    if options.snapshot or options.live or options.local:
        return given
    from aws_vpc import discover

    return discover.defaults(_templates(options)) | given


def _templates(options: Namespace) -> Path:
    return Path(options.templates).expanduser() if options.templates else PROJECT / "templates"


def parameters(options: Namespace) -> dict[str, str]:
    """The root template's parameters: those of the file, then those of --param."""
    stored = parameter_file(Path(options.params).expanduser()) if options.params else {}
    return stored | assignments(options.param)
