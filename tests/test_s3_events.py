"""What S3 tells EventBridge of a bucket that is told to."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from embedded import Embedded, embedded_aws, until


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        url = running.client("sqs").create_queue(QueueName="tap")["QueueUrl"]
        arn = "arn:aws:sqs:us-east-1:123456789012:tap"
        running.client("events").put_rule(Name="tap", EventPattern='{"source": ["aws.s3"]}')
        running.client("events").put_targets(Rule="tap", Targets=[{"Id": "t", "Arn": arn}])
        running.tap = url  # type: ignore[attr-defined]
        yield running


@pytest.fixture
def bucket(aws: Embedded, request: pytest.FixtureRequest) -> str:
    """A versioned bucket that sends its events."""
    name = request.node.name.replace("_", "-")[-40:].strip("-[]").lower()
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    return str(name)


def told(aws: Embedded, count: int = 1) -> list[dict[str, Any]]:
    """The next events, which are then gone."""
    sqs, events = aws.client("sqs"), []

    def enough() -> bool:
        for message in sqs.receive_message(QueueUrl=aws.tap, MaxNumberOfMessages=10).get("Messages", []):  # type: ignore[attr-defined]
            events.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=aws.tap, ReceiptHandle=message["ReceiptHandle"])  # type: ignore[attr-defined]
        return len(events) >= count

    until(enough)
    return sorted(events, key=lambda event: event["detail"]["object"]["sequencer"])


def test_a_new_object_is_told_with_its_version_etag_size_and_a_growing_sequencer(
    aws: Embedded, bucket: str
) -> None:
    first = aws.client("s3").put_object(Bucket=bucket, Key="incoming/ä b+c.csv", Body=b"x" * 300)
    second = aws.client("s3").put_object(Bucket=bucket, Key="incoming/ä b+c.csv", Body=b"y")
    events = told(aws, 2)
    assert [event["detail-type"] for event in events] == ["Object Created"] * 2
    seen = events[0]["detail"]
    assert seen["bucket"] == {"name": bucket}
    assert seen["reason"] == "PutObject"
    assert seen["object"] | {"sequencer": ""} == {
        "key": "incoming/ä b+c.csv",
        "size": 300,
        "etag": first["ETag"].strip('"'),
        "version-id": first["VersionId"],
        "sequencer": "",
    }
    assert events[1]["detail"]["object"]["version-id"] == second["VersionId"]
    sequencers = [event["detail"]["object"]["sequencer"] for event in events]
    assert sequencers[0] < sequencers[1]
    assert all(int(each, 16) for each in sequencers)
    assert events[0]["resources"] == [f"arn:aws:s3:::{bucket}"]


def test_copies_and_uploads_in_parts_are_told_with_their_whole_size(aws: Embedded, bucket: str) -> None:
    s3 = aws.client("s3")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
    parts = []
    for number, body in ((1, b"a" * (5 << 20)), (2, b"b" * 10)):
        made = s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"ETag": made["ETag"], "PartNumber": number})
    s3.complete_multipart_upload(Bucket=bucket, Key="big", UploadId=upload, MultipartUpload={"Parts": parts})
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "big"})
    s3.put_object_tagging(Bucket=bucket, Key="big", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    details = [event["detail"] for event in told(aws, 2)]
    assert [each["reason"] for each in details] == ["CompleteMultipartUpload", "CopyObject"]
    assert [each["object"]["size"] for each in details] == [(5 << 20) + 10] * 2
    assert all(each["object"]["version-id"] and each["object"]["etag"] for each in details)


def test_a_policy_is_returned_whole_and_its_conditions_are_not_forgotten(aws: Embedded, bucket: str) -> None:
    s3 = aws.client("s3")
    own = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    tls = {**own, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [tls]})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    told(aws)
    strict = json.dumps({"Version": "2012-10-17", "Statement": [tls, {**own, "Action": "s3:PutObject"}]})
    s3.put_bucket_policy(Bucket=bucket, Policy=strict)
    with pytest.raises(ClientError, match=r"AccessDenied|Forbidden"):
        s3.put_object(Bucket=bucket, Key="b", Body=b"x")
    s3.delete_bucket_policy(Bucket=bucket)
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=bucket)


def test_deletions_are_told(aws: Embedded, bucket: str) -> None:
    s3 = aws.client("s3")
    made = [s3.put_object(Bucket=bucket, Key=key, Body=b"x") for key in ("a", "b")]
    told(aws, 2)
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_object(Bucket=bucket, Key="a", VersionId=made[0]["VersionId"])
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}]})
    details = [event["detail"] for event in told(aws, 3)]
    assert [each["object"]["key"] for each in details] == ["a", "a", "b"]
    assert [each["deletion-type"] for each in details] == [
        "Delete Marker Created",
        "Permanently Deleted",
        "Delete Marker Created",
    ]


def test_a_presigned_upload_is_told(aws: Embedded, bucket: str) -> None:
    url = aws.client("s3").generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "signed"})
    with urllib.request.urlopen(urllib.request.Request(url, data=b"12345", method="PUT")) as answer:
        assert answer.status == 200
    (event,) = told(aws)
    assert (event["detail"]["object"]["key"], event["detail"]["object"]["size"]) == ("signed", 5)


def test_the_setting_is_kept_can_be_taken_back_and_leaves_others_alone(aws: Embedded, bucket: str) -> None:
    s3 = aws.client("s3")
    found = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert found["EventBridgeConfiguration"] == {}
    direct = [{"QueueArn": "arn:aws:sqs:us-east-1:123456789012:other", "Events": ["s3:ObjectCreated:*"]}]
    aws.client("sqs").create_queue(QueueName="other")
    both = {"EventBridgeConfiguration": {}, "QueueConfigurations": direct}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=both)
    found = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert found["EventBridgeConfiguration"] == {}
    assert found["QueueConfigurations"][0]["QueueArn"] == direct[0]["QueueArn"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="silent", Body=b"")
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket=bucket, Key="told", Body=b"")
    assert [event["detail"]["object"]["key"] for event in told(aws)] == ["told"]
