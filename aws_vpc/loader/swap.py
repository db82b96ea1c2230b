"""A table's partitions: a new one made ready beside it, and put in the place of those before.

In: the statements, and the lock that they need. Out: where rows come from (`publish`, `assemble`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg2
from psycopg2 import errors

from aws_vpc.loader import sql
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.pipe import Pipe
from aws_vpc.loader.records import Records
from aws_vpc.loader.tables import Table

PIECE = 256 << 10
MEMORY = "64MB"  # of the server's, for a sort or a hash table
PATIENCE = 600.0  # seconds that others may hold the table before the load gives up
INDEX = re.compile(r"CREATE (UNIQUE )?INDEX .+? ON ONLY \S+ (USING .+)", re.DOTALL)


def is_partitioned(cursor: Any, table: Table) -> bool:
    cursor.execute("SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass", (name_of(table),))
    return bool(cursor.fetchone()[0])


def name_of(table: Table) -> str:
    return f"public.{sql.identifier(table.name)}"


def copy(
    cursor: Any,
    records: Records,
    target: str,
    columns: str,
    *options: str,
    blocks: Iterator[bytes] | None = None,
) -> None:
    """COPY every valid row into a table, and see that all of them arrived."""
    dialect = records.table.csv
    options = (
        "FORMAT csv",
        f"DELIMITER {sql.literal(dialect.delimiter)}",
        f"QUOTE {sql.literal(dialect.quote)}",
        *options,
    )
    with Pipe(blocks or records.blocks()) as pipe:
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


def finish(cursor: Any, table: Table, part: str) -> None:
    """Give a new partition the key and the indexes of the table."""
    cursor.execute(f"SET LOCAL maintenance_work_mem = '{MEMORY}'")
    cursor.execute(f"ALTER TABLE {part} ADD PRIMARY KEY ({sql.names(table.key)})")
    index(cursor, table, part)


def index(cursor: Any, table: Table, part: str) -> None:
    """Give a new partition the indexes of the table, those besides its key."""
    for found in _indexes(cursor, table):
        cursor.execute(f"CREATE {found[1] or ''}INDEX ON {part} {found[2]}")


def swap(cursor: Any, table: Table, parts: Sequence[tuple[str, str]]) -> None:
    """Put new partitions, each with its bounds, in the place of those of the table."""
    take(cursor, table, "ACCESS EXCLUSIVE")
    for old in _parts(cursor, table):
        cursor.execute(f"ALTER TABLE {name_of(table)} DETACH PARTITION {old}")
        cursor.execute(f"DROP TABLE {old}")
    for part, bounds in parts:
        cursor.execute(f"ALTER TABLE {name_of(table)} ATTACH PARTITION {part} {bounds}")


def _indexes(cursor: Any, table: Table) -> list[re.Match[str]]:
    """The definitions of the table's indexes besides its primary key."""
    cursor.execute(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary",
        (name_of(table),),
    )
    return [found for row in cursor.fetchall() if (found := INDEX.fullmatch(row[0]))]


def _parts(cursor: Any, table: Table) -> list[str]:
    cursor.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", (name_of(table),)
    )
    return [row[0] for row in cursor.fetchall()]


def without_statistics(cursor: Any, table: Table) -> list[str]:
    """The partitions that the planner knows too little of: not every column has been analysed."""
    cursor.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class ON oid = inhrelid "
        "WHERE inhparent = %s::regclass AND reltuples > 0 AND %s > (SELECT count(*) FROM pg_stats "
        "WHERE schemaname = relnamespace::regnamespace::text AND tablename = relname)",
        (name_of(table), len(table.columns)),
    )
    return [row[0] for row in cursor.fetchall()]


def take(cursor: Any, table: Table, mode: str) -> None:
    """Take the table for this transaction; asked again and again, so that others do not queue behind us."""
    cursor.execute("SET LOCAL lock_timeout = '500ms'")
    deadline = time.monotonic() + PATIENCE
    while True:
        cursor.execute("SAVEPOINT before_lock")
        try:
            cursor.execute(f"LOCK TABLE {name_of(table)} IN {mode} MODE")
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
