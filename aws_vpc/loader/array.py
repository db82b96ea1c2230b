"""Beyond one container: an object over a limit is staged by an array job of AWS Batch, and published by one.

    the event's job   finds out how the object can be cut, writes the plan, submits three jobs, ends
    count   array     child N counts quotes and lines of piece N (not for Parquet)
    stage   array     child N checks the rows of part N, and puts them into a table and gzip files of its own
    publish           sees that all rows are there, and makes them the table in one transaction per database

Each depends on the one before. A child that Batch starts again begins anew, for its table is made and filled
in one transaction. A part that fails for good marks the run failed and drops its tables; one that was killed
as often as Batch tries leaves that to the next load of the table.
"""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from aws_vpc.loader import assemble, ledger, parts, rds
from aws_vpc.loader.assemble import Part
from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.load import Counted, Load
from aws_vpc.loader.log import Log
from aws_vpc.loader.opening import standard
from aws_vpc.loader.parts import Folder, Plan, Whole
from aws_vpc.loader.readers import format_of
from aws_vpc.loader.records import Count
from aws_vpc.loader.rejects import Rejects, Row
from aws_vpc.loader.source import Source
from aws_vpc.loader.split import Fact
from aws_vpc.loader.tables import Table

STEPS = ("count", "stage", "publish")
LIVING = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


class Jobs:
    """The jobs of a run, submitted by the job of its event to its own queue, of its own definition."""

    def __init__(self, client: Callable[[], Any], environment: Mapping[str, str]) -> None:
        self._client, self._environment = client, environment

    @property
    def there(self) -> bool:
        """Whether this process is a job of Batch's at all."""
        return "AWS_BATCH_JOB_ID" in self._environment

    @property
    def index(self) -> int:
        """Which child of an array job this process is."""
        return int(self._environment.get("AWS_BATCH_JOB_ARRAY_INDEX", 0))

    def submit(self, plan: Plan, options: Sequence[str]) -> tuple[str, ...]:
        """The ids of the jobs, the one that publishes last."""
        own = self._described(self._environment["AWS_BATCH_JOB_ID"])
        if own is None:
            raise LoadFailed("Batch does not know this very job; the parts cannot be submitted")
        found = list[str]()
        for step in STEPS[plan.parquet :]:
            more: dict[str, Any] = {"dependsOn": [{"jobId": found[-1]}]} if found else {}
            if step != "publish":
                more["arrayProperties"] = {"size": len(plan.pieces)}
            words = [
                "--bucket",
                plan.object.bucket,
                "--key",
                plan.object.key,
                "--step",
                step,
                "--run",
                plan.folder,
            ]
            command = ["python", "-m", "aws_vpc.loader", *words, *options]
            answer = self._ask(
                self._batch.submit_job, jobName=f"load-{step}", jobQueue=own["jobQueue"],
                jobDefinition=own["jobDefinition"], containerOverrides={"command": command}, **more,
            )  # fmt: skip
            found.append(answer["jobId"])
        return tuple(found)

    def lives(self, plan: Plan) -> bool:
        """Whether the job that publishes a run may still do so."""
        found = self._described(plan.jobs[-1]) if plan.jobs else None
        return found is not None and found["status"] in LIVING

    @functools.cached_property
    def _batch(self) -> Any:
        """The client, made when it is first needed: most loads never ask Batch, and it takes 3 MB."""
        return self._client()

    def _described(self, job: str) -> dict[str, Any] | None:
        found = self._ask(self._batch.describe_jobs, jobs=[job])["jobs"]
        return found[0] if found else None

    def _ask(self, call: Any, **values: Any) -> Any:
        try:
            return call(**values)
        except (ClientError, BotoCoreError) as error:
            raise LoadFailed(f"Batch does not take on the parts: {error}") from error


def begin(s3: Any, jobs: Jobs, plan: Plan, options: Sequence[str], log: Log) -> None:
    """Write a plan, submit its jobs, and say so."""
    submitted = replace(plan, jobs=jobs.submit(plan, options))
    Folder(s3, plan.object.bucket, plan.folder).write("plan.json", submitted.values())
    log("split", run=plan.run, table=plan.table, parts=len(plan.pieces), stage=submitted.jobs[-2],
        publish=submitted.jobs[-1])  # fmt: skip


