"""One job from beginning to end: an object's version into both databases, each once.

    lock the table -> RDS, unless its ledger has the version -> Redshift, unless its ledger has it,
    or there is none in this account and Region

Each database is made ready when the run comes to it. Its ledger is written in the transaction that
publishes the rows, so it cannot be wrong about them. RDS's line tells of the whole run: `partial` until
Redshift has the rows too, and a retry brings them there and does nothing else.
"""

from __future__ import annotations

import contextlib
import datetime
import secrets as random_secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aws_vpc.errors import Error, UsageError
from aws_vpc.loader import array, ledger, publish, rds, redshift
from aws_vpc.loader.array import Jobs
from aws_vpc.loader.errors import WrongLogin, failed, one_line
from aws_vpc.loader.load import Load, Outcome
from aws_vpc.loader.log import Log
from aws_vpc.loader.rejects import Limit
from aws_vpc.loader.settings import Database, Login, Settings, login
from aws_vpc.loader.source import Object, Source
from aws_vpc.loader.tables import Table, mode_of, table_for

DONE, FAILED = 0, 1
SAMPLES = 20  # rejected rows that a dry run tells


@dataclass(frozen=True)
class Wish:
    """What was asked for besides the object: another table or mode than its key says, one database alone."""

    table: str = ""
    mode: str = ""
    only: str = ""
    dry_run: bool = False
    split_over: int = 0  # bytes; 0: never

    def applied(self, tables: tuple[Table, ...], key: str) -> tuple[Table, str]:
        """The table, and the mode."""
        if not self.table:
            table, mode = table_for(tables, key)
            return table, self.mode or mode
        for table in tables:
            if table.name == self.table:
                return table, self.mode or mode_of(key)[0]
        known = ", ".join(table.name for table in tables)
        raise UsageError(f"--table {self.table}: tables.yaml describes {known}")


@dataclass
class Job:
    """What a run works with."""

    settings: Settings
    s3: Any
    secretsmanager: Any
    tables: tuple[Table, ...]
    limit: Limit
    log: Log
    wish: Wish = Wish()
    jobs: Jobs | None = None
    options: tuple[str, ...] = ()  # what the jobs of parts are told besides

    @property
    def targets(self) -> tuple[str, ...]:
        """The databases to load."""
        there = ("rds", "redshift") if self.settings.redshift else ("rds",)
        wanted = tuple(one for one in there if self.wish.only in ("", one))
        if not wanted:
            raise UsageError(f"--only {self.wish.only}: there is no warehouse; the job definition names none")
        return wanted

    def run(self, wanted: Object) -> int:
        """The exit status; the last lines of the log say what became of the object in each database."""
        if wanted.key.endswith("/"):
            self.log("unchanged", key=wanted.key, reason="a folder, not an object with rows")
            return DONE
        try:
            ledger.padded(wanted.sequencer)
            table, mode = self.wish.applied(self.tables, wanted.key)
            if self.wish.dry_run:
                return self._dry_run(wanted, table, mode)
            with (
                closing_quietly(self.connect(rds.connect, self.settings.rds)) as connection,
                rds.failing_in_one_line(),
            ):
                return self._locked(connection, wanted, table, mode)
        except (Error, BotoCoreError, ClientError) as error:
            self.log("failed", reason=one_line(error))
            return FAILED

    def _dry_run(self, wanted: Object, table: Table, mode: str) -> int:
        """The exit status: every row is read and checked, nothing is written anywhere."""
        source, samples = Source(self.s3, wanted), list[dict[str, Any]]()

        def sample(line: int, column: str, value: str, reason: str) -> None:
            if len(samples) < SAMPLES:
                samples.append({"line": line, "column": column, "value": value[:100], "reason": reason})

        with Load("", "dry run", source, table, mode, self.limit, self.log) as load:
            records = load.records(reject=sample)
            for _ in records.blocks():
                pass
            count = records.count
            allowed = self.limit.allows(count.rejected, count.rows + count.rejected)
            facts = {"rows": count.rows, "rejected": count.rejected, "allowed": allowed, "sample": samples}
            self.log("checked", table=table.name, mode=mode, **facts)
        return DONE if allowed else FAILED

    def connect(self, connect: Callable[[Database, Login], Any], database: Database) -> Any:
        """A session as the master user; the secret is read again when it was rotated a moment ago."""
        try:
            return connect(database, login(self.secretsmanager, database.secret))
        except WrongLogin:
            return connect(database, login(self.secretsmanager, database.secret))

    def _locked(self, connection: Any, wanted: Object, table: Table, mode: str) -> int:
        with rds.lock(connection, "bootstrap"):
            self.prepare("rds", rds, connection, self.settings.rds)
        with rds.lock(connection, f"table {table.name}"):
            return _Run(self, connection, wanted, table, mode).run()

    def prepare(self, target: str, module: Any, connection: Any, database: Database) -> None:
        made = module.prepare(
            connection, database, self.tables, login(self.secretsmanager, database.reader_secret)
        )
        if made:
            self.log("prepared", target=target, statements=len(made))


