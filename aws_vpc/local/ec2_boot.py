"""The first boot of an instance: its user data run, in a shell that keeps it off the laptop.

    RunInstances ─► moto's record ─► bash --restricted user-data   (its output: log instance-i-....log)
                                        └ PATH: the instance's own bin, nothing else

What an image brings stands in `ami/`: dnf, curl and systemctl that act on the instance's folder alone. The
aws command is the real one, and cfn-signal tells CloudFormation the real exit status. A restricted shell
runs no command by its path, writes no file by redirection and keeps its PATH, so user data that was meant
for a machine of its own does no harm by mistake. It is no sandbox against malice: the real aws command reads
and writes the files that its user may. Scripts of bash and sh are run, other user data is not.
"""

from __future__ import annotations

import base64
import binascii
import logging
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from aws_vpc.local import wire
from aws_vpc.local.ec2_nat import parsed
from aws_vpc.local.processes import Process
from aws_vpc.local.wire import Request, Response
from aws_vpc.local.world import World

log = logging.getLogger("aws_vpc.local")

IMAGE = Path(__file__).parent / "ami"
SIGNAL = Path(__file__).with_name("cfn_signal.py")
COMMANDS = {"dnf": "dnf.sh", "yum": "dnf.sh", "curl": "curl.sh", "systemctl": "systemctl.sh"}
# Of the laptop's own commands those that write nothing but what they print, or a new file: not sort, which
# writes any file and runs any program, and not date, which sets the clock.
HARMLESS = (
    "basename", "cat", "cut", "dirname", "expr", "grep", "head", "mktemp", "seq", "sleep", "tail", "tr",
    "uname", "wc",
)  # fmt: skip
SHELLS = ("bash", "sh")


class Boots:
    """The boots of an embedded AWS, by instance."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._running: dict[str, Process] = {}
        world.instance_gone.append(self.end)

    def launched(self, request: Request, response: Response) -> None:
        """Begin to run the user data of the instances in an answer of RunInstances."""
        script = self._user_data(request)
        if not script:
            return
        for made in parsed("RunInstances", response)["Instances"]:
            self._boot(made["InstanceId"], request.region, script)

    def end(self, instance: str) -> None:
        """Whatever still runs of an instance's boot is over."""
        if process := self._running.pop(instance, None):
            process.kill_group()

    def _user_data(self, request: Request) -> bytes:
        """The user data in a request of RunInstances, or of the launch template that it names."""
        asked = wire.parse("ec2", request)[1]
        stated = asked.get("UserData") or self._of_template(request.region, asked.get("LaunchTemplate"))
        try:
            return base64.b64decode(stated or "", validate=True)
        except binascii.Error:
            return b""

    def _of_template(self, region: str, named: dict[str, Any] | None) -> str:
        if not named:
            return ""
        version = str(named.get("Version") or "$Default")
        which = {key: value for key, value in named.items() if key != "Version"}
        client = self.world.client("ec2", region)
        found = client.describe_launch_template_versions(Versions=[version], **which)
        return str(found["LaunchTemplateVersions"][0]["LaunchTemplateData"].get("UserData", ""))

    def _boot(self, instance: str, region: str, script: bytes) -> None:
        output = self.world.logs / f"instance-{instance}.log"
        shell = shutil.which("bash")
        if shell is None or not runs(script):
            output.write_text("user data that is not a script of bash or sh is not run here\n")
            return
        folder = furnish(self.world.run / "instances" / instance, script, instance)
        self._running[instance] = self.world.processes.spawn(
            f"boot-{instance}",
            [shell, "--restricted", "user-data"],
            env=environment(self.world, folder, region),
            cwd=folder,
            log=output,
        )


def runs(script: bytes) -> bool:
    """Whether user data is a script of one of the shells."""
    first = script.partition(b"\n")[0].decode(errors="replace")
    return first.startswith("#!") and bool(words := first[2:].split()) and words[-1].endswith(SHELLS)


def furnish(folder: Path, script: bytes, instance: str) -> Path:
    """The folder of an instance, with its commands and its user data."""
    for name in ("bin", "units", "tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "user-data").write_bytes(script)
    bin = folder / "bin"
    for command, source in COMMANDS.items():
        (bin / command).symlink_to(IMAGE / source)
    for command in HARMLESS:
        if found := shutil.which(command):
            (bin / command).symlink_to(found)
    if aws := shutil.which("aws", path=str(Path(sys.executable).parent)) or shutil.which("aws"):
        hand_over(bin / "aws", aws)
    # Isolated: beside the program stand modules named like those of the standard library, which serves alone.
    hand_over(bin / "cfn-signal", sys.executable, "-IS", str(SIGNAL), "--id", instance)
    return folder


def hand_over(command: Path, *program: str) -> None:
    """Make a command that runs a program of the laptop."""
    command.write_text(f'#!/bin/sh\nexec {shlex.join(program)} "$@"\n')
    command.chmod(0o755)


def environment(world: World, folder: Path, region: str) -> dict[str, str]:
    """The environment of a boot: credentials as of the instance's role, and the instance's own folders."""
    return {
        **world.child_environment(),
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "PATH": str(folder / "bin"),
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "BASH_ENV": str(IMAGE / "prelude.sh"),
        "IMAGE_FOLDER": str(IMAGE),
        "INSTANCE_FOLDER": str(folder),
    }
