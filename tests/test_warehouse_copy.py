"""COPY from S3 into the warehouse: objects as told, part of the transaction, errors with line and column."""

import bz2
import gzip
import json
from typing import Any

import pytest
import redshift_connector
from warehouse_support import (
    DRIVER_WARNINGS,
    Warehouse,
    connected,
    in_a_transaction,
    one,
    rows,
    trusted,
)

warehouse = pytest.fixture(trusted, scope="module")
connection = pytest.fixture(connected)
cursor = pytest.fixture(in_a_transaction)
pytestmark = DRIVER_WARNINGS


def load(cursor: Any, source: str, options: str = "CSV") -> list[tuple[Any, ...]]:
    """What is in the table after a COPY."""
    cursor.execute("CREATE TEMP TABLE loaded (id bigint, name varchar(20))")
    cursor.execute(f"COPY loaded FROM 's3://loads/{source}' IAM_ROLE default {options}")
    return rows(cursor, "SELECT id, name FROM loaded ORDER BY id")


BOTH = [(1, "one"), (2, "two")]


@pytest.mark.parametrize(
    ("key", "body", "source", "options"),
    [
        ("c/plain.csv", b"1,one\n2,two", "c/plain.csv", "CSV"),
        ("c/header.csv", b"id,name\n1,one\n2,two\n", "c/header.csv", "FORMAT AS CSV IGNOREHEADER 1"),
        ("c/tab.csv", b"1\tone\n2\ttwo\n", "c/tab.csv", "CSV DELIMITER '\\t'"),
        ("c/quote.csv", b"1,%one%\n2,two\n", "c/quote.csv", "CSV QUOTE AS '%'"),
        (
            "c/a.gz",
            gzip.compress(b"1,one\n", mtime=0) + gzip.compress(b"2,two\n", mtime=0),
            "c/a.gz",
            "CSV GZIP",
        ),
        ("c/a.bz2", bz2.compress(b"1,one\n2,two\n"), "c/a.bz2", "CSV BZIP2"),
        ("c/crlf.csv", b"1,one\r\n2,two\r\n", "c/crlf.csv", "CSV EMPTYASNULL COMPUPDATE OFF STATUPDATE OFF"),
    ],
    ids=lambda value: value if isinstance(value, str) else "bytes",
)
def test_copy_reads_objects_as_told(
    warehouse: Warehouse, cursor: Any, key: str, body: bytes, source: str, options: str
) -> None:
    warehouse.put(key, body)
    assert load(cursor, source, options) == BOTH


def test_copy_reads_all_under_a_prefix_each_without_its_header(warehouse: Warehouse, cursor: Any) -> None:
    warehouse.put("parts/1.csv", b"id,name\n1,one")
    warehouse.put("parts/2.csv", b"id,name\n2,two")
    assert load(cursor, "parts/", "CSV IGNOREHEADER 1") == BOTH


def test_copy_reads_what_a_manifest_lists(warehouse: Warehouse, cursor: Any) -> None:
    warehouse.put("m/1.csv", b"1,one\n")
    warehouse.put("m/2.csv", b"2,two\n")
    warehouse.put("m/3.csv", b"3,three\n")
    entries = [{"url": f"s3://loads/m/{name}.csv", "mandatory": name < 3} for name in (1, 2, 9)]
    warehouse.put("m/list", json.dumps({"entries": entries}).encode())
    assert load(cursor, "m/list", "CSV MANIFEST") == BOTH
    warehouse.put("m/list", json.dumps({"entries": [{**entries[2], "mandatory": True}]}).encode())
    with pytest.raises(redshift_connector.Error, match="S3ServiceException"):
        cursor.execute("COPY loaded FROM 's3://loads/m/list' IAM_ROLE default CSV MANIFEST")


def test_copy_puts_null_where_the_field_is_empty_or_named_so(warehouse: Warehouse, cursor: Any) -> None:
    warehouse.put("null.csv", b"1,\n2,NIL\n")
    assert load(cursor, "null.csv", "CSV EMPTYASNULL") == [(1, None), (2, "NIL")]
    cursor.execute("DROP TABLE loaded")
    assert load(cursor, "null.csv", "CSV NULL AS 'NIL'") == [(1, ""), (2, None)]


def test_copy_is_part_of_the_transaction(warehouse: Warehouse, connection: Any) -> None:
    warehouse.put("tx.csv", b"1,one\n")
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE tx (id int, name varchar(5))")
    connection.commit()
    cursor.execute("COPY tx FROM 's3://loads/tx.csv' IAM_ROLE default CSV")
    assert one(cursor, "SELECT count(*) FROM tx") == 1
    connection.rollback()
    assert one(cursor, "SELECT count(*) FROM tx") == 0
    cursor.execute("DROP TABLE tx")
    connection.commit()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nope/", "The specified S3 prefix 'nope/' does not exist"),
        ("bad.csv", "Load into table 'loaded' failed."),
        ("broken.gz' IAM_ROLE default CSV GZIP --", "Failed to decompress"),
    ],
)
def test_a_copy_that_cannot_be_done_says_why_and_the_session_goes_on(
    warehouse: Warehouse, connection: Any, source: str, message: str
) -> None:
    warehouse.put("bad.csv", b"1,one\nx,two\n")
    warehouse.put("broken.gz", b"no gzip at all")
    cursor = connection.cursor()
    with pytest.raises(redshift_connector.Error) as raised:
        load(cursor, source)
    assert message in raised.value.args[0]["M"]
    assert raised.value.args[0]["C"] == "XX000"
    connection.rollback()
    warehouse.put("good.csv", b"1,one\n2,two\n")
    assert load(connection.cursor(), "good.csv") == BOTH


def test_a_bad_value_is_told_with_line_and_column(warehouse: Warehouse, cursor: Any) -> None:
    warehouse.put("bad.csv", b"1,one\nx,two\n")
    with pytest.raises(redshift_connector.Error) as raised:
        load(cursor, "bad.csv")
    detail = raised.value.args[0]["D"]
    assert 'invalid input syntax for type bigint: "x"' in detail
    assert "line 2, column id" in detail


def test_a_missing_bucket_and_a_missing_table_are_told(warehouse: Warehouse, connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("CREATE TEMP TABLE b (a int)")
    with pytest.raises(redshift_connector.Error, match="NoSuchBucket"):
        cursor.execute("COPY b FROM 's3://none-such-bucket/x' IAM_ROLE default CSV")
    connection.rollback()
    with pytest.raises(redshift_connector.Error, match="42P01"):
        cursor.execute("COPY none_such FROM 's3://loads/bad.csv' IAM_ROLE default CSV")
