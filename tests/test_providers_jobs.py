"""Batch and what starts and builds jobs: each is made, seen, changed in place and deleted twice."""

import json
from typing import Any

import pytest
from providers_bench import Bench, Case, Made, prove
from providers_makers import role

CONTAINER = {
    "Image": "loader:latest",
    "Command": ["python", "-m", "loader"],
    "ResourceRequirements": [{"Type": "VCPU", "Value": "1"}, {"Type": "MEMORY", "Value": "2048"}],
    "Environment": [{"Name": "RDS_HOST", "Value": "localhost"}],
}


def environment(bench: Bench) -> str:
    """A Fargate compute environment."""
    resources = {
        "Type": "FARGATE",
        "MaxvCpus": "4",
        "Subnets": bench.subnets,
        "SecurityGroupIds": [bench.group],
    }
    return bench.make("AWS::Batch::ComputeEnvironment", Type="MANAGED", ComputeResources=resources).ref


def queue(bench: Bench) -> str:
    """A job queue on a Fargate environment."""
    order = [{"Order": 1, "ComputeEnvironment": environment(bench)}]
    return bench.make("AWS::Batch::JobQueue", Priority="1", ComputeEnvironmentOrder=order).ref


def definition(bench: Bench) -> str:
    """A job definition."""
    return bench.make("AWS::Batch::JobDefinition", Type="container", ContainerProperties=CONTAINER).ref


def target(bench: Bench, id: str, name: str) -> dict[str, Any]:
    """A Batch target of a rule."""
    return {
        "Id": id,
        "Arn": queue(bench),
        "RoleArn": role(bench)["Arn"],
        "BatchParameters": {"JobDefinition": definition(bench), "JobName": name},
        "InputTransformer": {
            "InputPathsMap": {"key": "$.detail.object.key"},
            "InputTemplate": '{"Parameters": {"key": <key>}}',
        },
    }


def find_rule(bench: Bench, made: Made) -> Any:
    """The rule with its targets."""
    found = bench.events.describe_rule(Name=made.ref)
    return {**found, "targets": bench.events.list_targets_by_rule(Rule=made.ref)["Targets"]}


