"""Loads: the history, rejected rows to download, an upload from the form to the bucket, and its progress."""

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import web_support  # noqa: F401  (puts the bundle on the path)
from web import bucket, upload
from web_support import DRIVER_WARNINGS, Web, application_client, running_web
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

web = pytest.fixture(running_web, scope="module")
client = pytest.fixture(application_client, scope="module")
pytestmark = DRIVER_WARNINGS

ROWS = b"id,email,state,postal,address\n1,ann@example.com,NY,10001,1 Main Street\n"
FIRST = datetime(2026, 1, 1, 12)
OURS = {"Origin": "http://localhost"}


def load(web: Web, number: int, state: str = "loaded", **more: Any) -> str:
    """A line of the ledger; each is an hour later than the one before."""
    values = {
        "run": f"run-{number:03}",
        "table_name": "persons",
        "mode": "mirror",
        "bucket": web.bucket,
        "key": f"incoming/people-{number}.csv",
        "version": f"v{number}",
        "etag": "e",
        "sequencer": "00",
        "size": 10,
        "state": state,
        "started": FIRST + timedelta(hours=number),
        **more,
    }
    with web.rds.server.session("people") as cursor:
        marks = ", ".join(["%s"] * len(values))
        cursor.execute(f"INSERT INTO loads ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    return str(values["run"])


@pytest.fixture(autouse=True)
def no_loads(web: Web) -> Iterator[None]:
    """Every test begins with an empty ledger."""
    web.rds.execute("DELETE FROM loads")
    return


def test_before_the_first_load_the_page_says_what_to_do(client: Any) -> None:
    answer = client.get("/loads")
    assert answer.status_code == 200
    assert "Nothing has been loaded. Put a file under incoming/" in answer.text


def test_the_history_is_paged_newest_first_and_shows_each_load_once(client: Any, web: Web) -> None:
    load(web, 3, "failed", reason="<b>too many</b>")
    web.rds.execute(
        "UPDATE loads SET run = 'run-000', started = started - interval '3 hours'",
        "INSERT INTO loads (run, state, started, table_name, mode, bucket, key, version, etag, sequencer,"
        " size, reason)"
        " SELECT 'run-' || lpad(n::text, 3, '0'),"
        " CASE WHEN n % 3 = 0 THEN 'failed' ELSE 'loaded' END, started + n * interval '1 hour',"
        " table_name, mode, bucket, key, version, etag, sequencer, size, reason"
        " FROM loads, generate_series(1, 119) n",
    )
    runs, address = [], "/loads"
    while address:
        facts = client.get(address, headers={"Accept": "application/json"}).json
        runs += [line["run"] for line in facts["loads"]]
        address = facts["next"]
    assert runs == [f"run-{number:03}" for number in reversed(range(120))]
    failed = client.get("/loads.json?state=failed").json
    assert {line["state"] for line in failed["loads"]} == {"failed"} and len(failed["loads"]) == 40
    page = client.get("/loads/run-003").text
    assert "&lt;b&gt;too many" in page and "<b>too many" not in page


@pytest.mark.parametrize(
    "query",
    ["state=x", "before=x", "before=[1,2]", 'before=["x","y"]', 'before=["2026-01-01T00:00+01:00","r"]'],
)
def test_a_place_or_state_that_is_none_is_refused(client: Any, query: str) -> None:
    assert client.get(f"/loads?{query}").status_code == 400


def test_rejected_rows_are_downloaded_with_their_reasons_and_defused(client: Any, web: Web) -> None:
    run = load(web, 1, rejected=2, rejected_key="rejected/people-1.csv")
    rejected = 'line,column,value,reason\n2,email,=cmd|x,pattern\n3,address,"two\nlines",too long\n'
    web.s3.put_object(Bucket=web.bucket, Key="rejected/people-1.csv", Body=rejected.encode())
    address = client.get(f"/loads/{run}.json").json["load"]["rejected_csv"]
    with client.get(f"{address}.csv") as answer:
        rows = list(csv.reader(io.StringIO(answer.text, newline="")))
        assert answer.headers["Content-Disposition"] == 'attachment; filename="rejected-run-001.csv"'
    assert rows[1:] == [["2", "email", "'=cmd|x", "pattern"], ["3", "address", "two\nlines", "too long"]]
    assert f"{address}.csv" in client.get("/loads").text


@pytest.mark.parametrize(
    "changes",
    [
        {"rejected_key": "incoming/people.csv"},
        {"rejected_key": "rejected/x.csv", "bucket": "another"},
        {"rejected_key": None},
    ],
)
def test_nothing_else_of_a_bucket_can_be_downloaded(
    client: Any, web: Web, changes: dict[str, str | None]
) -> None:
    run = load(web, 1, **changes)
    assert client.get(f"/loads/{run}.json").json["load"]["rejected_csv"] is None
    assert client.get(f"/loads/{run}/rejected.csv").status_code == 404
    assert client.get("/loads/none/rejected.csv").status_code == 404


def test_rejected_rows_that_are_gone_are_said_to_be(client: Any, web: Web) -> None:
    run = load(web, 1, rejected_key="rejected/gone.csv")
    answer = client.get(f"/loads/{run}/rejected.csv")
    assert (answer.status_code, "NoSuchKey" in answer.text) == (502, True)


def send(client: Any, name: str, content: bytes, mode: str = "replace", **headers: str) -> Any:
    """The answer to a filled-in form."""
    boundary, body = encode_multipart({"file": FileStorage(io.BytesIO(content), name), "mode": mode})
    sent = {**OURS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.post(
        "/loads", data=body, headers=sent, content_type=f"multipart/form-data; boundary={boundary}"
    )


@pytest.mark.parametrize(
    ("name", "content", "mode", "folder"),
    [
        ("My Customers (2).csv", ROWS, "replace", "incoming/people-"),
        ("../../etc/passwd.csv", ROWS, "merge", "incoming/merge/people-"),
        ("people.jsonl", b'{"id": 1}\n', "merge", "incoming/merge/people-"),
        ("people.parquet", b"PAR1....PAR1", "replace", "incoming/people-"),
        ("people.ndjson.zst", b"\x28\xb5\x2f\xfd...", "replace", "incoming/people-"),
        ("kunden.CSV.gz", gzip.compress(ROWS, mtime=0), "delete", "incoming/delete/people-"),
    ],
)
def test_an_upload_is_in_the_bucket_and_its_progress_is_followed(
    client: Any, web: Web, name: str, content: bytes, mode: str, folder: str
) -> None:
    answer = send(client, name, content, mode)
    assert answer.status_code == 303
    progress = client.get(answer.location, headers={"Accept": "application/json"}).json
    key = progress["key"]
    assert key.startswith(folder) and key.endswith(upload.suffix_of(name))
    assert web.s3.get_object(Bucket=web.bucket, Key=key)["Body"].read() == content
    assert (progress["load"], progress["over"], progress["late"]) == (None, False, False)
    assert "Waiting for the job" in client.get(answer.location).text
    run = load(web, 1, "running", key=key)
    assert "A job has begun" in client.get(answer.location).text
    web.rds.execute(f"UPDATE loads SET state = 'loaded', rows = 1 WHERE run = '{run}'")
    page = client.get(answer.location).text
    assert "People in Redshift" in page and "refresh" not in page
    web.rds.execute("UPDATE loads SET state = 'failed', reason = 'too many bad rows'")
    assert "failed, too many bad rows" in client.get(answer.location).text


def test_a_job_that_does_not_begin_is_said_to_be_late(client: Any) -> None:
    key = bucket.key_for("x.csv", ".csv", "replace", datetime(2026, 1, 1))
    assert client.get(f"/loads/progress.json?key={key}").json["late"] is True
    for other in ("", "incoming/people.csv", key + "\n", "incoming/people-99999999T999999Z-abcdef-x.csv"):
        assert client.get("/loads/progress", query_string={"key": other}).status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("people.exe", ROWS, "should be CSV"),
        ("people.jsonl", ROWS, "not JSON Lines"),
        ("people.parquet", ROWS, "not Parquet"),
        ("people.csv.zst", ROWS, "not Zstandard"),
        ("people.csv", b"", "is empty"),
        ("people.csv", b"PK\x03\x04\xff\xfe", "not text in UTF-8"),
        ("people.csv", b"name,age\nann,3\n", "names of its columns"),
        ("people.csv", b"id\0,email\n", "names of its columns"),
        ("people.csv.gz", ROWS, "is not gzip"),
        ("people.csv.gz", gzip.compress(b"<html>", mtime=0), "names of its columns"),
        ("", ROWS, "no file"),
    ],
)
def test_what_is_no_table_is_refused_and_not_in_the_bucket(
    client: Any, web: Web, name: str, content: bytes, says: str
) -> None:
    before = objects(web)
    answer = send(client, name, content)
    assert (answer.status_code, says in answer.text) == (400, True)
    assert objects(web) == before


