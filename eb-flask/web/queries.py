"""Every SQL statement of the pages, in SQLAlchemy Core: values are bound, identifiers are fixed here."""

import re
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Executable,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql

from .db import Database, Result

LONGEST_EMAIL = 320
MOST_PERSONS = 100
# A cluster says "PostgreSQL 8.0.2 on ..., Redshift 1.0.12345": the last name is the engine.
VERSION = re.compile(r".*(Redshift|PostgreSQL) ([\w.]+)", re.DOTALL)

persons = Table(
    "persons",
    MetaData(),
    Column("id", BigInteger, primary_key=True),
    Column("email", String(LONGEST_EMAIL)),
    Column("state", String(2)),
    Column("postal", String(10)),
    Column("address", String(200)),
)

SERVER = select(func.version().label("version"))
COUNT = select(func.count().label("rows")).select_from(persons)
FIND = (
    select(persons)
    .where(func.lower(persons.c.email).like(func.lower(bindparam("pattern")), escape="/"))
    .order_by(func.lower(persons.c.email), persons.c.id)
    .limit(literal_column(str(MOST_PERSONS)))
)


def server(database: Database) -> dict[str, Any]:
    """The engine, its version, and the milliseconds that one round trip took."""
    result = database.fetch(SERVER)
    text = result.rows[0]["version"]
    match = VERSION.search(text)
    return {
        "engine": match.group(1) if match else "unknown",
        "version": match.group(2) if match else text,
        "milliseconds": result.milliseconds,
    }


def count(database: Database) -> int:
    """How many persons there are."""
    return int(database.fetch(COUNT).rows[0]["rows"])


def find(database: Database, beginning: str) -> Result:
    """The person with this e-mail; if none, everybody whose e-mail begins so, in order, at most 100."""
    if not beginning or len(beginning) > LONGEST_EMAIL or "\0" in beginning:
        return Result([], 0.0)
    bound = {"pattern": begins_with(beginning)}
    result = database.fetch(FIND, bound)
    exact = [row for row in result.rows if row["email"].casefold() == beginning.casefold()]
    query = {"sql": FIND_SQL, "bound": bound, "milliseconds": result.milliseconds}
    return Result(exact or result.rows, result.milliseconds, query)


def begins_with(text: str) -> str:
    """The LIKE pattern, with / as its escape character, of everything that begins with the text."""
    return re.sub(r"([/%_])", r"/\1", text) + "%"


def shown(statement: Executable) -> str:
    """The SQL of a statement for people to read, its values as :names."""
    return str(statement.compile(dialect=postgresql.dialect(paramstyle="named")))


FIND_SQL = shown(FIND)
