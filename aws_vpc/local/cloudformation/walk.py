"""Does an act for every name of a graph, in parallel, each after those it depends on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping

WIDTH = 10  # acts at the same time, per stack
WIDE = 500  # when most of them only wait


class Walk:
    """One pass over a graph. `failed` and `done` tell how it ended."""

    def __init__(
        self,
        graph: Mapping[str, Iterable[str]],
        act: Callable[[str], bool],
        *,
        keep_going: bool = False,
        on_stop: Callable[[list[str]], None] | None = None,
        width: int = WIDTH,
    ) -> None:
        self.graph = {name: set(needs) & graph.keys() for name, needs in graph.items()}
        self.act, self.keep_going, self.on_stop, self.width = act, keep_going, on_stop, width
        self.done: set[str] = set()
        self.failed: list[str] = []
        self.active: list[str] = []
        self.stopped = self.timed_out = False
        self.changed = threading.Condition()

    def run(self, timeout: float | None = None) -> bool:
        """Whether every act succeeded; returns when nothing is active any more."""
        waiting = dict.fromkeys(self.graph)
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.changed:
            while True:
                self._start(waiting)
                if not self.active:
                    return not self.failed and not waiting
                left = None if deadline is None or self.stopped else deadline - time.monotonic()
                if left is not None and left <= 0:
                    self.timed_out = True
                    self._stop()
                else:
                    self.changed.wait(left)

    def cancel(self) -> None:
        """Start nothing more; what is active ends by itself."""
        with self.changed:
            self._stop()
            self.changed.notify_all()

    def early(self, name: str) -> None:
        """Let those begin that depend on the name, whose act goes on."""
        with self.changed:
            self.done.add(name)
            self.changed.notify_all()

    def _start(self, waiting: dict[str, None]) -> None:
        if self.stopped:
            return
        for name in list(waiting):
            if len(self.active) < self.width and self.graph[name] <= self.done:
                del waiting[name]
                self.active.append(name)
                threading.Thread(target=self._one, args=(name,), name=f"act-{name}", daemon=True).start()

    def _one(self, name: str) -> None:
        succeeded = False
        try:
            succeeded = self.act(name)
        finally:
            with self.changed:
                self.active.remove(name)
                if succeeded:
                    self.done.add(name)
                else:
                    self.done.discard(name)
                    self.failed.append(name)
                    if not self.keep_going:
                        self._stop()
                self.changed.notify_all()

    def _stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            if self.on_stop:
                self.on_stop(list(self.active))
