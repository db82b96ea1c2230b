"""A queue that is given every S3 event of a bucket."""

from __future__ import annotations

import json
from typing import Any

from embedded import until

QUEUE = "arn:aws:sqs:us-east-1:123456789012:tap"


def tap(client: Any, bucket: str) -> None:
    """Send the events of a bucket to the queue `tap`."""
    client("sqs").create_queue(QueueName="tap")
    client("events").put_rule(Name="tap", EventPattern=json.dumps({"source": ["aws.s3"]}))
    client("events").put_targets(Rule="tap", Targets=[{"Id": "t", "Arn": QUEUE}])
    client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )


def told(client: Any, keys: set[str]) -> set[str]:
    """The keys that the queue tells of, as soon as these are all among them; what is read is gone."""
    found: set[str] = set()
    url = client("sqs").get_queue_url(QueueName="tap")["QueueUrl"]

    def enough() -> bool:
        read = client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        found.update(json.loads(each["Body"])["detail"]["object"]["key"] for each in read)
        if read:
            named = [{"Id": each["MessageId"], "ReceiptHandle": each["ReceiptHandle"]} for each in read]
            client("sqs").delete_message_batch(QueueUrl=url, Entries=named)
        return keys <= found

    until(enough, 120, lambda: f"missing: {sorted(keys - found)[:5]}")
    return found
