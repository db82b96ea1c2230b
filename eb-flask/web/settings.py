"""The settings of the pages, read from the environment.

    WEB_DATABASE_SECRET    ARN of the secret with the read-only login of RDS       (required)
    AWS_DEFAULT_REGION     Region of Secrets Manager                               (required)
    WEB_WAREHOUSE_SECRET   ARN of the secret with the read-only login of Redshift; empty where there is none
    WEB_THREADS            threads per worker (20); four fifths of them may ask the same database at a time
    WEB_ANSWER_SECONDS     how long a page waits for a database that does not answer (2)
    WEB_NETWORK            the deployed network, to be drawn (facts.py)
    WEB_DATA_BUCKET        the bucket with the rejected rows, where uploads go
    WEB_TLS_AHEAD          `true` where a load balancer ends TLS, read by gunicorn.conf.py
    WEB_UPLOAD             `true` lets people upload files into it (false)
    WEB_UPLOAD_MEGABYTES   the largest file (100), and WEB_UPLOAD_FOLDER, where it waits (the system's)
    WEB_HOSTS              further names that the pages answer to over plain HTTP, with commas (hosts.py)
    WEB_AUTH               `basic` asks everybody to sign in, over TLS only
    WEB_AUTH_SECRET        ARN of the secret with names and hashed passwords (signin.py)

libpq reads PGSSLROOTCERT by itself, redshift_connector SSL_CERT_FILE: the certificates to trust.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click

from .facts import NetworkFacts, parse

REQUIRED = {
    "WEB_DATABASE_SECRET": "the ARN of the secret with the web login of RDS",
    "AWS_DEFAULT_REGION": "the Region of Secrets Manager, such as eu-central-1",
}


class SettingsError(click.ClickException):
    """A setting is missing or malformed; `flask run` shows a ClickException as one line."""


@dataclass(frozen=True)
class UploadSettings:
    """Whether files may be uploaded, how large they may be, where they wait meanwhile."""

    enabled: bool = False
    megabytes: int = 100
    folder: str = ""

    @property
    def most(self) -> int:
        """The largest file in bytes."""
        return self.megabytes << 20


@dataclass(frozen=True)
class Settings:
    """What the pages need to know before they start."""

    database_secret: str
    warehouse_secret: str
    region: str
    threads: int = 20
    answer_seconds: int = 2
    network: NetworkFacts = field(default_factory=NetworkFacts)
    bucket: str = ""
    upload: UploadSettings = field(default_factory=UploadSettings)
    auth_secret: str = ""
    hosts: frozenset[str] = frozenset()

    @property
    def connections(self) -> int:
        """Connections per worker and database; threads are left when one database holds all of its own."""
        return max(1, self.threads * 4 // 5)


def read(environment: Mapping[str, str]) -> Settings:
    """The settings in the environment; the first one missing or malformed is named in a SettingsError."""
    for name, meaning in REQUIRED.items():
        if not environment.get(name):
            raise SettingsError(f"{name} is not set: give it {meaning}")
    return Settings(
        database_secret=environment["WEB_DATABASE_SECRET"],
        warehouse_secret=environment.get("WEB_WAREHOUSE_SECRET", ""),
        region=environment["AWS_DEFAULT_REGION"],
        threads=_number(environment, "WEB_THREADS", 20, 64),
        answer_seconds=_number(environment, "WEB_ANSWER_SECONDS", 2, 60),
        network=parse(environment.get("WEB_NETWORK", "")),
        bucket=environment.get("WEB_DATA_BUCKET", ""),
        upload=_upload(environment),
        auth_secret=_auth_secret(environment),
        hosts=frozenset(environment.get("WEB_HOSTS", "").lower().replace(",", " ").split()),
    )


def _upload(environment: Mapping[str, str]) -> UploadSettings:
    enabled = _choice(environment, "WEB_UPLOAD", ("false", "true")) == "true"
    if enabled and not environment.get("WEB_DATA_BUCKET"):
        raise SettingsError("WEB_DATA_BUCKET is not set: give it the bucket that uploads go to")
    folder = environment.get("WEB_UPLOAD_FOLDER") or tempfile.gettempdir()
    if enabled and not Path(folder).is_dir():
        raise SettingsError(f"WEB_UPLOAD_FOLDER is {folder!r}: give it a folder that is there")
    return UploadSettings(enabled, _number(environment, "WEB_UPLOAD_MEGABYTES", 100, 5000), folder)


def _auth_secret(environment: Mapping[str, str]) -> str:
    if _choice(environment, "WEB_AUTH", ("", "basic")) != "basic":
        return ""
    if not environment.get("WEB_AUTH_SECRET"):
        raise SettingsError(
            "WEB_AUTH_SECRET is not set: give it the ARN of the secret with names and hashed passwords"
        )
    return environment["WEB_AUTH_SECRET"]


def _choice(environment: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    value = environment.get(name) or known[0]
    if value not in known:
        raise SettingsError(f"{name} is {value!r}: give it {' or '.join(filter(None, known))}")
    return value


def _number(environment: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = environment.get(name) or str(usual)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise SettingsError(f"{name} is {text!r}: give it a number from 1 to {most}")
    return int(text)
