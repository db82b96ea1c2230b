"""The report of what the embedded AWS models: complete for the templates, and true to its own lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aws_vpc import cli
from aws_vpc.local import coverage
from aws_vpc.local.providers import PROVIDERS
from aws_vpc.template import load

TEMPLATES = sorted((Path(__file__).parent.parent / "templates").glob("*.yaml"))


def test_no_property_of_the_templates_is_silently_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["local", "coverage", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["unknown"] == 0
    assert told["counts"]["modelled"] > told["counts"]["stored only"] > told["counts"]["ignored"]
    stated = coverage.stated(load(path.read_text()).resources for path in TEMPLATES)
    named = {(one["type"], one["property"]) for one in told["properties"]}
    assert named == {(type, name) for type, names in stated.items() for name in names}
    assert all(len(one["reason"].split()) >= 4 for one in told["properties"] if one["way"] == "ignored")


def test_the_report_counts_what_it_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["local", "coverage"]) == 0
    lines = capsys.readouterr().out.splitlines()
    types = [line for line in lines if line.startswith("AWS::")]
    assert lines[-1].startswith(f"{len(types)} types, ") and lines[-1].endswith("0 unknown")


def test_what_is_only_stored_is_a_property_that_a_provider_applies() -> None:
    for type, names in coverage.stored()["types"].items():
        assert set(names) <= PROVIDERS[type].applied, type
        assert len(set(names)) == len(names), type


def test_what_nobody_knows_is_unknown() -> None:
    found = coverage.covered({"AWS::EC2::VPC": ["CidrBlock", "Colour"], "AWS::No::Type": ["Name"]})
    assert [one.way for one in found] == ["modelled", "unknown", "unknown"]
    assert coverage.lines(found)[-1] == (
        "2 types, 3 properties: 1 modelled, 0 stored only, 0 ignored, 2 unknown"
    )


def test_tags_are_stored_but_where_something_is_found_by_them() -> None:
    assert coverage.judged("AWS::EC2::VPC", "Tags").way == "stored only"
    assert coverage.judged("AWS::EC2::Instance", "Tags").way == "modelled"
