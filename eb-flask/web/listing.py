"""The SQL of a View: one page of people, how many there are, facets, and all of them for an export.

Pages are found by key, not by number: behind the last row, in the order of the sort column and the id, which
costs the same on page 1,000 as on page 1 and neither skips nor repeats rows when others come or go. Empty
values come last when ascending and first when descending, as both databases have it.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from .db import Database, Result
from .queries import NAMED, escaped, shown
from .reflection import Shape
from .view import Filter, View

MOST_COUNTED = 10_000
MOST_VALUES = 12
Batch = Sequence[Sequence[Any]]
EXPORT_BATCH = 20_000
COPY_BATCH = 100_000  # of text, which takes less room


def page(database: Database, people: Shape, view: View) -> tuple[Result, bool]:
    """The rows of the page, and whether more follow: one row more than asked for tells."""
    result = run(database, rows(people, view).limit(view.size + 1), "the rows")
    return replace(result, rows=result.rows[: view.size]), len(result.rows) > view.size


def total(database: Database, people: Shape, view: View) -> Result:
    """How many people the filters leave, counted up to 10,001."""
    some = select(people.table.c.id).where(*conditions(people, view)).limit(MOST_COUNTED + 1).subquery("some")
    return run(database, select(func.count().label("rows")).select_from(some), "their number")


def facet(database: Database, people: Shape, view: View, column: str) -> Result:
    """The most frequent values of a column among the people the filters leave, with their counts."""
    counted = func.count().label("rows")
    value = people.table.c[column].label("value")
    statement = select(value, counted).where(*conditions(people, view)).group_by(value)
    return run(database, statement.order_by(counted.desc(), value).limit(MOST_VALUES), f"values of {column}")


def everybody(database: Database, people: Shape, view: View) -> Iterator[Batch]:
    """All rows of the view in its order, in batches: memory for one, and no connection held between two."""
    after = view.after
    while True:
        statement = rows(people, replace(view, after=after)).limit(EXPORT_BATCH)
        with database.connection() as connection:
            batch = connection.execute(statement).cursor.fetchall()  # plain tuples, half the time
        if batch:
            yield batch
        if len(batch) < EXPORT_BATCH:
            return
        last = dict(zip(people.columns, batch[-1], strict=True))
        after = (last[view.sort], last["id"])


def copied(database: Database, people: Shape, view: View) -> Iterator[bytes]:
    """The same by id, as CSV that the database wrote: a quarter of the time. Only where `copies` says so."""
    after = view.after
    while True:
        text, count = database.copy(rows(people, replace(view, after=after)).limit(COPY_BATCH))
        if count:
            yield text
        if count < COPY_BATCH:
            return
        identifier = last_identifier(text)
        after = (identifier, identifier)


def last_identifier(text: bytes) -> int:
    """The id that the last row of CSV begins with; a line end within quotes begins no row."""
    start = text.rfind(b"\n", 0, -1)
    while start >= 0 and text.count(b'"', start) % 2:
        start = text.rfind(b"\n", 0, start)
    return int(text[start + 1 :].partition(b",")[0])


def rows(people: Shape, view: View) -> Select[Any]:
    """The people of the view in its order, from where it says on."""
    columns = people.table.c
    order = [columns.id] if view.sort == "id" else [columns[view.sort], columns.id]
    statement = select(people.table).where(*conditions(people, view))
    if view.after is not None:
        statement = statement.where(behind(people, view))
    return statement.order_by(*(part.desc() if view.descending else part.asc() for part in order))


def behind(people: Shape, view: View) -> ColumnElement[bool]:
    """The condition for what comes after the last row of the page before."""
    assert view.after is not None
    value, identifier = view.after
    column, key = people.table.c[view.sort], people.table.c.id
    further = key < identifier if view.descending else key > identifier
    if view.sort == "id":
        return further
    if value is None:
        return or_(column.is_not(None), further) if view.descending else and_(column.is_(None), further)
    beyond = column < value if view.descending else or_(column > value, column.is_(None))
    return or_(beyond, and_(column == value, further))


def conditions(people: Shape, view: View) -> list[ColumnElement[bool]]:
    """The search and the filters as SQL."""
    found = [condition(people, item) for item in view.filters]
    if view.q:
        found.insert(0, like(people.table.c.email, f"%{escaped(view.q)}%"))
    return found


def condition(people: Shape, item: Filter) -> ColumnElement[bool]:
    """One filter as SQL."""
    return OPERATIONS[item.operator](people.table.c[item.column], item.operand(people.kinds[item.column]))


def like(column: ColumnElement[Any], pattern: str) -> ColumnElement[bool]:
    """Whether the column matches the pattern, upper and lower case alike."""
    return func.lower(column).like(func.lower(pattern), escape="/")


# Each of view.OPERATORS as SQL.
OPERATIONS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "is": operator.eq,
    "not": lambda column, value: or_(column != value, column.is_(None)),
    "contains": lambda column, value: like(column, f"%{escaped(value)}%"),
    "startswith": lambda column, value: like(column, f"{escaped(value)}%"),
    "endswith": lambda column, value: like(column, f"%{escaped(value)}"),
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "in": lambda column, values: column.in_(values),
    "isnull": lambda column, value: column.is_(None) if value == "1" else column.is_not(None),
}


def run(database: Database, statement: Select[Any], purpose: str) -> Result:
    """The rows of a statement, together with its text, values and time for people to read."""
    result = database.fetch(statement)
    bound = statement.compile(dialect=NAMED).params
    query = {"purpose": purpose, "sql": shown(statement), "bound": bound}
    query |= {"milliseconds": result.milliseconds}
    return replace(result, query=query)
