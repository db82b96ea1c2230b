"""S3 as moto answers it, with the events that EventBridge gets from a bucket that is told to send them.

moto forgets the EventBridge setting and its delivery breaks at the first Batch target, so the
setting is kept here and never reaches it; other notifications (SQS, SNS, Lambda) stay moto's.
So is a bucket policy, of which moto applies conditional statements as if they had no condition.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote
from xml.etree import ElementTree

from aws_vpc.local import events
from aws_vpc.local.outbox import Posted
from aws_vpc.local.wire import Forward, Handler, Request, Response
from aws_vpc.local.world import World

_SETTING = re.compile(
    rb"<(?:\w+:)?EventBridgeConfiguration\s*(?:/>|>\s*</(?:\w+:)?EventBridgeConfiguration>)"
)
SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
# Query parameters that leave a request about the object itself, not about its ACL, tags or parts.
HARMLESS = {"versionId", "x-id", "AWSAccessKeyId", "Signature", "Expires"}


@dataclass(frozen=True)
class Change:
    """One object that came or went."""

    key: str
    reason: str  # PutObject, CopyObject, CompleteMultipartUpload, DeleteObject
    version: str | None = None
    etag: str | None = None
    size: int | None = None
    marker: bool = False  # a delete marker, the versions are still there

    @property
    def created(self) -> bool:
        """Whether the object came."""
        return self.reason != "DeleteObject"


def handler(world: World) -> Handler:
    """S3: moto's answers, observed."""
    observer = Observer(world)
    world.keep("s3", observer, "sending", "policies", "_last")
    return observer.handle


class Observer:
    """The buckets that send their events to EventBridge, and the events."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sending: set[str] = set()
        self.policies: dict[str, bytes] = {}
        self._last = 0
        self._lock = threading.Lock()

    def handle(self, request: Request, forward: Forward) -> Response:
        """moto's answer; what it changed is told to EventBridge."""
        bucket, _, key = request.path.lstrip("/").partition("/")
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        if bucket.startswith("cloudformation-waitcondition-") and request.method == "PUT":
            known = self.world.wait_signal(unquote(key), request.body)
            return Response(200 if known else 404, [], b"")
        if not key and "notification" in query:
            return self._notification(bucket, request, forward)
        if not key and "policy" in query:
            return self._policy(bucket, request, forward)
        if bucket not in self.sending:
            response = forward(request)
        else:
            with self.world.moto_turn:  # no state is kept that has the change without its event
                response = forward(request)
                self._tell(bucket, unquote(key), query, request, response, forward)
        if bucket and not key and request.method == "DELETE" and not query and response.status < 300:
            self.sending.discard(bucket)
            self.policies.pop(bucket, None)
        return response

    def _tell(
        self,
        bucket: str,
        key: str,
        query: dict[str, str],
        request: Request,
        response: Response,
        forward: Forward,
    ) -> None:
        if response.status < 300:
            for change in changes(request, key, query, response, forward):
                event = self._event(bucket, change, request, response)
                self.world.outbox.post(Posted(request.region, event))

    def _notification(self, bucket: str, request: Request, forward: Forward) -> Response:
        if request.method == "PUT":
            wanted = _SETTING.search(request.body) is not None
            response = forward(replace(request, body=_SETTING.sub(b"", request.body)))
            if response.status < 300:
                (self.sending.add if wanted else self.sending.discard)(bucket)
            return response
        response = forward(request)
        if response.status == 200 and request.method == "GET" and bucket in self.sending:
            response.body = _with_setting(response.body)
        return response

    def _policy(self, bucket: str, request: Request, forward: Forward) -> Response:
        """moto's answer, which holds only the statements of a policy that it understands."""
        if request.method == "PUT":
            response = forward(replace(request, body=unconditional(request.body)))
            if response.status < 300:
                self.policies[bucket] = request.body
            return response
        response = forward(request)
        if response.status < 300 and request.method == "GET":
            response.body = self.policies.get(bucket, response.body)
        elif response.status < 300 and request.method == "DELETE":
            self.policies.pop(bucket, None)
        return response

    def _event(self, bucket: str, change: Change, request: Request, response: Response) -> dict[str, Any]:
        named = {
            "key": change.key,
            "size": change.size,
            "etag": change.etag,
            "version-id": change.version,
            "sequencer": self._sequencer(),
        }
        detail = {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {k: v for k, v in named.items() if v is not None},
            "request-id": header(response, "x-amz-request-id") or "",
            "requester": self.world.account,
            "source-ip-address": request.environ.get("REMOTE_ADDR", "127.0.0.1"),
            "reason": change.reason,
        }
        if not change.created:
            detail["deletion-type"] = "Delete Marker Created" if change.marker else "Permanently Deleted"
        return events.event(
            self.world.account,
            request.region,
            source="aws.s3",
            detail_type="Object Created" if change.created else "Object Deleted",
            detail=detail,
            resources=[f"arn:aws:s3:::{bucket}"],
        )

    def _sequencer(self) -> str:
        """A hexadecimal text that is greater for every later change, as AWS's."""
        with self._lock:
            self._last = max(self._last + 1, time.time_ns())
            return f"{self._last:018X}"


