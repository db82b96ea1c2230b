"""The settings of the pages, read from the environment.

    WEB_DATABASE_SECRET    ARN of the secret with the read-only login of RDS       (required)
    WEB_WAREHOUSE_SECRET   ARN of the secret with the read-only login of Redshift  (required)
    AWS_DEFAULT_REGION     Region of Secrets Manager                               (required)
    WEB_THREADS            threads per worker, and connections per database and worker (8)

libpq reads PGSSLROOTCERT by itself, redshift_connector SSL_CERT_FILE: the certificates to trust.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import click

REQUIRED = {
    "WEB_DATABASE_SECRET": "the ARN of the secret with the web login of RDS",
    "WEB_WAREHOUSE_SECRET": "the ARN of the secret with the web login of Redshift",
    "AWS_DEFAULT_REGION": "the Region of Secrets Manager, such as eu-central-1",
}


class SettingsError(click.ClickException):
    """A setting is missing or malformed; `flask run` shows a ClickException as one line."""


@dataclass(frozen=True)
class Settings:
    """What the pages need to know before they start."""

    database_secret: str
    warehouse_secret: str
    region: str
    threads: int = 8


def read(environment: Mapping[str, str]) -> Settings:
    """The settings in the environment; the first one missing is named in a SettingsError."""
    for name, meaning in REQUIRED.items():
        if not environment.get(name):
            raise SettingsError(f"{name} is not set: give it {meaning}")
    return Settings(
        database_secret=environment["WEB_DATABASE_SECRET"],
        warehouse_secret=environment["WEB_WAREHOUSE_SECRET"],
        region=environment["AWS_DEFAULT_REGION"],
        threads=_threads(environment.get("WEB_THREADS") or "8"),
    )


def _threads(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 64:
        raise SettingsError(f"WEB_THREADS is {text!r}: give it a number from 1 to 64")
    return int(text)
