"""AWS's wire protocols, both ways, by botocore's own service models.

    parse(service, request)            -> (operation, params)     what a client asks
    answer(service, operation, result) -> Response                what it is told
    failure(service, code, message)    -> Response                that it cannot be

Spoken here: query (CloudFormation, RDS, Redshift), json 1.0 and 1.1 (CodeDeploy, EventBridge, Secrets
Manager), rest-json (Batch) and smithy-rpc-v2-cbor (CodeDeploy with a recent botocore). Errors also in
ec2's and S3's form. Everything else about ec2 and S3 is moto's.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore.loaders
import botocore.model
from botocore.utils import parse_timestamp

from aws_vpc.local import cbor
from aws_vpc.local.xml import escape

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


# ---------------------------------------------------------------- models

# The name a service signs with, where botocore calls its model something else.
MODEL_NAMES = {
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "email": "ses",
    "states": "stepfunctions",
    "execute-api": "apigateway",
}


@cache
def model(service: str) -> Any:
    """The botocore service model of a service, by the name it signs with."""
    name = MODEL_NAMES.get(service, service)
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model(name, "service-2"), name)


@cache
def protocol(service: str) -> str:
    """The protocol AWS's own clients have always spoken with the service: query, ec2, json, rest-json, rest-xml."""
    if service in ("ec2", "s3"):  # known without reading a model of some megabytes
        return {"ec2": "ec2", "s3": "rest-xml"}[service]
    try:
        metadata = model(service).metadata
    except botocore.exceptions.UnknownServiceError:
        return "json"
    known = [metadata["protocol"], *metadata.get("protocols", [])]
    return next((name for name in known if name != CBOR), CBOR)


CBOR = "smithy-rpc-v2-cbor"


def spoken(service: str, request: Request) -> str:
    """The protocol this request is in: CBOR when it says so, else the service's own."""
    return CBOR if request.headers.get("smithy-protocol") == "rpc-v2-cbor" else protocol(service)


# ---------------------------------------------------------------- requests


def parse(service: str, request: Request) -> tuple[str, dict[str, Any]]:
    """The operation that a request names, and its parameters as boto3 would write them."""
    kind = spoken(service, request)
    if kind in ("query", "ec2"):
        return _parse_query(service, request, kind)
    if kind == "rest-json":
        return _parse_rest(service, request)
    if kind == CBOR:
        name = request.path.rstrip("/").rpartition("/")[2]
        body = cbor.decode(request.body) if request.body else {}
    else:
        name = request.headers.get("x-amz-target", "").rpartition(".")[2]
        body = _json(request.body)
    shape = _operation(service, name).input_shape
    return name, (_from_plain(shape, body, "") if shape else {})


def _operation(service: str, name: str) -> Any:
    if name not in model(service).operation_names:
        if protocol(service) in ("query", "ec2"):
            raise ServiceError("InvalidAction", f"Could not find operation {name} for version "
                               f"{model(service).api_version}")
        raise ServiceError("UnknownOperationException", f"Unknown operation {name}")
    return model(service).operation_model(name)


def _json(body: bytes) -> Any:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        raise ServiceError("SerializationException", "The request body is not JSON") from None
    if not isinstance(found, dict):
        raise ServiceError("SerializationException", "Start of structure or map found where not expected.")
    return found


def form(request: Request) -> dict[str, str]:
    """The flat parameters of a query or ec2 request, from its body or its address."""
    text = request.body.decode() if request.method == "POST" else request.query
    return dict(parse_qsl(text or request.query, keep_blank_values=True))


def _parse_query(service: str, request: Request, kind: str) -> tuple[str, dict[str, Any]]:
    flat = form(request)
    name = flat.get("Action", "")
    if not name:
        raise ServiceError("MissingAction", "The request must contain the parameter Action")
    shape = _operation(service, name).input_shape
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        _plant(tree, key.split("."), value)
    return name, (_from_tree(shape, tree, kind) if shape else {})


