"""A real PostgreSQL server as a child process: TCP on loopback, scram, TLS, nothing lost by kill -9.

In: start, stop, restart, remove; SQL as the platform's superuser; master user and first database.
Out: which service wants it and what that calls its states (`rds`, `redshift`).

The server runs in the foreground as a direct child: a server started by `pg_ctl` is nobody's child,
and after kill -9 the pid file of one that nobody reaped stops the next start.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password

from aws_vpc.errors import LocalError
from aws_vpc.local.certificates import Certificates, install
from aws_vpc.local.postgres_binaries import FIRST_PASSWORD, SUPERUSER, Installation
from aws_vpc.local.postgres_files import copy, discard
from aws_vpc.local.processes import Process, Processes

HOST = "127.0.0.1"
START_TIMEOUT = 300.0  # recovery after a kill writes every file out, and the disk may be busy
STOP_GRACE = 10.0
TAKEN = "Address already in use"
STILL_THERE = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')
ATTEMPTS = 25
HALTED = (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)

# Small buffers, because two servers share a laptop with everything else; what protects committed rows
# (fsync, synchronous_commit, full_page_writes) stays on. Nothing replicates, so the WAL is minimal.
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "ssl_min_protocol_version": "TLSv1.2",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
}


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Postgres:
    """One server: its data, its port, its process. `tls` says whether clients must use it."""

    def __init__(
        self,
        name: str,
        installation: Installation,
        processes: Processes,
        certificates: Certificates,
        log: Path,
        *,
        tls: bool = True,
    ) -> None:
        self.name, self.log, self.tls = name, log, tls
        self.port = 0
        self._installation, self._processes, self._certificates = installation, processes, certificates
        self._process: Process | None = None

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._installation.place / self.name

    @property
    def version(self) -> str:
        """The version of the programs, '17.10'."""
        return self._installation.version

    @property
    def running(self) -> bool:
        """Whether the server's process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Make the data folder if there is none, start the server, and wait until it accepts sessions."""
        try:
            if not (self.data / "PG_VERSION").exists():
                self._installation.new_data(self.data)
            self._forget_the_dead()
            self._configure()
            self._listen()
            self._own_password()
        except OSError as error:
            raise LocalError(f"cannot start {self.name} in {self.data}: {error.strerror or error}") from error

    def stop(self) -> None:
        """Disconnect clients, write everything out and end the server; nothing when it does not run."""
        if self._process is None:
            return
        self._process.signal(signal.SIGINT)
        try:
            self._process.wait(STOP_GRACE)
        except subprocess.TimeoutExpired:  # loses nothing: the next start replays the log
            self._process.terminate(0)
        self._process = None

    def restart(self) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start()

    def copy_data(self, target: Path) -> None:
        """Copy the data folder as it is at one moment: a running server is halted while that takes."""
        if self._process is None:
            copy(self.data, target)
            return
        with self.session() as cursor:
            cursor.execute("CHECKPOINT")  # less to replay from the copy
        with halted(self._process.pid):
            copy(self.data, target)

    def forget(self) -> None:
        """Delete what there is of the data of a server that does not run."""
        discard(self.data)

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.stop()
        discard(self.data)

    @contextmanager
    def session(self, database: str = "postgres", password: str | None = None) -> Iterator[Any]:
        """A cursor of the platform's superuser, each statement its own transaction."""
        connection = psycopg2.connect(
            host=HOST,
            port=self.port,
            user=SUPERUSER,
            password=password or self._installation.password,
            dbname=database,
            sslmode="verify-full" if self.tls else "disable",
            sslrootcert=str(self._certificates.ca),
            connect_timeout=60,
            application_name="aws-vpc",
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def set_password(self, user: str, password: str) -> None:
        """Change a user's password; the server sees and logs only the scram verifier."""
        with self.session() as cursor:
            cursor.execute(*_password(cursor, "ALTER ROLE {} PASSWORD %s", user, password))

    def create_rds_superuser(self, members_of: tuple[str, ...]) -> None:
        """Make the role that RDS gives its master user in place of SUPERUSER."""
        with self.session() as cursor:
            cursor.execute("CREATE ROLE rds_superuser NOLOGIN")
            for role in members_of:
                cursor.execute(
                    sql.SQL("GRANT {} TO rds_superuser WITH ADMIN OPTION").format(sql.Identifier(role))
                )

    def create_master(self, user: str, password: str, database: str | None, roles: tuple[str, ...]) -> None:
        """Make the master user, as a member of `roles`, and the first database as its own."""
        with self.session() as cursor:
            made = "CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD %s VALID UNTIL 'infinity'"
            cursor.execute(*_password(cursor, made, user, password))
            for role in roles:
                grant = sql.SQL("GRANT {} TO {} WITH ADMIN OPTION")
                cursor.execute(grant.format(sql.Identifier(role), sql.Identifier(user)))
            owns = sql.SQL("ALTER DATABASE postgres OWNER TO {}")
            cursor.execute(owns.format(sql.Identifier(user)))
            if database and database != "postgres":
                create = sql.SQL("CREATE DATABASE {} OWNER {}")
                cursor.execute(create.format(sql.Identifier(database), sql.Identifier(user)))

    def _own_password(self) -> None:
        """Give the superuser this installation's password in place of the one that the data came with."""
        file = self.data / FIRST_PASSWORD
        with suppress(FileNotFoundError):
            first = file.read_text()
            if first != self._installation.password:
                with self.session(password=first) as cursor:
                    made = _password(
                        cursor, "ALTER ROLE {} PASSWORD %s", SUPERUSER, self._installation.password
                    )
                    cursor.execute(*made)
            file.unlink()

    def _configure(self) -> None:
        install(self._certificates, self.data, self._installation.owner)
        kind = "hostssl" if self.tls else "host"
        (self.data / "pg_hba.conf").write_text(f"{kind} all all {HOST}/32 scram-sha-256\n")
        settings = {**SETTINGS, "ssl": "on" if self.tls else "off"}
        if self.version.startswith("18"):
            settings["io_method"] = "sync"  # no worker processes for reading ahead
        lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
        (self.data / "postgresql.conf").write_text("".join(lines))

    def _listen(self) -> None:
        """Start on the port of before, or a free one; on another when somebody else was faster."""
        said = ""
        for attempt in range(ATTEMPTS):
            if not self.port or (attempt and TAKEN in said):
                self.port = free_port()
            begin = self.log.stat().st_size if self.log.exists() else 0
            if self._attempt():
                return
            said = self._said(begin)
            if any(mark in said for mark in STILL_THERE):
                time.sleep(0.2)  # the processes of a killed server notice its end by themselves
            elif TAKEN not in said:
                break
        raise LocalError(f"PostgreSQL {self.name} did not start: {last_reason(said)}, see {self.log}")

    def _forget_the_dead(self) -> None:
        """Remove the pid file of a server that is gone, whose number another program may have by now."""
        file = self.data / "postmaster.pid"
        with suppress(FileNotFoundError, ValueError, IndexError, psutil.AccessDenied):
            pid = int(file.read_text().splitlines()[0])
            try:
                gone = not psutil.Process(pid).name().startswith("postgres")
            except psutil.NoSuchProcess:
                return  # PostgreSQL sees that itself, and looks for what the server may have left
            if gone:
                file.unlink()

    def _attempt(self) -> bool:
        """Whether a server started now is ready; it says so in the eighth line of its pid file."""
        self._process = self._processes.spawn(
            self.name,
            [self._installation.binaries / "postgres", "-D", self.data, "-p", str(self.port)],
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            cwd=self.data,
            user=self._installation.owner,
            log=self.log,
            stop_signal=signal.SIGINT,  # fast shutdown; SIGTERM would wait for every client
        )
        deadline = time.monotonic() + START_TIMEOUT
        while self._process.poll() is None:
            if self._ready(self._process.pid):
                return True
            if time.monotonic() > deadline:
                self.stop()
                raise LocalError(
                    f"PostgreSQL {self.name} was not ready in {START_TIMEOUT:.0f} s, see {self.log}"
                )
            time.sleep(0.01)
        self._process = None
        return False

    def _ready(self, pid: int) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and lines[0].strip() == str(pid)

    def _said(self, begin: int) -> str:
        with self.log.open("rb") as handle:
            handle.seek(begin)
            return handle.read().decode(errors="replace")


@contextmanager
def halted(leader: int) -> Iterator[None]:
    """A block in which a process and its children do nothing; the leader first, so that none is born."""
    first = psutil.Process(leader)
    first.suspend()
    family = [first, *first.children(recursive=True)]
    try:
        for process in family[1:]:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        for process in family:
            while process.is_running() and process.status() not in HALTED:
                time.sleep(0.001)
        yield
    finally:
        for process in reversed(family):
            with suppress(psutil.NoSuchProcess):
                process.resume()


def last_reason(text: str) -> str:
    """The first line of a server's log that says why it ended, without its time stamp."""
    for mark in ("PANIC:", "FATAL:", "LOG:  could not", "ERROR:"):
        for line in text.splitlines():
            if mark in line:
                return line.partition(":  ")[2].strip() or line.strip()
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def _password(cursor: Any, statement: str, user: str, password: str) -> tuple[sql.Composed, tuple[str]]:
    verifier = encrypt_password(password, user, scope=cursor.connection, algorithm="scram-sha-256")
    return sql.SQL(statement).format(sql.Identifier(user)), (verifier,)
