# ruff: noqa: E501 - AWS's messages stand in one piece
"""CloudFormation's behaviour as AWS documents it: stacks created, described and deleted, through boto3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cloudformation_bench import THING, Bench, serving


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with serving(tmp_path_factory.mktemp("cloudformation")) as bench:
        yield bench


@pytest.fixture
def aws(running: Bench) -> Bench:
    running.things.__init__()  # type: ignore[misc]
    return running


TWO = f"""
Parameters:
  Word: {{Type: String, Default: one}}
Resources:
  First: {{Type: {THING}, Properties: {{Value: !Ref Word}}}}
  Second: {{Type: {THING}, Properties: {{Value: !GetAtt First.Arn}}}}
Outputs:
  Second: {{Value: !Ref Second, Description: the second}}
  Word: {{Value: !Sub '${{Word}} in ${{AWS::StackName}}'}}
"""


def test_create_answers_at_once_and_the_work_goes_on(aws: Bench) -> None:
    template = f"Resources: {{A: {{Type: {THING}, Properties: {{Gate: create}}}}}}"
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=template)["StackId"]
    aws.until(stack, "CREATE_IN_PROGRESS", "A")
    assert aws.status(stack) == "CREATE_IN_PROGRESS"
    aws.things.gate("create").set()
    assert aws.settle(stack) == "CREATE_COMPLETE"


def test_dependants_come_after_what_they_use(aws: Bench) -> None:
    stack = aws.create(TWO)
    assert aws.status(stack) == "CREATE_COMPLETE"
    assert aws.things.did("create") == ["First", "Second"]
    assert (
        aws.things.standing[aws.physical(stack, "Second")]["Value"]
        == f"arn:thing:{aws.physical(stack, 'First')}"
    )
    name = aws.stack(stack)["StackName"]
    assert aws.outputs(stack) == {"Second": aws.physical(stack, "Second"), "Word": f"one in {name}"}


def test_events_tell_each_resource_as_aws_does(aws: Bench) -> None:
    stack = aws.create(TWO)
    name = aws.stack(stack)["StackName"]
    assert aws.events(stack) == [
        (name, "CREATE_IN_PROGRESS", "User Initiated"),
        ("First", "CREATE_IN_PROGRESS", ""),
        ("First", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("First", "CREATE_COMPLETE", ""),
        ("Second", "CREATE_IN_PROGRESS", ""),
        ("Second", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("Second", "CREATE_COMPLETE", ""),
        (name, "CREATE_COMPLETE", ""),
    ]


def test_a_failed_create_rolls_back_in_reverse_order(aws: Bench) -> None:
    template = f"""
Resources:
  A: {{Type: {THING}}}
  B: {{Type: {THING}, DependsOn: A}}
  C: {{Type: {THING}, DependsOn: B, Properties: {{Fail: create}}}}
"""
    stack = aws.create(template)
    name = aws.stack(stack)["StackName"]
    assert aws.status(stack) == "ROLLBACK_COMPLETE"
    assert "C was told to fail" in aws.reason(stack, "C", "CREATE_FAILED")
    said = "The following resource(s) failed to create: [C]. Rollback requested by user."
    assert aws.reason(stack, name, "ROLLBACK_IN_PROGRESS") == said
    assert aws.things.did("delete") == ["B", "A"]
    assert aws.things.standing == {}


def test_what_is_in_progress_when_another_fails_is_cancelled_and_goes_too(aws: Bench) -> None:
    template = f"""
Resources:
  Slow: {{Type: {THING}, Properties: {{Gate: slow}}}}
  Bad: {{Type: {THING}, Properties: {{Gate: bad, Fail: create}}}}
"""
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=template)["StackId"]
    aws.until(stack, "CREATE_IN_PROGRESS", "Slow")
    aws.things.gate("bad").set()
    aws.until(stack, "CREATE_FAILED", "Slow")
    aws.things.gate("slow").set()
    assert aws.settle(stack) == "ROLLBACK_COMPLETE"
    assert aws.reason(stack, "Slow", "CREATE_FAILED") == "Resource creation cancelled"
    name = aws.stack(stack)["StackName"]
    assert "[Bad, Slow]" in aws.reason(stack, name, "ROLLBACK_IN_PROGRESS")
    assert aws.things.standing == {}


def test_delete_goes_in_reverse_order_and_frees_the_name(aws: Bench) -> None:
    name = aws.name()
    stack = aws.create(TWO, name)
    assert aws.delete(name) == "DELETE_COMPLETE"
    assert aws.things.did("delete") == ["Second", "First"]
    with pytest.raises(aws.cfn.exceptions.ClientError, match=f"Stack with id {name} does not exist"):
        aws.stack(name)
    assert aws.stack(stack)["StackStatus"] == "DELETE_COMPLETE"
    assert aws.create(TWO, name) != stack


def test_update_in_place_touches_only_what_changes(aws: Bench) -> None:
    template = f"""
Parameters: {{Word: {{Type: String, Default: one}}}}
Resources:
  A: {{Type: {THING}, Properties: {{Value: !Ref Word}}}}
  B: {{Type: {THING}}}
