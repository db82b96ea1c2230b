"""Hostile values through every parameter: no 500, no change of data, nothing unescaped, no formula in a CSV.

Each parameter gets every payload under AWS_VPC_TEST_ALL, and a share of them, all payloads in all, otherwise.
"""

import csv
import html
import io
import json
import os
import string
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote
from zlib import crc32

import pytest
import web_support  # noqa: F401  (puts the bundle on the path)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web import hosts, ledger, view
from web_payloads import FORMULAS, PAYLOADS
from web_support import DRIVER_WARNINGS, PERSONS, Source, Web, application_client, insert, running_web

web = pytest.fixture(running_web, scope="module")
client = pytest.fixture(application_client, scope="module")
pytestmark = DRIVER_WARNINGS

ALL = bool(os.environ.get("AWS_VPC_TEST_ALL"))
SHARE = len(PAYLOADS) if ALL else 6
COLUMNS = ("id", "email", "state", "postal", "address")
FILTERS = [f"{column}__{operator}" for column in COLUMNS for operator in view.OPERATORS]
QUERIES = [
    *((f"/{source}/people", name) for source in ("rds", "redshift") for name in
      ("q", "sort", "size", "facet", "after", "unknown", *COLUMNS)),
    *(("/rds/people" if number % 2 else "/redshift/people", name) for number, name in enumerate(FILTERS)),
    ("/rds/people.csv", "q"), ("/rds/people.csv", "after"), ("/compare", "after"), ("/compare.csv", "after"),
    ("/loads", "state"), ("/loads", "before"), ("/loads/progress", "key"), ("/network", "x"), ("/", "x"),
]  # fmt: skip
PATHS = [
    "/rds/{}",
    "/redshift/{}",
    "/rds/people/{}",
    "/loads/{}",
    "/loads/{}/rejected.csv",
    "/{}",
    "/static/{}",
]
ACCEPTED = ("text/html", "application/json")
HEADERS = [
    "X-Request-Id",
    "X-Amzn-Trace-Id",
    "Accept",
    "User-Agent",
    "Authorization",
    "Origin",
    "Cookie",
    "Host",
]


@pytest.fixture(scope="module", autouse=True)
def nothing_changes(web: Web) -> Iterator[None]:
    """After everything, both databases and the bucket hold what they held before."""
    before = [contents(web.rds), contents(web.redshift)]
    yield
    assert [contents(web.rds), contents(web.redshift)] == before
    assert "Contents" not in web.s3.list_objects_v2(Bucket=web.bucket)


def contents(source: Source) -> list[Any]:
    """Every row of both tables."""
    with source.server.session("people") as cursor:
        cursor.execute("SELECT * FROM persons ORDER BY id")
        persons = cursor.fetchall()
        cursor.execute("SELECT count(*) FROM loads")
        return [persons, cursor.fetchall()]


def some(name: str) -> list[str]:
    """The payloads for one parameter: the same in every run, those behind them for the next parameter."""
    place = (
        [address + name for address, name in QUERIES].index(name) if name[0] == "/" and "{" not in name else 0
    )
    start = place * SHARE or crc32(name.encode())
    return [PAYLOADS[(start + at) % len(PAYLOADS)] for at in range(SHARE)]


class Elements(HTMLParser):
    """What a page's HTML has as elements and attributes, however its text looks."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes the element, and attributes that would run something."""
        self.found.add(tag)
        for name, value in attrs:
            leads = name in ("href", "src", "action", "formaction", "content")
            if name.startswith("on") or (
                leads and (value or "").lower().startswith(("javascript:", "data:"))
            ):
                self.found.add(f"{name}={value}")


ELEMENTS = """
    html head meta title link script body a header nav ul li img strong main footer small dialog article
    dl div dt dd kbd form button h1 h2 hgroup p search label input details summary select option section
    table caption thead tbody tr th td span ol code pre svg g rect text tspan path time noscript
"""


