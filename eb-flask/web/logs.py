"""Logs, one JSON object per line on stderr, without personal data.

A request is logged by its route, never by its address, for addresses hold e-mails; an exception by its type
and the places it passed, never by its message, for drivers quote values.
"""

import json
import logging
import re
import time
import traceback
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request

log = logging.getLogger("web")
IDENTIFIER = re.compile(r"[\w=;:.-]{1,128}\Z", re.ASCII)


class JsonFormatter(logging.Formatter):
    """Log records as JSON lines; what `extra={"facts": {...}}` holds goes in as it is."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line, default=str)


def configuration() -> dict[str, Any]:
    """What gunicorn's logconfig_dict should be: its messages and ours, as JSON, on stderr."""
    logger = {"handlers": ["stderr"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": f"{__name__}.JsonFormatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"web": logger, "gunicorn.error": logger},
    }


def install(app: Flask) -> None:
    """Gives every request an id and a line in the log."""
    app.before_request(begin)
    app.after_request(end)


def begin() -> None:
    """Remembers when the request came and under which id; a load balancer's or caller's id is kept."""
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id") or request.headers.get("X-Amzn-Trace-Id") or ""
    g.request_id = given if IDENTIFIER.match(given) else uuid.uuid4().hex


def end(response: Response) -> Response:
    """Logs the request, and tells the caller its id."""
    response.headers["X-Request-Id"] = g.request_id
    if request.endpoint not in ("static", "health.healthz"):
        log.info("request", extra={"facts": facts(response)})
    return response


def facts(response: Response) -> dict[str, Any]:
    """What the log says of a request."""
    return {
        "request_id": g.request_id,
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "milliseconds": round((time.perf_counter() - g.started) * 1000, 1),
        "database_milliseconds": g.get("database_milliseconds"),
    }
