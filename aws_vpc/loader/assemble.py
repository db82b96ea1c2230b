"""The parts of a large object, each staged in a table of its own, become the table in one transaction.

    attach   the parts' keys do not overlap, as in an export in the order of its key: each table becomes a
             partition as it stands, and not a row is copied
    gather   else: keys that come twice are put aside, and the rows go through COPY into one new partition
    change   for a merge and a delete, into the table that is there

Staged tables are written with FREEZE by the transaction that makes them, so every session sees them whole.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2 import errors

from aws_vpc.loader import bootstrap, ledger, sql, swap
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.load import Counted, Load, Outcome, without_superseded
from aws_vpc.loader.records import Records
from aws_vpc.loader.tables import Table

BOUNDS = "bounds"


@dataclass(frozen=True)
class Part:
    """What a part's table holds."""

    number: int
    rows: int
    rejected: int
    unique: bool = False
    first: int | None = None  # the lowest key, where it is one whole number
    last: int | None = None


def part_name(run: str, number: int) -> str:
    """The table that a part is staged in."""
    return f"{bootstrap.PARTS}.{sql.identifier(f'{run}_{number}')}"


def stage(
    cursor: Any, table: Table, run: str, number: int, records: Records | None, blocks: Iterator[bytes] | None
) -> Part:
    """Put a part's rows into a table of its own, numbered by line, with its key if that can be."""
    name = part_name(run, number)
    cursor.execute(f"DROP TABLE IF EXISTS {name}")
    cursor.execute(f"CREATE TABLE {name} (LIKE {swap.name_of(table)})")
    cursor.execute(f"ALTER TABLE {name} ADD COLUMN {sql.LINE} bigint")
    if records is None:
        return Part(number, 0, 0)
    whole = set(records.ordered.names) == set(table.names)
    if not whole:  # a delete, which names the key alone
        _allow_null(cursor, table, name)
    columns = f"{sql.LINE}, {sql.names(records.ordered.names)}"
    swap.copy(cursor, records, name, columns, "FREEZE", blocks=blocks)
    cursor.execute(f"ANALYZE {name}")
    found = Part(number, records.count.rows, records.count.rejected)
    return _keyed(cursor, table, name, found) if whole else found


def _allow_null(cursor: Any, table: Table, name: str) -> None:
    for column in table.names:
        if column not in table.key:
            cursor.execute(f"ALTER TABLE {name} ALTER COLUMN {sql.identifier(column)} DROP NOT NULL")


def _keyed(cursor: Any, table: Table, name: str, found: Part) -> Part:
    """The part with its lowest and highest key, once its table has the key; without where one comes twice."""
    if not table.key_is_a_number or not found.rows:
        return found
    key = sql.identifier(table.key[0])
    cursor.execute("SAVEPOINT key")
    try:
        swap.finish(cursor, table, name)
    except errors.UniqueViolation:
        cursor.execute("ROLLBACK TO key")
        return found
    cursor.execute(f"SELECT min({key}), max({key}) FROM {name}")
    first, last = cursor.fetchone()
    # so that attaching need not read the rows again
    cursor.execute(f"ALTER TABLE {name} ADD CONSTRAINT {BOUNDS} CHECK ({key} BETWEEN {first} AND {last})")
    return Part(found.number, found.rows, found.rejected, True, first, last)


