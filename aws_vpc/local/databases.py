"""What the RDS and the Redshift service share: a PostgreSQL installation, work in the background, answers.

moto keeps the records of both services; the corrections here put what really runs in its answers.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import string
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode

import botocore.parsers

from aws_vpc.local.postgres import Postgres
from aws_vpc.local.postgres_binaries import Installation
from aws_vpc.local.wire import Request, Response, ServiceError, answer, form, model
from aws_vpc.local.world import World

log = logging.getLogger("aws_vpc.local")

ADDRESS = "localhost"  # what the certificate is for, and all drivers find the server by
IDENTIFIER = re.compile(r"[A-Za-z](?!.*--)[A-Za-z0-9-]{0,62}(?<!-)")
RESERVED_WORDS = """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check
    collate collation column concurrently constraint create cross current_catalog current_date
    current_role current_schema current_time current_timestamp current_user default deferrable desc
    distinct do else end except false fetch for foreign freeze from full grant group having ilike in
    initially inner intersect into is isnull join lateral leading left like limit localtime
    localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
    public references returning right select session_user similar some symmetric table tablesample
    then to trailing true union unique user using variadic verbose when where window with
"""
RESERVED = frozenset(RESERVED_WORDS.split())

_installations: dict[Path, Installation] = {}
_lock = threading.Lock()


def installation(world: World) -> Installation:
    """PostgreSQL for this embedded AWS; the first call begins to prepare it in the background."""
    with _lock:
        found = _installations.get(world.root)
        if found is None:
            found = _installations[world.root] = Installation(world.root / "postgres")
            found.tidy() if world.keeping else found.clear()
            world.keep("world.databases", found, resume=partial(_drop_strangers, world, found))
            threading.Thread(target=_prepare, args=(found,), name="postgres-template", daemon=True).start()
        return found


def close(world: World) -> None:
    """Remove what PostgreSQL left of this embedded AWS, once the last of its servers is gone."""
    with _lock:
        found = _installations.get(world.root)
        if found is not None and found.close():
            del _installations[world.root]


def _drop_strangers(world: World, found: Installation) -> None:
    """Remove the data of servers and snapshots that the kept state does not know: nobody was told of them."""
    found.keep_only(set().union(*(owner() for owner in world.data_owners)))


def _prepare(found: Installation) -> None:
    try:
        found.prepare(copies=2)  # a database and a warehouse, as the templates have them
    except Exception as error:  # said again, to whoever creates an instance
        log.warning("PostgreSQL is not ready: %s", error)


def server(world: World, name: str, *, tls: bool) -> Postgres:
    """A server that is not started yet; its log is logs/<name>.log."""
    world.logs.mkdir(parents=True, exist_ok=True)
    log_file = world.logs / f"{name}.log"
    return Postgres(name, installation(world), world.processes, world.certificates, log_file, tls=tls)


def new_password(specials: str, length: int = 32) -> str:
    """A random password with every kind of character that the rules ask for."""
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits, specials)
    letters = [secrets.choice(kind) for kind in kinds]
    letters += [secrets.choice("".join(kinds)) for _ in range(length - len(kinds))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


@dataclass(frozen=True)
class Making:
    """What a new server is made from: a password and a first database, or a snapshot."""

    password: str | None
    database: str | None = None
    snapshot: str | None = None


class Background:
    """What an instance is doing: a status, and the work that leads to the next one."""

    def __init__(self, name: str) -> None:
        self.name, self.status, self.reason = name, "", ""
        self._thread: threading.Thread | None = None

    def begin(self, doing: str, then: str, work: Callable[[], None]) -> None:
        """Set the status and do the work in the background; `then` is the status after it, or `failed`."""
        self.finish()
        self.status = doing
        self._thread = threading.Thread(target=self._work, args=(then, work), name=self.name, daemon=True)
        self._thread.start()

    def _work(self, then: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self.reason, self.status = str(error).strip().partition("\n")[0], "failed"
            log.warning("%s failed: %s", self.name, self.reason)
        else:
            self.reason, self.status = "", then

    def finish(self) -> None:
        """Wait until nothing is being done."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()


def result(service: str, operation: str, response: Response) -> dict[str, Any]:
    """What a response of the query protocol says, as boto3 would have it."""
    parser = botocore.parsers.create_parser("query")
    parts = {"status_code": response.status, "headers": dict(response.headers), "body": response.body}
    parsed: dict[str, Any] = parser.parse(parts, model(service).operation_model(operation).output_shape)
    parsed.pop("ResponseMetadata", None)
    return parsed


def with_parameters(request: Request, **changes: str | None) -> Request:
    """The request with some of its flat parameters changed; None takes one away."""
    text = request.body.decode() if request.method == "POST" else request.query
    pairs = [(name, value) for name, value in parse_qsl(text, keep_blank_values=True) if name not in changes]
    encoded = urlencode(pairs + [(name, value) for name, value in changes.items() if value is not None])
    if request.method == "POST":
        return replace(request, body=encoded.encode())
    return replace(request, query=encoded)


def lower_identifier(request: Request, name: str) -> Request:
    """The request with an identifier as the service stores it: in small letters, an ARN's last part alone."""
    value = form(request).get(name, "")
    plain = value.rpartition(":")[2].lower() if value.startswith("arn:") else value.lower()
    return request if not value or plain == value else with_parameters(request, **{name: plain})


def invalid(message: str, code: str = "InvalidParameterValue") -> ServiceError:
    """The error for a parameter that breaks the service's rules."""
    return ServiceError(code, message)


def login(user: str, specials: str) -> tuple[str, str]:
    """A new password, and the text of a secret with it."""
    password = new_password(specials)
    return password, json.dumps({"username": user, "password": password})


def renew(secretsmanager: Any, secret: str, user: str, specials: str) -> tuple[str, str]:
    """The new version of a managed secret, and the new password in it."""
    password, value = login(user, specials)
    return str(secretsmanager.put_secret_value(SecretId=secret, SecretString=value)["VersionId"]), password


def corrected(
    service: str, operation: str, response: Response, member: str, correct: Callable[[dict[str, Any]], None]
) -> Response:
    """moto's answer after `correct` has put what is really there into each `member` and its plural's."""
    known = model(service)
    shape = known.operation_model(operation).output_shape if operation in known.operation_names else None
    if response.status != 200 or shape is None or not {member, f"{member}s"} & set(shape.members):
        return response
    found = result(service, operation, response)
    for record in [*found.get(f"{member}s", ()), *([found[member]] if member in found else [])]:
        correct(record)
    return answer(service, operation, found)


class Servers(Protocol):
    """The servers of a service in an embedded AWS."""

    world: World

    def rotation(self, secret: str) -> Callable[[], str] | None:
        """What rotates the secret and the password of its server; None when it is of none here."""

    def stop(self) -> None:
        """Stop the servers and remove their data."""


class Running:
    """The servers of a service in every embedded AWS of this process."""

    def __init__(self) -> None:
        self._all: list[Servers] = []

    def add(self, servers: Servers) -> None:
        """Remember those of one more embedded AWS."""
        self._all.append(servers)

    def rotation(self, world: World, secret: str) -> Callable[[], str] | None:
        """What rotates a managed master secret of an embedded AWS; None when no server has it."""
        found = (each.rotation(secret) for each in self._all if each.world is world)
        return next((rotate for rotate in found if rotate), None)

    def stop(self) -> None:
        """Stop every server and remove what they left."""
        while self._all:
            servers = self._all.pop()
            servers.stop()
            close(servers.world)
