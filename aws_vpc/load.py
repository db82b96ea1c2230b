"""A load by hand: an object brought into the data bucket, a job submitted for it, its log followed.

In: the S3, Batch and CloudWatch Logs clients, names from the stack's outputs. Out: the rows of the log.
The databases are private, so the same program does it that does it for an event, where it can reach them.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.data import MARK, head, log_rows, why
from aws_vpc.errors import DeployFailed, UsageError
from aws_vpc.wait import Wait

BY_HAND = "by-hand/"  # no event is sent for what lies there
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Place:
    """One version of an object in the data bucket."""

    bucket: str
    key: str
    version: str
    etag: str
    size: int


def bring(s3: Any, bucket: str, source: str) -> Place:
    """The object to load: where it lies if that is the data bucket, else under by-hand/ in it."""
    if not source.startswith("s3://"):
        return put(s3, bucket, Path(source))
    there, _, key = source.removeprefix("s3://").partition("/")
    if not there or not key:
        raise UsageError(f"{source} names no object; write s3://BUCKET/KEY")
    if there == bucket:
        return place(s3, bucket, key)
    name = f"{BY_HAND}{key.rsplit('/', 1)[-1]}"
    with existing(source):
        s3.copy({"Bucket": there, "Key": key}, bucket, name)
    return place(s3, bucket, name)


def put(s3: Any, bucket: str, path: Path) -> Place:
    """The object that a file is now; a file that lies there already is not put again."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    key = f"{BY_HAND}{path.name}"
    there = head(s3, bucket, key)
    if there is None or there.get("Metadata", {}).get(MARK) != digest:
        s3.upload_file(str(path), bucket, key, ExtraArgs={"Metadata": {MARK: digest}})
    return place(s3, bucket, key)


def place(s3: Any, bucket: str, key: str) -> Place:
    """The current version of an object."""
    with existing(f"s3://{bucket}/{key}"):
        found = s3.head_object(Bucket=bucket, Key=key)
    version = found.get("VersionId", "")
    return Place(bucket, key, version, found["ETag"].strip('"'), found["ContentLength"])


@contextmanager
def existing(name: str) -> Iterator[None]:
    """Names the object where S3 says that it is not there."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NoSuchBucket"}:
            raise UsageError(f"{name} does not exist, or may not be seen") from error
        raise


def submit(batch: Any, queue: str, definition: str, found: Place, options: Sequence[str]) -> str:
    """The id of the job that loads an object."""
    words = ["--bucket", found.bucket, "--key", found.key, "--etag", found.etag]
    words += ["--version", found.version] if found.version else []
    command = ["python", "-m", "aws_vpc.loader", *words, *options]
    parameters = {"bucket": found.bucket, "key": found.key, "version": found.version}
    answer = batch.submit_job(
        jobName="load-by-hand", jobQueue=queue, jobDefinition=definition, parameters=parameters,
        containerOverrides={"command": command},
    )  # fmt: skip
    return str(answer["jobId"])


@dataclass
class Follower:
    """A job's log, row by row, and its end; where the object was split, that of the job that publishes it."""

    batch: Any
    logs: Any
    group: str
    wait: Wait
    seen: dict[str, int] = field(default_factory=dict)  # rows of each log stream that were told already
    staged: int | None = None  # parts, as last told

    def rows(self, job: str) -> Iterator[dict[str, Any]]:
        """The rows as they come; DeployFailed tells why the job failed."""
        following, told = job, list[dict[str, Any]]()
        for _ in self.wait.pauses(f"job {job}"):
            detail = self.batch.describe_jobs(jobs=[following])["jobs"][0]
            for row in self._new(detail):
                told.append(row)
                yield row
            if detail["status"] == "FAILED":
                raise DeployFailed(f"job {following} failed: {why(detail, told)}")
            if detail["status"] == "SUCCEEDED":
                split = next((row for row in told if row.get("event") == "split"), None)
                if not split or following == split["publish"]:
                    return
                following = split["publish"]
            elif following != job:
                yield from self._parts(told)

    def _new(self, detail: dict[str, Any]) -> Iterator[dict[str, Any]]:
        stream = detail.get("container", {}).get("logStreamName", "")
        if stream:
            found = list(log_rows(self.logs, self.group, stream))
            yield from found[self.seen.get(stream, 0) :]
            self.seen[stream] = len(found)

    def _parts(self, told: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """How many parts have been staged, when that has changed."""
        split = next(row for row in told if row.get("event") == "split")
        detail = self.batch.describe_jobs(jobs=[split["stage"]])["jobs"][0]
        done = detail.get("arrayProperties", {}).get("statusSummary", {}).get("SUCCEEDED", 0)
        if done != self.staged:
            self.staged = done
            yield {"event": "parts", "done": done, "parts": split["parts"]}
