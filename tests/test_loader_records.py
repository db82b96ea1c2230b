"""What a valid row is, decided twice and the same, and records cut as Python's csv module cuts them."""

from __future__ import annotations

import csv
import gzip
import io
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader_support import EXAMPLES, FIELDS, HEADER, KINDS, files, people_csv, person, source

from aws_vpc.errors import UsageError
from aws_vpc.loader import cut, patterns, people, publish, records
from aws_vpc.loader.checks import Checks
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.ledger import Past, newer, same
from aws_vpc.loader.load import Load
from aws_vpc.loader.log import Log
from aws_vpc.loader.readers import decoded, read_gzip
from aws_vpc.loader.records import Records
from aws_vpc.loader.rejects import Rejects, limit_from
from aws_vpc.loader.source import Object
from aws_vpc.loader.tables import Column, Dialect, Table, read_tables, table_for

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


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
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
half, cutter = 2 << 20, Cutter(Dialect(escape="\\\\"))
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
    """4 MB each, from mark to mark: a regex would keep hundreds of bytes for each field and quote."""
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


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("incoming/people.csv", "mirror"), ("incoming/merge/people.csv", "merge"),
        ("incoming/delete/people-2026.csv.gz", "delete"), ("incoming/mirror/persons.csv", "mirror"),
        ("incoming/merge", None), ("incoming/companies.csv", None),
    ],
)  # fmt: skip
def test_an_objects_key_says_table_and_mode(key: str, expected: str | None) -> None:
    if expected:
        assert table_for((PERSONS,), key) == (PERSONS, expected)
    else:
        with pytest.raises(LoadFailed, match="no table takes the object"):
            table_for((PERSONS,), key)


COLUMN = "t: {key: [a], columns: {a: {type: integer, required: true, %s}}}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "describes no table"),
        ("t: {", "cannot be read"),
        ("T: {}", "a name is"),
        ("loads: {}", "the ledger's"),
        ("t: {colums: {}}", "colums is not known"),
        ("t: {key: [a], columns: {a: {type: money}}}", "type 'money'"),
        ("t: {key: [a], columns: {a: {type: varchar}}}", "needs 1 sizes"),
        ("t: {key: [a], columns: {a: {type: integer}}}", "key column a must be"),
        ("t: {columns: {a: {type: integer}}}", "key is missing"),
        (COLUMN % "nonsense: 1", "nonsense is not known"),
        (
            "t: {key: [a], csv: {delimiter: ab}, columns: {a: {type: integer, required: true}}}",
            "csv delimiter",
        ),
        (
            "t: {key: [a], csv: {encoding: x}, columns: {a: {type: integer, required: true}}}",
            "csv encoding x",
        ),
    ],
)
def test_a_wrong_description_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text(text)
    with pytest.raises(LoadFailed, match=reason):
        read_tables(path)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"pattern": "(a"}, "parenthes|unterminated"),
        ({"pattern": "^a$"}, "is not supported"),
        ({"minimum": "x"}, "number"),
    ],
)
def test_a_check_that_cannot_be_made_is_named(more: dict[str, Any], reason: str) -> None:
    kind = "integer" if "minimum" in more else "varchar"
    with pytest.raises(LoadFailed, match=f"table t, column a: .*({reason})"):
        Checks(Table("t", (Column("a", kind, () if kind == "integer" else (5,), **more),), ("a",)))


PATTERNS = [
    "[a-c]+@[a-c]+([.]b+)+",
    "a*",
    "(ab|[^x]{2,})*c",
    "[0-9]{5}(-[0-9]{4})?",
    "(a|b+c?){0,3}",
    "a{3}b{2,}",
]


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(PATTERNS), st.integers(4, 400), st.text("abc@.-0", max_size=450))
def test_a_bounded_pattern_matches_only_what_the_pattern_does_and_the_column_holds(
    pattern: str, size: int, value: str
) -> None:
    narrow = patterns.bounded(pattern, size)
    if narrow and re.fullmatch(narrow, value):
        assert re.fullmatch(pattern, value) and len(value) <= size


def test_bounds_leave_usual_values_their_way() -> None:
    narrow = patterns.bounded("[a-z0-9._]+@[a-z]+([.][a-z]+)+", 320)
    assert narrow and re.fullmatch(narrow, "a.long.name.with.dots2026@department.university.example.org")
    assert patterns.bounded("[0-9]{5}(-[0-9]{4})?", 10) == "[0-9]{5}(-[0-9]{4})?"
    assert patterns.bounded("([a-z]+,?)+", 40) is None


