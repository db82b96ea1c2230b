"""Columns come from each database's catalog, cut down to what the pages may read; changes are noticed."""

import csv
import io
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
import web_support  # noqa: F401  (puts the bundle on the path)
from embedded import until
from hypothesis import given
from hypothesis import strategies as st
from web import reflection, tables
from web.kinds import KINDS, LARGEST, written
from web_support import DRIVER_WARNINGS, PERSONS, Source, Web, application_client, running_web

web = pytest.fixture(running_web, scope="module")
client = pytest.fixture(application_client, scope="module")
pytestmark = DRIVER_WARNINGS

OTHER = {"rds": "redshift", "redshift": "rds"}
SECRET = "123-45-6789"
PAGES = (
    "/",
    "/{}/people",
    "/{}/people.json?facet=state",
    "/{}/people?q=example&sort=-email",
    "/{}/people.csv",
    "/{}/people.csv?sort=email",
    "/{}/people/1",
    "/{}/people/1.json",
    "/{}/ann@example.com.json",
    "/{}/ann",
    "/compare",
    "/compare.json",
    "/compare.csv",
)


@pytest.fixture(autouse=True)
def nothing_known(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test begins as an application does that asked no catalog yet, and keeps what it learns."""
    monkeypatch.setattr(reflection, "KEPT_SECONDS", 3600.0)
    for database in client.application.extensions["databases"].values():
        database.tables = reflection.Tables(database)


@pytest.fixture(params=["rds", "redshift"])
def source(web: Web, request: pytest.FixtureRequest) -> Source:
    """Each database in turn."""
    return getattr(web, request.param)


@pytest.fixture
def secret(source: Source) -> Iterator[None]:
    """A column that nobody allowed, with a value in every row."""
    source.execute(
        "ALTER TABLE persons ADD COLUMN ssn varchar(20)",
        f"UPDATE persons SET ssn = '{SECRET}'",
        "DELETE FROM persons WHERE id = 6",
    )
    yield
    source.execute("ALTER TABLE persons DROP COLUMN ssn")
    source.execute(f"INSERT INTO persons VALUES {PERSONS[-1]!r}")


@pytest.fixture
def no_postal(source: Source) -> Iterator[None]:
    """A table that calls a column otherwise than the pages do."""
    source.execute("ALTER TABLE persons RENAME COLUMN postal TO zip")
    yield
    source.execute("ALTER TABLE persons RENAME COLUMN zip TO postal")


def load_of(state: str) -> str:
    """The statement that notes a load."""
    columns = "run, table_name, mode, bucket, key, version, etag, sequencer, size, state, started"
    return (
        f"INSERT INTO loads ({columns})"
        f" VALUES ('r', 'persons', 'mirror', 'data', 'k', 'v', 'e', 's', 1, '{state}', '2026-01-01')"
    )


def columns(client: Any, address: str) -> list[str]:
    """The columns of the persons on a page."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return list(answer.json["persons"][0])


def cells(client: Any, address: str) -> list[list[str]]:
    """The rows of a CSV."""
    with client.get(address) as answer:
        assert answer.status_code == 200
        return list(csv.reader(io.StringIO(answer.text, newline="")))


def test_a_column_that_is_not_allowed_is_never_read_or_shown(
    client: Any, source: Source, secret: None
) -> None:
    for page in PAGES:
        with client.get(page.format(source.name)) as answer:
            assert answer.status_code == 200, page
            assert SECRET not in answer.text and "ssn" not in answer.text, page
    for query in ("ssn=1", "ssn__contains=123", "sort=ssn", "sort=-ssn", "facet=ssn", "ssn__isnull=0"):
        answer = client.get(f"/{source.name}/people.json?{query}")
        assert answer.status_code == 400
        assert answer.json["error"].startswith(("There is no column ssn;", "There is no facet ssn;"))


def test_a_column_that_is_renamed_meanwhile_is_left_out_at_once(
    client: Any, source: Source, request: pytest.FixtureRequest
) -> None:
    everything = list(tables.ALLOWED["persons"])
    pages = [f"/{source.name}/{page}" for page in ("people.json", "people/1.json", "ann@example.com.json")]
    assert [columns(client, page) for page in pages] == [everything] * 3
    request.getfixturevalue("no_postal")
    rest = [name for name in everything if name != "postal"]
    for page in reversed(pages):
        assert columns(client, page) == rest
    assert columns(client, f"/{OTHER[source.name]}/people.json") == everything
    for query in ("", "?sort=email"):
        head, first = cells(client, f"/{source.name}/people.csv{query}")[:2]
        assert (head, len(first)) == (rest, 4)
    for query in ("postal=1", "postal__gte=1", "sort=postal", "facet=postal", "zip=1"):
        answer = client.get(f"/{source.name}/people.json?{query}")
        assert (answer.status_code, "There is no" in answer.json["error"]) == (400, True)
    form = client.get(f"/{source.name}/people").text
    assert "postal" not in form.lower() and 'name="state"' in form


def test_a_filter_on_a_column_that_has_gone_is_told_so(
    client: Any, source: Source, request: pytest.FixtureRequest
) -> None:
    address = f"/{source.name}/people.json?postal=10001&sort=postal"
    assert client.get(address).json["total"] == 1
    request.getfixturevalue("no_postal")
    assert client.get(address).json["error"] == (
        "There is no column postal; there are id, email, state, address."
    )


def test_a_comparison_takes_the_columns_that_both_have_and_says_which_it_leaves_out(
    client: Any, source: Source, no_postal: None
) -> None:
    facts = client.get("/compare.json").json
    assert facts["columns"] == ["id", "email", "state", "address"]
    assert facts["left_out"] == {"postal": {source.name: None, OTHER[source.name]: "a text"}}
    assert (facts["compared"], facts["same"]) == (6, 6)
    page = client.get("/compare").text
    assert "Left out" in page and "postal, " in page and "not there in" in page
    head = cells(client, "/compare.csv")[0]
    assert head[:5] == ["id", "rds_id", "rds_email", "rds_state", "rds_address"]


def test_a_column_of_another_kind_is_not_compared_and_takes_other_values(client: Any, source: Source) -> None:
    people = f"/{source.name}/people.json"
    assert client.get(f"{people}?postal__contains=1").status_code == 200
    alter = "ALTER TABLE persons ALTER COLUMN postal"
    source.execute(f"{alter} TYPE integer USING postal::integer")
    try:
        assert client.get(f"{people}?postal__contains=1").json["error"].startswith("postal has no filter")
        assert client.get(f"{people}?postal=NY").json["error"] == "postal is a number, which NY is not."
        facts = client.get(f"{people}?postal__gte=10001&sort=-postal").json
        assert [person["postal"] for person in facts["persons"]] == [98101, 97035, 90001, 73301, 10001]
        facts = client.get("/compare.json").json
        assert facts["left_out"]["postal"] == {source.name: "a number", OTHER[source.name]: "a text"}
        assert facts["counts"]["different"] == 0
    finally:
        source.execute(f"{alter} TYPE varchar(10) USING lpad(postal::text, 5, '0')")


def test_a_column_that_comes_is_seen_after_a_load(
    client: Any, web: Web, source: Source, request: pytest.FixtureRequest
) -> None:
    source.execute("ALTER TABLE persons RENAME COLUMN postal TO zip")
    assert "postal" not in columns(client, f"/{source.name}/people/1.json")
    source.execute("ALTER TABLE persons RENAME COLUMN zip TO postal")
    assert "postal" not in columns(client, f"/{source.name}/people/1.json")
    source.execute(load_of("loaded"))
    try:
        assert client.get("/.json").json["databases"][source.name]["last_load"]["key"] == "k"
        assert "postal" in columns(client, f"/{source.name}/people/1.json")
    finally:
        source.execute("DELETE FROM loads")


def test_the_catalog_is_read_once_and_once_more_when_its_minute_is_over(
    client: Any, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = client.application.extensions["databases"][source.name]
    read: Counter[str] = Counter()
    ask = database.columns
    monkeypatch.setattr(database, "columns", lambda table: read.update([table]) or ask(table))
    for _ in range(5):
        client.get(f"/{source.name}/people/1")
        client.get(f"/{source.name}/ann@example.com")
        client.get(f"/{source.name}/people?state=NY")
    assert read == {"persons": 1}
    before = database.tables["persons"]
    database.tables._kept["persons"].until = 0.0
    for _ in range(3):
        client.get(f"/{source.name}/people/1")
    assert read == {"persons": 2}
    assert database.tables["persons"] is before, "what was compiled for it goes on being used"


def test_a_table_that_changes_under_load_costs_no_answer(client: Any, source: Source) -> None:
    address, wrong, stop = f"/{source.name}/people/1.json", [], threading.Event()
    seen: Counter[tuple[str, ...]] = Counter()

    def ask() -> None:
        mine = client.application.test_client()
        while not stop.is_set():
            answer = mine.get(address)
            if answer.status_code == 200:
                seen[tuple(answer.json["persons"][0])] += 1
            else:
                wrong.append((answer.status_code, answer.text))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    everything = tables.ALLOWED["persons"]
    for thread in threads:
        thread.start()
    try:
        until(lambda: seen[everything] > 50)
        source.execute("ALTER TABLE persons RENAME COLUMN postal TO zip")
        until(lambda: sum(seen.values()) - seen[everything] > 50)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        source.execute("ALTER TABLE persons RENAME COLUMN zip TO postal")
    assert wrong == []
    assert set(seen) == {everything, ("id", "email", "state", "address")}


def test_a_ledger_that_lacks_a_column_reads_as_empty_there(client: Any, web: Web) -> None:
    web.rds.execute(
        load_of("failed"),
        "ALTER TABLE loads DROP COLUMN reason, DROP COLUMN rejected, DROP COLUMN finished",
    )
    try:
        load = client.get("/loads/r.json").json["load"]
        assert (load["key"], load["reason"], load["rejected"], load["finished"]) == ("k", None, None, None)
        for page in ("/", "/loads", "/loads/r", "/loads?state=failed", "/compare"):
            assert client.get(page).status_code == 200
    finally:
        web.rds.execute(
            "DELETE FROM loads",
            "ALTER TABLE loads ADD COLUMN reason varchar(1000), ADD COLUMN rejected bigint,"
            " ADD COLUMN finished timestamp",
        )


MORE = {
    "born": ("date", [date(1980 + number, 2, 3) for number in range(5)]),
    "seen": ("timestamp", [datetime(2026, 1, 1 + number, 4, 5, 6) for number in range(5)]),
    "score": ("numeric(10,2)", [Decimal(number) / 4 for number in range(5)]),
    "weight": ("double precision", [number / 8 for number in range(5)]),
    "member": ("boolean", [number % 2 == 0 for number in range(5)]),
    "rank": ("smallint", list(range(5))),
    "payload": ("json", ["{}"] * 5),
}


@pytest.fixture
def more(source: Source, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A column of every type that the loader knows, allowed; and one that the pages cannot read."""
    monkeypatch.setitem(tables.ALLOWED, "persons", (*tables.ALLOWED["persons"], *MORE))
    source.execute(*(f"ALTER TABLE persons ADD COLUMN {name} {kind}" for name, (kind, _) in MORE.items()))
    with source.server.session("people") as cursor:
        for name, (_, values) in MORE.items():
            cursor.executemany(
                f"UPDATE persons SET {name} = %s WHERE id = %s",
                [(value, number + 1) for number, value in enumerate(values)],
            )
    yield
    source.execute(*(f"ALTER TABLE persons DROP COLUMN {name}" for name in MORE))


def test_an_allowed_column_of_any_type_is_filtered_sorted_and_paged(
    client: Any, source: Source, more: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from web import view

    monkeypatch.setattr(view, "SIZES", (2, *view.SIZES))
    people = f"/{source.name}/people.json"
    assert columns(client, people) == [name for name in tables.ALLOWED["persons"] if name != "payload"]
    assert client.get(f"{people}?sort=payload").status_code == 400
    for name, (_, values) in MORE.items():
        if name in ("payload", "member"):
            continue
        facts = client.get(f"{people}?{name}__gte={written(values[3])}").json
        assert [person["id"] for person in facts["persons"]] == [4, 5], name
        assert client.get(f"{people}?{name}={written(values[2])}").json["total"] == 1
        assert client.get(f"{people}?{name}=nonsense").json["error"].startswith(f"{name} is a")
        address, seen = f"/{source.name}/people?sort=-{name}&size=2", []
        while address:
            facts = client.get(address, headers={"Accept": "application/json"}).json
            seen += [person["id"] for person in facts["persons"]]
            address = facts["next"]
        assert seen == [6, 5, 4, 3, 2, 1], name
        assert str(values[2]) in client.get(f"/{source.name}/people/3").text
    assert client.get(f"{people}?member=true").json["total"] == 3
    assert client.get(f"{people}?member__gt=true").status_code == 400
    assert len(cells(client, f"/{source.name}/people.csv?sort=born")) == 7


def values(kind: type) -> st.SearchStrategy[Any]:
    """Values of a kind as a database may have them."""
    own: dict[type, st.SearchStrategy[Any]] = {
        int: st.integers(-LARGEST, LARGEST),
        float: st.floats(allow_nan=False, allow_infinity=False),
        Decimal: st.decimals(-(10**20), 10**20, places=4),
    }
    return own[kind] if kind in own else st.from_type(kind)


@given(st.sampled_from(list(KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), values(kind))))
def test_a_value_in_an_address_reads_as_the_value(case: tuple[type, Any]) -> None:
    kind, value = case
    read = KINDS[kind].read(written(value))
    assert read == value and type(read) is kind


@pytest.mark.parametrize(
    ("kind", "text"),
    [(int, "1.5"), (int, str(LARGEST + 1)), (int, "٣"), (Decimal, "NaN"), (Decimal, "1e999"), (float, "inf"),
     (float, "x"), (bool, "yes"), (date, "2026-02-30"), (datetime, "noon")],
)  # fmt: skip
def test_a_text_that_is_no_value_of_the_kind_is_refused(kind: type, text: str) -> None:
    with pytest.raises(ValueError):
        KINDS[kind].read(text)
