"""Events are told once, in order, whatever AWS answers; nothing is waited for without end."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from botocore.exceptions import ClientError

from aws_vpc import follow
from aws_vpc.errors import DeployFailed
from aws_vpc.wait import Wait


class Answers:
    """A CloudFormation client whose DescribeStackEvents gives the pages it is told, faults included."""

    def __init__(self, *pages):
        self.pages = list(pages)

    def get_paginator(self, _):
        return self

    def paginate(self, StackName):
        page = self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]
        if isinstance(page, Exception):
            raise page
        return [{"StackEvents": page[::-1]}]


def member(number, status, logical="app", physical="app-id", kind="AWS::CloudFormation::Stack"):
    return {
        "EventId": f"{number}",
        "StackId": "app-id",
        "LogicalResourceId": logical,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "ResourceStatus": status,
        "Timestamp": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
    }


def clock(deadline=100.0):
    """A wait on a clock that only sleeping moves."""
    time = [0.0]
    return Wait(deadline, now=lambda: time[0], sleep=lambda seconds: time.__setitem__(0, time[0] + seconds))


def throttled(status=400, code="Throttling"):
    answer = {
        "Error": {"Code": code, "Message": "Rate exceeded"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "DescribeStackEvents")


def test_events_are_told_once_in_order_however_often_they_are_listed():
    first = [member(1, "CREATE_IN_PROGRESS")]
    second = [*first, member(2, "CREATE_COMPLETE", "Queue", "q", "AWS::SQS::Queue")]
    third = [*second, member(3, "CREATE_COMPLETE")]
    found = list(
        follow.follow(Answers(first, first, second, third), [follow.Watch("app-id", ("app",))], clock())
    )
    assert [one.event_id for one in found] == ["1", "2", "3"]


def test_an_event_that_is_listed_late_is_not_lost():
    late = member(2, "CREATE_COMPLETE", "Queue", "q", "AWS::SQS::Queue")
    first = [
        member(1, "CREATE_IN_PROGRESS"),
        member(3, "CREATE_IN_PROGRESS", "Other", "o", "AWS::SQS::Queue"),
    ]
    last = [first[0], late, first[1], member(4, "CREATE_COMPLETE")]
    found = list(follow.follow(Answers(first, last), [follow.Watch("app-id", ("app",))], clock()))
    assert {one.event_id for one in found} == {"1", "2", "3", "4"}


def test_throttling_and_a_server_s_fault_lose_nothing():
    page = [member(1, "CREATE_IN_PROGRESS"), member(2, "CREATE_COMPLETE")]
    faults = [throttled() for _ in range(20)] + [throttled(503, "ServiceUnavailable")]
    found = list(follow.follow(Answers(*faults, page), [follow.Watch("app-id", ("app",))], clock()))
    assert [one.event_id for one in found] == ["1", "2"]


def test_a_refusal_is_not_tried_again():
    with pytest.raises(ClientError):
        list(
            follow.follow(
                Answers(throttled(400, "AccessDenied")), [follow.Watch("app-id", ("app",))], clock()
            )
        )


def test_nothing_is_waited_for_past_the_deadline():
    forever = Answers([member(1, "CREATE_IN_PROGRESS")])
    with pytest.raises(DeployFailed, match="not finished after 2 minutes; it goes on in AWS"):
        list(follow.follow(forever, [follow.Watch("app-id", ("app",))], clock(100)))


def test_pauses_grow_from_a_third_of_a_second_to_five():
    wait = clock(1000)
    times = []
    with pytest.raises(DeployFailed):
        for seconds in wait.pauses("x"):
            times.append(seconds)
    gaps = [round(after - before, 2) for before, after in pairwise(times)]
    assert (gaps[0], max(gaps)) == (0.3, 5.0)
    assert gaps[:-1] == sorted(gaps[:-1])
