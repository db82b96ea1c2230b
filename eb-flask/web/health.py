"""Health: /healthz for whoever restarts the process, /readyz for whoever watches the databases."""

from flask import Blueprint, Response, current_app, jsonify

from . import faults, queries
from .db import Database

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """The process answers; no database is asked, so that a restart is never tried as their cure."""
    return jsonify(ok=True)


@bp.get("/readyz")
def readyz() -> Response:
    """Which databases answer; 503 unless both do."""
    answers = {name: reachable(database) for name, database in current_app.extensions["databases"].items()}
    response = jsonify(ok=all(answers.values()), databases=answers)
    if not all(answers.values()):
        response.status_code = 503
        response.headers["Retry-After"] = str(faults.RETRY_SECONDS)
    return response


def reachable(database: Database) -> bool:
    """Whether the database lets us in and answers."""
    try:
        queries.server(database)
    except faults.Fault:
        return False
    return True