@pytest.mark.parametrize(
    ("text", "bad", "total", "allowed"),
    [
        ("1%", 10, 50, True), ("1%", 11, 50, False), ("1%", 100, 10_000, True), ("1%", 101, 10_000, False),
        ("1%", 3, 3, False), ("0", 0, 0, True), ("0", 1, 9, False), ("5", 5, 9, True), ("0.5%", 5, 100, True),
        ("100%", 99, 100, True),
    ],
)  # fmt: skip
def test_how_many_rows_may_be_bad(text: str, bad: int, total: int, allowed: bool) -> None:
    assert limit_from(text).allows(bad, total) is allowed


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "1 %x"])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--max-rejected"):
        limit_from(text)


def test_rejects_keep_the_order_of_the_object() -> None:
    rejects = Rejects()
    for line in (3, 9):
        rejects.add(line, "id", 'a "value",\nodd', "wrong")
    both = rejects.merged([(5, "id", "1", "twice"), (12, "id", "1", "twice")])
    rows = list(csv.reader(io.StringIO(both.file().read().decode(), newline="")))
    both.close()
    assert [row[0] for row in rows] == ["line", "3", "5", "9", "12"] and rows[1][2] == 'a "value",\nodd'


def past(run: str, **facts: str) -> Past:
    return Past(run, facts.get("version", ""), facts.get("etag", ""), facts.get("sequencer", ""))


def test_a_version_is_known_again_and_sequencers_compare_as_hexadecimal_filled_up_on_the_right() -> None:
    history = [
        past("b", version="2", etag="y", sequencer="0A"),
        past("a", version="1", etag="x", sequencer="0055"),
    ]
    one = Object("bucket", "key", version="1", etag="x", sequencer="0055")
    assert same(history, one) == history[1]
    assert newer(history, one) == history[0]
    again = Object("bucket", "key", version="3", etag="x", sequencer="0a000000000000000000000001")
    assert same(history, again) is None and newer(history, again) is None
    assert newer(history, Object("bucket", "key", version="3")) is None


def test_without_versions_only_the_latest_content_or_the_same_event_is_the_same() -> None:
    history = [past("b", etag="y", sequencer="02"), past("a", etag="x", sequencer="01")]
    assert same(history, Object("bucket", "key", etag="x")) is None
    assert same(history, Object("bucket", "key", etag="y")) == history[0]
    assert same(history, Object("bucket", "key", etag="x", sequencer="03")) is None
    assert same(history, Object("bucket", "key", etag="x", sequencer="01")) == history[1]


def test_the_shipped_people_are_those_of_the_generator(tmp_path: Path) -> None:
    out = tmp_path / "people.csv"
    assert people.main(["--rows", "50", "--seed", "1", "--out", str(out)]) == 0
    assert out.read_bytes() == DATA.read_bytes()


def test_invented_people_are_valid_and_reachable_by_nobody() -> None:
    checks = Checks(PERSONS)
    rows = list(people.people(2000, 5))
    assert rows[:100] == list(people.people(100, 5)) and rows[:100] != list(people.people(100, 6))
    assert len({row[1] for row in rows}) == 2000
    for row in rows:
        assert checks.fault([str(value) for value in row]) is None
        assert row[1].rpartition("@")[2] in people.DOMAINS
    assert {character for row in rows for character in row[4]} & set(string.punctuation) == {",", '"'}


def test_an_object_is_looked_into_in_several_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines cut off, rows with faults and quotes: what is no whole number is passed over."""
    monkeypatch.setattr(publish, "SAMPLE", 400)
    rows = [person(number, address='x "y", z') for number in range(1, 1000)]
    body = people_csv([*rows, person(1001)]) + "zero,a@b.example,AL,10115,\n" + people_csv([person(1002)])
    with Load("", "rds", source(body.encode(), "p.csv"), PERSONS, "merge", limit_from("1%"), Log()) as load:
        records = load.records()
        found = publish._sampled(load, records, "id")
    assert len(found) > 15 and set(found) <= set(range(1003)) and found == sorted(found)
    assert found[0] > 200 and found[-1] == 1002 and load.source.taken <= len(body)