def drop(cursor: Any, run: str) -> None:
    """Drop the tables of a run that are nobody's partitions."""
    cursor.execute(
        "SELECT found.oid::regclass::text FROM pg_class found WHERE relnamespace = %s::regnamespace "
        "AND relkind = 'r' AND relname LIKE %s AND NOT relispartition",
        (bootstrap.PARTS, run.replace("_", r"\_") + "%"),
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP TABLE IF EXISTS {name} CASCADE")


def publish(connection: Any, other: Any, load: Load, counted: Counted, parts: Sequence[Part]) -> Outcome:
    """What the table is once all parts are in it, committed with its line in the ledger.

    `other` is a second session, which reads the staged rows while the first one writes them.
    """
    with connection.cursor() as cursor:
        for part in parts:
            _complete(cursor, load.run, part)
        if load.mode == "mirror" and swap.is_partitioned(cursor, load.table):
            ranges = _ranges(parts)
            outcome = (
                _attach(cursor, load, counted, ranges)
                if ranges
                else _gather(connection, cursor, other, load, counted, parts)
            )
        else:
            outcome = _change(cursor, load, counted, parts)
        ledger.update(cursor, load.run, state="partial", **outcome.facts)
        connection.commit()
        return outcome


def _complete(cursor: Any, run: str, part: Part) -> None:
    """Returns when a part's table has all its rows."""
    try:
        cursor.execute(f"SELECT count(*) FROM {part_name(run, part.number)}")
    except psycopg2.errors.UndefinedTable as error:
        raise LoadFailed(f"part {part.number} is not staged; nothing was changed") from error
    rows = cursor.fetchone()[0]
    if rows != part.rows:
        raise LoadFailed(f"part {part.number} has {rows} rows, not {part.rows}; nothing was changed")


def _ranges(parts: Sequence[Part]) -> list[Part]:
    """The parts that have rows, by key, when no two of them overlap; else none."""
    filled = [part for part in parts if part.rows]
    if not filled or not all(part.unique for part in filled):
        return []
    filled.sort(key=lambda part: part.first or 0)
    apart = all((one.last or 0) < (two.first or 0) for one, two in itertools.pairwise(filled))
    return filled if apart else []


def _attach(cursor: Any, load: Load, counted: Counted, ranges: list[Part]) -> Outcome:
    """Make the parts' tables the table's partitions."""
    outcome = load.settle(counted)
    edges = ["MINVALUE", *(str(part.first) for part in ranges[1:]), "MAXVALUE"]
    named = [part_name(load.run, part.number) for part in ranges]
    for name in named:
        cursor.execute(f"ALTER TABLE {name} DROP COLUMN {sql.LINE}")
    bounds = [f"FOR VALUES FROM ({low}) TO ({high})" for low, high in itertools.pairwise(edges)]
    swap.swap(cursor, load.table, list(zip(named, bounds, strict=True)))
    for name in named:
        cursor.execute(f"ALTER TABLE {name} DROP CONSTRAINT {BOUNDS}")
    return outcome


def _together(cursor: Any, load: Load, parts: Sequence[Part]) -> str:
    """The name of a table above the parts' tables, through which all their rows are seen as the stage."""
    above = f"{bootstrap.PARTS}.{sql.identifier(load.run)}"
    cursor.execute(f"CREATE TABLE {above} (LIKE {swap.name_of(load.table)})")
    cursor.execute(f"ALTER TABLE {above} ADD COLUMN {sql.LINE} bigint")
    _allow_null(cursor, load.table, above)
    for part in parts:
        if part.rows:
            cursor.execute(f"ALTER TABLE {part_name(load.run, part.number)} INHERIT {above}")
    cursor.execute(f"CREATE TEMP VIEW {sql.STAGE} AS SELECT * FROM {above}")
    return above


def _change(cursor: Any, load: Load, counted: Counted, parts: Sequence[Part]) -> Outcome:
    """Bring the staged rows into the table that is there."""
    cursor.execute(f"SET LOCAL work_mem = '{swap.MEMORY}'")
    above = _together(cursor, load, parts)
    outcome = without_superseded(cursor, load, counted)
    for statement in sql.apply(load.table, load.mode):
        cursor.execute(statement)
    cursor.execute(f"SELECT count(*) FROM {swap.name_of(load.table)}")
    outcome = outcome.leaving(cursor.fetchone()[0])
    _forget(cursor, above)
    return outcome


def _forget(cursor: Any, above: str) -> None:
    cursor.execute(f"DROP VIEW {sql.STAGE}")
    cursor.execute(f"DROP TABLE IF EXISTS {sql.TWICE}, {sql.FRESH}")
    cursor.execute(f"DROP TABLE {above} CASCADE")


def _gather(
    connection: Any, cursor: Any, other: Any, load: Load, counted: Counted, parts: Sequence[Part]
) -> Outcome:
    """Put the rows of all parts into one new partition."""
    table, part = load.table, f"{bootstrap.PARTS}.{sql.identifier(f'{load.run}_all')}"
    cursor.execute(f"SET LOCAL work_mem = '{swap.MEMORY}'")
    above = _together(cursor, load, parts)
    outcome = without_superseded(cursor, load, counted)
    cursor.execute(f"DROP VIEW {sql.STAGE}")
    cursor.execute(f"DROP TABLE IF EXISTS {sql.TWICE}")
    connection.commit()  # nothing but the run's own tables has changed; now the other session sees them
    cursor.execute(f"CREATE TABLE {part} (LIKE {swap.name_of(table)})")
    with _pouring(other, f"SELECT {sql.names(table.names)} FROM {above}") as rows:
        cursor.copy_expert(
            f"COPY {part} ({sql.names(table.names)}) FROM STDIN WITH (FORMAT binary, FREEZE)",
            rows,
            swap.PIECE,
        )
    if cursor.rowcount != outcome.rows:
        raise LoadFailed(
            f"{cursor.rowcount} rows of {outcome.rows} staged came together; nothing was changed"
        )
    cursor.execute(f"ANALYZE {part}")
    swap.finish(cursor, table, part)
    swap.swap(cursor, table, [(part, bootstrap.whole(table))])
    return outcome


@contextmanager
def _pouring(connection: Any, query: str) -> Any:
    """The rows of a query as a file, while a session of their own reads them."""
    reading, writing = os.pipe()
    failed = list[Exception]()

    def pour() -> None:
        try:
            with os.fdopen(writing, "wb", swap.PIECE) as file, connection.cursor() as cursor:
                cursor.copy_expert(f"COPY ({query}) TO STDOUT WITH (FORMAT binary)", file, swap.PIECE)
        except (psycopg2.Error, OSError) as error:
            failed.append(error)

    thread = threading.Thread(target=pour, name="rows", daemon=True)
    thread.start()
    try:
        with os.fdopen(reading, "rb") as file:
            yield file
    finally:
        thread.join()
        connection.rollback()
    if failed:
        raise failed[0]