def test_a_mode_that_is_none_is_refused(client: Any) -> None:
    assert send(client, "people.csv", ROWS, "drop").status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
    ],
)
def test_a_form_of_another_site_cannot_upload(client: Any, web: Web, headers: dict[str, str]) -> None:
    before = objects(web)
    assert send(client, "people.csv", ROWS, **headers).status_code == 403
    assert objects(web) == before


def test_without_an_origin_the_browser_must_say_that_it_is_the_same(client: Any) -> None:
    for site, status in (("same-origin", 303), ("cross-site", 403), ("none", 403)):
        data = {"file": (io.BytesIO(ROWS), "people.csv")}
        assert client.post("/loads", data=data, headers={"Sec-Fetch-Site": site}).status_code == status
    assert client.post("/loads", data={"file": (io.BytesIO(ROWS), "people.csv")}).status_code == 403


def test_a_large_file_is_refused_before_it_is_sent_on(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_UPLOAD_MEGABYTES", "1")
    client = next(clients := application_client(web))
    before = objects(web)
    for megabytes in (1.5, 3):
        assert send(client, "people.csv", ROWS + b" " * int(megabytes * 2**20)).status_code == 413
    assert objects(web) == before
    assert send(client, "people.csv", ROWS + b"\n" * 2**19).status_code == 303
    list(clients)


def test_where_uploads_are_off_there_is_no_form_and_no_way(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_UPLOAD", "")
    client = next(clients := application_client(web))
    assert "multipart/form-data" not in client.get("/loads").text
    assert send(client, "people.csv", ROWS).status_code == 403
    list(clients)


def test_a_bucket_that_is_away_is_said(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_DATA_BUCKET", "no-such-bucket")
    client = next(clients := application_client(web))
    answer = send(client, "people.csv", ROWS)
    assert (answer.status_code, "NoSuchBucket" in answer.text) == (502, True)
    list(clients)


def objects(web: Web) -> int:
    """How many objects the bucket has."""
    return int(web.s3.list_objects_v2(Bucket=web.bucket)["KeyCount"])
