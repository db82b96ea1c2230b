"""A job definition that changes gets a new revision, and the old one is no longer active."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from embedded import Embedded, embedded_aws

TEMPLATE = """
Parameters:
  Attempts: {{Type: Number}}
Resources:
  Definition:
    Type: AWS::Batch::JobDefinition
    Properties:
      Type: container
      RetryStrategy: {{Attempts: !Ref Attempts}}
      ContainerProperties:
        Image: public.ecr.aws/docker/library/busybox
        Command: [echo, hello]
        ResourceRequirements: [{{Type: VCPU, Value: '1'}}, {{Type: MEMORY, Value: '2048'}}]
{more}
"""
BROKEN = """
  Broken:
    Type: AWS::EC2::Subnet
    DependsOn: Definition
    Properties: {VpcId: vpc-0123456789abcdef0, CidrBlock: 10.0.0.0/24}
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


def change(aws: Embedded, operation: str, attempts: int, more: str = "") -> str:
    cloudformation = aws.client("cloudformation")
    getattr(cloudformation, f"{operation}_stack")(
        StackName="revisions",
        TemplateBody=TEMPLATE.format(more=more),
        Parameters=[{"ParameterKey": "Attempts", "ParameterValue": str(attempts)}],
    )
    waiter = cloudformation.get_waiter(
        "stack_create_complete" if operation == "create" else "stack_update_complete"
    )
    settings = {"Delay": 0.1, "MaxAttempts": 300}
    if more:
        waiter = cloudformation.get_waiter("stack_rollback_complete")
    waiter.wait(StackName="revisions", WaiterConfig=settings)
    return str(
        cloudformation.describe_stack_resources(StackName="revisions")["StackResources"][0][
            "PhysicalResourceId"
        ]
    )


def active(aws: Embedded) -> list[dict[str, Any]]:
    listed = aws.client("batch").describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    return [definition for definition in listed if "Definition" in definition["jobDefinitionName"]]


def test_only_the_newest_revision_is_active_and_a_rolled_back_one_is_not(aws: Embedded) -> None:
    change(aws, "create", 1)
    newest = change(aws, "update", 2)
    assert [(d["jobDefinitionArn"], d["retryStrategy"]["attempts"]) for d in active(aws)] == [(newest, 2)]
    kept = change(aws, "update", 3, BROKEN)
    assert kept == newest
    assert [(d["jobDefinitionArn"], d["retryStrategy"]["attempts"]) for d in active(aws)] == [(newest, 2)]
