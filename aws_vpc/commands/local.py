"""local: start, find, ask and stop the embedded AWS."""

import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aws_vpc import aws, deploy, report
from aws_vpc.commands import coverage
from aws_vpc.commands.console import Console
from aws_vpc.commands.options import delay_option, name
from aws_vpc.commands.session import FOREIGN, absent, foreign, local_environment, running, use_local
from aws_vpc.errors import UsageError
from aws_vpc.local import control
from aws_vpc.local.status import ROOT
from aws_vpc.local.status import status as standing


def arguments(parser: ArgumentParser) -> None:
    """The options of local."""
    parser.add_argument("action", choices=list(ACTIONS), help="what to do")
    parser.add_argument("log", nargs="?", metavar="NAME", help="logs: which one; without it, the names")
    name(parser)
    delay_option(parser)
    parser.add_argument("--keep", action="store_true", help="start: keep the state from now on")
    parser.add_argument("--yes", action="store_true", help="reset: ask nothing")
    parser.add_argument("--follow", action="store_true", help="logs: go on as lines come")


def run(options: Namespace, console: Console) -> int:
    """0 when the action was done, 3 when there is nothing to do it on."""
    return ACTIONS[options.action](options, console)


def start(options: Namespace, console: Console) -> int:
    """0 when the embedded AWS runs."""
    there = control.facts(control.folder()) is None and control.kept(control.folder())
    facts = control.start(control.folder(), delay=options.delay, keep=options.keep)
    back = ", with its kept state" if there else ""
    console.answer(
        [f"the embedded AWS runs at {facts.endpoint} (process {facts.pid}){back}"],
        report.result("local start", "", endpoint=facts.endpoint, region=facts.region, pid=facts.pid),
    )
    return 0


def stop(options: Namespace, console: Console) -> int:
    """0 when the embedded AWS does not run any more."""
    ran = control.stop(control.folder())
    there = control.kept(control.folder())
    line = "the embedded AWS has ended" if ran else "the embedded AWS does not run: nothing to stop"
    lines = [line, "its state is kept: `python -m aws_vpc local start` brings it back"] if there else [line]
    console.answer(lines, report.result("local stop", "", ran=ran, kept=there))
    return 0


def reset(options: Namespace, console: Console) -> int:
    """0 when neither the embedded AWS runs nor anything of it is kept."""
    folder = control.folder()
    there = control.kept(folder) or control.facts(folder) is not None
    if there:
        console.confirm("End the embedded AWS and delete everything in it, kept or not?", destroys=True)
    control.stop(folder)
    control.forget(folder)
    line = "nothing of the embedded AWS is left" if there else "there is nothing to reset"
    console.answer([line], report.result("local reset", "", ran=there))
    return 0


def listed(options: Namespace, console: Console) -> int:
    """0 when the embedded AWSs of this project have been told, those with a name and the one without."""
    rows = [row for row in map(instance, control.names()) if row["running"] or row["kept"]]
    if not rows:
        console.answer(["no embedded AWS runs, none is kept"], {"instances": []})
        return 0
    words = [
        [
            row["name"] or "(no name)",
            "runs" if row["running"] else "stopped",
            "kept" if row["kept"] else "not kept",
            row["endpoint"] or "",
            row["region"] or "",
        ]
        for row in rows
    ]
    console.answer(report.table(words, ""), {"instances": rows})
    return 0


def instance(name: str) -> dict[str, Any]:
    """What is known of the embedded AWS of the name without asking it."""
    folder = control.folder_of(name)
    facts = control.facts(folder)
    return {
        "name": name,
        "running": facts is not None,
        "kept": control.kept(folder),
        "endpoint": facts.endpoint if facts else None,
        "region": facts.region if facts else None,
    }


def status(options: Namespace, console: Console) -> int:
    """0 when the embedded AWS runs, 3 when it does not."""
    facts = control.facts(control.folder())
    if facts is None:
        console.answer([absent()], {"endpoint": None, "kept": control.kept(control.folder())})
        return 3
    use_local(facts)
    found = standing(facts)
    for note in report.version_notes({"databases": found}, wanted_version()):
        console.note(note)
    console.answer(status_lines(found), found)
    return 0


def status_lines(found: dict[str, Any]) -> list[str]:
    """The address of each part, then one line for each stack of each Region."""
    rows = [[key, str(found[key] or "none")] for key in ("endpoint", "web", "bucket")]
    rows.append(["kept", "yes" if found["kept"] else "no"])
    for key in ("rds", "redshift"):
        rows.append([key, database_line(found[key])])
    for region, stacks in {"stacks": found["stacks"], **found["regions"]}.items():
        heads = [region, *[""] * len(stacks)]
        rows += [
            [head, f"{name} {value}"] for head, (name, value) in zip(heads, stacks.items(), strict=False)
        ]
    return report.table(rows, "")


def database_line(found: dict[str, Any]) -> str:
    """Where a database is reached and what it holds; `none` where there is none."""
    if found["host"] is None:
        return "none"
    return ", ".join(f"{name} {value}" for name, value in found.items() if value is not None)


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
    "reset": reset,
    "list": listed,
    "status": status,
    "env": env,
    "logs": logs,
    "coverage": coverage.run,
}
