"""The formats an object can have: its name's suffixes say which, each turns bytes into bytes of UTF-8 CSV.

A reader is a generator over chunks; several chain, `people.csv.gz` is `gz` then `csv`. In: decompression,
decoding, constant memory. Out: S3, records.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterable, Iterator

from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.tables import Dialect

Reader = Callable[[Iterable[bytes], Dialect], Iterator[bytes]]
PIECE = 1 << 20  # of decompressed bytes at a time, however well they were compressed


def read_csv(chunks: Iterable[bytes], dialect: Dialect) -> Iterator[bytes]:
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


def read_gzip(chunks: Iterable[bytes], dialect: Dialect) -> Iterator[bytes]:
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


READERS: dict[str, Reader] = {"csv": read_csv, "gz": read_gzip}


def reader_for(key: str) -> Reader:
    """The reader for an object, from the suffixes of its key."""
    name = key.rsplit("/", 1)[-1].lower()
    suffixes = name.split(".")[1:]
    wanted = suffixes[-2:] if suffixes[-1:] == ["gz"] else suffixes[-1:]
    if not wanted or wanted[0] == "gz" or any(suffix not in READERS for suffix in wanted):
        raise LoadFailed(f"no reader for {key}: its name should end in .csv or .csv.gz")

    def read(chunks: Iterable[bytes], dialect: Dialect) -> Iterator[bytes]:
        for suffix in reversed(wanted):
            chunks = READERS[suffix](chunks, dialect)
        return iter(chunks)

    return read
