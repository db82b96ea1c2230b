"""Descriptions of tables: which object is for which one, what is wrong with them, bounds of patterns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loader_cases import EXAMPLES

from aws_vpc.loader import patterns
from aws_vpc.loader.checks import Checks
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.tables import Column, Table, read_tables, table_for

PERSONS = read_tables()[0]


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
