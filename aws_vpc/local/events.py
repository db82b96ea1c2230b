"""EventBridge: moto keeps buses, rules and targets; what happens to an event is decided and done here.

    PutEvents, s3.Observer ─► outbox ─► deliver ─► rules that are enabled and match ─► input ─► each target
                                                              a target that fails ─► its dead-letter queue

Targets: Batch job queues, SQS, SNS, CloudWatch Logs groups, other event buses.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aws_vpc.local import wire
from aws_vpc.local.events_input import target_input
from aws_vpc.local.events_pattern import matches
from aws_vpc.local.outbox import Posted
from aws_vpc.local.wire import Forward, Handler, Request, Response, ServiceError
from aws_vpc.local.world import World

log = logging.getLogger("aws_vpc.local")

Event = dict[str, Any]
HOPS = 5  # from bus to bus, at most


def handler(world: World) -> Handler:
    """EventBridge: PutEvents and TestEventPattern here, all else moto's."""
    ours = {"PutEvents": _put_events, "TestEventPattern": _test_event_pattern}

    def handle(request: Request, forward: Forward) -> Response:
        name = request.headers.get("x-amz-target", "").rpartition(".")[2]
        if name not in ours:
            return forward(request)
        _, params = wire.parse("events", request)
        return wire.answer("events", name, ours[name](world, request.region, params))

    return handle


def event(
    account: str,
    region: str,
    *,
    source: str,
    detail_type: str,
    detail: Any,
    resources: list[str],
    when: datetime | None = None,
) -> Event:
    """An event in EventBridge's envelope."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": (when or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def _put_events(world: World, region: str, params: dict[str, Any]) -> dict[str, Any]:
    answers = []
    for entry in params["Entries"]:
        wrong = _wrong(entry)
        if wrong:
            answers.append({"ErrorCode": wrong[0], "ErrorMessage": wrong[1]})
            continue
        made = event(
            world.account,
            region,
            source=entry["Source"],
            detail_type=entry["DetailType"],
            detail=json.loads(entry["Detail"]),
            resources=entry.get("Resources", []),
            when=entry.get("Time"),
        )
        bus = entry.get("EventBusName", "default").rpartition("/")[2]
        world.outbox.post(Posted(region, made, bus))
        answers.append({"EventId": made["id"]})
    return {"FailedEntryCount": sum("ErrorCode" in each for each in answers), "Entries": answers}


def _wrong(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    """(code, message) of what is wrong with an entry of PutEvents; None when nothing is."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
    if entry["Source"].startswith("aws."):
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    try:
        good = isinstance(json.loads(entry["Detail"]), dict)
    except ValueError:
        good = False
    return None if good else ("MalformedDetail", "Detail is malformed.")


def _test_event_pattern(_world: World, _region: str, params: dict[str, Any]) -> dict[str, Any]:
    try:
        pattern, found = json.loads(params["EventPattern"]), json.loads(params["Event"])
    except ValueError:
        raise ServiceError("ValidationException", "Parameter Event is not valid.") from None
    return {"Result": matches(pattern, found)}


def deliver(world: World, region: str, event: Event, bus: str = "default", hops: int = 0) -> None:
    """Give the event to every target of every rule that is enabled and matches; none can stop another."""
    client = world.client("events", region)
    for page in client.get_paginator("list_rules").paginate(EventBusName=bus):
        for rule in page["Rules"]:
            if rule.get("State", "ENABLED") == "DISABLED" or not _matches(rule, event):
                continue
            named = {"Rule": rule["Name"], "EventBusName": bus}
            for targets in client.get_paginator("list_targets_by_rule").paginate(**named):
                for target in targets["Targets"]:
                    _give(world, region, event, rule, target, hops)


def _matches(rule: Mapping[str, Any], event: Event) -> bool:
    try:
        return bool(rule.get("EventPattern")) and matches(json.loads(rule["EventPattern"]), event)
    except (ValueError, ServiceError) as error:
        log.warning("rule %s: %s", rule["Name"], error)
        return False


