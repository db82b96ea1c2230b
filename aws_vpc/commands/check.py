"""check: whether the network keeps what intents.yaml, or another file, asks of it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aws_vpc.commands import sources
from aws_vpc.commands.console import Console
from aws_vpc.errors import UsageError
from aws_vpc.intents import Intents, load
from aws_vpc.intents_check import Outcome, State, check
from aws_vpc.network import Network
from aws_vpc.reach_json import analysis
from aws_vpc.reach_words import path_lines

FILE = "intents.yaml"
SHOWN = 2  # paths of an intent, in text

# What `--help` says of the exit status.
EXIT = "Exit status: 0 all hold, 1 unknown or failed, 2 wrong usage, 3 one is broken, 130 interrupted."


def arguments(parser: ArgumentParser) -> None:
    """The options of check."""
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="intents, or a Network Access Analyzer scope (intents.yaml)"
    )
    sources.arguments(parser)


def run(options: Namespace, console: Console) -> int:
    """0 when all holds, 3 when something is broken, 1 when something is unknown."""
    network = sources.network(options, console)
    outcomes = check(network, read(options.file, sources.stated(options)))
    console.answer(lines(network, outcomes), values(network, outcomes))
    return status(outcomes)


def read(file: str | None, given: dict[str, str]) -> Intents:
    """The intents of the file, or of the project's own."""
    path = Path(file).expanduser() if file else sources.PROJECT / FILE
    try:
        return load(path.read_text(encoding="utf-8"), str(file or FILE), given)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a file of intents") from None


def status(outcomes: Sequence[Outcome]) -> int:
    """The exit status that the outcomes call for."""
    states = {it.state for it in outcomes}
    return 3 if State.BROKEN in states else 1 if State.UNKNOWN in states else 0


def lines(network: Network, outcomes: Sequence[Outcome]) -> list[str]:
    """One line for each intent, and under it the paths that break it."""
    told = []
    for it in outcomes:
        reason = f": {it.reason}" if it.reason else ""
        told.append(f"{it.state!s:9} {it.intent.name}{reason}")
        for path in it.paths[:SHOWN]:
            told += [f"    {line}" for line in path_lines(network, path)]
        if len(it.paths) > SHOWN:
            told.append("    and other paths; --json tells more of them")
    counts = [(state, sum(it.state == state for it in outcomes)) for state in State]
    return [*told, ", ".join(f"{count} {state}" for state, count in counts if count)]


def values(network: Network, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The outcomes as JSON."""
    rows = [
        {
            "name": it.intent.name,
            "kind": it.intent.kind,
            "state": str(it.state),
            "reason": it.reason,
            "paths": [analysis(network, path) for path in it.paths],
        }
        for it in outcomes
    ]
    return {"schema": 1, "action": "check", "intents": rows}
