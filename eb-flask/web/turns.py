"""Whose turn it is in a worker: one request at a time, and the next as soon as one waits for a database.

    come ──> in turn ──> start ──> leave
               │           └── longer than patience allows: it waits for something, the next may start
               └── in the order in which they came

Threads of one Python process share one lock, and it is not fair: who let go of it to send a statement takes
it again before the thread that has waited longest has woken, and the more requests are under way the longer
some of them take (measured with 32 clients: the slowest hundredth three times as long). A lookup waits for
its row for a tenth of a millisecond, which is less than it costs to let another thread go on meanwhile; a
slow query, an upload or an export is soon seen not to be done, and no longer counts.

How soon depends on how far the database is. Where it answers within a fraction of a millisecond, a turn that
takes longer waits for a processor, and so would the next: patience is long. Where no turn was short lately,
all wait for the network, and patience is short. The shortest turn tells, as the shortest round trip tells
TCP of a path (BBR); it is forgotten by and by.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Request = TypeVar("Request")

SHORT_SECONDS = 0.001  # as finely as epoll counts
LONG_SECONDS = 0.005
FORGETTING = 1.02  # what a longer turn adds to the shortest: from half a millisecond to one in 36 turns


class Turns(Generic[Request]):
    """The requests that wait for their turn, and the one that has it. For one thread only."""

    def __init__(self, start: Callable[[Request], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._start = start
        self._clock = clock
        self._working: Request | None = None
        self._since = 0.0
        self._shortest = SHORT_SECONDS
        self._waiting: deque[Request] = deque()

    @property
    def patience(self) -> float:
        """The seconds after which a turn is over though the request is not answered."""
        return LONG_SECONDS if self._shortest < SHORT_SECONDS else SHORT_SECONDS

    def come(self, request: Request) -> None:
        """Starts the request, now or in its turn."""
        self._waiting.append(request)
        self.look()

    def leave(self, request: Request) -> None:
        """The request is answered: the next one starts, if this one still had the turn."""
        if request is self._working:
            self._end()
            self.look()

    def look(self) -> None:
        """Starts the next request if there is one and the turn is free, or has lasted long enough."""
        if not self._waiting:
            return
        if self._working is not None:
            if self._clock() < self._since + self.patience:
                return
            self._end()
        self._working = self._waiting.popleft()
        self._since = self._clock()
        self._start(self._working)

    def seconds(self, most: float) -> float:
        """How long nobody has to look, if nobody comes or leaves."""
        if not self._waiting:
            return most
        return min(most, max(0.0, self._since + self.patience - self._clock()))

    def _end(self) -> None:
        self._working = None
        self._shortest = min(self._clock() - self._since, self._shortest * FORGETTING) or self._shortest
