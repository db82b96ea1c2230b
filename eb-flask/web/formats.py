"""One view, its formats: every page is HTML, or JSON at the same address with `.json` behind it.

/               /.json
/rds/ann@x.org  /rds/ann@x.org.json      or the header  Accept: application/json
/rds/people     /rds/people.json         and  /rds/people.csv
/compare        /compare.json            and  /compare.csv
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Response, render_template, request

from .kinds import written

KEY = "web.format"
ENCODER = json.JSONEncoder(separators=(",", ":"), default=written)
AS_CSV = ("/people", "/compare", "/rejected")


class Suffix:
    """WSGI middleware that takes `.json` or `.csv` off the path and remembers it as the format wanted."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        stem, _, suffix = path.rpartition(".")
        if suffix == "json" or (suffix == "csv" and stem.endswith(AS_CSV)):
            # In place, for what is noted in it later is read outside (logs.py).
            environ |= {"PATH_INFO": stem, KEY: suffix}
        return self._app(environ, start_response)


def wanted() -> str:
    """The format asked for, by the address or by the Accept header: html, json or csv."""
    if KEY in request.environ:
        return str(request.environ[KEY])
    accepted = request.accept_mimetypes
    return "json" if accepted["application/json"] > accepted["text/html"] else "html"


def page(template: str, facts: Mapping[str, Any], status: int = 200, **tools: Any) -> Response:
    """The facts in the format asked for: as they are, or through the template, which also gets the tools."""
    if wanted() == "json":
        body, kind = ENCODER.encode(facts) + "\n", "application/json"
    else:
        body, kind = render_template(template, **facts, **tools), "text/html; charset=utf-8"
    return Response(body, status, [("Vary", "Accept")], content_type=kind)


def twin() -> str:
    """The address of the JSON of this page."""
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    return f"{request.path}.json{query}"
