"""The start page: both databases side by side, and the search."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from typing import Any

from flask import Blueprint, Flask, Response, current_app, url_for

from . import faults, formats, ledger, queries
from .db import Database
from .facts import NetworkFacts

bp = Blueprint("home", __name__)


def install(app: Flask) -> None:
    """Gives every template the databases by name, the pages to go to, and the address of its JSON twin."""
    titles = {name: database.title for name, database in app.extensions["databases"].items()}
    pages = cache(lambda: tuple(destinations(titles)))
    static = cache(lambda name: url_for("static", filename=name))
    app.context_processor(
        lambda: {"sources": titles, "pages": pages(), "twin": formats.twin, "static": static}
    )


def destinations(titles: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Address and name of every page that the head of a page links to."""
    for name, title in titles.items():
        yield url_for("people.index", source=name), title
    if len(titles) > 1:
        yield url_for("comparison.index"), "Compare"
    yield url_for("loads.index"), "Loads"
    yield url_for("connectivity.index"), "Network"


@bp.get("/")
def index() -> Response:
    """Both databases: up or down, rows, server version, round trip; and the network between them."""
    databases = list(current_app.extensions["databases"].values())
    # Side by side, so that two databases that are away take no longer than one.
    with ThreadPoolExecutor(len(databases)) as side_by_side:
        cards = zip(databases, side_by_side.map(card, databases), strict=True)
        facts = {database.name: facts for database, facts in cards}
    network = {
        **asdict(current_app.extensions["network"]),
        "paths": [path(one, facts[one.name]) for one in databases],
    }
    return formats.page("home.html", {"databases": facts, "network": network})


def path(database: Database, facts: dict[str, Any]) -> dict[str, Any]:
    """The way from the web server to a database, and whether something answers at its end."""
    network: NetworkFacts = current_app.extensions["network"]
    host, port = database.place or (None, None)
    through = [network.interconnection] if database.name == "redshift" and network.interconnection else []
    end = {"to": database.name, "host": host, "port": port, "through": through}
    return {**end, "up": facts["up"], "milliseconds": facts["milliseconds"]}


def card(database: Database) -> dict[str, Any]:
    """What the start page says of one database, answering or not."""
    facts: dict[str, Any] = {
        "title": database.title,
        "up": False,
        "state": "up",
        "sentence": None,
        "rows": None,
        "engine": None,
        "version": None,
        "milliseconds": None,
        "last_load": None,
    }
    try:
        facts |= queries.server(database)
        facts |= {"up": True}
        facts |= {"rows": queries.count(database), "last_load": ledger.last(database)}
    except faults.Fault as fault:
        facts |= {"state": fault.state, "sentence": fault.sentence}
        facts |= {"rows": 0} if isinstance(fault, faults.NoTable) else {}
        facts |= {"up": False} if isinstance(fault, faults.Away) else {}
    return facts
