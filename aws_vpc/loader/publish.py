"""The rows into RDS: one transaction per object, COPY from a stream, readers see the old rows or the new.

    insert   COPY straight into the table, when a merge brings keys that it does not have
    replace  COPY into a new partition beside the table -> key and indexes -> for a merge, the rows of the
             old one that the object does not name -> put in the old one's place
    change   COPY into a temporary table -> the rows that differ -> MERGE

A mirror replaces, and so does a merge of an object that is not small beside the table: writing a partition
anew and building its key takes less time than changing half of its rows. A key that comes twice in the
object, or is in the table after all, makes the primary key fail, and the object is read for the next way.

A new partition is visible whole to every session from the commit on, also to one whose snapshot is older,
because all its rows are frozen; that is why those taken over go out and in again through COPY.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
from psycopg2 import errors

from aws_vpc.loader import bootstrap, ledger, sql, swap
from aws_vpc.loader.load import Load, Outcome, without_superseded
from aws_vpc.loader.rds import failing_in_one_line
from aws_vpc.loader.readers import Format, format_of
from aws_vpc.loader.records import Records
from aws_vpc.loader.swap import MEMORY, PIECE
from aws_vpc.loader.tables import Table

IN_MEMORY = 8 << 20
SMALL = 4  # a merge changes the table in place when that is more than so many times the object
PLACES, SAMPLE = 4, 64 << 10  # where else an object is looked into, and bytes there
ASKED = 1000  # keys that the table is asked for at most
EXPANDS = {"gz": 5, "zst": 5, "parquet": 3}  # how often CSV of the same rows is larger


def load(connection: Any, load: Load) -> Outcome:
    """What the table is after the load, committed with its line in the ledger."""
    with failing_in_one_line():
        try:
            with connection.cursor() as cursor:
                return _load(connection, cursor, load)
        except BaseException:
            if not connection.closed:
                connection.rollback()
            raise


def _load(connection: Any, cursor: Any, load: Load) -> Outcome:
    outcome = None
    for way in _ways(cursor, load):
        try:
            cursor.execute(f"SET LOCAL work_mem = '{MEMORY}'")
            outcome = way(cursor, load)
        except errors.UniqueViolation:
            connection.rollback()
        if outcome:
            break
    assert outcome is not None, "the last way knows keys that come twice"
    ledger.update(cursor, load.run, state="partial", **outcome.facts)
    connection.commit()
    return outcome


def gather_statistics(connection: Any, table: Table) -> None:
    """ANALYZE a new partition once its rows can be seen; what fails here, autovacuum does later."""
    with contextlib.suppress(psycopg2.Error), connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '500ms'")
        for part in swap.without_statistics(cursor, table):
            cursor.execute(f"ANALYZE {part}")


def _ways(cursor: Any, load: Load) -> Iterator[Callable[[Any, Load], Outcome | None]]:
    """The ways to bring the rows in, the cheapest first."""
    if load.mode == "merge" and load.table.key_is_a_number:
        yield _insert
    if swap.is_partitioned(cursor, load.table) and _is_replaced(cursor, load):
        yield _replace
    yield _change


def _insert(cursor: Any, load: Load) -> Outcome | None:
    """COPY into the table itself; None when some of the object's keys are there already."""
    name, key = swap.name_of(load.table), load.table.key[0]
    cursor.execute(f"SELECT max({sql.identifier(key)}) FROM {name}")
    last = cursor.fetchone()[0]
    records = load.records()
    keys = records.first_values(key) if last is not None else []
    if not keys or (min(keys) <= last and _any_there(cursor, load, [*keys, *_sampled(load, records, key)])):
        return None
    cursor.execute(f"SELECT count(*) FROM {name}")
    before = cursor.fetchone()[0]
    swap.copy(cursor, records, name, sql.names(records.ordered.names))
    outcome = load.settle(records)
    return outcome.leaving(before + outcome.rows)


