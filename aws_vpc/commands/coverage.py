"""local coverage: how much of the project's templates the embedded AWS models."""

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from aws_vpc import report
from aws_vpc.commands.console import Console
from aws_vpc.commands.session import ROOT
from aws_vpc.local import coverage
from aws_vpc.template import load


def run(options: Namespace, console: Console) -> int:
    """0 when every property of the templates is modelled, stored or ignored for a reason; 3 when not."""
    folder = Path(ROOT) / "templates"
    resources = [load(path.read_text(encoding="utf-8")).resources for path in sorted(folder.glob("*.yaml"))]
    found = coverage.covered(coverage.stated(resources))
    numbers = coverage.counts(found)
    properties = [asdict(one) for one in found]
    answer = report.result("local coverage", "", counts=numbers, properties=properties)
    console.answer(coverage.lines(found), answer)
    return 3 if numbers["unknown"] else 0
