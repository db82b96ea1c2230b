"""An object over the limit as an array job of the embedded Batch: real processes, databases and sums."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import os
import random
import signal
from collections.abc import Iterator, Sequence
from typing import Any

import psutil
import pytest
import zstandard
from embedded import Embedded, embedded_aws, until
from loader_cases import HEADER, parquet, people_csv, person
from loader_support import QUIET, Servers, System, arguments, digest, servers, system

pytestmark = QUIET
ENDED = ("SUCCEEDED", "FAILED")


whole = pytest.mark.skipif(not os.environ.get("AWS_VPC_TEST_ALL"), reason="many processes: run with --all")


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as found:
        yield found


@pytest.fixture(scope="module")
def running(aws: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    environment = {
        "AWS_ENDPOINT_URL": aws.facts.endpoint, "AWS_ACCESS_KEY_ID": aws.facts.access_key,
        "AWS_SECRET_ACCESS_KEY": aws.facts.secret_key, "AWS_DEFAULT_REGION": aws.facts.region,
    }  # fmt: skip
    with servers(tmp_path_factory.mktemp("servers"), environment) as found:
        yield found


@pytest.fixture
def loader(running: Servers, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> System:
    return system(running, capsys, monkeypatch)


@pytest.fixture(scope="module")
def queue(aws: Embedded) -> str:
    trust = {
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "batch"}}]
    }
    role = aws.client("iam").create_role(RoleName="batch", AssumeRolePolicyDocument=json.dumps(trust))
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = aws.client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = aws.client("ec2").create_security_group(GroupName="j", Description="j", VpcId=vpc)["GroupId"]
    batch = aws.client("batch")
    batch.create_compute_environment(
        computeEnvironmentName="small", type="MANAGED", serviceRole=role["Role"]["Arn"],
        computeResources={"type": "FARGATE", "maxvCpus": 4, "subnets": [subnet], "securityGroupIds": [group]},
    )  # fmt: skip
    order = [{"order": 1, "computeEnvironment": "small"}]
    made = batch.create_job_queue(
        jobQueueName="queue", state="ENABLED", priority=1, computeEnvironmentOrder=order
    )
    aws.client("logs").create_log_group(logGroupName="/loader")
    return str(made["jobQueueArn"])


class Jobs:
    """The loader as jobs of the embedded Batch."""

    def __init__(self, aws: Embedded, queue: str, loader: System) -> None:
        self.batch, self.logs, self.queue, self.loader = (
            aws.client("batch"),
            aws.client("logs"),
            queue,
            loader,
        )
        own = {name: value for name, value in loader.environment.items() if not name.startswith("AWS_")}
        container = {
            "image": "loader", "command": ["python", "-m", "aws_vpc.loader"],
            "environment": [{"name": name, "value": value} for name, value in own.items()],
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/loader"}},
        }  # fmt: skip
        retry = {"attempts": 3, "evaluateOnExit": [{"onExitCode": "137", "action": "RETRY"},
                                                   {"onReason": "*", "action": "EXIT"}]}  # fmt: skip
        self.definition = self.batch.register_job_definition(
            jobDefinitionName="load", type="container", containerProperties=container, retryStrategy=retry
        )["jobDefinitionArn"]

    def submit(self, event: dict[str, str], *more: str) -> str:
        command = ["python", "-m", "aws_vpc.loader", *arguments(event), *more]
        made = self.batch.submit_job(
            jobName="load", jobQueue=self.queue, jobDefinition=self.definition,
            containerOverrides={"command": command},
        )  # fmt: skip
        return str(made["jobId"])

    def job(self, known: str) -> dict[str, Any]:
        return dict(self.batch.describe_jobs(jobs=[known])["jobs"][0])

    def ended(self, known: str) -> dict[str, Any]:
        return dict(until(lambda: (found := self.job(known))["status"] in ENDED and found))

    def lines(self, known: str) -> list[dict[str, Any]]:
        stream = self.job(known)["container"]["logStreamName"]
        events = self.logs.get_log_events(logGroupName="/loader", logStreamName=stream, startFromHead=True)
        return [json.loads(event["message"]) for event in events["events"]]

    def split(self, event: dict[str, str], limit: int, *more: str) -> dict[str, Any]:
        """What the event's job says of the parts."""
        known = self.submit(event, "--split-over", str(limit), *more)
        assert self.ended(known)["status"] == "SUCCEEDED", self.lines(known)
        return next(line for line in self.lines(known) if line["event"] == "split")

    def load(self, event: dict[str, str], limit: int, *more: str, status: str = "SUCCEEDED") -> list[Any]:
        """The lines of the job that published."""
        publish = self.split(event, limit, *more)["publish"]
        assert self.ended(publish)["status"] == status, self.lines(publish)
        return self.lines(publish)