def _give(world: World, region: str, event: Event, rule: Mapping[str, Any], target: Any, hops: int) -> None:
    service = target["Arn"].split(":")[2]
    try:
        if service == "events":
            if hops < HOPS:
                deliver(world, region, event, target["Arn"].rpartition("/")[2], hops + 1)
        elif service in TARGETS:
            TARGETS[service](world, region, target, target_input(target, event, rule))
        else:
            raise NotImplementedError(f"targets of {service} are not modelled")
    except (ClientError, BotoCoreError, NotImplementedError, ValueError, KeyError) as error:
        log.warning("rule %s, target %s: %s", rule["Name"], target["Id"], error)
        _bury(world, region, event, rule, target, error)


def _to_batch(world: World, region: str, target: Any, text: str) -> None:
    asked, given = target["BatchParameters"], json.loads(text)
    given = given if isinstance(given, dict) else {}
    optional = {
        "parameters": {k: str(v) for k, v in given.get("Parameters", {}).items()},
        "containerOverrides": _lower(given.get("ContainerOverrides")),
        "arrayProperties": _lower(asked.get("ArrayProperties")),
        "retryStrategy": _lower(asked.get("RetryStrategy")),
    }
    world.client("batch", region).submit_job(
        jobName=asked["JobName"],
        jobQueue=target["Arn"],
        jobDefinition=asked["JobDefinition"],
        **{name: value for name, value in optional.items() if value},
    )


def _lower(value: Any) -> Any:
    """EventBridge's names (JobName) as Batch's (jobName)."""
    if isinstance(value, dict):
        return {k[:1].lower() + k[1:]: _lower(v) for k, v in value.items()}
    return [_lower(item) for item in value] if isinstance(value, list) else value


def _queue(world: World, region: str, arn: str) -> str:
    account, name = arn.split(":")[4:6]
    found = world.client("sqs", region).get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
    return str(found["QueueUrl"])


def _to_sqs(world: World, region: str, target: Any, text: str) -> None:
    group = target.get("SqsParameters", {}).get("MessageGroupId")
    optional = {"MessageGroupId": group, "MessageDeduplicationId": str(uuid.uuid4())} if group else {}
    url = _queue(world, region, target["Arn"])
    world.client("sqs", region).send_message(QueueUrl=url, MessageBody=text, **optional)


def _to_sns(world: World, region: str, target: Any, text: str) -> None:
    world.client("sns", region).publish(TopicArn=target["Arn"], Message=text)


def _to_logs(world: World, region: str, target: Any, text: str) -> None:
    group, stream = target["Arn"].split(":")[6], str(uuid.uuid4())
    client = world.client("logs", region)
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    lines = [{"timestamp": int(time.time() * 1000), "message": text}]
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=lines)


TARGETS: dict[str, Callable[[World, str, Any, str], None]] = {
    "batch": _to_batch,
    "sqs": _to_sqs,
    "sns": _to_sns,
    "logs": _to_logs,
}


def _bury(
    world: World, region: str, event: Event, rule: Mapping[str, Any], target: Any, error: Exception
) -> None:
    """Send an event that could not be given to the target's dead-letter queue, where it has one."""
    arn = target.get("DeadLetterConfig", {}).get("Arn")
    if not arn:
        return
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    said = {
        "RULE_ARN": rule["Arn"],
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": code,
        "ERROR_MESSAGE": str(error),
    }
    try:
        world.client("sqs", region).send_message(
            QueueUrl=_queue(world, region, arn),
            MessageBody=json.dumps(event),
            MessageAttributes={k: {"DataType": "String", "StringValue": v} for k, v in said.items()},
        )
    except (ClientError, BotoCoreError) as second:
        log.warning("dead-letter queue %s: %s", arn, second)
