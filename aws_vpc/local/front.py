"""The one address of the embedded AWS: who asks, which service, and who answers.

    request ─ credentials ─┬─ a handler of ours (CloudFormation, Batch, CodeDeploy, ...) ─┐
                           └─ moto ◄───────────────── forward ────────────────────────────┘

The service is the one the request is signed for. Unsigned requests and foreign access keys are
refused, moto's own back doors are closed. A `ServiceError` is worded in the service's protocol; any
other exception is a bug: HTTP 500, with the traceback in the supervisor's log.
"""

from __future__ import annotations

import importlib
import io
import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote_to_bytes

from aws_vpc.errors import LocalError
from aws_vpc.local import wire
from aws_vpc.local.wire import Handler, Request, Response, ServiceError
from aws_vpc.local.world import World

if TYPE_CHECKING:
    from aws_vpc.local.keeper import Keeper

log = logging.getLogger("aws_vpc.local")

# Signing name of a service to the module whose `handler(world)` answers or corrects it.
HANDLERS = {
    "batch": "aws_vpc.local.batch",
    "cloudformation": "aws_vpc.local.cloudformation",
    "codebuild": "aws_vpc.local.codebuild",
    "codedeploy": "aws_vpc.local.codedeploy",
    "ec2": "aws_vpc.local.ec2",
    "elasticbeanstalk": "aws_vpc.local.elasticbeanstalk",
    "events": "aws_vpc.local.events",
    "rds": "aws_vpc.local.rds",
    "redshift": "aws_vpc.local.redshift",
    "redshift-serverless": "aws_vpc.local.redshift_serverless",
    "s3": "aws_vpc.local.s3",
    "secretsmanager": "aws_vpc.local.secretsmanager",
    "sqs": "aws_vpc.local.sqs",
}
# answered without moto
WHOLE = ("cloudformation", "codebuild", "codedeploy", "elasticbeanstalk", "redshift-serverless")
BACK_DOORS = ("/moto-api", "/latest/")
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
_KEY = re.compile(rb'<AccessKeyId>(\w+)</AccessKeyId>|"accessKeyId"\s*:\s*"(\w+)"', re.IGNORECASE)


class Front:
    """The WSGI application: every request to the embedded AWS enters here."""

    def __init__(self, world: World, moto: Application, handlers: Mapping[str, str] = HANDLERS) -> None:
        self.world, self._moto, self._modules = world, moto, dict(handlers)
        self._handlers: dict[str, Handler] = {}
        self._loading = threading.RLock()
        self.stopped = False
        self.issued: set[str] = set()  # keys that IAM and STS made
        world.keep("world.keys", self, "issued")

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = read(environ)
        response = self.respond(request)
        if self.world.keeper is not None and response.status < 400:
            response = self._settled(self.world.keeper, request, response)
        bodiless = environ["REQUEST_METHOD"] == "HEAD" or response.status in (204, 304)
        headers = [(k, v) for k, v in response.headers if bodiless or k.lower() not in _FRAMING]
        if not bodiless:
            headers.append(("Content-Length", str(len(response.body))))
        start_response(f"{response.status} {_phrase(response.status)}", headers)
        return [] if bodiless else [response.body]

    def respond(self, request: Request) -> Response:
        """The answer to a request, whatever happens inside."""
        service = request.service or "s3"
        kind = wire.spoken(service, request)
        try:
            self._admit(request)
            handler = self.handler(service)
            response = handler(request, self.forward) if handler else self.forward(request)
        except ServiceError as error:
            return wire.failure(service, error.code, error.message, error.status, kind)
        except NotImplementedError as error:
            # 501, which clients do not retry, as they would a 500.
            return wire.failure(service, "NotImplemented", f"The embedded AWS: {error}", 501, kind)
        except Exception as error:
            log.exception("%s %s %s", service, request.method, request.path)
            text = f"The embedded AWS failed: {type(error).__name__}: {error}"
            return wire.failure(service, "InternalFailure", text, 500, kind)
        if service in ("sts", "iam"):
            self.issued.update((a or b).decode() for a, b in _KEY.findall(response.body))
        if self.world.keeper is not None and response.status < 400 and may_change(request):
            self.world.keeper.touch(service)
        return response

    def _settled(self, keeper: Keeper, request: Request, response: Response) -> Response:
        """The answer, once what it tells is on the disk; another one when that cannot be."""
        try:
            if may_change(request):
                keeper.settle()
            elif request.service == "cloudformation":
                keeper.settle_ends()
        except LocalError as error:
            service = request.service or "s3"
            kind = wire.spoken(service, request)
            return wire.failure(service, "InternalFailure", f"The embedded AWS: {error}", 500, kind)
        return response

    def forward(self, request: Request) -> Response:
        """moto's answer."""
        with self.world.moto_turn:
            return call(self._moto, request)

    def handler(self, service: str) -> Handler | None:
        """The handler of a service, made when first asked for; None when moto answers alone."""
        found = self._handlers.get(service)
        if found is None and service in self._modules:
            with self._loading:
                found = self._handlers.get(service)
                if found is None:
                    if self.stopped:
                        raise LocalError(f"no {service}: the embedded AWS is stopping")
                    module = importlib.import_module(self._modules[service])
                    found = self._handlers[service] = module.handler(self.world)
        return found

    def stop(self) -> None:
        """Stop the handlers that have something to stop, the youngest first, and make no more."""
        with self._loading:
            self.stopped = True
        for service in reversed(list(self._handlers)):
            stop = getattr(importlib.import_module(self._modules[service]), "stop", None)
            if stop:
                with suppress(Exception):
                    stop()

    def _admit(self, request: Request) -> None:
        """Refuse who does not hold this run's credentials; the key's id is compared, not the signature."""
        if request.path.startswith(BACK_DOORS):
            raise ServiceError("AccessDenied", "Access Denied", 403)
        key = access_key(request)
        if key == self.world.access_key or key in self.issued:
            return
        if request.service == "s3" or request.service is None:
            if key is None:
                raise ServiceError("AccessDenied", "Access Denied", 403)
            text = "The AWS Access Key Id you provided does not exist in our records."
            raise ServiceError("InvalidAccessKeyId", text, 403)
        if key is None:
            raise ServiceError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
        json = wire.spoken(request.service, request) not in ("query", "ec2")
        code = "UnrecognizedClientException" if json else "InvalidClientTokenId"
        raise ServiceError(code, "The security token included in the request is invalid.", 403)


