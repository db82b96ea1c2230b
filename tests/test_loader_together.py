"""What goes on beside a load: readers, other jobs, a warehouse that is away, and what was granted."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import psycopg2
import pytest
import redshift_connector
from loader_support import (
    QUIET,
    READER,
    TARGETS,
    System,
    eventually,
    ids,
    loader_system,
    people,
    states,
)

from aws_vpc.loader import publish

pytestmark = QUIET
loader = pytest.fixture(loader_system)


def test_an_older_version_never_overwrites_a_newer_one(loader: System) -> None:
    older, newer = loader.put(people(1)), loader.put(people(2))
    loader.load({**newer, "sequencer": "0055AED6DCD90281E6"})
    lines = loader.load({**older, "sequencer": "0055AED6DCD90281E5FF"})
    assert lines[-1]["event"] == "unchanged" and "newer version" in lines[-1]["reason"]
    assert ids(loader, "rds") == ids(loader, "redshift") == [2]


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


def test_an_object_replaced_or_deleted_meanwhile_is_not_loaded(loader: System) -> None:
    event = loader.put(people(1))
    lines = loader.load({**event, "etag": "0" * 32}, status=1)
    assert "was replaced" in lines[-1]["reason"]
    loader.s3.delete_object(Bucket=loader.bucket, Key=event["key"], VersionId=event["version"])
    assert "is not there" in loader.load(event, status=1)[-1]["reason"]