def harmless(answer: Any) -> None:
    """Asserts that an answer is no failure, sets no cookie, leads nowhere else, has known elements only."""
    assert answer.status_code < 500, answer.status_code
    assert "Set-Cookie" not in answer.headers
    location = answer.headers.get("Location", "").removeprefix("http://localhost")
    assert not location or (location.startswith("/") and not location.startswith(("//", "/\\"))), location
    assert not any("\n" in value or "\r" in value for value in answer.headers.values())
    if answer.mimetype == "text/html":
        elements = Elements()
        elements.feed(answer.get_data(as_text=True))
        assert elements.found <= set(ELEMENTS.split()), elements.found
    elif answer.mimetype == "application/json":
        json.loads(answer.get_data())


def test_there_are_enough_payloads() -> None:
    assert len(PAYLOADS) >= 200
    drawn = {payload for address, name in QUERIES for payload in some(address + name)}
    assert drawn == set(PAYLOADS), "every payload goes through some parameter"


@pytest.mark.parametrize(("address", "name"), QUERIES, ids=lambda part: part)
def test_parameters(client: Any, address: str, name: str) -> None:
    for number, payload in enumerate(some(address + name)):
        for accept in ACCEPTED if ALL else ACCEPTED[number % 2 :][:1]:
            with client.get(address, query_string={name: payload}, headers={"Accept": accept}) as answer:
                harmless(answer)


@pytest.mark.parametrize("address", PATHS)
def test_paths(client: Any, address: str) -> None:
    for payload in some(address):
        for written in (quote(payload, safe=""), quote(payload, safe="/")):
            with client.get(address.format(written)) as answer:
                harmless(answer)


def test_names_of_parameters(client: Any) -> None:
    for payload in some("names"):
        harmless(client.get("/rds/people", query_string={payload: "x"}))
        harmless(client.get("/rds/people", query_string={f"email__{payload}": "x"}))
        for column, operator in ((payload, "is"), ("email", payload), ("email", "contains")):
            form = {"_column": column, "_operator": operator, "_value": payload}
            harmless(client.get("/rds/people", query_string=form))


@pytest.mark.parametrize("name", HEADERS)
def test_headers(client: Any, name: str) -> None:
    for payload in some(name):
        value = payload.replace("\r", "").replace("\n", "").encode("utf-8").decode("latin-1")
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value}
        with client.get("/rds/ann@example.com", environ_overrides=environ) as answer:
            harmless(answer)


@pytest.mark.parametrize("field", ["mode", "filename", "content"])
def test_fields_of_the_upload(client: Any, field: str) -> None:
    for payload in some(field):
        values = {"mode": "none", "filename": "people.txt", "content": "x"} | {field: payload}
        file = (io.BytesIO(values["content"].encode("utf-8", "replace")), values["filename"])
        data = {"file": file, "mode": values["mode"]}
        with client.post("/loads", data=data, headers={"Origin": "http://localhost"}) as answer:
            harmless(answer)
            assert answer.status_code in (400, 413)


def test_values_in_the_database_are_escaped_and_defused(client: Any, web: Web) -> None:
    hostile = [text for text in PAYLOADS if "\0" not in text and len(text) <= 200]
    rows = [(1000 + at, f"{at}{text}"[:320], "NY", "10001", text) for at, text in enumerate(hostile)]
    for source in (web.rds, web.redshift):
        insert(source, rows)
    try:
        for name in ("rds", "redshift"):
            harmless(client.get(f"/{name}/people?size=500&facet=state"))
            shown = client.get(f"/{name}/people?size=500").get_data(as_text=True)
            assert all(html.escape(text, quote=False) in html.unescape(shown) or text in html.unescape(shown)
                       for text in hostile)  # fmt: skip
            with client.get(f"/{name}/people.csv?id__gte=1000") as answer:
                cells = list(csv.reader(io.StringIO(answer.get_data(as_text=True), newline="")))[1:]
            assert len(cells) == len(hostile)
            assert not [
                cell for row in cells for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            ]
            assert all(row[4] in (text, f"'{text}") for row, text in zip(cells, hostile, strict=True))
        web.redshift.execute("UPDATE persons SET email = 'x' WHERE id >= 1000")
        harmless(client.get("/compare"))
        with client.get("/compare.csv") as answer:
            defused = list(csv.reader(io.StringIO(answer.get_data(as_text=True), newline="")))[1:]
        assert not [cell for row in defused for cell in row if cell.startswith(("=", "+", "-", "@"))]
    finally:
        for source in (web.rds, web.redshift):
            source.execute("DELETE FROM persons WHERE id >= 1000")
    assert len(FORMULAS) >= 30


