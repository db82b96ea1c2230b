"""CloudFormation goes back, or waits: rollbacks, cancellation, signals, failures beside each other."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from cloudformation_bench import Bench, as_new, running_bench, thing

from aws_vpc.template_check import OF_TYPES

running = pytest.fixture(running_bench, scope="module")
aws = pytest.fixture(as_new)


@pytest.fixture
def signalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Things may have a CreationPolicy."""
    monkeypatch.setitem(OF_TYPES, "CreationPolicy", {"AWS::Bench::Thing"})


@pytest.mark.usefixtures("signalled")
def test_creation_policy_waits_for_its_signals(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", ", CreationPolicy: {ResourceSignal: {Count: 2, Timeout: PT10S}}")
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=template)["StackId"]
    aws.until(stack, "CREATE_IN_PROGRESS", "A")
    for id in ("one", "one", "two"):
        assert aws.status(stack) == "CREATE_IN_PROGRESS"
        aws.cfn.signal_resource(StackName=stack, LogicalResourceId="A", UniqueId=id, Status="SUCCESS")
    assert aws.settle(stack) == "CREATE_COMPLETE"


@pytest.mark.usefixtures("signalled")
def test_missing_signals_fail_the_resource(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", ", CreationPolicy: {ResourceSignal: {Timeout: PT1S}}")
    stack = aws.create(template)
    assert aws.status(stack) == "ROLLBACK_COMPLETE"
    assert "Failed to receive 1 resource signal(s) within the specified duration" in aws.reason(
        stack, "A", "CREATE_FAILED"
    )
    assert aws.things.standing == {}


def test_cancel_update_goes_back(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", Value="1") + thing("B", ", DependsOn: A", Value="1")
    stack = aws.create(template)
    aws.cfn.update_stack(StackName=stack, TemplateBody=template.replace("Value: 1", "Value: 2, Gate: cancel"))
    aws.until(stack, "UPDATE_IN_PROGRESS", "A")
    aws.cfn.cancel_update_stack(StackName=stack)
    aws.until(stack, "UPDATE_FAILED", "A")
    aws.things.gate("cancel").set()
    assert aws.settle(stack) == "UPDATE_ROLLBACK_COMPLETE"
    assert list(aws.things.standing.values()) == [{"Value": 1}, {"Value": 1}]
    with pytest.raises(ClientError, match="CancelUpdateStack cannot be called from current stack status"):
        aws.cfn.cancel_update_stack(StackName=stack)


def test_a_failed_rollback_can_be_continued_without_the_resource(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", Value="1", Fail="update") + thing("B", ", DependsOn: A", Value="1")
    stack = aws.create(template)
    changed = template.replace("Fail: update", "Other: x").replace("Value: 1}}\n  ", "Value: 2}}\n  ")
    changed = changed.replace(
        "DependsOn: A, Properties: {Value: 1", "DependsOn: A, Properties: {Fail: update, Value: 2"
    )
    assert aws.update(stack, changed) == "UPDATE_ROLLBACK_FAILED"
    assert aws.stack(stack)["StackStatusReason"] == "The following resource(s) failed to update: [A]."
    with pytest.raises(ClientError, match=r"Resources to skip \[Z\] are not in UPDATE_FAILED state"):
        aws.cfn.continue_update_rollback(StackName=stack, ResourcesToSkip=["Z"])
    aws.cfn.continue_update_rollback(StackName=stack, ResourcesToSkip=["A"])
    assert aws.settle(stack) == "UPDATE_ROLLBACK_COMPLETE"


def test_an_update_without_rollback_stays_failed_until_it_is_rolled_back(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", Value="1") + thing("B", ", DependsOn: A", Value="1")
    stack = aws.create(template)
    changed = template.replace("Value: 1", "Value: 2").replace(
        "DependsOn: A, Properties: {", "DependsOn: A, Properties: {Fail: update, "
    )
    assert aws.update(stack, changed, DisableRollback=True) == "UPDATE_FAILED"
    assert sorted(one["Value"] for one in aws.things.standing.values()) == [1, 2]
    aws.cfn.rollback_stack(StackName=stack)
    assert aws.settle(stack) == "UPDATE_ROLLBACK_COMPLETE"
    assert [one["Value"] for one in aws.things.standing.values()] == [1, 1]


def test_deleting_a_stack_under_creation_ends_the_creation(aws: Bench) -> None:
    template = "Resources:\n" + thing("A", Gate="held") + thing("B", ", DependsOn: A")
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=template)["StackId"]
    aws.until(stack, "CREATE_IN_PROGRESS", "A")
    aws.cfn.delete_stack(StackName=stack)
    aws.things.gate("held").set()
    aws.settle(stack)
    aws.until(stack, "DELETE_COMPLETE")
    assert aws.things.did("create") == ["A"]
    assert aws.things.standing == {}


def test_a_stack_that_rolled_back_cannot_be_updated(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing(Fail="create"))
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        aws.update(stack, "Resources:\n" + thing())


def test_stack_tags_reach_resources_and_a_new_tag_is_an_update(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing(), Tags=[{"Key": "Owner", "Value": "a"}])
    assert aws.update(stack, Tags=[{"Key": "Owner", "Value": "b"}]) == "UPDATE_COMPLETE"
    assert [one.tags["Owner"] for one in aws.things.requests] == ["a", "b"]


def test_independent_resources_are_created_at_the_same_time(aws: Bench) -> None:
    template = "Resources:\n" + "".join(thing(f"A{number}", Gate="together") for number in range(5))
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=template)["StackId"]
    aws.things.until_busy(5)
    aws.things.gate("together").set()
    assert aws.settle(stack) == "CREATE_COMPLETE"
    assert aws.things.most == 5


def test_failed_events_can_be_asked_for_alone(aws: Bench) -> None:
    stack = aws.create("Resources:\n" + thing("A") + thing("B", ", DependsOn: A", Fail="create"))
    found = aws.cfn.describe_events(StackName=stack, Filters={"FailedEvents": True})["OperationEvents"]
    assert [(one["LogicalResourceId"], one["EventType"]) for one in found] == [("B", "PROVISIONING_ERROR")]
    operation = found[0]["OperationId"]
    created, rolled_back = aws.stack(stack)["LastOperations"]
    assert created == {"OperationType": "CREATE_STACK", "OperationId": operation}
    assert rolled_back["OperationType"] == "ROLLBACK"
    undone = aws.cfn.describe_events(OperationId=rolled_back["OperationId"])["OperationEvents"]
    assert [one["ResourceStatus"] for one in undone if one["LogicalResourceId"] == "A"] == [
        "DELETE_COMPLETE",
        "DELETE_IN_PROGRESS",
    ]


def test_wait_conditions_wait(aws: Bench) -> None:
    template = """
Resources:
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Ready: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: !Ref Handle, Timeout: 600}}
"""
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=template)["StackId"]
    aws.until(stack, "CREATE_IN_PROGRESS", "Ready")
    aws.cfn.signal_resource(StackName=stack, LogicalResourceId="Ready", UniqueId="u", Status="SUCCESS")
    assert aws.settle(stack) == "CREATE_COMPLETE"
