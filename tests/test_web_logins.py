"""Logins from secrets, what drivers' errors stand for, and settings: values in, values out."""

import json
from typing import Any

import pytest
import web_support  # noqa: F401  (puts the bundle on the path)
from web import faults, secrets, settings

FIRST = {"username": "web_reader", "password": "one", "host": "db", "port": 5432, "dbname": "people"}
SECOND = {**FIRST, "password": "two"}


class Manager:
    """A Secrets Manager with one secret, counting how often it is asked."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.value, self.asked = value, 0

    def fetch(self) -> str:
        """The secret's text."""
        self.asked += 1
        return json.dumps(self.value)


def test_a_secret_is_fetched_once_and_again_when_refused() -> None:
    now = [100.0]
    manager = Manager(FIRST)
    secret = secrets.Secret(manager.fetch, lambda: now[0], parse=secrets.parse)
    login = secret.value()
    assert [secret.value(), login.password, manager.asked] == [login, "one", 1]
    manager.value = SECOND
    now[0] += 5
    assert secret.after(login).password == "two"
    assert secret.after(login).password == "two", "another thread fetched it already"
    assert manager.asked == 2


def test_a_login_that_stays_refused_is_fetched_at_most_once_a_second() -> None:
    now = [100.0]
    manager = Manager(FIRST)
    secret = secrets.Secret(manager.fetch, lambda: now[0], parse=secrets.parse)
    login = secret.value()
    for _ in range(100):
        assert secret.after(login) == login
    assert manager.asked == 1
    now[0] += 1.5
    secret.after(login)
    assert manager.asked == 2


def test_a_password_is_in_no_repr() -> None:
    assert "one" not in repr(secrets.parse(json.dumps(FIRST)))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"password": "p4ss"}', json.dumps({**FIRST, "port": "p4ss"})]
)
def test_a_malformed_secret_is_said_without_quoting_it(text: str) -> None:
    with pytest.raises(secrets.SecretMalformed) as caught:
        secrets.parse(text)
    assert "p4ss" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ('connection to server at "db" failed: Connection refused', faults.Away, "connection was refused"),
        ("connection to server failed: timeout expired", faults.Away, "did not answer in time"),
        ('could not translate host name "db" to address', faults.Away, "name does not resolve"),
        ('FATAL:  password authentication failed for user "w"', faults.Away, "login was refused"),
        ("{'S': 'FATAL', 'C': '28P01', 'M': 'no'}", faults.Away, "login was refused"),
        ("SSL error: certificate verify failed", faults.Away, "could not be verified"),
        ('root certificate file "/x" does not exist', faults.Away, "PGSSLROOTCERT"),
        ("FATAL:  the database system is starting up", faults.Away, "is starting"),
        ("anything else", faults.Away, "connection was lost"),
    ],
)
def test_what_a_driver_says_becomes_a_sentence_for_people(text: str, kind: type, says: str) -> None:
    fault = faults.of(OSError(text), "RDS")
    assert isinstance(fault, kind)
    assert fault.sentence.startswith("RDS is away: ") and says in fault.sentence


@pytest.mark.parametrize(
    ("state", "kind", "status"),
    [
        ("57014", faults.Slow, 504),
        ("42P01", faults.NoTable, 404),
        ("42501", faults.Denied, 503),
        ("42703", faults.Different, 503),
    ],
)
def test_the_sqlstate_of_either_driver_decides(state: str, kind: type, status: int) -> None:
    class OfPsycopg(Exception):
        pgcode = state

    for error in (OfPsycopg(), Exception({"C": state, "M": "text"})):
        fault = faults.of(error, "RDS")
        assert isinstance(fault, kind) and fault.status == status


@pytest.mark.parametrize("name", ["WEB_THREADS", "WEB_ANSWER_SECONDS"])
@pytest.mark.parametrize("number", ["0", "65", "-1", "many", "٣", "1.5"])
def test_threads_and_seconds_are_numbers(name: str, number: str) -> None:
    required = dict.fromkeys(settings.REQUIRED, "x")
    usual = settings.read(required)
    assert (usual.threads, usual.answer_seconds) == (20, 2)
    with pytest.raises(settings.SettingsError, match=name):
        settings.read({**required, name: number})
