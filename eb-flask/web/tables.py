"""The tables that the loader makes, as far as the pages read them; there are no other identifiers."""

from sqlalchemy import BigInteger, Column, DateTime, Float, MetaData, String, Table

metadata = MetaData()

persons = Table(
    "persons",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("email", String(320)),
    Column("state", String(2)),
    Column("postal", String(10)),
    Column("address", String(200)),
)

loads = Table(
    "loads",
    metadata,
    Column("run", String(64), primary_key=True),
    Column("table_name", String(64)),
    Column("mode", String(16)),
    Column("bucket", String(64)),
    Column("key", String(1024)),
    Column("version", String(1024)),
    Column("size", BigInteger),
    Column("rows", BigInteger),
    Column("rejected", BigInteger),
    Column("rejected_key", String(1024)),
    Column("seconds", Float),
    Column("state", String(16)),
    Column("reason", String(1000)),
    Column("started", DateTime),
    Column("finished", DateTime),
)
