"""A job's output: to its file and, line by line as it comes, to its CloudWatch Logs stream."""

from __future__ import annotations

import logging
import os
import select
import threading
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger("aws_vpc.local")

FLUSH_SECONDS = 0.1
LINES = 500  # at most this many at once; the API takes 10,000
LONGEST = 200_000  # of a line, in bytes; the API takes 256 KB


class Output:
    """Reads a pipe to its end and passes it on; `write_end` is for the process, which gets a copy."""

    def __init__(self, client: Any, group: str, stream: str, file: Path) -> None:
        self._client, self._group, self._stream, self._path = client, group, stream, file
        self._read_end, self.write_end = os.pipe()
        self._thread = threading.Thread(target=self._pump, name=f"output {stream}", daemon=True)

    def start(self) -> None:
        """Begin to read; the process must have been started, for our copy of its end is closed."""
        os.close(self.write_end)
        self._thread.start()

    def abandon(self) -> None:
        """Close both ends: no process came to be."""
        os.close(self.write_end)
        os.close(self._read_end)

    def finish(self) -> None:
        """Wait until all is passed on."""
        self._thread.join()

    def _pump(self) -> None:
        rest, lines, since = b"", [], time.monotonic()
        with self._path.open("ab") as file, os.fdopen(self._read_end, "rb", buffering=0) as pipe:
            while True:
                ready, _, _ = select.select([pipe], [], [], FLUSH_SECONDS)
                chunk = pipe.read(65536) if ready else None
                if chunk:
                    file.write(chunk)
                    file.flush()
                    *whole, rest = (rest + chunk).split(b"\n")
                    lines += whole
                    if len(rest) > LONGEST:
                        lines.append(rest)
                        rest = b""
                late = time.monotonic() - since > FLUSH_SECONDS
                if lines and (late or len(lines) > LINES or not ready):
                    self._send(lines)
                    lines, since = [], time.monotonic()
                if ready and not chunk:
                    break
        self._send([*lines, rest] if rest else lines)

    def _send(self, lines: list[bytes]) -> None:
        stamp = int(time.time() * 1000)
        said = [
            {"timestamp": stamp, "message": line[:LONGEST].decode(errors="replace").rstrip("\r")}
            for line in lines
            if line.strip()
        ]
        for start in range(0, len(said), LINES):
            try:
                self._client.put_log_events(
                    logGroupName=self._group,
                    logStreamName=self._stream,
                    logEvents=said[start : start + LINES],
                )
            except (ClientError, BotoCoreError) as error:  # the file has it all
                log.warning("log stream %s: %s", self._stream, error)
