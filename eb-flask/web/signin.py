"""Sign-in, where the operator wants it: names and passwords by HTTP Basic (RFC 7617), over TLS only.

The secret is a JSON object, name -> hash, as werkzeug.security.generate_password_hash makes it; it is read
again every minute. A hash costs some 50 ms to check, so a password that was right is remembered, keyed with
random bytes of this process; one that was wrong ten times in a minute is not looked at for the rest of it.
"""

import hashlib
import json
import secrets as random
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from werkzeug.security import check_password_hash, generate_password_hash

from . import errors, faults
from .secrets import UNREADABLE, Secret, SecretMalformed

OPEN = ("static", "health.healthz")
CHALLENGE = 'Basic realm="People", charset="UTF-8"'
FAILURES, MINUTE = 10, 60.0
AT_ONCE = 2  # hashes checked at the same time, so that guessing leaves the other threads to everybody else
MOST_REMEMBERED = 1000
Users = dict[str, str]


class SignIn:
    """Who may come in, and what is remembered about those who tried."""

    def __init__(self, users: Secret[Users], clock: Callable[[], float] = time.monotonic) -> None:
        self._users = users
        self._clock = clock
        self._key = random.token_bytes(32)
        self._right: set[bytes] = set()
        self._wrong: dict[str, list[float]] = {}
        self._checking = threading.BoundedSemaphore(AT_ONCE)
        self._nobody = generate_password_hash(random.token_urlsafe())

    def lets_in(self, name: str, password: str) -> bool:
        """Whether the password is that of the name; raises TooMany after ten that were not."""
        known = self._users.value(oldest=MINUTE)
        digest = self._digest(name, password, known.get(name, ""))
        if digest in self._right:
            return True
        self._limit(name)
        if not self._checking.acquire(timeout=1):
            raise TooMany
        try:
            # An unknown name takes as long as a known one.
            right = check_password_hash(known.get(name, self._nobody), password) and name in known
        finally:
            self._checking.release()
        self._remember(name, digest, right)
        return right

    def _digest(self, *parts: str) -> bytes:
        text = json.dumps(parts).encode()
        return hashlib.blake2b(text, key=self._key).digest()

    def _limit(self, name: str) -> None:
        since = self._clock() - MINUTE
        recent = [at for at in self._wrong.get(name, ()) if at > since]
        if len(recent) >= FAILURES:
            raise TooMany
        if recent:
            self._wrong[name] = recent

    def _remember(self, name: str, digest: bytes, right: bool) -> None:
        for store in (self._right, self._wrong):
            if len(store) >= MOST_REMEMBERED:
                store.clear()
        if right:
            self._right.add(digest)
            self._wrong.pop(name, None)
        else:
            self._wrong.setdefault(name, []).append(self._clock())


class TooMany(Exception):
    """Too many wrong passwords, or too many at once."""


def parse(text: str) -> Users:
    """The users in the secret's text."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
        raise SecretMalformed("not a JSON object of names and hashed passwords")
    return value


def install(app: Flask, secret: Secret[Users] | None) -> None:
    """Asks everybody to sign in, if there is a secret that says who may."""
    if secret:
        sign_in = SignIn(secret)
        app.before_request(lambda: answer(sign_in))


def answer(sign_in: SignIn) -> Response | None:
    """Nothing where the request may go on; otherwise what it is told."""
    if request.endpoint in OPEN:
        return None
    if not request.is_secure:
        return errors.sentence("These pages ask for a password, so they answer over HTTPS only.", 403)
    given = request.authorization
    try:
        if given and given.type == "basic" and sign_in.lets_in(given.username or "", given.password or ""):
            return None
    except TooMany:
        return retry(
            errors.sentence("There were too many attempts to sign in; wait a minute.", 429), int(MINUTE)
        )
    except UNREADABLE:
        unknown = "Nobody can sign in: the passwords could not be read from Secrets Manager."
        return retry(errors.sentence(unknown, 503), faults.RETRY_SECONDS)
    response = errors.sentence("Sign in to see these pages.", 401)
    response.headers["WWW-Authenticate"] = CHALLENGE
    return response


def retry(response: Response, seconds: int) -> Response:
    """The response, saying when to come again."""
    response.headers["Retry-After"] = str(seconds)
    return response


def users(manager: Any, arn: str) -> Secret[Users]:
    """The secret with this ARN, read as users."""
    return Secret(lambda: str(manager.get_secret_value(SecretId=arn)["SecretString"]), parse=parse)
