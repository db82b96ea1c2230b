"""kill -9 of the supervisor at random moments: no committed row, object or event is lost, no process is left.

Once as a rule, fifty with AWS_VPC_TEST_ALL=1. Before each kill rows are committed one by one, objects
are put whose events go to a queue, a stack is created and updated, and every kind of child runs: both
databases' servers, a warehouse, a job that has started another process, and a page.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError
from embedded import until
from event_tap import tap, told
from test_kept import DATABASE, TEMPLATE, Machine, settled

from aws_vpc.local import control

ROUNDS = 50 if os.environ.get("AWS_VPC_TEST_ALL") else 1
LONGEST = 3.0  # seconds from the start of the work to the kill
SEED = random.SystemRandom().randrange(1 << 32)
ENDS = ("CREATE_COMPLETE", "CREATE_FAILED", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
GRANDCHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"


class Work:
    """What goes on while the supervisor is killed; each part counts what it was told is done."""

    def __init__(self, machine: Machine, number: int, rows: int) -> None:
        self.machine, self.number = machine, number
        self.rows, self.objects, self.stacks, self.created = rows, list[str](), 0, False
        self.killed = threading.Event()
        self.failed: list[Exception] = []  # before the kill; after it anything may fail in any way
        self._threads = [
            threading.Thread(target=self._until_killed, args=(each,), daemon=True)
            for each in (self._insert, self._put, self._deploy)
        ]

    def __enter__(self) -> Work:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.killed.set()
        for thread in self._threads:
            thread.join()

    def _until_killed(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            if not self.killed.is_set():
                self.failed.append(error)

    def _insert(self) -> None:
        with contextlib.closing(self.machine.connect()) as session, session.cursor() as cursor:
            session.autocommit = True
            while not self.killed.is_set():
                cursor.execute("INSERT INTO t VALUES (%s)", (self.rows + 1,))
                self.rows += 1

    def _put(self) -> None:
        s3 = self.machine.aws.client("s3")
        while not self.killed.is_set():
            name = f"{self.number}-{len(self.objects)}"
            s3.put_object(Bucket="kept", Key=name, Body=name.encode())
            self.objects.append(name)

    def _deploy(self) -> None:
        cfn, name = self.machine.aws.client("cloudformation"), f"stack-{self.number}"
        cfn.create_stack(StackName=name, TemplateBody=TEMPLATE.split("Outputs:")[0])
        self.created = True
        while not self.killed.is_set():
            if settled(cfn, name) in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                self.stacks += 1
                value = {"ParameterKey": "Value", "ParameterValue": f"value {self.stacks}"}
                cfn.update_stack(StackName=name, UsePreviousTemplate=True, Parameters=[value])
            self.killed.wait(0.02)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    made = Machine(tmp_path / "local")
    try:
        prepare(made)
        yield made
    finally:
        made.aws.close()
        control.stop(made.folder)
        control.forget(made.folder)


def prepare(machine: Machine) -> None:
    """Make both databases, a queue for jobs, a bucket and a page."""
    client = machine.aws.client
    client("rds").create_db_instance(**DATABASE)
    client("redshift").create_cluster(
        ClusterIdentifier="kept", NodeType="ra3.large", ClusterType="single-node",
        MasterUsername="owner", MasterUserPassword="Correct-horse-1",
    )  # fmt: skip
    client("s3").create_bucket(Bucket="kept")
    tap(client, "kept")
    queue(client)
    beanstalk = client("elasticbeanstalk")
    beanstalk.create_application(ApplicationName="page")
    stack = beanstalk.list_available_solution_stacks()["SolutionStacks"][0]
    beanstalk.create_environment(ApplicationName="page", EnvironmentName="the-page", SolutionStackName=stack)
    with machine.connect() as session, session.cursor() as cursor:
        cursor.execute("CREATE TABLE t (n int PRIMARY KEY)")
    session.close()
    until(lambda: beanstalk.describe_environments()["Environments"][0]["Status"] == "Ready")
    until(lambda: client("redshift").describe_clusters()["Clusters"][0]["ClusterStatus"] == "available")


def queue(client: Any) -> None:
    """Make what a job needs."""
    batch, ec2 = client("batch"), client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    here = [{"Name": "vpc-id", "Values": [subnet["VpcId"]]}]
    group = ec2.describe_security_groups(Filters=here)["SecurityGroups"][0]["GroupId"]
    role = client("iam").create_role(RoleName="batch", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    made = batch.create_compute_environment(
        computeEnvironmentName="machines", type="MANAGED", state="ENABLED", serviceRole=role,
        computeResources={
            "type": "FARGATE", "maxvCpus": 4, "subnets": [subnet["SubnetId"]], "securityGroupIds": [group],
        },
    )["computeEnvironmentArn"]  # fmt: skip
    order = [{"order": 1, "computeEnvironment": made}]
    batch.create_job_queue(jobQueueName="queue", state="ENABLED", priority=1, computeEnvironmentOrder=order)
    batch.register_job_definition(
        jobDefinitionName="sleeper", type="container", platformCapabilities=["FARGATE"],
        containerProperties={
            "image": "i", "command": ["python", "-c", GRANDCHILD], "executionRoleArn": role,
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
        },
    )  # fmt: skip


def running_job(machine: Machine) -> None:
    """Start a job that has started a process of its own."""
    batch = machine.aws.client("batch")
    job = batch.submit_job(jobName="sleeper", jobQueue="queue", jobDefinition="sleeper")["jobId"]
    until(lambda: batch.describe_jobs(jobs=[job])["jobs"][0]["status"] == "RUNNING")


def left(machine: Machine, family: list[psutil.Process]) -> list[str]:
    """What still runs of a family, or with the folder or its data in its command line."""
    known = set(family)
    marks = [str(machine.folder), str((machine.folder / "postgres" / "data").resolve())]
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or [])
        if process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        if process in known or any(mark in line for mark in marks):
            found.append(f"{process.pid} {line}")
    return found


def test_kills_at_random_moments_lose_nothing_and_leave_nothing(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    moments, rows, objects, stacks, processes = random.Random(SEED), 0, list[str](), 0, 0
    for number in range(ROUNDS):
        running_job(machine)
        with Work(machine, number, rows) as work:
            time.sleep(moments.uniform(0.0, LONGEST))
            work.killed.set()
            family = machine.kill()
        assert not work.failed, f"seed {SEED}: {work.failed}"
        processes += len(family)
        until(lambda family=family: not left(machine, family))
        machine.again()
        rows, stacks = check(machine, work), stacks + work.stacks
        objects += work.objects
    bucket = machine.aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket="kept")
    assert {one["Key"] for page in bucket for one in page.get("Contents", [])} >= set(objects)
    arrived = told(machine.aws.client, set(objects)) & set(objects)
    with capsys.disabled():
        print(
            f"\n{ROUNDS} kills (seed {SEED}): {rows} committed rows and {len(objects)} objects are there, "
            f"{len(arrived)} events have arrived, {stacks} operations on stacks were done, "
            f"{processes} processes have ended"
        )


def check(machine: Machine, work: Work) -> int:
    """How many rows there are: all that were committed, and one more whose commit nobody was told of."""
    with machine.connect() as session, session.cursor() as cursor:
        cursor.execute("SELECT count(*), coalesce(max(n), 0) FROM t")
        count, last = cursor.fetchone()
    session.close()
    assert count == last, f"seed {SEED}"
    assert work.rows <= last <= work.rows + 1, f"seed {SEED}"
    cfn = machine.aws.client("cloudformation")
    try:
        found = until(lambda: settled(cfn, f"stack-{work.number}"), told=lambda: events(cfn, work))
    except ClientError:
        assert not work.created, f"seed {SEED}"
        return int(last)
    assert found in ENDS, f"seed {SEED}"
    assert work.stacks == 0 or found != "CREATE_FAILED", f"seed {SEED}"
    cfn.delete_stack(StackName=f"stack-{work.number}")
    return int(last)


def events(cfn: Any, work: Work) -> str:
    """What happened to the stack last, and where the log is."""
    listed = cfn.describe_stack_events(StackName=f"stack-{work.number}")["StackEvents"][:6]
    lines = [f"{one['LogicalResourceId']} {one['ResourceStatus']}" for one in listed]
    return f"seed {SEED}, round {work.number}: {lines}"
