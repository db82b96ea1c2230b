"""A proxy in front of the embedded AWS that spoils what passes: the edge at which AWS fails its callers."""

from __future__ import annotations

import http.client
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, urlsplit

DROP = "drop"  # the connection is closed without an answer
LOSE = "lose"  # the request is carried out, its answer is lost
Fault = str | tuple[int, str, str]  # or an answer: HTTP status, AWS error code, message
Plan = Callable[[str, int], Fault | None]  # operation and how often it has been asked -> what goes wrong


def nothing(operation: str, number: int) -> None:
    """Nothing goes wrong."""


@dataclass
class Proxy:
    """A running proxy: what it spoils may be changed at any time, and it counts the calls."""

    endpoint: str
    plan: Plan = nothing
    calls: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)  # put into every answer

    def fault(self, operation: str) -> Fault | None:
        """What goes wrong with this call."""
        self.calls[operation] += 1
        self.log.append(operation)
        return self.plan(operation, self.calls[operation])


def operation(method: str, path: str, headers: Any, body: bytes) -> str:
    """The operation that a request asks for; of REST services the method and the kind of path."""
    action = re.search(rb"(?:^|&)Action=(\w+)", body) if b"Action=" in body[:4096] else None
    if action:
        return action[1].decode()
    target = headers.get("X-Amz-Target", "")
    if target:
        return target.rpartition(".")[2]
    return f"{method} {'object' if path.strip('/').count('/') else 'bucket'}"


def answer_of(fault: tuple[int, str, str], body: bytes) -> tuple[int, str, bytes]:
    """A refusal in the protocol of the request."""
    status, code, message = fault
    if body[:1] == b"{":
        return status, "application/x-amz-json-1.1", f'{{"__type":"{code}","message":"{message}"}}'.encode()
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if b"Action=" in body[:4096]:
        return status, "text/xml", f"<ErrorResponse>{error}</ErrorResponse>".encode()
    # S3 throttles by another status, and without a body to HEAD.
    return (503 if code == "Throttling" else status), "application/xml", error.encode()


class Server(ThreadingHTTPServer):
    """Answers for a proxy that stands before host and port."""

    daemon_threads = True

    def __init__(self, host: str, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind = (host, port)
        self.proxy = Proxy(f"http://127.0.0.1:{self.server_address[1]}")


class Handler(BaseHTTPRequestHandler):
    """One connection: each request is spoilt or passed on, as the plan says."""

    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_: Any) -> None:
        """Nothing: the calls are counted instead."""

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = operation(self.command, urlsplit(self.path).path, self.headers, body)
        fault = self.server.proxy.fault(asked)
        answer = None
        if isinstance(fault, tuple):
            answer = (*answer_of(fault, body), {})
        elif fault != DROP:
            answer = self.forward(body)
        if answer is None or fault == LOSE:
            self.close_connection = True
        else:
            self.reply(*answer)

    def forward(self, body: bytes) -> tuple[int, str, bytes, dict[str, str]]:
        host, port = self.server.behind
        # CloudFormation fetches a template from its own address, not from the proxy's.
        if b"Action=" in body[:4096]:
            addresses = (self.server.proxy.endpoint, f"http://{host}:{port}")
            before, behind = (quote(one, safe="").encode() for one in addresses)
            body = body.replace(before, behind)
        left = {"expect", "content-length"}
        kept = {key: value for key, value in self.headers.items() if key.lower() not in left}
        with closing(http.client.HTTPConnection(host, port, timeout=300)) as upstream:
            upstream.request(self.command, self.path, body, {**kept, "Content-Length": str(len(body))})
            answer = upstream.getresponse()
            kind = answer.getheader("Content-Type") or ""
            return answer.status, kind, answer.read(), self.passed_on(answer)

    def passed_on(self, answer: http.client.HTTPResponse) -> dict[str, str]:
        """The headers of an answer that its reader needs."""
        begins = ("x-amz", "etag", "last-modified", "location")
        headers = {key: value for key, value in answer.getheaders() if key.lower().startswith(begins)}
        length = answer.getheader("Content-Length")
        return headers | ({"Content-Length": length} if self.command == "HEAD" and length else {})

    def reply(self, status: int, kind: str, content: bytes, more: dict[str, str]) -> None:
        headers = {**more, **self.server.proxy.headers}
        self.send_response_only(status)
        if "Date" not in headers:
            self.send_header("Date", self.date_time_string())
        for key, value in headers.items():
            self.send_header(key, value)
        if kind:
            self.send_header("Content-Type", kind)
        if "Content-Length" not in more and status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve


@contextmanager
def fault_proxy(endpoint: str) -> Iterator[Proxy]:
    """A proxy in front of an endpoint, on a free port of this machine, until the block ends."""
    parts = urlsplit(endpoint)
    assert parts.hostname and parts.port
    server = Server(parts.hostname, parts.port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
