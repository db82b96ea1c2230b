"""Runs the scanners over templates: cfn-lint, cloudformation-validate and the Guard rules that come along.

cfn-lint runs in processes of its own beside the others, because it takes longer than all of them.
The Guard rules in guard/ are AWS's own; where they come from and their licence stands there.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from aws_vpc.errors import Error, TemplateError, UsageError
from aws_vpc.template import load
from aws_vpc.validate_findings import Exclude, Finding, excludes
from aws_vpc.validate_lines import line_of, lines
from aws_vpc.validate_wiring import Document, wiring

HERE = Path(__file__).parent
GUARD = HERE / "guard"
EXCLUDES = HERE / "validate_excludes.yaml"
SEVERITIES = {"error": "ERROR", "warning": "WARN", "informational": "INFO"}


def check(files: Sequence[Path]) -> list[Finding]:
    """What all the tools find in the templates; Error when a file is no template at all."""
    texts = {path: read(path) for path in files}
    linters = [start_lint(share) for share in shares(texts, os.cpu_count() or 1)]
    try:
        found = own(texts) + rules(files)
    finally:
        told = [linter.communicate() for linter in linters]
    for linter, (answer, complaint) in zip(linters, told, strict=True):
        found += lint_findings(answer, complaint, linter.returncode)
    return found


def shares(texts: Mapping[Path, str], most: int) -> list[list[Path]]:
    """The templates in so many groups that take about as long as each other."""
    groups: list[list[Path]] = [[] for _ in range(min(most, 4, len(texts)))]
    sizes = [0] * len(groups)
    for path in sorted(texts, key=lambda one: -len(texts[one])):
        smallest = sizes.index(min(sizes))
        groups[smallest].append(path)
        sizes[smallest] += len(texts[path])
    return groups


def read(path: Path) -> str:
    """The text of a file; UsageError when there is none to read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"template {path}: {error.strerror}; name the file of a template") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"template {path} is not text in UTF-8 ({error.reason} at {error.start})") from error


def own(texts: Mapping[Path, str]) -> list[Finding]:
    """What the project's own rules find; a root that is checked alone still knows what lies beside it."""
    documents, found = dict[str, Document](), list[Finding]()
    for path in sorted({near for one in texts for near in one.parent.glob("*.yaml")} - texts.keys()):
        with suppress(Error):
            documents[path.name] = document(path, read(path))
    for path, text in texts.items():
        try:
            documents[path.name] = document(path, text)
        except TemplateError as error:
            line = re.search(r"\(line (\d+)", str(error))
            place = int(line[1]) if line else 1
            found.append(Finding(str(path), place, "wiring", "FORMAT", "FATAL", "", str(error)))
    asked = {str(path) for path in texts}
    return found + [one for one in wiring(documents) if one.file in asked]


def document(path: Path, text: str) -> Document:
    """The template of a text; TemplateError when it breaks a rule that every create and update checks."""
    return Document(str(path), load(text).body, lines(text))


def start_lint(files: Sequence[Path]) -> subprocess.Popen[str]:
    """cfn-lint, at work on the templates, with its remarks of information."""
    # cfnlint has no __main__, and its script need not lie on the path.
    argv = [sys.executable, "-c", "import sys, cfnlint.runner; sys.exit(cfnlint.runner.main())"]
    argv += ["--include-checks", "I", "--format", "json", "--"]
    return subprocess.Popen(
        [*argv, *map(str, files)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def lint_findings(told: str, complaint: str, status: int) -> list[Finding]:
    """What cfn-lint has said; Error when it could not do its work."""
    try:
        found: list[dict[str, Any]] = json.loads(told or "[]")
    except ValueError:
        found = []
    if status and not found:
        raise Error(f"cfn-lint failed: {' '.join((complaint or told).split())[-300:]}")
    return [_lint_finding(one) for one in found]


def _lint_finding(one: dict[str, Any]) -> Finding:
    place = [str(part) for part in one["Location"].get("Path") or []]
    return Finding(
        one["Filename"],
        one["Location"]["Start"]["LineNumber"],
        "cfn-lint",
        one["Rule"]["Id"],
        SEVERITIES.get(str(one["Level"]).lower(), "WARN"),
        place[1] if len(place) > 1 else "",
        " ".join(str(one["Message"]).split()),
    )


def rules(files: Iterable[Path]) -> list[Finding]:
    """What cloudformation-validate and the Guard rules find, warnings and worse."""
    import cloudformation_validate as validate

    sources = [validate.file_to_external_rule_source(path) for path in guard_files()]
    engine = validate.CelEngine(validate.EngineConfig(guard_rules=sources))
    config = validate.ValidateConfig(
        severity_level=validate.Severity.WARN, detail_level=validate.DetailLevel.STANDARD
    )
    return [
        _finding(path, one, text)
        for path in files
        for text in [path.read_text(encoding="utf-8")]
        for one in engine.validate_template(path, config).diagnostics
    ]


def faults(files: Iterable[Path]) -> list[Finding]:
    """What would make CloudFormation refuse the templates: the quick tools, and errors only."""
    import cloudformation_validate as validate

    texts = {path: read(path) for path in files}
    config = validate.ValidateConfig(
        severity_level=validate.Severity.ERROR, detail_level=validate.DetailLevel.STANDARD
    )
    engine = validate.CelEngine(validate.EngineConfig(guard_rules=[]))
    found = [
        _finding(path, one, text)
        for path, text in texts.items()
        for one in engine.validate_template(path, config).diagnostics
    ]
    return [one for one in own(texts) if one.severity in ("FATAL", "ERROR")] + found


def guard_files() -> list[Path]:
    """The Guard rules that come along, in a fixed order."""
    return sorted(GUARD.glob("*/*.guard"))


def _finding(path: Path, one: Any, text: str) -> Finding:
    guard = one.source.name == "GUARD"
    resource = one.entity.logical_id if one.entity else ""
    line = one.start_line or line_of(lines(text), "Resources", resource)
    message = sentence(one.message, one.rule_id) if guard else " ".join(one.message.split())
    tool = "guard" if guard else "cloudformation-validate"
    return Finding(str(path), line, tool, one.rule_id, one.severity.name, resource or "", message)


def sentence(message: str, rule: str) -> str:
    """A Guard rule's message without its fix, or, where it has none of its own, what the rule asks for."""
    words = " ".join(message.replace(";", " ").split())
    if "Violation:" in words:
        return words.split("Violation:", 1)[1].split("Fix:", 1)[0].strip()
    missing = re.search(r"property `([^`]+)` is missing", words)
    asked = rule.removesuffix("_check").removesuffix("_CHECK").replace("_", " ").lower()
    return f"does not keep: {asked}" + (f"; {missing[1]} is missing" if missing else "")


def written_excludes(path: Path = EXCLUDES) -> list[Exclude]:
    """The exceptions that the project writes down."""
    return excludes(yaml.safe_load(path.read_text(encoding="utf-8")) or [], path.name)
