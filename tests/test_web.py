"""The pages over both databases: persons, sentences, JSON twins, headers, logs."""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from web_support import DRIVER_WARNINGS, PERSONS, Web, application_client, running_web

web = pytest.fixture(running_web, scope="module")
client = pytest.fixture(application_client, scope="module")
pytestmark = DRIVER_WARNINGS

SOURCES = ("rds", "redshift")
INJECTIONS = [
    "' OR '1'='1",
    "'; DROP TABLE persons; --",
    "ann@example.com' UNION SELECT usename, passwd FROM pg_shadow --",
    "%",
    "_nn@example.com",
    "\\",
    "/%",
    "a\0b",
    "$1",
    ":pattern",
    "%(pattern)s",
    "%s%s%s",
    "{{ 7*7 }}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "..%2f..%2fetc/passwd",
    "x" * 5000,
    "\u202e\ufeff\U0001f600",
    "\r\nSet-Cookie: a=b",
]


def person(number: int) -> dict[str, Any]:
    """A person of the test data as JSON gives it."""
    return dict(zip(("id", "email", "state", "postal", "address"), PERSONS[number - 1], strict=True))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("beginning", "ids"),
    [
        ("ann@example.com", [1]),
        ("ANN@EXAMPLE.COM", [1]),
        ("ann@", [1, 2]),
        ("b", [4, 3]),
        ("b%b_x", [4]),
        ("b%", [4]),
        ("carl/o'hara@example.com", [5]),
        ("zoë", [6]),
    ],
)
def test_an_email_or_its_beginning_shows_the_persons(
    client: Any, source: str, beginning: str, ids: list[int]
) -> None:
    answer = client.get(f"/{source}/{quote(beginning, safe='')}.json")
    assert answer.status_code == 200
    assert answer.json["database"] == source
    assert answer.json["persons"] == [person(number) for number in ids]


@pytest.mark.parametrize("source", SOURCES)
def test_a_person_is_shown_with_every_value_escaped(client: Any, source: str) -> None:
    answer = client.get(f"/{source}/b%25b_x@example.com")
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert "&lt;b&gt;4&lt;/b&gt; &amp; Sons" in answer.text
    assert "<b>4</b>" not in answer.text


@pytest.mark.parametrize("source", SOURCES)
def test_nobody_is_a_plain_sentence_with_404(client: Any, source: str) -> None:
    sentence = "has the e-mail nobody@example.com or one that begins so."
    answer = client.get(f"/{source}/nobody@example.com")
    assert answer.status_code == 404
    assert sentence in answer.text
    answer = client.get(f"/{source}/nobody@example.com.json")
    assert answer.status_code == 404
    assert answer.json["error"].endswith(sentence)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("value", INJECTIONS)
def test_hostile_values_find_nobody_and_change_nothing(
    client: Any, web: Web, source: str, value: str
) -> None:
    answer = client.get(f"/{source}/{quote(value, safe='')}", follow_redirects=True)
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text and "<img src=x" not in answer.text
    assert "Set-Cookie" not in answer.headers
    assert client.get("/.json").json["databases"][source]["rows"] == len(PERSONS)


def test_the_start_page_shows_both_databases(client: Any) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.text.count('<span class="state up">up</span>') == 2
    databases = client.get("/.json").json["databases"]
    assert list(databases) == ["rds", "redshift"]
    assert [facts["engine"] for facts in databases.values()] == ["PostgreSQL", "Redshift"]
    for facts in databases.values():
        assert facts["up"] is True
        assert facts["rows"] == len(PERSONS)
        assert re.fullmatch(r"\d+(\.\d+)+", facts["version"])
        assert facts["milliseconds"] > 0


def test_the_start_page_says_how_fresh_the_rows_are(client: Any, web: Web) -> None:
    assert client.get("/.json").json["databases"]["rds"]["last_load"] is None
    for state, key, started in (
        ("loaded", "incoming/old.csv", "2026-01-01 10:00"),
        ("loaded", "incoming/people.csv", "2026-01-02 10:00"),
        ("failed", "incoming/broken.csv", "2026-01-03 10:00"),
    ):
        web.rds.execute(
            "INSERT INTO loads (run, table_name, mode, bucket, key, version, etag, sequencer, size, rows,"
            f" state, started, finished) VALUES ('{key}', 'persons', 'mirror', 'data', '{key}', 'v', 'e',"
            f" 's', 1, 6, '{state}', '{started}', timestamp '{started}' + interval '3 seconds')"
        )
    last = client.get("/.json").json["databases"]["rds"]["last_load"]
    assert (last["key"], last["at"], last["rows"]) == ("incoming/people.csv", "2026-01-02T10:00:03Z", 6)
    page = client.get("/").text
    assert "s3://data/incoming/people.csv" in page
    assert "2026-01-02 10:00:03 UTC" in page


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("text/html,application/json;q=0.9", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("address", ["/", "/rds/ann@example.com", "/rds/nobody", "/no/such/page"])
def test_the_accept_header_chooses_html_or_json(client: Any, address: str, accept: str, kind: str) -> None:
    answer = client.get(address, headers={"Accept": accept})
    assert answer.content_type == kind
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/rds/people",
        "/rds/people.csv",
        "/redshift/ann",
        "/compare",
        "/network",
        "/loads",
        "/none",
        "/readyz",
    ],
)
def test_every_answer_carries_the_security_headers(client: Any, address: str) -> None:
    headers = client.get(address).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in headers
    assert "Set-Cookie" not in headers


def test_behind_tls_browsers_are_told_to_stay_there(client: Any) -> None:
    assert "max-age" in client.get("/healthz", base_url="https://pages").headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    "address", ["/", "/rds/people?q=a", "/redshift/ann", "/rds/nobody", "/compare", "/network", "/loads"]
)
def test_pages_load_nothing_from_elsewhere_and_hold_nothing_inline(client: Any, address: str) -> None:
    text = client.get(address).text
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", text)
    assert not re.search(r"<style|<script(?! src)| style=| on\w+=", text)
    for link in re.findall(r'(?:src|href)="(/static/[^"]+)"', text):
        with client.get(link) as file:
            assert file.status_code == 200
            assert "immutable" in file.headers["Cache-Control"]
        assert re.search(r"\?v=[0-9a-f]{12}$", link), "a new file gets a new address"


def test_pages_can_only_be_read(client: Any) -> None:
    answer = client.post("/rds/ann@example.com")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_the_query_and_its_time_are_shown(client: Any) -> None:
    answer = client.get("/redshift/ann@example.com")
    assert "WHERE lower(persons.email) LIKE lower(:pattern)" in answer.text
    for address in ("/redshift/ann@example.com", "/redshift/ann@example.com.json"):
        timing = client.get(address).headers["Server-Timing"]
        assert re.fullmatch(r"db;dur=\d+\.\d\d", timing)


def test_the_log_says_what_was_asked_but_not_about_whom(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from web.logs import JsonFormatter

    caplog.set_level("INFO", logger="web")
    identifier = client.get("/rds/ann@example.com").headers["X-Request-Id"]
    client.get("/rds/nobody@example.com?q=secret", headers={"X-Request-Id": "from-the-balancer"})
    lines = [JsonFormatter().format(record) for record in caplog.records if record.name == "web"]
    first, second = (json.loads(line) for line in lines)
    assert first["request_id"] == identifier
    assert (first["event"], first["status"], second["status"]) == ("request", 200, 404)
    assert second["request_id"] == "from-the-balancer"
    assert not any("example.com" in line or "secret" in line for line in lines)