"""
    stack = aws.create(template)
    before = aws.resources(stack)
    status = aws.update(stack, Parameters=[{"ParameterKey": "Word", "ParameterValue": "two"}])
    assert status == "UPDATE_COMPLETE"
    assert aws.physical(stack, "A") == before["A"]["PhysicalResourceId"]
    assert aws.things.standing[aws.physical(stack, "A")] == {"Value": "two"}
    assert aws.things.did("update") == ["A"]
    assert aws.resources(stack)["B"] == before["B"]
    name = aws.stack(stack)["StackName"]
    assert aws.events(stack)[-5:] == [
        (name, "UPDATE_IN_PROGRESS", "User Initiated"),
        ("A", "UPDATE_IN_PROGRESS", ""),
        ("A", "UPDATE_COMPLETE", ""),
        (name, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""),
        (name, "UPDATE_COMPLETE", ""),
    ]


def test_nothing_to_update_is_refused(aws: Bench) -> None:
    stack = aws.create(TWO)
    with pytest.raises(aws.cfn.exceptions.ClientError, match=r"No updates are to be performed\."):
        aws.update(stack, TWO)


def test_replacement_creates_first_and_deletes_in_the_cleanup(aws: Bench) -> None:
    template = f"Resources: {{A: {{Type: {THING}, Properties: {{Fixed: x}}}}}}"
    stack = aws.create(template)
    old = aws.physical(stack, "A")
    assert aws.update(stack, template.replace("x", "y")) == "UPDATE_COMPLETE"
    assert aws.physical(stack, "A") != old
    assert [call for call in aws.things.calls if call[0] != "update"] == [
        ("create", "A"),
        ("create", "A"),
        ("delete", "A"),
    ]
    assert old not in aws.things.standing
    told = [(status, reason) for logical, status, reason in aws.events(stack) if logical == "A"][3:]
    assert told == [
        ("UPDATE_IN_PROGRESS", ""),
        (
            "UPDATE_IN_PROGRESS",
            "Requested update requires the creation of a new physical resource; hence creating one.",
        ),
        ("UPDATE_IN_PROGRESS", "Resource creation Initiated"),
        ("UPDATE_COMPLETE", ""),
        ("DELETE_IN_PROGRESS", ""),
        ("DELETE_COMPLETE", ""),
    ]


def test_a_failed_update_goes_back(aws: Bench) -> None:
    template = f"""
Resources:
  A: {{Type: {THING}, Properties: {{Value: a1}}}}
  B: {{Type: {THING}, DependsOn: A, Properties: {{Value: b1}}}}
"""
    stack = aws.create(template)
    before = {name: one["PhysicalResourceId"] for name, one in aws.resources(stack).items()}
    changed = (
        template.replace("a1", "a2").replace("b1", "b2, Fail: update")
        + f"  C: {{Type: {THING}, DependsOn: A}}\n"
    )
    assert aws.update(stack, changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert {name: one["PhysicalResourceId"] for name, one in aws.resources(stack).items()} == before
    assert sorted(one["Value"] for one in aws.things.standing.values()) == ["a1", "b1"]
    name = aws.stack(stack)["StackName"]
    assert "failed to update: [B]" in aws.reason(stack, name, "UPDATE_ROLLBACK_IN_PROGRESS")
    assert aws.cfn.get_template(StackName=stack)["TemplateBody"] == template


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


@pytest.mark.parametrize("form", [
    "https://{bucket}.s3.amazonaws.com/{key}", "https://{bucket}.s3.eu-west-1.amazonaws.com/{key}",
    "https://s3.amazonaws.com/{bucket}/{key}", "https://s3.eu-west-1.amazonaws.com/{bucket}/{key}",
    "https://s3-eu-west-1.amazonaws.com/{bucket}/{key}", "{endpoint}/{bucket}/{key}",
    "http://localhost:{port}/{bucket}/{key}",
])  # fmt: skip
def test_templates_are_read_from_every_form_of_s3_address(aws: Bench, form: str) -> None:
    aws.put("folder/a template.yaml", TWO)
    endpoint = aws.world.endpoint
    url = form.format(
        bucket=aws.bucket, key="folder/a%20template.yaml", endpoint=endpoint, port=endpoint.split(":")[2]
    )
    assert len(aws.cfn.validate_template(TemplateURL=url)["Parameters"]) == 1


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


def test_get_template_summary_and_list_calls_agree(aws: Bench) -> None:
    stack = aws.create(TWO)
    summary = aws.cfn.get_template_summary(StackName=stack)
    assert summary["ResourceTypes"] == [THING]
    assert summary["Parameters"][0]["ParameterType"] == "String"
    listed = aws.cfn.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    assert {one["LogicalResourceId"] for one in listed} == {"First", "Second"}
    one = aws.cfn.describe_stack_resource(StackName=stack, LogicalResourceId="First")["StackResourceDetail"]
    assert one["ResourceStatus"] == "CREATE_COMPLETE"
    found = aws.cfn.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"]
    assert stack in {one["StackId"] for one in found}
    by_id = aws.cfn.describe_stack_resources(PhysicalResourceId=one["PhysicalResourceId"])["StackResources"]
    assert {one["StackId"] for one in by_id} == {stack}