def planned(
    source: Source, table: Table, mode: str, run: str, limit: int, jobs: Jobs, log: Log
) -> Plan | None:
    """The plan for an object that has to be split; None when it need not or cannot be."""
    if not limit or source.object.size <= limit:
        return None
    try:
        if not jobs.there:
            raise Whole("this is no job of AWS Batch")
        return parts.plan_of(source, table, mode, run, limit)
    except Whole as reason:
        log("whole", size=source.object.size, limit=limit, reason=f"loaded in one piece: {reason}")
        return None


def sweep(connection: Any, s3: Any, jobs: Jobs, source: Source, table: Table) -> list[Plan]:
    """The runs of the table that still go on; what dead ones left is removed, and their lines say so."""
    living = []
    with connection.cursor() as cursor:
        for run in ledger.staging(cursor, table.name):
            folder = Folder(s3, source.object.bucket, parts.folder_of(table.name, run))
            try:
                plan = Plan.read(folder.read("plan.json"))
            except LoadFailed:
                plan = None
            if plan and jobs.lives(plan):
                living.append(plan)
            else:
                assemble.drop(cursor, run)
                source.unstage(folder.path)
                ledger.update(cursor, run, state="interrupted", reason="its jobs ended without a word")
    connection.commit()
    return living


def count(plan: Plan, folder: Folder, table: Table, source: Source, number: int) -> None:
    """Note what is known of one piece."""
    folder.write(f"fact-{number:05}.json", parts.fact(plan, source, table, number).values())


def stage(connection: Any, plan: Plan, folder: Folder, table: Table, load: Load, number: int) -> Part:
    """Check and stage one part, in one transaction that ends only while the run has not failed."""
    facts = (
        [] if plan.parquet else [Fact.read(folder.read(f"fact-{n:05}.json")) for n in range(len(plan.pieces))]
    )
    rejects = Rejects()
    records = parts.part_records(
        plan, facts, load.source, table, number, rejects.add, numbered=True, progress=load.progress
    )
    blocks = records.blocks() if records else iter(())
    if "redshift" in plan.targets:
        blocks = load.source.staging(f"{plan.folder}rows/part-{number:05}-", blocks)
    with rds.failing_in_one_line(), closing(rejects), connection, connection.cursor() as cursor:
        found = assemble.stage(cursor, table, plan.run, number, records, blocks)
        if records is None:
            for _ in blocks:
                pass
        folder.write(f"bad-{number:05}.csv", rejects.file())
        folder.write(f"part-{number:05}.json", vars(found))
        if ledger.state(cursor, plan.run) != "staging":
            raise LoadFailed(f"run {plan.run} is over; part {number} is not needed any more")
    return found


def staged(plan: Plan, folder: Folder) -> list[Part]:
    """What the parts' jobs have staged."""
    return [Part(**folder.read(f"part-{number:05}.json")) for number in range(len(plan.pieces))]


def bad_rows(plan: Plan, folder: Folder) -> Iterator[Row]:
    """The rows that the parts' jobs have set aside, in the order of the object."""
    for number in range(len(plan.pieces)):
        rows = csv.reader(io.TextIOWrapper(folder.open(f"bad-{number:05}.csv"), "utf-8", newline=""))
        next(rows)
        yield from ((int(line), column, value, reason) for line, column, value, reason in rows)


def counted(plan: Plan, table: Table, found: Sequence[Part]) -> Counted:
    """All parts together."""
    total = Count(sum(part.rows for part in found), sum(part.rejected for part in found), plan.object.size)
    written = table if format_of(plan.object.key).rows == "csv" else standard(table)
    return Counted(total, written.only(plan.names))


def files(plan: Plan) -> str:
    """The prefix of all parts' gzip files, which one COPY takes and a cluster shares out to its slices."""
    return f"s3://{plan.object.bucket}/{plan.folder}rows/part-"
