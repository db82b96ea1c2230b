"""Compare: who is in one database only and who differs, and the merge that finds it."""

import csv
import io
import os
from collections.abc import Iterator
from typing import Any

import pytest
import web_support  # noqa: F401  (puts the bundle on the path)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web.merge import Difference, Merge
from web_support import DRIVER_WARNINGS, PERSONS, Web, application_client, insert, running_web

web = pytest.fixture(running_web, scope="module")
client = pytest.fixture(application_client, scope="module")
pytestmark = DRIVER_WARNINGS

EXAMPLES = 500 if os.environ.get("AWS_VPC_TEST_ALL") else 60
ALIKE = [(number, f"p{number}@example.com", "NY", "10001", None) for number in range(10, 400)]
TABLES = st.dictionaries(st.integers(1, 40), st.text(max_size=2), max_size=30)


def batches(table: dict[int, str], size: int) -> list[list[tuple[int, str]]]:
    """The rows in order, some at a time."""
    rows = sorted(table.items())
    return [rows[at : at + size] for at in range(0, len(rows), size)]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(TABLES, TABLES, st.integers(1, 7), st.integers(1, 7))
def test_the_merge_finds_exactly_what_differs(
    left: dict[int, str], right: dict[int, str], one: int, other: int
) -> None:
    merge = Merge(batches(left, one), batches(right, other))
    found = [difference for difference in merge if difference]
    keys = sorted(left.keys() | right.keys())
    assert [d.key for d in found] == [key for key in keys if left.get(key) != right.get(key)]
    for difference in found:
        key = difference.key
        assert difference.left == ((key, left[key]) if key in left else None)
        assert difference.right == ((key, right[key]) if key in right else None)
    assert merge.seen == len(keys)
    assert merge.last == (keys[-1] if keys else None)


def test_a_key_that_one_side_has_twice_is_once_more_on_that_side() -> None:
    found = [d for d in Merge([[(1, "a"), (2, "b")]], [[(1, "a"), (1, "a"), (2, "b")]]) if d]
    assert found == [Difference(None, (1, "a"))]


@pytest.fixture(scope="module", autouse=True)
def people(web: Web) -> Iterator[None]:
    """The same people in both databases, in many batches, but for those of DIFFERENT."""
    for source in (web.rds, web.redshift):
        insert(source, ALIKE)
    with pytest.MonkeyPatch.context() as patch:
        from web import listing

        patch.setattr(listing, "EXPORT_BATCH", 50)
        yield


@pytest.fixture
def unlike(web: Web) -> Iterator[None]:
    """Two people missing in Redshift, one more there, and two who differ."""
    changes = (
        "DELETE FROM persons WHERE id IN (3, 60)",
        "INSERT INTO persons VALUES (1000, '=more@example.com', 'CA', '90001', '<b>x</b>')",
        "UPDATE persons SET address = '' WHERE id = 100",
        "UPDATE persons SET email = 'other@example.com', state = 'TX' WHERE id = 399",
    )
    web.redshift.execute(*changes)
    yield
    web.redshift.execute("DELETE FROM persons WHERE id IN (100, 399, 1000)")
    missing = [row for row in (*PERSONS, *ALIKE) if row[0] in (3, 60, 100, 399)]
    insert(web.redshift, missing)


def test_equal_databases_are_said_to_be_equal(client: Any) -> None:
    facts = client.get("/compare.json").json
    assert (facts["compared"], facts["same"], facts["complete"]) == (396, 396, True)
    assert set(facts["counts"].values()) == {0}
    assert "Both databases hold the same people" in client.get("/compare").text


def test_differences_are_counted_and_listed(client: Any, unlike: None) -> None:
    facts = client.get("/compare.json").json
    assert facts["counts"] == {"only_rds": 2, "only_redshift": 1, "different": 2}
    assert [person["id"] for person in facts["only_rds"]] == [3, 60]
    assert [person["id"] for person in facts["only_redshift"]] == [1000]
    assert [(item["id"], item["columns"]) for item in facts["different"]] == [
        (100, ["address"]),
        (399, ["email", "state"]),
    ]
    assert facts["different"][0]["rds"]["address"] is None, "nothing and an empty text are not the same"
    page = client.get("/compare").text
    assert "&lt;b&gt;x&lt;/b&gt;" in page and "<b>x</b>" not in page
    assert "2 are only in RDS, 1 only in Redshift" in page


def test_differences_as_csv_are_all_there_and_defused(client: Any, unlike: None) -> None:
    with client.get("/compare.csv") as answer:
        header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert header[:3] == ["id", "rds_id", "rds_email"]
    assert [int(row[0]) for row in rows] == [3, 60, 100, 399, 1000]
    assert rows[-1][7] == "'=more@example.com"


def test_lists_end_where_the_counts_go_on(client: Any, unlike: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from web import comparison

    monkeypatch.setattr(comparison, "MOST_SHOWN", 1)
    facts = client.get("/compare.json").json
    assert (facts["counts"]["only_rds"], len(facts["only_rds"])) == (2, 1)


def test_a_comparison_that_takes_long_goes_on_from_where_it_stopped(
    client: Any, unlike: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from web import comparison

    monkeypatch.setattr(comparison, "LIMIT_SECONDS", 0)
    monkeypatch.setattr(comparison, "LOOKED_AT", 100)
    address, compared, differ = "/compare.json", 0, 0
    pages = 0
    while address:
        facts = client.get(address, headers={"Accept": "application/json"}).json
        compared, differ = compared + facts["compared"], differ + sum(facts["counts"].values())
        address, pages = facts["next"], pages + 1
    assert (compared, differ) == (397, 5)
    assert pages == 4


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 30, "1' or 1=1", "٣"])
def test_a_place_that_is_none_is_refused(client: Any, after: str) -> None:
    assert client.get("/compare", query_string={"after": after}).status_code == 400


def test_a_second_comparison_meanwhile_is_told_to_wait(client: Any) -> None:
    with client.application.extensions["comparing"]:
        answer = client.get("/compare")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    with client.get("/compare.csv"):
        assert client.get("/compare").status_code == 503
    assert client.get("/compare").status_code == 200


def test_a_running_load_is_said(client: Any, web: Web) -> None:
    web.rds.execute(
        "INSERT INTO loads (run, table_name, mode, bucket, key, version, etag, sequencer, size, state,"
        " started) VALUES ('r', 'persons', 'mirror', 'data', 'k', 'v', 'e', 's', 1, 'running', now())"
    )
    assert "A load is under way" in client.get("/compare").text
    web.rds.execute("DELETE FROM loads")
    assert "A load is under way" not in client.get("/compare").text
