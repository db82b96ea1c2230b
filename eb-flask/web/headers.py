"""Headers on every answer: what a browser may do with it, how long it may keep it, where the time went."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request

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


def install(app: Flask) -> None:
    """Adds the headers to every answer of the application, and the version to every static address."""
    app.after_request(add)
    app.url_defaults(versioned)


def versioned(endpoint: str, values: dict[str, Any]) -> None:
    """Puts a digest of a static file into its address, so that browsers may keep it for ever."""
    if endpoint == "static" and current_app.static_folder:
        values["v"] = digest(Path(current_app.static_folder) / values["filename"])


@cache
def digest(path: Path) -> str:
    """The beginning of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def add(response: Response) -> Response:
    """The answer with its headers."""
    response.headers.update(ALWAYS)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-store"
    if "database_milliseconds" in g:
        response.headers["Server-Timing"] = f"db;dur={g.database_milliseconds:.2f}"
    return response
