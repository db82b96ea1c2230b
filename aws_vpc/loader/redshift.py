"""Redshift: the checked rows go to S3 as gzip parts, one COPY brings them in, one transaction publishes them.

    object -> checked rows -> s3://bucket/staged/TABLE/RUN/part-*.csv.gz -> COPY -> temporary table -> table

The parts are staged even when no row is bad: COPY reads whatever version of a key is current, a load is of
one version. Keys are not enforced by a cluster, so one that comes twice is looked for in the temporary table.
Rows are deleted and inserted, only those that differ, because TRUNCATE commits, and a rename loses grants and
fails the queries that run meanwhile. COMPUPDATE and STATUPDATE are off for a table that lives for seconds;
the cluster analyses the real one by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redshift_connector
from redshift_connector.error import Error as DriverError
from redshift_connector.error import ProgrammingError

from aws_vpc.loader import bootstrap, ledger, sql
from aws_vpc.loader.errors import LoadFailed, Unreachable, WrongLogin
from aws_vpc.loader.load import Counted, Load, Outcome, without_superseded
from aws_vpc.loader.records import Records
from aws_vpc.loader.settings import Database, Login
from aws_vpc.loader.tables import Table

NOT_LET_IN = ("28P01", "28000")


def connect(database: Database, login: Login) -> Any:
    """A session over TLS with the server's certificate and name verified (SSL_CERT_FILE says by whom)."""
    try:
        return redshift_connector.connect(
            host=database.host, port=database.port, database=database.name,
            user=login.username, password=login.password,
            ssl=True, sslmode="verify-full", application_name="aws_vpc.loader",
        )  # fmt: skip
    except ProgrammingError as error:
        kind = WrongLogin if _code(error) in NOT_LET_IN else Unreachable
        raise kind(f"Redshift does not let {login.username} in: {_said(error)}") from error
    except (DriverError, OSError) as error:
        raise Unreachable(
            f"Redshift cannot be reached at {database.host}:{database.port}: {_said(error)}"
        ) from error


def _code(error: Exception) -> str:
    facts = error.args[0] if error.args else None
    return str(facts.get("C", "")) if isinstance(facts, dict) else ""


def _said(error: Exception) -> str:
    facts = error.args[0] if error.args else None
    text = str(facts.get("M", facts)) if isinstance(facts, dict) else ", ".join(map(str, error.args))
    return " ".join(text.split()) or type(error).__name__


@contextmanager
def transaction(connection: Any) -> Iterator[Any]:
    """A cursor whose statements are committed together, or none of them."""
    cursor = connection.cursor()
    try:
        yield cursor
        connection.commit()
    except (DriverError, OSError) as error:
        _roll_back(connection)
        raise LoadFailed(f"Redshift: {_said(error)}") from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: Any) -> None:
    try:
        connection.rollback()
    except (DriverError, OSError):
        connection.close()  # gone already, and with it the transaction


def prepare(connection: Any, database: Database, tables: tuple[Table, ...], reader: Login) -> list[str]:
    """What had to be made in the warehouse; nothing the second time."""
    with transaction(connection) as cursor:
        standing = bootstrap.read_standing(cursor, reader.username)
        known = bootstrap.Reader(reader.username, reader.password)
        statements = bootstrap.redshift(standing, tables, known, database.name)
        if reader.username in standing.users and not _lets_in(database, reader):
            user, password = sql.identifier(reader.username), sql.literal(reader.password)
            statements.append(f"ALTER USER {user} PASSWORD {password}")
        for statement in statements:
            cursor.execute(statement)
    return statements


def _lets_in(database: Database, reader: Login) -> bool:
    try:
        connect(database, reader).close()
    except WrongLogin:
        return False
    return True


def load(connection: Any, load: Load, copy_role: str, **line: Any) -> Outcome:
    """What the table is after the load, committed with its line in the ledger."""
    folder = (
        f"staged/{load.table.name}/"  # the table is ours alone: what else is in there is of a run that died
    )
    records = load.records(numbered=True)
    try:
        load.source.unstage(folder)
        parts = load.source.stage(f"{folder}{load.run}/", records.blocks())
        return load_staged(connection, load, records, parts, copy_role, **line)
    finally:
        load.source.unstage(folder)


def load_staged(
    connection: Any, load: Load, records: Records | Counted, parts: str, copy_role: str, **line: Any
) -> Outcome:
    """What the table is after the staged rows are in, committed with its line in the ledger."""
    with transaction(connection) as cursor:
        cursor.execute("LOCK TABLE public.loads")
        _copy(cursor, records.ordered, parts, copy_role, records.count.rows)
        outcome = without_superseded(cursor, load, records)
        for statement in sql.apply(load.table, load.mode):
            cursor.execute(statement)
        cursor.execute(f"SELECT count(*) FROM public.{sql.identifier(load.table.name)}")
        outcome = outcome.leaving(cursor.fetchone()[0])
        for name in sql.TEMPORARY:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
        ledger.insert(cursor, **line, **outcome.facts, state="loaded")
    return outcome


def _copy(cursor: Any, staged: Table, parts: str, copy_role: str, rows: int) -> None:
    """COPY the parts into a temporary table, and see that every row arrived."""
    cursor.execute(sql.create_stage(staged, warehouse=True))
    dialect = staged.csv
    cursor.execute(
        f"COPY {sql.STAGE} ({sql.LINE}, {sql.names(staged.names)}) FROM {sql.literal(parts)} "
        f"IAM_ROLE {sql.literal(copy_role)} CSV QUOTE AS {sql.literal(dialect.quote)} "
        f"DELIMITER AS {sql.literal(dialect.delimiter)} GZIP EMPTYASNULL COMPUPDATE OFF STATUPDATE OFF"
    )
    cursor.execute(f"SELECT count(*) FROM {sql.STAGE}")
    arrived = cursor.fetchone()[0]
    if arrived != rows:
        raise LoadFailed(f"Redshift took {arrived} rows of the {rows} staged; nothing was changed")
