"""The names that the pages answer to over plain HTTP.

A page of another site can have its own name point here (DNS rebinding), and the browser then takes these
pages for its own: it reads rows, and its Origin is the Host. Where the network lets in a few browsers only,
one of theirs is what such a site needs. So a name has to be one that nobody else can point here: an address,
localhost, one that AWS gives out, or one that WEB_HOSTS names. Over TLS the certificate does that.
"""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.exceptions import BadHost

from . import errors

# Names of instances, load balancers and environments, which AWS alone points anywhere.
GIVEN = (".amazonaws.com", ".amazonaws.com.cn", ".elasticbeanstalk.com", ".compute.internal", ".ec2.internal")
MISDIRECTED = 421  # RFC 9110, section 15.5.20


def install(app: Flask, names: Iterable[str]) -> None:
    """Refuses requests by plain HTTP under a name that may be anybody's."""
    known = frozenset(names)
    app.before_request(lambda: answer(known))


def answer(known: frozenset[str]) -> Response | None:
    """Nothing where the name is one of these pages; otherwise what the request is told."""
    if isinstance(request.routing_exception, BadHost):  # no page can be made, for it would have no addresses
        return Response("The Host of this request is not a name.\n", 400, content_type="text/plain")
    if request.is_secure or trusted(request.host, known):
        return None
    return errors.sentence(
        "These pages do not answer to that name over plain HTTP; WEB_HOSTS lists further names.", MISDIRECTED
    )


@lru_cache(maxsize=100)
def trusted(host: str, known: frozenset[str]) -> bool:
    """Whether a Host header names these pages, and nobody else could have pointed the name here."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if name == "localhost" or name in known or name.endswith(GIVEN):
        return True
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False
