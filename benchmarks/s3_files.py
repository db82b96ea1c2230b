"""The least of S3 that a load needs: HEAD, ranged GET, sent by the kernel, and PUT; a process of its own.

    python benchmarks/s3_files.py FOLDER     prints its port, serves FOLDER/BUCKET/KEY until it is ended

moto would spend as much of the machine on handing the bytes over as the loader does on checking them.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import os
import re
import sys
import urllib.parse
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = Path()

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        if "versions" in self.path.partition("?")[2]:
            return self._empty(b"<ListVersionsResult/>")
        return self._answer(body=True)

    def do_PUT(self) -> None:
        path = self._path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._read())
        self._empty()

    def _read(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _empty(self, body: bytes = b"") -> None:
        self.send_response(200)
        self.send_header("ETag", '"etag"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _path(self) -> Path:
        return self.folder / urllib.parse.unquote(self.path.partition("?")[0]).lstrip("/")

    def _answer(self, *, body: bool) -> None:
        path = self._path()
        size, wanted = path.stat().st_size, re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        stop = min(int(wanted[2]) + 1, size) if wanted and wanted[2] else size
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(stop - start))
        self.send_header("ETag", f'"{hashlib.md5(f"{path} {size}".encode()).hexdigest()}"')
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.end_headers()
        if body:
            self.wfile.flush()
            # a reader may go before the end
            with path.open("rb") as file, contextlib.suppress(ConnectionError):
                while start < stop:
                    start += os.sendfile(self.connection.fileno(), file.fileno(), start, stop - start)

    def log_message(self, *message: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A reader that goes before the end is no error."""


if __name__ == "__main__":
    Handler.folder = Path(sys.argv[1])
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
