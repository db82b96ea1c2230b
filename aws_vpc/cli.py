"""The command line: parses, hands over to commands/, turns errors into one line and an exit status.

0 done or nothing to do   1 failed   2 wrong usage   3 the answer is no   130 interrupted
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    TokenRetrievalError,
)

from aws_vpc.commands.console import Console
from aws_vpc.errors import Error, UsageError

STACK = "Nested-RDS-Redshift-EC2-VPC"
EXIT = "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 the answer is no, 130 interrupted."
# command: (module in commands/, function, one line, its own arguments)
Adder = Callable[[argparse.ArgumentParser], None]


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all others, and whose options are written out.

    create_stacks.sh has to know which options take a value, to tell the password from it.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **more})

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; `{self.prog} --help` tells the usage")


def common(parser: argparse.ArgumentParser) -> None:
    """The options that every command has."""
    parser.add_argument("--json", action="store_true", help="print the answer as one JSON object")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parser.add_argument("--debug", action="store_true", help="let an error's traceback through")


def stack(parser: argparse.ArgumentParser) -> None:
    """The options of every command that reads a stack."""
    parser.add_argument("--local", action="store_true", help="use the embedded AWS on this machine")
    parser.add_argument("--stack-name", default=STACK, metavar="NAME", help="root stack (%(default)s)")
    parser.add_argument("--region", help="Region, instead of the configured one")
    parser.add_argument("--profile", help="profile of the AWS configuration")
    parser.add_argument("--repo-root", metavar="PATH", help="where templates/, eb-flask/ and data/ are")
    parser.add_argument(
        "--timeout", type=float, default=90, metavar="MINUTES", help="how long to wait (%(default)s)"
    )


def change(parser: argparse.ArgumentParser) -> None:
    """The options of every command that changes a stack."""
    stack(parser)
    parser.add_argument("--yes", action="store_true", help="answer every question with yes")
    parser.add_argument("--no-wait", action="store_true", help="begin, and do not wait for the end")


def parameters(parser: argparse.ArgumentParser) -> None:
    """The options of every command that gives parameters to the root stack."""
    change(parser)
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="a parameter, as often as needed"
    )
    parser.add_argument("--params", metavar="FILE", help="parameters in a YAML or JSON file; --param wins")
    parser.add_argument("--bucket", metavar="NAME", help="bucket for templates and web bundles")
    parser.add_argument("--network-stack", metavar="NAME", help="build in this stack's network")


def create(parser: argparse.ArgumentParser) -> None:
    parameters(parser)
    parser.set_defaults(refresh_images=False)
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="none, or USERNAME PASSWORD ADDRESS REPO-ROOT [NAT] [ELASTIC-IP]: master user (password - is"
        " read from standard input), the address that may open the page (a.b.c.d/24, /32 or bare),"
        " true or false",
    )


def update(parser: argparse.ArgumentParser) -> None:
    parameters(parser)
    parser.add_argument(
        "--refresh-images",
        action="store_true",
        help="take the newest machine image and platform, which replaces the web server",
    )
    parser.set_defaults(words=[])
    parser.add_argument("root", nargs="?", metavar="REPO-ROOT", help="the same as --repo-root")


def validate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repo-root", metavar="PATH", help="where templates/ is")
    parser.add_argument("files", nargs="*", metavar="FILE", help="templates; without one, all of templates/")


def local(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["start", "stop", "status", "env", "logs"], help="what to do")
    parser.add_argument("log", nargs="?", metavar="NAME", help="logs: which one; without it, the names")
    parser.add_argument("--follow", action="store_true", help="logs: go on as lines come")


COMMANDS: dict[str, tuple[str, str, str, Adder]] = {
    "create": ("create", "run", "make the whole system, release the pages, load the sample data", create),
    "update": ("update", "run", "bring changed templates, parameters and pages to what stands", update),
    "teardown": ("teardown", "run", "delete the stacks, retained ones included", change),
    "status": ("stacks", "status", "tell what stands", stack),
    "validate": ("validate", "run", "check the templates", validate),
    "local": ("local", "run", "start, find, ask and stop the embedded AWS", local),
}


def parsers() -> tuple[Parser, dict[str, Parser]]:
    """The parser of the whole line, and that of each command."""
    top = Parser(prog="aws-vpc", description=sys.modules["aws_vpc"].__doc__, epilog=EXIT)
    subs = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    found = {}
    for name, (_, _, line, add) in COMMANDS.items():
        parser = subs.add_parser(name, help=line, description=f"{line[0].upper()}{line[1:]}.", epilog=EXIT)
        common(parser)
        add(parser)
        found[name] = parser
    return top, found


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options; a command's words and options may come in any order."""
    top, commands = parsers()
    if not argv or argv[0] not in commands:
        return top.parse_args(argv)
    options = commands[argv[0]].parse_intermixed_args(argv[1:])
    options.command = argv[0]
    if getattr(options, "root", None):
        options.repo_root = options.root
    return options


def run(options: argparse.Namespace, console: Console) -> int:
    """The exit status of the command in the options."""
    module, function, _, _ = COMMANDS[options.command]
    found = importlib.import_module(f"aws_vpc.commands.{module}")
    return int(getattr(found, function)(options, console))


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status of a command line."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug, console = "--debug" in words, Console(json="--json" in words)
    try:
        options = parse(words)
        console.quiet, console.yes = options.quiet, getattr(options, "yes", False)
        return run(options, console)
    except KeyboardInterrupt:
        tell("interrupted; what has begun goes on, and the same command, run again, follows it")
        return 130
    except BrokenPipeError:
        # Whoever read the answer has gone; nothing is wrong with the command.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Error, ClientError, BotoCoreError) as error:
        if debug:
            raise
        return failed(error, console)


def failed(error: Exception, console: Console) -> int:
    """The exit status of an error, after its line."""
    line = sentence(error)
    tell(line)
    status = error.exit_status if isinstance(error, Error) else 1
    if console.json:
        print(json.dumps({"schema": 1, "action": "failed", "error": line, "exit_status": status}, indent=2))
    return status


def tell(line: str) -> None:
    """Prints one line on stderr."""
    print(f"aws-vpc: {line}", file=sys.stderr, flush=True)


def sentence(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, ClientError):
        return " ".join(client_sentence(error.response["Error"], error.operation_name).split())
    if isinstance(error, EndpointConnectionError):
        return f"no answer from {error.kwargs.get('endpoint_url')}; is the Region right, and the network up?"
    if isinstance(error, (NoCredentialsError, TokenRetrievalError)):
        return f"no usable AWS credentials ({error}); run `aws configure` or `aws sso login`, or use --local"
    return " ".join(str(error).split())


def client_sentence(why: dict[str, Any], operation: str) -> str:
    """An answer of AWS that refuses, and the next step where one is known."""
    code, message = why.get("Code", ""), why.get("Message", "")
    if code in {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}:
        return f"the AWS credentials have expired ({code}); renew them and run the same command again"
    if code in {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "AuthFailure",
        "SignatureDoesNotMatch",
    }:
        return f"AWS does not accept the credentials ({code}): {message}"
    return f"{operation} was refused ({code}): {message}"


if __name__ == "__main__":
    sys.exit(main())
