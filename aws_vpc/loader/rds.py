"""RDS: one transaction per object, the rows through COPY from a stream, readers see the old rows or the new.

    mirror   COPY into a new partition beside the table -> key and indexes -> put in the old one's place
    merge    COPY into a temporary table -> the rows that differ -> delete, insert
    delete   COPY into a temporary table -> delete by key

A new partition needs no check of its own for a key that comes twice: its primary key fails, and the object is
read again into a temporary table that knows the lines. The lock of a table is held for the whole run.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import errors, extensions

from aws_vpc.loader import bootstrap, ledger, sql
from aws_vpc.loader.errors import LoadFailed, Unreachable, WrongLogin
from aws_vpc.loader.load import Load, Outcome, without_superseded
from aws_vpc.loader.pipe import Pipe
from aws_vpc.loader.records import Records
from aws_vpc.loader.settings import Database, Login
from aws_vpc.loader.tables import Table

LOCK_SPACE = 0x6C6F6164  # "load": advisory locks are numbers, this is the loader's half of them
PIECE = 256 << 10
PATIENCE = 600.0  # seconds that others may hold the table before the load gives up
INDEX = re.compile(r"CREATE (UNIQUE )?INDEX .+? ON ONLY \S+ (USING .+)", re.DOTALL)


def connect(database: Database, login: Login, run: str = "") -> Any:
    """A session over TLS with the server's certificate and name verified (PGSSLROOTCERT says by whom)."""
    try:
        return psycopg2.connect(
            host=database.host, port=database.port, dbname=database.name,
            user=login.username, password=login.password,
            sslmode="verify-full", connect_timeout=10, application_name=f"aws_vpc.loader {run}".strip(),
            keepalives_idle=60, keepalives_interval=10, keepalives_count=6,
        )  # fmt: skip
    except psycopg2.OperationalError as error:
        reason = " ".join(str(error).split())
        if "authentication failed" in reason:
            raise WrongLogin(f"RDS does not let {login.username} in: {reason}") from error
        raise Unreachable(f"RDS cannot be reached at {database.host}:{database.port}: {reason}") from error


@contextmanager
def failing_in_one_line() -> Iterator[None]:
    """Turns what the server says into our error."""
    try:
        yield
    except psycopg2.Error as error:
        said = (error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__).strip()
        detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
        raise LoadFailed(f"RDS: {said}{detail}") from error


@contextmanager
def lock(connection: Any, name: str) -> Iterator[None]:
    """Holds the lock of that name for the session, after waiting for whoever has it."""
    number = zlib.crc32(name.encode()) - 2**31
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", (LOCK_SPACE, number))
        connection.commit()
        try:
            yield
        finally:
            if not connection.closed:
                connection.rollback()
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_SPACE, number))
                connection.commit()


def prepare(connection: Any, database: Database, tables: tuple[Table, ...], reader: Login) -> list[str]:
    """What had to be made in the database; nothing the second time."""
    with failing_in_one_line(), connection, connection.cursor() as cursor:
        verifier = extensions.encrypt_password(
            reader.password, reader.username, scope=connection, algorithm="scram-sha-256"
        )
        hidden = bootstrap.Reader(reader.username, verifier)
        standing = bootstrap.read_standing(cursor, reader.username)
        statements = bootstrap.postgresql(standing, tables, hidden, database.name)
        if reader.username in standing.users and not _lets_in(database, reader):
            statements.append(
                f"ALTER ROLE {sql.identifier(reader.username)} PASSWORD {sql.literal(verifier)}"
            )
        for statement in statements:
            cursor.execute(statement)
    return statements


def _lets_in(database: Database, reader: Login) -> bool:
    try:
        connect(database, reader).close()
    except WrongLogin:
        return False
    return True


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
    if load.mode == "mirror" and _is_partitioned(cursor, load.table):
        try:
            outcome = _replace(cursor, load)
        except errors.UniqueViolation:
            connection.rollback()
    outcome = outcome or _change(cursor, load)
    ledger.update(cursor, load.run, state="partial", **outcome.facts)
    connection.commit()
    return outcome


def _is_partitioned(cursor: Any, table: Table) -> bool:
    cursor.execute("SELECT relkind = 'p' FROM pg_class WHERE oid = %s::regclass", (_name(table),))
    return bool(cursor.fetchone()[0])


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
    cursor.execute(f"ALTER TABLE {part} ADD PRIMARY KEY ({sql.names(table.key)})")
    for index in _indexes(cursor, table):
        cursor.execute(f"CREATE {index[1] or ''}INDEX ON {part} {index[2]}")
    cursor.execute(f"ANALYZE {part}")
    _wait_for(cursor, table)
    for old in _parts(cursor, table):
        cursor.execute(f"ALTER TABLE {_name(table)} DETACH PARTITION {old}")
        cursor.execute(f"DROP TABLE {old}")
    cursor.execute(f"ALTER TABLE {_name(table)} ATTACH PARTITION {part} {bootstrap.whole(table)}")
    return outcome


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


def _wait_for(cursor: Any, table: Table) -> None:
    """Take the table for this transaction; asked again and again, so that readers do not queue behind us."""
    cursor.execute("SET LOCAL lock_timeout = '500ms'")
    deadline = time.monotonic() + PATIENCE
    while True:
        cursor.execute("SAVEPOINT before_lock")
        try:
            cursor.execute(f"LOCK TABLE {_name(table)} IN ACCESS EXCLUSIVE MODE")
        except errors.LockNotAvailable as error:
            if time.monotonic() > deadline:
                raise LoadFailed(
                    f"another session has held {table.name} for {PATIENCE:.0f} s; nothing changed"
                ) from error
            cursor.execute("ROLLBACK TO before_lock")
            time.sleep(0.1)
        else:
            return


def _change(cursor: Any, load: Load) -> Outcome:
    """Bring the object's rows into the table through a temporary one; rows that are there stay untouched."""
    records = load.records(numbered=True)
    cursor.execute("SET LOCAL work_mem = '64MB'")
    cursor.execute(sql.create_stage(records.ordered, warehouse=False))
    _copy(cursor, records, sql.STAGE, f"{sql.LINE}, {sql.names(records.ordered.names)}")
    outcome = without_superseded(cursor, load, records)
    for statement in [f"ANALYZE {sql.STAGE}", *sql.apply(load.table, load.mode)]:
        cursor.execute(statement)
    cursor.execute(f"SELECT count(*) FROM {_name(load.table)}")
    outcome = outcome.leaving(cursor.fetchone()[0])
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(sql.TEMPORARY)}")
    return outcome
