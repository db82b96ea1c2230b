"""An iterator of blocks, run in a thread of its own, as the file that COPY reads.

Reading S3 and checking rows go on while the database takes the block before; at most four blocks wait.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from types import TracebackType

WAITING = 4


class Pipe:
    """A file-like object; `error` is what ended the blocks early."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.error: BaseException | None = None
        self._blocks, self._left = blocks, memoryview(b"")
        self._queue: queue.Queue[bytes | None] = queue.Queue(WAITING)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="records", daemon=True)

    def __enter__(self) -> Pipe:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        while self._thread.is_alive():
            self._drain()
            self._thread.join(0.01)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`; empty at the end."""
        if not self._left:
            block = self._queue.get()
            if block is None:
                self._queue.put(None)
                if self.error:
                    raise self.error
                return b""
            self._left = memoryview(block)
        taken, self._left = self._left[:size], self._left[size:]
        return bytes(taken)

    def _fill(self) -> None:
        try:
            for block in self._blocks:
                if not self._put(block):
                    return
        except BaseException as error:  # raised again where the blocks are read
            self.error = error
        self._put(None)

    def _put(self, block: bytes | None) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(block, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def _drain(self) -> None:
        try:
            while True:
                self._queue.get_nowait()
        except queue.Empty:
            pass
