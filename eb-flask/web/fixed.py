"""Statements that never change: SQLAlchemy Core, compiled once for each database, values always bound.

PostgreSQL parses and plans the commonest one, a lookup by key, once for each connection (PREPARE), which
halves what it costs the server. Redshift's driver prepares every statement by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg2.extensions
from sqlalchemy import Dialect, Select
from sqlalchemy.dialects import postgresql

NUMBERED: Dialect = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
# feature_not_supported, invalid_sql_statement_name: a prepared statement is stale, or gone.
STALE = ("0A000", "26000")


@dataclass(frozen=True)
class CompiledSelect:
    """A SELECT as a driver takes it: text, names of the columns, and the values that the text wants."""

    sql: str
    columns: tuple[str, ...]
    constants: Mapping[str, Any]
    positions: tuple[str, ...] | None  # of the values, where the driver wants them in order
    prepare: str | None = None  # what has to be said once on each connection before

    def arguments(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        named = {**self.constants, **values}
        return named if self.positions is None else tuple(named[name] for name in self.positions)


@dataclass(frozen=True, eq=False)
class Fixed:
    """A SELECT that is compiled when a database first asks for it; a name has PostgreSQL prepare it."""

    statement: Select[Any]
    name: str = ""
    _compiled: dict[str, CompiledSelect] = field(default_factory=dict)

    def compiled(self, dialect: Dialect) -> CompiledSelect:
        """The statement for a database."""
        if (found := self._compiled.get(dialect.name)) is None:
            prepares = bool(self.name) and dialect.driver == "psycopg2"
            found = self._compiled[dialect.name] = self._prepared() if prepares else self._compile(dialect)
        return found

    def _compile(self, dialect: Dialect) -> CompiledSelect:
        made = self.statement.compile(dialect=dialect)
        positions = tuple(made.positiontup) if made.positional and made.positiontup is not None else None
        constants = {name: value for name, value in made.params.items() if value is not None}
        return CompiledSelect(made.string, self._columns(), constants, positions)

    def _prepared(self) -> CompiledSelect:
        made = self.statement.compile(dialect=NUMBERED)
        positions = tuple(made.positiontup or ())
        execute = f"EXECUTE {self.name} ({', '.join(['%s'] * len(positions))})"
        return CompiledSelect(
            execute, self._columns(), {}, positions, prepare=f"PREPARE {self.name} AS {made.string}"
        )

    def _columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.statement.selected_columns)


class Connection(psycopg2.extensions.connection):  # type: ignore[misc]
    """A connection that remembers when it was last pinged, and what was prepared on it."""

    checked = 0.0

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.prepared: set[str] = set()
