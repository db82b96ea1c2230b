"""Input that is not as it should be: each ends in rows and rejected rows, or in one clear line."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from loader_cases import HEADER, KINDS, people_csv, person, source

from aws_vpc.loader.errors import LoadFailed, one_line
from aws_vpc.loader.opening import open_records
from aws_vpc.loader.records import Records
from aws_vpc.loader.tables import Dialect, Table, read_tables

PERSONS = read_tables()[0]
GOOD = "1,a@example.com,NY,12345,x"


def read(
    body: str | bytes, table: Table = PERSONS, key: str = "people.csv"
) -> tuple[list[list[str]], list[tuple[Any, ...]]]:
    """The rows that come out, and the rejects."""
    rejects: list[tuple[Any, ...]] = []
    body = body.encode() if isinstance(body, str) else body
    found = open_records(source(body, key), table, "mirror", lambda *row: rejects.append(row))
    out = b"".join(found.blocks()).decode()
    rows = list(csv.reader(io.StringIO(out, newline=""), delimiter=found.table.csv.delimiter, strict=True))
    assert (len(rows), len(rejects)) == (found.count.rows, found.count.rejected)
    return rows, rejects


MIXED = HEADER + f'{GOOD}\r\n2,b@example.com,NY,12345,"two\rlines"\r3,c@example.com,NY,12345,z\n\n\r\n{GOOD}'
ROWS: list[tuple[str, str | bytes, list[str], list[tuple[int, str]]]] = [
    ("CR, LF and CR LF mixed, blank lines, no line end at the end", MIXED, ["1", "2", "3", "1"], []),
    ("a byte order mark", b"\xef\xbb\xbf" + HEADER.encode() + GOOD.encode(), ["1"], []),
    ("Latin-1 where UTF-8 is declared", f"{HEADER}1,a@example.com,NY,12345,München\n{GOOD}".encode("latin-1"),
     ["1"], [(2, "address")]),
    ("a NUL byte", f"{HEADER}1,a@example.com,NY,12345,a\0b\n{GOOD}\n", ["1"], [(2, "address")]),
    ("numbers as text", f'{HEADER}"7","a@example.com","NY","12345","x"\n" 8",a@example.com,NY,12345,x\n',
     ["7"], [(3, "id")]),
    ("too many and too few fields", f"{HEADER}{GOOD},more\n1,a@example.com\n{GOOD}\n", ["1"],
     [(2, ""), (3, "")]),
    ("a quote in the middle of a field", f'{HEADER}1,a@example.com,NY,12345,5" pipe\n{GOOD}\n', ["1", "1"],
     []),
    ("a quoted field with something behind it", f'{HEADER}1,a@example.com,NY,12345,"a"b\n{GOOD}\n', ["1"],
     [(2, "")]),
    ("letters of other scripts", f"{HEADER}1,a@example.com,NY,12345,Łódź 東京 \U0001f3e0\n", ["1"], []),
    ("a digit of another script", f"{HEADER}\uff11,a@example.com,NY,12345,x\n{GOOD}\n", ["1"], [(2, "id")]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "rows", "bad"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_good_rows_come_out_and_bad_ones_are_named(
    body: str | bytes, rows: list[str], bad: list[tuple[int, str]]
) -> None:
    found, rejects = read(body)
    assert [row[0] for row in found] == rows and [reject[:2] for reject in rejects] == bad


@pytest.mark.parametrize(
    "value", ["2026-02-30", "10000-01-01", "0000-01-01", "2026-1-1", "01.02.2026", "now"]
)
def test_a_date_that_is_out_of_range_or_none_is_set_aside(value: str) -> None:
    table = KINDS.only(("a", "g"))
    rows, rejects = read(f"a,g\n1,{value}\n2,2026-02-28\n", table)
    assert [row[0] for row in rows] == ["2"] and rejects[0][:3] == (2, "g", value)


LINES: list[tuple[str, str | bytes, str, str]] = [
    ("empty", b"", "people.csv", "the object is empty"),
    ("empty gzip", gzip.compress(b""), "people.csv.gz", "the object is empty"),
    ("empty JSON Lines", b"", "people.jsonl", "the object is empty"),
    ("UTF-16", HEADER.encode("utf-16"), "people.csv", "the object is UTF-16"),
    ("a wrong header", "name;town\nx;y\n", "people.csv", "the header does not fit table persons"),
    ("no header", GOOD, "people.csv", f"instead of its columns there is {GOOD.lower()};"),
    ("a missing column", "id,email,state,postal\n", "people.csv", "column address is missing"),
    ("an extra column", HEADER.strip() + ",age\n", "people.csv", "column age is not in the table"),
    ("a column twice", "id,id,email,state,postal,address\n", "people.csv", "a column comes twice"),
    ("a column without a name", ",id,email,state,postal,address\n", "people.csv", "without a name"),
    ("a quote never closed", f'{HEADER}{GOOD}\n2,b@example.com,NY,1,"x\n{GOOD}\n', "people.csv", "in line 3"),
    ("gzip that is none", HEADER, "people.csv.gz", "not gzip, or damaged"),
    ("zstd that is none", HEADER, "people.csv.zst", "not zstd, or damaged"),
    ("Parquet that is none", HEADER, "people.parquet", "not Parquet, or damaged"),
    ("gzip cut off", gzip.compress(people_csv([person(1)]).encode())[:-5], "people.csv.gz", "too early"),
]


@pytest.mark.parametrize(("body", "key", "line"), [row[1:] for row in LINES], ids=[row[0] for row in LINES])
def test_what_cannot_be_read_is_told_in_one_line(body: str | bytes, key: str, line: str) -> None:
    with pytest.raises(LoadFailed) as caught:
        read(body, key=key)
    assert line in str(caught.value) and one_line(caught.value) == str(caught.value)


@pytest.mark.parametrize("quote", [b"", b'"'], ids=["a line", "a quoted field"])
def test_a_line_of_two_gigabytes_ends_the_load_after_a_few_megabytes(quote: bytes) -> None:
    given = 0

    def chunks() -> Iterator[bytes]:
        nonlocal given
        yield HEADER.encode() + GOOD.encode() + b"\n2,b@example.com,NY,12345," + quote
        while given < 2 << 30:
            given += 1 << 20
            yield b"y" * (1 << 20)

    with pytest.raises(LoadFailed, match="the record that begins in line 3 is longer than 4 MB"):
        list(Records(chunks(), PERSONS, lambda *row: None).blocks())
    assert given < 10 << 20


@pytest.mark.parametrize("null", ["NULL", "-", r"\N"])
def test_the_text_for_null_is_the_tables(null: str) -> None:
    table = replace(PERSONS, csv=Dialect(null=null, delimiter=";"))
    body = f"id;email;state;postal;address\n1;a@example.com;NY;12345;{null}\n{null};a@example.com;NY;12345;\n"
    rows, rejects = read(body, table)
    assert rows == [["1", "a@example.com", "NY", "12345", ""]]
    assert [reject[:2] for reject in rejects] == [(3, "id")]
