"""What is not loaded, row by row or as a whole, is named, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader_cases import EXAMPLES, FIELDS, HEADER, KINDS, people_csv, person
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

from aws_vpc.loader import sql, swap
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.records import Records

pytestmark = QUIET
loader = pytest.fixture(loader_system)


def test_bad_rows_are_set_aside_and_good_ones_loaded(loader: System) -> None:
    bad = [
        person("seven"), person(8, email="nobody"), person(9, state="XX"), person(10, postal="1234"),
        person(11, address="x" * 201), person("", email="a@example.com"), person(12)[:4],
    ]  # fmt: skip
    lines = loader.load(
        loader.put(people_csv([person(1), *bad[:3], person(2, address="a\nb"), *bad[3:], person(3)]))
    )
    loaded = [line for line in lines if line["event"] == "loaded"]
    assert [(line["rows"], line["rejected"], line["table_rows"]) for line in loaded] == [(3, 7, 3), (3, 7, 3)]
    assert ids(loader, "rds") == ids(loader, "redshift") == [1, 2, 3]
    key = loaded[0]["rejected_key"]
    assert key.startswith("rejected/incoming/people.csv/") and key.endswith(".csv")
    assert [(line, column, reason) for line, column, _, reason in loader.rejected(key)] == [
        ("3", "id", "is not a whole number"),
        ("4", "email", loader.rejected(key)[1][3]),
        ("5", "state", "is not one of the values allowed"),
        ("8", "postal", "does not match [0-9]{5}(-[0-9]{4})?"),
        ("9", "address", "is longer than 200 characters"),
        ("10", "id", "is missing"),
        ("11", "", "has 4 fields, not 5"),
    ]
    assert [value for _, _, value, _ in loader.rejected(key)][:3] == ["seven", "nobody", "XX"]
    assert loader.query("rds", "select rejected, rejected_key from loads") == [(7, key)]


@pytest.mark.parametrize(("limit", "status"), [("2", 0), ("1", 1), ("0.1%", 1), ("0.2%", 0)])
def test_more_bad_rows_than_allowed_change_nothing(loader: System, limit: str, status: int) -> None:
    loader.load(loader.put(people(1, 2)))
    event = loader.put(people_csv([person(3), person(4, state="XX"), person(5, state="XY")]))
    lines = loader.load(event, "--max-rejected", limit, status=status)
    assert ids(loader, "rds") == ids(loader, "redshift") == ([1, 2] if status else [3])
    if status:
        assert lines[-1]["event"] == "failed" and "2 of 3 rows are bad" in lines[-1]["reason"]
        assert states(loader) == ["loaded", "failed"]
        assert loader.query("rds", "select reason from loads where state = 'failed'") == [
            (lines[-1]["reason"],)
        ]
        key = lines[-1]["reason"].split("see ")[1].split(" in the bucket")[0]
        assert [row[0] for row in loader.rejected(key)] == ["3", "4"]
        assert loader.query("rds", "select rejected, rejected_key from loads where state = 'failed'") == [
            (2, key)
        ]
        assert not loader.left_over()


def test_an_object_with_bad_rows_only_changes_nothing(loader: System) -> None:
    loader.load(loader.put(people(1)))
    line = loader.load(loader.put(people_csv([person(2, state="XX")])), "--max-rejected", "5", status=1)[-1]
    assert line["reason"].startswith("all rows are bad, 1 of 1: nothing was changed, see rejected/")
    assert ids(loader, "rds") == ids(loader, "redshift") == [1]


def test_a_table_can_reject_every_row_of_a_key_that_comes_twice(loader: System, tmp_path: Path) -> None:
    tables = tmp_path / "tables.yaml"
    tables.write_text(
        "pairs: {objects: ['pairs*'], key: [a, b], duplicates: reject, csv: {delimiter: ';'}, columns: "
        "{a: {type: integer, required: true}, b: {type: varchar(5), required: true}, c: {type: date}}}"
    )
    body = "B;A;C\nx;1;2026-01-01\ny;1;\nx;1;2026-01-02\nz;1;2026-02-30\n"
    loader.load(loader.put(body, "incoming/pairs.csv"), "--tables", str(tables))
    for target in TARGETS:
        assert loader.rows(target, "pairs") == [(1, "y", None)]
    (key,) = loader.query("rds", "select rejected_key from loads")[0]
    assert [(row[0], row[3]) for row in loader.rejected(key)] == [
        ("2", "comes twice"), ("4", "comes twice"), ("5", "is not a day of the calendar"),
    ]  # fmt: skip


BROKEN = [
    (b"", "empty"),
    (b"id,email,state,postal\n1,a@example.com,NY,12345\n", "column address is missing"),
    (HEADER.encode() + b'1,a@example.com,NY,12345,"x\n2,b@example.com,NY,12345,y\n', "line 2"),
]


@pytest.mark.parametrize(("body", "reason"), BROKEN, ids=[reason for _, reason in BROKEN])
def test_an_object_that_is_no_such_file_changes_nothing(loader: System, body: bytes, reason: str) -> None:
    loader.load(loader.put(people(1)))
    lines = loader.load(loader.put(body), status=1)
    assert (
        lines[-1]["event"] == "failed" and reason in lines[-1]["reason"] and "\n" not in lines[-1]["reason"]
    )
    assert ids(loader, "rds") == ids(loader, "redshift") == [1]
    assert states(loader) == ["loaded", "failed"]
    assert not loader.left_over()


@pytest.mark.parametrize(
    ("key", "status", "reason"),
    [
        ("incoming/", 0, "a folder"),
        ("incoming/other.csv", 1, "no table takes"),
        ("incoming/people.xlsx", 1, "no reader"),
    ],
)
def test_an_object_that_is_for_no_table_is_named(loader: System, key: str, status: int, reason: str) -> None:
    assert reason in loader.load(loader.put(people(1), key), status=status)[-1]["reason"]


def test_a_missing_setting_is_named(loader: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RDS_HOST")
    monkeypatch.setenv("REDSHIFT_COPY_ROLE", "")
    lines = loader.load(loader.put(people(1)), status=1)
    assert lines[-1]["reason"].startswith("RDS_HOST, REDSHIFT_COPY_ROLE missing")


def test_a_database_that_does_not_let_the_job_in_is_named_without_the_password(loader: System) -> None:
    text = '{"username": "master", "password": "Wrong-password-1"}'
    loader.secretsmanager.put_secret_value(SecretId=loader.environment["RDS_SECRET"], SecretString=text)
    lines = loader.load(loader.put(people(1)), status=1)
    assert "does not let master in" in lines[-1]["reason"] and "Wrong" not in str(lines)


@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=st.lists(st.lists(FIELDS, min_size=11, max_size=11), min_size=1, max_size=40))
def test_what_the_checks_let_through_the_database_takes(
    loader_servers: Servers, lines: list[list[str]]
) -> None:
    text = "".join(f"{number},{','.join(line)}\n" for number, line in enumerate(lines))
    text = f"{','.join(KINDS.names)}\n" + text.encode("utf-8", "replace").decode()
    with session(loader_servers) as cursor:
        records = Records([text.encode()], KINDS, lambda *row: None)
        cursor.execute(sql.create_stage(KINDS, warehouse=False))
        try:
            swap.copy(cursor, records, sql.STAGE, sql.names(records.ordered.names))
        except LoadFailed as error:
            assert "never closed" in str(error) or "not closed" in str(error)
