"""Logins, and who may sign in, kept in Secrets Manager: fetched by ARN, remembered, fetched again when
refused."""

import json
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BETWEEN_FETCHES = 0.25
T = TypeVar("T")


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


# What reading a secret may raise.
UNREADABLE = (BotoCoreError, ClientError, SecretMalformed)


class Secret(Generic[T]):
    """One secret, fetched when first asked for and remembered; safe to share between threads."""

    def __init__(
        self,
        fetch: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
        *,
        parse: Callable[[str], T],
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._parse = parse
        self._lock = threading.Lock()
        self._value: T | None = None
        self._fetched = 0.0

    @property
    def remembered(self) -> T | None:
        """The value, if it was fetched already."""
        return self._value

    def value(self, oldest: float = math.inf) -> T:
        """The value; fetched now if it never was, or longer ago than so many seconds."""
        value = self._value
        if value is not None and self._clock() - self._fetched < oldest:
            return value
        with self._lock:
            if self._value is not None and self._clock() - self._fetched < oldest:
                return self._value
            return self._renew()

    def after(self, refused: T) -> T:
        """The value to try after one was refused: what another thread fetched since, or a new fetch.

        At most four fetches a second, so that a login that stays refused costs Secrets Manager little.
        """
        with self._lock:
            if self._value and (self._value != refused or self._clock() - self._fetched < BETWEEN_FETCHES):
                return self._value
            return self._renew()

    def _renew(self) -> T:
        self._value = self._parse(self._fetch())
        self._fetched = self._clock()
        return self._value


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


def client(region: str, seconds: float) -> Any:
    """A Secrets Manager client that gives up after so many seconds, at the first try: a page waits for its
    database too. Where it connects is boto3's usual business."""
    patience = Config(connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": 1})
    return boto3.client("secretsmanager", region_name=region, config=patience)


def secret(manager: Any, arn: str) -> Secret[Login]:
    """The login in the secret with this ARN."""
    return Secret(lambda: str(manager.get_secret_value(SecretId=arn)["SecretString"]), parse=parse)
