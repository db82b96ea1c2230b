# ruff: noqa: E501 - AWS's messages stand in one piece
"""Templates: text to plain values, the rules of ValidateTemplate, parameters, functions, conditions, the graph."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_vpc.errors import TemplateError
from aws_vpc.template import bind, load, prune, resolve_dynamic
from aws_vpc.template_functions import NO_VALUE, UNKNOWN, Scope, evaluate
from aws_vpc.template_graph import dependencies, order, references, variables
from aws_vpc.template_parameters import resolve
from aws_vpc.template_parse import parse

ONE = "Resources: {A: {Type: 'AWS::SQS::Queue'}}\n"


def nothing(name: str) -> str:
    raise TemplateError(f"nobody stored {name}")


# --- text to values ---

SHORT = [
    ("!Ref A", {"Ref": "A"}),
    ("!GetAtt A.B", {"Fn::GetAtt": ["A", "B"]}),
    ("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}),
    ("!GetAtt [A, B.C]", {"Fn::GetAtt": ["A", "B.C"]}),
    ("!Sub 'x${A}'", {"Fn::Sub": "x${A}"}),
    ("!Sub ['x${A}', {A: !Ref B}]", {"Fn::Sub": ["x${A}", {"A": {"Ref": "B"}}]}),
    ("!Not [!Condition C]", {"Fn::Not": [{"Condition": "C"}]}),
    ("!GetAZs {Ref: 'AWS::Region'}", {"Fn::GetAZs": {"Ref": "AWS::Region"}}),
    ("!Select [0, !GetAZs '']", {"Fn::Select": [0, {"Fn::GetAZs": ""}]}),
    ("!If [C, !Ref A, !Ref 'AWS::NoValue']", {"Fn::If": ["C", {"Ref": "A"}, {"Ref": "AWS::NoValue"}]}),
    ("!ImportValue {Fn::Sub: '${A}-x'}", {"Fn::ImportValue": {"Fn::Sub": "${A}-x"}}),
    ("2010-09-09", "2010-09-09"),
    ("2012-10-17", "2012-10-17"),
    ("012345678901", "012345678901"),
]


@pytest.mark.parametrize(("text", "value"), SHORT)
def test_short_forms_become_long_forms(text: str, value: Any) -> None:
    assert parse(f"X: {text}") == {"X": value}


def test_json_and_yaml_of_the_same_template_are_equal() -> None:
    value = {
        "Resources": {"A": {"Type": "T", "Properties": {"P": {"Fn::GetAtt": ["B", "C.D"]}, "L": [1, True]}}}
    }
    assert parse(json.dumps(value)) == parse(yaml.safe_dump(value)) == value


MALFORMED = [
    ("a: [1", "Template format error: YAML not well-formed. (line 2, column 1)"),
    ('{"a": 1,}x', "Template format error: JSON not well-formed. (line 1, column 9)"),
    ("a: 1\na: 2", "Template format error: YAML not well-formed. (line 2, column 1): Duplicate key a"),
    ("a: !Nope b", "Template format error: YAML not well-formed. (line 1, column 4): Unsupported tag !Nope"),
    ("a: {b: }", "[/a/b] 'null' values are not allowed in templates"),
    ("- a", "Template format error: unsupported structure."),
    ("", "Template format error: unsupported structure."),
]


@pytest.mark.parametrize(("text", "message"), MALFORMED)
def test_malformed_text_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        parse(text)
    assert str(error.value) == message


# --- the rules of ValidateTemplate ---

RULES = [
    ("Resources: {}", "Template format error: At least one Resources member must be defined."),
    ("Nonsense: {}\n" + ONE, "Invalid template property or properties [Nonsense]"),
    (
        "AWSTemplateFormatVersion: 2011-01-01\n" + ONE,
        "Template format error: 2011-01-01 is not a supported value for AWSTemplateFormatVersion.",
    ),
    (
        "Resources: {A: {}}",
        "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
    ),
    ("Resources: {A-B: {Type: T}}", "Template format error: Resource name A-B is non alphanumeric."),
    ("Resources: {A: {Type: T, Propertys: {}}}", "Invalid template resource property 'Propertys'"),
    ("Parameters: {P: {Type: Bool}}\n" + ONE, "Template format error: Unrecognized parameter type: Bool"),
    (
        "Parameters: {P: {Default: x}}\n" + ONE,
        "Template format error: Every Parameters object must contain a Type member.",
    ),
    (
        "Parameters: {P: {Type: String, Default: [x]}}\n" + ONE,
        "Template format error: Every Default member must be a string.",
    ),
    ("Parameters: {P: {Type: String, Defualt: x}}\n" + ONE, "Invalid template parameter property 'Defualt'"),
    (
        "Resources: {A: {Type: T, Properties: {P: !Ref Z}}}",
        "Template format error: Unresolved resource dependencies [Z] in the Resources block of the template",
    ),
    (
        "Resources: {A: {Type: T, Properties: {P: !Sub '${Y} ${Z}'}}}",
        "Template format error: Unresolved resource dependencies [Y, Z] in the Resources block of the template",
    ),
    (
        "Resources: {A: {Type: T, DependsOn: Z}}",
        "Template format error: Unresolved resource dependencies [Z] in the Resources block of the template",
    ),
    (
        "Resources: {A: {Type: T, Properties: {P: !GetAtt Z.Arn}}}",
        "Template error: instance of Fn::GetAtt references undefined resource Z",
    ),
    (
        ONE + "Outputs: {O: {Value: !Ref Z}}",
        "Template format error: Unresolved resource dependencies [Z] in the Outputs block of the template",
    ),
    (
        "Resources: {A: {Type: T, Condition: Z}}",
        "Template format error: Unresolved condition dependency Z in the Resources block of the template",
    ),
    (
        "Conditions: {C: !Equals [!Ref A, x]}\n" + ONE,
        "Template format error: Unresolved dependencies [A]. Cannot reference resources in the Conditions block "
        "of the template",
    ),
    (
        ONE + "Outputs: {O: {Description: x}}",
        "Template format error: Every Outputs member must contain a Value object",
    ),
    (
        "Resources:\n  A: {Type: T, DependsOn: B}\n  B: {Type: T, Properties: {P: !Ref A}}\n  C: {Type: T, DependsOn: A}",
        "Circular dependency between resources: [A, B]",
    ),
    (
        "Resources: {A: {Type: T, DeletionPolicy: Keep}}",
        "Template format error: Unrecognized DeletionPolicy Keep for resource A",
    ),
]


@pytest.mark.parametrize(("text", "message"), RULES)
def test_what_aws_refuses_is_refused_in_its_words(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        load(text)
    assert str(error.value) == message


def test_transforms_are_refused_with_the_way_out() -> None:
    with pytest.raises(TemplateError, match="expand the template first"):
        load("Transform: AWS::Serverless-2016-10-31\n" + ONE)


def test_capabilities_follow_from_the_resources() -> None:
    role = "Resources: {R: {Type: 'AWS::IAM::Role', Properties: {%s}}}"
    assert load(ONE).capabilities == []
    assert load(role % "Path: /").capabilities == ["CAPABILITY_IAM"]
    assert load(role % "RoleName: r").capabilities == ["CAPABILITY_NAMED_IAM"]


# --- parameters ---

CONSTRAINTS = [
    ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "Parameter 'P' must be one of AllowedValues"),
    ({"Type": "String", "AllowedPattern": "[a-z]+"}, "ab1", "Parameter 'P' must match pattern [a-z]+"),
    (
        {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "letters only"}, "1",
        "Parameter P failed to satisfy constraint: letters only",
    ),
    ({"Type": "String", "MinLength": 3}, "ab", "Parameter 'P' must contain at least 3 characters"),
    ({"Type": "String", "MaxLength": "3"}, "abcd", "Parameter 'P' must contain at most 3 characters"),
    ({"Type": "Number"}, "abc", "Parameter 'P' must be a number"),
    ({"Type": "Number", "MinValue": 5}, "4", "Parameter 'P' must be a number not less than 5"),
    ({"Type": "Number", "MaxValue": 5}, "5.5", "Parameter 'P' must be a number not greater than 5"),
    ({"Type": "List<Number>"}, "1, x", "Parameter 'P' must be a number"),
    ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "a,c", "Parameter 'P' must be one of AllowedValues"),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "text", "message"), CONSTRAINTS)
def test_a_broken_constraint_is_told_in_aws_words(declared: dict[str, Any], text: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        resolve({"P": declared}, {"P": text}, nothing)
    assert str(error.value) == message


VALUES = [
    ({"Type": "String", "Default": True}, None, "true"),
    ({"Type": "Number", "Default": 80}, None, "80"),
    ({"Type": "CommaDelimitedList", "Default": "a, b,c"}, None, ["a", "b", "c"]),
    ({"Type": "List<AWS::EC2::Subnet::Id>"}, "subnet-1,subnet-2", ["subnet-1", "subnet-2"]),
    ({"Type": "String", "AllowedValues": [True, False]}, "true", "true"),
    ({"Type": "AWS::SSM::Parameter::Value<String>"}, "/path", "stored"),
    ({"Type": "AWS::SSM::Parameter::Value<List<String>>"}, "/path", ["stored"]),
]


@pytest.mark.parametrize(("declared", "text", "value"), VALUES)
def test_a_parameters_value_is_what_functions_see(
    declared: dict[str, Any], text: str | None, value: Any
) -> None:
    given_texts = {} if text is None else {"P": text}
    assert resolve({"P": declared}, given_texts, lambda name: "stored")["P"].value == value


def test_missing_and_unknown_parameters_are_named_together() -> None:
    with pytest.raises(TemplateError, match=r"^Parameters: \[A, B\] must have values$"):
        resolve({"A": {"Type": "String"}, "B": {"Type": "String"}}, {}, nothing)
    with pytest.raises(TemplateError, match=r"^Parameters: \[Y, Z\] do not exist in the template$"):
        resolve({}, {"Y": "", "Z": ""}, nothing)


# --- functions ---

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


# --- conditions, rules, the graph ---

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


def test_dynamic_references_are_replaced_inside_text() -> None:
    value = {"a": ["x{{resolve:ssm:/p:1}}y", "{{resolve:secretsmanager:s:SecretString:k}}"], "b": "{{other}}"}
    found = resolve_dynamic(value, lambda service, reference: f"<{service} {reference}>")
    assert found == {"a": ["x<ssm /p:1>y", "<secretsmanager s:SecretString:k>"], "b": "{{other}}"}
