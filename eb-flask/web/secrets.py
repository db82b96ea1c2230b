"""Logins kept in Secrets Manager: fetched by ARN, remembered, fetched again when refused."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

# A page waits for the secret at most once and never longer than for the database itself.
PATIENCE = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
BETWEEN_FETCHES = 1.0


@dataclass(frozen=True)
class Login:
    """Who to be and where, as the secret says; the password stays out of every repr."""

    username: str
    password: str = field(repr=False)
    host: str
    port: int
    dbname: str


class SecretMalformed(Exception):
    """The secret was read but is not a login."""


class Secret:
    """One secret, fetched when first asked for and remembered; safe to share between threads."""

    def __init__(self, fetch: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._login: Login | None = None
        self._fetched = 0.0

    def login(self) -> Login:
        """The login as last fetched."""
        with self._lock:
            return self._login or self._renew()

    def after(self, refused: Login) -> Login:
        """The login to try after one was refused: what another thread fetched since, or a new fetch.

        At most one fetch a second, so that a login that stays refused costs Secrets Manager little.
        """
        with self._lock:
            if self._login and (self._login != refused or self._clock() - self._fetched < BETWEEN_FETCHES):
                return self._login
            return self._renew()

    def _renew(self) -> Login:
        self._login = parse(self._fetch())
        self._fetched = self._clock()
        return self._login


def parse(text: str) -> Login:
    """The login in a secret's text, a JSON object with username, password, host, port, dbname."""
    try:
        value = json.loads(text)
        username, password, host, dbname = (
            str(value[name]) for name in ("username", "password", "host", "dbname")
        )
        return Login(username, password, host, int(value["port"]), dbname)
    except (ValueError, TypeError, KeyError) as error:
        # Without the cause: its message may quote the secret.
        raise SecretMalformed(
            f"not a JSON object with username, password, host, port, dbname ({type(error).__name__})"
        ) from None


def client(region: str) -> Any:
    """A Secrets Manager client that gives up early; where it connects is boto3's usual business."""
    return boto3.client("secretsmanager", region_name=region, config=PATIENCE)


def secret(manager: Any, arn: str) -> Secret:
    """The secret with this ARN."""
    return Secret(lambda: str(manager.get_secret_value(SecretId=arn)["SecretString"]))
