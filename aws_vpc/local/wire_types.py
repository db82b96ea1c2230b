"""Requests, answers and errors of the embedded AWS, and the service models that give them their form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore.exceptions
import botocore.loaders
import botocore.model

CBOR = "smithy-rpc-v2-cbor"

Shape = Any  # botocore.model.Shape: botocore ships no types


@dataclass
class Request:
    """One HTTP request to the embedded AWS."""

    service: str | None  # from the SigV4 credential scope ('cloudformation', 's3', ...); None when unsigned
    region: str
    method: str
    path: str  # as on the wire: percent-encoded, without the query
    query: str
    headers: dict[str, str] = field(repr=False)  # lower-case names
    body: bytes = field(repr=False)
    environ: dict[str, Any] = field(repr=False)


@dataclass
class Response:
    """One HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = field(repr=False)


Forward = Callable[[Request], Response]
Handler = Callable[[Request, Forward], Response]


class ServiceError(Exception):
    """An answer that is an error; the front words it in the service's protocol."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


# The names that services sign with, where botocore calls its model something else.
MODEL_NAMES = {
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "email": "ses",
    "states": "stepfunctions",
    "execute-api": "apigateway",
}


@cache
def loader() -> Any:
    """The one loader of botocore's models: what it has read, it remembers."""
    return botocore.loaders.Loader()


@cache
def model(service: str) -> Any:
    """The botocore service model of a service, by the name it signs with."""
    name = MODEL_NAMES.get(service, service)
    return botocore.model.ServiceModel(loader().load_service_model(name, "service-2"), name)


@cache
def protocol(service: str) -> str:
    """The protocol that every AWS client speaks with the service: query, ec2, json, rest-json or rest-xml."""
    if service in ("ec2", "s3"):  # known without reading a model of some megabytes
        return {"ec2": "ec2", "s3": "rest-xml"}[service]
    try:
        metadata = model(service).metadata
    except botocore.exceptions.UnknownServiceError:
        return "json"
    known = [metadata["protocol"], *metadata.get("protocols", [])]
    return next((name for name in known if name != CBOR), CBOR)


def spoken(service: str, request: Request) -> str:
    """The protocol this request is in: CBOR when it says so, else the service's own."""
    return CBOR if request.headers.get("smithy-protocol") == "rpc-v2-cbor" else protocol(service)
