"""The loader's ledger: which object went into which table, when, and what became of it.

In: its columns as a database has them; one that it lacks reads as empty. Out: the objects themselves
(bucket.py), what an upload waits for (loads.py).
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal_column, null, or_, select

from . import faults
from .db import Database, Result
from .fixed import Fixed
from .queries import current
from .reflection import Shape
from .tables import ALLOWED

PAGE = 50
STATES = ("running", "staging", "partial", "loaded", "failed", "interrupted")
OVER = ("loaded", "failed", "interrupted")


class Questions:
    """The fixed statements on the ledger of one database."""

    def __init__(self, ledger: Shape) -> None:
        loads = ledger.table.c
        line, ended = columns(ledger), in_order(ledger).where(loads.state.in_(words("loaded", "partial")))
        self.running = Fixed(
            select(func.count().label("rows"))
            .select_from(ledger.table)
            .where(loads.state.in_(words("running")))
        )
        self.load = Fixed(select(*line.values()).where(loads.run == bindparam("run")))
        self.last = Fixed(ended.where(loads.table_name.in_(words("persons"))).limit(ONE))
        self.of_object = Fixed(
            in_order(ledger)
            .where(loads.bucket == bindparam("bucket"), loads.key == bindparam("key"))
            .limit(ONE)
        )


questions = lru_cache(maxsize=16)(Questions)
ONE = literal_column("1")


def words(*of_ours: str) -> list[ColumnElement[Any]]:
    """Constants of the pages as SQL has them, so that a fixed statement has no values but its own."""
    return [literal_column(f"'{word}'") for word in of_ours]


def columns(ledger: Shape) -> dict[str, ColumnElement[Any]]:
    """Every column that a line of the ledger has for the pages, empty where the table lacks it."""
    there = ledger.table.c
    return {name: there[name] if name in there else null().label(name) for name in ALLOWED["loads"]}


def in_order(ledger: Shape) -> Select[Any]:
    """The lines of the ledger, newest first."""
    loads = ledger.table.c
    return select(*columns(ledger).values()).order_by(loads.started.desc(), loads.run.desc())


def asked(database: Database) -> Questions:
    """The statements on the ledger as it is now."""
    return questions(database.tables["loads"])


@current
def loading(database: Database) -> bool:
    """Whether a load is under way."""
    return bool(database.fetch_fixed(asked(database).running).rows[0]["rows"])


@current
def load(database: Database, run: str) -> Result:
    """The load of this name, or no row."""
    return database.fetch_fixed(asked(database).load, {"run": run})


@current
def latest(database: Database, bucket: str, key: str) -> Result:
    """The latest load of an object, or no row."""
    return database.fetch_fixed(asked(database).of_object, {"bucket": bucket, "key": key})


def last(database: Database) -> dict[str, Any] | None:
    """When the persons last changed and which object they came from; nothing where no ledger says so."""
    try:
        rows = _last(database).rows
    except (faults.NoTable, faults.Denied):
        return None
    if not rows:
        return None
    database.tables.saw(rows[0]["run"])
    at = rows[0]["finished"] or rows[0]["started"]
    told = {name: rows[0][name] for name in ("bucket", "key", "version", "rows", "rejected")}
    return {**told, "at": at.isoformat(timespec="seconds") + "Z"}


@current
def _last(database: Database) -> Result:
    return database.fetch_fixed(asked(database).last)


@current
def history(database: Database, state: str, before: tuple[datetime, str] | None) -> tuple[Result, bool]:
    """Loads, newest first, from before a place in that order, and whether there are more."""
    statement = _history(database.tables["loads"], state, before)
    result = database.fetch(statement.limit(PAGE + 1))
    return Result(result.rows[:PAGE], result.milliseconds), len(result.rows) > PAGE


def _history(ledger: Shape, state: str, before: tuple[datetime, str] | None) -> Select[Any]:
    statement, loads = in_order(ledger), ledger.table.c
    if state:
        statement = statement.where(loads.state == state)
    if before:
        started, run = before
        earlier = and_(loads.started == started, loads.run < run)
        statement = statement.where(or_(loads.started < started, earlier))
    return statement
