"""The same rows in every format come out the same, and what a format holds that no table can is named."""

from __future__ import annotations

import csv
import datetime
import decimal
import gzip
import io
import json
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from loader_cases import EXAMPLES, FIELDS, HEADER, KINDS, parquet, people_csv, person, source

from aws_vpc.loader import json_lines as json_lines_module
from aws_vpc.loader import readers
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.opening import open_records
from aws_vpc.loader.tables import Dialect, read_tables
from aws_vpc.loader.zstd import Frames, read_zstd

PERSONS = read_tables()[0]
NAMES = tuple(HEADER.strip().split(","))


def read(
    body: bytes, key: str, table: Any = PERSONS, mode: str = "mirror"
) -> tuple[list[list[str]], list[Any]]:
    """The rows that come out in the columns' order, and the rejects."""
    rejects: list[Any] = []
    found = open_records(source(body, key), table, mode, lambda *row: rejects.append(row))
    out = b"".join(found.blocks()).decode()
    rows = list(csv.reader(io.StringIO(out, newline=""), strict=True))
    assert len(rows) == found.count.rows and len(rejects) == found.count.rejected
    return [[row[found.ordered.names.index(name)] for name in found.ordered.names] for row in rows], rejects


def json_lines(rows: Sequence[Sequence[Any]]) -> bytes:
    return "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in rows).encode()


def as_csv(rows: Sequence[Sequence[Any]]) -> bytes:
    return people_csv(rows).encode()


FRAMES = zstandard.ZstdCompressor(level=3, write_checksum=True)
FORMATS: dict[str, Callable[[Sequence[Sequence[Any]]], bytes]] = {
    "csv": as_csv,
    "csv.gz": lambda rows: gzip.compress(as_csv(rows)),
    "csv.zst": lambda rows: FRAMES.compress(as_csv(rows)[:50]) + FRAMES.compress(as_csv(rows)[50:]),
    "jsonl": json_lines,
    "ndjson.gz": lambda rows: gzip.compress(json_lines(rows)),
    "jsonl.zst": lambda rows: FRAMES.compress(json_lines(rows)),
    "parquet": lambda rows: parquet(rows, row_group_size=2),
}  # fmt: skip
ROWS = [
    person(1),
    person(2, address='the "Old", Mill\n7 \\ é'),
    person(3, address=None),
    person(4, address="'"),
]


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_rows_come_out_of_every_format(form: str) -> None:
    rows, rejects = read(FORMATS[form](ROWS), f"incoming/people.{form}")
    assert not rejects
    assert rows == [["" if value is None else str(value) for value in row] for row in ROWS]


@pytest.mark.parametrize("form", FORMATS)
def test_a_bad_row_is_named_by_its_line_in_every_format(form: str) -> None:
    bad = [person(1, address="two\nlines"), person(2, state="XX"), person(3), person(4, postal="1")]
    rows, rejects = read(FORMATS[form](bad), f"incoming/people.{form}")
    assert [row[0] for row in rows] == ["1", "3"]
    first = 4 if form.startswith("csv") else 2  # a CSV file has a header, and a row of two lines
    assert [reject[:3] for reject in rejects] == [(first, "state", "XX"), (first + 2, "postal", "1")]


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("{", "", "is not JSON"), ("[1]", "", "is not a JSON object"), ("7", "", "is not a JSON object"),
        ('{"id": {"a": 1}}', "id", "is not a plain value"), ('{"id": 1, "age": 3}', "age", "is not a column"),
        ('{"id": 1e400}', "id", "is not a whole number"), ('{"id": NaN}', "id", "is not a whole number"),
        ('{"email": "a@example.com"}', "id", "is missing"), ("[" * 100_000, "", "is not JSON"),
        ("\udcff", "", "is not UTF-8"), ('{"id": 1, "email": "a\\ud800@x.yz"}', "email", "is not UTF-8"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_row_is_set_aside(line: str, column: str, reason: str) -> None:
    good = json_lines([person(1)])
    rows, rejects = read(good + b"\n" + line.encode("utf-8", "surrogateescape") + b"\n" + good, "a.jsonl")
    assert [row[0] for row in rows] == ["1", "1"]
    assert [(reject[0], reject[1]) for reject in rejects] == [(3, column)] and reason in rejects[0][3]


def test_names_in_json_come_in_any_order_and_values_keep_their_digits() -> None:
    table = KINDS
    row = {"j": "ab", "A": 1, "d": 1.50, "e": 1e5, "f": True, "h": "2026-01-02 03:04:05", "b": None}
    rows, rejects = read(b"\xef\xbb\xbf" + json.dumps(row).replace("1.5", "1.50").encode(), "a.jsonl", table)
    assert not rejects
    assert rows == [["1", "", "", "1.50", "100000.0", "true", "", "2026-01-02 03:04:05", "", "ab", "", ""]]


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), FIELDS,
    st.sampled_from(['"', "\\", '\\"', "a\\", '""', "é", "\u2028", "\ud800", "a,b", "x\ny", "\t"]),
)  # fmt: skip
OBJECTS = st.dictionaries(st.sampled_from([*KINDS.names, "A", " b", "age"]), SCALARS, max_size=6)


