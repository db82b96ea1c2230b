"""RDS: sessions, the locks by which jobs take turns, and what a database needs before the first load.

In: logins, names of locks, statements of `bootstrap`. Out: the rows (`publish`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import extensions

from aws_vpc.loader import bootstrap, sql
from aws_vpc.loader.errors import LoadFailed, Unreachable, WrongLogin
from aws_vpc.loader.settings import Database, Login
from aws_vpc.loader.tables import Table

LOCK_SPACE = 0x6C6F6164  # "load": advisory locks are numbers, this is the loader's half of them


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
