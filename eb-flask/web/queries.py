"""The fixed statements of the pages, in SQLAlchemy Core: what is up, how many, from when, who."""

import re
from typing import Any

from sqlalchemy import Dialect, Select, bindparam, func, literal_column, select
from sqlalchemy.dialects import postgresql

from . import faults
from .db import Database, Result
from .fixed import Fixed
from .tables import loads, persons

LONGEST_EMAIL = 320
MOST_PERSONS = 100
# A cluster says "PostgreSQL 8.0.2 on ..., Redshift 1.0.12345": the last name is the engine.
VERSION = re.compile(r".*(Redshift|PostgreSQL) ([\w.]+)", re.DOTALL)

NAMED: Dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]

SERVER = Fixed(select(func.version().label("version")))
COUNT = Fixed(select(func.count().label("rows")).select_from(persons))
PERSON = Fixed(select(persons).where(persons.c.id == bindparam("id")), name="person")
FIND = Fixed(
    select(persons)
    .where(func.lower(persons.c.email).like(func.lower(bindparam("pattern")), escape="/"))
    .order_by(func.lower(persons.c.email), persons.c.id)
    .limit(literal_column(str(MOST_PERSONS)))
)
LAST_LOAD = Fixed(
    select(
        loads.c.bucket,
        loads.c.key,
        loads.c.version,
        loads.c.rows,
        loads.c.rejected,
        func.coalesce(loads.c.finished, loads.c.started).label("at"),
    )
    .where(loads.c.table_name == literal_column("'persons'"))
    .where(loads.c.state.in_([literal_column("'loaded'"), literal_column("'partial'")]))
    .order_by(loads.c.started.desc())
    .limit(literal_column("1"))
)


def server(database: Database) -> dict[str, Any]:
    """The engine, its version, and the milliseconds that one round trip took."""
    result = database.fetch_fixed(SERVER)
    text = result.rows[0]["version"]
    match = VERSION.search(text)
    return {
        "engine": match.group(1) if match else "unknown",
        "version": match.group(2) if match else text,
        "milliseconds": result.milliseconds,
    }


def count(database: Database) -> int:
    """How many persons there are."""
    return int(database.fetch_fixed(COUNT).rows[0]["rows"])


def last_load(database: Database) -> dict[str, Any] | None:
    """When the persons last changed and which object they came from; nothing where no ledger says so."""
    try:
        rows = database.fetch_fixed(LAST_LOAD).rows
    except (faults.NoTable, faults.Denied):
        return None
    return {**rows[0], "at": rows[0]["at"].isoformat(timespec="seconds") + "Z"} if rows else None


def person(database: Database, identifier: int) -> Result:
    """The person with this id, or no row."""
    return run(database, PERSON, {"id": identifier})


def find(database: Database, beginning: str) -> Result:
    """The person with this e-mail; if none, everybody whose e-mail begins so, in order, at most 100."""
    if not beginning or len(beginning) > LONGEST_EMAIL or "\0" in beginning:
        return Result([], 0.0)
    result = run(database, FIND, {"pattern": begins_with(beginning)})
    exact = [row for row in result.rows if row["email"].casefold() == beginning.casefold()]
    return Result(exact or result.rows, result.milliseconds, result.query)


def run(database: Database, statement: Fixed, bound: dict[str, Any]) -> Result:
    """The rows of a fixed statement, together with its text, values and time for people to read."""
    result = database.fetch_fixed(statement, bound)
    query = {"sql": SHOWN[statement], "bound": bound, "milliseconds": result.milliseconds}
    return Result(result.rows, result.milliseconds, query)


def begins_with(text: str) -> str:
    """The LIKE pattern, with / as its escape character, of everything that begins with the text."""
    return escaped(text) + "%"


def escaped(text: str) -> str:
    """The text as LIKE matches it literally, with / as the escape character."""
    return re.sub(r"([/%_])", r"/\1", text)


def shown(statement: Select[Any]) -> str:
    """The SQL of a statement for people to read, its values as :names."""
    text = str(statement.compile(dialect=NAMED))
    return re.sub(r" +\n", "\n", text).replace("\n ", "\n")


SHOWN = {fixed: shown(fixed.statement) for fixed in (PERSON, FIND)}
