"""CREATE TABLE, ALTER TABLE and CREATE VIEW as a cluster takes them, for PostgreSQL.

What spreads and sorts data over nodes (DISTKEY, SORTKEY, ENCODE ...) is taken away: it changes no
result. PRIMARY KEY, UNIQUE and REFERENCES too, because a cluster accepts and does not enforce them;
only the NOT NULL that a primary key brings stays.
"""

from __future__ import annotations

from aws_vpc.local.warehouse.refusal import Refusal, command, not_modelled, syntax_error
from aws_vpc.local.warehouse.refusals import TYPES
from aws_vpc.local.warehouse.tokens import Edits, Token, closing, has, split

_SERIAL = {"serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"}
_UNMODELLED_TYPES = {"super", "geometry", "geography", "hllsketch", "varbyte", "varbinary"}
_MAXIMUM = {"varchar": "65535", "char": "4096", "nvarchar": "65535", "bpchar": "256"}
_OPTIONS_TO_IGNORE = (
    "DEFERRABLE",
    "INITIALLY",
    "DEFERRED",
    "IMMEDIATE",
    "MATCH",
    "FULL",
    "PARTIAL",
    "SIMPLE",
)
NO_CHANGE = "SET (fillfactor = 100)"  # an ALTER TABLE that is one and alters nothing


def create_table(statement: list[Token], edits: Edits) -> None:
    """Edit a CREATE TABLE; raises Refusal for column types and clauses that a cluster does not have."""
    start = has(statement, "TABLE") + 1
    if [token.upper for token in statement[start : start + 3]] == ["IF", "NOT", "EXISTS"]:
        start += 3
    opening = _after_name(statement, start)
    table = "".join(token.name for token in statement[start:opening]).rpartition(".")[2]
    rest = opening
    if opening < len(statement) and statement[opening].upper == "(":
        rest = closing(statement, opening)
        query = has(statement[rest + 1 :], "AS") >= 0
        if not query:
            _columns(split(statement[opening + 1 : rest]), table, edits)
        rest += 1
    _attributes(_until_query(statement[rest:]), edits)


def create_other(statement: list[Token], edits: Edits) -> None:
    """Edit a CREATE VIEW, DATABASE or SCHEMA: without WITH NO SCHEMA BINDING, quotas and refresh options."""
    found = has(statement, "WITH", "NO", "SCHEMA", "BINDING")
    if found > 0:
        edits.replace(statement[found], statement[found + 3], "")
    _attributes(_until_query(statement), edits)


def alter_table(statement: list[Token], edits: Edits) -> None:
    """Edit an ALTER TABLE; raises Refusal for what a cluster does not have: more than one action, for one."""
    if statement[2].upper == "IF":
        raise syntax_error(statement[3])
    start = _after_name(statement, 3 if statement[2].upper == "ONLY" else 2)
    action = statement[start:]
    if len(split(action)) > 1:
        raise syntax_error(next(part for part in action if part.upper == ","))
    table = "".join(token.name for token in statement[2:start]).rpartition(".")[2]
    words = [token.upper for token in action]
    if words[:1] == ["ADD"]:
        _add(action, table, edits)
    elif words[:1] == ["ALTER"]:
        _alter(action, edits)
    elif words[:2] == ["DROP", "CONSTRAINT"] and words[2:3] != ["IF"]:
        edits.insert(action[1], " IF EXISTS")
    elif words[:1] == ["DROP"] and "EXISTS" in words:
        raise syntax_error(action[words.index("EXISTS")])
    elif words[:1] == ["APPEND"]:
        raise not_modelled("ALTER TABLE APPEND")
    elif words[:1] not in (["DROP"], ["RENAME"], ["OWNER"]):
        raise syntax_error(action[0] if action else statement[-1])