TEXT = st.text(max_size=30) | st.sampled_from(PAYLOADS)
NAMES = st.sampled_from(["q", "sort", "size", "facet", "after", *COLUMNS, *FILTERS]) | st.text(
    string.ascii_letters
)
VALUES = TEXT | st.integers().map(str) | st.sampled_from(["NY", "1", "-id", "email", "state", "100", "[1,1]"])
CASES = settings(
    max_examples=2000 if ALL else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@CASES
@given(st.sampled_from(["rds", "redshift"]), st.lists(st.tuples(NAMES, VALUES), max_size=5))
def test_the_json_of_any_view_keeps_its_contract(
    client: Any, source: str, query: list[tuple[str, str]]
) -> None:
    answer = client.get(f"/{source}/people.json", query_string=query)
    if answer.status_code == 303:
        answer = client.get(answer.location, headers={"Accept": "application/json"})
    facts = answer.json
    assert answer.status_code in (200, 400), facts
    if answer.status_code == 400:
        assert set(facts) == {"error", "status"} and facts["status"] == 400
        return
    assert len(facts["persons"]) <= facts["view"]["size"]
    assert all(list(person) == list(COLUMNS) for person in facts["persons"])
    assert facts["total"] >= len(facts["persons"]) or facts["view"]["after"]
    again = client.get(facts["csv"].replace(".csv", ".json", 1)).json
    assert again["persons"] == facts["persons"], "the address is the state"


@CASES
@given(TEXT, st.sampled_from(["", *ledger.STATES]) | TEXT)
def test_the_json_of_loads_and_lookups_keeps_its_contract(client: Any, text: str, state: str) -> None:
    found = client.get(f"/rds/{quote(text, safe='')}", headers={"Accept": "application/json"})
    assert found.status_code in (200, 303, 308, 404) and (found.json or found.location)
    loads = client.get("/loads.json", query_string={"state": state, "before": text})
    assert loads.status_code in (200, 400)
    assert ("loads" in loads.json) == (loads.status_code == 200)
    assert len(PERSONS) == 6


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("localhost:8000", True),
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("203.0.113.7", True),
        ("EC2-203-0-113-7.us-west-2.compute.amazonaws.com", True),
        ("pages.us-west-2.elasticbeanstalk.com.", True),
        ("mine.example:80", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("amazonaws.com.evil.example", False),
        ("notamazonaws.com", False),
        ("mine.example.evil.example", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_a_name_is_trusted_where_nobody_else_can_point_it_here(host: str, trusted: bool) -> None:
    assert hosts.trusted(host, frozenset(["mine.example"])) is trusted


def test_a_site_whose_name_leads_here_reads_and_uploads_nothing(client: Any) -> None:
    for address in ("/", "/rds/people", "/rds/people.json", "/loads"):
        answer = client.get(address, base_url="http://evil.example")
        assert answer.status_code == 421 and "@" not in answer.text
    data = {"file": (io.BytesIO(b"id,email\n1,a@b.example\n"), "people.csv"), "mode": "merge"}
    origin = {"Origin": "http://evil.example"}
    assert client.post("/loads", data=data, headers=origin, base_url="http://evil.example").status_code == 421
    assert client.get("/rds/people", base_url="https://mine.example").status_code == 200
