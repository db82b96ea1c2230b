"""What a valid row is, decided twice and the same, and records cut as Python's csv module cuts them."""

from __future__ import annotations

import csv
import gzip
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader_cases import EXAMPLES, FIELDS, HEADER, KINDS, files, people_csv, person

from aws_vpc.loader import cut, records
from aws_vpc.loader.checks import Checks
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.readers import decoded, read_gzip
from aws_vpc.loader.records import Records
from aws_vpc.loader.tables import Dialect, Table, read_tables

DATA = Path(__file__).parent.parent / "data" / "people.csv"
PERSONS = read_tables()[0]


def run(
    text: str | bytes, table: Table = PERSONS, size: int = 1 << 20, **more: Any
) -> tuple[list[list[str]], list[Any]]:
    """The rows that come out, read again, and the rejects."""
    body, rejects = text if isinstance(text, bytes) else text.encode(), []
    chunks = (body[start : start + size] for start in range(0, len(body), size))
    found = Records(chunks, table, lambda *row: rejects.append(row), **more)
    out = b"".join(found.blocks()).decode()
    dialect = table.csv
    rows = list(
        csv.reader(
            io.StringIO(out, newline=""), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True
        )
    )
    assert (
        len(rows) == found.count.rows
        and len(rejects) == found.count.rejected
        and found.count.bytes == len(body)
    )
    return rows, rejects


def test_a_good_file_goes_through_as_it_is() -> None:
    body = DATA.read_bytes()
    found = Records([body], PERSONS, lambda *row: pytest.fail(str(row)))
    assert HEADER.encode() + b"".join(found.blocks()) == body


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_where_the_chunks_end_makes_no_difference(size: int) -> None:
    text = people_csv(
        [person(1), person(2, address='x,"\n7,y'), person(3, state="??"), person(4, address="é")]
    )
    text = text.replace("\n", "\r\n") + "\n5,e@example.com,NY,12345,no line end"
    rows, rejects = run(text, size=size)
    assert [row[0] for row in rows] == ["1", "2", "4", "5"] and rows[1][4] == 'x,"\r\n7,y'
    assert [reject[:2] for reject in rejects] == [(5, "state")]


def test_columns_may_come_in_any_order_and_after_a_byte_order_mark() -> None:
    rows, _ = run("\ufeffAddress, email ,postal,state,ID\nx,a@example.com,12345,NY,1\n")
    assert rows == [["x", "a@example.com", "12345", "NY", "1"]]


def test_every_row_knows_its_line() -> None:
    rows, _ = run(people_csv([person(1, address="a\nb"), person(2), person("x"), person(3)]), numbered=True)
    assert [(row[0], row[1]) for row in rows] == [("2", "1"), ("4", "2"), ("6", "3")]


