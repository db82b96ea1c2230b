"""Pages whose databases are away, empty, slow, or refuse the login: sentences soon, and recovery."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import web_support  # noqa: F401  (puts the bundle on the path)
from embedded import until
from web import db, settings
from web.secrets import BETWEEN_FETCHES
from web_support import (
    DRIVER_WARNINGS,
    PERSONS,
    Source,
    Web,
    application_client,
    drop_persons,
    make_tables,
    running_web,
)

web = pytest.fixture(running_web, scope="module")
client = pytest.fixture(application_client)
pytestmark = DRIVER_WARNINGS

OTHER = {"rds": "redshift", "redshift": "rds"}


@pytest.fixture(params=["rds", "redshift"])
def source(web: Web, request: pytest.FixtureRequest) -> Source:
    """Each database in turn."""
    return getattr(web, request.param)


def hurry(client: Any, source: Source) -> Any:
    """The database of a source, which is given no more time than outside of tests."""
    database = client.application.extensions["databases"][source.name]
    database.limits = replace(database.limits, answer_seconds=settings.Settings.answer_seconds)
    return database


def assert_away(client: Any, name: str, state: str = "away") -> None:
    """One database is away and says so, and the other answers as always."""
    answer = client.get(f"/{name}/ann@example.com")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    databases = client.get("/.json").json["databases"]
    assert (databases[name]["up"], databases[name]["state"]) == (False, state)
    assert databases[OTHER[name]]["up"] is True
    assert databases[name]["sentence"] in client.get("/").text
    assert client.get(f"/{OTHER[name]}/ann@example.com").status_code == 200
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json == {"ok": False, "databases": {"rds": name != "rds", "redshift": name != "redshift"}}


def test_a_stopped_database_is_away_and_comes_back_by_itself(client: Any, source: Source) -> None:
    address = f"/{source.name}/ann@example.com"
    assert client.get(address).status_code == 200
    source.server.stop()
    try:
        assert_away(client, source.name)
    finally:
        source.server.start()
    until(lambda: client.get(address).status_code == 200)
    assert client.get("/readyz").status_code == 200


def test_connections_cut_by_the_server_are_replaced_unseen(client: Any, source: Source) -> None:
    address = f"/{source.name}/ann@example.com"
    assert client.get(address).status_code == 200
    source.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'web_reader'")
    assert client.get(address).status_code == 200


@pytest.fixture
def silence() -> Iterator[int]:
    """A port where somebody listens and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield listener.getsockname()[1]


