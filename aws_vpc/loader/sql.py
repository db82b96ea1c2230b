"""The SQL that both databases understand: names, literals, and what turns a table into its object.

The statements use nothing that Redshift lacks (no ON CONFLICT, RETURNING, TRUNCATE, DISTINCT ON) and only
rows that differ are written, so loading what is there already writes nothing.
"""

from __future__ import annotations

from aws_vpc.loader.tables import Table

STAGE = "stage"
LINE = "_line"  # no column of a table can be called so
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


def superseded(table: Table) -> str:
    """A page of the rows that a key coming twice puts aside, after a line: line, line kept, key."""
    key = names(table.key)
    others = "" if table.duplicates == "reject" else f" AND {LINE} <> kept"
    return (
        f"SELECT {LINE}, kept, {key} FROM (SELECT {LINE}, {key}, "
        f"max({LINE}) OVER (PARTITION BY {key}) AS kept, count(*) OVER (PARTITION BY {key}) AS many "
        f"FROM {STAGE}) AS numbered "
        f"WHERE many > 1{others} AND {LINE} > %s ORDER BY {LINE} LIMIT {PAGE}"
    )


def remove_superseded(table: Table) -> list[str]:
    """Statements that leave one row per key in the stage, or none of those that come twice."""
    key = names(table.key)
    earlier = "" if table.duplicates == "reject" else f" AND {STAGE}.{LINE} < twice.kept"
    return [
        f"CREATE TEMP TABLE twice AS SELECT {key}, max({LINE}) AS kept FROM {STAGE} "
        f"GROUP BY {key} HAVING count(*) > 1",
        f"DELETE FROM {STAGE} USING twice WHERE {_same_key(table, STAGE, 'twice')}{earlier}",
    ]


def apply(table: Table, mode: str) -> list[str]:
    """Statements that bring the staged rows into the table."""
    target = f"public.{identifier(table.name)}"
    if mode == "delete":
        return [f"DELETE FROM {target} USING {STAGE} WHERE {_same_key(table, target, STAGE)}"]
    listed = names(table.names)
    staged, current = f"SELECT {listed} FROM {STAGE}", f"SELECT {listed} FROM {target}"
    fresh = f"CREATE TEMP TABLE fresh AS {staged} EXCEPT {current}"
    insert = f"INSERT INTO {target} ({listed}) SELECT {listed} FROM fresh"
    if mode == "merge":
        return [fresh, f"DELETE FROM {target} USING fresh WHERE {_same_key(table, target, 'fresh')}", insert]
    gone = f"CREATE TEMP TABLE gone AS {current} EXCEPT {staged}"
    return [gone, f"DELETE FROM {target} USING gone WHERE {_same_key(table, target, 'gone')}", fresh, insert]


TEMPORARY = (STAGE, "twice", "fresh", "gone")


def _same_key(table: Table, one: str, other: str) -> str:
    return " AND ".join(f"{one}.{identifier(name)} = {other}.{identifier(name)}" for name in table.key)
