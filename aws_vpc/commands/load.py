"""load: bring an object or a file into the databases by hand, and follow it."""

import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from rich.console import Console as Terminal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from aws_vpc import deploy, load, report
from aws_vpc.commands import options as shared
from aws_vpc.commands.console import Console
from aws_vpc.commands.session import begin
from aws_vpc.errors import DeployFailed
from aws_vpc.loader.rejects import limit_from
from aws_vpc.loader.split import size_from

DATABASES = {"rds": "database", "redshift": "warehouse"}
PASSED = ("mode", "table", "only", "max_rejected", "split_over")


def arguments(parser: ArgumentParser) -> None:
    """The options of load."""
    shared.stack(parser)
    parser.add_argument("source", metavar="SOURCE", help="s3://BUCKET/KEY, or a file on this machine")
    parser.add_argument("--mode", choices=["mirror", "merge", "delete"], help="instead of what the key says")
    parser.add_argument("--table", help="the table, instead of the one that takes such a name")
    parser.add_argument("--only", choices=sorted(DATABASES), help="load one of the two alone")
    parser.add_argument("--dry-run", action="store_true", help="read and check every row, change nothing")
    parser.add_argument(
        "--max-rejected", metavar="LIMIT", help="how many rows may be bad: a number, or a share such as 1%%"
    )
    parser.add_argument(
        "--split-over",
        metavar="BYTES",
        help="load a larger object in parts, by an array job (1GiB; 0: never)",
    )


def run(options: Namespace, console: Console) -> int:
    """0 when the rows are in, or with --dry-run could be; 3 when too many are bad in a dry run."""
    check(options)
    session = begin(options, console)
    found = deploy.describe(session.cfn, session.name)
    if found is None or "DataBucket" not in found.outputs:
        raise DeployFailed(f"stack {session.name} has no data bucket; the create command makes it")
    client, outputs = session.aws.client, found.outputs
    place = load.bring(client("s3"), outputs["DataBucket"], options.source)
    job = load.submit(client("batch"), outputs["JobQueue"], outputs["JobDefinition"], place, passed(options))
    console.say(f"job {job} loads s3://{place.bucket}/{place.key}, {place.size:,} bytes")
    wait = replace(session.wait(), longest=0.5)
    follower = load.Follower(client("batch"), client("logs"), outputs["LoaderLogGroup"], wait)
    try:
        rows = list(shown(console, follower.rows(job)))
    except DeployFailed as error:
        if options.dry_run and "rows are bad" in str(error):
            console.say(str(error))
            return 3
        raise
    return answer(console, session.name, place, job, rows)


def check(options: Namespace) -> None:
    """Returns when the loader will understand its options; UsageError where it will not."""
    if options.max_rejected:
        limit_from(options.max_rejected)
    if options.split_over:
        size_from(options.split_over)


def passed(options: Namespace) -> list[str]:
    """The loader's own options."""
    words = ["--dry-run"] if options.dry_run else []
    for name in PASSED:
        if value := getattr(options, name):
            words += [f"--{name.replace('_', '-')}", value]
    return words


def answer(console: Console, stack: str, place: load.Place, job: str, rows: list[dict[str, Any]]) -> int:
    """The exit status, after the result of each database."""
    results = {
        row["target"]: row for row in rows if row["event"] in {"loaded", "unchanged"} and "target" in row
    }
    checked = next((row for row in rows if row["event"] == "checked"), None)
    lines = [line for name, row in results.items() for line in result_lines(name, row, place.bucket)]
    if checked:
        lines = checked_lines(checked)
    facts: dict[str, Any] = {"job": job, "bucket": place.bucket, "key": place.key, "version": place.version}
    facts |= {"databases": {DATABASES[name]: row for name, row in results.items()}, "checked": checked}
    console.answer(lines, report.result("load", stack, **facts))
    return 0 if checked is None or checked["allowed"] else 3


def result_lines(target: str, row: dict[str, Any], bucket: str) -> Iterator[str]:
    """What became of the object in one database."""
    name = f"{DATABASES[target]:10}"
    if row["event"] == "unchanged":
        yield f"{name} unchanged, {row['table_rows']:,} rows: {row['reason']}"
        return
    speed = row["rows"] / max(row["seconds"], 0.001)
    yield (
        f"{name} {row['rows']:,} rows loaded, {row['rejected']:,} rejected, {row['seconds']:.1f} s,"
        f" {speed:,.0f} rows/s; the table has {row['table_rows']:,}"
    )
    if row.get("rejected_key"):
        yield f"{'':10} rejected: s3://{bucket}/{row['rejected_key']}"


def checked_lines(row: dict[str, Any]) -> list[str]:
    """What a dry run found."""
    told = [f"{row['table']}, {row['mode']}: {row['rows']:,} rows are good, {row['rejected']:,} bad"]
    told += [
        f"  line {one['line']}, {one['column'] or 'record'}: {one['value']!r} {one['reason']}"
        for one in row["sample"]
    ]
    return told if row["allowed"] else [*told, "too many for --max-rejected: nothing would be changed"]


def shown(console: Console, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows, after progress has been shown: a bar on a terminal, else a line each."""
    if console.quiet:
        yield from rows
    elif sys.stderr.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb":
        with bar() as progress:
            for row in rows:
                advance(progress, row)
                yield row
    else:
        for row in rows:
            if row["event"] in {"progress", "parts"}:
                console.say(progress_line(row))
            yield row


@contextmanager
def bar() -> Iterator[Progress]:
    """A bar of bytes, rows a second, rejected rows and the time left."""
    columns = (
        TextColumn("{task.description:10}"), BarColumn(), DownloadColumn(), TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[rejected]} rejected"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Terminal(stderr=True), transient=True) as progress:
        yield progress


def advance(progress: Progress, row: dict[str, Any]) -> None:
    """Bring the bar of a row's database to where it is."""
    if row["event"] not in {"progress", "parts"}:
        return
    name = DATABASES.get(row.get("target", ""), row.get("target", "parts"))
    done, total = (row["bytes"], row["size"]) if "bytes" in row else (row["done"], row["parts"])
    task = next((one.id for one in progress.tasks if one.description == name), None)
    if task is None:
        task = progress.add_task(name, total=total, rate="", rejected=0)
    progress.update(task, completed=done, rate=rate(row), rejected=f"{row.get('rejected', 0):,}")


def progress_line(row: dict[str, Any]) -> str:
    """Where a load is, in a line."""
    if row["event"] == "parts":
        return f"parts      {row['done']} of {row['parts']} staged"
    name = DATABASES.get(row["target"], row["target"])
    facts = (
        f"{row['bytes']:,} of {row['size']:,} bytes", f"{row['rows']:,} rows", rate(row),
        f"{row['rejected']:,} rejected",
    )  # fmt: skip
    return f"{name:10} {', '.join(filter(None, facts))}"


def rate(row: dict[str, Any]) -> str:
    """Rows a second."""
    return f"{row['rows'] / row['seconds']:,.0f} rows/s" if row.get("seconds") else ""