@pytest.fixture
def jobs(aws: Embedded, queue: str, loader: System) -> Jobs:
    return Jobs(aws, queue, loader)


def held(loader: System, target: str) -> tuple[int, str]:
    """The same of what a database has."""
    return digest(loader.rows(target))


def some(count: int, first: int = 1, step: int = 1) -> list[tuple[object, ...]]:
    odd = ['Old "Mill"\n{}', "a, b {}", "{}", "é {}"]
    return [person(n, address=odd[n % 4].format(n)) for n in range(first, first + count * step, step)]


def zstd(body: bytes) -> bytes:
    cuts = [len(body) * n // 5 for n in range(6)]
    return b"".join(zstandard.compress(body[one:two]) for one, two in itertools.pairwise(cuts))


def json_lines(rows: Sequence[Sequence[Any]]) -> bytes:
    names = HEADER.strip().split(",")
    return "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows).encode()


FORMATS = {
    "csv": lambda rows: people_csv(rows).encode(), "csv.zst": lambda rows: zstd(people_csv(rows).encode()),
    "jsonl": json_lines, "parquet": lambda rows: parquet(rows, row_group_size=len(rows) // 3),
}  # fmt: skip


@pytest.mark.parametrize(
    "form", ["csv", *(pytest.param(one, marks=whole) for one in FORMATS if one != "csv")]
)
def test_the_parts_of_every_format_become_the_whole(loader: System, jobs: Jobs, form: str) -> None:
    rows = some(1500)
    body = FORMATS[form](rows)
    count = 2 if form == "csv" else 4
    lines = jobs.load(loader.put(body, f"incoming/people.{form}"), -(-len(body) // count))
    assert [line["rows"] for line in lines if line["event"] == "loaded"] == [1500, 1500]
    assert held(loader, "rds") == held(loader, "redshift") == digest(rows)
    assert len(loader.query("rds", "select 1 from pg_inherits where inhparent = 'persons'::regclass")) > 1
    assert loader.query("rds", "select state, rows from loads") == [("loaded", 1500)]
    assert not loader.left_over()


@whole
def test_bad_rows_and_keys_that_come_twice_in_different_parts_are_named_by_their_lines(
    loader: System, jobs: Jobs
) -> None:
    random.seed(3)
    rows = some(900)
    random.shuffle(rows)  # no part's keys lie apart from another's
    bad = [*rows[:300], person(7, state="XX"), *rows[300:600], rows[0], *rows[600:], person("x"), rows[1]]
    text = people_csv(bad)
    lines = jobs.load(loader.put(text), len(text) // 4)
    loaded = [line for line in lines if line["event"] == "loaded"]
    assert [(line["rows"], line["rejected"]) for line in loaded] == [(900, 4), (900, 4)]
    assert held(loader, "rds") == held(loader, "redshift") == digest(rows)
    one_piece = loader.load(loader.put(text, "incoming/people-2.csv"), "--only", "rds")
    key = next(line["rejected_key"] for line in one_piece if line["event"] == "loaded")
    assert loader.rejected(loaded[0]["rejected_key"]) == loader.rejected(key)
    assert not loader.left_over()


@whole
@pytest.mark.parametrize("mode", ["merge", "delete"])
def test_parts_change_a_table_that_is_there(loader: System, jobs: Jobs, mode: str) -> None:
    before, rows = some(600), some(600, first=400)
    loader.load(loader.put(people_csv(before)))
    text = people_csv(rows) if mode == "merge" else "id\n" + "".join(f"{row[0]}\n" for row in rows)
    jobs.load(loader.put(text, f"incoming/{mode}/people.csv"), len(text) // 3)
    expected = before[:399] + (rows if mode == "merge" else [])
    assert held(loader, "rds") == held(loader, "redshift") == digest(expected)
    assert not loader.left_over()


@whole
def test_too_many_bad_rows_in_all_parts_together_change_nothing(loader: System, jobs: Jobs) -> None:
    loader.load(loader.put(people_csv(some(5))))
    text = people_csv([*some(300), person(400, state="XX"), *some(300, first=500), person(900, state="XY")])
    lines = jobs.load(loader.put(text), len(text) // 3, "--max-rejected", "1", status="FAILED")
    assert "2 of 602 rows are bad" in lines[-1]["reason"]
    assert held(loader, "rds") == held(loader, "redshift") == digest(some(5))
    lines_of_both = loader.query("rds", "select state, rejected from loads order by started")
    assert lines_of_both == [("loaded", 0), ("failed", 2)]
    assert not loader.left_over()


@whole
def test_what_cannot_be_split_says_so_and_is_loaded_in_one_piece(loader: System, jobs: Jobs) -> None:
    body = gzip.compress(people_csv(some(300)).encode())
    known = jobs.submit(loader.put(body, "incoming/people.csv.gz"), "--split-over", "100")
    assert jobs.ended(known)["status"] == "SUCCEEDED"
    (why,) = [line["reason"] for line in jobs.lines(known) if line["event"] == "whole"]
    assert "gzip can only be read from its beginning" in why
    assert held(loader, "rds") == held(loader, "redshift") == digest(some(300))


def processes(known: str) -> list[psutil.Process]:
    """The processes of a job's children."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AWS_BATCH_JOB_ID", "").startswith(known):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def killed_now(known: str) -> int:
    """How many processes of a job's children ran and have been killed."""
    count = 0
    for process in processes(known):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
            count += 1
    return count


@whole
@pytest.mark.parametrize("step", ["stage", "publish"])
def test_a_job_that_is_killed_is_tried_again_and_nothing_is_lost_or_doubled(
    loader: System, jobs: Jobs, step: str
) -> None:
    rows = some(30_000)
    text = people_csv(rows)
    split = jobs.split(loader.put(text), len(text) // 3)
    until(lambda: killed_now(split[step]))
    assert jobs.ended(split["publish"])["status"] == "SUCCEEDED", jobs.lines(split["publish"])
    killed = (
        [split["publish"]] if step == "publish" else [f"{split['stage']}:{n}" for n in range(split["parts"])]
    )
    assert sum(len(jobs.job(one)["attempts"]) for one in killed) > len(killed)
    assert held(loader, "rds") == held(loader, "redshift") == digest(rows)
    assert not loader.left_over()


@whole
def test_a_run_whose_jobs_have_died_is_swept_by_the_next_load(loader: System, jobs: Jobs) -> None:
    text = people_csv(some(3000))
    split = jobs.split(loader.put(text), len(text) // 2)
    jobs.batch.terminate_job(jobId=split["stage"], reason="spot")
    assert jobs.ended(split["publish"])["status"] == "FAILED"
    until(lambda: not processes(split["stage"]))
    states = "select state from loads order by started"
    assert loader.query("rds", states) == [("staging",)]
    known = jobs.submit(loader.put(people_csv(some(4))))
    assert jobs.ended(known)["status"] == "SUCCEEDED"
    assert loader.query("rds", states) == [("interrupted",), ("loaded",)]
    assert held(loader, "rds") == held(loader, "redshift") == digest(some(4))
    assert not loader.left_over()


@whole
def test_an_event_that_comes_twice_is_loaded_once_and_a_newer_version_wins(
    loader: System, jobs: Jobs
) -> None:
    older, newer = loader.put(people_csv(some(2000))), loader.put(people_csv(some(3, first=7)))
    split = jobs.split(older, 30_000)
    again = jobs.submit(older, "--split-over", "30000")
    assert jobs.ended(again)["status"] == "SUCCEEDED"
    loaded = jobs.lines(again)[-1]
    assert loaded["event"] == "unchanged"
    assert jobs.ended(jobs.submit(newer))["status"] == "SUCCEEDED"
    assert jobs.ended(split["publish"])["status"] == "SUCCEEDED"
    assert held(loader, "rds") == held(loader, "redshift") == digest(some(3, first=7))
    assert not loader.left_over()
