"""connect: a port of this machine that leads to the database or the warehouse, through Session Manager."""

import json
import shlex
import shutil
import subprocess
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass

from aws_vpc import deploy, release, report
from aws_vpc.commands.console import Console
from aws_vpc.commands.options import stack
from aws_vpc.commands.session import Session, begin
from aws_vpc.errors import Error, UsageError
from aws_vpc.inputs import port

PLUGIN = "session-manager-plugin"
DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
HERE = ("localhost", "127.0.0.1", "::1")
# Output names of the root: address, port.
PLACES = {
    "database": ("DatabaseAddress", "DatabasePort"),
    "warehouse": ("WarehouseAddress", "WarehousePort"),
}


@dataclass(frozen=True)
class Tunnel:
    """A way from a port of this machine to an address that only the VPC reaches."""

    instance: str
    address: str
    port: int
    local_port: int
    region: str
    profile: str | None

    def command(self) -> list[str]:
        """The aws command that opens it, as it would be typed."""
        values = {
            "host": [self.address],
            "portNumber": [str(self.port)],
            "localPortNumber": [str(self.local_port)],
        }
        profile = ["--profile", self.profile] if self.profile else []
        return [
            "aws", "ssm", "start-session", "--region", self.region, *profile, "--target", self.instance,
            "--document-name", DOCUMENT, "--parameters", json.dumps(values),
        ]  # fmt: skip


def arguments(parser: ArgumentParser) -> None:
    """The options of connect."""
    parser.add_argument("what", choices=sorted(PLACES), help="where to")
    stack(parser)
    parser.add_argument("--local-port", type=port, metavar="PORT", help="of this machine; else the same one")
    parser.add_argument(
        "--print", action="store_true", dest="only_print", help="print the command, run nothing"
    )


def run(options: Namespace, console: Console) -> int:
    """0 when the session has ended, or its command has been printed."""
    session = begin(options, console)
    found = deploy.describe(session.cfn, session.name)
    if found is None:
        raise Error(f"stack {session.name} does not exist; ./create_stacks.sh makes it")
    address, number = (found.outputs.get(name, "") for name in PLACES[options.what])
    if not address or not number:
        raise UsageError(f"stack {session.name} has no {options.what}")
    facts = {"address": address, "port": int(number)}
    if address in HERE:
        line = f"the {options.what} answers at {address}:{number} of this machine: no session is needed"
        console.answer([line], report.result("connect", session.name, **facts))
        return 0
    tunnel = Tunnel(
        server(session),
        address,
        int(number),
        options.local_port or int(number),
        session.aws.region,
        options.profile,
    )
    return opened(tunnel, options, console, session.name)


def server(session: Session) -> str:
    """The id of the web server, through which the way leads."""
    running = release.servers(session.aws.client("ec2"), f"{session.name}-web-server")
    if not running:
        raise Error(f"stack {session.name} has no running web server to go through; WebTier=ec2 makes one")
    return running[0]


def opened(tunnel: Tunnel, options: Namespace, console: Console, name: str) -> int:
    """0 when the session has ended by itself or by Ctrl-C, or its command has been printed."""
    command = tunnel.command()
    missing = [one for one in ("aws", PLUGIN) if shutil.which(one) is None]
    if missing:
        console.note(f"{' and '.join(missing)} not found: install it, then run this command")
    if missing or options.only_print:
        console.answer([shlex.join(command)], report.result("connect", name, command=command))
        return 0
    console.say(f"localhost:{tunnel.local_port} leads to {tunnel.address}:{tunnel.port}; Ctrl-C ends it")
    return 1 if subprocess.run(command, check=False).returncode else 0
