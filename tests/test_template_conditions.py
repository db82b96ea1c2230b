# ruff: noqa: E501 - AWS's messages stand in one piece
"""Conditions and rules decide what stands; references decide the order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_vpc.errors import TemplateError
from aws_vpc.template import bind, load
from aws_vpc.template_functions import Scope
from aws_vpc.template_graph import dependencies, order, references, variables
from aws_vpc.template_parse import parse

ONE = "Resources: {A: {Type: 'AWS::SQS::Queue'}}\n"
CONDITIONAL = """
Parameters: {Stage: {Type: String}}
Conditions:
  Both: !And [!Condition Production, !Not [!Equals [!Ref Stage, x]]]
  Production: !Or [!Equals [!Ref Stage, production], !Equals [!Ref Stage, x]]
Resources:
  A: {Type: T, Condition: Production}
  B: {Type: T, Properties: {P: !If [Both, !Ref A, none]}}
Outputs:
  O: {Condition: Production, Value: !Ref A}
"""


@pytest.mark.parametrize(("stage", "resources", "needs", "outputs"), [
    ("production", ["A", "B"], {"A"}, ["O"]), ("test", ["B"], set(), []), ("x", ["A", "B"], set(), ["O"]),
])  # fmt: skip
def test_conditions_decide_what_stands_and_what_depends(
    stage: str, resources: list[str], needs: set[str], outputs: list[str]
) -> None:
    bound = bind(load(CONDITIONAL), Scope(values={"Stage": stage}))
    assert (list(bound.resources), bound.graph["B"], list(bound.outputs)) == (resources, needs, outputs)


RULED = (
    """
Parameters: {Stage: {Type: String}, Size: {Type: String}}
Rules:
  Big:
    RuleCondition: !Equals [!Ref Stage, production]
    Assertions:
      - Assert: !Contains [[large, huge], !Ref Size]
        AssertDescription: production is large
"""
    + ONE
)


def test_a_rule_that_does_not_hold_is_told() -> None:
    template = load(RULED)
    bind(template, Scope(values={"Stage": "test", "Size": "small"}))
    bind(template, Scope(values={"Stage": "production", "Size": "huge"}))
    with pytest.raises(TemplateError, match="production is large"):
        bind(template, Scope(values={"Stage": "production", "Size": "small"}))


def test_references_are_found_wherever_they_hide() -> None:
    value = parse(
        "X: !Join ['', [!Ref A, !Sub '${B.C} ${!D} ${E}', !GetAtt F.G, !If [H, !ImportValue {Fn::Sub: '${I}'}, x]]]"
    )
    assert {found.name for found in references(value)} == {"A", "B", "E", "F", "H", "I"}
    assert variables("${A} ${!B} ${ C } $${D}") == ["A", "C", "D"]


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 12), st.sets(st.integers(0, 12)), max_size=13))
def test_the_order_puts_every_need_first_or_names_a_circle(edges: dict[int, set[int]]) -> None:
    graph = {str(name): {str(need) for need in needs if need in edges} for name, needs in edges.items()}
    try:
        found = order(graph)
    except TemplateError as error:
        names = str(error).split("[")[1].rstrip("]").split(", ")
        assert all(graph[name] & set(names) for name in names)
        return
    assert sorted(found) == sorted(graph)
    assert all(found.index(need) < found.index(name) for name, needs in graph.items() for need in needs)


def test_dependencies_come_from_every_kind_of_mention() -> None:
    resources = parse("""
A: {Type: T}
B: {Type: T, Properties: {P: !Ref A}}
C: {Type: T, Properties: {P: !GetAtt B.X}}
D: {Type: T, Properties: {P: !Sub '${C.Y}'}, DependsOn: [A]}
E: {Type: T, Metadata: {M: !Ref D}}
""")
    assert dependencies(resources) == {"A": set(), "B": {"A"}, "C": {"B"}, "D": {"A", "C"}, "E": {"D"}}
