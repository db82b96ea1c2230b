"""People pages: search, filters, order, pages by key, facets, CSV, and addresses that make no sense."""

import csv
import io
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from web_support import DRIVER_WARNINGS, PERSONS, Web, application_client, insert, running_web

web = pytest.fixture(running_web, scope="module")
client = pytest.fixture(application_client, scope="module")
pytestmark = DRIVER_WARNINGS

SOURCES = ("rds", "redshift")
STATES = ("NY", "CA", "TX")
RANDOM = random.Random(42)
MORE = [
    (
        number,
        f"p{number}@example{number % 7}.com",
        RANDOM.choice(STATES),
        f"{RANDOM.randrange(40):05d}",
        RANDOM.choice(["=1+1", "-2", "@x", "+3", "1 Main Street", 'a "b", c', None]),
    )
    for number in range(100, 350)
]
EVERYBODY = [*PERSONS, *MORE]


@pytest.fixture(scope="module", autouse=True)
def more_people(web: Web) -> Iterator[None]:
    """Some hundred people in both databases, with empty values and equal ones."""
    for source in (web.rds, web.redshift):
        insert(source, MORE)
    return


def ask(client: Any, source: str, parameters: Any = (), status: int = 200) -> dict[str, Any]:
    """The JSON of a page of people."""
    answer = client.get(f"/{source}/people.json?{urlencode(parameters)}")
    assert answer.status_code == status, answer.text
    return answer.json


def ids(facts: dict[str, Any]) -> list[int]:
    """Who is on the page."""
    return [person["id"] for person in facts["persons"]]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("parameters", "fits"),
    [
        ([], lambda p: True),
        ([("q", "EXAMPLE3")], lambda p: "example3" in p[1]),
        ([("q", "b%b_x")], lambda p: p[0] == 4),
        ([("state", "NY")], lambda p: p[2] == "NY"),
        ([("state__not", "NY")], lambda p: p[2] != "NY"),
        ([("state__in", "NY,CA")], lambda p: p[2] in ("NY", "CA")),
        ([("address__isnull", "1")], lambda p: p[4] is None),
        ([("address__isnull", "0"), ("postal__gte", "00020")], lambda p: p[4] and p[3] >= "00020"),
        ([("address__not", "=1+1")], lambda p: p[4] != "=1+1"),
        ([("postal__gt", "00010"), ("postal__lt", "00012")], lambda p: p[3] == "00011"),
        ([("id__lte", "3")], lambda p: p[0] <= 3),
        ([("id__in", "1,2,-3")], lambda p: p[0] in (1, 2)),
        ([("email__startswith", "P10")], lambda p: p[1].startswith("p10")),
        ([("email__endswith", "e6.COM"), ("q", "p1")], lambda p: p[1].endswith("e6.com") and "p1" in p[1]),
        ([("address__contains", "/o'hara")], lambda p: False),
        ([("address", 'a "b", c')], lambda p: p[4] == 'a "b", c'),
    ],
)
def test_search_and_filters_leave_exactly_who_fits(
    client: Any, source: str, parameters: list[tuple[str, str]], fits: Any
) -> None:
    expected = sorted(p[0] for p in EVERYBODY if fits(p))
    facts = ask(client, source, [*parameters, ("size", "500")])
    assert ids(facts) == expected
    assert (facts["total"], facts["total_is_more"], facts["next"]) == (len(expected), False, None)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("sort", ["id", "-id", "email", "-email", "state", "-state", "address", "-postal"])
def test_pages_by_key_show_everybody_once_and_in_order(client: Any, source: str, sort: str) -> None:
    whole = ask(client, source, {"sort": sort, "size": 500})
    seen, address = [], f"/{source}/people?{urlencode({'sort': sort, 'size': 50})}"
    while address:
        facts = client.get(address, headers={"Accept": "application/json"}).json
        seen += ids(facts)
        address = facts["next"]
    assert seen == ids(whole)
    assert sorted(seen) == sorted(p[0] for p in EVERYBODY)


def test_facets_count_the_values_of_who_fits(client: Any) -> None:
    for source in SOURCES:
        facts = ask(client, source, {"facet": "state", "q": "example3"})
        counts = {item["value"]: item["rows"] for item in facts["facets"]["state"]}
        fitting = [p[2] for p in EVERYBODY if "example3" in p[1]]
        assert counts == {state: fitting.count(state) for state in set(fitting)}


