"""What is answered when there is no page: a sentence, with the right status, in the format asked for."""

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from . import faults, logs
from .formats import page

SENTENCES = {
    400: "The address asks for something that does not make sense.",
    404: "There is no such page.",
    405: "This page can only be read.",
    413: "The file is larger than the pages take.",
    414: "The address is too long.",
}


def install(app: Flask) -> None:
    """Registers the handlers of faults, HTTP errors and bugs."""
    app.register_error_handler(faults.Fault, fault)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(Exception, bug)


def sentence(text: str, status: int) -> Response:
    """A page that is one sentence."""
    return page("errors/sentence.html", {"error": text, "status": status}, status)


def fault(error: Exception) -> Response:
    """A database that gives no rows: 503 with Retry-After, 504, or 404 before the first load."""
    assert isinstance(error, faults.Fault)
    logs.log.warning(
        "fault", extra={"facts": {"request_id": request.environ.get(logs.ID), "fault": error.sentence}}
    )
    response = sentence(error.sentence, error.status)
    if error.status == 503:
        response.headers["Retry-After"] = str(faults.RETRY_SECONDS)
    return response


def http(error: Exception) -> Response:
    """Wrong addresses and methods; headers such as Allow are kept, redirects go through as they are."""
    assert isinstance(error, HTTPException)
    status = error.code or 500
    if status < 400:
        return error.get_response()  # type: ignore[return-value]
    response = sentence(SENTENCES.get(status) or error.name + ".", status)
    about_body = ("Content-Type", "Content-Length")
    response.headers.extend((k, v) for k, v in error.get_headers() if k not in about_body)
    return response


def bug(error: Exception) -> Response:
    """A fault of the pages themselves: logged with its places, answered with the id to ask about."""
    logs.log.error("bug", exc_info=error, extra={"facts": {"request_id": request.environ.get(logs.ID)}})
    return sentence(f"Something went wrong here. Ask about request {request.environ.get(logs.ID)}.", 500)