@st.composite
def json_files(draw: st.DrawFn) -> bytes:
    """Lines of one writer, others between them."""
    names = draw(st.lists(st.sampled_from([*KINDS.names, "A "]), min_size=1, max_size=5, unique=True))
    same = st.fixed_dictionaries(dict.fromkeys(names, SCALARS))
    style = st.sampled_from([(", ", ": "), (",", ":"), (" , ", "\t:")])
    separators, ascii_only = draw(style), draw(st.booleans())
    rows = draw(st.lists(st.one_of(same, same, same, OBJECTS), min_size=1, max_size=8))
    lines = [json.dumps(row, ensure_ascii=ascii_only, separators=separators) for row in rows]
    lines += draw(
        st.lists(st.sampled_from(["", "{}", "[]", '{"a":01}', '{"a":1}x', '{"a":"\\x"}', "\udcff"]))
    )
    ending = draw(st.sampled_from(["\n", "\r\n", " \n"]))
    text = ending.join(draw(st.permutations(lines))) + ending
    return text.encode("utf-8", "surrogatepass")  # which is no UTF-8, and is to be noticed


@settings(max_examples=EXAMPLES // 3, deadline=None)
@given(json_files())
def test_lines_that_are_taken_together_come_out_as_those_read_one_by_one(body: bytes) -> None:
    with mock.patch.object(json_lines_module.JsonLines, "_learnt", lambda lines, line: lines._layout):
        one_by_one = read(body, "a.jsonl", KINDS)
    assert read(body, "a.jsonl", KINDS) == one_by_one


def test_lines_of_one_writer_are_taken_together() -> None:
    rows = [
        person(1),
        person(2, address='the "Old" \\ Mill'),
        person(3, address='"'),
        person(4, address=None),
    ]
    for separators in ((", ", ": "), (",", ":")):
        body = "".join(
            json.dumps(dict(zip(NAMES[::-1], row[::-1], strict=True)), separators=separators) + "\n"
            for row in rows
        )
        with mock.patch.object(json_lines_module, "_decode", wraps=json_lines_module._decode) as decode:
            found, rejects = read(body.encode(), "a.jsonl")
        assert not rejects and [row[4] for row in found][2:] == ['"', ""]
        assert decode.call_count == 2  # for the order of the names, and for the backslash


def test_a_long_line_of_json_ends_the_load_in_bounded_memory() -> None:
    with pytest.raises(LoadFailed, match="a line after line 1 is longer than 4 MB"):
        read(json_lines([person(1)]) + b"x" * 9_000_000, "a.jsonl")


def test_parquet_types_become_what_the_table_has() -> None:
    moment = datetime.datetime(
        2026, 1, 2, 3, 4, 5, 678, tzinfo=datetime.timezone(datetime.timedelta(hours=2))
    )
    names = ["a", "d", "e", "f", "g", "h", "j", "k", "b", "c", "i", "l"]
    columns = [
        pa.array(["1", "2"]), pa.array([decimal.Decimal("0.01"), None]), pa.array([1.5, None], pa.float32()),
        pa.array([True, None]), pa.array([datetime.date(2026, 1, 2), None]), pa.array([moment, None]),
        pa.array(["ab", None]).dictionary_encode(), pa.array([None, None]), pa.array([3, None], pa.int8()),
        pa.array([None, 30], pa.uint64()), pa.array(["abc", None], pa.large_string()),
        pa.array([None, "one"]),
    ]  # fmt: skip
    out = io.BytesIO()
    pq.write_table(pa.table(columns, names=names), out)
    rows, rejects = read(out.getvalue(), "a.parquet", KINDS)
    assert not rejects
    at = "2026-01-02 01:04:05.000678"
    assert rows[0] == ["1", "0.01", "1.5", "true", "2026-01-02", at, "ab", "", "3", "", "abc", ""]
    assert rows[1] == ["2", *[""] * 8, "30", "", "one"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is not Parquet"),
        (b"PAR1" * 9, "is not Parquet"),
        (parquet(ROWS)[:-9], "is not Parquet"),
        (parquet([[1]], ["id"]), "column email is missing"),
        (parquet([[*ROWS[0], 1]], [*NAMES, "age"]), "column age is not in the table"),
        (parquet([[[1], *ROWS[0][1:]]]), "column id of the Parquet object is list"),
        (parquet([[b"1", *ROWS[0][1:]]]), "column id of the Parquet object is binary"),
    ],
)
def test_parquet_that_cannot_be_such_rows_is_named(body: bytes, reason: str) -> None:
    with pytest.raises(LoadFailed, match=reason):
        read(body, "a.parquet")


