"""CREATE USER, ALTER USER, CREATE ROLE and GRANT as a cluster takes them, for PostgreSQL.

On a cluster a role is no user: it cannot log in and has no password. Users must have a password that
keeps Redshift's rules, or say PASSWORD DISABLE.
"""

from __future__ import annotations

import re

from aws_vpc.local.warehouse.refusal import INVALID_VALUE, Refusal, not_modelled, syntax_error
from aws_vpc.local.warehouse.tokens import Edits, Token, has

_RULES = (
    (r".{8,64}", "password must be between 8 and 64 characters in length"),
    (r".*[A-Z].*", "password must contain an uppercase letter"),
    (r".*[a-z].*", "password must contain a lowercase letter"),
    (r".*[0-9].*", "password must contain a number"),
    (r"[!-~]*", "password must contain only printable ASCII characters"),
    (r"[^'\"\\/@]*", "password must not contain any of ' \" \\ / @"),
)
_SAME_MEANING = {"CREATEUSER": "CREATEROLE", "NOCREATEUSER": "NOCREATEROLE"}
_ROLE_OPTIONS = (
    "LOGIN", "NOLOGIN", "PASSWORD", "ENCRYPTED", "SUPERUSER", "CREATEDB", "CREATEROLE", "INHERIT",
    "NOINHERIT", "IN", "VALID", "CONNECTION", "REPLICATION", "NOSUPERUSER", "NOCREATEDB", "WITH",
)  # fmt: skip


def password_fault(password: str) -> str:
    """Which of Redshift's rules a password breaks; '' when none."""
    return next((fault for rule, fault in _RULES if not re.fullmatch(rule, password, re.S)), "")


def create_or_alter(statement: list[Token], edits: Edits) -> None:
    """Edit CREATE or ALTER USER and ROLE; raises Refusal for options and passwords a cluster refuses."""
    if statement[1].upper == "ROLE":
        for token in statement[3:]:
            if token.upper in _ROLE_OPTIONS:
                raise syntax_error(token)
        return
    found = has(statement, "PASSWORD")
    if found < 0 and statement[0].upper == "CREATE":
        raise Refusal("CREATE USER requires a PASSWORD clause", "42601", at=statement[-1])
    if found > 0:
        _password(statement, found, edits)
    _options(statement, edits)


def grant(statement: list[Token], edits: Edits) -> None:
    """Edit GRANT and REVOKE: the word ROLE before a role's name, which PostgreSQL does not know."""
    for index, token in enumerate(statement):
        if token.upper == "ROLE" and statement[index - 1].upper in ("GRANT", "REVOKE", "TO", "FROM", ","):
            edits.replace(token, token, "")


def _password(statement: list[Token], found: int, edits: Edits) -> None:
    if found + 1 >= len(statement):
        raise syntax_error(statement[found])
    value = statement[found + 1]
    if value.upper == "DISABLE":
        edits.replace(value, value, "NULL")
    elif value.kind == "string":
        if re.match(r"md5[0-9a-f]{32}$|sha256\|", value.value):
            raise not_modelled("a password given as a hash")
        if fault := password_fault(value.value):
            raise Refusal(fault, INVALID_VALUE)


def _options(statement: list[Token], edits: Edits) -> None:
    for index, token in enumerate(statement):
        following = statement[index + 1].upper if index + 1 < len(statement) else ""
        if token.upper in _SAME_MEANING:
            edits.replace(token, token, _SAME_MEANING[token.upper])
        elif (token.upper, following) in (("SYSLOG", "ACCESS"), ("SESSION", "TIMEOUT")):
            edits.replace(token, statement[index + 2], "")