def test_the_count_is_capped(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from web import listing

    monkeypatch.setattr(listing, "MOST_COUNTED", 100)
    facts = ask(client, "rds")
    assert (facts["total"], facts["total_is_more"]) == (100, True)
    assert "More than 100 people" in client.get("/rds/people").text


def test_the_last_row_of_a_csv_is_found_behind_line_ends_within_quotes() -> None:
    from web import listing

    assert listing.last_identifier(b'1,a\n22,"x\n3,""y"\n') == 22
    assert listing.last_identifier(b"7,a\n") == 7
    assert listing.last_identifier(b'1,a\n2,"""\n"\n') == 2


@pytest.mark.parametrize("source", SOURCES)
def test_csv_streams_the_whole_view_and_defuses_formulas(
    client: Any, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from web import listing

    monkeypatch.setattr(listing, "EXPORT_BATCH", 40)
    monkeypatch.setattr(listing, "COPY_BATCH", 40)
    with client.get(f"/{source}/people.csv?size=20&email__contains=p") as upwards:
        ascending = list(csv.reader(io.StringIO(upwards.text, newline="")))
    answer = client.get(f"/{source}/people.csv?sort=-id&size=20&email__contains=p")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="people-{source}.csv"'
    header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert header == ["id", "email", "state", "postal", "address"]
    fitting = [p for p in EVERYBODY if "p" in p[1]]
    assert [int(row[0]) for row in rows] == sorted((p[0] for p in fitting), reverse=True)
    by_id = {p[0]: p for p in fitting}
    assert ascending == [header, *reversed(rows)]
    with client.get(f"/{source}/people.csv?email__contains=p&id__in=3,100,101") as answer:
        assert [int(row[0]) for row in list(csv.reader(io.StringIO(answer.text, newline="")))[1:]] == [
            3,
            100,
            101,
        ]
    for row in rows:
        address = by_id[int(row[0])][4] or ""
        assert row[4] == (f"'{address}" if address[:1] in ("=", "+", "-", "@") else address)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("salary=1", "no column salary"),
        ("email__like=x", "no filter like"),
        ("id__contains=1", "no filter contains"),
        ("id=one", "is a number"),
        ("id=99999999999999999999", "is a number"),
        ("sort=password", "no column password"),
        ("size=1000000", "page size is one of"),
        ("facet=address", "no facet address"),
        ("state__isnull=yes", "is 1 or 0"),
        ("after=x", "first page"),
        ("after=[1,true]", "first page"),
        ("after=[1,2,3]", "first page"),
        ("after=%5B%22x%22,1%5D", "first page"),
        ("after=[1e400,1]", "first page"),
        ("after=[99999999999999999999,1]", "first page"),
        ("q=%00", "too long or not text"),
        ("q=" + "x" * 401, "too long or not text"),
        ("&".join(f"id__not={number}" for number in range(21)), "more than 20 filters"),
    ],
)
def test_what_makes_no_sense_is_a_sentence_with_400(client: Any, query: str, says: str) -> None:
    for source in SOURCES:
        answer = client.get(f"/{source}/people?{query}")
        assert answer.status_code == 400
        assert says in answer.text


@pytest.mark.parametrize("source", SOURCES)
def test_a_person_has_a_page_by_id(client: Any, source: str) -> None:
    answer = client.get(f"/{source}/people/3")
    assert answer.status_code == 200
    assert "3 Elm Street, Apt 4" in answer.text
    assert client.get(f"/{source}/people/3.json").json["persons"][0]["email"] == "Bob@Example.com"
    for nobody in ("7", "99999999999999999999"):
        assert client.get(f"/{source}/people/{nobody}").status_code == 404


@pytest.mark.parametrize("source", SOURCES)
def test_the_page_is_its_address(client: Any, source: str) -> None:
    page = client.get(f"/{source}/people?q=p&state=NY&sort=-email&size=20&facet=postal").text
    assert 'value="p"' in page
    assert 'aria-sort="descending"' in page
    assert "state is NY" in page
    assert page.count("<tr>") == 21
    assert "lower(persons.email) LIKE lower(" in page
    assert f'href="/{source}/people.csv?q=p&amp;state=NY&amp;facet=postal&amp;sort=-email' in page
    assert 'rel="next"' in page


def test_a_form_with_empty_fields_leads_to_the_shortest_address(client: Any) -> None:
    answer = client.get("/rds/people?q=&state=NY&postal__gte=&sort=id&size=100&facet=")
    assert (answer.status_code, answer.location) == (303, "/rds/people?state=NY")


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        (("email", "contains", "@x & y"), "?state=NY&email__contains=%40x+%26+y"),
        (("id", "is", "5"), "?state=NY&id=5"),
        (("address", "isnull", ""), "?state=NY&address__isnull=1"),
        (("postal", "gte", ""), "?state=NY"),
    ],
)
def test_any_column_can_be_filtered_by_the_form(client: Any, fields: Any, query: str) -> None:
    form = dict(zip(("state", "_column", "_operator", "_value"), ("NY", *fields), strict=True))
    answer = client.get(f"/redshift/people?{urlencode(form)}")
    assert (answer.status_code, answer.location) == (303, f"/redshift/people{query}")
    assert client.get(answer.location).status_code == 200
    page = client.get("/redshift/people").text
    assert all(f"<option>{column}</option>" in page for column in ("id", "email", "address"))


def test_a_form_with_a_filter_that_there_is_not_is_told_so(client: Any) -> None:
    answer = client.get("/rds/people.json?_column=id&_operator=contains&_value=1")
    assert (answer.status_code, "id has no filter contains" in answer.json["error"]) == (400, True)


def test_beginnings_of_many_lead_to_all_of_them(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from web import queries

    assert "all of them" not in client.get("/rds/p10").text
    monkeypatch.setattr(queries, "MOST_PERSONS", 10)  # p100 to p109
    page = client.get("/rds/p10").text
    address = "/rds/people?email__startswith=p10&amp;sort=email"
    assert f'href="{address}">all of them' in page
    assert client.get(address.replace("&amp;", "&")).status_code == 200


def test_nobody_is_a_page_with_advice(client: Any) -> None:
    answer = client.get("/rds/people?q=nobody-at-all")
    assert answer.status_code == 200
    assert "Nobody fits" in answer.text


@pytest.mark.parametrize("parameter", ["q", "email", "address__contains", "state__in", "sort", "after", "id"])
@pytest.mark.parametrize("value", ["'; DROP TABLE persons; --", '"><script>alert(1)</script>', "%s%(x)s\\"])
def test_hostile_parameters_change_nothing_and_are_escaped(client: Any, parameter: str, value: str) -> None:
    for source in SOURCES:
        answer = client.get(f"/{source}/people?{urlencode({parameter: value})}")
        assert answer.status_code in (200, 400)
        assert "<script>alert" not in answer.text
        assert client.get(f"/{source}/people.csv?{urlencode({parameter: value})}").status_code in (200, 400)
        assert ask(client, source)["total"] == len(EVERYBODY)
