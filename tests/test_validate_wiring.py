"""The project's own rules, each shown a fault and something like it that is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from aws_vpc.validate_lines import line_of, lines
from aws_vpc.validate_tools import document
from aws_vpc.validate_wiring import template_name, wiring

CHILD = """
Parameters:
  Needed:
    Type: String
    AllowedValues: [dev, prod]
  Optional:
    Type: String
    Default: ''
Resources:
  Queue:
    Type: AWS::SQS::Queue
Outputs:
  Queue:
    Value: !Ref Queue
"""
ROOT = """
Parameters:
  TemplateBaseUrl:
    Type: String
  Size:
    Type: String
    Default: dev
    AllowedValues: [dev, prod]
Conditions:
  IsProd: !Equals [!Ref Size, prod]
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: !Sub ${TemplateBaseUrl}/child.yaml
      Parameters:
        Needed: !Ref Size
        Optional: here
Outputs:
  Queue:
    Value: !GetAtt Child.Outputs.Queue
"""

SINGLE = "Type: String\n    Default: dev\n    AllowedValues: [dev, prod]"
MANY = "Type: CommaDelimitedList\n    Default: dev"


def faults(root: str, child: str = CHILD) -> list[tuple[str, int]]:
    """The rules that the pair breaks, with their lines."""
    pair = {"root.yaml": root, "child.yaml": child}
    found = wiring({name: document(Path(name), text) for name, text in pair.items()})
    return [(one.rule, one.line) for one in sorted(found)]


def place(text: str, mark: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if mark in line)


def test_a_root_that_fits_its_child_has_no_fault() -> None:
    assert faults(ROOT) == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "mark"),
    [
        ("        Needed: !Ref Size\n", "", "MISSING_PARAMETER", "      Parameters:"),
        ("        Optional: here\n", "", "UNSET_PARAMETER", "      Parameters:"),
        ("Optional: here", "Optional: here\n        Other: x", "UNKNOWN_PARAMETER", "Other: x"),
        ("Child.Outputs.Queue", "Child.Outputs.Topic", "UNKNOWN_OUTPUT", "  Queue:"),
        ("/child.yaml", "/nobody.yaml", "UNKNOWN_TEMPLATE", "TemplateURL"),
        ("[dev, prod]", "[dev, test]", "CONTRADICTION", "Needed:"),
        ("Needed: !Ref Size", "Needed: test", "CONTRADICTION", "Needed:"),
        ("    AllowedValues: [dev, prod]\n", "    MinLength: 1\n", "", ""),
        (SINGLE, MANY, "CONTRADICTION", "Needed:"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_where_it_stands(old: str, new: str, rule: str, mark: str) -> None:
    changed = ROOT.replace(old, new, 1)
    assert changed != ROOT
    assert faults(changed) == ([(rule, place(changed, mark))] if rule else [])


def test_a_value_that_switches_the_child_off_contradicts_nothing() -> None:
    wider = ROOT.replace("[dev, prod]", "[dev, prod, none]")
    assert faults(wider) == [("CONTRADICTION", place(wider, "Needed:"))]
    switched = wider.replace("IsProd: !Equals [!Ref Size, prod]", "IsProd: !Not [!Equals [!Ref Size, none]]")
    assert faults(switched.replace("Stack\n", "Stack\n    Condition: IsProd\n")) == []


@pytest.mark.parametrize(
    ("cidr", "found"), [("0.0.0.0/0", True), ("10.0.0.0/8", False), ("!Ref Cidr", False)]
)
@pytest.mark.parametrize("alone", [True, False])
def test_a_port_is_open_to_everybody_by_a_literal_only(cidr: str, found: bool, alone: bool) -> None:
    own = f"    Type: AWS::EC2::SecurityGroupIngress\n    Properties:\n      CidrIp: {cidr}\n"
    inside = (
        "    Type: AWS::EC2::SecurityGroup\n    Properties:\n      SecurityGroupIngress:\n"
        f"        - CidrIp: {cidr}\n"
    )
    text = f"Parameters:\n  Cidr:\n    Type: String\nResources:\n  Rule:\n{own if alone else inside}"
    assert [one.rule for one in wiring({"a": document(Path("a"), text)})] == ["OPEN_PORT"] * found


@pytest.mark.parametrize(
    ("type", "statement", "found"),
    [
        ("AWS::IAM::RolePolicy", "{Effect: Allow, Action: 's3:*'}", True),
        ("AWS::IAM::RolePolicy", "{Effect: Allow, Action: ['s3:GetObject', 's3:Put*']}", True),
        ("AWS::IAM::RolePolicy", "{Effect: Allow, NotAction: '*'}", True),
        ("AWS::IAM::RolePolicy", "{Effect: Deny, Action: 's3:*'}", False),
        ("AWS::IAM::RolePolicy", "{Effect: Allow, Action: 's3:GetObject', Resource: '*'}", False),
        ("AWS::EC2::VPCEndpoint", "{Effect: Allow, Action: 'sts:*'}", False),
        ("AWS::EC2::VPCEndpoint", "{Effect: Allow, Action: '*'}", True),
    ],
)
def test_an_action_with_a_wildcard_is_found_where_it_grants(type: str, statement: str, found: bool) -> None:
    properties = f"PolicyDocument:\n        Statement: {statement}"
    text = f"Resources:\n  One:\n    Type: {type}\n    Properties:\n      {properties}"
    assert [one.rule for one in wiring({"a": document(Path("a"), text)})] == ["WILDCARD_ACTION"] * found


def test_lines_are_known_by_path_and_else_by_what_is_around() -> None:
    known = lines(ROOT)
    assert line_of(known, "Resources", "Child", "Properties", "Parameters", "Needed") == place(
        ROOT, "Needed:"
    )
    assert line_of(known, "Resources", "Child", "Nothing") == place(ROOT, "Child:")
    assert line_of(known, "Nothing") == 1


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ({"Fn::Sub": "${Base}/vpc.yaml"}, "vpc.yaml"),
        ({"Fn::Sub": ["${B}/a/vpc.yml", {"B": "x"}]}, "vpc.yml"),
        ("https://bucket/x/vpc.json", "vpc.json"),
        ({"Ref": "Url"}, None),
    ],
)
def test_a_template_is_known_by_the_end_of_its_address(url: object, name: str | None) -> None:
    assert template_name(url) == name
