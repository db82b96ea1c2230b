"""Headers on every answer: what a browser may do with it, how long it may keep it, where the time went."""

from flask import Flask, Response, g, request

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
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
    # Addresses hold e-mails: they are nobody else's business.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def install(app: Flask) -> None:
    """Adds the headers to every answer of the application."""
    app.after_request(add)


def add(response: Response) -> Response:
    """The answer with its headers."""
    response.headers.update(ALWAYS)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint == "static":
        response.cache_control.max_age = 86400
    else:
        response.headers["Cache-Control"] = "no-store"
    if "database_milliseconds" in g:
        response.headers["Server-Timing"] = f"db;dur={g.database_milliseconds:.2f}"
    return response
