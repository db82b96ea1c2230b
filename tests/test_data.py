"""The sample goes where nobody else's data is, and a job's end is told by its own words."""

import hashlib
from datetime import UTC, datetime

import pytest
from embedded import embedded_aws, without_buckets

from aws_vpc import data
from aws_vpc.errors import DeployFailed, Error
from aws_vpc.wait import Wait

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ITEM = data.Object("b", data.KEY, "v2", NOW, uploaded=True, ours=True)


def clock(deadline=100.0):
    time = [0.0]
    return Wait(deadline, now=lambda: time[0], sleep=lambda seconds: time.__setitem__(0, time[0] + seconds))


@pytest.fixture(scope="module")
def aws():
    with embedded_aws() as running:
        yield running


@pytest.fixture
def s3(aws):
    client = without_buckets(aws.client("s3"))
    client.create_bucket(Bucket="data")
    client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("id,email\n1,a@example.org\n")
    return path


def test_the_sample_is_put_once_and_again_only_when_it_has_changed(s3, sample):
    first, second = data.put(s3, "data", sample), data.put(s3, "data", sample)
    assert (first.uploaded, second.uploaded, first.version == second.version) == (True, False, True)
    sample.write_text("id,email\n2,b@example.org\n")
    third = data.put(s3, "data", sample)
    assert third.uploaded and third.ours and third.version != first.version


def test_somebody_else_s_data_is_left_alone(s3, sample):
    s3.put_object(Bucket="data", Key=data.KEY, Body=b"mine")
    found = data.put(s3, "data", sample, again=True)
    assert (found.uploaded, found.ours) == (False, False)
    assert s3.get_object(Bucket="data", Key=data.KEY)["Body"].read() == b"mine"


def test_the_sample_is_put_again_on_demand(s3, sample):
    first = data.put(s3, "data", sample)
    assert data.put(s3, "data", sample, again=True).version != first.version
    digest = hashlib.sha256(sample.read_bytes()).hexdigest()
    assert s3.head_object(Bucket="data", Key=data.KEY)["Metadata"] == {data.MARK: digest}


def test_a_missing_sample_is_named(s3, tmp_path):
    with pytest.raises(Error, match=r"none\.csv: No such file"):
        data.put(s3, "data", tmp_path / "none.csv")


class Batch:
    """A queue whose jobs go through the statuses given, one a look."""

    def __init__(self, jobs, statuses=("SUCCEEDED",), **container):
        self.jobs, self.statuses, self.container = jobs, list(statuses), container

    def get_paginator(self, _):
        return self

    def paginate(self, jobQueue, filters):
        assert filters[0]["values"] == [str(int(NOW.timestamp() * 1000) - 1000)]
        return [{"jobSummaryList": [{"jobId": one} for one in self.jobs]}]

    def describe_jobs(self, jobs):
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        about = {"jobName": "load", "status": status, "container": {"logStreamName": "s", **self.container}}
        return {"jobs": [{"jobId": one, "parameters": self.jobs.get(one, {}), **about} for one in jobs]}


class Logs:
    """A log stream in pages."""

    def __init__(self, *pages):
        self.pages = pages

    def get_log_events(self, logGroupName, logStreamName, startFromHead, nextToken="0"):
        number = int(nextToken)
        lines = self.pages[number] if number < len(self.pages) else []
        following = str(min(number + 1, len(self.pages)))
        return {"events": [{"message": one} for one in lines], "nextForwardToken": following}


def parameters(version):
    return {"bucket": "b", "key": data.KEY, "version": version}


def test_the_job_of_the_very_object_version_is_found():
    batch = Batch({"old": parameters("v1"), "new": parameters("v2"), "other": {}})
    assert data.find(batch, "q", ITEM) == "new"
    assert data.find(Batch({"old": parameters("v1")}), "q", ITEM) is None


def test_a_job_that_never_comes_ends_at_the_deadline():
    with pytest.raises(DeployFailed, match=r"the job for s3://b/incoming/people.csv is not finished"):
        data.await_job(Batch({}), "q", ITEM, clock())


def test_the_rows_are_the_last_words_of_the_log():
    logs = Logs(
        ["starting", '{"event": "loaded", "target": "rds", "table_rows": 50}'],
        ['{"event": "unchanged", "target": "redshift", "table_rows": 49}', "[1]"],
    )
    said = []
    batch = Batch({}, ["SUBMITTED", "RUNNING", "RUNNING", "SUCCEEDED"])
    rows = data.loaded(batch, logs, "g", "j", clock(), said.append)
    assert {target: row["table_rows"] for target, row in rows.items()} == {"rds": 50, "redshift": 49}
    assert said == ["job load SUBMITTED", "job load RUNNING", "job load SUCCEEDED"]


FAILURES = [
    ({}, ['{"event": "failed", "reason": "no column id"}'], "no column id"),
    ({"reason": "OutOfMemoryError: killed"}, [], "OutOfMemoryError: killed"),
    ({"reason": "CannotPullContainerError: none"}, [], "push an image of aws_vpc/loader"),
    ({}, [], "no reason given"),
]


@pytest.mark.parametrize(("container", "lines", "reason"), FAILURES)
def test_a_failed_job_gives_the_loader_s_reason_or_that_of_batch(container, lines, reason):
    with pytest.raises(DeployFailed, match=reason):
        data.loaded(Batch({}, ["FAILED"], **container), Logs(lines), "g", "j", clock(), lambda _: None)
