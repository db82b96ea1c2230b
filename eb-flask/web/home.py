"""The start page: both databases side by side, and the search."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Flask, Response, current_app

from . import faults, formats, queries
from .db import Database
from .facts import NetworkFacts

bp = Blueprint("home", __name__)


def install(app: Flask) -> None:
    """Gives every template the databases by name and the address of its JSON twin."""
    titles = {name: database.title for name, database in app.extensions["databases"].items()}
    app.context_processor(lambda: {"sources": titles, "twin": formats.twin})


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
        facts |= {"rows": queries.count(database), "last_load": queries.last_load(database)}
    except faults.Fault as fault:
        facts |= {"state": fault.state, "sentence": fault.sentence}
        facts |= {"rows": 0} if isinstance(fault, faults.NoTable) else {}
        facts |= {"up": False} if isinstance(fault, faults.Away) else {}
    return facts