def test_a_parquet_file_of_endless_rows_is_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "FREE", 1 << 20)
    with pytest.raises(LoadFailed, match="more than 250 times its size"):
        read(parquet([person(1)] * 400_000), "a.parquet")


def test_parquet_values_of_another_type_are_judged_as_text() -> None:
    bad = [[1.5, *ROWS[0][1:]], [2.0, *ROWS[0][1:]], [float("nan"), *ROWS[0][1:]]]
    rows, rejects = read(parquet(bad), "a.parquet")
    assert [(row[0], row[1]) for row in rejects] == [(1, "id"), (3, "id")] and [row[0] for row in rows] == [
        "2"
    ]


def test_parquet_without_rows_is_an_empty_table_and_a_delete_needs_the_key_alone() -> None:
    empty = pa.schema([(name, pa.string()) for name in NAMES]).empty_table()
    out = io.BytesIO()
    pq.write_table(empty, out)
    assert read(out.getvalue(), "a.parquet") == ([], [])
    assert read(parquet([[7]], ["id"]), "a.parquet", mode="delete") == ([["7"]], [])
    assert read(b'{"id": 7}', "a.jsonl", mode="delete") == ([["7"]], [])


@pytest.mark.parametrize("key", ["a", "a.txt", "a.gz", "a.parquet.gz", "csv", "a.csv.bz2", "a.csv.gz.zst"])
def test_a_name_that_says_no_format_is_named(key: str) -> None:
    with pytest.raises(LoadFailed, match="no reader for"):
        readers.format_of(f"incoming/x.csv/{key}")


@settings(max_examples=EXAMPLES // 10, deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=3000), st.booleans()), min_size=1, max_size=6), st.integers(1, 999)
)
def test_zstd_frames_are_found_where_they_begin(parts: list[tuple[bytes, bool]], size: int) -> None:
    pieces = [zstandard.ZstdCompressor(write_checksum=flag, write_content_size=flag).compress(part)
              for part, flag in parts]  # fmt: skip
    body, starts = b"".join(pieces), list[int]()
    frames = Frames(starts.append)
    for at in range(0, len(body), size):
        frames.feed(body[at : at + size])
    assert frames.complete
    assert starts == [len(b"".join(pieces[:n])) for n in range(len(pieces))]
    assert b"".join(read_zstd([body[:size], body[size:]])) == b"".join(part for part, _ in parts)


def test_damaged_zstd_is_named() -> None:
    body = FRAMES.compress(as_csv(ROWS) * 100)
    for broken, reason in (
        (body[:-3], "too early"),
        (b"id,email\n", "is not zstd"),
        (body[:40], "too early"),
    ):
        with pytest.raises(LoadFailed, match=reason):
            list(read_zstd([broken]))


@pytest.mark.parametrize("form", ["csv.gz", "csv.zst"])
def test_an_object_that_expands_beyond_all_measure_is_no_table(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "FREE", 1 << 20)
    bomb = as_csv([person(1)]) + b"1,a@example.com,NY,12345,x\n" * 200_000
    body = gzip.compress(bomb) if form == "csv.gz" else FRAMES.compress(bomb)
    assert len(bomb) > 250 * len(body)
    with pytest.raises(LoadFailed, match="more than 250 times its size"):
        read(body, f"people.{form}")


def test_other_dialects_go_for_csv_alone() -> None:
    table = PERSONS.only(NAMES)
    table = type(table)(table.name, table.columns, table.key, csv=Dialect(delimiter=";", null="-"))
    assert read(json_lines([person(1, address="a;b,-")]), "a.jsonl", table)[0][0][4] == "a;b,-"
    rows = [person(1, address="-")]
    assert read(parquet(rows), "a.parquet", table)[0][0][4] == "-"
