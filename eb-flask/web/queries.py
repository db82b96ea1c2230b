"""The fixed statements of the pages, in SQLAlchemy Core: what is up, how many, who."""

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from zlib import crc32

from sqlalchemy import Dialect, Select, bindparam, func, literal_column, select
from sqlalchemy.dialects import postgresql

from .db import Database, Result
from .fixed import Fixed
from .reflection import Shape, with_current

LONGEST_EMAIL = 320
MOST_PERSONS = 100
# A cluster says "PostgreSQL 8.0.2 on ..., Redshift 1.0.12345": the last name is the engine.
VERSION = re.compile(r".*(Redshift|PostgreSQL) ([\w.]+)", re.DOTALL)

NAMED: Dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]

SERVER = Fixed(select(func.version().label("version")))
P = ParamSpec("P")
T = TypeVar("T")


class Lookups:
    """The fixed statements on the people of one database."""

    def __init__(self, people: Shape) -> None:
        table = people.table
        email = func.lower(table.c.email)
        # Under a name of its own, for a connection keeps what it prepared when the table was another.
        name = f"person_{crc32(','.join(people.columns).encode()):08x}"
        self.count = Fixed(select(func.count().label("rows")).select_from(table))
        self.person = Fixed(select(table).where(table.c.id == bindparam("id")), name=name)
        self.find = Fixed(
            select(table)
            .where(email.like(func.lower(bindparam("pattern")), escape="/"))
            .order_by(email, table.c.id)
            .limit(literal_column(str(MOST_PERSONS)))
        )
        self.shown = {fixed: shown(fixed.statement) for fixed in (self.person, self.find)}


lookups = lru_cache(maxsize=16)(Lookups)


def current(question: Callable[Concatenate[Database, P], T]) -> Callable[Concatenate[Database, P], T]:
    """The same question, asked once more where a table turns out to be another than it was."""

    @wraps(question)
    def asked(database: Database, /, *given: P.args, **named: P.kwargs) -> T:
        return with_current((database.tables,), lambda: question(database, *given, **named))

    return asked


def server(database: Database) -> dict[str, Any]:
    """The engine, its version, and the milliseconds that one round trip takes, connecting aside."""
    database.fetch_fixed(SERVER)
    result = database.fetch_fixed(SERVER)
    text = result.rows[0]["version"]
    match = VERSION.search(text)
    return {
        "engine": match.group(1) if match else "unknown",
        "version": match.group(2) if match else text,
        "milliseconds": result.milliseconds,
    }


@current
def count(database: Database) -> int:
    """How many persons there are."""
    return int(database.fetch_fixed(lookups(database.tables["persons"]).count).rows[0]["rows"])


@current
def person(database: Database, identifier: int) -> Result:
    """The person with this id, or no row."""
    people = lookups(database.tables["persons"])
    return run(database, people, people.person, {"id": identifier})


@current
def find(database: Database, beginning: str) -> Result:
    """The person with this e-mail; if none, everybody whose e-mail begins so, in order, at most 100."""
    if not beginning or len(beginning) > LONGEST_EMAIL or "\0" in beginning:
        return Result([], 0.0)
    people = lookups(database.tables["persons"])
    result = run(database, people, people.find, {"pattern": begins_with(beginning)})
    exact = [row for row in result.rows if row["email"].casefold() == beginning.casefold()]
    return Result(exact or result.rows, result.milliseconds, result.query)


def run(database: Database, people: Lookups, statement: Fixed, bound: dict[str, Any]) -> Result:
    """The rows of a fixed statement, together with its text, values and time for people to read."""
    result = database.fetch_fixed(statement, bound)
    query = {"sql": people.shown[statement], "bound": bound, "milliseconds": result.milliseconds}
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
