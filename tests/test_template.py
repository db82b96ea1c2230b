# ruff: noqa: E501 - AWS's messages stand in one piece
"""Text becomes a template, or is refused in AWS's words; parameters become values."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from aws_vpc.errors import TemplateError
from aws_vpc.template import load
from aws_vpc.template_parameters import resolve
from aws_vpc.template_parse import parse

ONE = "Resources: {A: {Type: 'AWS::SQS::Queue'}}\n"


def nothing(name: str) -> str:
    raise TemplateError(f"nobody stored {name}")


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
