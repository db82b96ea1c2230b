"""How the embedded AWS asks itself: botocore clients whose requests never leave the process.

botocore asks, before it sends a request, whether somebody has an answer already ("before-send"); here the
front has. The request is built, signed and parsed as ever, but no socket and no other thread is in between.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from aws_vpc.local.wire import Request, Response

Answer = Callable[[Request], Response]


class Body(io.BytesIO):
    """The body of an answer, as botocore reads it from a connection."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """The rest of the body, in one piece."""
        yield self.read()


def connect(client: Any, region: str, answer: Answer) -> None:
    """Let the client's requests be answered by a function of this process."""
    service = client.meta.service_model.signing_name

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        response = answer(_request(request, service, region))
        headers = dict(response.headers)
        if request.method != "HEAD":
            headers = {k: v for k, v in headers.items() if k.lower() != "content-length"}
            headers["Content-Length"] = str(len(response.body))
        return AWSResponse(request.url, response.status, headers, Body(response.body))

    client.meta.events.register("before-send", send)


def _request(prepared: AWSPreparedRequest, service: str, region: str) -> Request:
    """The request as the front reads it from a connection."""
    address = urlsplit(prepared.url)
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    headers.setdefault("host", address.netloc)
    body = _bytes(prepared.body)
    headers["content-length"] = str(len(body))
    return Request(
        service=service,
        region=region,
        method=prepared.method,
        path=address.path or "/",
        query=address.query,
        headers=headers,
        body=body,
        environ={
            "SERVER_NAME": address.hostname,
            "SERVER_PORT": str(address.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SCRIPT_NAME": "",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": address.scheme,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        },
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body if isinstance(body, bytes | bytearray) else body.read())
