"""The S3 side of a load: the object itself, the rows set aside, the parts that the warehouse copies.

In: one version of one object, read in order, taken up again where a connection broke. Out: what they mean.
"""

from __future__ import annotations

import io
import itertools
import os
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import IO, Any

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from aws_vpc.loader.errors import LoadFailed

CHUNK = 1 << 20
TRIES = 5
PART = 8 << 20  # bytes in a staged part, which waits in a file: memory is for reading
AT_ONCE = TransferConfig(multipart_threshold=1 << 30, use_threads=False)  # in one request, up to that size
BROKEN = (BotoCoreError, HTTPError, OSError)
GONE = ("NoSuchKey", "NoSuchVersion", "404", "NoSuchBucket", "MethodNotAllowed", "405")


@dataclass(frozen=True)
class Object:
    """One version of an S3 object, and when it was put among the events of its key."""

    bucket: str
    key: str
    version: str = ""
    etag: str = ""
    sequencer: str = ""
    size: int = 0

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Source:
    """One object's bytes, and what is written back to its bucket."""

    def __init__(self, s3: Any, wanted: Object, pause: Callable[[float], None] = time.sleep) -> None:
        self._s3, self._pause = s3, pause
        self.object = self._described(wanted)
        self.taken = 0  # bytes of the object that have arrived

    def _described(self, wanted: Object) -> Object:
        """The object with the facts that S3 has of it."""
        try:
            head = self._ask(self._s3.head_object, wanted)
        except BROKEN as error:
            raise LoadFailed(f"{wanted} cannot be asked for: {error}") from error
        etag = head["ETag"].strip('"')
        version = wanted.version or head.get("VersionId", "")
        return replace(
            wanted, etag=etag, version="" if version == "null" else version, size=head["ContentLength"]
        )

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The object's bytes, all or from `start` to `stop`; from where they broke off when they did."""
        position, tries = start, 0
        stop = self.object.size if stop is None else stop
        while position < stop:
            try:
                for chunk in self._open(position, stop).iter_chunks(CHUNK):
                    position, tries = position + len(chunk), 0
                    self.taken += len(chunk)
                    yield chunk
            except BROKEN as error:
                tries += 1
                if tries == TRIES:
                    raise LoadFailed(
                        f"reading {self.object} broke off at byte {position}: {error}"
                    ) from error
                self._pause(0.2 * 2**tries)

    def peek(self, start: int, stop: int) -> bytes:
        """Some of the object's bytes, which do not count as taken."""
        taken, found = self.taken, b"".join(self.chunks(start, stop))
        self.taken = taken
        return found

    def file(self) -> io.RawIOBase:
        """The object as a file that can be read from any place, each time with a request of its own."""
        return _Seekable(self)

    def _open(self, start: int, stop: int) -> Any:
        ranged = {} if (start, stop) == (0, self.object.size) else {"Range": f"bytes={start}-{stop - 1}"}
        return self._ask(self._s3.get_object, self.object, **ranged)["Body"]

    def _ask(self, call: Callable[..., Any], wanted: Object, **more: str) -> Any:
        """The answer of a call about exactly this version of the object."""
        if wanted.version and wanted.version != "null":
            more["VersionId"] = wanted.version
        if wanted.etag:
            more["IfMatch"] = f'"{wanted.etag}"'
        try:
            return call(Bucket=wanted.bucket, Key=wanted.key, **more)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("412", "PreconditionFailed"):
                raise LoadFailed(
                    f"{wanted} was replaced meanwhile; the event of the new one loads it"
                ) from error
            if code in GONE:
                raise LoadFailed(f"{wanted} is not there (any more): {code}") from error
            raise LoadFailed(f"{wanted} cannot be read: {error}") from error

    def put_rejects(self, run: str, content: IO[bytes]) -> str:
        """The key under which the rows set aside are now."""
        key = f"rejected/{self.object.key}/{run}.csv"[:1024]
        try:
            self._s3.upload_fileobj(
                content, self.object.bucket, key, ExtraArgs={"ContentType": "text/csv"}, Config=AT_ONCE
            )
        except (ClientError, BotoCoreError) as error:
            raise LoadFailed(f"the rejected rows cannot be written to {key}: {error}") from error
        return key

    def stage(self, folder: str, blocks: Iterator[bytes]) -> str:
        """The prefix under which the blocks are now, as gzip parts."""
        for _ in self.staging(f"{folder}part-", blocks):
            pass
        return f"s3://{self.object.bucket}/{folder}part-"

    def staging(self, prefix: str, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The blocks as they are, while they are put under a prefix as gzip parts."""
        names = (f"{prefix}{number:05}.csv.gz" for number in itertools.count())
        with tempfile.TemporaryFile() as part:
            gzip = _gzip()
            for block in blocks:
                part.write(gzip.compress(block))
                if part.tell() >= PART:
                    part.write(gzip.flush())
                    self._put_part(next(names), part)
                    gzip = _gzip()
                yield block
            part.write(gzip.flush())
            self._put_part(next(names), part)

    def _put_part(self, key: str, part: IO[bytes]) -> None:
        """Put what is in the file, and empty it."""
        part.seek(0)
        try:
            self._s3.put_object(Bucket=self.object.bucket, Key=key, Body=part)
        except (ClientError, BotoCoreError) as error:
            raise LoadFailed(f"the checked rows cannot be staged at {key}: {error}") from error
        part.seek(0)
        part.truncate()

    def unstage(self, folder: str) -> None:
        """Remove every staged part under a folder, all versions of it: they hold people's data."""
        pages = self._s3.get_paginator("list_object_versions").paginate(
            Bucket=self.object.bucket, Prefix=folder
        )
        for page in pages:
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            parts = [{"Key": part["Key"], "VersionId": part["VersionId"]} for part in found]
            if parts:
                self._s3.delete_objects(Bucket=self.object.bucket, Delete={"Objects": parts, "Quiet": True})


class _Seekable(io.RawIOBase):
    """An object as a file: each read asks S3 for just that range."""

    def __init__(self, source: Source) -> None:
        self._source, self._position = source, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._source.object.size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        end = self._source.object.size
        stop = end if size < 0 else min(self._position + size, end)
        data = b"".join(self._source.chunks(self._position, stop))
        self._position += len(data)
        return data


def _gzip() -> Any:
    return zlib.compressobj(1, zlib.DEFLATED, 31)
