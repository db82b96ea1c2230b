"""What the job is told by its environment, and the two logins it fetches from Secrets Manager."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aws_vpc.loader.errors import LoadFailed

NAMES = ("RDS_HOST", "RDS_PORT", "RDS_DATABASE", "RDS_SECRET", "WEB_DATABASE_SECRET")
# All of them, or none where the warehouse is another account's or Region's.
WAREHOUSE_NAMES = (
    "REDSHIFT_HOST", "REDSHIFT_PORT", "REDSHIFT_DATABASE", "REDSHIFT_SECRET", "REDSHIFT_COPY_ROLE",
    "WEB_WAREHOUSE_SECRET",
)  # fmt: skip


@dataclass(frozen=True)
class Database:
    """Where a database is, the secret of its master user, and the secret of the user that may only read."""

    host: str
    port: int
    name: str
    secret: str
    reader_secret: str


@dataclass(frozen=True)
class Settings:
    """Everything from the environment."""

    rds: Database
    redshift: Database | None
    copy_role: str


@dataclass(frozen=True)
class Login:
    """A user name and a password."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.username!r})"


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings; every missing name in one line."""
    has_warehouse = any(environment.get(name) for name in WAREHOUSE_NAMES)
    names = NAMES + (WAREHOUSE_NAMES if has_warehouse else ())
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise LoadFailed(f"{', '.join(missing)} missing in the environment; the job definition sets them")
    return Settings(
        _database(environment, "RDS", "WEB_DATABASE_SECRET"),
        _database(environment, "REDSHIFT", "WEB_WAREHOUSE_SECRET") if has_warehouse else None,
        environment.get("REDSHIFT_COPY_ROLE", ""),
    )


def _database(environment: Mapping[str, str], prefix: str, reader: str) -> Database:
    port = environment[f"{prefix}_PORT"]
    if not port.isdecimal():
        raise LoadFailed(f"{prefix}_PORT is {port!r}, which is not a port number")
    host, name, secret = (environment[f"{prefix}_{part}"] for part in ("HOST", "DATABASE", "SECRET"))
    return Database(host, int(port), name, secret, environment[reader])


def login(secretsmanager: Any, arn: str) -> Login:
    """The user name and password that a secret holds now."""
    try:
        text = secretsmanager.get_secret_value(SecretId=arn)["SecretString"]
        value = json.loads(text)
        return Login(value["username"], value["password"])
    except (ClientError, BotoCoreError) as error:
        raise LoadFailed(f"the secret {arn} cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError):  # never shown: its text could hold the secret
        raise LoadFailed(f"the secret {arn} is not JSON with username and password") from None
