"""People: a page of them with search, filters, facets and exports; one by id; the short address."""

from dataclasses import asdict
from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for

from . import errors, formats, listing, logs, queries, sheet, view
from .db import Database, Result
from .kinds import LARGEST
from .reflection import Shape, with_current
from .view import Senseless, View

bp = Blueprint("people", __name__, url_prefix="/<any(rds, redshift):source>")


@bp.get("/people")
def index(source: str) -> Response:
    """The people that the address describes, as a page, JSON, or CSV of all of them."""
    database = chosen(source)
    return with_current((database.tables,), lambda: answer(database))


def answer(database: Database) -> Response:
    """The same, from the columns that the table has for all that is known."""
    people = database.tables["persons"]
    given = list(request.args.items(multi=True))
    try:
        wanted = view.parse(view.spelled_out(given), people.kinds)
    except Senseless as error:
        return errors.sentence(str(error), 400)
    if formats.wanted() == "csv":
        return export(database, people, wanted)
    # As forms send it; the address in the bar should be short.
    if any(not value or name in view.FORM for name, value in given):
        return redirect(address(database, wanted), 303)  # type: ignore[return-value]
    return formats.page(
        "people/index.html",
        listed(database, people, wanted),
        wanted=wanted,
        address=partial(address, database),
        columns=people.columns,
        operators=view.OPERATORS,
        sizes=view.SIZES,
        known_facets=view.facets(people.kinds),
    )


@bp.get("/people/<int:identifier>")
def row(source: str, identifier: int) -> Response:
    """One person by id."""
    database = chosen(source)
    result = timed(queries.person(database, identifier)) if identifier <= LARGEST else Result([], 0)
    if not result.rows:
        return errors.sentence(f"Nobody in {database.title} has the id {identifier}.", 404)
    facts = {"database": source, "title": result.rows[0]["email"], "persons": result.rows, "more": False}
    return formats.page("people/lookup.html", {**facts, "query": result.query})


@bp.get("/<path:beginning>")
def lookup(source: str, beginning: str) -> Response:
    """The person with this e-mail or those whose e-mail begins so, or a plain sentence with status 404."""
    database = chosen(source)
    result = timed(queries.find(database, beginning))
    if not result.rows:
        return errors.sentence(
            f"Nobody in {database.title} has the e-mail {beginning} or one that begins so.", 404
        )
    title = result.rows[0]["email"] if len(result.rows) == 1 else f"{beginning}…"
    more = len(result.rows) == queries.MOST_PERSONS
    facts = {"database": source, "title": title, "persons": result.rows, "more": more}
    return formats.page("people/lookup.html", {**facts, "query": result.query}, beginning=beginning)


def chosen(source: str) -> Database:
    """The database that the address names; NotFound where there is no warehouse."""
    databases: dict[str, Database] = current_app.extensions["databases"]
    return databases[source] if source in databases else abort(404)


def timed(result: Result) -> Result:
    """The result, its time added to what this request spent in databases."""
    environ = request.environ
    environ[logs.DATABASE] = environ.get(logs.DATABASE, 0.0) + result.milliseconds
    return result


def listed(database: Database, people: Shape, wanted: View) -> dict[str, Any]:
    """The facts of a page of people."""
    result, more = listing.page(database, people, wanted)
    total = listing.total(database, people, wanted)
    facets = {name: listing.facet(database, people, wanted, name) for name in wanted.facets}
    for answer in (result, total, *facets.values()):
        timed(answer)
    count = total.rows[0]["rows"]
    following = wanted.following(result.rows[-1]) if more else None
    return {
        "database": database.name,
        "persons": result.rows,
        "total": min(count, listing.MOST_COUNTED),
        "total_is_more": count > listing.MOST_COUNTED,
        "next": address(database, following) if following else None,
        "csv": address(database, wanted, ".csv"),
        "facets": {name: answer.rows for name, answer in facets.items()},
        "view": asdict(wanted),
        "queries": [answer.query for answer in (result, total, *facets.values())],
    }


def address(database: Database, wanted: View, suffix: str = "") -> str:
    """The address of a view."""
    path = url_for("people.index", source=database.name) + suffix
    return f"{path}?{wanted.query}" if wanted.query else path


def export(database: Database, people: Shape, wanted: View) -> Response:
    """All rows of the view as CSV, sent while they are read; the first batch before the status is."""
    if database.copies and wanted.sort == "id":
        texts = listing.copied(database, people, wanted)
        body = sheet.defused_texts(people.columns, next(texts, b""), texts)
    else:
        batches = listing.everybody(database, people, wanted)
        body = sheet.lines(people.columns, next(batches, []), batches)
    response = Response(body, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="people-{database.name}.csv"'
    return response
