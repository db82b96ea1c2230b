"""Headers on every answer: what a browser may do with it, how long it may keep it."""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Addresses hold e-mails, nobody else's business; without any referrer, a form would not say its origin.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Headers:
    """WSGI middleware that adds the headers to every answer."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            if environ["PATH_INFO"].startswith("/static/") and status.startswith("200"):
                headers = [pair for pair in headers if pair[0] != "Cache-Control"]
                headers.append(("Cache-Control", "public, max-age=31536000, immutable"))
            else:
                headers.append(("Cache-Control", "no-store"))
            if environ["wsgi.url_scheme"] == "https":
                headers.append(("Strict-Transport-Security", "max-age=31536000"))
            return start_response(status, [*headers, *ALWAYS.items()], *more)

        return self._app(environ, start)


def install(app: Flask) -> None:
    """Adds the version to every static address."""
    app.url_defaults(versioned)


def versioned(endpoint: str, values: dict[str, Any]) -> None:
    """Puts a digest of a static file into its address, so that browsers may keep it for ever."""
    if endpoint == "static" and current_app.static_folder:
        values["v"] = digest(Path(current_app.static_folder) / values["filename"])


@cache
def digest(path: Path) -> str:
    """The beginning of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
