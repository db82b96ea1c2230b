"""Buckets counted and emptied, every version of every object.

In: the S3 client and a bucket's name. Out: how many objects it holds, or held.
"""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.errors import DeployFailed

GONE = frozenset(["NoSuchBucket", "404", "NotFound"])
AT_ONCE = 1000  # keys that DeleteObjects takes


def versions(s3: Any, bucket: str) -> Iterator[list[dict[str, str]]]:
    """The keys and versions in a bucket, a page at a time; none where there is no such bucket."""
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            yield [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise


def count(s3: Any, bucket: str) -> int:
    """How many objects a bucket holds, each version counted."""
    return sum(len(page) for page in versions(s3, bucket))


def empty(s3: Any, bucket: str, account: str) -> int:
    """How many versions have been deleted; the bucket holds nothing any more."""
    deleted = 0
    while page := next((page for page in versions(s3, bucket) if page), None):
        answer = s3.delete_objects(
            Bucket=bucket, Delete={"Objects": page[:AT_ONCE], "Quiet": True}, ExpectedBucketOwner=account
        )
        if errors := answer.get("Errors"):
            first = errors[0]
            raise DeployFailed(f"bucket {bucket}: {first['Key']} could not be deleted ({first['Code']})")
        deleted += len(page[:AT_ONCE])
    abort_uploads(s3, bucket, account)
    return deleted


def abort_uploads(s3: Any, bucket: str, account: str) -> None:
    """Returns when no half uploaded object is left, which would keep the bucket, too."""
    try:
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            for one in page.get("Uploads", ()):
                s3.abort_multipart_upload(
                    Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"], ExpectedBucketOwner=account
                )
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
