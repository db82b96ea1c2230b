"""People: the person with an e-mail, or everybody whose e-mail begins so."""

from flask import Blueprint, Response, current_app, g

from . import errors, formats, queries

bp = Blueprint("people", __name__)


@bp.get("/<any(rds, redshift):source>/<path:beginning>")
def lookup(source: str, beginning: str) -> Response:
    """The person or persons, or a plain sentence with status 404."""
    database = current_app.extensions["databases"][source]
    result = queries.find(database, beginning)
    g.database_milliseconds = result.milliseconds
    if not result.rows:
        return errors.sentence(
            f"Nobody in {database.title} has the e-mail {beginning} or one that begins so.", 404
        )
    return formats.page(
        "people/lookup.html",
        {
            "database": source,
            "beginning": beginning,
            "persons": result.rows,
            "more": len(result.rows) == queries.MOST_PERSONS,
            "query": result.query,
        },
    )
