"""The rows into RDS: one transaction per object, COPY from a stream, readers see the old rows or the new.

    append   COPY straight into the table, when a merge begins above its highest key
    replace  COPY into a new partition beside the table -> for a merge, the rows of the old one that the
             object does not name -> key and indexes -> put in the old one's place
    change   COPY into a temporary table -> the rows that differ -> delete, insert

A mirror replaces, and so does a merge of an object that is not small beside the table: writing a partition
anew and building its key takes less time than changing half of its rows. A key that comes twice in the
object, or is in the table after all, makes the primary key fail, and the object is read for the next way.

A new partition is visible whole to every session from the commit on, also to one whose snapshot is older,
because all its rows are frozen; that is why those taken over go out and in again through COPY.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
from psycopg2 import errors

from aws_vpc.loader import bootstrap, ledger, sql
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.load import Load, Outcome, without_superseded
from aws_vpc.loader.pipe import Pipe
from aws_vpc.loader.rds import failing_in_one_line
from aws_vpc.loader.readers import format_of
from aws_vpc.loader.records import Records
from aws_vpc.loader.tables import Table

PIECE = 256 << 10
IN_MEMORY = 8 << 20
PATIENCE = 600.0  # seconds that others may hold the table before the load gives up
MEMORY = "64MB"  # of the server's, for a sort or a hash table
SMALL = 4  # a merge changes the table in place when that is more than so many times the object
EXPANDS = {"gz": 5, "zst": 5, "parquet": 3}  # how often CSV of the same rows is larger
INDEX = re.compile(r"CREATE (UNIQUE )?INDEX .+? ON ONLY \S+ (USING .+)", re.DOTALL)


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


def _ways(cursor: Any, load: Load) -> Iterator[Callable[[Any, Load], Outcome | None]]:
    """The ways to bring the rows in, the cheapest first."""
    if load.mode == "merge" and load.table.key_is_a_number:
        yield _append
    if _is_partitioned(cursor, load.table) and _is_replaced(cursor, load):
        yield _replace
    yield _change


def _append(cursor: Any, load: Load) -> Outcome | None:
    """COPY into the table itself; None when the object's first rows are not beyond the table's last key."""
    name, key = _name(load.table), load.table.key[0]
    cursor.execute(f"SELECT max({sql.identifier(key)}), count(*) FROM {name}")
    last, before = cursor.fetchone()
    records = load.records()
    if not before or min(records.first_values(key), default=0) <= last:
        return None
    _copy(cursor, records, name, sql.names(records.ordered.names))
    outcome = load.settle(records)
    return outcome.leaving(before + outcome.rows)


def _is_partitioned(cursor: Any, table: Table) -> bool:
    cursor.execute("SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass", (_name(table),))
    return bool(cursor.fetchone()[0])


def _is_replaced(cursor: Any, load: Load) -> bool:
    """Whether the whole table is written anew."""
    if load.mode != "merge":
        return load.mode == "mirror"
    wanted = format_of(load.source.object.key)
    rows = load.source.object.size * EXPANDS.get(wanted.compression or wanted.rows, 1)
    sizes = "SELECT coalesce(sum(pg_table_size(inhrelid)), 0) FROM pg_inherits WHERE inhparent = %s::regclass"
    cursor.execute(sizes, (_name(load.table),))
    return bool(cursor.fetchone()[0] <= SMALL * rows)


def _name(table: Table) -> str:
    return f"public.{sql.identifier(table.name)}"


def _replace(cursor: Any, load: Load) -> Outcome:
    """Put a new partition with the object's rows in the place of the one before."""
    table, part = load.table, f"{bootstrap.PARTS}.{sql.identifier(f'{load.table.name}_{load.run}')}"
    records = load.records()
    cursor.execute(f"CREATE TABLE {part} (LIKE {_name(table)})")
    _copy(
        cursor, records, part, sql.names(records.ordered.names), "FREEZE"
    )  # frozen: no reader's snapshot is too old
    outcome = load.settle(records)
    cursor.execute(f"ANALYZE {part}")  # a fresh table's rows are guessed at a tenth, and joined accordingly
    if load.mode == "merge" and (kept := _keep_others(cursor, table, part)):
        outcome = outcome.leaving(outcome.rows + kept)
        cursor.execute(f"ANALYZE {part}")
    cursor.execute(f"SET LOCAL maintenance_work_mem = '{MEMORY}'")
    cursor.execute(f"ALTER TABLE {part} ADD PRIMARY KEY ({sql.names(table.key)})")
    for index in _indexes(cursor, table):
        cursor.execute(f"CREATE {index[1] or ''}INDEX ON {part} {index[2]}")
    _take(cursor, table, "ACCESS EXCLUSIVE")
    for old in _parts(cursor, table):
        cursor.execute(f"ALTER TABLE {_name(table)} DETACH PARTITION {old}")
        cursor.execute(f"DROP TABLE {old}")
    cursor.execute(f"ALTER TABLE {_name(table)} ATTACH PARTITION {part} {bootstrap.whole(table)}")
    return outcome


