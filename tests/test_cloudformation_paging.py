"""Every list of CloudFormation comes by pages, whose tokens lead through all of it, each member once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloudformation_bench import ACCOUNT, REGION, Bench, running_bench, thing

from aws_vpc.local.cloudformation.model import ChangeSet, Definition, Output, Stack
from aws_vpc.template import Template

MANY = 230  # more than two pages
running = pytest.fixture(running_bench, scope="module")


@pytest.fixture(scope="module")
def full(running: Bench) -> Iterator[Bench]:
    """One stack with many of everything, and as many stacks that import from it."""
    made_first = running.create("Resources:\n" + thing("A"), "exporter")
    engine = running.world.parts["cloudformation"].owner
    exporter = engine.stacks[made_first]
    exporter.outputs = tuple(Output(f"O{n}", "a", None, f"export-{n:03}") for n in range(MANY))
    exporter.resources |= {f"A{n}": replace(exporter.resources["A"], logical_id=f"A{n}") for n in range(MANY)}
    for number in range(MANY):
        name = f"importer-{number:03}"
        nothing, id = Definition(Template("", {}), {}), engine.new_id(REGION, name)
        stack = Stack(
            id, name, REGION, ACCOUNT, nothing, "CREATE_COMPLETE", imports=frozenset({"export-000"})
        )
        engine.add(stack)
        made = engine.new_id(REGION, name, "changeSet")
        exporter.change_sets[name] = ChangeSet(made, name, exporter.id, "UPDATE", "CREATE_COMPLETE")
        engine.put(exporter, exporter.resources["A"])
    yield running
    exporter.outputs, exporter.resources = (), {}


@pytest.mark.parametrize(
    ("operation", "asked", "listed", "name", "least"),
    [
        ("list_change_sets", {"StackName": "exporter"}, "Summaries", "ChangeSetName", MANY),
        ("list_exports", {}, "Exports", "Name", MANY),
        ("list_imports", {"ExportName": "export-000"}, "Imports", None, MANY),
        ("list_stacks", {}, "StackSummaries", "StackId", MANY + 1),
        ("describe_stacks", {}, "Stacks", "StackId", MANY + 1),
        (
            "list_stack_resources",
            {"StackName": "exporter"},
            "StackResourceSummaries",
            "LogicalResourceId",
            MANY + 1,
        ),
        ("describe_stack_events", {"StackName": "exporter"}, "StackEvents", "EventId", MANY),
    ],
)
def test_pages_lead_through_the_whole_list(
    full: Bench, operation: str, asked: dict[str, str], listed: str, name: str | None, least: int
) -> None:
    pages = list(full.cfn.get_paginator(operation).paginate(**asked))
    found: list[Any] = [one[name] if name else one for page in pages for one in page[listed]]
    assert len(found) == len(set(found)) >= least
    assert [len(page[listed]) for page in pages[:-1]] == [100] * (len(pages) - 1)
    assert "NextToken" not in pages[-1]


def test_a_token_that_is_none_is_refused(full: Bench) -> None:
    with pytest.raises(ClientError, match=r"ValidationError.*NextToken"):
        full.cfn.list_exports(NextToken="nonsense")
