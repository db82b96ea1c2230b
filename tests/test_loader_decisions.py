"""What a load decides: how many bad rows are too many, which version is newer, where to look first."""

from __future__ import annotations

import csv
import io
import string
from pathlib import Path

import pytest
from loader_cases import people_csv, person, source

from aws_vpc.errors import UsageError
from aws_vpc.loader import people, publish
from aws_vpc.loader.checks import Checks
from aws_vpc.loader.ledger import Past, newer, same
from aws_vpc.loader.load import Load
from aws_vpc.loader.log import Log
from aws_vpc.loader.rejects import Rejects, limit_from
from aws_vpc.loader.source import Object
from aws_vpc.loader.tables import read_tables

DATA = Path(__file__).parent.parent / "data" / "people.csv"
PERSONS = read_tables()[0]


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
