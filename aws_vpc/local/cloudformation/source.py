"""Where template texts come from: the request itself, S3 by its various addresses, or the stack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.exceptions import ClientError

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.wire import ServiceError
from aws_vpc.template import Template, load

HOST = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack\.)?(?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com(?:\.cn)?"
)
MORE = "For more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
BODY_LIMIT, URL_LIMIT = 51_200, 1_000_000


@lru_cache(maxsize=128)
def loaded(text: str) -> Template:
    """The checked template of the text."""
    return load(text)


def location(url: str, endpoint: str) -> tuple[str, str, str | None]:
    """Bucket, key and version of an S3 address; TemplateError when it is none."""
    parts = urlsplit(url)
    bucket, path = _bucket(parts.hostname or "", parts.port), unquote(parts.path.lstrip("/"))
    local = urlsplit(endpoint)
    if parts.port == local.port and parts.hostname in (local.hostname, "localhost", "127.0.0.1"):
        bucket = ""
    if parts.scheme == "s3":
        raise TemplateError(f"S3 error: Domain name specified in {parts.hostname} is not a valid S3 domain")
    if bucket is None or parts.scheme not in ("http", "https"):
        raise TemplateError("TemplateURL must be a supported URL.")
    if not bucket:
        bucket, _, path = path.partition("/")
    if not bucket or not path:
        raise TemplateError("TemplateURL must reference a valid S3 object to which you have access.")
    return bucket, path, parse_qs(parts.query).get("versionId", [None])[0]


def _bucket(host: str, port: int | None) -> str | None:
    """The bucket in a host name, '' for path style, None when the host is not S3's."""
    match = HOST.fullmatch(host)
    return None if match is None or port not in (None, 443) else match["bucket"] or ""


def fetch(engine: Engine, region: str, url: str) -> str:
    """The text at an S3 address."""
    bucket, key, version = location(url, engine.endpoint())
    asked = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
    try:
        content = engine.client("s3", region).get_object(**asked)["Body"].read()
    except ClientError as error:
        raise TemplateError(f"S3 error: {error.response['Error']['Message']}\n{MORE}") from None
    if len(content) > URL_LIMIT:
        raise TemplateError(f"Template may not exceed {URL_LIMIT} bytes in size.")
    try:
        return str(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise TemplateError("Template format error: unsupported structure.") from None


def given(
    engine: Engine, region: str, params: Mapping[str, Any], previous: Template | None = None
) -> Template:
    """The template a call names: one of TemplateBody, TemplateURL and UsePreviousTemplate."""
    ways = [key for key in ("TemplateBody", "TemplateURL", "UsePreviousTemplate") if params.get(key)]
    if len(ways) > 1:
        raise ServiceError("ValidationError", f"Only one of {' and '.join(ways)} may be specified.")
    if params.get("UsePreviousTemplate") and previous is not None:
        return previous
    if params.get("TemplateURL"):
        return loaded(fetch(engine, region, params["TemplateURL"]))
    body = params.get("TemplateBody")
    if not body:
        raise ServiceError("ValidationError", "Either Template URL or Template Body must be specified.")
    if len(body.encode()) > BODY_LIMIT:
        raise ServiceError(
            "ValidationError",
            f"1 validation error detected: Value '{body[:64]}...' at 'templateBody' failed to satisfy "
            f"constraint: Member must have length less than or equal to {BODY_LIMIT}",
        )
    return loaded(body)
