"""The warehouse as Amazon's own driver sees it: sessions, types, transactions, what a cluster refuses."""

import threading
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import redshift_connector
from warehouse_support import (
    DRIVER_WARNINGS,
    Warehouse,
    connected,
    in_a_transaction,
    one,
    refusal,
    rows,
    trusted,
)

warehouse = pytest.fixture(trusted, scope="module")
connection = pytest.fixture(connected)
cursor = pytest.fixture(in_a_transaction)
pytestmark = DRIVER_WARNINGS


def test_the_driver_is_told_that_this_is_redshift(cursor: Any) -> None:
    assert one(cursor, "SELECT version()").startswith("PostgreSQL 8.0.2 on ")
    assert "Redshift 1.0." in one(cursor, "SELECT version()")


@pytest.mark.parametrize("mode", ["require", "prefer", "verify-ca", "verify-full"])
def test_every_mode_of_tls_connects(warehouse: Warehouse, mode: str) -> None:
    warehouse.connect(sslmode=mode).close()


def test_without_tls_nobody_gets_in(warehouse: Warehouse) -> None:
    assert "SSL connection is required" in refusal(warehouse.connect, ssl=False, sslmode="disable")
    assert "SSL connection is required" in refusal(warehouse.libpq, sslmode="disable")


def test_a_wrong_password_is_28p01(warehouse: Warehouse) -> None:
    assert "28P01" in refusal(warehouse.connect, password="wrong")


TYPES = [
    ("smallint", 7), ("int", -70000), ("bigint", 2**62), ("decimal(20,4)", Decimal("12.3456")), ("real", 1.5),
    ("double precision", 2.25), ("boolean", True), ("varchar(20)", "äöü €"), ("char(3)", "abc"),
    ("date", date(2026, 2, 28)), ("timestamp", datetime(2026, 2, 28, 12, 30, 1, 5000)),
]  # fmt: skip


@pytest.mark.parametrize(("type_name", "value"), TYPES)
def test_values_go_and_come_back(cursor: Any, type_name: str, value: Any) -> None:
    cursor.execute(f"CREATE TEMP TABLE v (a {type_name})")
    cursor.execute("INSERT INTO v VALUES (%s), (%s)", (value, None))
    assert rows(cursor, "SELECT a FROM v") == [(value,), (None,)]


@pytest.mark.parametrize(
    ("style", "statement", "values"),
    [
        ("format", "SELECT %s", (5,)),
        ("qmark", "SELECT ?", (5,)),
        ("numeric", "SELECT :1", (5,)),
        ("named", "SELECT :a", {"a": 5}),
        ("pyformat", "SELECT %(a)s", {"a": 5}),
    ],
)
def test_all_paramstyles_bind(connection: Any, style: str, statement: str, values: Any) -> None:
    cursor = connection.cursor()
    cursor.paramstyle = style
    cursor.execute(statement, values)
    assert cursor.fetchone() == [5]


def test_names_of_columns_are_described(cursor: Any) -> None:
    cursor.execute("SELECT 1 AS id, 'x' AS name")
    assert [column[0] for column in cursor.description] == ["id", "name"]


def test_an_error_aborts_the_transaction_until_rollback(connection: Any) -> None:
    cursor = connection.cursor()
    with pytest.raises(redshift_connector.ProgrammingError, match="42P01"):
        cursor.execute("SELECT * FROM none_such")
    with pytest.raises(redshift_connector.ProgrammingError, match="25P02"):
        cursor.execute("SELECT 1")
    connection.rollback()
    assert one(cursor, "SELECT 1") == 1


def test_a_null_where_none_may_be_is_refused(cursor: Any) -> None:
    cursor.execute("CREATE TEMP TABLE v (a int PRIMARY KEY)")
    with pytest.raises(redshift_connector.Error, match="23502"):
        cursor.execute("INSERT INTO v VALUES (NULL)")


