"""Events that services have sent and EventBridge has not delivered yet; each is delivered at least once.

    Observer, PutEvents ─► post ─► the outbox's thread ─► events.deliver ─► forget

Where state is kept, an event is on the disk before its sender is answered, and leaves it only together with
what its delivery brought about. A kill -9 in between delivers it again, under the same id, as AWS may.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

log = logging.getLogger("aws_vpc.local")


@dataclass(frozen=True)
class Posted:
    """An event on its way to a bus."""

    region: str
    event: dict[str, Any]
    bus: str = "default"


class Outbox:
    """What was posted, in that order, until it is delivered and forgotten."""

    def __init__(self, deliver: Callable[[Posted], None]) -> None:
        self._deliver = deliver
        self._numbers = itertools.count()
        self._posted: dict[int, Posted] = {}
        self._delivered: set[int] = set()
        self._waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._kept = self._resting = False
        self._lock = threading.Lock()

    def post(self, posted: Posted) -> None:
        """Deliver it in the background, after what was posted before."""
        with self._lock:
            number = next(self._numbers)
            self._posted[number] = posted
            self._waiting.put(number)
        self._work()

    def _work(self) -> None:
        with self._lock:
            if self._thread is None and not self._resting:
                self._thread = threading.Thread(target=self._deliver_all, name="outbox", daemon=True)
                self._thread.start()

    def _deliver_all(self) -> None:
        while True:
            number = self._waiting.get()
            posted = self._posted[number]
            try:
                self._deliver(posted)
            except Exception:
                log.exception("event %s", posted.event["id"])
            with self._lock:
                self._delivered.add(number)
                kept = self._kept
            if not kept:
                self.forget({number})

    # ------------------------------------------------------------ what the keeper does

    def keep(self) -> None:
        """From now on leave it to the keeper to forget what is delivered."""
        with self._lock:
            self._kept = True

    def delivered(self) -> set[int]:
        """What is delivered and not forgotten."""
        with self._lock:
            return set(self._delivered)

    def others(self, delivered: set[int]) -> list[Posted]:
        """All that was posted, but what was delivered at an earlier moment."""
        with self._lock:
            return [posted for number, posted in self._posted.items() if number not in delivered]

    def forget(self, delivered: set[int]) -> None:
        """Forget what is delivered, and what that brought about is kept."""
        with self._lock:
            self._delivered -= delivered
            for number in delivered:
                del self._posted[number]

    def restore(self, found: list[Posted]) -> None:
        """Take over what was posted before a start, and deliver nothing until `resume`."""
        self._resting = True
        for posted in found:
            self.post(posted)

    def resume(self) -> None:
        """Deliver, now that all is there to which it may go."""
        self._resting = False
        self._work()
