"""The HTTP server of the embedded AWS: threads, loopback only, connections kept alive."""

from __future__ import annotations

import socket
import threading
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from aws_vpc.local.front import Application


class RequestHandler(MotoRequestHandler):
    """moto's request handler, which closes the connection after each answer, taught to keep it.

    That is safe here, because the front always reads the whole body and knows the answer's length.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 300

    def run_wsgi(self) -> None:
        """Answer one request."""
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            head[:] = [status, headers]

        body = b"".join(self.server.app(self.make_environ(), start_response))
        code, _, phrase = head[0].partition(" ")
        self.send_response_only(int(code), phrase)
        names = {name.lower() for name, _ in head[1]}
        if "date" not in names:
            self.send_header("Date", self.date_time_string())
        for name, value in head[1]:
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(body)

    def log(self, *_: Any) -> None:
        """Nothing: what goes wrong is logged by the front."""


def moto() -> Application:
    """moto, every service behind one WSGI application."""
    application: Application = DomainDispatcherApplication(create_backend_app)
    return application


def bind(port: int = 0) -> socket.socket:
    """A socket that listens on loopback, at a free port unless one is given; OSError when that is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def serve(listener: socket.socket, application: Application) -> BaseWSGIServer:
    """The server, which now answers on the socket, in threads; `shutdown` ends it."""
    port = listener.getsockname()[1]
    server = make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=RequestHandler, fd=listener.fileno()
    )
    listener.close()  # the server has a duplicate
    threading.Thread(target=server.serve_forever, args=(0.05,), name="http", daemon=True).start()
    return server