def test_a_silent_server_is_given_up_within_two_seconds(
    client: Any, web: Web, source: Source, silence: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by what the drivers are given, for how long a machine takes says little of the pages."""
    database, given = hurry(client, source), list[float]()
    arguments = database._arguments
    monkeypatch.setattr(
        database, "_arguments", lambda login, seconds: given.append(seconds) or arguments(login, seconds)
    )
    monkeypatch.setattr(db, "REST_SECONDS", 3600.0)
    port, source.port = source.port, silence
    web.secrets.put_secret_value(SecretId=source.secret, SecretString=source.login())
    try:
        assert_away(client, source.name)
        assert len(given) == 1, "nobody waits for a database that is known to be away"
        assert 0 < given[0] <= 2
    finally:
        source.port = port
        web.secrets.put_secret_value(SecretId=source.secret, SecretString=source.login())


def test_a_rotated_password_is_fetched_again(client: Any, web: Web, source: Source) -> None:
    address = f"/{source.name}/ann@example.com"
    assert client.get(address).status_code == 200
    time.sleep(BETWEEN_FETCHES)
    web.rotate(source, "second-Passw0rd")
    source.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'web_reader'")
    assert client.get(address).status_code == 200


def test_a_rotation_that_is_half_done_is_waited_for(
    client: Any, web: Web, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has the new password already, the secret not before it was asked once more in vain."""
    address = f"/{source.name}/ann@example.com"
    assert client.get(address).status_code == 200
    secret = client.application.extensions["databases"][source.name]._secret
    source.password = "third-Passw0rd"
    answers = iter([secret._fetch(), source.login()])
    monkeypatch.setattr(secret, "_fetch", lambda: next(answers))
    time.sleep(BETWEEN_FETCHES)
    source.server.set_password("web_reader", source.password)
    source.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'web_reader'")
    assert client.get(address).status_code == 200
    assert next(answers, None) is None
    web.secrets.put_secret_value(SecretId=source.secret, SecretString=source.login())


@pytest.mark.parametrize(
    "change",
    [
        "DEALLOCATE ALL",
        "ALTER TABLE persons ALTER COLUMN address TYPE varchar(500)",
        "ALTER TABLE persons ALTER COLUMN address TYPE varchar(200)",
    ],
)
def test_a_prepared_lookup_that_went_stale_is_prepared_anew(client: Any, web: Web, change: str) -> None:
    assert client.get("/rds/people/1").status_code == 200
    if change == "DEALLOCATE ALL":  # as a proxy between does, that hands the session to another
        with client.application.extensions["databases"]["rds"].connection() as connection:
            connection.exec_driver_sql(change)
    else:
        web.rds.execute(change)
    assert client.get("/rds/people/1.json").json["persons"][0]["email"] == "ann@example.com"


def test_before_the_first_load_the_pages_say_so(client: Any, source: Source) -> None:
    standing = drop_persons(source)
    try:
        facts = client.get("/.json").json["databases"][source.name]
        assert (facts["up"], facts["rows"], facts["state"]) == (True, 0, "empty")
        assert "no load" in facts["sentence"]
        assert client.get(f"/{source.name}/people/1").status_code == 404
        answer = client.get(f"/{source.name}/ann@example.com")
        assert answer.status_code == 404
        assert "no load" in answer.text
        assert client.get("/readyz").status_code == 200
    finally:
        make_tables(source, standing)
    assert client.get("/.json").json["databases"][source.name]["rows"] == len(PERSONS)


def test_a_table_without_a_key_column_is_told_until_it_is_mended(client: Any, source: Source) -> None:
    source.execute("ALTER TABLE persons RENAME COLUMN email TO mail")
    try:
        for address in ("people", "people/1", "ann@example.com", "people.csv"):
            answer = client.get(f"/{source.name}/{address}")
            assert (answer.status_code, "lacks a column" in answer.text) == (503, True)
            assert "(email)" in answer.text
        assert client.get(f"/{OTHER[source.name]}/people").status_code == 200
    finally:
        source.execute("ALTER TABLE persons RENAME COLUMN mail TO email")
    assert client.get(f"/{source.name}/people/1").status_code == 200


def test_before_the_login_exists_the_pages_say_so(client: Any, source: Source) -> None:
    hurry(client, source)
    source.execute("ALTER ROLE web_reader RENAME TO other")
    try:
        assert_away(client, source.name, "refused")
    finally:
        source.execute("ALTER ROLE other RENAME TO web_reader")
        source.server.set_password("web_reader", source.password)
    until(lambda: client.get(f"/{source.name}/ann@example.com").status_code == 200)


def test_a_secret_that_cannot_be_read_takes_only_its_own_database_away(
    client: Any, web: Web, source: Source
) -> None:
    web.secrets.put_secret_value(SecretId=source.secret, SecretString="not a login")
    try:
        assert_away(client, source.name)
        assert "Secrets Manager" in client.get(f"/{source.name}/a").text
    finally:
        web.secrets.put_secret_value(SecretId=source.secret, SecretString=source.login())
    until(lambda: client.get(f"/{source.name}/ann@example.com").status_code == 200)


def test_a_slow_statement_is_cancelled_and_says_what_to_do(client: Any, source: Source) -> None:
    from sqlalchemy import text
    from web import faults

    database = client.application.extensions["databases"][source.name]
    with pytest.raises(faults.Slow, match="narrow the search") as caught, database.connection() as connection:
        connection.execute(text("set statement_timeout to 50"))
        crossed = ", ".join(f"persons p{number}" for number in range(14))
        connection.execute(text(f"select count(*) from {crossed}"))
    assert caught.value.status == 504
    database.engine.dispose()


def test_an_exhausted_pool_answers_busy_at_once(client: Any, source: Source) -> None:
    from contextlib import ExitStack

    database = client.application.extensions["databases"][source.name]
    with ExitStack() as held:
        for _ in range(database.engine.pool.size()):
            held.enter_context(database.connection())
        answer = client.get(f"/{source.name}/ann@example.com")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert database.engine.pool.timeout() < 1
    assert client.get(f"/{source.name}/ann@example.com").status_code == 200


def test_the_web_session_of_rds_cannot_write(client: Any) -> None:
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    database = client.application.extensions["databases"]["rds"]
    with database.connection() as connection, pytest.raises(DBAPIError, match="read-only transaction"):
        connection.execute(text("create temporary table t (i int)"))
