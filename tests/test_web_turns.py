"""A worker answers one request at a time, in order, and lets the next one go on while one waits."""

from collections import Counter

import web_support  # noqa: F401  (the bundle is importable)
from hypothesis import given
from hypothesis import strategies as st
from web.turns import LONG_SECONDS, SHORT_SECONDS, Turns


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_request_at_a_time_in_the_order_in_which_they_came() -> None:
    started: list[int] = []
    turns = Turns(started.append, Clock())
    for request in (1, 2, 3):
        turns.come(request)
    assert started == [1]
    turns.leave(1)
    assert started == [1, 2]
    turns.leave(2)
    turns.leave(3)
    turns.come(4)
    assert started == [1, 2, 3, 4]


def test_the_next_one_starts_while_one_waits_for_a_database() -> None:
    started: list[int] = []
    clock = Clock()
    turns = Turns(started.append, clock)
    for request in (1, 2, 3):
        turns.come(request)
    assert 0 < turns.seconds(60.0) <= LONG_SECONDS, "the loop looks again soon"
    turns.look()
    assert started == [1]
    clock.now += LONG_SECONDS
    turns.look()
    assert started == [1, 2]
    turns.leave(1)
    assert started == [1, 2], "it had its turn no longer"
    turns.leave(2)
    assert started == [1, 2, 3]


def test_who_comes_while_one_waits_starts_at_once() -> None:
    started: list[int] = []
    clock = Clock()
    turns = Turns(started.append, clock)
    turns.come(1)
    assert turns.seconds(60.0) == 60.0, "nobody waits, nobody has to look"
    clock.now += LONG_SECONDS
    turns.come(2)
    assert started == [1, 2]


def after_turns(*seconds: float) -> float:
    """The patience after turns that took so long."""
    clock = Clock()
    turns: Turns[int] = Turns(lambda _: None, clock)
    for request, took in enumerate(seconds):
        turns.come(request)
        clock.now += took
        turns.leave(request)
    return turns.patience


def test_patience_is_short_where_no_turn_was_short_lately() -> None:
    near, far = SHORT_SECONDS / 2, SHORT_SECONDS * 2
    assert after_turns(*[far] * 5) == SHORT_SECONDS
    assert after_turns(far, near) == LONG_SECONDS
    assert after_turns(near, *[far] * 5) == LONG_SECONDS, "one that waited for a processor says nothing"
    assert after_turns(near, *[far] * 100) == SHORT_SECONDS, "the database is farther away now"
    assert after_turns(0.0, *[far] * 5) == SHORT_SECONDS, "a clock that stood still says nothing"


@given(st.lists(st.sampled_from(("come", "leave first", "leave last", "look", "time"))))
def test_nobody_is_left_out_and_nobody_starts_twice(events: list[str]) -> None:
    started: list[int] = []
    clock, running, came = Clock(), list[int](), 0

    def start(request: int) -> None:
        started.append(request)
        running.append(request)

    turns = Turns(start, clock)
    for event in events:
        if event == "come":
            turns.come(came)
            came += 1
        elif event == "time":
            clock.now += LONG_SECONDS
        elif event == "look":
            turns.look()
        elif running:
            turns.leave(running.pop(0 if event == "leave first" else -1))
        assert running or len(started) == came, "somebody waits though nobody works"
    while running:
        turns.leave(running.pop())
    assert started == list(range(came))
    assert max(Counter(started).values(), default=1) == 1
