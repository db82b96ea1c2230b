"""One JSON object per line on standard output: what the job's log stream shows."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, TextIO

INTERVAL = 1.0


class Log:
    """Writes events, and progress at most once per second."""

    def __init__(self, out: TextIO | None = None, **always: Any) -> None:
        self._out, self._always = out or sys.stdout, always
        self._next = time.monotonic() + INTERVAL

    def __call__(self, event: str, **facts: Any) -> None:
        """Write one event."""
        print(
            json.dumps({"event": event, **facts, **self._always}, ensure_ascii=False),
            file=self._out,
            flush=True,
        )

    def progress(self, **facts: Any) -> None:
        """Write where the load is, when the last such line is a second old."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + INTERVAL
            self("progress", **facts)
