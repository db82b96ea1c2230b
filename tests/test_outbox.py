"""An event is delivered at least once, and forgotten only together with what that brought about."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from embedded import until

from aws_vpc.local.outbox import Outbox, Posted


class Bus:
    """Stands for EventBridge: takes an event when it may, and tells of it."""

    def __init__(self) -> None:
        self.ready, self.given = threading.Semaphore(0), threading.Semaphore(0)
        self.taken: list[str] = []

    def deliver(self, posted: Posted) -> None:
        self.given.release()
        self.ready.acquire()
        self.taken.append(posted.event["id"])
        if posted.event["id"] == "bad":
            raise ValueError("no such target")

    def take(self, box: Outbox, count: int = 1) -> None:
        """Let as many events be delivered, and wait until they are."""
        wanted = len(box.delivered()) + count
        for _ in range(count):
            self.ready.release()
        until(lambda: len(box.delivered()) == wanted, 300)


@pytest.fixture
def bus() -> Iterator[Bus]:
    made = Bus()
    yield made
    for _ in range(10):
        made.ready.release()  # whoever still waits


def posted(*names: str) -> list[Posted]:
    return [Posted("us-east-1", {"id": name}) for name in names]


def post(box: Outbox, *names: str) -> None:
    for each in posted(*names):
        box.post(each)


def test_what_is_on_its_way_is_there_for_whoever_keeps_the_state(bus: Bus) -> None:
    box = Outbox(bus.deliver)
    box.keep()
    post(box, "a", "b")
    assert bus.given.acquire(timeout=300)  # a is being delivered
    assert box.others(box.delivered()) == posted("a", "b")


def test_what_was_delivered_while_the_state_was_taken_is_kept_once_more(bus: Bus) -> None:
    box = Outbox(bus.deliver)
    box.keep()
    post(box, "a", "b")
    before = box.delivered()
    bus.take(box)
    assert box.others(before) == posted("a", "b")  # what its delivery changed may have been taken before
    after = box.delivered()
    assert box.others(after) == posted("b")
    box.forget(after)
    assert box.delivered() == set()
    assert box.others(set()) == posted("b")


def test_a_failed_delivery_does_not_hold_up_the_next(bus: Bus) -> None:
    box = Outbox(bus.deliver)
    box.keep()
    post(box, "bad", "good")
    bus.take(box, 2)
    assert bus.taken == ["bad", "good"]


def test_after_a_start_nothing_is_delivered_before_all_is_there(bus: Bus) -> None:
    box = Outbox(bus.deliver)
    box.keep()
    box.restore(posted("a", "b"))
    post(box, "c")
    assert not bus.given.acquire(blocking=False)
    assert box.others(set()) == posted("a", "b", "c")
    box.resume()
    bus.take(box, 3)
    assert bus.taken == ["a", "b", "c"]


def test_where_no_state_is_kept_a_delivered_event_is_forgotten(bus: Bus) -> None:
    box = Outbox(bus.deliver)
    post(box, "a", "b")
    bus.ready.release()
    assert bus.given.acquire(timeout=300)
    assert bus.given.acquire(timeout=300)  # b has its turn, so a is done with
    assert box.others(set()) == posted("b")
