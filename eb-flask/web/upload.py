"""An uploaded file before it goes to the bucket: who sends it, how much it is, whether it looks like rows.

Every check is on what came, not on what the browser calls it. Whether the rows are valid is the loader's
business.

A form of another site must not upload (cross-site request forgery). These pages set no cookie that such a
form could borrow, but a browser may be the only one that the network lets in, or remember the password of a
sign-in; so the request must come from a page of the same origin, as the browser says in Origin (RFC 6454,
section 7) or Sec-Fetch-Site (W3C Fetch Metadata).
"""

import gzip
import os
import tempfile
import zlib
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import urlsplit

from flask import Request, current_app

HEAD = 4096
MEGABYTE = 1 << 20
ROWS = (".csv", ".jsonl", ".ndjson")
COMPRESSED = ("", ".gz", ".zst")
SUFFIXES = (*(rows + compressed for rows in ROWS for compressed in COMPRESSED), ".parquet")
KINDS = "CSV (.csv), JSON Lines (.jsonl, .ndjson), each also compressed (.gz, .zst), or Parquet (.parquet)"
ZSTANDARD = b"\x28\xb5\x2f\xfd"  # RFC 8878, section 3.1.1


class Unfit(Exception):
    """The upload is refused; the message says why, for people."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class Upload(Request):
    """A request whose file waits in the upload folder, which the settings name, not in memory."""

    def _get_file_stream(
        self, total_content_length: int | None, content_type: str | None, *more: Any, **named: Any
    ) -> IO[bytes]:
        file = tempfile.TemporaryFile(dir=current_app.extensions["upload"].folder)  # noqa: SIM115  `close` does
        self._waiting = [*getattr(self, "_waiting", ()), file]
        return file

    def close(self) -> None:
        """Takes the files away, also those of a form that was refused half-way."""
        for file in getattr(self, "_waiting", ()):
            file.close()
        super().close()


def same_origin(headers: Mapping[str, str], host: str) -> bool:
    """Whether a form of these very pages sent the request."""
    origin = headers.get("Origin")
    if origin is not None and origin != "null":
        return urlsplit(origin).netloc.lower() == host.lower()
    return headers.get("Sec-Fetch-Site") == "same-origin"


def suffix_of(filename: str) -> str:
    """The suffix that the loader knows the format by."""
    found = [suffix for suffix in SUFFIXES if filename.lower().endswith(suffix)]
    if not found:
        raise Unfit(f"The file should be {KINDS}, and its name should say so.")
    return max(found, key=len)


def check(file: IO[bytes], filename: str, most: int) -> tuple[str, int]:
    """The suffix and the size in bytes of a file that may go to the bucket; raises Unfit."""
    suffix = suffix_of(filename)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if not size:
        raise Unfit("The file is empty.")
    if size > most:
        raise Unfit(f"The file is larger than {most // MEGABYTE} MB.", 413)
    if (head := beginning(file, suffix)) is not None:
        looks_like_rows(head, suffix)
    file.seek(0)
    return suffix, size


def beginning(file: IO[bytes], suffix: str) -> bytes | None:
    """The first bytes of the rows; None where only the loader can decompress them."""
    if suffix.endswith(".zst"):
        if file.read(4) != ZSTANDARD:
            raise Unfit("The file is not Zstandard, although its name says so.")
        return None
    if not suffix.endswith(".gz"):
        return file.read(HEAD)
    try:
        return gzip.GzipFile(fileobj=file).read(HEAD)
    except (OSError, EOFError, zlib.error):
        raise Unfit("The file is not gzip, although its name says so.") from None


def looks_like_rows(head: bytes, suffix: str) -> None:
    """Raises Unfit unless the bytes begin as the suffix says."""
    if suffix == ".parquet":
        if not head.startswith(b"PAR1"):
            raise Unfit("The file is not Parquet, although its name says so.")
        return
    try:
        text = head.decode("utf-8-sig") if len(head) < HEAD else head[:-4].decode("utf-8-sig", "ignore")
    except UnicodeDecodeError:
        raise Unfit("The file is not text in UTF-8.") from None
    first = text.lstrip().partition("\n")[0]
    if "\0" in text or not (names_columns(first) if suffix.startswith(".csv") else first.startswith("{")):
        wanted = "CSV with the names of its columns, id among them, in the first line"
        raise Unfit(
            f"The file is not {wanted if suffix.startswith('.csv') else 'JSON Lines, one object a line'}."
        )


def names_columns(line: str) -> bool:
    """Whether a line of CSV names columns, the key among them."""
    return "id" in [name.strip().strip('"').lower() for name in line.split(",")]
