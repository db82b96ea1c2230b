"""Fn::ForEach as its page describes it: where identifiers are replaced, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from aws_vpc.errors import TemplateError
from aws_vpc.template import Scope, bind, load

HEAD = "Transform: AWS::LanguageExtensions\n"
QUEUE = "{Type: AWS::SQS::Queue}"


def made(text: str, **values: Any) -> dict[str, Any]:
    """The resources of the template under the values."""
    return bind(load(HEAD + text), Scope(values)).resources


def test_an_identifier_is_replaced_in_sub_and_ref_but_not_in_plain_texts_and_deeper_keys() -> None:
    found = made(
        "Resources: {'Fn::ForEach::Loop': [Id, [a.b], {'R&{Id}': {Type: T, Properties: {"
        "Plain: '${Id}', Sub: !Sub '${Id} &{Id} ${AWS::Region}', Ref: !Ref Id, 'Key${Id}': 1}}}]}"
    )
    assert found == {
        "Rab": {
            "Type": "T",
            "Properties": {
                "Plain": "${Id}",
                "Sub": {"Fn::Sub": "a.b &{Id} ${AWS::Region}"},
                "Ref": "a.b",
                "Key${Id}": 1,
            },
        }
    }


def test_names_of_other_resources_are_put_together() -> None:
    found = made(
        "Resources: {'Fn::ForEach::Loop': [Id, [A, B], {"
        f"'Q${{Id}}': {QUEUE}, "
        "'P${Id}': {Type: T, DependsOn: !Sub 'Q${Id}', Properties: {Q: !Ref {'Fn::Sub': 'Q${Id}'}, "
        "N: !GetAtt [!Sub 'Q${Id}', QueueName]}}}]}"
    )
    assert list(found) == ["QA", "PA", "QB", "PB"]
    assert found["PB"] == {
        "Type": "T",
        "DependsOn": "QB",
        "Properties": {"Q": {"Ref": "QB"}, "N": {"Fn::GetAtt": ["QB", "QueueName"]}},
    }


def test_a_collection_may_be_a_parameter_or_come_of_a_mapping_and_an_outer_identifier() -> None:
    text = (
        "Parameters: {Sides: {Type: CommaDelimitedList}}\n"
        "Mappings: {Zones: {left: {Of: [A, B]}, right: {Of: [C]}}}\n"
        "Resources: {'Fn::ForEach::Outer': [Side, !Ref Sides, {'Fn::ForEach::Inner': "
        f"[Zone, !FindInMap [Zones, !Ref Side, Of], {{'${{Side}}${{Zone}}': {QUEUE}}}]}}]}}"
    )
    assert list(made(text, Sides=["left", "right"])) == ["leftA", "leftB", "rightC"]
    assert list(made(text, Sides=["right"])) == ["rightC"]


@pytest.mark.parametrize(
    ("loop", "said"),
    [
        (f"'Fn::ForEach::L': [Id, [A], {{Same: {QUEUE}}}]", "does not contain"),
        (f"'Fn::ForEach::L': [Id, A, {{'Q${{Id}}': {QUEUE}}}]", "layout is incorrect"),
        (f"'Fn::ForEach::L': [Id, {{'Q${{Id}}': {QUEUE}}}]", "layout is incorrect"),
        (f"'Fn::ForEach::L': [Id, [A, A], {{'Q${{Id}}': {QUEUE}}}]", "twice"),
        (f"'Fn::ForEach::L': [Id, !Ref Nothing, {{'Q${{Id}}': {QUEUE}}}]", "Could not find a collection"),
        (f"'Fn::ForEach::Q': [Id, [A], {{'Q${{Id}}': {QUEUE}}}], Q: {QUEUE}", "not unique"),
        (f"'Fn::ForEach::L': [Id, ['a.b'], {{'Q${{Id}}': {QUEUE}}}]", "non alphanumeric"),
    ],
)
def test_a_loop_that_cannot_be_unrolled_is_refused(loop: str, said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        made(f"Resources: {{{loop}}}")


def test_a_loop_stands_in_conditions_resources_and_outputs_only() -> None:
    loop = "{'Fn::ForEach::L': [Id, [A], {'M${Id}': a}]}"
    with pytest.raises(TemplateError, match="not supported in the Metadata section"):
        load(f"{HEAD}Metadata: {loop}\nResources: {{Q: {QUEUE}}}")
