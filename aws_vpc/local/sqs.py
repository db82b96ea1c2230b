"""What moto's SQS gets wrong: a queue keeps its policy when other attributes of it are set."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.local.wire import Forward, Handler, Request, Response
from aws_vpc.local.world import World

ACTION = "AmazonSQS.SetQueueAttributes"


def handler(world: World) -> Handler:
    """SQS: moto's answers, asked so that nothing is forgotten."""

    def handle(request: Request, forward: Forward) -> Response:
        if request.headers.get("x-amz-target") == ACTION:
            request = with_policy(request, world.client("sqs", request.region))
        return forward(request)

    return handle


def with_policy(request: Request, client: Any) -> Request:
    """The request with the queue's present policy, unless it states one."""
    asked = json.loads(request.body or b"{}")
    attributes = asked.get("Attributes", {})
    if "Policy" in attributes or not asked.get("QueueUrl"):
        return request
    try:
        found = client.get_queue_attributes(QueueUrl=asked["QueueUrl"], AttributeNames=["Policy"])
    except ClientError:  # moto says of the request itself what is wrong with the queue
        return request
    present = found.get("Attributes", {}).get("Policy")
    if not present:
        return request
    body = json.dumps({**asked, "Attributes": {**attributes, "Policy": present}}).encode()
    headers = {**request.headers, "content-length": str(len(body))}
    return replace(request, body=body, headers=headers)
