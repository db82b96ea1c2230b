"""usage: python -m aws_vpc.loader --bucket B --key K [--version V] [--etag E] [--sequencer S] ...

Load one S3 object into both databases. AWS Batch runs it with what the object's event says.
Exit status: 0 loaded or unchanged, 1 failed, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from aws_vpc.errors import Error
from aws_vpc.loader.array import STEPS, Jobs
from aws_vpc.loader.log import Log
from aws_vpc.loader.parts import Folder
from aws_vpc.loader.rejects import limit_from
from aws_vpc.loader.run import Job, Wish
from aws_vpc.loader.run_parts import PartsJob
from aws_vpc.loader.settings import settings_from
from aws_vpc.loader.source import Object
from aws_vpc.loader.split import size_from
from aws_vpc.loader.tables import MODES, SHIPPED, read_tables

RETRIES = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60)


def _given(value: str) -> str:
    """The value, or nothing where the event had none and Batch left its reference as it was."""
    return "" if value.startswith("Ref::") else value.strip('"')


def size(text: str) -> int:
    """Bytes, as `size_from` reads them."""
    try:
        return size_from(text)
    except Error as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m aws_vpc.loader", description="Load one S3 object into both databases."
    )
    found.add_argument("--bucket", required=True)
    found.add_argument("--key", required=True, help="as S3 stores it, not URL-encoded")
    found.add_argument("--version", default="", type=_given, help="version id; the current one when left out")
    found.add_argument(
        "--etag", default="", type=_given, help="the load stops when the object has another one"
    )
    found.add_argument(
        "--sequencer", default="", type=_given, help="of the event; an older one never overwrites a newer"
    )
    found.add_argument(
        "--max-rejected", default="1%", metavar="N|N%",
        help="how many rows may be bad: a number, or a share of the rows, which counts as if there were "
        "1,000 of them at least (default 1%%: 10 rows up to 1,000, then one in a hundred); never all",
    )  # fmt: skip
    found.add_argument("--mode", default="", choices=["", *MODES], help="instead of what the key says")
    found.add_argument("--table", default="", help="instead of the one that takes the key")
    found.add_argument("--only", default="", choices=["", "rds", "redshift"], help="load one database alone")
    found.add_argument("--dry-run", action="store_true", help="read and check every row, write nothing")
    found.add_argument(
        "--split-over", default="1GiB", type=size, metavar="BYTES",
        help="an object over this size is loaded in parts by an array job (default 1GiB; 0: never)",
    )  # fmt: skip
    found.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    found.add_argument("--run", default="", help=argparse.SUPPRESS)
    found.add_argument(
        "--tables", type=Path, default=SHIPPED, help="table descriptions, instead of the shipped ones"
    )
    return found


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    given, log = parser().parse_args(arguments), Log()
    try:
        limit, settings, tables = (
            limit_from(given.max_rejected),
            settings_from(os.environ),
            read_tables(given.tables),
        )
        client = functools.partial(boto3.client, config=RETRIES)
        s3, secretsmanager = client("s3"), client("secretsmanager")
    except Error as error:
        log("failed", reason=str(error))
        return error.exit_status
    except BotoCoreError as error:
        log("failed", reason=f"no client for AWS: {error}")
        return 1
    wanted = Object(given.bucket, given.key, given.version, given.etag, given.sequencer)
    wish = Wish(given.table, given.mode, given.only, given.dry_run, given.split_over)
    own_tables = () if given.tables == SHIPPED else ("--tables", str(given.tables))
    options = ("--max-rejected", given.max_rejected, *own_tables)
    jobs = Jobs(functools.partial(client, "batch"), os.environ)
    job = Job(settings, s3, secretsmanager, tables, limit, log, wish, jobs, options)
    if given.step:
        return PartsJob(job, Folder(s3, given.bucket, given.run), jobs.index).run(given.step)
    return job.run(wanted)


if __name__ == "__main__":
    sys.exit(main())
