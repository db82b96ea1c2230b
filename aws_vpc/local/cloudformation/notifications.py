"""A stack's events, told to the SNS topics of its NotificationARNs, in their order and one after the other.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stack.html
"""

from __future__ import annotations

import logging
import threading
from queue import SimpleQueue
from typing import Any

from aws_vpc.local.cloudformation.model import Event

log = logging.getLogger(__name__)
SUBJECT = "AWS CloudFormation Notification"


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
