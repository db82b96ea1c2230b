"""The formats an object can have, as its name's suffixes say: what its rows are in, and how compressed.

    people.csv   people.csv.gz   people.jsonl.zst   people.ndjson   people.parquet

Each step turns chunks of bytes into chunks of bytes in constant memory; at the end of all is CSV in UTF-8 (a
Parquet file is no stream: `parquet` reads it where it lies). In: decompression, decoding. Out: S3, records.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.tables import Dialect

PIECE = 1 << 20  # of decompressed bytes at a time, however well they were compressed
EXPANSION, FREE = (
    250,
    256 << 20,
)  # rows shrink five- to fiftyfold; a megabyte that becomes a gigabyte is a bomb
ROWS = {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet"}
KNOWN = ".csv, .jsonl, .ndjson (each alone or with .gz or .zst behind it) or .parquet"


@dataclass(frozen=True)
class Format:
    """What an object's rows are written in, and how that is compressed ('' where it is not)."""

    rows: str
    compression: str = ""


def format_of(key: str) -> Format:
    """The format of an object, from the suffixes of its key."""
    *_, before, last = ["", "", *key.rsplit("/", 1)[-1].lower().split(".")[1:]]
    compression = last if last in DECOMPRESS else ""
    rows = ROWS.get(before if compression else last)
    if rows is None or (compression and rows == "parquet"):
        raise LoadFailed(f"no reader for {key}: its name should end in {KNOWN}")
    return Format(rows, compression)


def text(chunks: Iterable[bytes], wanted: Format, dialect: Dialect) -> Iterator[bytes]:
    """The chunks decompressed and in UTF-8."""
    return decoded(plain(chunks, wanted), dialect)


def plain(chunks: Iterable[bytes], wanted: Format) -> Iterator[bytes]:
    """The chunks decompressed; what expands beyond all measure is no table and ends the load."""
    if not wanted.compression:
        yield from chunks
        return
    taken = given = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for chunk in chunks:
            taken += len(chunk)
            yield chunk

    for piece in DECOMPRESS[wanted.compression](counted()):
        given += len(piece)
        refuse_bomb(given, taken)
        yield piece


def refuse_bomb(given: int, taken: int) -> None:
    """Returns when so much may come of so many bytes."""
    if given > max(FREE, EXPANSION * taken):
        raise LoadFailed(
            f"the object expands to more than {EXPANSION} times its size, which no table does; "
            "nothing was changed"
        )


def decoded(chunks: Iterable[bytes], dialect: Dialect) -> Iterator[bytes]:
    """The chunks in UTF-8."""
    encoding = codecs.lookup(dialect.encoding).name
    if encoding in ("utf-8", "ascii", "utf-8-sig"):
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise LoadFailed(f"the object is not {dialect.encoding}: {error}") from error


def read_gzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The decompressed chunks of one gzip member or of several in a row."""
    inflate, begun = zlib.decompressobj(31), False
    try:
        for chunk in chunks:
            while chunk:
                begun = True
                yield from _inflated(inflate, chunk)
                chunk = inflate.unused_data
                if inflate.eof:
                    inflate, begun = zlib.decompressobj(31), False
    except zlib.error as error:
        raise LoadFailed(f"the object is not gzip, or damaged: {error}") from error
    if begun:
        raise LoadFailed("the gzip object ends too early: it was cut off")


def _inflated(inflate: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    while not inflate.eof and (piece := inflate.decompress(chunk, PIECE)):
        yield piece
        chunk = inflate.unconsumed_tail


def read_zstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The decompressed chunks of one zstd frame or of several in a row."""
    from aws_vpc.loader import zstd  # its library costs memory that other objects do not need

    return zstd.read_zstd(chunks)


DECOMPRESS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {"gz": read_gzip, "zst": read_zstd}
