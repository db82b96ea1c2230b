"""What is held against a plan before anything is uploaded or asked: each check finds faults, or none.

A check of its own is a function (Draft) -> list of findings, and an entry in CHECKS. A finding of
severity FATAL or ERROR refuses the plan with exit status 3; any other becomes a note.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from aws_vpc.commands.promises import promises
from aws_vpc.commands.request import Request
from aws_vpc.commands.session import Session
from aws_vpc.errors import Refused
from aws_vpc.validate_findings import Finding, judge
from aws_vpc.validate_tools import faults, written_excludes

BLOCKING = ("FATAL", "ERROR")


@dataclass(frozen=True)
class Draft:
    """What is about to be planned: the templates, the root's parameters as they will be, what is new."""

    session: Session
    request: Request
    parameters: Mapping[str, str]
    changed: bool  # templates or parameters are other than what the stack was last made from

    @cached_property
    def templates(self) -> list[Path]:
        """The root's file and those of its children."""
        folder = self.session.root / "templates"
        names = [one.key.rpartition("/")[2] for one in self.request.package.artifacts]
        return [folder / name for name in names]


def templates_are_sound(draft: Draft) -> list[Finding]:
    """What cloudformation-validate and the wiring rules call an error; `validate` asks every tool."""
    return faults(draft.templates) if draft.changed else []


def promises_are_kept(draft: Draft) -> list[Finding]:
    """What of intents.yaml the planned network would break, with the path; `check` tells it in full."""
    if not draft.changed:
        return []
    return promises(draft.session.root, draft.parameters, draft.session.aws.region)


Check = Callable[[Draft], Sequence[Finding]]
CHECKS: tuple[Check, ...] = (templates_are_sound, promises_are_kept)


def hold(draft: Draft) -> None:
    """Returns when no check refuses the plan; Refused tells every finding."""
    found = [finding for check in CHECKS for finding in check(draft)]
    left = judge(found, written_excludes()).findings
    for one in left:
        if one.severity not in BLOCKING:
            draft.session.console.note(sentence(one))
    wrong = [one for one in left if one.severity in BLOCKING]
    if wrong:
        raise Refused(
            f"faults in what is to be deployed: {'; '.join(map(sentence, wrong))};"
            " nothing has been changed, and --skip-checks goes on all the same"
        )


def sentence(one: Finding) -> str:
    """A finding in one line, with the file by its name."""
    place = replace(one, file=Path(one.file).name)
    where = f"{place.file}:{place.line}" + (f" {one.resource}" if one.resource else "")
    return f"{where}: {one.message} ({one.tool} {one.rule})"
