"""Tables, values and files that the tests of the loader ask about; they need no server."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.response import StreamingBody
from hypothesis import assume
from hypothesis import strategies as st

from aws_vpc.loader.source import Object, Source
from aws_vpc.loader.tables import Column, Dialect, Table

HEADER = "id,email,state,postal,address\n"
EXAMPLES = 5000 if os.environ.get("AWS_VPC_TEST_ALL") else 150
KINDS = Table(
    "kinds",
    (
        Column("a", "bigint", required=True),
        Column("b", "smallint", minimum=-5, maximum=300),
        Column("c", "integer", minimum=25),
        Column("d", "numeric", (5, 2)),
        Column("e", "double precision"),
        Column("f", "boolean"),
        Column("g", "date"),
        Column("h", "timestamp"),
        Column("i", "char", (3,)),
        Column("j", "varchar", (5,)),
        Column("k", "varchar", (6,), pattern="[^x]+(y|z)?"),
        Column("l", "varchar", (4,), values=("one", "two", "a,b", 'q"')),
    ),
    ("a",),
    csv=Dialect(null="NIL"),
)
WORDS = st.sampled_from([
    "", "NIL", '""', "0", "1", "-1", "007", "25", "24", "300", "301", "32768", "2147483648", "9" * 18,
    "9" * 19, "1.5", "123.45", "1234.5", "1.234", ".5", "5.", "-0", "1e5", "1e400", "1e-400", "t",
    "true", "no", "2026-02-28", "2026-02-30", "0000-01-01", "2026-01-01 10:00:00", "2026-01-01T24:00:00",
    "2026-01-01 10:00:00.123456", "abc", "abcd", "abcdef", "äöü", "ab\\", "axy", "x", "one", "a,b", 'q"',
    "three", " 1", "1 ", "y\n", "\r", "\0", "\ufffd", "a\tb",
])  # fmt: skip
FIELDS = st.one_of(WORDS, WORDS.map(lambda word: '"' + word.replace('"', '""') + '"'), st.text(max_size=6))
CHARACTERS = st.text(st.sampled_from("ab1 ,;\t|\"'\\\n\r.é\u2003N"), max_size=8)


@st.composite
def files(draw: st.DrawFn) -> tuple[Table, str, list[list[str]]]:
    """Rows written by the csv module in a random dialect, and how the csv module reads them."""
    delimiter, quote = draw(st.permutations([",", ";", "\t", "|", '"', "'"]))[:2]
    dialect: dict[str, Any] = {"delimiter": delimiter, "quotechar": quote}
    escape = draw(st.sampled_from(["", "\\"]))
    if escape:
        dialect |= {"escapechar": escape, "doublequote": draw(st.booleans())}
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    ending = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = io.StringIO(newline="")
    writer = csv.writer(text, **dialect, quoting=quoting, lineterminator=ending)
    rows = [["a", "b"], *draw(st.lists(st.lists(CHARACTERS, min_size=2, max_size=2), max_size=6))]
    try:
        writer.writerows(rows)
        read = list(csv.reader(io.StringIO(text.getvalue(), newline=""), **dialect))[1:]
    except csv.Error:
        assume(False)
    columns = (Column("a", "varchar", (20,)), Column("b", "varchar", (20,)))
    csv_dialect = Dialect(delimiter=delimiter, quote=quote, escape=escape)
    return Table("any", columns, ("a",), csv=csv_dialect), text.getvalue(), [row for row in read if row]


class Shelf:
    """S3 with one object, for tests that need its bytes and nothing else of it."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def head_object(self, **asked: str) -> dict[str, Any]:
        return {"ETag": '"etag"', "ContentLength": len(self.body)}

    def get_object(self, Range: str = "bytes=0-", **asked: str) -> dict[str, Any]:
        start, _, last = Range.removeprefix("bytes=").partition("-")
        part = self.body[int(start) : int(last) + 1 if last else None]
        return {"Body": StreamingBody(io.BytesIO(part), len(part))}


def source(body: bytes, key: str) -> Source:
    """An object that lies ready."""
    return Source(Shelf(body), Object("bucket", key), pause=lambda seconds: None)


def people_csv(rows: Sequence[Sequence[object]]) -> str:
    """A file of people."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([HEADER.strip().split(","), *rows])
    return text.getvalue()


def person(number: int, **changes: object) -> tuple[object, ...]:
    """A valid person."""
    facts = {"id": number, "email": f"p{number}@example.com", "state": "NY", "postal": "12345"}
    facts["address"] = f"{number} A St"
    return tuple({**facts, **changes}.values())


def parquet(rows: Sequence[Sequence[Any]], names: Sequence[str] = (), **more: Any) -> bytes:
    """A Parquet file of rows, in the columns of people when no others are named."""
    out = io.BytesIO()
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    pq.write_table(pa.table(columns, names=list(names) or HEADER.strip().split(",")), out, **more)
    return out.getvalue()
