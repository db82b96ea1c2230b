"""EventBridge: patterns and inputs as documented, and events that reach their targets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from embedded import Embedded, embedded_aws, until

from aws_vpc.local.events_input import target_input
from aws_vpc.local.events_pattern import matches
from aws_vpc.local.wire import ServiceError

EVENT: dict[str, Any] = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "account": "123456789012",
    "time": "2026-01-01T00:00:00Z",
    "detail": {
        "bucket": {"name": "data"},
        "object": {"key": 'incoming/a "b".csv', "size": 1024, "version-id": "v1"},
        "source-ip-address": "10.0.0.7",
        "tags": ["red", "blue"],
        "flag": True,
        "nothing": None,
        "parts": [{"n": 1, "ok": False}, {"n": 2, "ok": True}],
    },
}


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"bucket": {"name": ["data"]}}, True),
        ({"bucket": {"name": ["other", "data"]}}, True),
        ({"bucket": {"name": ["other"]}}, False),
        ({"bucket": {"nome": ["data"]}}, False),
        ({"object": {"key": [{"prefix": "incoming/"}]}}, True),
        ({"object": {"key": [{"prefix": "rejected/"}]}}, False),
        ({"object": {"key": [{"prefix": {"equals-ignore-case": "INCOMING/"}}]}}, True),
        ({"object": {"key": [{"suffix": ".csv"}]}}, True),
        ({"object": {"key": [{"suffix": {"equals-ignore-case": ".CSV"}}]}}, True),
        ({"bucket": {"name": [{"equals-ignore-case": "DATA"}]}}, True),
        ({"object": {"key": [{"wildcard": "incoming/*.csv"}]}}, True),
        ({"object": {"key": [{"wildcard": "incoming/*.txt"}]}}, False),
        ({"object": {"key": [{"wildcard": "incoming/\\*.csv"}]}}, False),
        ({"bucket": {"name": [{"anything-but": "data"}]}}, False),
        ({"bucket": {"name": [{"anything-but": ["x", "y"]}]}}, True),
        ({"bucket": {"name": [{"anything-but": {"prefix": "da"}}]}}, False),
        ({"bucket": {"name": [{"anything-but": {"suffix": ["x", "ta"]}}]}}, False),
        ({"bucket": {"name": [{"anything-but": {"wildcard": "z*"}}]}}, True),
        ({"bucket": {"gone": [{"anything-but": "data"}]}}, False),
        ({"object": {"size": [{"numeric": [">", 1000]}]}}, True),
        ({"object": {"size": [{"numeric": [">", 0, "<=", 1023]}]}}, False),
        ({"object": {"size": [{"numeric": ["=", 1.024e3]}]}}, True),
        ({"object": {"key": [{"numeric": [">", 0]}]}}, False),
        ({"object": {"size": [1024.0]}}, True),
        ({"object": {"size": ["1024"]}}, False),
        ({"flag": [True]}, True),
        ({"flag": [1]}, False),
        ({"nothing": [None]}, True),
        ({"gone": [None]}, False),
        ({"nothing": [{"exists": True}]}, True),
        ({"gone": [{"exists": False}]}, True),
        ({"flag": [{"exists": False}]}, False),
        ({"object": {"version-id": [{"exists": True}]}}, True),
        ({"source-ip-address": [{"cidr": "10.0.0.0/24"}]}, True),
        ({"source-ip-address": [{"cidr": "10.0.1.0/24"}]}, False),
        ({"tags": ["blue"]}, True),
        ({"tags": ["green"]}, False),
        ({"parts": {"n": [2], "ok": [True]}}, True),
        ({"parts": {"n": [1], "ok": [True]}}, False),
        ({"$or": [{"flag": [False]}, {"tags": ["red"]}]}, True),
        ({"$or": [{"flag": [False]}, {"tags": ["green"]}], "tags": ["red"]}, False),
    ],
)
def test_a_pattern_matches_as_documented(detail: dict[str, Any], expected: bool) -> None:
    assert matches({"source": ["aws.s3"], "detail": detail}, EVENT) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": "aws.s3"},
        {"source": []},
        {"source": [{"like": "x"}]},
        {"detail": {"size": [{"numeric": [1]}]}},
    ],
)
def test_a_malformed_pattern_is_refused(pattern: dict[str, Any]) -> None:
    with pytest.raises(ServiceError, match="InvalidEventPatternException"):
        matches(pattern, {"source": "aws.s3", "detail": {"size": 1}})


RULE = {"Name": "load", "Arn": "arn:aws:events:us-east-1:123456789012:rule/load"}


def transformed(template: str, **paths: str) -> str:
    return target_input(
        {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}, EVENT, RULE
    )


def test_a_template_is_filled_as_json() -> None:
    template = (
        '{"Parameters": {"bucket": <bucket>, "key": <key>, "size": <size>}, "all": "<bucket> <size>: <key>"}'
    )
    filled = transformed(
        template, bucket="$.detail.bucket.name", key="$.detail.object.key", size="$.detail.object.size"
    )
    assert json.loads(filled) == {
        "Parameters": {"bucket": "data", "key": 'incoming/a "b".csv', "size": 1024},
        "all": 'data 1024: incoming/a "b".csv',
    }


def test_a_template_may_use_parts_indexes_reserved_names_and_what_is_missing() -> None:
    template = '{"o": <o>, "t": <t>, "rule": <aws.events.rule-name>, "none": "<none>", "other": "<b>"}'
    filled = transformed(template, o="$.detail.bucket", t="$.detail['tags'][1]", none="$.detail.gone")
    assert json.loads(filled) == {
        "o": {"name": "data"},
        "t": "blue",
        "rule": "load",
        "none": "",
        "other": "<b>",
    }


def test_an_input_may_be_constant_or_a_part() -> None:
    assert target_input({"Input": '{"a": 1}'}, EVENT, RULE) == '{"a": 1}'
    assert json.loads(target_input({"InputPath": "$.detail.bucket"}, EVENT, RULE)) == {"name": "data"}
    assert json.loads(target_input({}, EVENT, RULE)) == EVENT


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


def queue(aws: Embedded, name: str) -> tuple[str, str]:
    url = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    arn = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    return url, arn


def received(aws: Embedded, url: str) -> list[dict[str, Any]]:
    found = until(
        lambda: (
            aws.client("sqs")
            .receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            .get("Messages")
        )
    )
    assert isinstance(found, list)
    return found


def put(aws: Embedded, source: str, **entry: Any) -> dict[str, Any]:
    whole = {"Source": source, "DetailType": "Test", "Detail": '{"n": 1}', **entry}
    answer: dict[str, Any] = aws.client("events").put_events(Entries=[whole])
    return answer


def test_a_broken_target_goes_to_its_dead_letter_queue_and_stops_nobody(aws: Embedded) -> None:
    events = aws.client("events")
    dead, dead_arn = queue(aws, "dead")
    good, good_arn = queue(aws, "good")
    gone = "arn:aws:batch:us-east-1:123456789012:job-queue/gone"
    events.put_rule(Name="both", EventPattern='{"source": ["both"]}')
    events.put_targets(
        Rule="both",
        Targets=[
            {
                "Id": "broken",
                "Arn": gone,
                "RoleArn": "arn:aws:iam::123456789012:role/r",
                "BatchParameters": {"JobDefinition": "d", "JobName": "job"},
                "DeadLetterConfig": {"Arn": dead_arn},
            },
            {"Id": "good", "Arn": good_arn},
        ],
    )
    assert put(aws, "both")["FailedEntryCount"] == 0
    (message,) = received(aws, good)
    assert json.loads(message["Body"])["detail"] == {"n": 1}
    (message,) = received(aws, dead)
    assert json.loads(message["Body"])["source"] == "both"
    assert message["MessageAttributes"]["TARGET_ARN"]["StringValue"] == gone


def test_a_disabled_rule_gives_nothing(aws: Embedded) -> None:
    events = aws.client("events")
    url, arn = queue(aws, "quiet")
    for name, state in (("off", "DISABLED"), ("on", "ENABLED")):
        events.put_rule(Name=name, EventPattern='{"source": ["switch"]}', State=state)
        events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": arn, "Input": json.dumps(name)}])
    put(aws, "switch")
    assert [message["Body"] for message in received(aws, url)] == ['"on"']


def test_another_bus_and_the_log_get_what_they_ask_for(aws: Embedded) -> None:
    events, logs = aws.client("events"), aws.client("logs")
    events.create_event_bus(Name="mine")
    group = "/events"
    logs.create_log_group(logGroupName=group)
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:/events"
    events.put_rule(Name="logged", EventBusName="mine", EventPattern='{"detail": {"n": [1]}}')
    events.put_targets(Rule="logged", EventBusName="mine", Targets=[{"Id": "t", "Arn": arn}])
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/mine"
    events.put_rule(Name="over", EventPattern='{"source": ["over"]}')
    events.put_targets(Rule="over", Targets=[{"Id": "t", "Arn": bus}])
    put(aws, "over")
    found = until(lambda: logs.filter_log_events(logGroupName=group)["events"])
    assert json.loads(found[0]["message"])["source"] == "over"


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"Detail": "[1]"}, "MalformedDetail"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException"),
        ({"DetailType": ""}, "InvalidArgument"),
    ],
)
def test_a_wrong_event_is_refused_alone(aws: Embedded, entry: dict[str, str], code: str) -> None:
    answer = put(aws, "wrong", **entry) if "Source" not in entry else put(aws, entry["Source"])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == code


def test_a_pattern_can_be_tried(aws: Embedded) -> None:
    whole = {**EVENT, "id": "1", "region": "us-east-1", "resources": []}
    trial = aws.client("events").test_event_pattern
    assert trial(EventPattern='{"detail": {"flag": [true]}}', Event=json.dumps(whole))["Result"]
    assert not trial(EventPattern='{"detail": {"flag": [false]}}', Event=json.dumps(whole))["Result"]
