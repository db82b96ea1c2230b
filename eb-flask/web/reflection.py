"""The tables as a database has them now: what its catalog says, cut down to what the pages may read, kept.

    the catalog's columns ∩ tables.ALLOWED ──> Shape ──> kept, until
                                                          ├ a statement met a table that is another now
                                                          ├ a load was seen that is newer
                                                          └ a minute has passed

Reading the catalog costs some milliseconds and a kept shape nothing. When its minute is over, one request
reads it again while the others go on with the one they have.
"""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Column, Enum, MetaData, Table
from sqlalchemy.types import TypeEngine

from . import faults
from .kinds import KINDS
from .tables import ALLOWED, KEYS

KEPT_SECONDS = 60.0
T = TypeVar("T")


class Catalog(Protocol):
    """A database that tells of its tables."""

    title: str

    def columns(self, table: str) -> list[dict[str, Any]]:
        """Name and type of every column of a table, or nothing."""


@dataclass(frozen=True, eq=False)
class Shape:
    """A table as far as it may be read: its columns in the order of ALLOWED, and the kind of each."""

    table: Table
    kinds: dict[str, type]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.kinds)

    def only(self, columns: Collection[str]) -> "Shape":
        """The table with no other columns than these."""
        kept = {name: kind for name, kind in self.kinds.items() if name in columns}
        described = (Column(name, self.table.c[name].type) for name in kept)
        return Shape(Table(self.table.name, MetaData(), *described), kept)


@dataclass
class Kept:
    """A shape, and the moment from which on it has to be read again."""

    shape: Shape
    until: float


class Tables:
    """The tables of one database, from start-up to the end of the process."""

    def __init__(self, catalog: Catalog) -> None:
        self.generation = 0  # how many shapes were another than the one before
        self._catalog = catalog
        self._kept: dict[str, Kept] = {}
        self._load: Any = None

    def __getitem__(self, name: str) -> Shape:
        """The table, as it was at most a minute ago; raises NoTable, Different, or what `columns` raises."""
        kept = self._kept.get(name)
        if kept is None:
            return self._read(name)
        if time.monotonic() < kept.until:
            return kept.shape
        kept.until = time.monotonic() + KEPT_SECONDS
        return self._read(name)

    def renewed(self) -> int:
        """The generation, after every table that is kept was read again."""
        for name in tuple(self._kept):
            self._read(name)
        return self.generation

    def saw(self, load: Any) -> None:
        """Has the tables read again when next asked for, if this load is another than the one seen before."""
        if load != self._load:
            self._load = load
            for kept in tuple(self._kept.values()):
                kept.until = 0.0

    def _read(self, name: str) -> Shape:
        columns = self._catalog.columns(name)
        try:
            shape = _shape(name, columns, self._catalog.title)
        except faults.Fault:
            self._kept.pop(name, None)
            raise
        before = self._kept.get(name)
        same = before is not None and before.shape.kinds == shape.kinds
        if before and same:
            shape = before.shape  # what was made of it goes on being used
        self._kept[name] = Kept(shape, time.monotonic() + KEPT_SECONDS)
        self.generation += not same  # after the shape: who knows the number has no older one
        return shape


def with_current(tables: Iterable[Tables], ask: Callable[[], T]) -> T:
    """What `ask` answers; asked once more where a table turns out to be another than the kept one."""
    known = [(one, one.generation) for one in tables]
    try:
        return ask()
    except (faults.Different, faults.NoTable):
        renewed = [one.renewed() != generation for one, generation in known]
        if not any(renewed):
            raise
        return ask()


def _shape(name: str, columns: list[dict[str, Any]], title: str) -> Shape:
    if not columns:
        raise faults.no_table(title)
    types: dict[str, TypeEngine[Any]] = {column["name"]: column["type"] for column in columns}
    kinds = {column: _kind(types[column]) for column in ALLOWED[name] if column in types}
    if lacking := [key for key, kind in KEYS[name].items() if kinds.get(key) is not kind]:
        raise faults.different(title, lacking)
    readable = {column: kind for column, kind in kinds.items() if kind in KINDS}
    return Shape(Table(name, MetaData(), *(Column(column, types[column]) for column in readable)), readable)


def _kind(kind: TypeEngine[Any]) -> Any:
    """The Python type of a column's values, or none that the pages know: an enumeration is no text to SQL."""
    try:
        return None if isinstance(kind, Enum) else kind.python_type
    except NotImplementedError:
        return None
