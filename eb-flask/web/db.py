"""The two databases: one small pool each, and an answer soon even when one of them is away.

    request ── Database.fetch(statement) ──> rows, milliseconds
                    │   borrows a connection, pinged before use, gives it back
                    └── Away (503), Slow (504), NoTable (no load yet)

Within two seconds (WEB_ANSWER_SECONDS) a page knows that its database is away: ping and connect share that
time. After a failure only one request in a second tries again, the others are told at once; so nothing queues
up behind a database that is away, and the first try that succeeds makes it available to all.

A ping costs as much as a lookup, so a connection is pinged once a second at most, and all are when one was
found cut. These are reads, each a transaction of its own: one that met a cut connection is asked again.
"""

import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, NoSuchTableError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from . import faults, redshift_dialect  # noqa: F401  (the dialect registers itself)
from .fixed import STALE, Connection, Fixed
from .lending import LendingPool
from .reflection import Tables
from .secrets import BETWEEN_FETCHES, UNREADABLE, Login, Secret

STATEMENT_SECONDS = 5
REST_SECONDS = 1.0
PING_SECONDS = 1.0
MOST_CUT = 4  # connections that one request may meet
Row = dict[str, Any]
Arguments = Callable[[Login, int], dict[str, Any]]


@dataclass(frozen=True)
class Result:
    """What a statement answered, how long that took, and the statement for people to read."""

    rows: list[Row]
    milliseconds: float
    query: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """How many connections there may be, and within how many seconds a page knows that a database is away."""

    connections: int
    answer_seconds: float

    @property
    def ping_seconds(self) -> float:
        """How long a ping may take, so that there is time left to connect anew."""
        return self.answer_seconds * 0.45


