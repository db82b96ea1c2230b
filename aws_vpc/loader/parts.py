"""A large object in parts: the plan that all jobs of its run share, and the records of one part.

    plan.json          what is loaded, and its pieces (bytes, or Parquet row groups)
    fact-00001.json    what is known of a piece by itself (`split`); Parquet needs none
    part-00001.json    how many rows of a part are staged, how many are bad
    bad-00001.csv      those

They lie under staged/_parts/TABLE/RUN/ in the bucket, whose lifecycle forgets them after a day. In: the
object and these files. Out: databases, jobs.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from aws_vpc.loader import opening, split
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.readers import decoded, format_of, plain
from aws_vpc.loader.records import Records, Reject, expected
from aws_vpc.loader.source import Object, Source
from aws_vpc.loader.tables import Table

SINGLE_BYTES = ("utf-8", "utf8", "ascii", "latin-1", "latin1", "iso-8859-1", "iso-8859-15", "cp1252")


class Whole(Exception):
    """Why an object cannot be loaded in parts."""


@dataclass(frozen=True)
class Plan:
    """What the jobs of one run share."""

    run: str
    table: str
    mode: str
    object: Object
    names: tuple[str, ...]
    pieces: tuple[tuple[int, int], ...]  # bytes from and to; of Parquet row groups from and to
    lines: tuple[int, ...] = ()  # of Parquet the number of each piece's first row
    targets: tuple[str, ...] = ("rds", "redshift")
    jobs: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Where the files of the run lie."""
        return folder_of(self.table, self.run)

    @property
    def parquet(self) -> bool:
        """Whether pieces are row groups."""
        return bool(self.lines)

    def values(self) -> dict[str, Any]:
        """The plan as JSON has it."""
        return asdict(self)

    @classmethod
    def read(cls, values: dict[str, Any]) -> Plan:
        """The plan that JSON has."""
        known = {one.name: values[one.name] for one in fields(cls)}
        known["object"] = Object(**known["object"])
        known["pieces"] = tuple(tuple(piece) for piece in known["pieces"])
        lists = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        return cls(**{**known, **lists})


def folder_of(table: str, run: str) -> str:
    """Where the files of a run lie; no table is called _parts."""
    return f"staged/_parts/{table}/{run}/"


@dataclass(frozen=True)
class Folder:
    """The files of a run."""

    s3: Any
    bucket: str
    path: str

    def read(self, name: str) -> dict[str, Any]:
        """The facts in a file."""
        return dict(json.loads(self.open(name).read()))

    def open(self, name: str) -> Any:
        """The content of a file."""
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=self.path + name)["Body"]
        except (ClientError, BotoCoreError) as error:
            raise LoadFailed(f"{self.path}{name} cannot be read: {error}") from error

    def write(self, name: str, content: dict[str, Any] | IO[bytes]) -> None:
        """Write a file, facts or content."""
        body = io.BytesIO(json.dumps(content).encode()) if isinstance(content, dict) else content
        try:
            self.s3.upload_fileobj(body, self.bucket, self.path + name)
        except (ClientError, BotoCoreError) as error:
            raise LoadFailed(f"{self.path}{name} cannot be written: {error}") from error


def plan_of(source: Source, table: Table, mode: str, run: str, limit: int) -> Plan:
    """The plan for an object over the limit; raises Whole when it has to be loaded in one piece."""
    wanted, size = format_of(source.object.key), source.object.size
    if wanted.rows == "parquet":
        return _parquet_plan(source, table, mode, run, limit)
    if wanted.compression == "gz":
        raise Whole(
            "gzip can only be read from its beginning; zstd of several frames, or Parquet, can be split"
        )
    if table.csv.encoding.lower() not in SINGLE_BYTES:
        raise Whole(f"{table.csv.encoding} cannot be cut at any byte; UTF-8 can")
    if wanted.rows == "csv" and table.csv.escape:
        raise Whole("where quotes may be escaped, counting them does not tell where records end")
    ranges = split.pieces(size, limit) if not wanted.compression else _frames(source, limit)
    names = opening.open_records(source, table, mode, _ignored).ordered.names
    return Plan(run, table.name, mode, source.object, names, tuple(ranges))


def _ignored(*fault: object) -> None:
    pass


def _frames(source: Source, limit: int) -> list[tuple[int, int]]:
    from aws_vpc.loader.zstd import Frames  # its library costs memory that other objects do not need

    edges = list[int]()
    frames = Frames(edges.append)
    for chunk in source.chunks():
        frames.feed(chunk)
    if len(edges) < 2:
        raise Whole("a single zstd frame can only be read from its beginning; write several, as pzstd does")
    return split.grouped(edges, source.object.size, limit)


def _parquet_plan(source: Source, table: Table, mode: str, run: str, limit: int) -> Plan:
    found = opening.open_parquet(source)
    rows = found.group_rows
    if len(rows) < 2:
        raise Whole("a single row group of Parquet can only be read by one; write several")
    share = max(1, len(rows) * limit // source.object.size)
    pieces = [(at, min(at + share, len(rows))) for at in range(0, len(rows), share)]
    before = [0, *itertools.accumulate(rows)]
    lines = tuple(before[start] + 1 for start, _ in pieces)
    names = expected(found.names, table, mode)
    return Plan(run, table.name, mode, source.object, names, tuple(pieces), lines)


def piece_bytes(plan: Plan, source: Source, number: int) -> Iterator[bytes]:
    """The decompressed bytes of a piece."""
    return plain(source.chunks(*plan.pieces[number]), format_of(plan.object.key))


def fact(plan: Plan, source: Source, table: Table, number: int) -> split.Fact:
    """The fact about a piece."""
    quote = table.csv.quote.encode() if format_of(plan.object.key).rows == "csv" else b""
    return split.scan(piece_bytes(plan, source, number), quote)


def part_records(
    plan: Plan,
    facts: list[split.Fact],
    source: Source,
    table: Table,
    number: int,
    reject: Reject,
    **more: Any,
) -> Records | None:
    """The records of the part that begins in a piece; None when none does."""
    if plan.parquet:
        groups = range(*plan.pieces[number])
        more |= {"names": plan.names, "line": plan.lines[number], "by_record": True}
        records = opening.open_parquet(source).records(groups)
        return Records(records, opening.standard(table), reject, plan.mode, **more)
    begins = split.starts(facts)
    start = begins[number]
    if start is None:
        return None
    end = next((one for one in begins[number + 1 :] if one), None)
    chunks = decoded(_between(plan, source, start, end), table.csv)
    more["line"] = start.line
    if format_of(plan.object.key).rows == "jsonl":
        return opening.json_records(chunks, table, plan.mode, reject, **more)
    names = plan.names if number or not table.csv.header else ()
    return Records(chunks, table, reject, plan.mode, names=names, **more)


def _between(plan: Plan, source: Source, start: split.Start, end: split.Start | None) -> Iterator[bytes]:
    """The bytes from one start to the next, or to the end of the object."""
    last = end.piece if end else len(plan.pieces) - 1
    for number in range(start.piece, last + 1):
        chunks = piece_bytes(plan, source, number)
        first = start.offset if number == start.piece else 0
        stop = end.offset if end and number == end.piece else None
        if stop != 0:
            yield from _sliced(chunks, first, stop)


def _sliced(chunks: Iterable[bytes], start: int, stop: int | None) -> Iterator[bytes]:
    position = 0
    for chunk in chunks:
        piece = chunk[max(0, start - position) : None if stop is None else max(0, stop - position)]
        position += len(chunk)
        if piece:
            yield piece
        if stop is not None and position >= stop:
            return
