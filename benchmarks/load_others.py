"""The usual ways to bring a CSV file into PostgreSQL; benchmarks/load.py runs it in its own environment.

    python load_others.py METHOD FILE ROWS HOST PORT USER DATABASE     password and CA from the environment

Prints the seconds from the file to the commit. The packages are in load_others.txt.
"""

from __future__ import annotations

import csv
import os
import ssl
import sys
import time
from collections.abc import Callable
from typing import Any

NAMES = ("id", "email", "state", "postal", "address")


def rows(path: str, count: int) -> list[tuple[Any, ...]]:
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123  runs without the project
        reader = csv.reader(file)
        next(reader)
        return [(int(row[0]), *row[1:]) for row, _ in zip(reader, range(count), strict=False)]


def frame(path: str, count: int) -> Any:
    import pandas

    return pandas.read_csv(path, nrows=count, dtype={"postal": str})


def engine(address: dict[str, Any]) -> Any:
    import sqlalchemy

    url = sqlalchemy.URL.create("postgresql+psycopg2", **address, query={"sslmode": "verify-full"})
    return sqlalchemy.create_engine(url)


def execute_values(path: str, count: int, address: dict[str, Any]) -> None:
    import psycopg2
    import psycopg2.extras

    login = {"user": address["username"], **{k: v for k, v in address.items() if k != "username"}}
    with psycopg2.connect(**login, sslmode="verify-full") as connection, connection.cursor() as cursor:
        psycopg2.extras.execute_values(
            cursor, "insert into others values %s", rows(path, count), page_size=1000
        )


def insertmanyvalues(path: str, count: int, address: dict[str, Any]) -> None:
    import sqlalchemy

    table = sqlalchemy.Table("others", sqlalchemy.MetaData(), *(sqlalchemy.Column(name) for name in NAMES))
    with engine(address).begin() as connection:
        values = [dict(zip(NAMES, row, strict=True)) for row in rows(path, count)]
        connection.execute(table.insert().returning(table.c.id), values)


def to_sql(path: str, count: int, address: dict[str, Any]) -> None:
    frame(path, count).to_sql("others", engine(address), if_exists="append", index=False)


def awswrangler(path: str, count: int, address: dict[str, Any]) -> None:
    import awswrangler
    import pg8000

    context = ssl.create_default_context(cafile=os.environ["PGSSLROOTCERT"])
    login = {"user": address["username"], **{k: v for k, v in address.items() if k != "username"}}
    with pg8000.connect(**login, ssl_context=context) as connection:
        awswrangler.postgresql.to_sql(frame(path, count), connection, table="others", schema="public")


METHODS: dict[str, Callable[[str, int, dict[str, Any]], None]] = {
    "execute_values": execute_values, "insertmanyvalues": insertmanyvalues,
    "to_sql": to_sql, "awswrangler": awswrangler,
}  # fmt: skip


def main() -> None:
    method, path, count, host, port, user, database = sys.argv[1:]
    address = {"host": host, "port": int(port), "username": user, "database": database}
    address["password"] = os.environ["PGPASSWORD"]
    METHODS[method](path, 1, address)  # imports and the first session are not counted
    began = time.monotonic()
    METHODS[method](f"{path}.rest", int(count), address)
    print(time.monotonic() - began)


if __name__ == "__main__":
    main()
