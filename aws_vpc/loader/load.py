"""One run of the loader as its targets see it: the object, the table, what is too bad, what came out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from aws_vpc.loader import sql
from aws_vpc.loader.errors import TooManyBad
from aws_vpc.loader.log import Log
from aws_vpc.loader.opening import open_records
from aws_vpc.loader.records import Count, Records, Reject
from aws_vpc.loader.rejects import Limit, Rejects, Row
from aws_vpc.loader.source import Source
from aws_vpc.loader.tables import Table


@dataclass(frozen=True)
class Outcome:
    """What a target has after a load."""

    rows: int
    rejected: int
    rejected_key: str
    table_rows: int
    began: float

    @property
    def seconds(self) -> float:
        """How long the load has taken until now."""
        return round(time.monotonic() - self.began, 3)

    @property
    def facts(self) -> dict[str, Any]:
        """The ledger's columns."""
        return {
            "rows": self.rows, "rejected": self.rejected, "rejected_key": self.rejected_key or None,
            "seconds": self.seconds,
        }  # fmt: skip

    def leaving(self, table_rows: int) -> Outcome:
        """The same with the number of rows that the table has now."""
        return replace(self, table_rows=table_rows)


@dataclass(frozen=True)
class Counted:
    """Rows that were read and staged by others: how many, in which columns."""

    count: Count
    ordered: Table


@dataclass
class Load:
    """One run, for one target."""

    run: str
    target: str
    source: Source
    table: Table
    mode: str
    limit: Limit
    log: Log
    began: float = field(default_factory=time.monotonic)
    _rejects: Rejects = field(default_factory=Rejects)

    @property
    def seconds(self) -> float:
        """How long it has taken until now."""
        return time.monotonic() - self.began

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *error: object) -> None:
        self._rejects.close()

    def records(self, *, numbered: bool = False, reject: Reject | None = None) -> Records:
        """The object's records from the beginning."""
        self._rejects.close()
        self._rejects, self.source.taken = Rejects(), 0
        reject = reject or self._rejects.add
        more = {"numbered": numbered, "progress": self.progress}
        return open_records(self.source, self.table, self.mode, reject, **more)

    def progress(self, count: Count) -> None:
        """Tell how far the reading is, once a second."""
        size = self.source.object.size  # parts of a Parquet file are read twice
        self.log.progress(
            target=self.target, bytes=min(self.source.taken, size), size=size,
            rows=count.rows, rejected=count.rejected, seconds=round(time.monotonic() - self.began, 1),
        )  # fmt: skip

    def adopt(self, rejects: Iterable[Row]) -> None:
        """Take over the rows that others have set aside, in the order of the object."""
        self._rejects.close()
        self._rejects = Rejects().merged(rejects)

    def settle(self, records: Records | Counted, superseded: Iterable[Row] = ()) -> Outcome:
        """What comes of the records read; raises when too many are bad, with those in the bucket."""
        rejects = self._rejects = self._rejects.merged(superseded)
        count, total = records.count, records.count.rows + records.count.rejected
        bad = rejects.count if self.table.duplicates == "reject" else count.rejected
        key = self.source.put_rejects(self.run, rejects.file()) if rejects.count else ""
        if not self.limit.allows(bad, total):
            many = f"{bad} of {total} rows are bad, more than --max-rejected {self.limit} allows"
            many = f"all rows are bad, {total} of {total}" if bad == total else many
            raise TooManyBad(f"{many}: nothing was changed, see {key} in the bucket", rejects.count, key)
        rows = total - rejects.count
        return Outcome(rows, rejects.count, key, rows, self.began)


def without_superseded(cursor: Any, load: Load, records: Records | Counted) -> Outcome:
    """What comes of the staged records, once no key is in the stage twice."""
    cursor.execute(sql.find_twice(load.table))
    cursor.execute(f"SELECT count(*) FROM {sql.TWICE}")
    if not cursor.fetchone()[0]:
        return load.settle(records)
    outcome = load.settle(records, _superseded_rows(cursor, load.table))
    cursor.execute(sql.remove_superseded(load.table))
    return outcome


def _superseded_rows(cursor: Any, table: Table) -> Iterator[Row]:
    """The staged rows whose key comes twice, by line; all but the last, or all, as the table says."""
    after = 0
    while True:
        cursor.execute(sql.superseded(table), (after,))
        page = cursor.fetchall()
        for line, kept, *key in page:
            reason = (
                "comes twice"
                if table.duplicates == "reject"
                else f"comes again in line {kept}, which is kept"
            )
            yield line, ",".join(table.key), ",".join(str(value) for value in key), reason
        if len(page) < sql.PAGE:
            return
        after = page[-1][0]