class _Run:
    """One object's version, one table, its lock held."""

    def __init__(self, job: Job, connection: Any, wanted: Object, table: Table, mode: str) -> None:
        self.job, self.connection, self.wanted, self.table, self.mode = job, connection, wanted, table, mode
        self.started = _now()
        self.name = f"{self.started:%Y%m%dt%H%M%S}_{random_secrets.token_hex(3)}"

    def run(self) -> int:
        """The exit status."""
        with self.connection, self.connection.cursor() as cursor:
            ledger.interrupted(cursor, self.table.name)
        self.source = Source(self.job.s3, self.wanted)
        history = self._history(self.connection)
        if later := ledger.newer(history, self.source.object):
            self._unchanged("rds", f"a newer version is loaded, by run {later.run}")
            return DONE
        past = ledger.same(history, self.source.object)
        if past:
            self.name = past.run
        if not past and self._goes_on_in_parts():
            return DONE
        if "rds" in self.job.targets:
            if past:
                self._unchanged("rds", "this version is loaded")
            else:
                self._load_rds()
        if "redshift" in self.job.targets:
            return self._then_redshift()
        if not past:
            self._note(state="partial" if self.job.settings.redshift else "loaded", finished=_now())
        return DONE

    def _goes_on_in_parts(self) -> bool:
        """Whether jobs of their own load this version; what dead ones left is removed first."""
        jobs, log = self.job.jobs, self.job.log
        if jobs is None:
            return False
        with rds.failing_in_one_line():
            living = array.sweep(self.connection, self.job.s3, jobs, self.source, self.table)
        for going_on in living:
            if ledger.is_same(going_on.object, self.source.object):
                reason = f"run {going_on.run} is loading it"
                log("unchanged", target="rds", table=self.table.name, reason=reason)
                return True
        limit = self.job.wish.split_over if "rds" in self.job.targets else 0
        plan = array.planned(self.source, self.table, self.mode, self.name, limit, jobs, log)
        if plan is None:
            return False
        with rds.failing_in_one_line(), self.connection, self.connection.cursor() as cursor:
            ledger.insert(cursor, **self._line(), state="staging")
        plan = replace(plan, targets=self.job.targets)
        try:
            array.begin(self.job.s3, jobs, plan, self.job.options, log)
        except Error as error:
            self._note(**failed(error), finished=_now())
            raise
        return True

    def _history(self, connection: Any) -> list[ledger.Past]:
        cursor = connection.cursor()
        history = ledger.read_history(cursor, self.source.object, self.table.name)
        connection.rollback()
        cursor.close()
        return history

    def _load_rds(self) -> None:
        with rds.failing_in_one_line(), self.connection, self.connection.cursor() as cursor:
            ledger.insert(cursor, **self._line(), state="running")
        try:
            with self._as_load("rds") as load:
                outcome = publish.load(self.connection, load)
        except Error as error:
            self._note(**failed(error), finished=_now())
            raise
        self._loaded("rds", outcome)
        publish.gather_statistics(self.connection, self.table)

    def _then_redshift(self) -> int:
        """The exit status: RDS has the rows, whatever happens here."""
        try:
            if database := self.job.settings.redshift:
                self._load_redshift(database)
        except Error as error:
            self._note(state="partial", reason=one_line(error), finished=_now())
            self.job.log(
                "partial", done=["rds"], missing=["redshift"], table=self.table.name, reason=one_line(error)
            )
            self.job.log("failed", target="redshift", table=self.table.name, reason=one_line(error))
            return FAILED
        self._note(state="loaded", reason=None, finished=_now())
        return DONE

    def _load_redshift(self, database: Database) -> None:
        with closing_quietly(self.job.connect(redshift.connect, database)) as connection:
            with rds.lock(self.connection, "bootstrap"):
                self.job.prepare("redshift", redshift, connection, database)
            history = self._history(connection)
            if later := ledger.newer(history, self.source.object):
                return self._unchanged(
                    "redshift", f"a newer version is loaded, by run {later.run}", connection
                )
            if ledger.same(history, self.source.object):
                return self._unchanged("redshift", "this version is loaded", connection)
            line = {**self._line(), "finished": _now()}
            with self._as_load("redshift") as load:
                outcome = redshift.load(connection, load, self.job.settings.copy_role, **line)
            return self._loaded("redshift", outcome)

    def _as_load(self, target: str) -> Load:
        job = self.job
        return Load(self.name, target, self.source, self.table, self.mode, job.limit, job.log)

    def _line(self) -> dict[str, Any]:
        """The ledger's columns that are known before the load."""
        found = self.source.object
        return {
            "run": self.name, "table_name": self.table.name, "mode": self.mode, "bucket": found.bucket,
            "key": found.key, "version": found.version, "etag": found.etag, "sequencer": found.sequencer,
            "size": found.size, "started": self.started,
        }  # fmt: skip

    def _note(self, **values: Any) -> None:
        """Change the run's line in RDS's ledger; a database that is gone cannot be told."""
        if not self.connection.closed:
            with rds.failing_in_one_line(), self.connection, self.connection.cursor() as cursor:
                ledger.update(cursor, self.name, **values)

    def _loaded(self, target: str, outcome: Outcome) -> None:
        facts = {"rows": outcome.rows, "rejected": outcome.rejected, "table_rows": outcome.table_rows}
        more = {"rejected_key": outcome.rejected_key} if outcome.rejected_key else {}
        self.job.log("loaded", target=target, table=self.table.name, **facts, seconds=outcome.seconds, **more)

    def _unchanged(self, target: str, reason: str, connection: Any = None) -> None:
        connection = connection or self.connection
        cursor = connection.cursor()
        cursor.execute(f'SELECT count(*) FROM public."{self.table.name}"')
        rows = cursor.fetchone()[0]
        connection.rollback()
        self.job.log("unchanged", target=target, table=self.table.name, table_rows=rows, reason=reason)


class closing_quietly:
    """Closes a session at the end, also one that is gone."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __enter__(self) -> Any:
        return self.connection

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(Exception):  # drivers raise all sorts of errors on a dead socket
            self.connection.close()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