def changes(
    request: Request, key: str, query: dict[str, str], response: Response, forward: Forward
) -> Iterator[Change]:
    """The objects that a successful request brought or took."""
    version, method = header(response, "x-amz-version-id"), request.method
    etag = (header(response, "etag") or "").strip('"') or None
    whole = all(name in HARMLESS or name.startswith("X-Amz-") for name in query)
    if key and method == "PUT" and whole:
        if "x-amz-copy-source" in request.headers:
            yield _looked_up(key, "CopyObject", version, request, forward)
        else:
            size = int(request.headers.get("x-amz-decoded-content-length", len(request.body)))
            yield Change(key, "PutObject", version, etag, size)
    elif key and method == "POST" and "uploadId" in query:
        yield _looked_up(key, "CompleteMultipartUpload", version, request, forward)
    elif key and method == "DELETE" and whole:
        marker = header(response, "x-amz-delete-marker") == "true" and "versionId" not in query
        yield Change(key, "DeleteObject", version or query.get("versionId"), marker=marker)
    elif not key and method == "POST" and "delete" in query:
        yield from _deleted(response)


def _looked_up(key: str, reason: str, version: str | None, request: Request, forward: Forward) -> Change:
    """A change whose size and ETag the answer does not say, with what the object itself says."""
    query = f"versionId={quote(version)}" if version else ""
    kept = {k: v for k, v in request.headers.items() if k in ("authorization", "host", "x-amz-date")}
    found = forward(
        replace(request, method="HEAD", query=query, headers=kept, body=b"", environ=bare(request))
    )
    etag = (header(found, "etag") or "").strip('"') or None
    size = header(found, "content-length")
    return Change(
        key, reason, version or header(found, "x-amz-version-id"), etag, int(size) if size else None
    )


def bare(request: Request) -> dict[str, Any]:
    """The environment of a request without its headers."""
    return {k: v for k, v in request.environ.items() if not k.startswith(("HTTP_", "CONTENT_"))}


def _deleted(response: Response) -> Iterator[Change]:
    for item in ElementTree.fromstring(response.body).iter():
        if item.tag.rpartition("}")[2] == "Deleted":
            said = {child.tag.rpartition("}")[2]: child.text or "" for child in item}
            marker = said.get("DeleteMarker") == "true" and "VersionId" not in said
            version = said.get("DeleteMarkerVersionId") if marker else said.get("VersionId")
            yield Change(said["Key"], "DeleteObject", version, marker=marker)


def unconditional(policy: bytes) -> bytes:
    """A bucket policy without its conditional statements, which moto would apply without their conditions.

    The common one denies what does not come by TLS; what comes by loopback alone needs none.
    """
    try:
        parsed = json.loads(policy)
        statements = parsed["Statement"] if isinstance(parsed["Statement"], list) else [parsed["Statement"]]
        kept = [each for each in statements if not each.get("Condition")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return policy  # not one: moto says so
    return json.dumps({**parsed, "Statement": kept}).encode()


def _with_setting(body: bytes) -> bytes:
    """moto's notification configuration, whose root it names wrongly, with the setting in it."""
    whole = ElementTree.Element(f"{{{SPACE}}}NotificationConfiguration")
    whole.extend(list(ElementTree.fromstring(body)) if body else [])
    ElementTree.SubElement(whole, f"{{{SPACE}}}EventBridgeConfiguration")
    return bytes(ElementTree.tostring(whole, "utf-8", default_namespace=SPACE))


def header(response: Response, name: str) -> str | None:
    """A header of an answer, or None."""
    return next((value for key, value in response.headers if key.lower() == name), None)
