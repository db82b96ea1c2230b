"""One view, two formats: every page is HTML, or JSON at the same address with `.json` behind it.

    /               /.json
    /rds/ann@x.org  /rds/ann@x.org.json      or the header  Accept: application/json
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Response, jsonify, make_response, render_template, request

KEY = "web.format"


class Suffix:
    """WSGI middleware that takes `.json` off the path and remembers it as the format asked for."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.endswith(".json") and not path.startswith("/static/"):
            environ = {**environ, "PATH_INFO": path.removesuffix(".json"), KEY: "json"}
        return self._app(environ, start_response)


def json_wanted() -> bool:
    """Whether this request asked for JSON, by its address or by its Accept header."""
    if request.environ.get(KEY) == "json":
        return True
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def page(template: str, facts: Mapping[str, Any], status: int = 200) -> Response:
    """The facts in the format asked for: through the template, or as they are."""
    response = jsonify(facts) if json_wanted() else make_response(render_template(template, **facts))
    response.status_code = status
    response.vary.add("Accept")
    return response


def twin() -> str:
    """The address of the JSON of this page."""
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    return f"{request.path}.json{query}"
