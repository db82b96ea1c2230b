"""A stack's events, told to the SNS topics of its NotificationARNs, in their order and one after the other.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stack.html
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.local.cloudformation.model import Event
from aws_vpc.local.wire import ServiceError

log = logging.getLogger(__name__)
SUBJECT = "AWS CloudFormation Notification"
TOPIC = re.compile(r"arn:[\w-]+:sns:([\w-]+):\d{12}:.+")


def refuse_topics(client: Callable[[str, str], Any], arns: Iterable[str]) -> None:
    """Nothing; ValidationError, as SNS words it, when one is no topic, or none that exists."""
    for arn in arns:
        found = TOPIC.fullmatch(arn)
        if found is None:
            part = "AccountId" if arn.count(":") >= 5 and not arn.split(":")[4] else "TopicArn"
            raise _refused(f"Invalid parameter: {part}", 400, "InvalidParameter")
        try:
            client("sns", found[1]).get_topic_attributes(TopicArn=arn)
        except ClientError:
            raise _refused("Topic does not exist", 404, "NotFound") from None


def _refused(text: str, status: int, code: str) -> ServiceError:
    said = f"{text} (Service: AmazonSNS; Status Code: {status}; Error Code: {code})"
    return ServiceError("ValidationError", said)


class Notifier:
    """Publishes events in the background."""

    def __init__(self, client: Any) -> None:
        """`client(service, region)` gives a client."""
        self._client = client
        self._queue: SimpleQueue[tuple[str, Event]] = SimpleQueue()
        self._worker: threading.Thread | None = None

    def tell(self, topics: tuple[str, ...], event: Event) -> None:
        """Nothing; every topic will have the event."""
        if not topics:
            return
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="notifications", daemon=True)
            self._worker.start()
        for topic in topics:
            self._queue.put((topic, event))

    def _work(self) -> None:
        while True:
            topic, event = self._queue.get()
            try:
                region = topic.split(":")[3]
                client = self._client("sns", region)
                client.publish(TopicArn=topic, Subject=SUBJECT, Message=message(event))
            except Exception as error:  # the stack goes on without it, as on AWS
                log.warning("%s: %s", topic, error)


def message(event: Event) -> str:
    """The event as CloudFormation writes it for SNS: a line for each field."""
    moment = event.timestamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    fields = {
        "StackId": event.stack_id,
        "Timestamp": moment,
        "EventId": event.id,
        "LogicalResourceId": event.logical_id,
        "Namespace": event.stack_id.split(":")[4],
        "PhysicalResourceId": event.physical_id,
        "ResourceProperties": event.properties or "null",
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason or "",
        "ResourceType": event.type,
        "StackName": event.stack_name,
        "ClientRequestToken": event.token or "null",
    }
    return "".join(f"{key}='{value}'\n" for key, value in fields.items())
