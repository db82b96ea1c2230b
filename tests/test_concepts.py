"""docs/concepts.rst, and what README.rst shows of reach and check: commands print what is shown of them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import docutils.core
import pytest

from aws_vpc import cli, discover

PROJECT = Path(__file__).parent.parent
TEXT = (PROJECT / "docs" / "concepts.rst").read_text()
README = (PROJECT / "README.rst").read_text()
PROMPT = "   $ .venv/bin/python -m aws_vpc "


def sessions(text: str) -> list[tuple[str, list[str]]]:
    """Each command with the lines that are shown below it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(rf"^{re.escape(PROMPT)}.*\n(?:   .*\n|\n(?=   ))*", text, re.M):
        command, *shown = block.rstrip("\n").split("\n")
        found.append((command.removeprefix(PROMPT), [line[3:] for line in shown]))
    return found


SHOWN = [it for it in sessions(README) if it[0].startswith(("reach", "check"))]
SESSIONS = [*sessions(TEXT), *SHOWN]


def in_order(shown: list[str], told: list[str]) -> str:
    """The first line that is shown and not told, or that is told elsewhere than shown; empty when all fit."""
    at, free = 0, False
    for line in shown:
        if line == "...":
            free = True
            continue
        if free:
            at = next((number for number in range(at, len(told)) if told[number] == line), len(told))
        if at >= len(told) or told[at] != line:
            return line
        at, free = at + 1, False
    return "" if free or at == len(told) else told[at]


@pytest.mark.parametrize(("command", "shown"), SESSIONS, ids=[it[0] for it in SESSIONS])
def test_a_command_prints_what_is_shown(
    command: str, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = cli.main(shlex.split(command))
    told = capsys.readouterr().out.splitlines()
    assert in_order(shown, told) == "", "\n".join(told)
    wanted = 3 if "not reachable" in shown[0] else 0
    assert status == wanted


def test_the_readme_shows_both_commands() -> None:
    assert {command.split()[0] for command, _ in SHOWN} == {"reach", "check"}


def test_every_concept_has_a_command() -> None:
    sections = re.split(r"^(.+)\n-+\n", TEXT, flags=re.M)
    without = [
        title for title, body in zip(sections[1::2], sections[2::2], strict=True) if PROMPT not in body
    ]
    assert len(sections) > 20 and not without


def test_every_resource_it_names_is_in_the_templates() -> None:
    networks = [
        discover.from_templates(PROJECT / "templates", given, "us-west-2")
        for given in ({}, {"Interconnect": "transit-gateway"})
    ]
    known = {name for network in networks for name in network.components}
    text = "".join((PROJECT / "templates" / name).read_text() for name in ("vpc.yaml", "network-acls.yaml"))
    named = set(re.findall(r"``((?:Nested\w+/)?[A-Z]\w+)``", TEXT))
    missing = {
        it
        for it in named
        if it not in known
        and f"\n  {it}:\n" not in text
        and not any(name.endswith(f"/{it}") for name in known)
    }
    assert named and missing <= {"PCX_REQUIRES_ADDRESS_IN_VPC_CIDR"}


def test_it_is_valid_restructured_text() -> None:
    settings = {"report_level": 2, "halt_level": 2}
    docutils.core.publish_string(TEXT, writer_name="null", settings_overrides=settings)
