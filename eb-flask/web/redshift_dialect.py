"""SQLAlchemy Core on Amazon's own driver, redshift_connector: what these pages need, reads only.

    create_engine("redshift+redshift_connector://", ...)

Redshift speaks the SQL of PostgreSQL 8.0, so this is the PostgreSQL dialect with what differs:
parameters as %s, no RETURNING, a driver that reports a lost connection in its own ways, a catalog without the
columns that PostgreSQL has added since, so that its reflection is our own.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect, PGIdentifierPreparer
from sqlalchemy.engine.interfaces import ConnectArgsType, IsolationLevel, ReflectedColumn
from sqlalchemy.engine.url import URL
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.types import NullType

GONE = (
    "BrokenPipe",
    "communication error",
    "connection is closed",
    "connection time out",
    "server closed",
    "57P01",
    "57P02",
    "57P03",
)

# The standard catalog tables, which every user of Redshift may read, and no column newer than PostgreSQL 8.0.
# SVV_COLUMNS would also ask external schemas, and wait for them.
COLUMNS = text("""
SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
WHERE n.nspname = :schema AND c.relname = :name AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
""").bindparams(bindparam("schema"), bindparam("name"))


class _Compiler(PGCompiler):
    """Statements with %s parameters, where a literal % must be doubled."""

    def visit_mod_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return f"{self.process(binary.left, **kw)} %% {self.process(binary.right, **kw)}"

    def post_process_text(self, text: str) -> str:
        return text.replace("%", "%%")


class _Preparer(PGIdentifierPreparer):
    """Identifiers, where a literal % must be doubled too."""

    def _escape_identifier(self, value: str) -> str:
        return value.replace(self.escape_quote, self.escape_to_quote).replace("%", "%%")


class RedshiftDialect(PGDialect):
    """What SQLAlchemy needs to know about Redshift and redshift_connector."""

    name = "redshift"
    driver = "redshift_connector"
    default_paramstyle = "format"
    supports_statement_cache = True
    statement_compiler = _Compiler
    preparer = _Preparer
    insert_returning = update_returning = delete_returning = False
    supports_native_enum = supports_native_uuid = False
    ping_seconds = 0.9

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """The driver's module."""
        import redshift_connector

        return redshift_connector

    def create_connect_args(self, url: URL) -> ConnectArgsType:
        """The driver's own names for what the URL says."""
        return (), {**url.translate_connect_args(username="user"), **url.query}

    def on_connect(self) -> Callable[[Any], None]:
        """Teaches a new connection SQLAlchemy's own string type."""

        def teach(connection: Any) -> None:
            connection.py_types[quoted_name] = connection.py_types[str]

        return teach

    def get_columns(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[ReflectedColumn]:
        """The columns of a table, in order, for Inspector.get_columns; raises NoSuchTableError."""
        place = {"schema": schema or self.default_schema_name, "name": table_name}
        found = connection.execute(COLUMNS, place).all()
        if not found:
            raise NoSuchTableError(table_name)
        return [
            {"name": name, "type": self._type(kind), "nullable": not required, "default": None}
            for name, kind, required in found
        ]

    def _type(self, written: str) -> Any:
        """The type that format_type has written, without its length; a NullType for one that is not known."""
        known = self.ischema_names.get(written.partition("(")[0])
        return known() if known else NullType()

    def _set_backslash_escapes(self, connection: Any) -> None:
        self._backslash_escapes = False  # Redshift has no standard_conforming_strings to ask for

    def get_isolation_level_values(self, dbapi_connection: Any) -> list[IsolationLevel]:
        """The two modes the driver has."""
        return ["SERIALIZABLE", "AUTOCOMMIT"]

    def set_isolation_level(self, dbapi_connection: Any, level: str) -> None:
        """Sets the driver's autocommit."""
        dbapi_connection.autocommit = level == "AUTOCOMMIT"

    def get_isolation_level(self, dbapi_connection: Any) -> IsolationLevel:
        """The mode the connection is in."""
        return "AUTOCOMMIT" if dbapi_connection.autocommit else "SERIALIZABLE"

    def detect_autocommit_setting(self, dbapi_conn: Any) -> bool:
        """Whether the connection commits by itself."""
        return bool(dbapi_conn.autocommit)

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        """Whether the error means that this connection is lost."""
        return isinstance(e, OSError) or any(sign in str(e) for sign in GONE)

    def do_ping(self, dbapi_connection: Any) -> bool:
        """Whether the connection still answers; a dead one makes the driver raise almost anything."""
        usual = dbapi_connection._usock.gettimeout()
        try:
            dbapi_connection._usock.settimeout(self.ping_seconds)
            cursor = dbapi_connection.cursor()
            cursor.execute("select 1")
            cursor.fetchone()
            cursor.close()
            dbapi_connection._usock.settimeout(usual)
        except Exception:
            return False
        return True

    def do_close(self, dbapi_connection: Any) -> None:
        """Closes the connection and, where the driver fails over a lost one, its socket."""
        try:
            dbapi_connection.close()
        except Exception:
            dbapi_connection._usock.close()


registry.register("redshift.redshift_connector", __name__, "RedshiftDialect")
