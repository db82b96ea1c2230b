"""What the user asks for, checked before anything is made: parameters, master user, templates."""

import getpass
import os
import random
import socket
import sys
from argparse import Namespace
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_vpc import deploy, inputs
from aws_vpc.commands.console import Console
from aws_vpc.commands.session import ROOT
from aws_vpc.errors import Error, UsageError
from aws_vpc.loader_image import source
from aws_vpc.package import Artifact, Package, bundle, package

FORM = "create_stacks.sh USERNAME PASSWORD ADDRESS REPO-ROOT [NAT] [ELASTIC-IP]"
PASSWORD = "AWS_VPC_MASTER_PASSWORD"
VARIABLE = "AWS_VPC_PARAM_"
RESERVED_PORTS = range(20000, 32768)  # below those that Linux and macOS give to whoever asks for any
CLIENTS = {"WebIngressCidr": 4, "WebIngressCidrIpv6": 6}  # and the family of their addresses
# Made by the command itself, never asked for.
OWN = ("TemplateBaseUrl", "ArtifactBucket", "LoaderVersion", "WebBundle")


@dataclass(frozen=True)
class Request:
    """Parameters that were given, defaults for a first create, the master user, and what is packaged."""

    given: dict[str, str]
    defaults: dict[str, str]
    username: str
    password: str
    package: Package
    web: Artifact
    loader: Artifact
    tags: dict[str, str] = field(default_factory=dict)
    policy: str = ""  # of the stack, as JSON


def requested(options: Namespace, console: Console) -> Request:
    """The request in the options, every value of it checked against the rules and the root template."""
    username, password, positional = positionals(options, console)
    inputs.stack_name(options.stack_name)
    if options.bucket:
        inputs.bucket_name(options.bucket)
    root = Path(options.repo_root or ROOT).expanduser()
    if options.repo_root and not (root / "templates").is_dir():
        raise UsageError(f"--repo-root {options.repo_root}: there is no folder templates in it")
    packaged, web = package(root / "templates"), bundle(root / "eb-flask")
    given = {**environment(), **positional, **from_file(options)}
    given |= inputs.assignments(options.param)
    given |= clients(given, console)
    declared = packaged.template.parameters
    inputs.check_known(given, [name for name in declared if name not in OWN], "nested-stack.yaml")
    for name, value in given.items():
        inputs.check_value(name, declared[name], value)
    return Request(
        given,
        defaults(options, declared),
        username,
        password,
        packaged,
        web,
        loader_source(root),
        inputs.tags(options.tags),
        inputs.stack_policy(options.stack_policy),
    )


def clients(given: dict[str, str], console: Console) -> dict[str, str]:
    """The blocks of the addresses that may open the page, of those parameters that are given."""
    blocks = {}
    for name in (name for name in CLIENTS if name in given):
        blocks[name], remark = inputs.web_ingress(given[name], CLIENTS[name])
        if remark:
            console.note(remark)
    return blocks


def loader_source(root: Path) -> Artifact:
    """The source of the loader's image, of this checkout where the repository root has none of its own."""
    own = (root / "aws_vpc" / "loader" / "Dockerfile").exists()
    return source(root if own else ROOT)


def environment() -> dict[str, str]:
    """The parameters in variables AWS_VPC_PARAM_<name>; a misspelt one is told like any other."""
    names = [name for name in os.environ if name.startswith(VARIABLE)]
    return {name.removeprefix(VARIABLE): os.environ[name] for name in names}


def from_file(options: Namespace) -> dict[str, str]:
    """The parameters in the file of --params."""
    return inputs.parameter_file(Path(options.params).expanduser()) if options.params else {}


def defaults(options: Namespace, declared: dict[str, Any]) -> dict[str, str]:
    """What --local gives a first create: the page is for this machine only, on a port that is free."""
    if not options.local:
        return {}
    found = {"WebIngressCidr": "127.0.0.1/32", "WebPort": str(free_port())}
    return {name: value for name, value in found.items() if name in declared}


def free_port() -> int:
    """A port on loopback that nobody has, of those that no system gives out: it is bound much later."""
    for port in random.sample(RESERVED_PORTS, len(RESERVED_PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise Error(f"no port from {RESERVED_PORTS.start} to {RESERVED_PORTS.stop - 1} is free on this machine")


def check_port(request: Request) -> None:
    """Raises UsageError when the page cannot have its port on this machine."""
    port = (request.defaults | request.given).get("WebPort")
    if port is None:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            raise UsageError(
                f"--param WebPort={port}: {error.strerror} on this machine; give another or none"
            ) from None


def positionals(options: Namespace, console: Console) -> tuple[str, str, dict[str, str]]:
    """Master user name, password and parameters of the positional form; empty without it."""
    words: list[str] = options.words
    secret = os.environ.pop(PASSWORD, None)
    if not words:
        return "", "", {}
    if not 4 <= len(words) <= 6:
        raise UsageError(f"{len(words)} positional arguments; the form is {FORM}")
    username, word, address, root, nat, elastic = [*words, "true", "true"][:6]
    username = inputs.username(username)
    inputs.web_ingress(address)
    switches = {"NatGateway": inputs.boolean(nat, "NAT"), "ElasticIp": inputs.boolean(elastic, "ELASTIC-IP")}
    password = inputs.password(read_password(word, secret, console))
    options.repo_root = root
    if not (Path(root).expanduser() / "templates").is_dir():
        raise UsageError(f"REPO-ROOT {root!r} has no folder templates; the form is {FORM}")
    return username, password, {"WebIngressCidr": address} | switches


def read_password(word: str, secret: str | None, console: Console) -> str:
    """The password: `-` stands for the environment's, the terminal's without echo, or standard input's."""
    if word != "-":
        console.note(
            "a password on the command line can be read in the process list;"
            " give - instead and type it or pipe it in"
        )
        return word
    if secret is not None:
        return secret
    if sys.stdin.isatty():
        return getpass.getpass("Master password: ")
    return sys.stdin.readline().rstrip("\n")


def need_address(options: Namespace, request: Request) -> None:
    """Raises UsageError when a create outside this machine does not say who may open the page."""
    if not options.local and "WebIngressCidr" not in request.given:
        raise UsageError(
            "the address that may open the web page is missing: give --param WebIngressCidr=a.b.c.d/32,"
            f" or the form {FORM}, or --local to run everything on this machine"
        )


def network_outputs(cfn: Any, name: str, declared: dict[str, Any]) -> dict[str, str]:
    """The parameters that another stack's outputs give: an existing network to build in."""
    found = deploy.describe(cfn, name)
    if found is None:
        raise UsageError(f"--network-stack {name}: there is no such stack")
    if not found.status.endswith("_COMPLETE") or found.status.startswith(("DELETE", "ROLLBACK")):
        raise UsageError(f"--network-stack {name}: the stack is {found.status}")
    # What an existing network fills in is empty by default; NatGateway, a switch here, is an id there.
    shared = {
        key: value for key, value in found.outputs.items() if declared.get(key, {}).get("Default") == ""
    }
    if "Vpc" not in shared:
        raise UsageError(f"--network-stack {name}: the stack has no output Vpc; templates/vpc.yaml makes one")
    return shared