READING = re.compile(r"(?:batch-?)?(?:describe|list|get|head|validate|estimate|lookup|search|test)", re.I)


def may_change(request: Request) -> bool:
    """Whether the request may change what the embedded AWS remembers, judged by its method and name."""
    if request.method in ("GET", "HEAD") and "Action=" not in request.query:
        return False
    if request.service == "s3" or request.service is None:
        return True
    name = request.headers.get("x-amz-target", "").rpartition(".")[2]
    if not name and b"Action=" in request.body + request.query.encode():
        name = wire.form(request)["Action"]
    name = name or request.path.rstrip("/").rpartition("/")[2]
    if request.service == "sts":
        return name != "GetCallerIdentity"
    return READING.match(name) is None


_FRAMING = ("content-length", "transfer-encoding", "connection")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def read(environ: dict[str, Any]) -> Request:
    """The request that a WSGI environment describes, its body read."""
    raw = environ.get("RAW_URI") or quote(environ.get("PATH_INFO", "").encode("latin-1"))
    path = raw.partition("?")[0]
    headers = {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    query = environ.get("QUERY_STRING", "")
    scope = _scope(headers, query)
    return Request(
        service=scope[3] if scope else "s3" if "AWSAccessKeyId=" in query else None,
        region=scope[2] if scope else "us-east-1",
        method=environ["REQUEST_METHOD"],
        path=path,
        query=query,
        headers=headers,
        body=_body(environ, headers),
        environ=environ,
    )


def _body(environ: dict[str, Any], headers: Mapping[str, str]) -> bytes:
    if environ.get("wsgi.input_terminated"):
        return bytes(environ["wsgi.input"].read())
    length = int(headers.get("content-length", "0") or 0)
    return bytes(environ["wsgi.input"].read(length)) if length else b""


def _scope(headers: Mapping[str, str], query: str) -> list[str] | None:
    """[key, date, region, service, 'aws4_request'] of a SigV4 request, from its header or its address."""
    text = headers.get("authorization", "").partition("Credential=")[2].partition(",")[0]
    if not text and "X-Amz-Credential=" in query:
        text = parse_qs(query)["X-Amz-Credential"][0]
    parts = text.strip().rsplit("/", 4)
    return parts if len(parts) == 5 else None


def access_key(request: Request) -> str | None:
    """The access key id that a request is signed with, by header or presigned address; None when unsigned."""
    scope = _scope(request.headers, request.query)
    if scope:
        return scope[0]
    if "AWSAccessKeyId=" in request.query:  # presigned the old way, which boto3 still does for S3
        return parse_qs(request.query)["AWSAccessKeyId"][0]
    return None


def call(application: Application, request: Request) -> Response:
    """What a WSGI application answers to a request, which a handler may have changed."""
    environ = {
        k: v for k, v in request.environ.items() if k not in ("HTTP_TRANSFER_ENCODING", "werkzeug.request")
    }
    environ.update({f"HTTP_{k.upper().replace('-', '_')}": v for k, v in request.headers.items()})
    for name in (
        "HTTP_CONTENT_TYPE",
        "HTTP_CONTENT_LENGTH",
        "HTTP_TRANSFER_ENCODING",
        "wsgi.input_terminated",
    ):
        environ.pop(name, None)
    environ.update(
        {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
            "RAW_URI": request.path + ("?" + request.query if request.query else ""),
            "QUERY_STRING": request.query,
            "CONTENT_LENGTH": str(len(request.body)),
            "wsgi.input": io.BytesIO(request.body),
        }
    )
    environ["REQUEST_URI"] = environ["RAW_URI"]
    if "content-type" in request.headers:
        environ["CONTENT_TYPE"] = request.headers["content-type"]
    answered: list[Any] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _error: Any = None
    ) -> Callable[[bytes], None]:
        answered[:] = [int(status.split()[0]), headers]
        return written.append

    written: list[bytes] = []
    chunks = application(environ, start_response)
    try:
        written.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close:
            close()
    return Response(answered[0], answered[1], b"".join(written))
