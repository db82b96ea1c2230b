"""validate: whether the templates are right, in the eyes of every tool that people trust."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from aws_vpc import report
from aws_vpc.commands.console import Console
from aws_vpc.commands.session import ROOT
from aws_vpc.errors import Error
from aws_vpc.validate_findings import TOOLS, Verdict, judge
from aws_vpc.validate_tools import check, written_excludes

KINDS = ("FATAL", "ERROR", "WARN", "INFO", "excluded")
HEADS = ("file:line", "tool", "rule", "severity", "resource", "message")


def arguments(parser: ArgumentParser) -> None:
    """The options of validate."""
    parser.add_argument("--repo-root", metavar="PATH", help="where templates/ is")
    parser.add_argument("files", nargs="*", metavar="FILE", help="templates; without one, all of templates/")


def run(options: Namespace, console: Console) -> int:
    """0 when nothing is found outside the written exceptions, 3 when something is."""
    files = templates(options)
    verdict = judge(check(files), written_excludes())
    console.answer(
        lines(verdict, len(files)),
        report.result(
            "validate",
            "",
            files=list(map(str, files)),
            findings=[one.values() for one in verdict.findings],
            counts=verdict.counts(),
            excluded=[
                {"exclude": str(one), "times": times, "reason": one.reason}
                for one, times in verdict.used.items()
            ],
        ),
    )
    return 0 if verdict.clean else 3


def templates(options: Namespace) -> list[Path]:
    """The templates to check: those named, or all of the project's."""
    folder = Path(options.repo_root or ROOT).expanduser() / "templates"
    files = [Path(one) for one in options.files] or sorted(folder.glob("*.yaml"))
    if not files:
        raise Error(f"there are no templates in {folder}")
    return list(dict.fromkeys(shown(one) for one in files))


def shown(path: Path) -> Path:
    """The path from the current folder where that is shorter."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def lines(verdict: Verdict, files: int) -> list[str]:
    """The findings in one table, and below it how many of each tool."""
    rows = [
        [f"{one.file}:{one.line}", one.tool, one.rule, one.severity, one.resource, one.message]
        for one in verdict.findings
    ]
    table = [*report.table([list(HEADS), *rows], ""), ""] if rows else []
    counts = verdict.counts()
    told = [[tool, *(str(counts[tool].get(key, 0)) for key in KINDS)] for tool in TOOLS]
    summary = f"{files} templates, {len(verdict.findings)} findings, {len(verdict.excluded)} excluded"
    return [*table, *report.table([["tool", *KINDS], *told], ""), "", summary]