def _plant(tree: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        below = tree.setdefault(part, {})
        if not isinstance(below, dict):  # 'A=' beside 'A.1=': the deeper one counts
            below = tree[part] = {}
        tree = below
    if not isinstance(tree.get(path[-1]), dict):
        tree[path[-1]] = value


def _from_tree(shape: Shape, tree: Any, kind: str) -> Any:
    if shape.type_name == "structure":
        branches = tree if isinstance(tree, dict) else {}
        return {
            name: _from_tree(member, branches[key], kind)
            for name, member in shape.members.items()
            for key in [_query_name(name, member, kind)]
            if key in branches
        }
    if shape.type_name == "list":
        return [_from_tree(shape.member, item, kind) for item in _numbered(_unwrapped(shape, tree, kind))]
    if shape.type_name == "map":
        return {
            str(entry.get(shape.key.serialization.get("name", "key"))):
                _from_tree(shape.value, entry.get(shape.value.serialization.get("name", "value"), ""), kind)
            for entry in _numbered(tree if shape.serialization.get("flattened") else _below(tree, "entry"))
            if isinstance(entry, dict)
        }
    return _scalar(shape, tree, "iso8601")


def _query_name(name: str, member: Shape, kind: str) -> str:
    """The key of a structure member in a query string."""
    if kind == "ec2":
        written = member.serialization.get("queryName") or member.serialization.get("name") or name
        return str(written[:1].upper() + written[1:]) if "queryName" not in member.serialization else str(written)
    if member.type_name == "list" and member.serialization.get("flattened"):
        return str(member.member.serialization.get("name", name))
    return str(member.serialization.get("name", name))


def _unwrapped(shape: Shape, tree: Any, kind: str) -> Any:
    if kind == "ec2" or shape.serialization.get("flattened"):
        return tree
    named = shape.member.serialization.get("name", "member")
    return _below(tree, named) or _below(tree, "member")


def _below(tree: Any, name: str) -> Any:
    return tree.get(name, {}) if isinstance(tree, dict) else {}


def _numbered(tree: Any) -> list[Any]:
    if not isinstance(tree, dict):
        return []
    return [tree[key] for key in sorted((key for key in tree if key.isdigit()), key=int)]


def _parse_rest(service: str, request: Request) -> tuple[str, dict[str, Any]]:
    for name, method, pattern in _routes(service):
        found = pattern.fullmatch(request.path) if method == request.method else None
        if found:
            return name, _rest_params(_operation(service, name).input_shape, request, found.groupdict())
    raise ServiceError("UnknownOperationException", f"Unknown operation {request.method} {request.path}", 404)


@cache
def _routes(service: str) -> list[tuple[str, str, re.Pattern[str]]]:
    """(operation, HTTP method, path pattern) of each operation, the most literal path first."""
    routes = []
    for name in model(service).operation_names:
        http = model(service).operation_model(name).http
        path = re.escape(http["requestUri"].partition("?")[0])
        path = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", path)
        path = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", path)
        routes.append((name, http["method"], re.compile(path + "/?")))
    return sorted(routes, key=lambda route: -len(route[2].pattern))


def _rest_params(shape: Shape | None, request: Request, uri: dict[str, str]) -> dict[str, Any]:
    if shape is None:
        return {}
    query: dict[str, list[str]] = {}
    for key, value in parse_qsl(request.query, keep_blank_values=True):
        query.setdefault(key, []).append(value)
    payload = shape.serialization.get("payload")
    body = {} if payload else _from_plain(shape, _json(request.body), "unixtimestamp")
    for name, member in shape.members.items():
        place, key = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri" and key in uri:
            # In one path segment a client may leave '/' as it is or write it as %2F.
            body[name] = _scalar(member, unquote(uri[key]), "iso8601")
        elif place == "querystring" and key in query:
            many = member.type_name == "list"
            values = [_scalar(member.member if many else member, v, "iso8601") for v in query[key]]
            body[name] = values if many else values[0]
        elif place == "header" and key.lower() in request.headers:
            body[name] = _scalar(member, request.headers[key.lower()], "rfc822")
        elif name == payload:
            body[name] = request.body if member.type_name == "blob" else _from_plain(member, _json(request.body), "")
    return body


def _from_plain(shape: Shape, value: Any, _format: str) -> Any:
    """A JSON or CBOR value as Python, by its shape: nulls of a structure gone, times and blobs decoded."""
    if value is None or getattr(shape, "is_document_type", False):
        return value
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            raise ServiceError("SerializationException", f"Expected a structure {shape.name}")
        return {
            name: _from_plain(member, value[key], _format)
            for name, member in shape.members.items()
            for key in [member.serialization.get("name", name)]
            if member.serialization.get("location") is None and value.get(key) is not None
        }
    if shape.type_name == "list":
        if not isinstance(value, list):
            raise ServiceError("SerializationException", f"Expected a list {shape.name}")
        return [_from_plain(shape.member, item, _format) for item in value]
    if shape.type_name == "map":
        if not isinstance(value, dict):
            raise ServiceError("SerializationException", f"Expected a map {shape.name}")
        return {key: _from_plain(shape.value, item, _format) for key, item in value.items()}
    return _scalar(shape, value, "unixtimestamp")


def _scalar(shape: Shape, value: Any, _format: str) -> Any:
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(value)
            case "float" | "double":
                return float(value)
            case "boolean":
                return value if isinstance(value, bool) else str(value).lower() == "true"
            case "blob":
                return value if isinstance(value, bytes) else base64.b64decode(value)
            case "timestamp":
                return value if isinstance(value, datetime) else parse_timestamp(value)
            case _:
                return value if isinstance(value, str) else _text(value)
    except (TypeError, ValueError):
        raise ServiceError("SerializationException", f"{value!r} is not a {shape.type_name}") from None


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise ServiceError("SerializationException", "Start of structure or list found where a string was expected")
    return "true" if value is True else "false" if value is False else str(value)


# ---------------------------------------------------------------- answers


def answer(
    service: str, operation: str, result: Mapping[str, Any] | None = None, protocol_: str | None = None
) -> Response:
    """The answer to an operation, in the service's protocol or the one given (see `spoken`)."""
    kind, request_id = protocol_ or protocol(service), str(uuid.uuid4())
    shape = model(service).operation_model(operation).output_shape
    result = result or {}
    if kind in ("query", "ec2"):
        return _query_answer(service, operation, shape, result, request_id)
    if kind == CBOR:
        body = cbor.encode(_to_plain(shape, result, kind) if shape else {})
        return Response(200, [*_headers(request_id, "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")], body)
    if kind == "rest-json":
        return _rest_answer(service, operation, shape, result, request_id)
    return Response(200, _headers(request_id, _json_type(service)), _dump(shape, result))


def _json_type(service: str) -> str:
    return f"application/x-amz-json-{model(service).metadata.get('jsonVersion', '1.1')}"


def _headers(request_id: str, content_type: str) -> list[tuple[str, str]]:
    return [("Content-Type", content_type), ("x-amzn-RequestId", request_id)]


def _dump(shape: Shape | None, result: Any) -> bytes:
    return json.dumps(_to_plain(shape, result, "json") if shape else {}, ensure_ascii=False).encode()


def _rest_answer(
    service: str, operation: str, shape: Shape | None, result: Mapping[str, Any], request_id: str
) -> Response:
    status = model(service).operation_model(operation).http.get("responseCode", 200)
    headers = _headers(request_id, "application/json")
    body = dict(result)
    for name, member in (shape.members.items() if shape else ()):
        if member.serialization.get("location") == "header" and name in body:
            headers.append((member.serialization.get("name", name), _xml_scalar(member, body.pop(name))))
        elif member.serialization.get("location") == "statusCode":
            status = body.pop(name, status)
    return Response(status, headers, _dump(shape, body))


def _to_plain(shape: Shape, value: Any, kind: str) -> Any:
    """A Python value as JSON or CBOR has it, by its shape; a member that is None is left out."""
    if value is None or getattr(shape, "is_document_type", False):
        return value
    match shape.type_name:
        case "structure":
            return {
                member.serialization.get("name", name): _to_plain(member, value[name], kind)
                for name, member in shape.members.items()
                if value.get(name) is not None
            }
        case "list":
            return [_to_plain(shape.member, item, kind) for item in value]
        case "map":
            return {str(key): _to_plain(shape.value, item, kind) for key, item in value.items()}
        case "timestamp":
            return cbor.Timestamp(_epoch(value)) if kind == CBOR else _epoch(value)
        case "blob":
            raw = value.encode() if isinstance(value, str) else bytes(value)
            return raw if kind == CBOR else base64.b64encode(raw).decode()
        case "float" | "double":
            return float(value)
        case "integer" | "long":
            return int(value)
        case "boolean":
            return bool(value)
        case _:
            return str(value)


def _epoch(value: Any) -> float:
    moment = value if isinstance(value, datetime) else parse_timestamp(value)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return float(moment.timestamp())


def _query_answer(
    service: str, operation: str, shape: Shape | None, result: Mapping[str, Any], request_id: str
) -> Response:
    wrapper = (shape.serialization.get("resultWrapper") if shape else None) or f"{operation}Result"
    inner = _xml_members(shape, result) if shape else ""
    text = (
        f'<{operation}Response xmlns="{model(service).metadata.get("xmlNamespace", "")}">'
        + (f"<{wrapper}>{inner}</{wrapper}>" if shape else "")
        + f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Response(200, _headers(request_id, "text/xml"), text.encode())


def _xml_members(shape: Shape, value: Mapping[str, Any]) -> str:
    return "".join(
        _xml(member, member.serialization.get("name", name), value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None
    )


def _xml(shape: Shape, tag: str, value: Any) -> str:
    if value is None:
        return ""
    if shape.type_name == "structure":
        return f"<{tag}>{_xml_members(shape, value)}</{tag}>"
    if shape.type_name == "list":
        if shape.serialization.get("flattened"):
            tag = shape.member.serialization.get("name", tag)
            return "".join(_xml(shape.member, tag, item) for item in value)
        name = shape.member.serialization.get("name", "member")
        return f"<{tag}>{''.join(_xml(shape.member, name, item) for item in value)}</{tag}>"
    if shape.type_name == "map":
        return _xml_map(shape, tag, value)
    return f"<{tag}>{escape(_xml_scalar(shape, value))}</{tag}>"


def _xml_map(shape: Shape, tag: str, value: Mapping[str, Any]) -> str:
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    entries = [_xml(shape.key, key_name, k) + _xml(shape.value, value_name, v) for k, v in value.items()]
    if shape.serialization.get("flattened"):
        return "".join(f"<{tag}>{entry}</{tag}>" for entry in entries)
    return f"<{tag}>" + "".join(f"<entry>{entry}</entry>" for entry in entries) + f"</{tag}>"


def _xml_scalar(shape: Shape, value: Any) -> str:
    match shape.type_name:
        case "boolean":
            return "true" if value else "false"
        case "timestamp":
            return _iso8601(value)
        case "blob":
            return base64.b64encode(value.encode() if isinstance(value, str) else bytes(value)).decode()
        case _:
            return str(value)


def _iso8601(value: Any) -> str:
    moment = value if isinstance(value, datetime) else parse_timestamp(value)
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ---------------------------------------------------------------- errors


def failure(
    service: str, code: str, message: str, status: int = 400, protocol_: str | None = None
) -> Response:
    """An error in the service's protocol, or in the one given (see `spoken`)."""
    kind, request_id = protocol_ or protocol(service), str(uuid.uuid4())
    if kind in ("query", "ec2", "rest-xml"):
        return Response(status, _headers(request_id, "text/xml"), _xml_error(service, kind, code, message, status, request_id))
    if kind == CBOR:
        namespace = f"com.amazonaws.{service}"
        body = cbor.encode({"__type": f"{namespace}#{code}", "message": message})
        return Response(status, [*_headers(request_id, "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")], body)
    body = json.dumps({"__type": code, "message": message}).encode()
    kind_type = "application/json" if kind == "rest-json" else "application/x-amz-json-1.1"
    return Response(status, [*_headers(request_id, kind_type), ("x-amzn-ErrorType", code)], body)


def _xml_error(service: str, kind: str, code: str, message: str, status: int, request_id: str) -> bytes:
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if kind == "rest-xml":
        text = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
    elif kind == "ec2":
        text = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        side = "Sender" if status < 500 else "Receiver"
        text = (f'<ErrorResponse xmlns="{model(service).metadata.get("xmlNamespace", "")}"><Error><Type>{side}</Type>'
                f"{inner}</Error><RequestId>{request_id}</RequestId></ErrorResponse>")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode()
