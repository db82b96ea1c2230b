"""Findings of the checks and the written exceptions from them: values in, values out.

Finding    one fault: file, line, tool, rule, severity, resource, message
Exclude    one exception: tool, rule, files, resources, and the reason for it
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import Any

from aws_vpc.errors import Error

TOOLS = ("cfn-lint", "cloudformation-validate", "guard", "wiring")
FIELDS = {"tool", "rule", "files", "resources", "reason"}


@dataclass(frozen=True, order=True)
class Finding:
    """One fault in a template or in its parameters."""

    file: str
    line: int
    tool: str
    rule: str
    severity: str
    resource: str
    message: str

    def values(self) -> dict[str, Any]:
        """The fields for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Exclude:
    """A rule that is not followed, where, and why not."""

    tool: str
    rule: str
    reason: str
    files: tuple[str, ...] = ()
    resources: tuple[str, ...] = field(default=())

    def covers(self, finding: Finding) -> bool:
        """True when the finding is one that this exception speaks of."""
        name = PurePath(finding.file).name
        return (
            (self.tool, self.rule) == (finding.tool, finding.rule)
            and (not self.files or name in self.files)
            and (not self.resources or any(fnmatchcase(finding.resource, one) for one in self.resources))
        )

    def __str__(self) -> str:
        where = ", ".join(self.files) + (f" ({', '.join(self.resources)})" if self.resources else "")
        return f"{self.tool} {self.rule} {where or 'everywhere'}"


def excludes(written: Sequence[Mapping[str, Any]], name: str) -> list[Exclude]:
    """The exceptions in a parsed file; Error at one that has no reason, or words that nobody reads."""
    return [_exclude(entry, f"{name}, entry {number}") for number, entry in enumerate(written, 1)]


def _exclude(entry: Mapping[str, Any], place: str) -> Exclude:
    if unknown := sorted(entry.keys() - FIELDS):
        raise Error(f"{place}: unknown field {unknown[0]}; known are {', '.join(sorted(FIELDS))}")
    if entry.get("tool") not in TOOLS or not entry.get("rule"):
        raise Error(f"{place}: needs a rule and a tool, one of {', '.join(TOOLS)}")
    if len(str(entry.get("reason", "")).split()) < 3:
        raise Error(f"{place}: {entry['rule']} needs a reason of some words")
    return Exclude(
        entry["tool"],
        str(entry["rule"]),
        str(entry["reason"]).strip(),
        tuple(entry.get("files", ())),
        tuple(entry.get("resources", ())),
    )


@dataclass(frozen=True)
class Verdict:
    """What is left after the exceptions, and which of them were used how often."""

    findings: list[Finding]
    excluded: list[Finding]
    used: Counter[Exclude]

    @property
    def clean(self) -> bool:
        """True when nothing is left."""
        return not self.findings

    def counts(self) -> dict[str, dict[str, int]]:
        """For each tool the findings by severity, and how many were excluded."""
        told: dict[str, dict[str, int]] = {tool: {} for tool in TOOLS}
        for one in self.findings:
            told[one.tool][one.severity] = told[one.tool].get(one.severity, 0) + 1
        for one in self.excluded:
            told[one.tool]["excluded"] = told[one.tool].get("excluded", 0) + 1
        return told


def judge(found: Iterable[Finding], written: Sequence[Exclude]) -> Verdict:
    """The findings apart from those that an exception covers; the same fault counts once."""
    left, excluded, used = list[Finding](), list[Finding](), Counter[Exclude]()
    for finding in unique(found):
        covering = [one for one in written if one.covers(finding)]
        used.update(covering)
        (excluded if covering else left).append(finding)
    return Verdict(left, excluded, used)


def unique(found: Iterable[Finding]) -> list[Finding]:
    """The findings in order of place; Guard names each part of a rule, of which the first will do."""
    kept: dict[tuple[str, int, str, str, str, str], Finding] = {}
    for one in found:
        message = "" if one.tool == "guard" else one.message
        kept.setdefault((one.file, one.line, one.tool, one.rule, one.resource, message), one)
    return sorted(kept.values())
