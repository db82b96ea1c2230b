"""Table descriptions: `tables.yaml` to dataclasses, and the table and mode that an object's key calls for.

    incoming/people.csv          persons, mirror   the table becomes the object
    incoming/merge/people.csv    persons, merge    rows are inserted, or updated by key
    incoming/delete/people.csv   persons, delete   the keys named are removed

In: names, types, keys, checks, the CSV dialect. Out: what a valid value is (`checks`), SQL (`schema`).
"""

from __future__ import annotations

import codecs
import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aws_vpc.loader.errors import LoadFailed

SHIPPED = Path(__file__).with_name("tables.yaml")
INCOMING, BY_HAND = "incoming/", "by-hand/"
MODES = ("mirror", "merge", "delete")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
TYPE = re.compile(
    r"(smallint|integer|bigint|boolean|date|timestamp|double precision|numeric|char|varchar)"
    r"(?:\((\d{1,5})(?:, ?(\d{1,2}))?\))?"
)
SIZES = {"char": 1, "varchar": 1, "numeric": 2}


@dataclass(frozen=True)
class Column:
    """One column: its type, and what a value must be besides."""

    name: str
    kind: str
    size: tuple[int, ...] = ()
    required: bool = False
    minimum: Any = None
    maximum: Any = None
    values: tuple[str, ...] = ()
    pattern: str = ""

    @property
    def type(self) -> str:
        """The type as SQL writes it."""
        return f"{self.kind}({','.join(map(str, self.size))})" if self.size else self.kind


@dataclass(frozen=True)
class Dialect:
    """How the objects of a table are written."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    encoding: str = "utf-8"
    header: bool = True
    null: str = ""


@dataclass(frozen=True)
class Table:
    """One table, and the objects that fill it."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    objects: tuple[str, ...] = ()
    duplicates: str = "last"
    csv: Dialect = Dialect()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def key_is_a_number(self) -> bool:
        """Whether one whole number names a row."""
        kinds = {column.kind for column in self.columns if column.name in self.key}
        return len(self.key) == 1 and kinds <= {"smallint", "integer", "bigint"}

    def only(self, names: tuple[str, ...]) -> Table:
        """The same table with these columns alone, in this order."""
        by_name = {column.name: column for column in self.columns}
        return Table(
            self.name,
            tuple(by_name[name] for name in names),
            self.key,
            self.objects,
            self.duplicates,
            self.csv,
        )


def read_tables(path: Path = SHIPPED) -> tuple[Table, ...]:
    """The tables that a file describes."""
    try:
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise LoadFailed(f"{path.name} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(described, dict) or not described:
        raise LoadFailed(f"{path.name} describes no table; it maps table names to their columns")
    return tuple(_table(name, value) for name, value in described.items())


def table_for(tables: tuple[Table, ...], key: str) -> tuple[Table, str]:
    """The table that an object's key belongs to, and the mode to load it in."""
    mode, rest = mode_of(key)
    for table in tables:
        if any(fnmatch.fnmatchcase(rest, pattern) for pattern in table.objects):
            return table, mode
    known = ", ".join(f"{pattern} ({table.name})" for table in tables for pattern in table.objects)
    raise LoadFailed(f"no table takes the object {key}: the names that tables.yaml knows are {known}")


def mode_of(key: str) -> tuple[str, str]:
    """The mode that a key says, and the name below it."""
    rest = key.removeprefix(INCOMING).removeprefix(BY_HAND)
    first, _, below = rest.partition("/")
    return (first, below) if first in MODES and below else ("mirror", rest)


def _table(name: Any, described: Any) -> Table:
    where = f"tables.yaml, table {name}"
    _check(isinstance(name, str) and NAME.fullmatch(name), where, "a name is a-z, 0-9, _ and up to 40 long")
    _check(name != "loads", where, "this name is the ledger's")
    _known(described, {"objects", "key", "duplicates", "csv", "columns"}, where)
    columns = described.get("columns")
    _check(isinstance(columns, dict) and columns, where, "columns are missing")
    table = Table(
        name,
        tuple(_column(label, value, f"{where}, column {label}") for label, value in columns.items()),
        tuple(described.get("key") or ()),
        tuple(described.get("objects") or ()),
        described.get("duplicates", "last"),
        _dialect(described.get("csv") or {}, where),
    )
    _check(table.key, where, "key is missing: the list of columns that name a row")
    for label in table.key:
        column = next((column for column in table.columns if column.name == label), None)
        _check(column and column.required, where, f"key column {label} must be a column with required: true")
    _check(table.duplicates in ("last", "reject"), where, "duplicates is last or reject")
    return table


def _column(name: Any, described: Any, where: str) -> Column:
    _check(isinstance(name, str) and NAME.fullmatch(name), where, "a name is a-z, 0-9, _ and up to 40 long")
    _known(described, {"type", "required", "minimum", "maximum", "values", "pattern"}, where)
    written = TYPE.fullmatch(str(described.get("type", "")))
    if written is None:
        raise LoadFailed(f"{where}: type {described.get('type')!r} is not one of those listed in tables.yaml")
    size = tuple(int(part) for part in written.groups()[1:] if part)
    if len(size) != SIZES.get(written[1], 0):
        raise LoadFailed(f"{where}: type {described['type']} needs {SIZES.get(written[1], 0)} sizes")
    return Column(
        name,
        kind=written[1],
        size=size,
        required=bool(described.get("required")),
        minimum=described.get("minimum"),
        maximum=described.get("maximum"),
        values=tuple(map(str, described.get("values") or ())),
        pattern=described.get("pattern") or "",
    )


def _dialect(described: Mapping[str, Any], where: str) -> Dialect:
    _known(described, set(Dialect.__dataclass_fields__), f"{where}, csv")
    dialect = Dialect(**described)
    for option in ("delimiter", "quote"):
        character = getattr(dialect, option)
        fits = isinstance(character, str) and re.fullmatch(r"[\t -\[\]-~]", character)
        _check(fits, where, f"csv {option} is one ASCII character, not a backslash or a line end")
    _check(dialect.delimiter != dialect.quote, where, "csv delimiter and quote must differ")
    _check(
        len(dialect.escape) < 2 and dialect.escape.isascii(),
        where,
        "csv escape is one ASCII character or none",
    )
    try:
        codecs.lookup(dialect.encoding)
    except LookupError as error:
        raise LoadFailed(f"{where}: csv encoding {dialect.encoding} is not one that Python knows") from error
    return dialect


def _known(described: Any, fields: set[str], where: str) -> None:
    _check(isinstance(described, dict), where, "a mapping is needed")
    unknown = sorted(set(described) - fields)
    _check(not unknown, where, f"{', '.join(unknown)} is not known; known are {', '.join(sorted(fields))}")


def _check(holds: Any, where: str, rule: str) -> None:
    if not holds:
        raise LoadFailed(f"{where}: {rule}")
