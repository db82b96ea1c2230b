"""What a client asks: an HTTP request as operation and parameters, by botocore's model of the service."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.utils import parse_timestamp

from aws_vpc.local import cbor
from aws_vpc.local.wire_types import CBOR, Request, ServiceError, Shape, model, protocol, spoken


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
            raise ServiceError(
                "InvalidAction", f"Could not find operation {name} for version {model(service).api_version}"
            )
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
            str(entry.get(shape.key.serialization.get("name", "key"))): _from_tree(
                shape.value, entry.get(shape.value.serialization.get("name", "value"), ""), kind
            )
            for entry in _numbered(tree if shape.serialization.get("flattened") else _below(tree, "entry"))
            if isinstance(entry, dict)
        }
    return _scalar(shape, tree, "iso8601")


def _query_name(name: str, member: Shape, kind: str) -> str:
    """The key of a structure member in a query string."""
    if kind == "ec2":
        written = member.serialization.get("queryName") or member.serialization.get("name") or name
        return (
            str(written[:1].upper() + written[1:])
            if "queryName" not in member.serialization
            else str(written)
        )
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
            body[name] = (
                request.body if member.type_name == "blob" else _from_plain(member, _json(request.body), "")
            )
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
        raise ServiceError(
            "SerializationException", "Start of structure or list found where a string was expected"
        )
    return "true" if value is True else "false" if value is False else str(value)
