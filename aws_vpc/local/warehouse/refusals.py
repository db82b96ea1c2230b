"""SQL that PostgreSQL takes and a Redshift cluster does not, and what the cluster says.

From the Redshift Database Developer Guide: "Unsupported PostgreSQL features", "... data types" and
"... functions". What CREATE TABLE and ALTER TABLE refuse is in `ddl`, COPY in `copy_statement`.
"""

from __future__ import annotations

from aws_vpc.local.warehouse.refusal import (
    NO_SUCH_FUNCTION,
    NO_SUCH_TYPE,
    NOT_SUPPORTED,
    Refusal,
    command,
    not_modelled,
    syntax_error,
)
from aws_vpc.local.warehouse.tokens import Token, closing, has

# Commands that PostgreSQL 8.0 parsed and Redshift switched off: SQL command "..." not supported.
_OFF = {
    ("CREATE", "INDEX"), ("CREATE", "UNIQUE", "INDEX"), ("DROP", "INDEX"), ("ALTER", "INDEX"),
    ("REINDEX",), ("CREATE", "SEQUENCE"), ("DROP", "SEQUENCE"), ("ALTER", "SEQUENCE"),
    ("CREATE", "TRIGGER"), ("DROP", "TRIGGER"), ("CREATE", "CONSTRAINT", "TRIGGER"),
    ("CREATE", "TYPE"), ("CREATE", "DOMAIN"), ("CREATE", "RULE"), ("CREATE", "AGGREGATE"),
    ("CREATE", "OPERATOR"), ("CREATE", "CAST"), ("CREATE", "CONVERSION"), ("CREATE", "TABLESPACE"),
    ("CREATE", "LANGUAGE"), ("SAVEPOINT",), ("RELEASE",), ("ROLLBACK", "TO"),
    ("ROLLBACK", "WORK", "TO"), ("ROLLBACK", "TRANSACTION", "TO"), ("LISTEN",), ("NOTIFY",),
    ("UNLISTEN",), ("CLUSTER",), ("LOAD",), ("CHECKPOINT",),
}  # fmt: skip

# Commands that its grammar never knew: the word where it stops.
_UNKNOWN = {
    ("DO",): 0, ("CREATE", "EXTENSION"): 1, ("DROP", "EXTENSION"): 1, ("CREATE", "UNLOGGED"): 1,
    ("CREATE", "FOREIGN"): 1, ("CREATE", "STATISTICS"): 1, ("CREATE", "PUBLICATION"): 1,
    ("CREATE", "EVENT"): 1, ("CREATE", "SUBSCRIPTION"): 1, ("CREATE", "SERVER"): 1, ("IMPORT",): 0,
    ("DISCARD",): 0, ("REASSIGN",): 0, ("SECURITY",): 0, ("DROP", "OWNED"): 1,
    ("REFRESH", "MATERIALIZED", "VIEW", "CONCURRENTLY"): 3,
}  # fmt: skip

_TYPE_NAMES = """
    json jsonb jsonpath uuid bytea xml money inet cidr macaddr macaddr8 tsvector tsquery point line
    lseg box path polygon circle bit hstore int4range int8range numrange daterange tsrange tstzrange
    pg_lsn txid_snapshot
"""
TYPES = frozenset(_TYPE_NAMES.split())

