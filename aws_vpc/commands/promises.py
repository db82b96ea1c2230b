"""Whether what is about to be deployed keeps intents.yaml, found out before anything is made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_vpc import discover
from aws_vpc.errors import Error
from aws_vpc.intents import load
from aws_vpc.intents_check import Outcome, State, check
from aws_vpc.network import Network
from aws_vpc.reach_words import path_lines
from aws_vpc.validate_findings import Finding

FILE = "intents.yaml"


def promises(root: Path, parameters: Mapping[str, str], region: str) -> list[Finding]:
    """Every intent that the planned network breaks, and how many it leaves open; none where no file asks.

    A network that the templates do not make, because it stands already, cannot be asked from them; nor can
    what ends in an existing VPC as the far side.
    """
    file, templates = root / FILE, root / "templates"
    if not file.is_file():
        return []
    try:
        network = discover.from_templates(templates, parameters, region)
        if not network.vpcs:
            return []
        text = file.read_text(encoding="utf-8")
        asked = load(text, FILE, discover.defaults(templates) | dict(parameters))
        outcomes = check(network, asked)
    except Error as error:
        return [
            Finding(FILE, 1, "check", "NOT_CHECKED", "WARN", "", f"the promises were not checked: {error}")
        ]
    broken = [_finding(network, it, text) for it in outcomes if it.state == State.BROKEN]
    unknown = [it for it in outcomes if it.state == State.UNKNOWN]
    return broken + ([_unknown(unknown)] if unknown else [])


def _unknown(outcomes: list[Outcome]) -> Finding:
    reasons = "; ".join(dict.fromkeys(it.reason for it in outcomes))
    told = f"{len(outcomes)} promises cannot be told before the network stands: {reasons}"
    return Finding(FILE, 1, "check", "UNKNOWN", "WARN", "", told)


def _finding(network: Network, outcome: Outcome, text: str) -> Finding:
    name = outcome.intent.name
    line = next((at for at, row in enumerate(text.splitlines(), 1) if name in row), 1)
    way = (
        "; ".join(" ".join(row.split()) for row in path_lines(network, outcome.paths[0]))
        if outcome.paths
        else ""
    )
    told = f"«{name}» is {outcome.state}: {outcome.reason}{f' ({way})' if way else ''}"
    return Finding(FILE, line, "check", "PROMISE", "ERROR", "", told)