CASES = [
    Case(
        "AWS::Batch::ComputeEnvironment",
        lambda b: {
            "Type": "managed",
            "State": "ENABLED",
            "ComputeResources": {
                "Type": "FARGATE",
                "MaxvCpus": "4",
                "Subnets": b.subnets,
                "SecurityGroupIds": [b.group],
            },
        },
        lambda b, made: b.batch.describe_compute_environments(computeEnvironments=[made.ref])[
            "computeEnvironments"
        ],
        lambda b, found: found[0]["status"] == "VALID" and "/batch.amazonaws.com/" in found[0]["serviceRole"],
        lambda b: {"State": "DISABLED"},
        lambda b, found: found[0]["state"] == "DISABLED",
    ),
    Case(
        "AWS::Batch::JobQueue",
        lambda b: {
            "Priority": "1",
            "ComputeEnvironmentOrder": [{"Order": "1", "ComputeEnvironment": environment(b)}],
        },
        lambda b, made: b.batch.describe_job_queues(jobQueues=[made.ref])["jobQueues"],
        lambda b, found: found[0]["status"] == "VALID",
        lambda b: {"Priority": 5},
        lambda b, found: found[0]["priority"] == 5,
    ),
    Case(
        "AWS::Batch::JobDefinition",
        lambda b: {
            "Type": "container",
            "ContainerProperties": CONTAINER,
            "Parameters": {"Bucket": "b"},
            "RetryStrategy": {"Attempts": "2"},
            "Timeout": {"AttemptDurationSeconds": 600},
        },
        lambda b, made: [
            one
            for one in b.batch.describe_job_definitions(jobDefinitions=[made.ref])["jobDefinitions"]
            if one["status"] == "ACTIVE"
        ],
        lambda b, found: (
            found[0]["revision"] == 1
            and found[0]["parameters"] == {"Bucket": "b"}
            and found[0]["containerProperties"]["environment"] == [{"name": "RDS_HOST", "value": "localhost"}]
        ),
        lambda b: {"ContainerProperties": CONTAINER | {"Image": "loader:2"}},
        lambda b, found: found[0]["revision"] == 2 and found[0]["containerProperties"]["image"] == "loader:2",
    ),
    Case(
        "AWS::Events::Rule",
        lambda b: {
            "EventPattern": {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "incoming/"}]}}},
            "State": "ENABLED",
            "Targets": [target(b, "loader", "load"), target(b, "other", "other")],
        },
        find_rule,
        lambda b, found: (
            json.loads(found["EventPattern"])["source"] == ["aws.s3"]
            and [one["Id"] for one in found["targets"]] == ["loader", "other"]
            and found["targets"][0]["BatchParameters"]["JobName"] == "load"
        ),
        lambda b: {"State": "DISABLED", "Targets": [target(b, "loader", "reload")]},
        lambda b, found: (
            found["State"] == "DISABLED"
            and [one["BatchParameters"]["JobName"] for one in found["targets"]] == ["reload"]
        ),
    ),
    Case(
        "AWS::Events::EventBus",
        lambda b: {"Name": b.fresh()},
        lambda b, made: b.events.describe_event_bus(Name=made.ref),
        lacks="Policy",
    ),
    Case(
        "AWS::ECR::Repository",
        lambda b: {
            "ImageScanningConfiguration": {"ScanOnPush": "true"},
            "ImageTagMutability": "IMMUTABLE",
            "LifecyclePolicy": {
                "LifecyclePolicyText": json.dumps(
                    {
                        "rules": [
                            {
                                "rulePriority": 1,
                                "selection": {
                                    "tagStatus": "untagged",
                                    "countType": "imageCountMoreThan",
                                    "countNumber": 5,
                                },
                                "action": {"type": "expire"},
                            }
                        ]
                    }
                )
            },
        },
        lambda b, made: b.ecr.describe_repositories(repositoryNames=[made.ref])["repositories"][0],
        lambda b, found: (
            found["imageScanningConfiguration"]["scanOnPush"]
            and b.ecr.get_lifecycle_policy(repositoryName=found["repositoryName"])
        ),
        lambda b: {"ImageTagMutability": "MUTABLE", "ImageScanningConfiguration": None},
        lambda b, found: (
            found["imageTagMutability"] == "MUTABLE" and not found["imageScanningConfiguration"]["scanOnPush"]
        ),
    ),
    Case(
        "AWS::Logs::LogGroup",
        lambda b: {"RetentionInDays": "14"},
        lambda b, made: b.logs.describe_log_groups(logGroupNamePrefix=made.ref)["logGroups"],
        lambda b, found: found[0]["retentionInDays"] == 14,
        lambda b: {"RetentionInDays": 30},
        lambda b, found: found[0]["retentionInDays"] == 30,
    ),
    Case(
        "AWS::ECS::Cluster",
        lambda b: {"ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}]},
        lambda b, made: [
            one
            for one in b.ecs.describe_clusters(clusters=[made.ref])["clusters"]
            if one["status"] == "ACTIVE"
        ],
        change=lambda b: {"ClusterSettings": [{"Name": "containerInsights", "Value": "disabled"}]},
    ),
    Case(
        "AWS::CodeBuild::Project",
        lambda b: {
            "ServiceRole": role(b)["Arn"],
            "Source": {"Type": "S3", "Location": "bucket/source.zip", "BuildSpec": "version: 0.2"},
            "Artifacts": {"Type": "NO_ARTIFACTS"},
            "Environment": {
                "Type": "LINUX_CONTAINER",
                "ComputeType": "BUILD_GENERAL1_SMALL",
                "Image": "aws/codebuild/standard:7.0",
                "PrivilegedMode": "true",
            },
        },
        lambda b, made: b.codebuild.batch_get_projects(names=[made.ref])["projects"],
        lambda b, found: found[0]["source"]["type"] == "S3",
        lambda b: {"Description": "the loader's image"},
        lambda b, found: found[0]["description"] == "the loader's image",
    ),
    Case(
        "AWS::Scheduler::Schedule",
        lambda b: {
            "ScheduleExpression": "cron(0 20 * * ? *)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": "arn:aws:scheduler:::aws-sdk:redshift:pauseCluster",
                "RoleArn": role(b)["Arn"],
                "Input": "{}",
            },
        },
        lambda b, made: b.scheduler.get_schedule(Name=made.ref),
        lambda b, found: found["State"] == "ENABLED",
        lambda b: {"State": "DISABLED"},
        lambda b, found: found["State"] == "DISABLED",
    ),
    Case(
        "AWS::Scheduler::ScheduleGroup",
        lambda b: {},
        lambda b, made: b.scheduler.get_schedule_group(Name=made.ref),
        change=lambda b: {},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_type_is_made_seen_changed_and_deleted(moto_bench: Bench, case: Case) -> None:
    prove(moto_bench, case)
