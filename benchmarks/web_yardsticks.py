"""What benchmarks/web.py holds the pages against: constant strings, the walkthrough's way, a slow query,
parts.

gunicorn imports this as it imports application.py; `ours` is the application itself with two addresses more.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import psycopg2
from flask import Flask
from sqlalchemy import create_engine, text
from web import create_app, formats, logs, queries
from web.db import Database

ours = create_app()
bare = Flask("bare")
walkthrough = Flask("walkthrough")


@ours.get("/constant")
def constant() -> str:
    """A string, through everything that surrounds a page."""
    return "constant"


@ours.get("/slow")
def slow() -> Any:
    """A query of 100 ms."""
    database: Database = ours.extensions["databases"]["rds"]
    return {"rows": len(database.fetch(text("SELECT pg_sleep(0.1)")).rows)}


@bare.get("/constant")
@bare.get("/healthz")
@walkthrough.get("/healthz")
def bare_constant() -> str:
    """A string, and nothing else."""
    return "constant"


@walkthrough.get("/rds/<email>")
def naive(email: str) -> str:
    """A client, a secret and a connection for each request; the e-mail goes into the SQL as it is."""
    client = boto3.client("secretsmanager")
    secret = client.get_secret_value(SecretId=os.environ["WEB_DATABASE_SECRET"])["SecretString"]
    login = json.loads(secret)
    connection = psycopg2.connect(
        host=login["host"],
        port=login["port"],
        user=login["username"],
        password=login["password"],
        dbname=login["dbname"],
        sslmode="verify-full",
    )
    cursor = connection.cursor()
    number = email.removeprefix("person").partition("@")[0]
    cursor.execute(
        f"SELECT * FROM persons WHERE id = '{number}'"
    )  # by its key, or the scan alone would decide
    row = cursor.fetchone()
    connection.close()
    return "<table><tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr></table>"


def parts() -> Iterator[tuple[str, float]]:
    """Layers of a lookup, each with what is below it, and the microseconds that it takes in one thread."""
    database: Database = ours.extensions["databases"]["rds"]
    values = {"id": 5000}
    found = queries.person(database, 5000)
    person = queries.lookups(database.tables["persons"]).person
    borrowed = database.engine.raw_connection()
    sql, arguments = "SELECT * FROM persons WHERE id = %(id)s", values

    def driver() -> None:
        with borrowed.cursor() as cursor:
            cursor.execute(sql, arguments)
            cursor.fetchall()

    def ping() -> None:
        with borrowed.cursor() as cursor:
            cursor.execute("SELECT 1")

    plain = create_engine("postgresql+psycopg2://", creator=lambda: borrowed.dbapi_connection)

    def core() -> None:
        with plain.connect() as connection:
            connection.execute(person.statement, values).mappings().all()

    facts = {"persons": found.rows, "query": found.query}
    record = {"request_id": "0" * 32, "method": "GET", "route": "/", "status": 200, "milliseconds": 1.0}
    quiet = logging.Logger("quiet")
    handler = logging.StreamHandler(open(os.devnull, "w"))  # noqa: SIM115, PTH123
    handler.setFormatter(logs.JsonFormatter())
    quiet.addHandler(handler)
    yield "the driver: execute, fetch", microseconds(driver)
    yield "a ping, once a second for each connection", microseconds(ping)
    yield "SQLAlchemy: connect, execute, rows (not used for lookups)", microseconds(core)
    yield "pool and driver, a statement compiled before", microseconds(lambda: queries.person(database, 5000))
    yield "the facts as JSON", microseconds(lambda: formats.ENCODER.encode(facts))
    yield "a line in the log", microseconds(lambda: quiet.info("request", extra={"facts": record}))
    yield "bare Flask: a constant string", microseconds(through(bare, "/constant"))
    yield "the application: a constant string", microseconds(through(ours, "/constant"))
    yield "the application: a lookup as JSON", microseconds(through(ours, "/rds/people/5000.json"))
    yield "the application: a lookup as HTML", microseconds(through(ours, "/rds/people/5000"))


def through(app: Flask, path: str) -> Callable[[], None]:
    """A request to an application, without a server."""
    environ = {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": None,
    }

    def ask() -> None:
        answer = app.wsgi_app({**environ, "PATH_INFO": path}, lambda *_: None)
        b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()

    return ask


def microseconds(work: Callable[[], Any], times: int = 2000) -> float:
    """What one run takes, the least of five series."""
    for _ in range(50):
        work()
    series = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(times // 5):
            work()
        series.append((time.perf_counter() - began) / (times // 5))
    return min(series) * 1e6