_FUNCTION_NAMES = """
    string_agg array_agg every xmlagg corr covar_pop covar_samp regr_avgx regr_avgy regr_count
    regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy clock_timestamp statement_timestamp
    transaction_timestamp justify_days justify_hours justify_interval pg_sleep div setseed
    width_bucket currval nextval setval lastval bit_length overlay convert_from convert_to format
    quote_nullable regexp_match regexp_matches regexp_split_to_array regexp_split_to_table unnest
    jsonb_agg jsonb_build_object jsonb_build_array jsonb_each jsonb_set jsonb_object_agg json_agg
    json_build_object json_build_array json_each json_object_agg row_to_json to_json to_jsonb
    gen_random_uuid uuid_generate_v4 pg_input_is_valid pg_input_error_info to_regclass num_nulls
    num_nonnulls pg_advisory_lock pg_advisory_xact_lock pg_advisory_lock_shared
    pg_advisory_xact_lock_shared pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
    pg_try_advisory_lock pg_try_advisory_xact_lock pg_try_advisory_lock_shared
    pg_try_advisory_xact_lock_shared pg_notify make_date make_interval make_timestamp
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
_NOT_CALLED_AFTER = frozenset((".", "INTO", "TABLE", "FROM", "JOIN", "UPDATE", "COPY", "VIEW", "EXISTS"))

# The words without which nothing here can match; `sql` looks for them first.
SUSPECTS = sorted(
    {pattern[0].lower() for pattern in (*_OFF, *_UNKNOWN)} - {"create", "drop", "alter"}
    | {"conflict", "returning", "distinct", "for", "filter", "array"}
    | TYPES
    | _FUNCTIONS
)


def check(statement: list[Token], text: str) -> None:
    """Raise Refusal when a cluster would not take the statement."""
    _check_command(statement, text)
    _check_clauses(statement)
    _check_calls_and_casts(statement)
    if statement[0].upper == "MERGE":
        _check_merge(statement)


def _check_command(statement: list[Token], text: str) -> None:
    words = tuple(token.upper for token in statement[:4])
    for size in range(1, len(words) + 1):
        if words[:size] in _OFF:
            raise command(text[statement[0].start : statement[-1].end])
        if words[:size] in _UNKNOWN:
            raise syntax_error(statement[_UNKNOWN[words[:size]]])
    if words[0] == "UNLOAD":
        raise not_modelled("UNLOAD")


def _check_clauses(statement: list[Token]) -> None:
    if (found := has(statement, "ON", "CONFLICT")) >= 0 and statement[0].upper in ("INSERT", "WITH"):
        raise syntax_error(statement[found])
    if statement[0].upper in ("INSERT", "UPDATE", "DELETE", "MERGE", "WITH"):
        found = has(statement, "RETURNING")
        if found > 0 and statement[found - 1].upper not in (".", "SELECT", ",", "AS"):
            raise syntax_error(statement[found])
    if statement[0].upper == "WITH" and (found := has(statement, "MERGE", "INTO")) > 0:
        raise syntax_error(statement[found])
    if has(statement, "DISTINCT", "ON", "(") >= 0:
        raise Refusal("SELECT DISTINCT ON is not supported", NOT_SUPPORTED)
    if has(statement, "FILTER", "(", "WHERE") > 0:
        raise syntax_error(statement[has(statement, "FILTER", "(", "WHERE") + 1])
    for strength in ("UPDATE", "SHARE", "NO", "KEY"):
        if statement[0].upper in ("SELECT", "WITH") and has(statement, "FOR", strength) > 0:
            raise Refusal(f"SELECT FOR {'SHARE' if strength == 'SHARE' else 'UPDATE'} is not supported")


def _check_calls_and_casts(statement: list[Token]) -> None:
    for index, token in enumerate(statement):
        before = statement[index - 1].upper if index else ""
        after = statement[index + 1] if index + 1 < len(statement) else None
        if token.upper == "ARRAY" and after and after.upper == "[":
            raise Refusal(
                "Specified types or functions (one per INFO message) not supported on Redshift tables."
            )
        if token.kind != "word":
            continue
        if before == "::" or (before == "AS" and after and after.upper == ")" and _in_cast(statement, index)):
            _check_cast(token, after)
        if (
            token.text.lower() in _FUNCTIONS
            and after
            and after.upper == "("
            and before not in _NOT_CALLED_AFTER
        ):
            raise Refusal(f"function {token.text.lower()} does not exist", NO_SUCH_FUNCTION, at=token)


def _check_cast(token: Token, after: Token | None) -> None:
    if token.text.lower() in TYPES:
        raise Refusal(f'type "{token.text.lower()}" does not exist', NO_SUCH_TYPE, at=token)
    if after and after.upper == "[":
        raise Refusal(f'type "{token.text.lower()}[]" does not exist', NO_SUCH_TYPE, at=token)


def _in_cast(statement: list[Token], index: int) -> bool:
    """Whether the AS before this token is the one of the CAST that the next parenthesis closes."""
    return any(
        statement[opening - 1].upper in ("CAST", "TRY_CAST") and closing(statement, opening) == index + 1
        for opening in range(1, index)
        if statement[opening].upper == "("
    )


def _check_merge(statement: list[Token]) -> None:
    """MERGE INTO target USING source [[AS] alias] ON ... WHEN MATCHED THEN .. WHEN NOT MATCHED THEN .."""
    using = has(statement, "USING")
    target = [token for token in statement[2:using] if token.upper != "."]
    if using < 0 or statement[1].upper != "INTO":
        raise syntax_error(statement[1])
    if len(target) > 1 and statement[3].upper != ".":
        raise syntax_error(statement[3])
    if statement[using + 1].upper == "(":
        raise Refusal("MERGE source must be a table; a subquery is not supported")
    if [token.name for token in statement[2:using]] == [token.name for token in _source(statement, using)]:
        raise Refusal("MERGE source and target must be different tables")
    if has(statement, "REMOVE", "DUPLICATES") > 0:
        raise not_modelled("MERGE ... REMOVE DUPLICATES")
    _check_when(statement, [index for index, token in enumerate(statement) if token.upper == "WHEN"])


def _source(statement: list[Token], using: int) -> list[Token]:
    """The name of a MERGE's source, with its schema, without its alias."""
    dotted = [token.upper for token in statement[using + 2 : using + 3]] == ["."]
    return statement[using + 1 : using + (4 if dotted else 2)]


def _check_when(statement: list[Token], clauses: list[int]) -> None:
    kinds = []
    for index in clauses:
        negative = statement[index + 1].upper == "NOT"
        then = index + (3 if negative else 2)
        if statement[index + 1 + negative].upper != "MATCHED":
            continue  # the WHEN of a CASE
        if statement[then].upper != "THEN" or statement[then + 1].upper == "DO":
            raise syntax_error(statement[then if statement[then].upper != "THEN" else then + 1])
        kinds.append(negative)
    if kinds != [False, True]:
        raise Refusal("MERGE needs exactly one WHEN MATCHED clause followed by one WHEN NOT MATCHED clause")
