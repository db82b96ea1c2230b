"""Statements that never change: SQLAlchemy Core, compiled once for each database, values always bound."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Dialect, Select


@dataclass(frozen=True)
class CompiledSelect:
    """A SELECT as a driver takes it: text, names of the columns, and the values that the text wants."""

    sql: str
    columns: tuple[str, ...]
    constants: Mapping[str, Any]
    positions: tuple[str, ...] | None  # of the values, where the driver wants them in order

    def arguments(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver takes them."""
        named = {**self.constants, **values}
        return named if self.positions is None else tuple(named[name] for name in self.positions)


@dataclass(frozen=True, eq=False)
class Fixed:
    """A SELECT that is compiled when a database first asks for it."""

    statement: Select[Any]
    _compiled: dict[str, CompiledSelect] = field(default_factory=dict)

    def compiled(self, dialect: Dialect) -> CompiledSelect:
        """The statement for a database."""
        if (found := self._compiled.get(dialect.name)) is None:
            found = self._compiled[dialect.name] = self._compile(dialect)
        return found

    def _compile(self, dialect: Dialect) -> CompiledSelect:
        made = self.statement.compile(dialect=dialect)
        columns = tuple(column.name for column in self.statement.selected_columns)
        positions = tuple(made.positiontup) if made.positional and made.positiontup is not None else None
        constants = {name: value for name, value in made.params.items() if value is not None}
        return CompiledSelect(made.string, columns, constants, positions)
