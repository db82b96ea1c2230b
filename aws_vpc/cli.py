"""The command line: parses, hands over to commands/, turns errors into one line and an exit status.

0 done or nothing to do   1 failed   2 wrong usage   3 the answer is no   130 interrupted
"""

import argparse
import importlib
import io
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, NoReturn

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    TokenRetrievalError,
)

from aws_vpc import doctor
from aws_vpc.commands.console import Console, close_stdout
from aws_vpc.commands.options import choose, common
from aws_vpc.errors import Error, UsageError

CLOCK = r"Signature (expired|not yet current)"
BEGUN = "what has begun goes on, and the same command, run again, follows it"
EXIT = "Exit status: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 the answer is no, 130 interrupted."


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all others, and whose options are written out.

    create_stacks.sh has to know which options take a value, to tell the password from it.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **more})

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; `{self.prog} --help` tells the usage")


@dataclass(frozen=True)
class Command:
    """A module of commands/, whose `arguments` adds the options and whose `run` does it, and its one line."""

    module: str
    line: str


COMMANDS = {
    "create": Command("create", "make the whole system, release the pages, load the sample data"),
    "update": Command("update", "bring changed templates, parameters and pages to what stands"),
    "teardown": Command("teardown", "delete the stacks, retained ones included"),
    "status": Command("status", "tell what stands"),
    "load": Command("load", "bring an object or a file into both databases, and follow it"),
    "plan": Command("plan", "tell what create or update would do, and do nothing"),
    "events": Command("events", "tell what happened in the last operation, and why it failed"),
    "drift": Command("drift", "find what has changed outside CloudFormation, and bring it back"),
    "release": Command("release", "put a new version of the pages up"),
    "connect": Command("connect", "lead a port of this machine to the database or the warehouse"),
    "doctor": Command("doctor", "check account, permissions, quotas, endpoint and clock"),
    "validate": Command("validate", "check the templates"),
    "reach": Command("reach", "tell whether one thing can reach another, and what hinders it"),
    "check": Command("check", "hold the network against what intents.yaml asks of it"),
    "matrix": Command("matrix", "tell who reaches whom"),
    "diff": Command("diff", "tell what a change of the network opens or closes"),
    "map": Command("map", "draw the network"),
    "snapshot": Command("snapshot", "keep what an account answers about its network"),
    "local": Command("local", "start, find, ask and stop the embedded AWS"),
}


def module(name: str) -> ModuleType:
    """The module of a command; only that of the command asked for is loaded."""
    return importlib.import_module(f"aws_vpc.commands.{COMMANDS[name].module}")


def parser(name: str) -> Parser:
    """The parser of one command."""
    line = COMMANDS[name].line
    command = module(name)
    told = getattr(command, "EXIT", EXIT)
    made = Parser(prog=f"aws-vpc {name}", description=f"{line[0].upper()}{line[1:]}.", epilog=told)
    common(made)
    command.arguments(made)
    return made


def top() -> Parser:
    """The parser of a line that names no command: it tells which there are."""
    made = Parser(prog="aws-vpc", description=sys.modules["aws_vpc"].__doc__, epilog=EXIT)
    subs = made.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        subs.add_parser(name, help=command.line)
    return made


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options; a command's words and options may come in any order."""
    if not argv or argv[0] not in COMMANDS:
        return top().parse_args(argv)
    options = parser(argv[0]).parse_intermixed_args(argv[1:])
    options.command = argv[0]
    if getattr(options, "root", None):
        options.repo_root = options.root
    return options


def run(options: argparse.Namespace, console: Console) -> int:
    """The exit status of the command in the options."""
    return int(module(options.command).run(options, console))


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status of a command line."""
    open_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a locale without a character shows ? for it
    debug, console = "--debug" in words, Console(json="--json" in words)
    try:
        options = parse(words)
        console.quiet, console.yes = options.quiet, getattr(options, "yes", False)
        choose(getattr(options, "name", None))
        return run(options, console)
    except KeyboardInterrupt:
        tell(f"interrupted; {console.going_on or BEGUN}")
        return 130
    except BrokenPipeError:
        # Whoever read the answer has gone; nothing is wrong with the command.
        close_stdout()
        return 0
    except (Error, ClientError, BotoCoreError) as error:
        if debug:
            raise
        return failed(error, console)


def open_streams() -> None:
    """Opens what leads nowhere in place of a standard stream that is closed.

    The next file that is opened would take its number, and get what is meant for the stream.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def failed(error: Exception, console: Console) -> int:
    """The exit status of an error, after its line."""
    line = sentence(error)
    tell(line)
    status = error.exit_status if isinstance(error, Error) else 1
    if console.json:
        told = {"schema": 1, "action": "failed", "error": line, "exit_status": status}
        print(json.dumps(told, indent=2), flush=True)
    return status


def tell(line: str) -> None:
    """Prints one line on stderr."""
    print(f"aws-vpc: {line}", file=sys.stderr, flush=True)


def sentence(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, ClientError):
        told = clock_sentence(error) or client_sentence(error.response["Error"], error.operation_name)
        return " ".join(told.split())
    if isinstance(error, EndpointConnectionError):
        return f"no answer from {error.kwargs.get('endpoint_url')}; is the Region right, and the network up?"
    if isinstance(error, (NoCredentialsError, TokenRetrievalError)):
        return f"no usable AWS credentials ({error}); run `aws configure` or `aws sso login`, or use --local"
    return " ".join(str(error).split())


def clock_sentence(error: ClientError) -> str:
    """What to do where AWS refuses a signature because of the time in it; empty for any other error."""
    why = error.response["Error"]
    if why.get("Code") != "RequestTimeTooSkewed" and not re.search(CLOCK, why.get("Message", "")):
        return ""
    date = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    found = doctor.clock(date, datetime.now(UTC))
    by = f" ({found.told})" if date else ""
    return f"this machine's clock is wrong{by}; set it, for instance by NTP, and run the same command again"


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
