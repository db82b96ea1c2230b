"""What may go wrong around a load, each made to go wrong: nothing lost, nothing doubled; the ledger tells.

Rows are counted against sums taken from the object itself: their number, and the md5 over them in order.
"""

from __future__ import annotations

import contextlib
import random
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psutil
import pytest
from botocore.config import Config
from loader_cases import EXAMPLES, parquet, people_csv, person
from loader_support import MASTER, QUIET, TARGETS, Servers, System, digest, eventually, servers, system

from aws_vpc.loader import swap
from aws_vpc.loader.__main__ import main

pytestmark = QUIET
LOCKED = (
    "select 1 from pg_stat_activity where application_name like 'aws_vpc.loader%' "
    "and wait_event_type = 'Lock' and query like 'LOCK TABLE%' and datname = current_database()"
)
HEADERS = 4096
PEAK = {"csv": 120, "parquet": 130}  # MB; measured 85 and 119, each process beside both databases
BEFORE = [person(number) for number in range(1, 50)]
AFTER = [person(number, address=f"new {number}") for number in range(25, 3000)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with servers(tmp_path_factory.mktemp("servers")) as found:
        yield found


@pytest.fixture
def loader(running: Servers, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> System:
    found = system(running, capsys, monkeypatch)
    found.load(found.put(people_csv(BEFORE)))
    return found


def holds(loader: System, rows: list[tuple[object, ...]]) -> bool:
    return all(digest(loader.rows(target)) == digest(rows) for target in TARGETS)


def states(loader: System) -> list[tuple[str, ...]]:
    return [row[0] for row in loader.query("rds", "select state from loads order by started, run")]


@contextlib.contextmanager
def held_up(loader: System, event: dict[str, str]) -> Iterator[list[int]]:
    """A load in another thread, which has staged its rows and waits for the table; it goes on afterwards."""
    status: list[int] = []
    words = [word for name, value in event.items() for word in (f"--{name}", value)]
    thread = threading.Thread(target=lambda: status.append(main(words)))
    with closing(loader.connect("rds")) as other:
        other.cursor().execute("lock table persons in access share mode")
        thread.start()
        eventually(lambda: loader.query("rds", LOCKED))
        yield status
    thread.join(600)
    assert not thread.is_alive()


def test_a_database_restarted_in_the_middle_fails_the_load_and_the_next_one_is_whole(loader: System) -> None:
    event = loader.put(people_csv(AFTER))
    with held_up(loader, event) as status:
        loader.servers.rds.restart()
    assert status == [1] and digest(loader.rows("rds")) == digest(BEFORE)
    loader.load(event)
    assert holds(loader, AFTER) and states(loader) == ["loaded", "interrupted", "loaded"]
    assert not loader.left_over()


@pytest.mark.parametrize("cut", [0, 70_000, 100_000] if EXAMPLES > 1000 else [70_000])
def test_a_connection_to_s3_that_breaks_is_taken_up_where_it_broke(
    loader: System, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    event = loader.put(people_csv(AFTER))
    with cutting_proxy(loader.environment["AWS_ENDPOINT_URL"], cut, times=3) as (address, cuts):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        loader.load(event)
    assert cuts and holds(loader, AFTER) and states(loader) == ["loaded", "loaded"]


def test_a_connection_to_s3_that_always_breaks_changes_nothing(
    loader: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = loader.put(people_csv(AFTER))
    monkeypatch.setattr("aws_vpc.loader.source.TRIES", 2)
    monkeypatch.setattr("aws_vpc.loader.__main__.RETRIES", Config(retries={"max_attempts": 0}))
    endpoint = loader.environment["AWS_ENDPOINT_URL"]
    with cutting_proxy(endpoint, 0, times=10**6) as (address, _), monkeypatch.context() as broken:
        broken.setenv("AWS_ENDPOINT_URL_S3", address)
        lines = loader.load(event, status=1)
    assert "broke off at byte" in lines[-1]["reason"] and holds(loader, BEFORE)
    loader.load(event)
    assert holds(loader, AFTER) and states(loader) == ["loaded", "failed", "loaded"]
    assert not loader.left_over()


@contextlib.contextmanager
def cutting_proxy(endpoint: str, after: int, times: int) -> Iterator[tuple[str, list[int]]]:
    """A way to S3 on which answers longer than headers are break off after some bytes, so many times."""
    host, _, port = endpoint.removeprefix("http://").partition(":")
    cuts: list[int] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=pass_on, args=(client,), daemon=True).start()

    def pass_on(client: socket.socket) -> None:
        with client, socket.create_connection((host, int(port))) as server, contextlib.suppress(OSError):
            threading.Thread(target=forward, args=(client, server), daemon=True).start()
            sent = 0
            while data := server.recv(65536):
                if sent + len(data) > after + HEADERS and len(cuts) < times:
                    client.sendall(data[: max(0, after - sent)])
                    cuts.append(after)
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(data)
                sent += len(data)

    def forward(client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield "http://{}:{}".format(*listener.getsockname()[:2]), cuts
    finally:
        listener.close()


def test_a_full_disk_of_the_database_fails_the_load_and_leaves_room_again(loader: System) -> None:
    """No file of the server may grow beyond 17 MB, as on a small disk; its log files have 16."""
    rows = [person(number, address="x" * 190) for number in range(1, 90_000)]
    event = loader.put(people_csv(rows))
    with limited_files(17 << 20):
        loader.servers.rds.restart()
    try:
        lines = loader.load(event, status=1)
        assert "could not extend file" in lines[-1]["reason"] and "\n" not in lines[-1]["reason"]
        assert holds(loader, BEFORE) and states(loader) == ["loaded", "failed"]
        assert not loader.left_over()
    finally:
        loader.servers.rds.restart()
    loader.load(event, "--only", "rds")
    assert digest(loader.rows("rds")) == digest(rows)


@contextlib.contextmanager
def limited_files(size: int) -> Iterator[None]:
    """Processes that are started now cannot write larger files."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("target", TARGETS)
def test_a_statement_that_takes_too_long_ends_the_load_in_one_line(loader: System, target: str) -> None:
    many = [person(number, address=f"new {number}") for number in range(25, 30_000)]  # ten times as long
    event = loader.put(people_csv(many))
    with server_of(loader, target).session() as cursor:
        cursor.execute(f"alter role {MASTER[0]} set statement_timeout = '3ms'")
        try:
            lines = loader.load(event, status=1)
        finally:
            cursor.execute(f"alter role {MASTER[0]} reset statement_timeout")
    assert "statement timeout" in lines[-1]["reason"]
    assert "\n" not in lines[-1]["reason"] and digest(loader.rows("redshift")) == digest(BEFORE)
    loader.load(event)
    assert holds(loader, many) and not loader.left_over()


def server_of(loader: System, target: str) -> Any:
    return loader.servers.rds if target == "rds" else loader.servers.warehouse


def test_credentials_rotated_during_the_load_are_read_anew(loader: System) -> None:
    event = loader.put(people_csv(AFTER))
    try:
        with held_up(loader, event) as status:
            for target, name in (("rds", "RDS_SECRET"), ("redshift", "REDSHIFT_SECRET")):
                rotate(loader, target, name, "Rotated-password-2")
        assert status == [0]
    finally:
        for target, name in (("rds", "RDS_SECRET"), ("redshift", "REDSHIFT_SECRET")):
            rotate(loader, target, name, MASTER[1])
    assert holds(loader, AFTER)


def rotate(loader: System, target: str, name: str, password: str) -> None:
    server_of(loader, target).set_password(MASTER[0], password)
    text = f'{{"username": "{MASTER[0]}", "password": "{password}"}}'
    loader.secretsmanager.put_secret_value(SecretId=loader.environment[name], SecretString=text)


def test_a_table_that_others_hold_too_long_stays_as_it_is(
    loader: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = loader.put(people_csv(AFTER))
    with closing(loader.connect("rds")) as other, monkeypatch.context() as hasty:
        hasty.setattr(swap, "PATIENCE", 0.3)
        other.cursor().execute("lock table persons in access share mode")
        lines = loader.load(event, status=1)
    assert "another session has held persons" in lines[-1]["reason"]
    assert holds(loader, BEFORE) and not loader.left_over()
    loader.load(event)
    assert holds(loader, AFTER)


@pytest.mark.parametrize("gone", [False, True], ids=["replaced", "deleted"])
def test_an_object_that_changes_while_it_is_read_stops_the_run_and_its_own_event_loads_it(
    loader: System, gone: bool
) -> None:
    """In a bucket without versions: RDS has read it, and before Redshift does it is another one."""
    s3, bucket = loader.s3, f"{loader.bucket}-plain"
    s3.create_bucket(Bucket=bucket)
    key = "incoming/people.csv"
    s3.put_object(Bucket=bucket, Key=key, Body=people_csv(AFTER).encode())
    with held_up(loader, {"bucket": bucket, "key": key, "sequencer": "0A01"}) as status:
        if gone:
            s3.delete_object(Bucket=bucket, Key=key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=people_csv(BEFORE[:7]).encode())
    assert status == [1] and states(loader) == ["loaded", "partial"]
    assert digest(loader.rows("rds")) == digest(AFTER) and digest(loader.rows("redshift")) == digest(BEFORE)
    (reason,) = loader.query("rds", "select reason from loads where state = 'partial'")[0]
    assert ("is not there" if gone else "was replaced") in reason
    s3.put_object(Bucket=bucket, Key=key, Body=people_csv(BEFORE[:7]).encode())
    loader.load({"bucket": bucket, "key": key, "sequencer": "0A02"})
    assert holds(loader, BEFORE[:7])


def test_events_that_come_twice_and_in_any_order_leave_the_newest_version(loader: System) -> None:
    versions = [[person(number) for number in range(1, 4 + n)] for n in range(4)]
    events = [loader.put(people_csv(rows)) for rows in versions]
    chance = random.Random(5)
    for _ in range(3 if EXAMPLES > 1000 else 1):
        order = events * 2
        chance.shuffle(order)
        for event in order:
            loader.load(event)
        assert holds(loader, versions[-1])
    assert set(states(loader)) == {"loaded"}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_load_takes_little_memory_whatever_the_size(loader: System, form: str) -> None:
    """The peak of the process, for an object several times as large as what may be kept of it."""
    count = 600_000 if EXAMPLES > 1000 else 30_000
    rows = [person(number, address="y" * 150) for number in range(1, count)]
    body = people_csv(rows).encode() if form == "csv" else parquet(rows)
    job = loader.start(loader.put(body, f"incoming/people.{form}"))
    assert job.stdout
    with job.stdout:
        peak = 0
        while job.poll() is None:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                peak = max(peak, psutil.Process(job.pid).memory_info().rss)
            time.sleep(0.01)
    assert job.returncode == 0 and 0 < peak < PEAK[form] << 20, peak >> 20


def test_a_job_killed_at_any_moment_loses_and_doubles_nothing(loader: System) -> None:
    """At 30 random moments of its life, from its first to its last; each time the next try makes it whole."""
    rows = [BEFORE, AFTER]
    wait, choice, seconds = random.Random(7), 1, lasting(loader)
    moments = 30 if EXAMPLES > 1000 else 2
    for number in range(moments):
        event = loader.put(people_csv(rows[choice]))
        job = loader.start(event)
        assert job.stdout
        with job.stdout, contextlib.suppress(Exception):
            job.wait(seconds * (number + wait.random()) / moments)
        job.kill()
        job.wait()
        for target in TARGETS:
            assert digest(loader.rows(target)) in map(digest, rows)
        loader.load(event)
        assert holds(loader, rows[choice])
        choice = 1 - choice
    assert not loader.left_over()
    assert set(states(loader)) <= {"loaded", "interrupted"}


def lasting(loader: System) -> float:
    """How long a job lives when nobody kills it."""
    began = time.monotonic()
    job = loader.start(loader.put(people_csv(AFTER)))
    assert job.communicate()[0] and job.returncode == 0
    loader.load(loader.put(people_csv(BEFORE)))
    return time.monotonic() - began
