"""The loader as Batch runs it, against real databases: an object becomes rows in both, or nothing changes."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redshift_connector
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loader_support import (
    EXAMPLES,
    FIELDS,
    HEADER,
    KINDS,
    READER,
    TARGETS,
    Servers,
    System,
    eventually,
    files,
    people_csv,
    person,
    servers,
    system,
)

from aws_vpc.loader import publish, sql, swap
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.records import Records
from aws_vpc.loader.settings import WAREHOUSE_NAMES
from aws_vpc.loader.tables import Table

# what redshift_connector does with ssl, and with the socket of a session that was not let in
pytestmark = [
    pytest.mark.filterwarnings("ignore:ssl.SSLContext.. without protocol:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket"),
]
PEOPLE = Path(__file__).parent.parent / "data" / "people.csv"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("servers")) as found:
        yield found


@pytest.fixture
def loader(running: Servers, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> System:
    return system(running, capsys, monkeypatch)


def people(*numbers: int) -> str:
    return people_csv([person(number) for number in numbers])


def ids(loader: System, target: str) -> list[int]:
    return [row[0] for row in loader.rows(target)]


def states(loader: System) -> list[str]:
    return [state for (state,) in loader.query("rds", "select state from loads order by started, run")]


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
        assert not loader.left_over()


def test_an_object_with_bad_rows_only_changes_nothing(loader: System) -> None:
    loader.load(loader.put(people(1)))
    loader.load(loader.put(people_csv([person(2, state="XX")])), status=1)
    assert ids(loader, "rds") == ids(loader, "redshift") == [1]


def test_an_older_version_never_overwrites_a_newer_one(loader: System) -> None:
    older, newer = loader.put(people(1)), loader.put(people(2))
    loader.load({**newer, "sequencer": "0055AED6DCD90281E6"})
    lines = loader.load({**older, "sequencer": "0055AED6DCD90281E5FF"})
    assert lines[-1]["event"] == "unchanged" and "newer version" in lines[-1]["reason"]
    assert ids(loader, "rds") == ids(loader, "redshift") == [2]


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


def test_a_session_with_an_old_snapshot_sees_a_merge_whole(
    loader: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees rows newer than its snapshot, all of them; without FREEZE it would see none of those kept."""
    monkeypatch.setattr(publish, "SMALL", 10**9)
    loader.load(loader.put(people(1, 2, 3)))
    with closing(loader.connect("rds")) as old, old.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read")
        cursor.execute("select 1 from loads")
        loader.load(loader.put(people(3, 4), "incoming/merge/people.csv"))
        cursor.execute("select id from persons order by id")
        assert cursor.fetchall() == [(1,), (2,), (3,), (4,)]


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


def test_an_object_replaced_or_deleted_meanwhile_is_not_loaded(loader: System) -> None:
    event = loader.put(people(1))
    lines = loader.load({**event, "etag": "0" * 32}, status=1)
    assert "was replaced" in lines[-1]["reason"]
    loader.s3.delete_object(Bucket=loader.bucket, Key=event["key"], VersionId=event["version"])
    assert "is not there" in loader.load(event, status=1)[-1]["reason"]


