"""The pace of the embedded AWS: resources take their time on AWS, scaled, and waiting can be given up."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator

import pytest
from cloudformation_bench import Bench, serving

from aws_vpc.commands.options import delay
from aws_vpc.local.cloudformation import waits
from aws_vpc.local.cloudformation.durations import DEFAULT, DURATIONS, Seconds, seconds
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Run, Stack
from aws_vpc.local.providers import PROVIDERS

FACTOR = 0.02
PAIR = """
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Name: {Type: AWS::Logs::LogGroup, Properties: {Tags: [{Key: topic, Value: !Ref Topic}]}}
"""
ENDLESS = Seconds(10**6, 10**6, 1)
SLOW = "Resources:\n  Queue: {Type: AWS::SQS::Queue}\n"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with serving(tmp_path_factory.mktemp("pace"), FACTOR) as bench:
        yield bench


def test_every_resource_takes_its_types_time(aws: Bench) -> None:
    began = time.monotonic()
    stack = aws.create(PAIR)
    assert time.monotonic() - began >= seconds("AWS::SNS::Topic").create * FACTOR
    assert aws.delete(stack) == "DELETE_COMPLETE"


def test_dependants_begin_when_a_resource_is_configured(aws: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The topic's last third of the time is held until the log group stands."""
    checked = threading.Event()

    def pause(engine: Engine, stack: Stack, run: Run, logical: str, needed: float) -> None:
        if stack.resources[logical].detailed == "CONFIGURATION_COMPLETE" and logical == "Topic":
            checked.wait(300)

    monkeypatch.setattr(waits, "pause", pause)
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=PAIR)["StackId"]
    aws.until(stack, "CREATE_COMPLETE", "Name")
    assert aws.resources(stack)["Topic"]["ResourceStatus"] == "CREATE_IN_PROGRESS"
    checked.set()
    assert aws.settle(stack) == "CREATE_COMPLETE"
    pages = aws.cfn.describe_stack_events(StackName=stack)["StackEvents"]
    told = [(one["LogicalResourceId"], one.get("DetailedStatus") or one["ResourceStatus"]) for one in pages]
    assert told.index(("Topic", "CONFIGURATION_COMPLETE")) > told.index(("Name", "CREATE_COMPLETE"))


def test_deleting_a_stack_ends_the_waiting_of_its_creation(
    aws: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DURATIONS, "AWS::KMS::Key", ENDLESS)
    key = "Resources:\n  Key: {Type: AWS::KMS::Key}\n"
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=key)["StackId"]
    aws.until(stack, "CREATE_IN_PROGRESS", "Key")
    aws.cfn.delete_stack(StackName=stack)
    assert aws.settle(stack) == "DELETE_COMPLETE"
    assert "CREATE_COMPLETE" not in aws.statuses(stack, "Key")
    assert aws.reason(stack, "Key", "CREATE_FAILED") == "Resource creation cancelled"


def test_cancelling_an_update_ends_its_waiting_and_goes_back(
    aws: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = aws.create(SLOW)
    monkeypatch.setitem(DURATIONS, "AWS::SQS::Queue", ENDLESS)
    changed = SLOW.replace("}", ", Properties: {DelaySeconds: 5}}")
    aws.cfn.update_stack(StackName=stack, TemplateBody=changed)
    aws.until(stack, "UPDATE_IN_PROGRESS", "Queue")
    monkeypatch.undo()
    aws.cfn.cancel_update_stack(StackName=stack)
    assert aws.settle(stack) == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.statuses(stack, "Queue")[-1] == "UPDATE_COMPLETE"
    assert aws.reason(stack, "Queue", "UPDATE_FAILED") == "Resource update cancelled"


def test_a_failure_ends_the_waiting_of_its_siblings(aws: Bench) -> None:
    template = """
Resources:
  Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
  Never: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: !Ref Handle, Timeout: 600}}
  Bad: {Type: AWS::Bench::Thing, DependsOn: Handle, Properties: {Fail: create, Gate: bad}}
"""
    stack = aws.cfn.create_stack(StackName=aws.name(), TemplateBody=template)["StackId"]
    aws.until(stack, "CREATE_IN_PROGRESS", "Never")
    aws.things.gate("bad").set()
    assert aws.settle(stack) == "ROLLBACK_COMPLETE"
    assert aws.reason(stack, "Never", "CREATE_FAILED") == "Resource creation cancelled"


def test_every_duration_is_of_a_type_that_is_known() -> None:
    assert set(DURATIONS) <= set(PROVIDERS)
    assert seconds("AWS::CloudFormation::Stack") == (0, 0, 0)
    assert seconds("AWS::Logs::LogGroup") == DEFAULT


@pytest.mark.parametrize("text", ["-1", "11", "fast", "nan"])
def test_a_factor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is no factor: give a number such as 0\.01"):
        delay(text)
