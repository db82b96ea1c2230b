"""Parquet to CSV, batch by batch: the rows of some row groups, their columns checked against the table's.

pyarrow is imported by whoever needs it, here alone: it takes 0.1 s and 30 MB, which a CSV file does not pay.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow
import pyarrow.csv
import pyarrow.parquet
from pyarrow import types

from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.readers import refuse_bomb

ROWS = 1024  # in a batch
AHEAD = 2 << 20  # read ahead of all columns together
BUFFER = 64 << 10, 1 << 20  # of one column, at least and at most: each is a request to S3
pyarrow.set_cpu_count(1)
pyarrow.set_io_thread_count(1)


class Parquet:
    """A Parquet file that is read where it lies."""

    def __init__(self, file: Any, size: int) -> None:
        try:
            metadata = pyarrow.parquet.read_metadata(file)
            least, most = BUFFER
            buffer = min(max(AHEAD // max(metadata.num_columns, 1), least), most)
            self._file = pyarrow.parquet.ParquetFile(
                file, metadata=metadata, buffer_size=buffer, pre_buffer=False
            )
        except (pyarrow.ArrowException, OSError) as error:
            raise LoadFailed(f"the object is not Parquet, or damaged: {_said(error)}") from error
        refuse_bomb(self._file.metadata.num_rows * self._file.metadata.num_columns, size)
        self.names = tuple(field.name.strip().lower() for field in self._file.schema_arrow)
        for field in self._file.schema_arrow:
            if not _fits(field.type):
                raise LoadFailed(
                    f"column {field.name} of the Parquet object is {field.type}, which no column can hold"
                )

    @property
    def group_rows(self) -> list[int]:
        """How many rows each row group has."""
        metadata = self._file.metadata
        return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]

    def records(self, groups: Sequence[int] | None = None) -> Iterator[bytes]:
        """The rows as records of CSV: quoted where they are text, NULL an empty field."""
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
        groups = range(self._file.metadata.num_row_groups) if groups is None else groups
        try:
            for batch in self._file.iter_batches(ROWS, row_groups=list(groups), use_threads=False):
                columns = [_plain(column) for column in batch.columns]
                out = io.BytesIO()
                pyarrow.csv.write_csv(pyarrow.record_batch(columns, list(self.names)), out, options)
                yield out.getvalue()
        except (pyarrow.ArrowException, OSError) as error:
            raise LoadFailed(f"the Parquet object cannot be read: {_said(error)}") from error


def _fits(kind: Any) -> bool:
    if types.is_dictionary(kind):
        kind = kind.value_type
    checks = (
        types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null,
        types.is_string, types.is_large_string, types.is_date, types.is_timestamp,
    )  # fmt: skip
    return any(check(kind) for check in checks)


def _plain(column: Any) -> Any:
    """The column as CSV has it: times in UTC without a zone, decimals without an exponent."""
    kind = column.type
    if types.is_dictionary(kind):
        column = column.dictionary_decode()
    if types.is_timestamp(kind):
        return column.cast(pyarrow.timestamp("us"))
    if types.is_date(kind):
        return column.cast(pyarrow.date32())
    if types.is_decimal(kind):
        return pyarrow.array([None if one is None else f"{one:f}" for one in column.to_pylist()])
    return column


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
