# ruff: noqa: E501 - AWS's messages stand in one piece
"""CloudFormation's stacks in stacks as AWS documents them, through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from cloudformation_bench import THING, Bench, as_new, running_bench

running = pytest.fixture(running_bench, scope="module")
aws = pytest.fixture(as_new)


CHILD = f"""
Parameters:
  Word: {{Type: String}}
Resources:
  Inner: {{Type: {THING}, Properties: {{Value: !Ref Word}}}}
Outputs:
  Word: {{Value: !GetAtt Inner.Value}}
"""


def parent(aws: Bench, url: str, **properties: Any) -> str:
    extra = "".join(f", {key}: {value}" for key, value in properties.items())
    return f"""
Parameters:
  Word: {{Type: String, Default: hello}}
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: '{url}', Parameters: {{Word: !Ref Word}}{extra}}}
  After: {{Type: {THING}, Properties: {{Value: !GetAtt Child.Outputs.Word}}}}
Outputs:
  Word: {{Value: !Sub '${{Child.Outputs.Word}}!'}}
"""


def test_nested_stacks_pass_parameters_down_and_outputs_up(aws: Bench) -> None:
    template = parent(aws, aws.put("child.yaml", CHILD))
    root = aws.create(template, Tags=[{"Key": "Owner", "Value": "me"}])
    assert aws.status(root) == "CREATE_COMPLETE"
    child = aws.stack(aws.physical(root, "Child"))
    assert (child["ParentId"], child["RootId"]) == (root, root)
    assert child["Tags"] == [{"Key": "Owner", "Value": "me"}]
    assert aws.outputs(root) == {"Word": "hello!"}
    inner = next(one for one in aws.things.requests if one.logical_id == "Inner")
    assert inner.tags["Owner"] == "me"
    assert inner.tags["aws:cloudformation:stack-id"] == child["StackId"]
    assert aws.delete(root) == "DELETE_COMPLETE"
    assert aws.status(child["StackId"]) == "DELETE_COMPLETE"
    assert aws.things.standing == {}


def test_a_childs_failure_names_it_in_the_parent_and_rolls_everything_back(aws: Bench) -> None:
    bad = CHILD.replace("Value: !Ref Word", "Value: !Ref Word, Fail: create")
    root = aws.create(parent(aws, aws.put("bad.yaml", bad)))
    assert aws.status(root) == "ROLLBACK_COMPLETE"
    said = aws.reason(root, "Child", "CREATE_FAILED")
    child = aws.physical(root, "Child")
    assert said == (
        f"Embedded stack {child} was not successfully created: The following resource(s) failed to create: [Inner]."
    )
    assert aws.status(child) == "DELETE_COMPLETE"
    assert aws.things.standing == {}


def test_a_child_changed_at_the_same_address_is_updated_in_place(aws: Bench) -> None:
    url = aws.put("same.yaml", CHILD)
    root = aws.create(parent(aws, url))
    child, inner = aws.physical(root, "Child"), aws.physical(aws.physical(root, "Child"), "Inner")
    aws.put("same.yaml", CHILD.replace("!Ref Word}", "!Sub '${Word} again'}"))
    assert aws.update(root, parent(aws, url)) == "UPDATE_COMPLETE"
    assert aws.physical(root, "Child") == child
    assert aws.physical(child, "Inner") == inner
    assert aws.status(child) == "UPDATE_COMPLETE"
    assert aws.outputs(root) == {"Word": "hello again!"}
    with pytest.raises(aws.cfn.exceptions.ClientError, match="No updates"):
        aws.update(root, parent(aws, url))


def test_a_failure_beside_an_updated_child_brings_the_child_back(aws: Bench) -> None:
    url = aws.put("beside.yaml", CHILD)
    root = aws.create(parent(aws, url))
    child = aws.physical(root, "Child")
    bad = parent(aws, url).replace("Child.Outputs.Word}}", "Child.Outputs.Word, Fail: update}}")
    status = aws.update(root, bad, Parameters=[{"ParameterKey": "Word", "ParameterValue": "other"}])
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.status(child) == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.things.standing[aws.physical(child, "Inner")] == {"Value": "hello"}
    assert aws.outputs(root) == {"Word": "hello!"}
    assert aws.outputs(child) == {"Word": "hello"}


def test_a_childs_failed_update_is_told_and_undone_everywhere(aws: Bench) -> None:
    url = aws.put("child-fails.yaml", CHILD)
    template = parent(aws, url) + "  Beside: {Value: !Ref Sibling}\n"
    template = template.replace(
        "  After:", f"  Sibling: {{Type: {THING}, Properties: {{Value: s1}}}}\n  After:"
    )
    root = aws.create(template)
    child = aws.physical(root, "Child")
    aws.put("child-fails.yaml", CHILD.replace("!Ref Word}", "!Ref Word, Fail: update, New: x}"))
    assert aws.update(root, template.replace("s1", "s2")) == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.reason(root, "Child", "UPDATE_FAILED") == (
        f"Embedded stack {child} was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS "
        "with reason: The following resource(s) failed to update: [Inner]."
    )
    assert aws.status(child) == "UPDATE_ROLLBACK_COMPLETE"
    assert sorted(one["Value"] for one in aws.things.standing.values()) == ["hello", "hello", "s1"]


def test_a_child_added_by_a_failed_update_is_deleted(aws: Bench) -> None:
    url = aws.put("added.yaml", f"Resources: {{Inner: {{Type: {THING}}}}}")
    plain = f"Resources:\n  A: {{Type: {THING}, Properties: {{Value: a1}}}}\n"
    root = aws.create(plain)
    changed = plain.replace("Value: a1", "Value: a2, Fail: update").replace("THING}", "THING") + (
        f"  Child: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: '{url}'}}}}\n"
    )
    changed = changed.replace("Type: AWS::Bench::Thing, ", "Type: AWS::Bench::Thing, DependsOn: Child, ")
    assert aws.update(root, changed) == "UPDATE_ROLLBACK_COMPLETE"
    child = next(
        event
        for event in aws.cfn.describe_stack_events(StackName=root)["StackEvents"]
        if event["LogicalResourceId"] == "Child"
    )
    assert aws.status(child["PhysicalResourceId"]) == "DELETE_COMPLETE"
    assert list(aws.things.standing.values()) == [{"Value": "a1"}]
    assert list(aws.resources(root)) == ["A"]


def test_a_child_in_progress_is_cancelled_when_its_sibling_fails(aws: Bench) -> None:
    slow = aws.put(
        "slow.yaml",
        f"Resources: {{Inner: {{Type: {THING}, Properties: {{Gate: inner}}}}, Next: {{Type: {THING}, DependsOn: Inner}}}}",
    )
    template = f"""
