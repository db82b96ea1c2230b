"""What a client is told: a result or an error as an HTTP answer, by botocore's model of the service."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.utils import parse_timestamp

from aws_vpc.local import cbor
from aws_vpc.local.wire_types import CBOR, Response, Shape, model, protocol
from aws_vpc.local.xml import escape


def answer(
    service: str, operation: str, result: Mapping[str, Any] | None = None, protocol_: str | None = None
) -> Response:
    """The answer to an operation, in the service's protocol or the one given (see `spoken`)."""
    kind, request_id = protocol_ or protocol(service), str(uuid.uuid4())
    shape = model(service).operation_model(operation).output_shape
    result = result or {}
    if kind == "ec2":
        return _ec2_answer(service, operation, shape, result, request_id)
    if kind == "query":
        return _query_answer(service, operation, shape, result, request_id)
    if kind == CBOR:
        body = cbor.encode(_to_plain(shape, result, kind) if shape else {})
        return Response(
            200, [*_headers(request_id, "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")], body
        )
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
    for name, member in shape.members.items() if shape else ():
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


def _ec2_answer(
    service: str, operation: str, shape: Shape | None, result: Mapping[str, Any], request_id: str
) -> Response:
    """As `_query_answer`, without a wrapper around the members."""
    text = (
        f'<{operation}Response xmlns="http://ec2.amazonaws.com/doc/{model(service).api_version}/">'
        f"<requestId>{request_id}</requestId>{_xml_members(shape, result) if shape else ''}"
        f"</{operation}Response>"
    )
    return Response(200, _headers(request_id, "text/xml;charset=UTF-8"), text.encode())


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


def failure(
    service: str, code: str, message: str, status: int = 400, protocol_: str | None = None
) -> Response:
    """An error in the service's protocol, or in the one given (see `spoken`)."""
    kind, request_id = protocol_ or protocol(service), str(uuid.uuid4())
    if kind in ("query", "ec2", "rest-xml"):
        return Response(
            status,
            _headers(request_id, "text/xml"),
            _xml_error(service, kind, code, message, status, request_id),
        )
    if kind == CBOR:
        namespace = f"com.amazonaws.{service}"
        body = cbor.encode({"__type": f"{namespace}#{code}", "message": message})
        return Response(
            status, [*_headers(request_id, "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")], body
        )
    body = json.dumps({"__type": code, "message": message}).encode()
    kind_type = "application/json" if kind == "rest-json" else "application/x-amz-json-1.1"
    return Response(status, [*_headers(request_id, kind_type), ("x-amzn-ErrorType", code)], body)


def _xml_error(service: str, kind: str, code: str, message: str, status: int, request_id: str) -> bytes:
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if kind == "rest-xml":
        text = f"<Error>{inner}<RequestId>{request_id}</RequestId></Error>"
    elif kind == "ec2":
        text = (
            f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        )
    else:
        side = "Sender" if status < 500 else "Receiver"
        namespace = model(service).metadata.get("xmlNamespace", "")
        text = (
            f'<ErrorResponse xmlns="{namespace}"><Error><Type>{side}</Type>{inner}</Error>'
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode()
