"""local: start, find, ask and stop the embedded AWS."""

import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from aws_vpc import aws, deploy, report
from aws_vpc.commands.console import Console
from aws_vpc.commands.options import delay_option
from aws_vpc.commands.session import FOREIGN, foreign, local_environment, running, use_local
from aws_vpc.errors import UsageError
from aws_vpc.local import control
from aws_vpc.local.status import ROOT
from aws_vpc.local.status import status as standing


def arguments(parser: ArgumentParser) -> None:
    """The options of local."""
    parser.add_argument("action", choices=["start", "stop", "status", "env", "logs"], help="what to do")
    parser.add_argument("log", nargs="?", metavar="NAME", help="logs: which one; without it, the names")
    delay_option(parser)
    parser.add_argument("--follow", action="store_true", help="logs: go on as lines come")


def run(options: Namespace, console: Console) -> int:
    """0 when the action was done, 3 when there is nothing to do it on."""
    return ACTIONS[options.action](options, console)


def start(options: Namespace, console: Console) -> int:
    """0 when the embedded AWS runs."""
    facts = control.start(control.folder(), delay=options.delay)
    console.answer(
        [f"the embedded AWS runs at {facts.endpoint} (process {facts.pid})"],
        report.result("local start", "", endpoint=facts.endpoint, region=facts.region, pid=facts.pid),
    )
    return 0


def stop(options: Namespace, console: Console) -> int:
    """0 when the embedded AWS does not run any more."""
    ran = control.stop(control.folder())
    line = "the embedded AWS has ended" if ran else "the embedded AWS does not run: nothing to stop"
    console.answer([line], report.result("local stop", "", ran=ran))
    return 0


def status(options: Namespace, console: Console) -> int:
    """0 when the embedded AWS runs, 3 when it does not."""
    facts = control.facts(control.folder())
    if facts is None:
        line = "the embedded AWS does not run; ./create_stacks.sh --local starts it"
        console.answer([line], {"endpoint": None})
        return 3
    use_local(facts)
    found = standing(facts)
    for note in report.version_notes({"databases": found}, wanted_version()):
        console.note(note)
    rows = [[key, str(value)] for key, value in found.items() if not isinstance(value, dict)]
    for key in ("rds", "redshift", "stacks"):
        one = found.get(key) or {}
        rows.append([key, ", ".join(f"{name} {value}" for name, value in one.items())])
    console.answer(report.table(rows, ""), found)
    return 0


def wanted_version() -> str:
    """The version of PostgreSQL that the deployed template asks for; empty where none is deployed."""
    found = deploy.describe(aws.connect().client("cloudformation"), ROOT)
    return found.parameters.get("EngineVersion", "") if found else ""


def env(options: Namespace, console: Console) -> int:
    """0 when the lines have been printed that lead a shell to the embedded AWS."""
    facts = running()
    programs = Path(sys.prefix) / "bin"
    names = sorted({*FOREIGN, *foreign()})
    lines = [f"unset {' '.join(names)}"]
    lines += [f"export {key}={quoted(value)}" for key, value in local_environment(facts).items()]
    lines.append(f'export PATH={quoted(str(programs))}:"$PATH"')
    console.answer(lines, {**local_environment(facts), "PATH": f"{programs}:{os.environ.get('PATH', '')}"})
    return 0


def quoted(value: str) -> str:
    """A value as any POSIX shell reads it back."""
    return "'" + value.replace("'", "'\\''") + "'"


def logs(options: Namespace, console: Console) -> int:
    """0 when the log has been printed; without a name, the names."""
    folder = control.folder() / "logs"
    names = sorted(path.stem for path in folder.glob("*.log"))
    if not options.log:
        console.answer(names or ["no logs yet"], {"logs": names})
        return 0
    if options.log not in names:
        raise UsageError(f"there is no log {options.log!r}; there are {', '.join(names) or 'none'}")
    path = folder / f"{options.log}.log"
    if options.follow:
        return subprocess.run(["tail", "-n", "100", "-f", str(path)], check=False).returncode
    sys.stdout.write(path.read_text(encoding="utf-8", errors="replace"))
    return 0


ACTIONS: dict[str, Callable[[Namespace, Console], int]] = {
    "start": start,
    "stop": stop,
    "status": status,
    "env": env,
    "logs": logs,
}
