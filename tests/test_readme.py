"""README.rst is sound and names only what there is."""

import re
import subprocess
from pathlib import Path

import docutils.core
import pytest

from aws_vpc import cli

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.rst").read_text()


PAGES = ["README.rst", *(str(path.relative_to(PROJECT)) for path in sorted(PROJECT.glob("docs/*.rst")))]


@pytest.mark.parametrize("path", PAGES)
def test_it_is_valid_restructured_text(path: str) -> None:
    settings = {"report_level": 2, "halt_level": 2}
    text = (PROJECT / path).read_text()
    docutils.core.publish_string(text, writer_name="null", settings_overrides=settings)


def test_every_file_it_names_is_there() -> None:
    names = set(
        re.findall(r"``((?:templates|aws_vpc|eb-flask|data|benchmarks|tests|docs)/[\w./*-]*)``", README)
    )
    assert names
    assert not [name for name in names if not list(PROJECT.glob(name.rstrip("/")))]


def test_its_layout_table_has_every_template_and_every_page_is_named() -> None:
    there = [path for folder in ("templates/*.yaml", "docs/*.rst") for path in PROJECT.glob(folder)]
    assert not [path.name for path in there if f"``{path.relative_to(PROJECT)}``" not in README]


def test_every_command_of_aws_vpc_it_names_is_known() -> None:
    named = set(re.findall(r"-m aws_vpc (\w+)", README)) | set(re.findall(r"\$ aws-vpc (\w+)", README))
    assert named and named <= set(cli.COMMANDS)


@pytest.mark.parametrize("script", ["create_stacks.sh", "update_stacks.sh", "teardown.sh", "run_tests.sh"])
def test_every_script_tells_its_usage_and_its_exit_statuses(script: str) -> None:
    told = subprocess.run(["sh", script, "--help"], cwd=PROJECT, check=True, capture_output=True, text=True)
    assert told.stdout.startswith("usage: ./" + script) and "Exit status: 0" in told.stdout
    assert f"./{script}" in README


def test_the_options_in_its_commands_are_known() -> None:
    known = {"--help"}
    for parser in map(cli.parser, cli.COMMANDS):
        known |= {option for action in parser._actions for option in action.option_strings}
    lines = re.findall(r"\./(?:create_stacks|update_stacks|teardown)\.sh([^`\n]*)", README)
    given = {option for line in lines for option in re.findall(r"--[a-z-]+", line)}
    assert given and given <= known
