"""The ledger table `loads`: which object version went into which table, when, and what became of it.

    running or, in parts, staging -> partial (one database has it) -> loaded
                                  -> failed
                                  -> interrupted (the job died; the next one for the table notes it)

In: rows of the ledger, and what they say about an object. Out: the loading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_vpc.errors import UsageError
from aws_vpc.loader.source import Object
from aws_vpc.loader.tables import Column, Table

LOADS = Table(
    "loads",
    (
        Column("run", "varchar", (64,), required=True),
        Column("table_name", "varchar", (64,), required=True),
        Column("mode", "varchar", (16,), required=True),
        Column("bucket", "varchar", (64,), required=True),
        Column("key", "varchar", (1024,), required=True),
        Column("version", "varchar", (1024,), required=True),
        Column("etag", "varchar", (128,), required=True),
        Column("sequencer", "varchar", (128,), required=True),
        Column("size", "bigint", required=True),
        Column("rows", "bigint"),
        Column("rejected", "bigint"),
        Column("rejected_key", "varchar", (1024,)),
        Column("seconds", "double precision"),
        Column("state", "varchar", (16,), required=True),
        Column("reason", "varchar", (1000,)),
        Column("started", "timestamp", required=True),
        Column("finished", "timestamp"),
    ),
    ("run",),
)
RECENT = 200


@dataclass(frozen=True)
class Past:
    """A load that succeeded, of some version of the same object."""

    run: str
    version: str
    etag: str
    sequencer: str


def padded(sequencer: str) -> str:
    """The sequencer in the form in which two of them compare: hexadecimal, filled up on the right."""
    if not re.fullmatch("[0-9A-Fa-f]*", sequencer):
        raise UsageError(f"--sequencer {sequencer} is not a hexadecimal number, as S3 gives it in an event")
    return sequencer.lower().ljust(64, "0")


def same(history: Sequence[Past], wanted: Object) -> Past | None:
    """The load that has brought in this very version already; history is newest first."""
    for past in history:
        if wanted.version:
            if past.version == wanted.version:
                return past
        elif wanted.sequencer:
            if past.sequencer == wanted.sequencer and past.etag == wanted.etag:
                return past
        else:
            return past if past.etag == wanted.etag and not past.version else None
    return None


def is_same(one: Object, other: Object) -> bool:
    """Whether two are the same version of the same object."""
    return (one.bucket, one.key, one.version, one.etag) == (
        other.bucket,
        other.key,
        other.version,
        other.etag,
    )


def newer(history: Sequence[Past], wanted: Object) -> Past | None:
    """A load of a version that was put after this one; S3 orders the events of one key by sequencer."""
    later = [past for past in history if past.sequencer and padded(past.sequencer) > padded(wanted.sequencer)]
    return max(later, key=lambda past: padded(past.sequencer)) if wanted.sequencer and later else None


def read_history(cursor: Any, wanted: Object, table: str) -> list[Past]:
    """The successful loads of an object into a table, newest first."""
    cursor.execute(
        "SELECT run, version, etag, sequencer FROM public.loads "
        "WHERE bucket = %s AND \"key\" = %s AND table_name = %s AND state IN ('loaded', 'partial') "
        f"ORDER BY started DESC, run DESC LIMIT {RECENT}",
        (wanted.bucket, wanted.key, table),
    )
    return [Past(*row) for row in cursor.fetchall()]


def insert(cursor: Any, **values: Any) -> None:
    """Write a new line of the ledger."""
    columns, marks = ", ".join(f'"{name}"' for name in values), ", ".join(["%s"] * len(values))
    cursor.execute(f"INSERT INTO public.loads ({columns}) VALUES ({marks})", tuple(values.values()))


def update(cursor: Any, run: str, **values: Any) -> None:
    """Change a line of the ledger."""
    changes = ", ".join(f'"{name}" = %s' for name in values)
    cursor.execute(f"UPDATE public.loads SET {changes} WHERE run = %s", (*values.values(), run))


def interrupted(cursor: Any, table: str) -> None:
    """Note what is still called running although the table's lock is free: its job has died."""
    cursor.execute(
        "UPDATE public.loads SET state = 'interrupted', reason = 'the job ended without a word' "
        "WHERE table_name = %s AND state = 'running'",
        (table,),
    )


def staging(cursor: Any, table: str) -> list[str]:
    """The runs of a table that load in parts and have not come to an end."""
    cursor.execute("SELECT run FROM public.loads WHERE table_name = %s AND state = 'staging'", (table,))
    return [row[0] for row in cursor.fetchall()]


def state(cursor: Any, run: str) -> str:
    """The state of a run, which stays so until the transaction ends."""
    cursor.execute("SELECT state FROM public.loads WHERE run = %s FOR SHARE", (run,))
    found = cursor.fetchone()
    return found[0] if found else ""


def line(cursor: Any, run: str) -> dict[str, Any]:
    """The columns of a run's line that were known before the load."""
    names = ("run", "table_name", "mode", "bucket", "key", "version", "etag", "sequencer", "size", "started")
    columns = ", ".join(f'"{name}"' for name in names)
    cursor.execute(f"SELECT {columns} FROM public.loads WHERE run = %s", (run,))
    return dict(zip(names, cursor.fetchone(), strict=True))
