"""The sample data put into the data bucket, and the job that loads it followed to its end.

In: the S3, Batch and CloudWatch Logs clients, a file, names from the stack's outputs. Out: rows per database.
An object that somebody else has put there is left alone.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.errors import DeployFailed, Error
from aws_vpc.wait import Wait

KEY = "incoming/people.csv"
MARK = "aws-vpc-sha256"


@dataclass(frozen=True)
class Object:
    """One version of an object: whether it was put just now, and whether it is the sample."""

    bucket: str
    key: str
    version: str
    modified: datetime
    uploaded: bool
    ours: bool


def put(s3: Any, bucket: str, path: Path, key: str = KEY, *, again: bool = False) -> Object:
    """The object in the bucket, which is now the file unless somebody else's data is there."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Error(f"sample data {path}: {error.strerror}; is the repository root right?") from error
    digest = hashlib.sha256(content).hexdigest()
    there = head(s3, bucket, key)
    mark = there.get("Metadata", {}).get(MARK) if there else None
    if there and (mark is None or (mark == digest and not again)):
        return item(bucket, key, there, uploaded=False)
    s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType="text/csv", Metadata={MARK: digest})
    return item(bucket, key, head(s3, bucket, key) or {}, uploaded=True)


def item(bucket: str, key: str, there: Mapping[str, Any], *, uploaded: bool) -> Object:
    """The object in an answer of HeadObject."""
    ours = MARK in there.get("Metadata", {})
    return Object(bucket, key, there.get("VersionId", ""), there["LastModified"], uploaded, ours)


def head(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    """What S3 tells of an object, or None."""
    try:
        answer: dict[str, Any] = s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return None
        raise
    return answer


def loaded(
    batch: Any, logs: Any, log_group: str, job: str, wait: Wait, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """What a job says it loaded, once it has succeeded: database name to its last log row."""
    status = ""
    for _ in wait.pauses(f"job {job}"):
        detail = batch.describe_jobs(jobs=[job])["jobs"][0]
        if detail["status"] != status:
            status = detail["status"]
            say(f"job {detail['jobName']} {status}")
        if status in {"SUCCEEDED", "FAILED"}:
            break
    stream = detail.get("container", {}).get("logStreamName", "")
    rows = list(log_rows(logs, log_group, stream)) if stream else []
    if status == "FAILED":
        raise DeployFailed(f"job {job} that loads the data failed: {why(detail, rows)}")
    told = [row for row in rows if row.get("event") in {"loaded", "unchanged"} and "target" in row]
    return {row["target"]: row for row in told}


def find(batch: Any, queue: str, item: Object) -> str | None:
    """The id of the job that an object version has triggered, or None."""
    jobs = jobs_since(batch, queue, item.modified)
    return next((str(job["jobId"]) for job in jobs if is_for(job, item)), None)


def await_job(batch: Any, queue: str, item: Object, wait: Wait) -> str:
    """The id of the job that an object version has triggered, once it is there."""
    for _ in wait.pauses(f"the job for s3://{item.bucket}/{item.key}"):
        job = find(batch, queue, item)
        if job:
            return job
    raise AssertionError("a wait ends by an error")


def jobs_since(batch: Any, queue: str, moment: datetime) -> Iterator[dict[str, Any]]:
    """The jobs that entered the queue after a moment, newest first."""
    # A filter also makes Batch list every status; without one it lists only running jobs.
    after = [{"name": "AFTER_CREATED_AT", "values": [str(int(moment.timestamp() * 1000) - 1000)]}]
    for page in batch.get_paginator("list_jobs").paginate(jobQueue=queue, filters=after):
        ids = [one["jobId"] for one in page["jobSummaryList"]]
        found = batch.describe_jobs(jobs=ids)["jobs"] if ids else []
        yield from sorted(found, key=lambda job: job.get("createdAt", 0), reverse=True)


def is_for(job: Mapping[str, Any], item: Object) -> bool:
    """True when a job's parameters name this object version."""
    parameters = job.get("parameters", {})
    return (parameters.get("bucket"), parameters.get("key"), parameters.get("version")) == (
        item.bucket,
        item.key,
        item.version,
    )


def log_rows(logs: Any, group: str, stream: str) -> Iterator[dict[str, Any]]:
    """The JSON rows in a log stream."""
    request = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    while True:
        try:
            answer = logs.get_log_events(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return
            raise
        yield from (row for event in answer["events"] if (row := as_row(event["message"])))
        # The last page answers with the token it was asked with.
        if answer["nextForwardToken"] == request.get("nextToken"):
            return
        request["nextToken"] = answer["nextForwardToken"]


def as_row(message: str) -> dict[str, Any] | None:
    """The object in a line of JSON, or None."""
    try:
        row = json.loads(message)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def why(detail: Mapping[str, Any], rows: list[dict[str, Any]]) -> str:
    """The reason of a job's failure: the loader's own, or that of Batch."""
    told = [str(row["reason"]) for row in rows if row.get("event") == "failed" and row.get("reason")]
    reasons = [*told[-1:], detail.get("container", {}).get("reason"), detail.get("statusReason")]
    text = next((reason for reason in reasons if reason), "no reason given")
    if "CannotPullContainer" in text:
        return f"{text}; push an image of aws_vpc/loader to the stack's repository, or give LoaderImage"
    return text