@pytest.mark.parametrize("size", [1, 2, 50, 1 << 20])
def test_blank_lines_are_lines_and_no_rows(size: int) -> None:
    blank = "\n\r\n\n\r\r\n\r\n\r\r\r" * 600
    text = f"{people_csv([person(1)])}{blank}2,b@example.com,NY,1\r\n{blank}3,c@example.com,NY,12345,x"
    rows, rejects = run(text, size=size, numbered=True)
    bad = 3 + len(blank.splitlines())
    assert [row[:2] for row in rows] == [["2", "1"], [str(2 * bad - 2), "3"]] and rejects[0][0] == bad


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_blank_lines_without_end_are_passed_over_many_at_a_time(
    end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one = mock.Mock(side_effect=Records._judge_one, autospec=True)
    monkeypatch.setattr(Records, "_judge_one", lambda *record: one_by_one(*record))
    rows, _ = run(
        HEADER.encode() + end * 1_000_000 + b"1,a@example.com,NY,12345,x\n", size=1 << 16, numbered=True
    )
    assert rows[0][:2] == ["1000002", "1"] and one_by_one.call_count < 100


def test_a_quote_never_closed_is_named_by_its_line_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LONGEST", 10_000)
    seen = 0

    def endless() -> Iterator[bytes]:
        nonlocal seen
        yield people_csv([person(1), person(2)]).encode() + b'3,a@example.com,NY,12345,"x'
        while True:
            seen += 1000
            yield b"y" * 999 + b"\n"

    with pytest.raises(LoadFailed, match="begins in line 4 is longer"):
        list(Records(endless(), PERSONS, lambda *row: None).blocks())
    assert seen < 20_000


@pytest.mark.parametrize(
    ("raw", "column", "reason"),
    [
        (b"1,a@example.com,NY,12345,\xff\xfe", "address", "is not UTF-8"),
        (b"1,a@example.com,NY,12345,a\0b", "address", "holds a NUL byte"),
        (b'1,a@example.com,NY,12345,"a"b', "", "is not CSV: ',' expected after '\"'"),
        (b"9223372036854775808,a@example.com,NY,12345,a", "id", "does not fit bigint"),
        (b"0,a@example.com,NY,12345,a", "id", "is below 1"),
        (b"1,,NY,12345,a", "email", "is missing"),
        (b"1,a@example.com,ny,12345,a", "state", "is not one of the values allowed"),
        (b'1,"a,b@example.com",NY,12345,a', "email", f"does not match {PERSONS.columns[1].pattern}"),
        ("1,ä@example.com,NY,12345,a".encode(), "email", f"does not match {PERSONS.columns[1].pattern}"),
        (b"1,a@example.com,NY,12345,a,b", "", "has 6 fields, not 5"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_by_column_and_reason(raw: bytes, column: str, reason: str) -> None:
    rows, rejects = run(
        HEADER.encode() + b"5,e@example.com,NY,12345,e\n" + raw + b"\n6,f@example.com,NY,12345,f\n"
    )
    assert [row[0] for row in rows] == ["5", "6"]
    assert [(line, name, why) for line, name, _, why in rejects] == [(3, column, reason)]


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(FIELDS, min_size=12, max_size=12), st.booleans())
def test_what_the_fast_check_accepts_the_exact_one_accepts(fields: list[str], ascii_only: bool) -> None:
    line = (",".join(["12345", *fields[1:]]) + "\n").encode("utf-8", "surrogatepass")
    checks = Checks(KINDS)
    fast = checks.fast(ascii_only)
    assert fast is not None
    found = fast.match(line)
    if found:
        assert found.end() == len(line)
        (row,) = csv.reader(io.StringIO(line.decode(), newline=""), strict=True)
        assert checks.fault(row) is None, row


def test_the_fast_check_takes_the_usual_row() -> None:
    row = "1,2,100,1.25,2.5,true,2026-01-02,2026-01-02 03:04:05,abc,äö,abc,one\n2,,,,,,,,,,,\n"
    fast = Checks(KINDS).fast(ascii_only=False)
    assert fast is not None and fast.fullmatch(row.encode())


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(files(), st.integers(1, 40), st.sampled_from([0, 3, cut.SHORT]))
def test_records_are_what_the_csv_module_reads(
    file: tuple[Table, str, list[list[str]]], size: int, short: int
) -> None:
    table, text, expected = file
    with mock.patch.object(cut, "SHORT", short):
        rows, rejects = run(text, table, size)
    assert rows == [row for row in expected if len(row) == 2]
    assert len(rejects) == len([row for row in expected if len(row) != 2])


LONG_RECORDS = """
import resource
from aws_vpc.loader.cut import Cutter
from aws_vpc.loader.tables import Dialect
half, cutter = 1 << 19, Cutter(Dialect(escape="\\\\"))
def grown(buffer, ends):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = cutter.match(buffer, 0)
    assert (found.end == len(buffer)) if ends else found is None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(max(grown(*one) for one in [
    (b'"' + b"x" * 2 * half, False), (b'1,"' + b'""' * half, False), (b"," * 2 * half, False),
    (b'"' + b'""' * half + b'"\\n', True), (b'"' + b"\\\\a" * half, False), (b'"x",' * (half // 2), False),
    (b"\\\\\\n" * half + b"\\n", True),
]))
"""


def test_a_long_record_takes_little_memory_whether_it_ends_or_not() -> None:
    """A megabyte each, from mark to mark: a regex would keep hundreds of bytes for each field and quote."""
    grown = subprocess.run(
        [sys.executable, "-c", LONG_RECORDS], check=True, capture_output=True, text=True
    ).stdout
    assert int(grown) // (1 if sys.platform == "linux" else 1024) < 30_000  # kilobytes


@pytest.mark.parametrize(
    ("encoding", "text"), [("latin-1", "é"), ("utf-16", "ł"), ("utf-16-le", "ł"), ("cp1252", "€")]
)
def test_other_encodings_are_read_as_the_table_says(encoding: str, text: str) -> None:
    dialect = Dialect(encoding=encoding)
    body = people_csv([person(1, address=text)]).encode(encoding)
    chunks = decoded([body[:3], body[3:]], dialect)
    assert run(b"".join(chunks))[0][0][4] == text
    with pytest.raises(LoadFailed, match="is not utf-16"):
        list(decoded([b"\xff\xfea"], Dialect(encoding="utf-16")))


def test_gzip_of_several_members_is_read_to_its_end_and_damage_is_noticed() -> None:
    body = gzip.compress(b"a" * 3_000_000) + gzip.compress(b"b" * 10)
    for size in (100, 1 << 20):
        pieces = list(read_gzip(body[at : at + size] for at in range(0, len(body), size)))
        assert b"".join(pieces) == b"a" * 3_000_000 + b"b" * 10 and max(map(len, pieces)) <= 1 << 20
    for broken, reason in ((body[:-3], "too early"), (b"id,email\n", "not gzip")):
        with pytest.raises(LoadFailed, match=reason):
            list(read_gzip([broken]))
