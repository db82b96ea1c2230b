"""Change sets: what they say, when they fail, how they are executed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cloudformation_bench import THING, Bench, as_new, running_bench

NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


running = pytest.fixture(running_bench, scope="module")
aws = pytest.fixture(as_new)


TEMPLATE = f"""
Parameters: {{Word: {{Type: String, Default: one}}}}
Resources:
  A: {{Type: {THING}, Properties: {{Value: !Ref Word}}}}
  B: {{Type: {THING}, Properties: {{Value: fixed}}}}
"""


def change_set(aws: Bench, stack: str, template: str | None = None, **options: Any) -> dict[str, Any]:
    """The change set when it is worked out."""
    body = {"UsePreviousTemplate": True} if template is None else {"TemplateBody": template}
    id = aws.cfn.create_change_set(StackName=stack, ChangeSetName=aws.name("c"), **body, **options)["Id"]
    return described(aws, id)


def described(aws: Bench, id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        found = dict(aws.cfn.describe_change_set(ChangeSetName=id, IncludePropertyValues=True))
        if found["Status"] in ("CREATE_COMPLETE", "FAILED"):
            return found
        time.sleep(0.01)
    raise AssertionError(f"{id} is still {found['Status']}")


def word(value: str) -> list[dict[str, str]]:
    return [{"ParameterKey": "Word", "ParameterValue": value}]


def changes(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in found["Changes"]}


def test_a_create_change_set_reviews_then_creates(aws: Bench) -> None:
    name = aws.name()
    found = change_set(aws, name, TEMPLATE, ChangeSetType="CREATE")
    assert aws.status(name) == "REVIEW_IN_PROGRESS"
    assert {key: one["Action"] for key, one in changes(found).items()} == {"A": "Add", "B": "Add"}
    assert aws.things.standing == {}
    aws.cfn.execute_change_set(ChangeSetName=found["ChangeSetId"])
    assert aws.settle(name) == "CREATE_COMPLETE"
    assert len(aws.things.standing) == 2
    assert aws.stack(name)["ChangeSetId"] == found["ChangeSetId"]


def test_a_parameter_change_shows_the_property_before_and_after(aws: Bench) -> None:
    stack = aws.create(TEMPLATE)
    found = changes(change_set(aws, stack, Parameters=word("two")))
    assert list(found) == ["A"]
    assert (found["A"]["Action"], found["A"]["Replacement"], found["A"]["Scope"]) == (
        "Modify",
        "False",
        ["Properties"],
    )
    detail = found["A"]["Details"][0]
    assert (detail["ChangeSource"], detail["CausingEntity"]) == ("ParameterReference", "Word")
    assert (detail["Target"]["BeforeValue"], detail["Target"]["AfterValue"]) == ("one", "two")
    assert json.loads(found["A"]["AfterContext"]) == {"Properties": {"Value": "two"}}


def test_no_changes_fail_the_change_set_in_aws_words(aws: Bench) -> None:
    stack = aws.create(TEMPLATE)
    found = change_set(aws, stack, TEMPLATE)
    assert (found["Status"], found["StatusReason"], found["ExecutionStatus"]) == (
        "FAILED",
        NO_CHANGES,
        "UNAVAILABLE",
    )
    with pytest.raises(aws.cfn.exceptions.InvalidChangeSetStatusException):
        aws.cfn.execute_change_set(ChangeSetName=found["ChangeSetId"])


def test_executing_updates_the_stack_and_makes_the_others_obsolete(aws: Bench) -> None:
    stack = aws.create(TEMPLATE)
    first = change_set(aws, stack, Parameters=word("two"))
    change_set(aws, stack, Parameters=word("three"))
    aws.cfn.execute_change_set(ChangeSetName=first["ChangeSetId"])
    assert aws.settle(stack) == "UPDATE_COMPLETE"
    assert sorted(one["Value"] for one in aws.things.standing.values()) == ["fixed", "two"]
    kept = aws.cfn.list_change_sets(StackName=stack)["Summaries"]
    assert [one["ExecutionStatus"] for one in kept] == ["EXECUTE_COMPLETE"]


def test_a_deleted_change_set_is_gone(aws: Bench) -> None:
    stack = aws.create(TEMPLATE)
    found = change_set(aws, stack, Parameters=word("two"))
    aws.cfn.delete_change_set(ChangeSetName=found["ChangeSetId"])
    with pytest.raises(aws.cfn.exceptions.ChangeSetNotFoundException):
        aws.cfn.describe_change_set(ChangeSetName=found["ChangeSetId"])
    assert aws.cfn.list_change_sets(StackName=stack)["Summaries"] == []


def test_removed_and_added_resources_are_listed(aws: Bench) -> None:
    stack = aws.create(TEMPLATE)
    found = changes(change_set(aws, stack, TEMPLATE.replace("  B:", "  C:")))
    assert {key: one["Action"] for key, one in found.items()} == {"C": "Add", "B": "Remove"}
    assert found["B"]["PolicyAction"] == "Delete"


CREATE_ONLY = """
Parameters: {Block: {Type: String, Default: 10.0.0.0/16}, Name: {Type: String, Default: a}}
Resources:
  Network:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: !Ref Block, Tags: [{Key: Name, Value: !Ref Name}]}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Network, CidrBlock: !Select [0, !Cidr [!Ref Block, 4, 8]]}
