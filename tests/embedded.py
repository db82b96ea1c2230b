"""An embedded AWS of the tests' own, a real process, and boto3 clients for it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import botocore.config
import botocore.session

from aws_vpc.local import control


class Embedded:
    """A running embedded AWS, with clients for it."""

    def __init__(self, facts: control.Facts, folder: Path) -> None:
        self.facts, self.folder = facts, folder
        self._session = botocore.session.Session(profile=None)
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """An unmodified client of a service."""
        if service not in self._clients:
            self._clients[service] = self._session.create_client(
                service,
                region_name=self.facts.region,
                endpoint_url=self.facts.endpoint,
                aws_access_key_id=self.facts.access_key,
                aws_secret_access_key=self.facts.secret_key,
                config=botocore.config.Config(retries={"max_attempts": 0}),
            )
        return self._clients[service]

    def close(self) -> None:
        """Close the clients' connections."""
        for client in self._clients.values():
            client.close()


@contextmanager
def embedded_aws() -> Iterator[Embedded]:
    """One of its own folder, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="embedded-") as name:
        folder = Path(name) / "local"
        # In this Region a bucket is made without naming the Region.
        with mock.patch.dict(os.environ, AWS_DEFAULT_REGION="us-east-1"):
            aws = Embedded(control.start(folder), folder)
        try:
            yield aws
        finally:
            aws.close()
            control.stop(folder)


def until(found: Callable[[], Any], seconds: float = 15.0) -> Any:
    """What a question answers as soon as the answer is true; AssertionError when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        answer = found()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        time.sleep(0.02)
