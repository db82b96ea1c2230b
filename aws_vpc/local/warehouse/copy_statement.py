"""COPY table FROM 's3://...' as a cluster takes it -> PostgreSQL's COPY FROM STDIN and what to feed it.

In: CSV with DELIMITER, QUOTE, NULL AS, IGNOREHEADER, MAXERROR, GZIP, BZIP2, MANIFEST, prefix, column
list, IAM_ROLE. Out, and refused by name: other formats and options that would change the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aws_vpc.local.warehouse.refusal import INTERNAL_ERROR, NOT_SUPPORTED, Refusal, not_modelled, syntax_error
from aws_vpc.local.warehouse.tokens import Token, closing

_TEXT = frozenset(("DELIMITER", "NULL", "QUOTE", "REGION"))  # option [AS] 'text'
_NUMBER = frozenset(("IGNOREHEADER", "MAXERROR", "COMPROWS"))  # option [AS] n
_FLAG = frozenset(("CSV", "GZIP", "BZIP2", "MANIFEST", "EMPTYASNULL", "COMPUPDATE", "STATUPDATE"))
_FORMATS = frozenset(
    ("PARQUET", "ORC", "AVRO", "JSON", "SHAPEFILE", "FIXEDWIDTH", "LZOP", "ZSTD", "SSH", "ENCRYPTED")
)
_KEYS = frozenset(("CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "TOKEN"))
_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}
_SOURCE = Refusal(
    "LOAD source is not supported. (Hint: only S3 or DynamoDB or EMR based load is allowed)", NOT_SUPPORTED
)


@dataclass(frozen=True)
class Copy:
    """One COPY: where the rows come from, how to read them, and the statement for PostgreSQL."""

    table: str
    bucket: str
    key: str
    role: str  # an ARN, or 'default'
    sql: str
    skip: int = 0
    compression: str = ""  # '', GZIP or BZIP2
    manifest: bool = False
    empty_as_null: bool = False


@dataclass
class _Options:
    text: dict[str, str] = field(default_factory=dict)
    number: dict[str, int] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    role: str = ""


def parse_copy(statement: list[Token]) -> Copy:
    """The COPY that the tokens say; raises Refusal for any that a cluster, or we, cannot do."""
    index = 1
    while index < len(statement) and statement[index].upper not in ("FROM", "TO"):
        index = closing(statement, index) + 1 if statement[index].upper == "(" else index + 1
    if index + 1 >= len(statement):
        raise syntax_error(statement[-1])
    if statement[index].upper == "TO":
        raise Refusal("UNLOAD destination is not supported. (Hint: only S3 based unload is allowed)")
    source = statement[index + 1]
    if source.kind != "string" or not source.value.startswith("s3://"):
        raise _SOURCE
    bucket, _, key = source.value[5:].partition("/")
    options = _options(statement[index + 2 :])
    target, columns = _target(statement[1:index])
    return Copy(
        table=target[-1].name,
        bucket=bucket,
        key=key,
        role=options.role,
        sql=f"COPY {''.join(t.text for t in target)} {columns}FROM STDIN WITH ({_with(options)})",
        skip=options.number.get("IGNOREHEADER", 0),
        compression=next((name for name in ("GZIP", "BZIP2") if name in options.flags), ""),
        manifest="MANIFEST" in options.flags,
        empty_as_null="EMPTYASNULL" in options.flags,
    )


def _target(found: list[Token]) -> tuple[list[Token], str]:
    """The name's tokens, and the column list as text with a blank behind it, or ''."""
    opening = next((i for i, token in enumerate(found) if token.upper == "("), len(found))
    if not found[:opening]:
        raise syntax_error(found[0]) if found else Refusal("COPY needs a table", "42601")
    columns = "".join(token.text for token in found[opening:])
    return found[:opening], f"{columns} " if columns else ""


def _options(rest: list[Token]) -> _Options:
    found, index = _Options(), 0
    while index < len(rest):
        index = _option(rest, index, found)
    if "CSV" not in found.flags:
        raise not_modelled("COPY of a format other than CSV")
    if not found.role:
        raise Refusal("COPY needs an authorization: IAM_ROLE default, or IAM_ROLE 'arn'", INTERNAL_ERROR)
    return found


def _option(rest: list[Token], index: int, found: _Options) -> int:
    """Read the option at `index` into `found`; where the next one begins."""
    word = rest[index].upper
    if word == "FORMAT":
        skip = 2 if index + 1 < len(rest) and rest[index + 1].upper == "AS" else 1
        return index + skip
    if word == "WITH":
        return index + 1
    if word in _TEXT or word in _NUMBER or word == "IAM_ROLE":
        return _valued(rest, index, found)
    if word in _KEYS:
        raise not_modelled(f"COPY with {word} instead of IAM_ROLE")
    if word in _FLAG:
        found.flags.add(word)
        takes = word in ("COMPUPDATE", "STATUPDATE") and index + 1 < len(rest)
        return index + (
            2 if takes and rest[index + 1].upper in ("ON", "OFF", "TRUE", "FALSE", "PRESET") else 1
        )
    if word in ("ENCODING", "DATEFORMAT", "TIMEFORMAT"):
        return _harmless(rest, index)
    if word in _FORMATS or rest[index].kind == "word":
        raise not_modelled(f"COPY with {word}")
    raise syntax_error(rest[index])


def _valued(rest: list[Token], index: int, found: _Options) -> int:
    word = rest[index].upper
    at = index + (2 if index + 1 < len(rest) and rest[index + 1].upper == "AS" else 1)
    if at >= len(rest):
        raise syntax_error(rest[-1])
    value = rest[at]
    if word in _NUMBER and value.kind == "number":
        found.number[word] = int(value.text)
    elif word == "IAM_ROLE" and value.upper == "DEFAULT":
        found.role = "default"
    elif value.kind != "string" or word in _NUMBER:
        raise syntax_error(value)
    elif word == "IAM_ROLE":
        found.role = value.value
    else:
        found.text[word] = _ESCAPES.get(value.value, value.value)
    return at + 1


def _harmless(rest: list[Token], index: int) -> int:
    """Pass over an option that is what happens anyway; any other value of it is refused."""
    at = index + (2 if index + 1 < len(rest) and rest[index + 1].upper == "AS" else 1)
    value = rest[at].text.strip("'").upper() if at < len(rest) else ""
    if value not in ("UTF8", "AUTO"):
        raise not_modelled(f"COPY with {rest[index].upper} {value}")
    return at + 1


def _with(options: _Options) -> str:
    """PostgreSQL's options of the same meaning."""
    said = ["FORMAT csv"]
    for name in ("DELIMITER", "NULL", "QUOTE"):
        if name in options.text:
            said.append(f"{name} {_literal(options.text[name], name)}")
    if options.number.get("MAXERROR"):
        said.append("ON_ERROR ignore")
    return ", ".join(said)


def _literal(value: str, name: str) -> str:
    if name != "NULL" and len(value) != 1:
        raise Refusal(f"COPY {name.lower()} must be a single character", INTERNAL_ERROR)
    return "'" + value.replace("'", "''") + "'"