"""


def test_create_only_properties_replace_and_what_refers_to_them_too(aws: Bench) -> None:
    stack = aws.create(CREATE_ONLY)
    assert aws.status(stack) == "CREATE_COMPLETE"
    found = changes(
        change_set(aws, stack, Parameters=[{"ParameterKey": "Block", "ParameterValue": "10.1.0.0/16"}])
    )
    assert {key: one["Replacement"] for key, one in found.items()} == {"Network": "True", "Subnet": "True"}
    named = {one["Target"]["Name"]: one for one in found["Subnet"]["Details"]}
    assert named["VpcId"]["Evaluation"] == "Dynamic"
    assert named["VpcId"]["Target"]["RequiresRecreation"] == "Always"
    tagged = changes(change_set(aws, stack, Parameters=[{"ParameterKey": "Name", "ParameterValue": "b"}]))
    assert {key: one["Replacement"] for key, one in tagged.items()} == {"Network": "False"}
    assert aws.delete(stack) == "DELETE_COMPLETE"


def test_a_nested_change_set_shows_the_childs_changes(aws: Bench) -> None:
    child = f"""
Parameters: {{Word: {{Type: String}}}}
Resources: {{Inner: {{Type: {THING}, Properties: {{Value: !Ref Word}}}}}}
"""
    url = aws.put("nested.yaml", child)
    template = f"""
Parameters: {{Word: {{Type: String, Default: one}}}}
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: '{url}', Parameters: {{Word: !Ref Word}}}}
"""
    stack = aws.create(template)
    root = change_set(aws, stack, Parameters=word("two"), IncludeNestedStacks=True)
    found = changes(root)
    assert found["Child"]["Action"] == "Modify"
    inner = described(aws, found["Child"]["ChangeSetId"])
    assert inner["ParentChangeSetId"] == inner["RootChangeSetId"] == root["ChangeSetId"]
    assert changes(inner)["Inner"]["Details"][0]["Target"]["AfterValue"] == "two"
    assert change_set(aws, stack, template, IncludeNestedStacks=True)["StatusReason"] == NO_CHANGES
    with pytest.raises(ClientError):
        aws.cfn.execute_change_set(ChangeSetName=found["Child"]["ChangeSetId"])
    aws.cfn.execute_change_set(ChangeSetName=root["ChangeSetId"])
    assert aws.settle(stack) == "UPDATE_COMPLETE"


def test_a_create_change_set_of_nested_stacks_does_not_need_their_outputs(aws: Bench) -> None:
    made = f"""
Resources: {{Inner: {{Type: {THING}}}}}
Outputs: {{Id: {{Value: !Ref Inner}}}}
"""
    used = f"""
Parameters: {{Id: {{Type: String, AllowedPattern: 'thing-[0-9a-f]+'}}}}
Resources: {{Inner: {{Type: {THING}, Properties: {{Value: !Ref Id}}}}}}
"""
    first, second = aws.put("first.yaml", made), aws.put("second.yaml", used)
    template = f"""
Resources:
  First: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: '{first}'}}}}
  Second:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: '{second}', Parameters: {{Id: !GetAtt First.Outputs.Id}}}}
"""
    name = aws.name()
    found = change_set(aws, name, template, ChangeSetType="CREATE", IncludeNestedStacks=True)
    assert found["Status"] == "CREATE_COMPLETE", found.get("StatusReason")
    aws.cfn.execute_change_set(ChangeSetName=found["ChangeSetId"])
    assert aws.settle(name) == "CREATE_COMPLETE"
