"""The loader as Batch runs it, against real databases: an object becomes rows in both, or nothing changes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from loader_cases import EXAMPLES, HEADER, files, people_csv, person
from loader_support import (
    QUIET,
    TARGETS,
    Servers,
    System,
    ids,
    loader_system,
    people,
    session,
    states,
)

from aws_vpc.loader import publish, sql, swap
from aws_vpc.loader.records import Records
from aws_vpc.loader.settings import WAREHOUSE_NAMES
from aws_vpc.loader.tables import Table

pytestmark = QUIET
loader = pytest.fixture(loader_system)
PEOPLE = Path(__file__).parent.parent / "data" / "people.csv"


def test_the_shipped_file_fills_both_databases(loader: System) -> None:
    lines = loader.load(loader.put(PEOPLE.read_bytes()))
    loaded = [line for line in lines if line["event"] == "loaded"]
    assert [line["target"] for line in loaded] == ["rds", "redshift"]
    for line in loaded:
        assert (line["table"], line["rows"], line["rejected"], line["table_rows"]) == ("persons", 50, 0, 50)
        assert line["seconds"] >= 0
    assert loader.rows("rds") == loader.rows("redshift")
    assert len(loader.rows("rds")) == 50
    assert not loader.left_over()


def test_the_ledger_says_what_was_loaded(loader: System) -> None:
    event = loader.put(people(1, 2))
    loader.load(event)
    columns = (
        'bucket, "key", version, etag, sequencer, mode, table_name, "rows", rejected, state, reason, size'
    )
    expected = (
        *(event[name] for name in ("bucket", "key", "version", "etag", "sequencer")),
        "mirror",
        "persons",
    )
    for target in TARGETS:
        found = loader.query(target, f"select {columns} from loads")
        assert found == [(*expected, 2, 0, "loaded", None, len(people(1, 2)))]
        assert loader.query(
            target, "select count(*) from loads where finished >= started and seconds >= 0"
        ) == [(1,)]


def test_the_same_version_twice_changes_nothing(loader: System) -> None:
    event = loader.put(people(1, 2))
    loader.load(event)
    before = loader.query("rds", "select xmin::text, tableoid::text, id from persons")
    lines = loader.load(event)
    assert [(line["event"], line["target"], line["table_rows"]) for line in lines] == [
        ("unchanged", "rds", 2), ("unchanged", "redshift", 2),
    ]  # fmt: skip
    assert loader.query("rds", "select xmin::text, tableoid::text, id from persons") == before
    for target in TARGETS:
        assert loader.query(target, "select count(*) from loads") == [(1,)]


def test_the_table_becomes_the_object(loader: System) -> None:
    loader.load(loader.put(people(1, 2, 3)))
    changed = people_csv([person(2), person(3, address="elsewhere"), person(4, address=None)])
    loader.load(loader.put(changed))
    for target in TARGETS:
        assert [(row[0], row[4]) for row in loader.rows(target)] == [
            (2, "2 A St"),
            (3, "elsewhere"),
            (4, None),
        ]
    assert not loader.left_over()


@pytest.mark.parametrize("small", [0, 10**9], ids=["changed in place", "written anew"])
def test_merge_inserts_and_updates_and_delete_removes(
    loader: System, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr(publish, "SMALL", small)
    loader.load(loader.put(people(1, 2, 3)))
    loader.load(loader.put(people_csv([person(3, postal="99999"), person(4)]), "incoming/merge/people.csv"))
    for target in TARGETS:
        assert [(row[0], row[3]) for row in loader.rows(target)] == [
            (1, "12345"), (2, "12345"), (3, "99999"), (4, "12345"),
        ]  # fmt: skip
    lines = loader.load(loader.put("id\n2\n9\n", "incoming/delete/people.csv"))
    assert [line["table_rows"] for line in lines if line["event"] == "loaded"] == [3, 3]
    assert ids(loader, "rds") == ids(loader, "redshift") == [1, 3, 4]
    assert not loader.left_over()


@pytest.mark.parametrize("between", [False, True])
def test_a_merge_of_new_keys_goes_straight_in_and_steps_back_when_one_is_there(
    loader: System, between: bool
) -> None:
    loader.load(loader.put(people(1, 2, 3, *([50_000] if between else []))))
    before = loader.query("rds", "select tableoid::text, ctid::text from persons order by id")
    loader.load(loader.put(people(7, 8), "incoming/merge/people.csv"))
    after = loader.query("rds", "select tableoid::text, ctid::text from persons order by id")
    assert set(before) < set(after)
    assert ids(loader, "rds") == ids(loader, "redshift") == [1, 2, 3, 7, 8, *([50_000] if between else [])]
    rows = [person(number) for number in range(10, 40_000)]  # beyond the first block, one that is there
    loader.load(loader.put(people_csv([*rows, person(2, postal="99999")]), "incoming/merge/people.csv"))
    for target in TARGETS:
        found = loader.rows(target)
        assert len(found) == 5 + between + len(rows) and found[1][:4:3] == (2, "99999")
    assert not loader.left_over()


@pytest.mark.parametrize("mode", ["", "merge/"])
def test_the_last_row_of_a_key_that_comes_twice_wins(loader: System, mode: str) -> None:
    rows = [
        person(1),
        person(2, address="first"),
        person(3),
        person(2, address="second"),
        person("x"),
        person(2),
    ]
    lines = loader.load(loader.put(people_csv(rows), f"incoming/{mode}people.csv"))
    loaded = [line for line in lines if line["event"] == "loaded"]
    assert [(line["rows"], line["rejected"], line["table_rows"]) for line in loaded] == [(3, 3, 3), (3, 3, 3)]
    for target in TARGETS:
        assert [(row[0], row[4]) for row in loader.rows(target)] == [
            (1, "1 A St"),
            (2, "2 A St"),
            (3, "3 A St"),
        ]
    assert loader.rejected(loaded[0]["rejected_key"]) == [
        ("3", "id", "2", "comes again in line 7, which is kept"),
        ("5", "id", "2", "comes again in line 7, which is kept"),
        ("6", "id", "x", "is not a whole number"),
    ]
    assert not loader.left_over()


ODD = [
    ("a quote", 'the "Old" Mill'), ("a comma", "1 A St, Apt 2"), ("a line", "a\nb"), ("crlf", "a\r\nb"),
    ("a line like a row", "x\n7,evil@example.com,NY,12345,injected\n"), ("only a quote", '"'),
    ("blanks", "  a  "),
    ("a tab", "a\tb"), ("a backslash", "a\\b"), ("end of data", "a\n\\.\n"), ("all of it", "\\."),
    ("unicode", "Straße 5, Łódź \U0001f3e0"),
    ("null", "NULL"), ("a formula", "=1+1"), ("percent", "100 %s %(a)s %"), ("apostrophe", "O'Hara"),
]  # fmt: skip


def test_odd_values_arrive_exactly(loader: System) -> None:
    rows = [person(number, address=value) for number, (_, value) in enumerate(ODD, 1)]
    for text in (people_csv(rows), people_csv(rows[::-1])):
        loader.load(loader.put(text), "--max-rejected", "0")
        for target in TARGETS:
            assert [row[4] for row in loader.rows(target)] == [value for _, value in ODD]


def test_a_header_alone_empties_the_table(loader: System) -> None:
    loader.load(loader.put(people(1)))
    loader.load(loader.put(HEADER))
    assert ids(loader, "rds") == ids(loader, "redshift") == []


@pytest.mark.parametrize("only", TARGETS)
def test_one_database_alone_is_loaded_when_that_is_asked(loader: System, only: str) -> None:
    event = loader.put(people(1, 2))
    loader.load(event, "--only", "rds")
    assert states(loader) == ["partial"]
    loader.load(loader.put(people(3), "incoming/merge/people.csv"), "--only", only)
    assert ids(loader, "rds") == ([1, 2, 3] if only == "rds" else [1, 2])
    loader.load(loader.put(people(4), "incoming/merge/people.csv"), "--only", "redshift")
    assert ids(loader, "redshift") == ([4] if only == "rds" else [3, 4])


def test_a_dry_run_reads_everything_and_writes_nothing(loader: System) -> None:
    loader.load(loader.put(people(1)))
    event = loader.put(people_csv([person(2), person(3, state="XX"), person(4)]))
    lines = loader.load(event, "--dry-run")
    assert [(line["event"], line["rows"], line["rejected"], line["allowed"]) for line in lines] == [
        ("checked", 2, 1, True)
    ]
    assert lines[0]["sample"][0]["line"] == 3 and lines[0]["sample"][0]["column"] == "state"
    assert loader.load(event, "--dry-run", "--max-rejected", "0", status=1)[-1]["allowed"] is False
    assert ids(loader, "rds") == [1] and states(loader) == ["loaded"]
    assert not loader.s3.list_objects_v2(Bucket=loader.bucket, Prefix="rejected/")["KeyCount"]


def test_table_and_mode_may_be_named_whatever_the_key_says(loader: System) -> None:
    loader.load(loader.put(people(1)))
    event = loader.put(people(2), "by-hand/x.csv")
    loader.load(event, "--table", "persons", "--mode", "merge")
    assert ids(loader, "rds") == ids(loader, "redshift") == [1, 2]
    line = loader.load(event, "--table", "cities", status=1)[-1]
    assert line["reason"] == "--table cities: tables.yaml describes persons"


def test_without_a_warehouse_the_database_alone_is_loaded(
    loader: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in WAREHOUSE_NAMES:
        monkeypatch.delenv(name)
    lines = loader.load(loader.put(people(1)))
    assert [line["target"] for line in lines if line["event"] == "loaded"] == ["rds"]
    assert states(loader) == ["loaded"]
    assert "no warehouse" in loader.load(loader.put(people(1)), "--only", "redshift", status=1)[-1]["reason"]


def test_a_compressed_object_under_an_odd_key_is_loaded(loader: System) -> None:
    event = loader.put(gzip.compress(people(1, 2).encode()), "incoming/people + größe %2F 'x'.csv.gz")
    loader.load(event)
    assert ids(loader, "rds") == ids(loader, "redshift") == [1, 2]
    loader.load(loader.put(gzip.compress(people(3).encode())[:-9], "incoming/people.csv.gz"), status=1)
    assert ids(loader, "rds") == [1, 2]


@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(file=files())
def test_what_the_csv_module_wrote_is_what_the_table_has(
    loader_servers: Servers, file: tuple[Table, str, list[list[str]]]
) -> None:
    table, text, expected = file
    with session(loader_servers) as cursor:
        records = Records([text.encode()], table, lambda *row: None, numbered=True)
        cursor.execute(sql.create_stage(table, warehouse=False))
        swap.copy(cursor, records, sql.STAGE, f"{sql.LINE}, a, b")
        cursor.execute(f"select coalesce(a, ''), coalesce(b, '') from {sql.STAGE} order by {sql.LINE}, ctid")
        assert [list(row) for row in cursor.fetchall()] == [row for row in expected if len(row) == 2]