def _keep_others(cursor: Any, table: Table, part: str) -> int:
    """How many rows of the table, none of them named in the new partition, were taken into it."""
    name, columns = _name(table), sql.names(table.names)
    _take(cursor, table, "SHARE ROW EXCLUSIVE")  # nobody changes a row that has been taken over already
    # without statistics on either side a nested loop may look cheap
    cursor.execute("SET LOCAL enable_nestloop = off")
    same = " AND ".join(f"part.{sql.identifier(key)} = old.{sql.identifier(key)}" for key in table.key)
    others = f"SELECT {columns} FROM {name} old WHERE NOT EXISTS (SELECT 1 FROM {part} part WHERE {same})"
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as rows:
        cursor.copy_expert(f"COPY ({others}) TO STDOUT WITH (FORMAT binary)", rows, PIECE)
        rows.seek(0)
        cursor.copy_expert(f"COPY {part} ({columns}) FROM STDIN WITH (FORMAT binary, FREEZE)", rows, PIECE)
    kept = int(cursor.rowcount)
    cursor.execute("SET LOCAL enable_nestloop = on")
    return kept


def _copy(cursor: Any, records: Records, target: str, columns: str, *options: str) -> None:
    """COPY every valid row into a table, and see that all of them arrived."""
    dialect = records.table.csv
    options = (
        "FORMAT csv",
        f"DELIMITER {sql.literal(dialect.delimiter)}",
        f"QUOTE {sql.literal(dialect.quote)}",
        *options,
    )
    with Pipe(records.blocks()) as pipe:
        try:
            cursor.copy_expert(
                f"COPY {target} ({columns}) FROM STDIN WITH ({', '.join(options)})", pipe, PIECE
            )
        except psycopg2.Error:
            if pipe.error:
                raise pipe.error from None
            raise
    if cursor.rowcount != records.count.rows:
        raise LoadFailed(
            f"RDS took {cursor.rowcount} rows of the {records.count.rows} sent; nothing was changed"
        )


def _indexes(cursor: Any, table: Table) -> list[re.Match[str]]:
    """The definitions of the table's indexes besides its primary key."""
    cursor.execute(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary",
        (_name(table),),
    )
    return [found for row in cursor.fetchall() if (found := INDEX.fullmatch(row[0]))]


def _parts(cursor: Any, table: Table) -> list[str]:
    cursor.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", (_name(table),)
    )
    return [row[0] for row in cursor.fetchall()]


def _take(cursor: Any, table: Table, mode: str) -> None:
    """Take the table for this transaction; asked again and again, so that others do not queue behind us."""
    cursor.execute("SET LOCAL lock_timeout = '500ms'")
    deadline = time.monotonic() + PATIENCE
    while True:
        cursor.execute("SAVEPOINT before_lock")
        try:
            cursor.execute(f"LOCK TABLE {_name(table)} IN {mode} MODE")
        except errors.LockNotAvailable as error:
            if time.monotonic() > deadline:
                raise LoadFailed(
                    f"another session has held {table.name} for {PATIENCE:.0f} s; nothing changed"
                ) from error
            cursor.execute("ROLLBACK TO before_lock")
            time.sleep(0.1)
        else:
            cursor.execute("RELEASE before_lock")  # COPY FREEZE has to be where the table was made
            return


def _change(cursor: Any, load: Load) -> Outcome:
    """Bring the object's rows into the table through a temporary one; rows that are there stay untouched."""
    records = load.records(numbered=True)
    cursor.execute(sql.create_stage(records.ordered, warehouse=False))
    _copy(cursor, records, sql.STAGE, f"{sql.LINE}, {sql.names(records.ordered.names)}")
    outcome = without_superseded(cursor, load, records)
    for statement in [f"ANALYZE {sql.STAGE}", *sql.apply(load.table, load.mode)]:
        cursor.execute(statement)
    cursor.execute(f"SELECT count(*) FROM {_name(load.table)}")
    outcome = outcome.leaving(cursor.fetchone()[0])
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(sql.TEMPORARY)}")
    return outcome