Resources:
  Child: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: '{slow}'}}}}
  Bad: {{Type: {THING}, Properties: {{Gate: bad, Fail: create}}}}
"""
    root = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=template)["StackId"]
    aws.until(root, "CREATE_IN_PROGRESS", "Bad")
    while "PhysicalResourceId" not in aws.resources(root).get("Child", {}):
        pass
    child = aws.physical(root, "Child")
    aws.until(child, "CREATE_IN_PROGRESS", "Inner")
    aws.things.gate("bad").set()
    aws.until(child, "CREATE_FAILED", "Inner")
    aws.things.gate("inner").set()
    assert aws.settle(root) == "ROLLBACK_COMPLETE"
    assert aws.reason(child, "Inner", "CREATE_FAILED") == "Resource creation cancelled"
    assert "Next" not in aws.things.did("create")
    assert aws.things.standing == {}


def test_stacks_nest_to_any_depth(aws: Bench) -> None:
    leaf = aws.put("leaf.yaml", CHILD)
    middle = aws.put("middle.yaml", parent(aws, leaf))
    root = aws.create(parent(aws, middle))
    assert aws.status(root) == "CREATE_COMPLETE"
    child = aws.physical(root, "Child")
    grandchild = aws.stack(aws.physical(child, "Child"))
    assert (grandchild["ParentId"], grandchild["RootId"]) == (child, root)
    assert aws.outputs(root) == {"Word": "hello!!"}
    aws.put("leaf.yaml", CHILD.replace("!Ref Word}", "!Sub '${Word}?'}"))
    assert aws.update(root) == "UPDATE_COMPLETE"
    assert aws.outputs(root) == {"Word": "hello?!!"}
    assert aws.delete(root) == "DELETE_COMPLETE"
    assert aws.things.standing == {}


@pytest.mark.parametrize(("url", "message"), [
    ("https://example.com/x.yaml", "TemplateURL must be a supported URL."),
    ("child.yaml", "TemplateURL must be a supported URL."),
    ("https://nobodys-bucket-here.s3.amazonaws.com/x.yaml", "S3 error: The specified bucket does not exist"),
])  # fmt: skip
def test_an_address_that_leads_nowhere_is_told(aws: Bench, url: str, message: str) -> None:
    with pytest.raises(aws.cfn.exceptions.ClientError, match=message):
        aws.cfn.validate_template(TemplateURL=url)
    root = aws.create(parent(aws, url))
    assert aws.status(root) == "ROLLBACK_COMPLETE"
    assert message in aws.reason(root, "Child", "CREATE_FAILED")
