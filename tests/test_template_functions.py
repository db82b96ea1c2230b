# ruff: noqa: E501 - AWS's messages stand in one piece
"""Functions of templates give what AWS's give, and refuse what those refuse."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_vpc.errors import TemplateError
from aws_vpc.template import prune, resolve_dynamic
from aws_vpc.template_functions import NO_VALUE, UNKNOWN, Scope, evaluate
from aws_vpc.template_parse import parse

SCOPE = Scope(
    values={"Text": "t", "List": ["a", "b"], "AWS::Region": "eu-west-1", "AWS::NoValue": NO_VALUE},
    mappings={"M": {"top": {"second": "found", "list": ["x", "y"]}}},
    conditions={"Is": True, "Not": False},
    ref=lambda logical: f"id-of-{logical}",
    attribute=lambda logical, attribute: f"{attribute}-of-{logical}",
    import_value=lambda name: f"export-{name}",
    zones=lambda region: [f"{region}a", f"{region}b"],
)
FUNCTIONS = [
    ("!Ref Text", "t"),
    ("!Ref Thing", "id-of-Thing"),
    ("!GetAtt Thing.Endpoint.Address", "Endpoint.Address-of-Thing"),
    (
        "!Sub '${Text} ${Thing} ${Thing.A.B} ${!Literal} ${AWS::Region}'",
        "t id-of-Thing A.B-of-Thing ${Literal} eu-west-1",
    ),
    ("!Sub ['${Own} ${Text}', {Own: !Ref Thing}]", "id-of-Thing t"),
    ("!Join ['-', [a, !Ref Text, 1, true]]", "a-t-1-true"),
    ("!Join [',', !Ref List]", "a,b"),
    ("!Select [1, !Ref List]", "b"),
    ("!Select ['0', !Split ['.', '10.1.2']]", "10"),
    ("!Split [',', 'a,b,,c']", ["a", "b", "", "c"]),
    ("!If [Is, a, b]", "a"),
    ("!If [Not, a, !If [Is, c, d]]", "c"),
    ("[a, !If [Not, b, !Ref 'AWS::NoValue'], c]", ["a", "c"]),
    ("{a: 1, b: !Ref 'AWS::NoValue'}", {"a": 1}),
    ("!FindInMap [M, top, second]", "found"),
    ("!FindInMap [M, top, list]", ["x", "y"]),
    ("!FindInMap [M, none, second, {DefaultValue: other}]", "other"),
    ("!Base64 hello", "aGVsbG8="),
    ("!Cidr [10.0.0.0/16, 3, 8]", ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
    ("!Select [1, !Cidr [10.0.0.0/22, '2', '9']]", "10.0.2.0/23"),
    ("!GetAZs ''", ["eu-west-1a", "eu-west-1b"]),
    ("!GetAZs {Ref: 'AWS::Region'}", ["eu-west-1a", "eu-west-1b"]),
    ("!ImportValue {Fn::Sub: '${Text}-x'}", "export-t-x"),
    ("!Length [a, b, c]", 3),
    ("!Length {Ref: List}", 2),
    ("!ToJsonString {a: !Ref Text, b: [1, true]}", '{"a":"t","b":[1,true]}'),
    (
        "{Statement: {Condition: {StringEquals: {a: b}}}}",
        {"Statement": {"Condition": {"StringEquals": {"a": "b"}}}},
    ),
]


@pytest.mark.parametrize(("text", "value"), FUNCTIONS)
def test_functions_give_what_aws_gives(text: str, value: Any) -> None:
    assert evaluate(parse(f"X: {text}")["X"], SCOPE) == value


WRONG = [
    ("!Select [5, !Ref List]", "Template error: Fn::Select cannot select nonexistent value at index 5"),
    ("!FindInMap [M, none, second]", "Template error: Unable to get mapping for M::none::second"),
    (
        "!FindInMap [Z, none, second]",
        "Template error: Mapping named 'Z' is not present in the 'Mappings' section of template.",
    ),
    (
        "!Transform {Name: AWS::Include}",
        "Template error: Fn::Transform is not supported; write its result into the template",
    ),
    ("!Base64 [a]", "Template error: every Fn::Base64 object must have a String-typed value."),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_wrong_arguments_are_refused(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        evaluate(parse(f"X: {text}")["X"], SCOPE)
    assert str(error.value) == message


@pytest.mark.parametrize("text", [
    "!Select [0, !Split [',', !Ref Later]]", "!Join ['', !Split [',', !Ref Later]]", "!Base64 {Ref: Later}",
    "!Cidr [!Ref Later, 2, 8]", "!ImportValue {Ref: Later}",
])  # fmt: skip
def test_what_is_known_after_apply_stays_unknown(text: str) -> None:
    scope = Scope(ref=lambda logical: UNKNOWN, import_value=lambda name: "no")
    assert evaluate(parse(f"X: {text}")["X"], scope) == UNKNOWN


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(8, 20), st.integers(1, 16), st.integers(2, 8))
def test_cidr_blocks_are_disjoint_and_inside(address: int, prefix: int, count: int, bits: int) -> None:
    block = ipaddress.ip_network((address, prefix), strict=False)
    found = [
        ipaddress.ip_network(text) for text in evaluate({"Fn::Cidr": [str(block), count, bits]}, Scope())
    ]
    assert len(found) == count
    assert all(one.subnet_of(block) and one.prefixlen == 32 - bits for one in found)  # type: ignore[arg-type]
    assert not any(one.overlaps(other) for one in found for other in found if one is not other)


PLAIN = st.recursive(
    st.text() | st.integers() | st.booleans(),
    lambda children: st.lists(children) | st.dictionaries(st.text(min_size=1).filter(lambda key: key not in ("Ref", "Condition") and not key.startswith("Fn::")), children),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None)
@given(PLAIN)
def test_a_value_without_functions_evaluates_to_itself(value: Any) -> None:
    assert evaluate(value, Scope()) == value
    assert prune(value, {}) == value


@settings(deadline=None)
@given(st.lists(st.text(st.characters(blacklist_characters=",")), min_size=1))
def test_split_undoes_join(items: list[str]) -> None:
    joined = evaluate({"Fn::Join": [",", items]}, Scope())
    assert evaluate({"Fn::Split": [",", joined]}, Scope()) == items


def test_dynamic_references_are_replaced_inside_text() -> None:
    value = {"a": ["x{{resolve:ssm:/p:1}}y", "{{resolve:secretsmanager:s:SecretString:k}}"], "b": "{{other}}"}
    found = resolve_dynamic(value, lambda service, reference: f"<{service} {reference}>")
    assert found == {"a": ["x<ssm /p:1>y", "<secretsmanager s:SecretString:k>"], "b": "{{other}}"}
