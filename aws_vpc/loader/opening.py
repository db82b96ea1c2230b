"""An object opened: whatever its format, the records that come of it are judged by the same checks.

CSV is read in the table's dialect; JSON Lines and Parquet become CSV in the standard one on their way.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.json_lines import JsonLines
from aws_vpc.loader.readers import format_of, text
from aws_vpc.loader.records import Records, Reject, expected
from aws_vpc.loader.source import Source
from aws_vpc.loader.tables import Dialect, Table

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # as malloc.h has them
LARGE = 256 << 10


def open_records(source: Source, table: Table, mode: str, reject: Reject, **more: Any) -> Records:
    """The records of a whole object."""
    wanted = format_of(source.object.key)
    if wanted.rows == "parquet":
        parquet = open_parquet(source)
        more |= {"names": expected(parquet.names, table, mode), "by_record": True}
        return Records(parquet.records(), standard(table), reject, mode, **more)
    chunks = text(source.chunks(), wanted, table.csv)
    if wanted.rows == "csv":
        return Records(chunks, table, reject, mode, **more)
    return json_records(_not_empty(chunks), table, mode, reject, **more)


def json_records(chunks: Iterator[bytes], table: Table, mode: str, reject: Reject, **more: Any) -> Records:
    """The records of JSON Lines."""
    lines = JsonLines(table, table.key if mode == "delete" else table.names)
    more |= {"names": lines.names, "by_record": True, "faults": lines.faults}
    lines.line = more.get("line", 1)
    return Records(lines.records(chunks), standard(table), reject, mode, **more)


def open_parquet(source: Source) -> Any:
    """The Parquet file that an object is."""
    with _little_memory():
        from aws_vpc.loader.parquet import Parquet  # pyarrow takes 30 MB, which other formats do not need
    return Parquet(source.file(), source.object.size)


@contextmanager
def _little_memory() -> Iterator[None]:
    """For the first import of pyarrow, which then keeps to it.

    Memory from the system's allocator is given back, at once with its limits set (it would raise them by
    itself, and keep 4 MB); pyarrow's own keeps some 40 MB more. numpy, which it imports where that is
    installed (the image has none), takes 10 MB and is not used: None hides it.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if set_option := getattr(ctypes.CDLL(None), "mallopt", None):  # of glibc; see mallopt(3)
        set_option(M_MMAP_THRESHOLD, LARGE)
        set_option(M_TRIM_THRESHOLD, LARGE)
    hidden: dict[str, Any] = {} if "numpy" in sys.modules else {"numpy": None}
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def standard(table: Table) -> Table:
    """The table, its rows written as everybody writes CSV."""
    return replace(table, csv=Dialect())


def _not_empty(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    if not first:
        raise LoadFailed("the object is empty: it has not a single row")
    yield first
    yield from chunks
