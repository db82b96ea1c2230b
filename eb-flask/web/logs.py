"""Logs, one JSON object per line on stderr, without personal data.

A request is logged by its route, never by its address, for addresses hold e-mails; an exception by its type
and the places it passed, never by its message, for drivers quote values.
"""

import json
import logging
import os
import re
import time
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from flask import request

log = logging.getLogger("web")
ID = "web.request_id"
DATABASE = "web.database_milliseconds"  # spent in databases by this request
IDENTIFIER = re.compile(r"[\w=;:.-]{1,128}\Z", re.ASCII)
STANDARD_ERROR = 2
UNLOGGED = ("static", "health.healthz")
ENCODER = json.JSONEncoder(default=str)


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
        return ENCODER.encode(line)


class Lines(logging.Handler):
    """Standard error, a write for each line and no lock: two threads never wait for each other here.

    The kernel keeps a write to a file whole, and to a pipe if it is not longer than PIPE_BUF (pipe(7)).
    """

    def createLock(self) -> None:
        """No lock; the name is that of logging."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record."""
        try:
            os.write(STANDARD_ERROR, f"{self.format(record)}\n".encode())
        except Exception:
            self.handleError(record)


def configuration() -> dict[str, Any]:
    """What gunicorn's logconfig_dict should be: its messages and ours, as JSON, on stderr."""
    # Nobody reads where a message was logged and by which thread (Logging HOWTO, "Optimization").
    logging._srcfile = None  # type: ignore[attr-defined]
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logger = {"handlers": ["stderr"], "level": "INFO", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": f"{__name__}.JsonFormatter"}},
        "handlers": {"stderr": {"()": f"{__name__}.Lines", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"web": logger, "gunicorn.error": logger},
    }


class Requests:
    """WSGI middleware that gives every request an id, tells the caller, and logs how it was answered."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        started = time.perf_counter()
        # The id that a load balancer or a caller gave is kept.
        given = environ.get("HTTP_X_REQUEST_ID") or environ.get("HTTP_X_AMZN_TRACE_ID") or ""
        environ[ID] = given if IDENTIFIER.match(given) else os.urandom(16).hex()

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            headers.append(("X-Request-Id", environ[ID]))
            if (spent := environ.get(DATABASE)) is not None:
                headers.append(("Server-Timing", f"db;dur={spent:.2f}"))
            rule = request.url_rule
            if rule is None or rule.endpoint not in UNLOGGED:
                log.info("request", extra={"facts": facts(environ, rule, status, started)})
            return start_response(status, headers, *more)

        return self._app(environ, start)


def facts(environ: dict[str, Any], rule: Any, status: str, started: float) -> dict[str, Any]:
    """What the log says of a request."""
    return {
        "request_id": environ[ID],
        "method": environ["REQUEST_METHOD"],
        "route": rule.rule if rule else None,
        "status": int(status[:3]),
        "milliseconds": round((time.perf_counter() - started) * 1000, 1),
        "database_milliseconds": environ.get(DATABASE),
    }
