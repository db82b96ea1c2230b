"""The SQL that both databases understand: names, literals, and what turns a table into its object.

The statements use nothing that Redshift lacks (no ON CONFLICT, RETURNING, TRUNCATE, DISTINCT ON) and only
rows that differ are written, so loading what is there already writes nothing.
"""

from __future__ import annotations

from aws_vpc.loader.tables import Table

# no table and no column that tables.yaml describes can be called so
STAGE, TWICE, FRESH = TEMPORARY = "_stage", "_twice", "_fresh"
LINE = "_line"
PAGE = 10_000


def identifier(name: str) -> str:
    """The name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as a string literal, for the places where a statement cannot take a bound value."""
    return "'" + text.replace("'", "''") + "'"


def names(columns: tuple[str, ...], of: str = "") -> str:
    """A list of columns."""
    return ", ".join(f"{of}.{identifier(name)}" if of else identifier(name) for name in columns)


def columns(table: Table, *, warehouse: bool, constraints: bool = True) -> str:
    """The column definitions of a table."""
    lines = []
    for column in table.columns:
        kind = column.type
        if warehouse and column.kind == "varchar":  # a cluster counts bytes, and UTF-8 has up to four
            kind = f"varchar({min(column.size[0] * 4, 65535)})"
        lines.append(
            f"{identifier(column.name)} {kind}" + (" NOT NULL" if constraints and column.required else "")
        )
    return ", ".join(lines)


def create_stage(table: Table, *, warehouse: bool) -> str:
    """A temporary table for an object's rows, each with the line that it stands in."""
    return (
        f"CREATE TEMP TABLE {STAGE} ({LINE} bigint, {columns(table, warehouse=warehouse, constraints=False)})"
    )


def find_twice(table: Table) -> str:
    """A statement that collects the keys that come more than once in the stage."""
    key = names(table.key)
    return (
        f"CREATE TEMP TABLE {TWICE} AS SELECT {key}, max({LINE}) AS kept FROM {STAGE} "
        f"GROUP BY {key} HAVING count(*) > 1"
    )


def superseded(table: Table) -> str:
    """A page of the staged rows that such keys put aside, after a line: line, line kept, key."""
    return (
        f"SELECT {STAGE}.{LINE}, {TWICE}.kept, {names(table.key, of=STAGE)} FROM {STAGE}, {TWICE} "
        f"WHERE {_superseded(table)} AND {STAGE}.{LINE} > %s ORDER BY 1 LIMIT {PAGE}"
    )


def remove_superseded(table: Table) -> str:
    """A statement that leaves one row per key in the stage, or none of those that come twice."""
    return f"DELETE FROM {STAGE} USING {TWICE} WHERE {_superseded(table)}"


def _superseded(table: Table) -> str:
    last = "" if table.duplicates == "reject" else f" AND {STAGE}.{LINE} < {TWICE}.kept"
    return f"{_same_key(table, STAGE, TWICE)}{last}"


def apply(table: Table, mode: str) -> list[str]:
    """Statements that bring the staged rows into the table."""
    name = identifier(table.name)
    target, match = f"public.{name}", _same_key(table, name, STAGE)
    if mode == "delete":
        return [f"DELETE FROM {target} USING {STAGE} WHERE {match}"]
    missing = f"{name}.{identifier(table.key[0])} IS NULL"
    statements = [
        f"CREATE TEMP TABLE {FRESH} AS SELECT {names(table.names, of=STAGE)} FROM {STAGE} "
        f"LEFT JOIN {target} ON {match} WHERE {' OR '.join([missing, *_differences(table, name)])}",
        _merge(table, target),
    ]
    if mode == "mirror":
        gone = f"DELETE FROM {target} WHERE NOT EXISTS (SELECT 1 FROM {STAGE} WHERE {match})"
        statements.insert(0, gone)
    return statements


def _merge(table: Table, target: str) -> str:
    """MERGE in the form that both know: Redshift takes a table as source, one clause of each kind, no AND."""
    changed = [name for name in table.names if name not in table.key] or list(table.key)
    changes = ", ".join(f"{identifier(name)} = {FRESH}.{identifier(name)}" for name in changed)
    return (
        f"MERGE INTO {target} USING {FRESH} ON {_same_key(table, target, FRESH)} "
        f"WHEN MATCHED THEN UPDATE SET {changes} "
        f"WHEN NOT MATCHED THEN INSERT ({names(table.names)}) VALUES ({names(table.names, of=FRESH)})"
    )


def _differences(table: Table, target: str) -> list[str]:
    """The ways in which a staged row can differ from that of the same key; NULL differs from any value."""
    found = []
    for name in table.names:
        if name not in table.key:
            old, new = f"{target}.{identifier(name)}", f"{STAGE}.{identifier(name)}"
            found += [f"{old} <> {new}", f"({old} IS NULL AND {new} IS NOT NULL)"]
            found.append(f"({old} IS NOT NULL AND {new} IS NULL)")
    return found


def _same_key(table: Table, one: str, other: str) -> str:
    return " AND ".join(f"{one}.{identifier(name)} = {other}.{identifier(name)}" for name in table.key)