def test_the_reader_can_select_and_nothing_else(loader: System) -> None:
    loader.load(loader.put(people(1)))
    loader.load(loader.put(people(1, 2)))
    errors = (psycopg2.Error, redshift_connector.ProgrammingError)
    for target in TARGETS:
        with closing(loader.connect(target, loader.reader, READER)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            for table, rows in (("persons", 2), ("loads", 2)):
                cursor.execute(f"select count(*) from {table}")
                assert cursor.fetchone()[0] == rows
            for statement in (
                "delete from persons", "insert into persons (id) values (9)", "update loads set state = ''",
                "create table public.mine (a int)", "drop table persons", "create temp table mine (a int)",
            ):  # fmt: skip
                with pytest.raises(errors):
                    cursor.execute(statement)
    assert loader.query("rds", f"select unnest(setconfig) from pg_db_role_setting where setrole = "
                        f"'{loader.reader}'::regrole") == [("default_transaction_read_only=on",)]  # fmt: skip


def test_a_new_password_in_the_secret_reaches_the_reader(loader: System) -> None:
    event = loader.put(people(1))
    loader.load(event)
    for name in ("WEB_DATABASE_SECRET", "WEB_WAREHOUSE_SECRET"):
        text = f'{{"username": "{loader.reader}", "password": "Another-password-2"}}'
        loader.secretsmanager.put_secret_value(SecretId=loader.environment[name], SecretString=text)
    loader.load(event)
    for target in TARGETS:
        loader.connect(target, loader.reader, "Another-password-2").close()


def test_what_readers_were_granted_and_built_on_the_table_stays(loader: System) -> None:
    loader.load(loader.put(people(1)))
    with closing(loader.connect("rds")) as connection, connection, connection.cursor() as cursor:
        cursor.execute("create view new_yorkers as select * from persons where state = 'NY'")
        cursor.execute("create index persons_by_email on persons (lower(email))")
        cursor.execute(f"grant update on persons to {loader.reader}")
    loader.load(loader.put(people(1, 2)))
    assert loader.query("rds", "select id from new_yorkers order by id") == [(1,), (2,)]
    assert loader.query("rds", f"select has_table_privilege('{loader.reader}', 'persons', 'update')") == [
        (True,)
    ]
    assert loader.query("rds", "select count(*) from pg_indexes where indexdef like '%lower%'") == [(2,)]


def test_readers_see_the_old_rows_or_the_new_ones(loader: System) -> None:
    small, large = people(*range(1, 101)), people(*range(51, 1051))
    loader.load(loader.put(small))
    seen: dict[str, set[tuple[Any, ...]]] = {target: set() for target in TARGETS}
    end = threading.Event()

    def read(target: str) -> None:
        with closing(loader.connect(target, loader.reader, READER)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            while not end.is_set():
                cursor.execute("select count(*), min(id), max(id), sum(id) from persons")
                seen[target].add(tuple(map(int, cursor.fetchone())))

    old, new = (100, 1, 100, 5050), (1000, 51, 1050, 550500)
    threads = [threading.Thread(target=read, args=(target,)) for target in TARGETS for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for text, state in ((large, new), (small, old)) * 2:
            loader.load(loader.put(text))
            eventually(lambda state=state: all(state in states for states in seen.values()))
    finally:
        end.set()
        for thread in threads:
            thread.join()
    assert seen == {"rds": {old, new}, "redshift": {old, new}}


def test_a_job_killed_between_copy_and_commit_leaves_nothing(loader: System) -> None:
    loader.load(loader.put(people(1, 2)))
    event = loader.put(people(*range(10, 500)))
    with closing(loader.connect("rds")) as other:
        other.cursor().execute("lock table persons in access share mode")
        job = loader.start(event)
        with job.stdout or closing(None):  # type: ignore[arg-type]
            waiting = (
                "select 1 from pg_stat_activity where application_name like 'aws_vpc.loader%' "
                "and wait_event_type = 'Lock' and query like 'LOCK TABLE%' and datname = current_database()"
            )
            eventually(lambda: loader.query("rds", waiting))
            job.kill()
            assert job.wait() == -9
    eventually(lambda: not loader.left_over())
    assert ids(loader, "rds") == ids(loader, "redshift") == [1, 2]
    assert states(loader) == ["loaded", "running"]
    loader.load(event)
    assert ids(loader, "rds") == ids(loader, "redshift") == list(range(10, 500))
    assert states(loader) == ["loaded", "interrupted", "loaded"]


def test_two_jobs_for_one_table_take_turns(loader: System) -> None:
    first, second = loader.put(people(1)), loader.put(people(2, 3), "incoming/people-2.csv")
    jobs = [loader.start(event) for event in (first, second)]
    for job in jobs:
        assert job.communicate(timeout=600)[0] and job.returncode == 0
    assert ids(loader, "rds") == ids(loader, "redshift")
    assert ids(loader, "rds") in ([1], [2, 3])
    assert states(loader) == ["loaded", "loaded"]


def test_a_warehouse_that_is_down_makes_the_load_partial_and_the_retry_does_the_rest(
    loader: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = loader.put(people(1, 2))
    with monkeypatch.context() as broken:
        broken.setenv("REDSHIFT_PORT", "1")
        lines = loader.load(event, status=1)
    assert [line["event"] for line in lines][-3:] == ["loaded", "partial", "failed"]
    assert "cannot be reached" in lines[-1]["reason"]
    assert states(loader) == ["partial"]
    lines = loader.load(event)
    done = [(line["event"], line["target"]) for line in lines if line["event"] in ("unchanged", "loaded")]
    assert done == [("unchanged", "rds"), ("loaded", "redshift")]
    assert ids(loader, "rds") == ids(loader, "redshift") == [1, 2]
    assert states(loader) == ["loaded"]


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
@given(file=files())
def test_what_the_csv_module_wrote_is_what_the_table_has(
    running: Servers, file: tuple[Table, str, list[list[str]]]
) -> None:
    table, text, expected = file
    with session(running) as cursor:
        records = Records([text.encode()], table, lambda *row: None, numbered=True)
        cursor.execute(sql.create_stage(table, warehouse=False))
        swap.copy(cursor, records, sql.STAGE, f"{sql.LINE}, a, b")
        cursor.execute(f"select coalesce(a, ''), coalesce(b, '') from {sql.STAGE} order by {sql.LINE}, ctid")
        assert [list(row) for row in cursor.fetchall()] == [row for row in expected if len(row) == 2]


@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=st.lists(st.lists(FIELDS, min_size=11, max_size=11), min_size=1, max_size=40))
def test_what_the_checks_let_through_the_database_takes(running: Servers, lines: list[list[str]]) -> None:
    text = "".join(f"{number},{','.join(line)}\n" for number, line in enumerate(lines))
    text = f"{','.join(KINDS.names)}\n" + text.encode("utf-8", "replace").decode()
    with session(running) as cursor:
        records = Records([text.encode()], KINDS, lambda *row: None)
        cursor.execute(sql.create_stage(KINDS, warehouse=False))
        try:
            swap.copy(cursor, records, sql.STAGE, sql.names(records.ordered.names))
        except LoadFailed as error:
            assert "never closed" in str(error) or "not closed" in str(error)


@contextmanager
def session(running: Servers) -> Iterator[Any]:
    """A cursor whose work is thrown away."""
    with running.rds.session() as cursor:
        cursor.execute("begin")
        try:
            yield cursor
        finally:
            cursor.execute("rollback")
