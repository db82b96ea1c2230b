"""CloudFormation's behaviour as AWS documents it: stacks created, described and deleted, through boto3."""

from __future__ import annotations

import pytest
from cloudformation_bench import THING, Bench, as_new, running_bench

running = pytest.fixture(running_bench, scope="module")
aws = pytest.fixture(as_new)


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