def _add(action: list[Token], table: str, edits: Edits) -> None:
    words = [token.upper for token in action]
    kind = words[3] if words[1:2] == ["CONSTRAINT"] else words[1]
    if kind in ("PRIMARY", "UNIQUE", "FOREIGN"):
        names = action[has(action, "(") + 1 : closing(action, has(action, "("))]
        keys = [f"ALTER {name.text} SET NOT NULL" for name in names if name.upper != ","]
        edits.replace(action[0], action[-1], ", ".join(keys) if kind == "PRIMARY" else NO_CHANGE)
        return
    if kind in ("CHECK", "EXCLUDE"):
        raise syntax_error(action[words.index(kind)])
    column = action[2 if words[1] == "COLUMN" else 1 :]
    if [token.upper for token in column[:2]] == ["IF", "NOT"]:
        raise syntax_error(column[1])
    _column(column, table, edits)
    if has(column, "NOT", "NULL") > 0 and has(column, "DEFAULT") < 0:
        raise Refusal("ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression")


def _alter(action: list[Token], edits: Edits) -> None:
    words = [token.upper for token in action]
    if words[1] in ("DISTKEY", "DISTSTYLE", "SORTKEY", "COMPOUND", "INTERLEAVED", "ENCODE"):
        edits.replace(action[0], action[-1], NO_CHANGE)
        return
    verb = 3 if words[1] == "COLUMN" else 2
    if words[verb : verb + 1] == ["ENCODE"]:
        edits.replace(action[0], action[-1], NO_CHANGE)
    elif words[verb : verb + 1] == ["TYPE"]:
        if words[verb + 1] not in ("VARCHAR", "CHARACTER", "NVARCHAR"):
            raise Refusal(f'target data type "{action[verb + 1].text}" is not supported')
        if "USING" in words:
            raise syntax_error(action[words.index("USING")])
    else:
        raise syntax_error(action[min(verb, len(action) - 1)])


def _after_name(statement: list[Token], start: int) -> int:
    """The index behind a name that may have a schema and a database before it."""
    index = start + 1
    while index + 1 < len(statement) and statement[index].upper == ".":
        index += 2
    return index


def _until_query(rest: list[Token]) -> list[Token]:
    """The tokens before AS: what follows is a query, where SORTKEY may be the name of a column."""
    found = has(rest, "AS")
    return rest if found < 0 else rest[:found]


def _attributes(rest: list[Token], edits: Edits) -> None:
    """Take away the table attributes of a cluster, wherever they stand."""
    index = 0
    while index < len(rest):
        size = _attribute(rest, index)
        if size:
            edits.replace(rest[index], rest[min(index + size, len(rest)) - 1], "")
        elif rest[index].upper in ("INHERITS", "PARTITION", "TABLESPACE", "USING"):
            raise syntax_error(rest[index])
        index += size or 1


def _attribute(rest: list[Token], index: int) -> int:
    """How many tokens the cluster's attribute at `index` takes; 0 when there is none."""
    word = rest[index].upper
    following = [token.upper for token in rest[index + 1 : index + 3]]
    if word in ("COMPOUND", "INTERLEAVED") and following[:1] == ["SORTKEY"]:
        return 1 + _attribute(rest, index + 1)
    if word in ("DISTKEY", "SORTKEY"):
        if following[:1] == ["("]:
            return closing(rest, index + 1) - index + 1
        return 2 if following[:1] == ["AUTO"] else 1
    if word in ("DISTSTYLE", "BACKUP", "ENCODE"):
        return 2
    if (word, *following[:1]) == ("AUTO", "REFRESH"):
        return 3
    if (word, *following[:1]) == ("COLLATE", "CASE_SENSITIVE"):
        return 2
    return 3 if word == "QUOTA" and following[1:2] in (["MB"], ["GB"], ["TB"]) else 0


def _columns(items: list[list[Token]], table: str, edits: Edits) -> None:
    """Edit the columns and table constraints of a CREATE TABLE."""
    constraints = [item for item in items if _is_constraint(item)]
    keys = {
        name.name
        for item in constraints
        if has(item, "PRIMARY", "KEY") >= 0
        for name in item
        if name.text != ","
    }
    for number, item in enumerate(items):
        if not item:
            continue
        if item in constraints:
            _drop_item(items, number, edits)
        elif item[0].upper == "LIKE":
            continue
        else:
            _column(item, table, edits)
            if item[0].name in keys and has(item, "NOT", "NULL") < 0:
                edits.insert(item[-1], " NOT NULL")


