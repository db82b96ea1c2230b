"""A load by hand: what becomes an object of the data bucket, how its job is followed, what is told of it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from embedded import boto3_client, embedded_aws, without_buckets

from aws_vpc import cli, load
from aws_vpc.commands import load as command
from aws_vpc.commands.console import Console
from aws_vpc.errors import DeployFailed, UsageError
from aws_vpc.wait import Wait


@pytest.fixture(scope="module")
def service() -> Iterator[Any]:
    """S3 as boto3 has it, which uploads and copies in parts."""
    with embedded_aws() as running, boto3_client(running.facts, "s3") as client:
        yield client


@pytest.fixture
def s3(service: Any) -> Any:
    client = without_buckets(service)
    for name in ("data", "other"):
        client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    return client


def test_a_file_is_put_under_by_hand_once(s3: Any, tmp_path: Path) -> None:
    path = tmp_path / "people é.csv"
    path.write_text("id\n1\n")
    first, again = load.bring(s3, "data", str(path)), load.bring(s3, "data", str(path))
    assert first == again and first.key == "by-hand/people é.csv" and first.size == 5
    path.write_text("id\n2\n")
    assert load.bring(s3, "data", str(path)).version != first.version


def test_an_object_is_taken_where_it_lies_or_copied_from_another_bucket(s3: Any) -> None:
    s3.put_object(Bucket="data", Key="incoming/merge/people.csv", Body=b"id\n")
    s3.put_object(Bucket="other", Key="a/b/people.csv", Body=b"id\n1\n")
    assert load.bring(s3, "data", "s3://data/incoming/merge/people.csv").key == "incoming/merge/people.csv"
    copied = load.bring(s3, "data", "s3://other/a/b/people.csv")
    assert (copied.bucket, copied.key, copied.size) == ("data", "by-hand/people.csv", 5)


@pytest.mark.parametrize(
    ("source", "reason"),
    [("s3://data", "names no object"), ("s3:///x", "names no object"), ("nowhere.csv", "No such file"),
     ("s3://data/none.csv", "does not exist"), ("s3://nobody/none.csv", "does not exist"),
     (".", "directory")],
)  # fmt: skip
def test_a_source_that_is_none_is_named(s3: Any, source: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        load.bring(s3, "data", source)


class Batch:
    """Batch and CloudWatch Logs at their edge: jobs whose states and lines are given."""

    def __init__(self, **jobs: list[tuple[str, list[str]]]) -> None:
        self.jobs, self.asked = jobs, dict.fromkeys(jobs, 0)
        self.parts = iter(range(1, 99))

    def describe_jobs(self, jobs: list[str]) -> dict[str, Any]:
        (name,) = jobs
        if name == "stage":
            return {"jobs": [{"arrayProperties": {"statusSummary": {"SUCCEEDED": next(self.parts)}}}]}
        at = min(self.asked[name], len(self.jobs[name]) - 1)
        self.asked[name] += 1
        status = self.jobs[name][at][0]
        return {"jobs": [{"jobName": name, "status": status, "container": {"logStreamName": name}}]}

    def get_log_events(self, logStreamName: str, **more: Any) -> dict[str, Any]:
        if "nextToken" in more:
            return {"events": [], "nextForwardToken": more["nextToken"]}
        lines = [line for _, lines in self.jobs[logStreamName][: self.asked[logStreamName]] for line in lines]
        return {
            "events": [{"message": line} for line in lines],
            "nextForwardToken": more.get("nextToken", "f"),
        }


def follow(batch: Batch) -> list[dict[str, Any]]:
    now = [0.0]
    wait = Wait(99, now=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    return list(load.Follower(batch, batch, "group", wait).rows("one"))


def test_each_row_of_a_job_is_told_once_and_its_failure_by_its_own_reason() -> None:
    progress, loaded = '{"event": "progress", "n": 1}', '{"event": "loaded", "target": "rds"}'
    one = [("STARTING", []), ("RUNNING", [progress]), ("RUNNING", []), ("SUCCEEDED", [loaded])]
    assert [row["event"] for row in follow(Batch(one=one))] == ["progress", "loaded"]
    failed = [("RUNNING", []), ("FAILED", ['{"event": "failed", "reason": "the header does not fit"}'])]
    with pytest.raises(DeployFailed, match="the header does not fit"):
        follow(Batch(one=failed))


def test_where_the_object_is_split_the_job_that_publishes_is_followed() -> None:
    split = '{"event": "split", "parts": 5, "stage": "stage", "publish": "two"}'
    two = [("PENDING", []), ("RUNNING", []), ("SUCCEEDED", ['{"event": "loaded", "target": "rds"}'])]
    rows = follow(Batch(one=[("SUCCEEDED", [split])], two=two))
    assert [row["event"] for row in rows] == ["split", "parts", "parts", "loaded"]
    assert [row["done"] for row in rows[1:3]] == [1, 2] and rows[1]["parts"] == 5


ROWS: list[dict[str, Any]] = [
    {"event": "loaded", "target": "rds", "rows": 1000, "rejected": 2, "seconds": 0.5, "table_rows": 1000,
     "rejected_key": "rejected/x.csv"},
    {"event": "unchanged", "target": "redshift", "table_rows": 7, "reason": "this version is loaded"},
]  # fmt: skip
PLACE = load.Place("data", "by-hand/x.csv", "v", "e", 9)


def test_the_answer_tells_what_became_of_the_object_in_each_database(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.answer(Console(), "stack", PLACE, "job", ROWS) == 0
    assert capsys.readouterr().out.splitlines() == [
        "database   1,000 rows loaded, 2 rejected, 0.5 s, 2,000 rows/s; the table has 1,000",
        "           rejected: s3://data/rejected/x.csv",
        "warehouse  unchanged, 7 rows: this version is loaded",
    ]


@pytest.mark.parametrize(("allowed", "status"), [(True, 0), (False, 3)])
def test_a_dry_run_answers_whether_the_rows_could_be_loaded(
    capsys: pytest.CaptureFixture[str], allowed: bool, status: int
) -> None:
    sample = [{"line": 3, "column": "state", "value": "XX", "reason": "is not one of the values allowed"}]
    row = {
        "event": "checked",
        "table": "persons",
        "mode": "merge",
        "rows": 9,
        "rejected": 1,
        "sample": sample,
    }
    assert command.answer(Console(), "stack", PLACE, "job", [{**row, "allowed": allowed}]) == status
    said = capsys.readouterr().out
    assert "persons, merge: 9 rows are good, 1 bad" in said and "line 3, state: 'XX'" in said
    assert ("nothing would be changed" in said) is not allowed


def test_the_options_are_those_of_the_loader() -> None:
    words = ["load", "x.csv", "--mode", "merge", "--max-rejected", "5%", "--split-over", "1GiB", "--dry-run"]
    found: Namespace = cli.parse(words)
    assert command.passed(found) == [
        "--dry-run", "--mode", "merge", "--max-rejected", "5%", "--split-over", "1GiB",
    ]  # fmt: skip


def test_progress_is_a_line_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"event": "progress", "target": "rds", "bytes": 1_000_000, "size": 2_000_000, "rows": 5000,
           "rejected": 3, "seconds": 2.0}  # fmt: skip
    parts = {"event": "parts", "done": 2, "parts": 8}
    assert list(command.shown(Console(), [row, parts])) == [row, parts]
    assert capsys.readouterr().err.splitlines() == [
        "database   1,000,000 of 2,000,000 bytes, 5,000 rows, 2,500 rows/s, 3 rejected",
        "parts      2 of 8 staged",
    ]


def test_the_bar_has_a_line_for_each_database_and_for_parts() -> None:
    with command.bar() as progress:
        for row in ({"event": "progress", "target": "rds", "bytes": 5, "size": 9, "rows": 2, "rejected": 1},
                    {"event": "progress", "target": "rds", "bytes": 9, "size": 9, "rows": 4, "rejected": 1},
                    {"event": "parts", "done": 1, "parts": 2},
                    {"event": "loaded", "target": "rds"}):  # fmt: skip
            command.advance(progress, row)
        assert [(task.description, task.completed, task.total) for task in progress.tasks] == [
            ("database", 9, 9), ("parts", 1, 2),
        ]  # fmt: skip
