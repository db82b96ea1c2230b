"""The data bucket as the pages use it: an upload goes under incoming/, rejected rows come from rejected/.

The role in AWS allows no more than that. An object's key says when it was uploaded and what the file was
called:

    incoming/people-20261126T063000Z-3f9a1c-customers.csv        incoming/merge/...    incoming/delete/...
"""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# A file of the largest size allowed is sent in one request, which S3 answers when it has all of it.
PATIENCE = Config(connect_timeout=2, read_timeout=30, retries={"total_max_attempts": 2})
MODES = {"replace": "", "merge": "merge/", "delete": "delete/"}
KEY = re.compile(
    r"incoming/(?:(?:merge|delete)/)?people-(\d{8}T\d{6}Z)-[0-9a-f]{6}-[a-z0-9-]{0,40}(?:[.][a-z]+)+\Z"
)
REJECTED = re.compile(r"rejected/[^\0]{1,1000}\Z")
PIECE = 1 << 16


class Refused(Exception):
    """S3 did not do it; the message says what, for people."""


@dataclass(frozen=True)
class Bucket:
    """The data bucket, or none: then nothing can be uploaded or downloaded."""

    client: Any
    name: str

    def put(self, key: str, body: IO[bytes], size: int) -> None:
        """Puts a new object."""
        try:
            self.client.put_object(Bucket=self.name, Key=key, Body=body, ContentLength=size)
        except (BotoCoreError, ClientError) as error:
            raise Refused(
                f"S3 did not take the file ({reason(error)}). Nothing was loaded; try again."
            ) from error

    def lines(self, key: str) -> Iterator[str]:
        """The lines of an object in UTF-8, with their ends; asked for before the first is given."""
        try:
            body = self.client.get_object(Bucket=self.name, Key=key)["Body"]
        except (BotoCoreError, ClientError) as error:
            raise Refused(f"S3 did not give the rejected rows ({reason(error)}).") from error
        return (line.decode("utf-8", "replace") for line in body.iter_lines(PIECE, keepends=True))


def client(region: str) -> Any:
    """An S3 client that gives up early; where it connects is boto3's usual business."""
    return boto3.client("s3", region_name=region, config=PATIENCE)


def reason(error: Exception) -> str:
    """What botocore says went wrong, without the values of the request."""
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code") or type(error).__name__)


def key_for(filename: str, suffix: str, mode: str, now: datetime | None = None) -> str:
    """A new key for an upload: the time, six random digits, and what is plain in the file's name."""
    stem = filename.replace("\\", "/").rsplit("/", 1)[-1].lower().removesuffix(suffix)
    plain = re.sub("[^a-z0-9]+", "-", stem)[:40].strip("-")
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    return f"incoming/{MODES[mode]}people-{stamp}-{secrets.token_hex(3)}-{plain}{suffix}"


def uploaded(key: str) -> datetime | None:
    """When the object of a key was uploaded by these pages; None where it was not."""
    found = KEY.match(key)
    try:
        return datetime.strptime(found[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None