def _any_there(cursor: Any, load: Load, keys: list[int]) -> bool:
    """Whether the table has one of the keys, or of so many of them."""
    keys = keys[:: -(-len(keys) // ASKED)]
    name, key = swap.name_of(load.table), sql.identifier(load.table.key[0])
    cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {name} WHERE {key} = ANY(%s))", (keys,))
    return bool(cursor.fetchone()[0])


def _sampled(load: Load, records: Records, key: str) -> list[int]:
    """Keys from places all over the object, which its beginning may not be like; none where it is packed."""
    last = load.source.object.size - SAMPLE
    if format_of(load.source.object.key) != Format("csv") or last < PLACES * SAMPLE:
        return []
    found = list[int]()
    for place in range(1, PLACES + 1):
        start = last * place // PLACES
        _, _, lines = load.source.peek(start, start + SAMPLE).partition(b"\n")
        found += records.whole_numbers(lines, key)
    return found


def _is_replaced(cursor: Any, load: Load) -> bool:
    """Whether the whole table is written anew."""
    if load.mode != "merge":
        return load.mode == "mirror"
    wanted = format_of(load.source.object.key)
    rows = load.source.object.size * EXPANDS.get(wanted.compression or wanted.rows, 1)
    sizes = "SELECT coalesce(sum(pg_table_size(inhrelid)), 0) FROM pg_inherits WHERE inhparent = %s::regclass"
    cursor.execute(sizes, (swap.name_of(load.table),))
    return bool(cursor.fetchone()[0] <= SMALL * rows)


def _replace(cursor: Any, load: Load) -> Outcome:
    """Put a new partition with the object's rows in the place of the one before."""
    table, part = load.table, f"{bootstrap.PARTS}.{sql.identifier(f'{load.table.name}_{load.run}')}"
    records = load.records()
    cursor.execute(f"CREATE TABLE {part} (LIKE {swap.name_of(table)})")
    swap.copy(cursor, records, part, sql.names(records.ordered.names), "FREEZE")
    outcome = load.settle(records)
    swap.finish(cursor, table, part)
    if load.mode == "merge":
        outcome = outcome.leaving(outcome.rows + _keep_others(cursor, table, part))
    swap.swap(cursor, table, [(part, bootstrap.whole(table))])
    return outcome


def _keep_others(cursor: Any, table: Table, part: str) -> int:
    """How many rows of the table, none of them named in the new partition, were taken into it."""
    name, columns = swap.name_of(table), sql.names(table.names)
    swap.take(cursor, table, "SHARE ROW EXCLUSIVE")  # nobody changes a row that has been taken over already
    off = ("nestloop", "hashjoin") if _in_order(cursor, table) else ("nestloop",)
    for way in off:
        cursor.execute(f"SET LOCAL enable_{way} = off")
    same = " AND ".join(f"part.{sql.identifier(key)} = old.{sql.identifier(key)}" for key in table.key)
    others = f"SELECT {columns} FROM {name} old WHERE NOT EXISTS (SELECT 1 FROM {part} part WHERE {same})"
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as rows:
        cursor.copy_expert(f"COPY ({others}) TO STDOUT WITH (FORMAT binary)", rows, PIECE)
        rows.seek(0)
        cursor.copy_expert(f"COPY {part} ({columns}) FROM STDIN WITH (FORMAT binary, FREEZE)", rows, PIECE)
    kept = int(cursor.rowcount)
    for way in off:
        cursor.execute(f"SET LOCAL enable_{way} = on")
    return kept


def _in_order(cursor: Any, table: Table) -> bool:
    """Whether rows lie in the order of their key: reading both sides by it takes a third of a hash join."""
    cursor.execute(
        "SELECT coalesce(min(abs(correlation)), 0) > 0.9 FROM pg_inherits JOIN pg_class ON oid = inhrelid "
        "JOIN pg_stats ON schemaname = relnamespace::regnamespace::text AND tablename = relname "
        "WHERE inhparent = %s::regclass AND attname = %s",
        (swap.name_of(table), table.key[0]),
    )
    return bool(cursor.fetchone()[0])


def _change(cursor: Any, load: Load) -> Outcome:
    """Bring the object's rows into the table through a temporary one; rows that are there stay untouched."""
    records = load.records(numbered=True)
    cursor.execute(sql.create_stage(records.ordered, warehouse=False))
    swap.copy(cursor, records, sql.STAGE, f"{sql.LINE}, {sql.names(records.ordered.names)}")
    outcome = without_superseded(cursor, load, records)
    for statement in [f"ANALYZE {sql.STAGE}", *sql.apply(load.table, load.mode)]:
        cursor.execute(statement)
    cursor.execute(f"SELECT count(*) FROM {swap.name_of(load.table)}")
    outcome = outcome.leaving(cursor.fetchone()[0])
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(sql.TEMPORARY)}")
    return outcome