def test_keys_are_accepted_and_not_enforced(cursor: Any) -> None:
    cursor.execute("CREATE TEMP TABLE v (a int PRIMARY KEY DISTKEY, b int UNIQUE) SORTKEY (a)")
    cursor.execute("INSERT INTO v VALUES (1, 1), (1, 1)")
    assert one(cursor, "SELECT count(*) FROM v") == 2


def test_autocommit_is_seen_by_others(warehouse: Warehouse) -> None:
    with warehouse.connect() as first, warehouse.connect() as second:
        first.autocommit = True
        first.cursor().execute("CREATE TABLE seen (a int)")
        assert one(second.cursor(), "SELECT count(*) FROM seen") == 0
        second.rollback()
        first.cursor().execute("DROP TABLE seen")


def test_many_rows_are_inserted(cursor: Any) -> None:
    cursor.execute("CREATE TEMP TABLE v (a int, b varchar(10))")
    cursor.executemany("INSERT INTO v VALUES (%s, %s)", [(number, f"n{number}") for number in range(50)])
    assert one(cursor, "SELECT count(DISTINCT b) FROM v") == 50


def test_the_drivers_bulk_insert_finds_its_catalog_views(connection: Any, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n1,one\n2,two\n3,three\n")
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE bulk (a int, b varchar(10))")
    cursor.insert_data_bulk(
        filename=str(file),
        table_name="bulk",
        parameter_indices=[0, 1],
        column_names=["a", "b"],
        delimiter=",",
    )
    assert one(cursor, "SELECT count(*) FROM bulk") == 3
    connection.rollback()


def test_a_result_of_200000_rows_arrives_whole(cursor: Any) -> None:
    cursor.execute("SELECT g, 'row ' || g FROM generate_series(1, 200000) g")
    found = cursor.fetchall()
    assert (len(found), list(found[-1])) == (200000, [200000, "row 200000"])


def test_a_value_of_two_megabytes_goes_there_and_back(cursor: Any) -> None:
    big = "ä" * (1 << 20)
    assert one(cursor, "SELECT %s::text", big) == big


def test_sixteen_sessions_at_once(warehouse: Warehouse) -> None:
    wrong: list[Any] = []

    def work(number: int) -> None:
        try:
            with warehouse.connect() as connection:
                cursor = connection.cursor()
                wrong.extend(n for n in range(20) if one(cursor, "SELECT %s + %s", number, n) != number + n)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_statement_timeout_cancels(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("SET statement_timeout TO 50")
    with pytest.raises(redshift_connector.Error, match="57014"):
        cursor.execute("SELECT count(*) FROM generate_series(1, 100000000)")


def test_merge_updates_and_inserts(cursor: Any) -> None:
    cursor.execute("CREATE TEMP TABLE t (id int, a varchar(5))")
    cursor.execute("CREATE TEMP TABLE s (id int, a varchar(5))")
    cursor.execute("INSERT INTO t VALUES (1, 'old')")
    cursor.execute("INSERT INTO s VALUES (1, 'new'), (2, 'two')")
    cursor.execute(
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = s.a "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.a)"
    )
    assert rows(cursor, "SELECT * FROM t ORDER BY id") == [(1, "new"), (2, "two")]


def test_what_a_cluster_refuses_is_refused_even_with_bound_values(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("CREATE TEMP TABLE v (a int)")
    connection.commit()
    with pytest.raises(redshift_connector.ProgrammingError) as raised:
        cursor.execute("INSERT INTO v VALUES (%s), (%s) ON CONFLICT DO NOTHING", (1, 2))
    assert raised.value.args[0]["C"] == "42601"
    assert raised.value.args[0]["M"] == 'syntax error at or near "ON"'
    with pytest.raises(redshift_connector.ProgrammingError, match="25P02"):
        cursor.execute("SELECT 1")
    connection.rollback()
    assert one(cursor, "SELECT count(*) FROM v") == 0
