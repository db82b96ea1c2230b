"""What a database needs before the first load: the tables, the ledger, the user that may only read.

    what stands -> statements for what is missing -> nothing the second time

In PostgreSQL a table has one partition that holds everything: a load makes a new one beside it and puts it in
its place in one step, while grants, views and the name stay those of the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_vpc.loader.ledger import LOADS
from aws_vpc.loader.sql import columns, identifier, literal, names
from aws_vpc.loader.tables import Table

PARTS = "loader"  # the schema of the partitions


@dataclass(frozen=True)
class Standing:
    """What there is: tables in schema public, users, and the tables that the reader can read."""

    tables: frozenset[str]
    users: frozenset[str]
    readable: frozenset[str]


@dataclass(frozen=True)
class Reader:
    """The user that may only read, and its password as the statement takes it."""

    name: str
    password: str


def read_standing(cursor: Any, reader: str) -> Standing:
    """What stands in the database."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    tables = frozenset(row[0] for row in cursor.fetchall())
    cursor.execute("SELECT usename FROM pg_user")
    users = frozenset(row[0] for row in cursor.fetchall())
    readable = set()
    for table in tables if reader in users else ():
        cursor.execute(
            "SELECT has_table_privilege(%s, %s, 'select')", (reader, f"public.{identifier(table)}")
        )
        if cursor.fetchone()[0]:
            readable.add(table)
    return Standing(tables, users, frozenset(readable))


def postgresql(standing: Standing, tables: Sequence[Table], reader: Reader, database: str) -> list[str]:
    """The statements that RDS still needs."""
    missing = [table for table in tables if table.name not in standing.tables]
    found = [f"CREATE SCHEMA IF NOT EXISTS {PARTS}"] if missing else []
    for table in missing:
        found += _partitioned(table)
    if LOADS.name not in standing.tables:
        found.append(_plain(LOADS, warehouse=False))
        found.append('CREATE INDEX ON public.loads (bucket, "key", started)')
    if reader.name not in standing.users:
        role = identifier(reader.name)
        found += [
            f"CREATE ROLE {role} LOGIN PASSWORD {literal(reader.password)}",
            f"ALTER ROLE {role} SET default_transaction_read_only = on",
            *_public_may_not_write(database),
        ]
    return found + _grants(standing, tables, reader)


def redshift(standing: Standing, tables: Sequence[Table], reader: Reader, database: str) -> list[str]:
    """The statements that the warehouse still needs."""
    found = [_plain(table, warehouse=True) for table in (*tables, LOADS) if table.name not in standing.tables]
    if reader.name not in standing.users:
        found.append(f"CREATE USER {identifier(reader.name)} PASSWORD {literal(reader.password)}")
        found += _public_may_not_write(database)
    return found + _grants(standing, tables, reader)


def _partitioned(table: Table) -> list[str]:
    name, key = f"public.{identifier(table.name)}", names(table.key)
    return [
        f"{_plain(table, warehouse=False)} PARTITION BY RANGE ({key})",
        f"CREATE TABLE {PARTS}.{identifier(f'{table.name}_first')} PARTITION OF {name} {whole(table)}",
    ]


def whole(table: Table) -> str:
    """The bounds of the partition that holds every row."""
    ends = [", ".join([end] * len(table.key)) for end in ("MINVALUE", "MAXVALUE")]
    return f"FOR VALUES FROM ({ends[0]}) TO ({ends[1]})"


def _plain(table: Table, *, warehouse: bool) -> str:
    parts = f"{columns(table, warehouse=warehouse)}, PRIMARY KEY ({names(table.key)})"
    return f"CREATE TABLE public.{identifier(table.name)} ({parts})"


def _public_may_not_write(database: str) -> list[str]:
    return [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"REVOKE TEMP ON DATABASE {identifier(database)} FROM PUBLIC",
    ]


def _grants(standing: Standing, tables: Sequence[Table], reader: Reader) -> list[str]:
    role = identifier(reader.name)
    unread = [table.name for table in (*tables, LOADS) if table.name not in standing.readable]
    usage = [f"GRANT USAGE ON SCHEMA public TO {role}"] if unread else []
    return usage + [f"GRANT SELECT ON public.{identifier(name)} TO {role}" for name in unread]