def _is_constraint(item: list[Token]) -> bool:
    """Whether an item is a table constraint; raises for those that a cluster does not have."""
    words = [token.upper for token in item]
    if words[:1] == ["CONSTRAINT"]:
        words, item = words[2:], item[2:]
    if words[:1] in (["CHECK"], ["EXCLUDE"]):
        raise syntax_error(item[0])
    return words[:2] in (["PRIMARY", "KEY"], ["FOREIGN", "KEY"]) or words[:2] == ["UNIQUE", "("]


def _drop_item(items: list[list[Token]], number: int, edits: Edits) -> None:
    """Take a table constraint away, with the comma before it."""
    item = items[number]
    before = items[number - 1][-1] if number and items[number - 1] else None
    if before:
        edits.replace(Token("operator", "", before.end, before.end), item[-1], "")
    else:
        raise command(" ".join(token.text for token in item))


def _column(item: list[Token], table: str, edits: Edits) -> None:
    """Edit one column: its type checked, attributes and unenforced constraints gone, IDENTITY translated."""
    if len(item) < 2:
        return
    _type(item, table, edits)
    index = 2
    while index < len(item):
        word, following = item[index].upper, [token.upper for token in item[index + 1 : index + 3]]
        size = _attribute(item, index)
        if size:
            edits.replace(item[index], item[min(index + size, len(item)) - 1], "")
        elif word == "PRIMARY":
            size = 2
            edits.replace(item[index], item[index + 1], "NOT NULL")
        elif word == "UNIQUE" or word in _OPTIONS_TO_IGNORE:
            size = 1
            edits.replace(item[index], item[index], "")
        elif word == "REFERENCES":
            size = _reference(item, index)
            edits.replace(item[index], item[index + size - 1], "")
        elif word == "IDENTITY" and following[:1] == ["("]:
            size = closing(item, index + 1) - index + 1
            _identity(item, index, size, edits)
        elif word in ("CHECK", "STORED") or (word == "ALWAYS" and item[index - 1].upper == "GENERATED"):
            raise syntax_error(item[index])
        elif word == "CONSTRAINT":
            size = 2
            edits.replace(item[index], item[index + 1], "")
        index += size or 1


def _type(item: list[Token], table: str, edits: Edits) -> None:
    name = item[1].text.lower()
    brackets = len(item) > 2 and item[2].upper == "["
    if name in _UNMODELLED_TYPES:
        raise not_modelled(f"the type {name.upper()}")
    if name in TYPES or name in _SERIAL or brackets or has(item, "ARRAY") > 0:
        shown = f"{name}[]" if brackets else name
        raise Refusal(f'Column "{table}.{item[0].name}" has unsupported type "{shown}".')
    if name in ("nvarchar", "nchar"):
        edits.replace(item[1], item[1], name[1:])
    if name == "text":
        edits.replace(item[1], item[1], "varchar(256)")
    maximum = has(item, "(", "MAX", ")")
    if maximum > 0:
        edits.replace(item[maximum + 1], item[maximum + 1], _MAXIMUM.get(name, "65535"))


def _reference(item: list[Token], index: int) -> int:
    """How many tokens REFERENCES table [(column)] takes."""
    end = _after_name(item, index + 1)
    if end < len(item) and item[end].upper == "(":
        end = closing(item, end) + 1
    while end + 2 < len(item) and item[end].upper == "ON":  # ON DELETE CASCADE ...
        end += 4 if item[end + 2].upper in ("SET", "NO") else 3
    return end - index


def _identity(item: list[Token], index: int, size: int, edits: Edits) -> None:
    """IDENTITY(seed, step), or GENERATED BY DEFAULT AS IDENTITY(seed, step), in PostgreSQL's words."""
    seed, step = ("".join(t.text for t in part) for part in split(item[index + 2 : index + size - 1]))
    by_default = item[index - 1].upper == "AS"
    first = item[index - 4] if by_default else item[index]
    kind = "BY DEFAULT" if by_default else "ALWAYS"
    text = (
        f"GENERATED {kind} AS IDENTITY (START WITH {seed} INCREMENT BY {step} MINVALUE {min(0, int(seed))})"
    )
    edits.replace(first, item[index + size - 1], text)
