"""status and validate: what stands, and whether the templates are right."""

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from aws_vpc import deploy, report
from aws_vpc.commands.console import Console
from aws_vpc.commands.session import ROOT, begin
from aws_vpc.errors import Error
from aws_vpc.template import load


def status(options: Namespace, console: Console) -> int:
    """0 when the stack stands, 3 when there is none."""
    session = begin(options, console)
    found = deploy.describe(session.cfn, session.name)
    left = deploy.left_behind(session.cfn, session.name)
    if found is None and not left:
        console.answer(
            [f"stack {session.name} does not exist"], report.result("status", session.name, stacks={})
        )
        return 3
    children = (deploy.children(session.cfn, found.id) if found else {}) | left
    found_children = {logical: deploy.describe(session.cfn, one) for logical, one in children.items()}
    states = {logical: one.status for logical, one in found_children.items() if one}
    own = found.status if found else "DELETED, children left behind"
    rows = [[session.name, own], *map(list, states.items())]
    outputs = dict(found.outputs) if found else {}
    console.answer(
        [*report.table(rows, ""), *report.output_lines(outputs)],
        report.result("status", session.name, status=own, stacks=states, outputs=outputs),
    )
    return 0


def validate(options: Namespace, console: Console) -> int:
    """0 when cfn-lint finds nothing in the templates, 1 when it does."""
    folder = Path(options.repo_root or ROOT).expanduser() / "templates"
    files = [Path(one) for one in options.files] or sorted(folder.glob("*.yaml"))
    if not files:
        raise Error(f"there are no templates in {folder}")
    for path in files:
        parsed(path)
    found = lint(files)
    lines = [f"{place(one)}: {one['Rule']['Id']} {report.one_line(one['Message'])}" for one in found]
    summary = f"{len(files)} templates, {len(found)} findings"
    console.answer(
        [*lines, summary], report.result("validate", "", files=list(map(str, files)), findings=lines)
    )
    return 1 if found else 0


def parsed(path: Path) -> None:
    """Returns when a template keeps the rules that every create and update checks."""
    try:
        load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, Error) as error:
        raise Error(f"template {path}: {error}") from error


def lint(files: list[Path]) -> list[dict[str, Any]]:
    """What cfn-lint has to say about templates."""
    run = "import sys, cfnlint.runner; sys.exit(cfnlint.runner.main())"  # the package has no __main__
    argv = [sys.executable, "-c", run, "--format", "json", "--", *map(str, files)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    except ValueError:
        raise Error(f"cfn-lint failed: {report.one_line(done.stderr or done.stdout)[-300:]}") from None
    if done.returncode and not found:
        raise Error(f"cfn-lint failed: {report.one_line(done.stderr)[-300:]}")
    return found


def place(finding: dict[str, Any]) -> str:
    """The file and line that a finding is about."""
    return f"{finding['Filename']}:{finding['Location']['Start']['LineNumber']}"
