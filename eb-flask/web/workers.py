"""gunicorn's threaded worker, with connections spread evenly over the workers, and requests in turn.

All workers listen on one socket, and whoever wakes first takes the connection: of 32 clients that come at
once, one worker often gets all and keeps them as long as they are kept alive, while the other CPUs rest
(gunicorn's issues 1364, 2817, 3433). So the workers tell each other, in memory that they share, how many
connections they hold, and the one that holds more lets another go first, for a moment.

Within a worker requests are answered in turn (turns.py), in the order in which they came.
"""

import mmap
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from .turns import Turns

SLOTS = 64
ABSENT = -1
PATIENCE_SECONDS = 0.02  # how long a connection waits for a worker that holds less
PAUSE_SECONDS = 0.0005


def shared_counts() -> memoryview:
    """A number for each worker that the processes forked from here on share."""
    counts = memoryview(mmap.mmap(-1, SLOTS * 4)).cast("i")
    for slot in range(SLOTS):
        counts[slot] = ABSENT
    return counts


class BalancedWorker(ThreadWorker):  # type: ignore[misc]
    """A threaded worker that takes its share of the connections, and answers requests in turn."""

    counts = shared_counts()

    def __init__(self, age: int, *given: Any, **named: Any) -> None:
        super().__init__(age, *given, **named)
        self._slot = age % SLOTS
        self._gives_way_since = 0.0
        self._turns = Turns(super().enqueue_req)

    def enqueue_req(self, conn: Any) -> None:
        """A request has come: a thread answers it, in its turn."""
        self._turns.come(conn)

    def finish_request(self, conn: Any, answered: Any) -> None:
        """A thread has answered a request; called in the loop's thread, as all the others here are."""
        self._turns.leave(conn)
        super().finish_request(conn, answered)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Waits for requests and answers, no longer than until another request may have its turn."""
        super().wait_for_and_dispatch_events(self._turns.seconds(timeout))
        self._turns.look()

    def notify(self) -> None:
        """Called at every turn of the loop: tells the others how many connections there are here."""
        super().notify()
        self.counts[self._slot] = self.nr_conns if self._accepting else ABSENT

    def accept(self, listener: Any) -> None:
        """Takes a connection, unless another worker that has fewer takes it soon."""
        if self._another_has_fewer() and self._is_patient():
            time.sleep(PAUSE_SECONDS)  # still to be accepted, so the loop comes back to it
            return
        self._gives_way_since = 0.0
        super().accept(listener)

    def _another_has_fewer(self) -> bool:
        return any(ABSENT < count < self.nr_conns for count in self.counts)

    def _is_patient(self) -> bool:
        now = time.monotonic()
        self._gives_way_since = self._gives_way_since or now
        return now - self._gives_way_since < PATIENCE_SECONDS

    def leave(self) -> None:
        """Called in the arbiter when the worker has ended, however it did."""
        self.counts[self._slot] = ABSENT
