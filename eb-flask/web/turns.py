"""Whose turn it is in a worker: one request at a time, and the next as soon as one waits for a database.

    come ──> in turn ──> start ──> leave
               │           └── longer than PATIENCE_SECONDS: it waits for something, the next may start
               └── in the order in which they came

Threads of one Python process share one lock, and it is not fair: who let go of it to send a statement takes
it again before the thread that has waited longest has woken, so that of eight requests at once two went
round and round while others got no answer for seconds, and each change of threads costs time besides
(measured: half as many answers again per second without). A lookup waits for its row for a tenth of a
millisecond, which is less than it costs to let another thread go on meanwhile; a slow query, an upload or
an export is soon seen not to be done, and no longer counts.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Request = TypeVar("Request")

PATIENCE_SECONDS = 0.001  # as finely as epoll counts


class Turns(Generic[Request]):
    """The requests that wait for their turn, and the one that has it. For one thread only."""

    def __init__(self, start: Callable[[Request], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._start = start
        self._clock = clock
        self._working: Request | None = None
        self._until = 0.0
        self._waiting: deque[Request] = deque()

    def come(self, request: Request) -> None:
        """Starts the request, now or in its turn."""
        self._waiting.append(request)
        self.look()

    def leave(self, request: Request) -> None:
        """The request is answered: the next one starts, if this one still had the turn."""
        if request is self._working:
            self._working = None
            self.look()

    def look(self) -> None:
        """Starts the next request if there is one and the turn is free, or has lasted long enough."""
        if self._waiting and (self._working is None or self._clock() >= self._until):
            self._working = self._waiting.popleft()
            self._until = self._clock() + PATIENCE_SECONDS
            self._start(self._working)

    def seconds(self, most: float) -> float:
        """How long nobody has to look, if nobody comes or leaves."""
        return min(most, max(0.0, self._until - self._clock())) if self._waiting else most