class Database:
    """One database as the pages see it, from start-up to the end of the process."""

    def __init__(
        self, name: str, title: str, url: str, arguments: Arguments, secret: Secret[Login], limits: Limits
    ) -> None:
        self.name = name
        self.limits = limits
        self.title = title
        self._arguments = arguments
        self._secret = secret
        self.tables = Tables(self)
        self._thread = threading.local()
        self._lock = threading.Lock()
        self._away: faults.Away | None = None
        self._rest_until = 0.0
        self._cut_at = 0.0
        # Reads only, each a transaction of its own: no BEGIN, no ROLLBACK, a third of the round trips.
        self.engine = sqlalchemy.create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            pool_reset_on_return=None,
            pool_pre_ping=True,
            pool_size=limits.connections,
            max_overflow=0,
            pool_timeout=0.5,
            poolclass=LendingPool,
            pool_use_lifo=True,
            hide_parameters=True,
        )
        self._known = (DBAPIError, self.engine.dialect.loaded_dbapi.Error, OSError, PoolTimeout, *UNREADABLE)
        self._ask_whether_alive = self.engine.dialect.do_ping
        self.engine.dialect.do_ping = self._ping  # type: ignore[method-assign]
        event.listen(self.engine, "do_connect", self._connect)

    def login(self) -> Login:
        """Where the database is and who the pages are there."""
        return self._secret.value()

    @property
    def place(self) -> tuple[str, int] | None:
        """Host and port, once the secret has been read."""
        login = self._secret.remembered
        return (login.host, login.port) if login else None

    def fetch(self, statement: sqlalchemy.Executable, values: Mapping[str, Any] | None = None) -> Result:
        """The rows of a SELECT; raises Away, Slow or NoTable when there are none to be had."""

        def rows() -> list[Row]:
            with self.engine.connect() as connection:
                return [dict(row) for row in connection.execute(statement, values or {}).mappings()]

        return self._timed(rows)

    def columns(self, table: str) -> list[Row]:
        """What the catalog says of a table, in the form of Inspector.get_columns; nothing without a table."""

        def rows() -> list[Row]:
            with self.engine.connect() as connection:
                try:
                    return [dict(column) for column in sqlalchemy.inspect(connection).get_columns(table)]
                except NoSuchTableError:
                    return []

        return self._timed(rows).rows

    def fetch_fixed(self, fixed: Fixed, values: Mapping[str, Any] | None = None) -> Result:
        """The same of a statement that was compiled before: a lookup then costs half as much."""
        compiled = fixed.compiled(self.engine.dialect)
        arguments = compiled.arguments(values or {})
        pool: LendingPool = self.engine.pool  # type: ignore[assignment]

        def rows() -> list[Row]:
            borrowed = pool.lend(self._was_pinged)
            connection: Any = borrowed.dbapi_connection
            try:
                cursor = connection.cursor()
                if compiled.prepare and compiled.prepare not in connection.prepared:
                    cursor.execute(compiled.prepare)
                    connection.prepared.add(compiled.prepare)
                cursor.execute(compiled.sql, arguments)
                found = cursor.fetchall()
            except Exception as error:
                if self._is_cut(error, connection):
                    borrowed.invalidate(error)
                raise
            finally:
                pool.take_back(borrowed)
            return [dict(zip(compiled.columns, row, strict=True)) for row in found]

        return self._timed(rows)

    @property
    def copies(self) -> bool:
        """Whether the database writes CSV by itself; Redshift's COPY only reads."""
        return bool(self.engine.dialect.driver == "psycopg2")

    def copy(self, statement: sqlalchemy.Select[Any]) -> tuple[bytes, int]:
        """The rows of a SELECT as CSV that the server wrote, and how many they are."""
        compiled = statement.compile(self.engine, compile_kwargs={"render_postcompile": True})
        with self.connection() as connection, connection.connection.cursor() as cursor:
            out = io.BytesIO()
            select = cursor.mogrify(compiled.string, compiled.params)
            cursor.copy_expert(b"COPY (" + select + b") TO STDOUT WITH (FORMAT csv)", out)
            return out.getvalue(), cursor.rowcount

    @contextmanager
    def connection(self) -> Iterator[sqlalchemy.Connection]:
        """A connection that answered a ping not long ago; what goes wrong with it leaves as a Fault."""
        with self._as_faults(), self.engine.connect() as connection:
            self._away = None
            yield connection

    def _timed(self, rows: Callable[[], list[Row]]) -> Result:
        self._begin()
        started = time.perf_counter()
        try:
            found = self._tried(rows)
        except self._known as error:
            raise self._fault(error) from error
        self._away = None
        return Result(found, round((time.perf_counter() - started) * 1000, 2))

    def _tried(self, rows: Callable[[], list[Row]]) -> list[Row]:
        """The rows, asked for again where a connection turned out to be cut."""
        for _ in range(MOST_CUT):
            try:
                return rows()
            except Exception as error:
                if not self._worth_another_try(error):
                    raise
        return rows()

    def _worth_another_try(self, error: Exception) -> bool:
        """Whether a connection turned out to be cut, and soon enough for a fresh one; all are then pinged."""
        if not self._is_cut(error, None):
            return False
        self._cut_at = time.monotonic()
        return self._has_time()

    def _is_cut(self, error: Exception, connection: Any) -> bool:
        if isinstance(error, DBAPIError):
            return error.connection_invalidated
        if faults.sqlstate(error) in STALE:
            return True
        dialect = self.engine.dialect
        return isinstance(error, dialect.loaded_dbapi.Error | OSError) and bool(
            dialect.is_disconnect(error, connection, None)  # type: ignore[arg-type]
        )

    @contextmanager
    def _as_faults(self) -> Iterator[None]:
        """What goes wrong with the database within leaves as a Fault."""
        self._begin()
        try:
            yield
        except self._known as error:
            raise self._fault(error) from error

    def _begin(self) -> None:
        """The time for an answer begins, unless the database rests."""
        self._check_rest()
        self._thread.deadline = time.monotonic() + self.limits.answer_seconds

    def _fault(self, error: Exception) -> Exception:
        """What an error is to the caller; after an Away the database rests."""
        fault = faults.of(error, self.title)
        if isinstance(fault, faults.Away) and not isinstance(error, PoolTimeout):
            self._rest(fault)
        return fault

    def _check_rest(self) -> None:
        """Raises the last Away while the database rests; lets one caller through when the rest is over."""
        if self._away is None:
            return
        with self._lock:
            if (away := self._away) is None:
                return
            if time.monotonic() < self._rest_until:
                raise faults.Away(away.sentence, away.state)
            self._rest_until = time.monotonic() + self.limits.answer_seconds

    def _rest(self, fault: faults.Away) -> None:
        with self._lock:
            self._away, self._rest_until = fault, time.monotonic() + REST_SECONDS

    def _was_pinged(self, connection: Any) -> bool:
        """Whether the connection was seen alive within the last second, and after any that was cut."""
        checked = getattr(connection, "checked", 0.0)
        return time.monotonic() - checked < PING_SECONDS and checked > self._cut_at

    def _ping(self, connection: Any) -> bool:
        """Whether the connection is alive, as seen now or within the last second."""
        if self._was_pinged(connection):
            return True
        connection.checked = time.monotonic()
        return bool(self._ask_whether_alive(connection))

    def _connect(self, dialect: Any, record: Any, positional: Any, named: Any) -> Any:
        """A new connection with the secret's login; when it is refused, with the one that replaces it.

        A rotation changes the database and the secret one after the other; between, no login is right.
        """
        login = self._secret.value()
        while True:
            try:
                return dialect.connect(**self._arguments(login, self._seconds_left()))
            except dialect.loaded_dbapi.Error as error:
                if not faults.refused(error):
                    raise
                fresh = self._secret.after(login)
                if fresh == login:
                    if not self._has_time():
                        raise
                    time.sleep(BETWEEN_FETCHES)
                login = fresh

    def _has_time(self) -> bool:
        """Whether there is time for something else than an answer."""
        return bool(self._thread.deadline - time.monotonic() > self.limits.answer_seconds / 2)

    def _seconds_left(self) -> int:
        """Whole seconds, which is how libpq counts; at least one, or it would wait for ever."""
        return max(1, int(self._thread.deadline - time.monotonic() + 0.05))


