"""Connectivity: what this machine reaches, by which way, seen from inside.

RDS and Redshift are asked where their secrets say, Secrets Manager and S3 where boto3 would ask them. An
address tells whether a way is private; only S3 keeps its public addresses behind a gateway endpoint, which
then is known from the deployed facts alone (AWS PrivateLink guide, "Gateway endpoints for Amazon S3").
"""

import os
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redshift_connector
from flask import Blueprint, Response, current_app

from . import formats, probe
from .db import Database
from .facts import NetworkFacts
from .probe import Finding, Target
from .secrets import UNREADABLE

bp = Blueprint("connectivity", __name__)
TITLES = {"secretsmanager": "Secrets Manager", "s3": "S3"}


@bp.get("/network")
def index() -> Response:
    """Every service that the pages and the loader stand on: reached or not, and by which way."""
    with ThreadPoolExecutor(8) as side_by_side:
        found = list(side_by_side.map(finding, places()))
    network: NetworkFacts = current_app.extensions["network"]
    services = [{**asdict(one), "way": way(one, network)} for one in found]
    reached = [one.connect_milliseconds is not None and one.verified is not False for one in found]
    return formats.page("connectivity.html", {"reached": all(reached), "services": services})


def places() -> Iterator[Target | Finding]:
    """Where everything is; a finding already where the place is not known."""
    for name, database in current_app.extensions["databases"].items():
        yield of_database(database, rds_context if name == "rds" else redshift_context)
    for name, client in current_app.extensions["clients"].items():
        url = urlsplit(client.meta.endpoint_url)
        tls = url.scheme == "https"
        yield Target(TITLES[name], url.hostname or "", url.port or (443 if tls else 80), tls)


def of_database(database: Database, context: Any) -> Target | Finding:
    """Where the secret says that the database is."""
    try:
        login = database.login()
    except UNREADABLE:
        unknown = "Its secret could not be read, so its address is not known."
        return Finding(database.title, "", 0, problem=unknown)
    return Target(database.title, login.host, login.port, asks_first=True, context=context)


def finding(place: Target | Finding) -> Finding:
    """What asking the place found out."""
    return place if isinstance(place, Finding) else probe.probe(place)


def rds_context() -> ssl.SSLContext:
    """What libpq trusts: the file that PGSSLROOTCERT names, `system`, or its own usual place."""
    named = os.environ.get("PGSSLROOTCERT") or str(Path.home() / ".postgresql" / "root.crt")
    return ssl.create_default_context(cafile=None if named == "system" else named)


def redshift_context() -> ssl.SSLContext:
    """What Amazon's driver trusts: the system's authorities and the bundle in its package."""
    context = ssl.create_default_context()
    context.load_verify_locations(
        Path(redshift_connector.__file__).parent / "files" / "redshift-ca-bundle.crt"
    )
    return context


def way(one: Finding, network: NetworkFacts) -> str:
    """The way to a service in words."""
    if one.private is None:
        return "not known"
    if all(address.startswith(("127.", "::1")) for address in one.addresses):
        return "within this machine"
    if one.service == "Secrets Manager":
        return by_endpoint(network.secrets_manager_endpoint) if one.private else "by internet"
    if one.service == "S3" and not one.private:
        gateway = network.s3_gateway_endpoint
        return f"by endpoint {gateway}, a gateway in the route table" if gateway else "by internet"
    if one.service == "Redshift" and one.private and network.interconnection:
        return f"within the networks, through {network.interconnection}"
    return "within the network" if one.private else "by internet"


def by_endpoint(endpoint: str) -> str:
    """The way through an interface endpoint."""
    return f"by endpoint {endpoint}".rstrip()
