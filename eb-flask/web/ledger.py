"""The loader's ledger, which RDS keeps: which object went into which table, when, and what became of it.

In: the fixed columns of tables.py. Out: the objects themselves (bucket.py), what an upload waits for
(loads.py).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, literal_column, or_, select

from .db import Database, Result
from .fixed import Fixed
from .tables import loads

PAGE = 50
STATES = ("running", "staging", "partial", "loaded", "failed", "interrupted")
OVER = ("loaded", "failed", "interrupted")
RUNNING = Fixed(
    select(func.count().label("rows")).select_from(loads).where(loads.c.state == literal_column("'running'"))
)
LOAD = Fixed(select(loads).where(loads.c.run == bindparam("run")))
OF_OBJECT = Fixed(
    select(loads)
    .where(loads.c.bucket == bindparam("bucket"), loads.c.key == bindparam("key"))
    .order_by(loads.c.started.desc(), loads.c.run.desc())
    .limit(literal_column("1"))
)


def loading(database: Database) -> bool:
    """Whether a load is under way."""
    return bool(database.fetch_fixed(RUNNING).rows[0]["rows"])


def load(database: Database, run: str) -> Result:
    """The load of this name, or no row."""
    return database.fetch_fixed(LOAD, {"run": run})


def latest(database: Database, bucket: str, key: str) -> Result:
    """The latest load of an object, or no row."""
    return database.fetch_fixed(OF_OBJECT, {"bucket": bucket, "key": key})


def history(database: Database, state: str, before: tuple[datetime, str] | None) -> tuple[Result, bool]:
    """Loads, newest first, from before a place in that order, and whether there are more."""
    result = database.fetch(_history(state, before).limit(PAGE + 1))
    return Result(result.rows[:PAGE], result.milliseconds), len(result.rows) > PAGE


def _history(state: str, before: tuple[datetime, str] | None) -> Select[Any]:
    statement = select(loads).order_by(loads.c.started.desc(), loads.c.run.desc())
    if state:
        statement = statement.where(loads.c.state == state)
    if before:
        started, run = before
        earlier = and_(loads.c.started == started, loads.c.run < run)
        statement = statement.where(or_(loads.c.started < started, earlier))
    return statement
