"""Unmodified clients and whole templates: the aws command, and samples that create, update and delete."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded import Embedded, embedded_aws, until

SAMPLES = Path(__file__).with_name("samples")
# sample -> the parameter that its update changes, to what, and what then updates in place
CHANGES = {
    "balancing": ("Path", "/health", {"Targets"}),
    "events": ("Enabled", "false", {"OwnRule", "Nightly", "Setting"}),
    "identity": ("Seconds", "7200", {"Role"}),
    "messaging": ("Seconds", "60", {"Queue", "Topic"}),
    "network": ("Hostnames", "true", {"Vpc"}),
    "peering": ("Resolve", "two", {"Left"}),
    "secrets": ("Size", "t3.small", {"Template"}),
    "storage": ("Days", "30", {"Bucket", "Logs"}),
}


ALL = "AWS_VPC_TEST_ALL" in os.environ
QUICK = sorted(CHANGES.keys() - {"balancing", "peering"})


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as found:
        yield found


def settled(aws: Embedded, stack: str) -> str:
    """The stack's status when nothing goes on any more."""

    def status() -> str | None:
        found = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        return None if found.endswith("_IN_PROGRESS") else str(found)

    return str(until(status))


@pytest.mark.parametrize("name", sorted(CHANGES) if ALL else QUICK)
def test_a_sample_template_is_created_updated_in_sync_and_deleted(aws: Embedded, name: str) -> None:
    cfn, body = aws.client("cloudformation"), (SAMPLES / f"{name}.yaml").read_text()
    made = cfn.create_stack(
        StackName=f"sample-{name}", TemplateBody=body, Capabilities=["CAPABILITY_IAM"]
    )["StackId"]  # fmt: skip
    assert settled(aws, made) == "CREATE_COMPLETE", reasons(aws, made)
    key, value, touched = CHANGES[name]
    cfn.update_stack(
        StackName=made, UsePreviousTemplate=True, Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value}],
    )  # fmt: skip
    assert settled(aws, made) == "UPDATE_COMPLETE", reasons(aws, made)
    events = cfn.describe_stack_events(StackName=made)["StackEvents"]
    updated = {one["LogicalResourceId"] for one in events if one["ResourceStatus"] == "UPDATE_COMPLETE"}
    assert updated - {f"sample-{name}"} == touched
    assert drifted(aws, made) == []
    cfn.delete_stack(StackName=made)
    assert settled(aws, made) == "DELETE_COMPLETE", reasons(aws, made)


def reasons(aws: Embedded, stack: str) -> list[str]:
    """What failed and why."""
    events = aws.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return [
        f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason')}"
        for one in events
        if one["ResourceStatus"].endswith("_FAILED")
    ]


def drifted(aws: Embedded, stack: str) -> list[object]:
    """Resources that are not as the template says."""
    cfn = aws.client("cloudformation")
    id = cfn.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]

    def over() -> bool:
        found = cfn.describe_stack_drift_detection_status(StackDriftDetectionId=id)
        return bool(found["DetectionStatus"] != "DETECTION_IN_PROGRESS")

    until(over)
    found = cfn.describe_stack_resource_drifts(StackName=stack)["StackResourceDrifts"]
    return [one for one in found if one["StackResourceDriftStatus"] != "IN_SYNC"]


PARENT = """
Parameters: {Said: {Type: String, Default: one}}
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: child.yaml, Parameters: {Said: !Ref Said}}
"""
CHILD = """
Parameters: {Said: {Type: String}}
Resources:
  Name: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Said}}
"""


@pytest.mark.skipif(not ALL, reason="the aws command polls every 5 to 30 s")
def test_the_aws_command_packages_and_deploys(aws: Embedded, tmp_path: Path) -> None:
    environment = {**os.environ, **aws.facts.environment(), "AWS_PAGER": ""}
    command = Path(sys.executable).with_name("aws")

    def run(*words: str) -> str:
        done = subprocess.run(
            [command, "cloudformation", *words], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "parent.yaml").write_text(PARENT)
    (tmp_path / "child.yaml").write_text(CHILD)
    aws.client("s3").create_bucket(Bucket="packaged")
    run(
        "package",
        "--template-file",
        "parent.yaml",
        "--s3-bucket",
        "packaged",
        "--output-template-file",
        "out.yaml",
    )
    deploy = ("deploy", "--template-file", "out.yaml", "--stack-name", "deployed")
    assert "Successfully created/updated stack - deployed" in run(*deploy)
    assert "No changes to deploy. Stack deployed is up to date" in run(
        *deploy, "--no-fail-on-empty-changeset"
    )
    assert "Successfully created/updated" in run(*deploy, "--parameter-overrides", "Said=two")
    resources = ("list-stack-resources", "--stack-name", "deployed", "--output", "text")
    child = run(*resources, "--query", "StackResourceSummaries[0].PhysicalResourceId").strip()
    stack = aws.client("cloudformation").describe_stacks(StackName=child)["Stacks"][0]
    assert stack["Parameters"] == [{"ParameterKey": "Said", "ParameterValue": "two"}]
    aws.client("cloudformation").delete_stack(StackName="deployed")
    run("wait", "stack-delete-complete", "--stack-name", "deployed")
