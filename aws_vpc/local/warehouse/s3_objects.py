"""The bytes of a COPY's objects, in order, decompressed, without their header lines."""

from __future__ import annotations

import bz2
import json
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any, Protocol

import botocore.config
import botocore.exceptions
import botocore.session

from aws_vpc.local.warehouse.copy_statement import Copy
from aws_vpc.local.warehouse.refusal import INTERNAL_ERROR, Refusal

CHUNK = 1 << 20


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


@cache
def client() -> Any:
    """The S3 client of this process; endpoint, Region and credentials are those of its environment."""
    config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2})
    return botocore.session.Session().create_client("s3", config=config)


def chunks(copy: Copy) -> Iterator[bytes]:
    """What PostgreSQL is to read; raises Refusal in a cluster's words when there is nothing to."""
    try:
        for bucket, key in _objects(copy):
            yield from _lines(client().get_object(Bucket=bucket, Key=key)["Body"], copy)
    except botocore.exceptions.ClientError as error:
        raise _refused(error, copy) from error
    except botocore.exceptions.BotoCoreError as error:
        raise Refusal(f"S3ServiceException: {error}", INTERNAL_ERROR) from error
    except (zlib.error, OSError, EOFError) as error:
        raise Refusal(f"Failed to decompress {copy.bucket}/{copy.key}: {error}", INTERNAL_ERROR) from error


def _objects(copy: Copy) -> list[tuple[str, str]]:
    """Bucket and key of each object: under the prefix, or listed in the manifest."""
    if copy.manifest:
        return _manifest(copy)
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=copy.bucket, Prefix=copy.key)
    found = [(copy.bucket, entry["Key"]) for page in pages for entry in page.get("Contents", ())]
    if not found:
        raise Refusal(f"The specified S3 prefix '{copy.key}' does not exist", INTERNAL_ERROR)
    return found


def _manifest(copy: Copy) -> list[tuple[str, str]]:
    body = client().get_object(Bucket=copy.bucket, Key=copy.key)["Body"].read()
    try:
        entries = json.loads(body)["entries"]
        found = []
        for entry in entries:
            bucket, _, key = entry["url"].removeprefix("s3://").partition("/")
            if entry.get("mandatory") or _exists(bucket, key):
                found.append((bucket, key))
        return found
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refusal(
            f"Invalid manifest file s3://{copy.bucket}/{copy.key}", INTERNAL_ERROR, str(error)
        ) from error


def _exists(bucket: str, key: str) -> bool:
    try:
        client().head_object(Bucket=bucket, Key=key)
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
            return False
        raise
    return True


def _lines(body: Any, copy: Copy) -> Iterator[bytes]:
    """One object's bytes behind its header, ending with a line end: the next object starts a record."""
    skip, last = copy.skip, b"\n"
    for piece in _plain(body.iter_chunks(CHUNK), copy.compression):
        rest = piece
        while skip and rest:
            _, newline, rest = rest.partition(b"\n")
            skip -= bool(newline)
        if rest:
            last = rest[-1:]
            yield rest
    if last != b"\n":
        yield b"\n"


def _plain(pieces: Iterator[bytes], compression: str) -> Iterator[bytes]:
    if not compression:
        yield from pieces
        return
    reader = _decompressor(compression)
    for piece in pieces:
        rest = piece
        while rest:
            if reader.eof:  # a file may be several compressed ones in a row
                reader = _decompressor(compression)
            yield reader.decompress(rest)
            rest = reader.unused_data if reader.eof else b""
    if not reader.eof:
        raise EOFError("the file ends too early")


def _decompressor(compression: str) -> _Decompressor:
    return zlib.decompressobj(31) if compression == "GZIP" else bz2.BZ2Decompressor()


def _refused(error: botocore.exceptions.ClientError, copy: Copy) -> Refusal:
    """The client's error as a cluster words it."""
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    text = f"S3ServiceException:{message},Status {status},Error {code}"
    return Refusal(text, INTERNAL_ERROR, f"s3://{copy.bucket}/{copy.key}")
