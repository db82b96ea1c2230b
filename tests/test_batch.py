"""Batch jobs that really run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded import Embedded, embedded_aws, until

from aws_vpc.local.batch_job import Job, try_again


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


@pytest.fixture(scope="module")
def queue(aws: Embedded) -> str:
    """A Fargate queue of 2 vCPUs."""
    trust = {
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "batch"}}]
    }
    role = aws.client("iam").create_role(RoleName="batch", AssumeRolePolicyDocument=json.dumps(trust))[
        "Role"
    ]["Arn"]
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = aws.client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = aws.client("ec2").create_security_group(GroupName="j", Description="j", VpcId=vpc)["GroupId"]
    batch = aws.client("batch")
    batch.create_compute_environment(
        computeEnvironmentName="small",
        type="MANAGED",
        serviceRole=role,
        computeResources={"type": "FARGATE", "maxvCpus": 2, "subnets": [subnet], "securityGroupIds": [group]},
    )
    order = [{"order": 1, "computeEnvironment": "small"}]
    made = batch.create_job_queue(
        jobQueueName="queue", state="ENABLED", priority=1, computeEnvironmentOrder=order
    )
    aws.client("logs").create_log_group(logGroupName="/loader")
    return str(made["jobQueueArn"])


# Waits until there is a file of the name given.
UNTIL = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)"


def define(aws: Embedded, name: str, code: str, *arguments: str, vcpus: str = "1", **more: Any) -> str:
    container = {
        "image": "loader:latest",
        "command": ["python", "-c", code, *arguments],
        "resourceRequirements": [{"type": "VCPU", "value": vcpus}, {"type": "MEMORY", "value": "2048"}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": "/loader", "awslogs-stream-prefix": "load"},
        },
        **more.pop("container", {}),
    }
    return str(
        aws.client("batch").register_job_definition(
            jobDefinitionName=name, type="container", containerProperties=container, **more
        )["jobDefinitionArn"]
    )


def submit(aws: Embedded, queue: str, definition: str, **more: Any) -> str:
    made = aws.client("batch").submit_job(jobName="job", jobQueue=queue, jobDefinition=definition, **more)
    return str(made["jobId"])


def job(aws: Embedded, known: str) -> dict[str, Any]:
    found: dict[str, Any] = aws.client("batch").describe_jobs(jobs=[known])["jobs"][0]
    return found


def ended(aws: Embedded, known: str) -> dict[str, Any]:
    found = until(lambda: job(aws, known) if job(aws, known)["status"] in ("SUCCEEDED", "FAILED") else None)
    assert isinstance(found, dict)
    return found


def lines(aws: Embedded, found: dict[str, Any]) -> list[str]:
    events = aws.client("logs").get_log_events(
        logGroupName="/loader", logStreamName=found["container"]["logStreamName"], startFromHead=True
    )["events"]
    return [event["message"] for event in events]


def test_a_job_runs_its_command_with_parameters_environment_and_secret(aws: Embedded, queue: str) -> None:
    secret = aws.client("secretsmanager").create_secret(Name="s", SecretString='{"password": "xyz"}')["ARN"]
    code = "import os, sys; print(sys.argv[1:]); print(*(os.environ.get(n) for n in ('A', 'B', 'P', 'AWS_ENDPOINT_URL'))); print(os.environ['AWS_BATCH_JOB_ID'], os.environ['AWS_BATCH_JOB_ATTEMPT'], os.environ['AWS_BATCH_JQ_NAME'], 'HOME' in os.environ); print('end', file=sys.stderr)"  # noqa: E501
    definition = define(
        aws, "whole", code, "--key", "Ref::key", "--size", "Ref::size", "Ref::unset",
        parameters={"key": "none", "size": "3"},
        container={
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "secrets": [{"name": "P", "valueFrom": f"{secret}:password::"}],
        },
    )  # fmt: skip
    known = submit(
        aws,
        queue,
        definition,
        parameters={"key": "incoming/a b.csv"},
        containerOverrides={"environment": [{"name": "B", "value": "two"}]},
    )
    found = ended(aws, known)
    assert (found["status"], found["container"]["exitCode"]) == ("SUCCEEDED", 0)
    assert found["startedAt"] <= found["stoppedAt"]
    assert found["container"]["logStreamName"].startswith("load/default/")
    assert found["statusReason"] == "Essential container in task exited"
    assert lines(aws, found) == [
        "['--key', 'incoming/a b.csv', '--size', '3', 'Ref::unset']",
        f"1 two xyz {aws.facts.endpoint}",
        f"{known} 1 queue False",
        "end",
    ]
    assert "end" in (aws.folder / "logs" / f"job-{known}.log").read_text()


def test_lines_are_in_the_log_while_the_job_runs(aws: Embedded, queue: str) -> None:
    known = submit(aws, queue, define(aws, "slow", "import time; print('begun'); time.sleep(600)"))
    found = until(lambda: job(aws, known) if job(aws, known)["container"].get("logStreamName") else None)
    until(lambda: lines(aws, found) == ["begun"])
    assert job(aws, known)["status"] == "RUNNING"
    summaries = aws.client("batch").list_jobs(jobQueue=queue)["jobSummaryList"]
    assert [each["jobId"] for each in summaries] == [known]
    aws.client("batch").terminate_job(jobId=known, reason="enough")
    found = ended(aws, known)
    assert (found["status"], found["statusReason"], found["isTerminated"]) == ("FAILED", "enough", True)
    assert found["container"]["exitCode"] == 143


def test_a_failing_job_is_tried_as_often_as_its_definition_says(aws: Embedded, queue: str) -> None:
    code = (
        "import os, sys; n = int(os.environ['AWS_BATCH_JOB_ATTEMPT']); print(n); sys.exit(0 if n == 3 else 5)"
    )
    found = ended(aws, submit(aws, queue, define(aws, "third", code, retryStrategy={"attempts": 3})))
    assert found["status"] == "SUCCEEDED"
    assert [each["container"].get("exitCode") for each in found["attempts"]] == [5, 5, 0]
    found = ended(aws, submit(aws, queue, "third", retryStrategy={"attempts": 2}))
    assert (found["status"], len(found["attempts"]), found["container"]["exitCode"]) == ("FAILED", 2, 5)


def test_the_exit_code_may_forbid_another_attempt(aws: Embedded, queue: str) -> None:
    rules = [{"onExitCode": "9", "action": "exit"}, {"onReason": "*", "action": "retry"}]
    definition = define(
        aws, "nine", "raise SystemExit(9)", retryStrategy={"attempts": 5, "evaluateOnExit": rules}
    )
    found = ended(aws, submit(aws, queue, definition))
    assert (found["status"], len(found["attempts"])) == ("FAILED", 1)


def test_a_job_past_its_timeout_is_ended_and_not_tried_again(aws: Embedded, queue: str) -> None:
    definition = define(
        aws,
        "late",
        "import time; time.sleep(600)",
        timeout={"attemptDurationSeconds": 1},
        retryStrategy={"attempts": 3},
    )
    found = ended(aws, submit(aws, queue, definition))
    assert (found["status"], len(found["attempts"])) == ("FAILED", 1)
    assert found["statusReason"] == "Job attempt duration exceeded timeout"


def test_jobs_wait_for_those_they_depend_on(aws: Embedded, queue: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    first = submit(aws, queue, define(aws, "first", UNTIL, str(gate)))
    second = submit(aws, queue, define(aws, "second", "pass"), dependsOn=[{"jobId": first}])
    assert job(aws, second)["status"] == "PENDING"
    gate.touch()
    assert ended(aws, second)["startedAt"] >= ended(aws, first)["stoppedAt"]
    bad = submit(aws, queue, define(aws, "bad", "raise SystemExit(1)"))
    third = submit(aws, queue, "second", dependsOn=[{"jobId": bad}])
    found = ended(aws, third)
    assert (found["status"], found["statusReason"], found["attempts"]) == (
        "FAILED",
        "Dependent Job failed",
        [],
    )


def test_a_queue_runs_no_more_at_once_than_its_vcpus_allow(aws: Embedded, queue: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    definition = define(aws, "pair", UNTIL, str(gate))
    known = [submit(aws, queue, definition) for _ in range(4)]
    until(lambda: sum(job(aws, each)["status"] == "RUNNING" for each in known) == 2)
    gate.touch()
    found = [ended(aws, each) for each in known]
    moments = sorted([(j["startedAt"], 1) for j in found] + [(j["stoppedAt"], -1) for j in found])
    running = [sum(step for _, step in moments[: i + 1]) for i in range(len(moments))]
    assert max(running) == 2
    wide = submit(aws, queue, define(aws, "wide", "pass", vcpus="4"))
    assert job(aws, wide)["status"] == "RUNNABLE"
    assert job(aws, wide)["statusReason"].startswith("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")
    aws.client("batch").cancel_job(jobId=wide, reason="too wide")
    assert (job(aws, wide)["status"], job(aws, wide)["statusReason"]) == ("FAILED", "too wide")


def test_an_array_job_runs_a_child_for_each_index(aws: Embedded, queue: str) -> None:
    definition = define(aws, "array", "import os; print(os.environ['AWS_BATCH_JOB_ARRAY_INDEX'])")
    known = submit(aws, queue, definition, arrayProperties={"size": 3})
    found = ended(aws, known)
    assert found["status"] == "SUCCEEDED"
    assert found["arrayProperties"]["statusSummary"]["SUCCEEDED"] == 3
    children = aws.client("batch").list_jobs(arrayJobId=known, jobStatus="SUCCEEDED")["jobSummaryList"]
    assert sorted(each["arrayProperties"]["index"] for each in children) == [0, 1, 2]
    assert lines(aws, job(aws, f"{known}:2")) == ["2"]


def test_jobs_are_found_by_name_and_page_by_page(aws: Embedded, queue: str) -> None:
    batch = aws.client("batch")
    definition = define(aws, "named", "pass")
    known = [
        batch.submit_job(jobName=f"named-{n}", jobQueue=queue, jobDefinition=definition)["jobId"]
        for n in range(3)
    ]
    for each in known:
        ended(aws, each)
    filters = [{"name": "JOB_NAME", "values": ["named-*"]}]
    pages = batch.get_paginator("list_jobs").paginate(
        jobQueue=queue, filters=filters, PaginationConfig={"PageSize": 2}
    )
    assert [each["jobId"] for page in pages for each in page["jobSummaryList"]] == known[::-1]


def test_what_cannot_start_says_why(aws: Embedded, queue: str) -> None:
    group = {"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/nowhere"}}}
    found = ended(aws, submit(aws, queue, define(aws, "nolog", "pass", container=group)))
    assert found["status"] == "FAILED"
    assert "ResourceInitializationError" in found["statusReason"]
    found = ended(
        aws, submit(aws, queue, define(aws, "noprogram", "", container={"command": ["no-such-program"]}))
    )
    assert "no-such-program" in found["container"]["reason"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"jobName": "a b"}, "Job name should match valid pattern"),
        ({"jobDefinition": "nope"}, "nope"),
        ({"jobQueue": "nope"}, "nope"),
        ({"dependsOn": [{"jobId": "nope"}]}, "nope"),
        ({"arrayProperties": {"size": 1}}, "Array size"),
    ],
)
def test_a_wrong_request_is_refused(aws: Embedded, queue: str, params: dict[str, Any], message: str) -> None:
    define(aws, "fine", "pass")
    with pytest.raises(ClientError, match=message) as caught:
        aws.client("batch").submit_job(
            **{"jobName": "job", "jobQueue": queue, "jobDefinition": "fine", **params}
        )
    assert caught.value.response["Error"]["Code"] == "ClientException"


@pytest.mark.parametrize(
    ("rules", "code", "again"),
    [
        ([], 1, True),
        ([{"onExitCode": "1*", "action": "EXIT"}], 137, False),
        ([{"onExitCode": "2", "action": "EXIT"}], 1, True),
        ([{"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}], 1, False),
    ],
)
def test_conditions_decide_on_another_attempt(rules: list[dict[str, str]], code: int, again: bool) -> None:
    tried = Job("i", "a", "n", "q", "d", "r", {}, {}, 1.0, retries=3, conditions=rules, attempts=[{}])
    assert try_again(tried, code, "Essential container in task exited") is again