def rds(secret: Secret[Login], limits: Limits) -> Database:
    """RDS through libpq, which verifies the certificate against PGSSLROOTCERT."""

    def arguments(login: Login, seconds: int) -> dict[str, Any]:
        return {
            "host": login.host,
            "port": login.port,
            "dbname": login.dbname,
            "user": login.username,
            "password": login.password,
            "sslmode": "verify-full",
            "connection_factory": Connection,
            "connect_timeout": seconds,
            "tcp_user_timeout": int(limits.ping_seconds * 1000),
            "keepalives_idle": 5,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "application_name": "web",
            "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c default_transaction_read_only=on",
        }

    return Database("rds", "RDS", "postgresql+psycopg2://", arguments, secret, limits)


def redshift(secret: Secret[Login], limits: Limits) -> Database:
    """Redshift through Amazon's driver, which trusts its own bundle and SSL_CERT_FILE."""

    def arguments(login: Login, seconds: int) -> dict[str, Any]:
        return {
            "host": login.host,
            "port": login.port,
            "database": login.dbname,
            "user": login.username,
            "password": login.password,
            "ssl": True,
            "sslmode": "verify-full",
            "timeout": seconds,
            "application_name": "web",
        }

    database = Database("redshift", "Redshift", "redshift+redshift_connector://", arguments, secret, limits)
    database.engine.dialect.ping_seconds = limits.ping_seconds  # type: ignore[attr-defined]
    event.listen(database.engine, "connect", _limit_statements)
    return database


def _limit_statements(connection: Any, record: Any) -> None:
    """Sets the time limit of every statement; the socket waits a little longer than that."""
    cursor = connection.cursor()
    cursor.execute(f"set statement_timeout to {STATEMENT_SECONDS * 1000}")
    cursor.close()
    connection._usock.settimeout(STATEMENT_SECONDS + 1)
