"""The jobs of a run in parts, each from beginning to end: count a piece, stage a part, publish them all."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from aws_vpc.errors import Error
from aws_vpc.loader import array, assemble, ledger, rds, redshift
from aws_vpc.loader.errors import LoadFailed, failed, one_line
from aws_vpc.loader.load import Load, Outcome
from aws_vpc.loader.parts import Folder, Plan
from aws_vpc.loader.run import DONE, FAILED, Job, closing_quietly
from aws_vpc.loader.source import Source
from aws_vpc.loader.tables import Table


@dataclass
class PartsJob:
    """One of these jobs."""

    job: Job
    folder: Folder
    index: int

    def run(self, step: str) -> int:
        """The exit status."""
        try:
            self.plan = Plan.read(self.folder.read("plan.json"))
            self.table = self._table()
            self.source = Source(self.job.s3, self.plan.object)
            if step == "count":
                array.count(self.plan, self.folder, self.table, self.source, self.index)
                return DONE
            with (
                closing_quietly(self.job.connect(rds.connect, self.job.settings.rds)) as connection,
                rds.failing_in_one_line(),
            ):
                return self._stage(connection) if step == "stage" else self._publish(connection)
        except Error as error:
            self.job.log("failed", reason=one_line(error), part=self.index)
            self._give_up(error)
            return FAILED

    def _table(self) -> Table:
        for table in self.job.tables:
            if table.name == self.plan.table:
                return table
        raise LoadFailed(f"tables.yaml does not describe {self.plan.table} any more")

    def _load(self, target: str) -> Load:
        return Load(
            self.plan.run, target, self.source, self.table, self.plan.mode, self.job.limit, self.job.log
        )

    def _stage(self, connection: Any) -> int:
        with self._load("rds") as load:
            found = array.stage(connection, self.plan, self.folder, self.table, load, self.index)
            seconds = round(load.seconds, 3)
        facts = {"rows": found.rows, "rejected": found.rejected, "seconds": seconds}
        self.job.log("staged", part=self.index, table=self.table.name, **facts)
        return DONE

    def _publish(self, connection: Any) -> int:
        with rds.lock(connection, f"table {self.table.name}"):
            with connection, connection.cursor() as cursor:
                state = ledger.state(cursor, self.plan.run)
                history = ledger.read_history(cursor, self.plan.object, self.table.name)
            if state not in ("staging", "partial"):
                self.job.log("unchanged", target="rds", table=self.table.name, reason=f"the run is {state}")
                return DONE
            if later := ledger.newer(history, self.plan.object):
                reason = f"a newer version is loaded, by run {later.run}"
                self._end(connection, state="failed", reason=reason)
                self.job.log("unchanged", target="rds", table=self.table.name, reason=reason)
                return DONE
            found = array.staged(self.plan, self.folder)
            if state == "staging":
                self._into_rds(connection, found)
            return self._then_redshift(connection, found)

    def _into_rds(self, connection: Any, found: list[assemble.Part]) -> None:
        with (
            rds.failing_in_one_line(),
            closing_quietly(self.job.connect(rds.connect, self.job.settings.rds)) as other,
            self._load("rds") as load,
        ):
            load.adopt(array.bad_rows(self.plan, self.folder))
            try:
                counted = array.counted(self.plan, self.table, found)
                outcome = assemble.publish(connection, other, load, counted, found)
            except BaseException:
                connection.rollback()
                raise
        self._loaded("rds", outcome)

    def _then_redshift(self, connection: Any, found: list[assemble.Part]) -> int:
        """The exit status: RDS has the rows, whatever happens here."""
        database = self.job.settings.redshift
        try:
            if database and "redshift" in self.plan.targets:
                with closing_quietly(self.job.connect(redshift.connect, database)) as warehouse:
                    with rds.lock(connection, "bootstrap"):
                        self.job.prepare("redshift", redshift, warehouse, database)
                    self._into_redshift(warehouse, connection, found)
        except Error as error:
            reason = one_line(error)
            self._end(connection, state="partial", reason=reason)
            self.job.log("partial", done=["rds"], missing=["redshift"], table=self.table.name, reason=reason)
            self.job.log("failed", target="redshift", table=self.table.name, reason=reason)
            return FAILED
        self._end(
            connection, state="loaded" if "redshift" in self.plan.targets or not database else "partial"
        )
        return DONE

    def _into_redshift(self, warehouse: Any, connection: Any, found: list[assemble.Part]) -> None:
        with connection.cursor() as cursor:
            line = ledger.line(cursor, self.plan.run)
        connection.rollback()
        cursor = warehouse.cursor()
        history = ledger.read_history(cursor, self.plan.object, self.table.name)
        warehouse.rollback()
        if ledger.same(history, self.plan.object):
            return  # this job died between the two commits
        with self._load("redshift") as load:
            load.adopt(array.bad_rows(self.plan, self.folder))
            counted, files = array.counted(self.plan, self.table, found), array.files(self.plan)
            more = {**line, "finished": _now()}
            outcome = redshift.load_staged(
                warehouse, load, counted, files, self.job.settings.copy_role, **more
            )
        self._loaded("redshift", outcome)

    def _loaded(self, target: str, outcome: Outcome) -> None:
        facts = {"rows": outcome.rows, "rejected": outcome.rejected, "table_rows": outcome.table_rows}
        more = {"rejected_key": outcome.rejected_key} if outcome.rejected_key else {}
        self.job.log("loaded", target=target, table=self.table.name, **facts, seconds=outcome.seconds, **more)

    def _end(self, connection: Any, **values: Any) -> None:
        """Note how the run has ended, and take away what it has staged."""
        with rds.failing_in_one_line(), connection, connection.cursor() as cursor:
            ledger.update(cursor, self.plan.run, **{"reason": None, **values}, finished=_now())
            assemble.drop(cursor, self.plan.run)
        self.source.unstage(self.plan.folder)

    def _give_up(self, failure: Error) -> None:
        """Mark the run failed, unless it has come to an end already; its other jobs see that and stop."""
        try:
            with closing_quietly(self.job.connect(rds.connect, self.job.settings.rds)) as connection:
                with connection, connection.cursor() as cursor:
                    over = ledger.state(cursor, self.plan.run) != "staging"
                if not over:
                    self._end(connection, **failed(failure))
        except (
            Error,
            AttributeError,
        ) as error:  # no plan, no database: the next load of the table removes it
            self.job.log("left", reason=one_line(error))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
