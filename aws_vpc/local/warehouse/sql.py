"""A statement for Redshift -> the statement for PostgreSQL, the COPY to feed, or a refusal.

    text -> tokens -> refuse what a cluster refuses -> rewrite what only a cluster knows -> text

Most statements mean the same in both and pass as they are, without being cut into tokens at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from aws_vpc.local.warehouse import ddl, refusals, users
from aws_vpc.local.warehouse.copy_statement import Copy, parse_copy
from aws_vpc.local.warehouse.tokens import Edits, Token, statements, tokens

# Statements with none of these words are the same in both. A word in a literal only costs time.
_SUSPECT = re.compile(
    rf"\b(?:{'|'.join(refusals.SUSPECTS)}|copy|unload|create|alter|drop|merge|grant|revoke|sysdate)\b|\[",
    re.I,
)


@dataclass(frozen=True)
class Rewritten:
    """The text for PostgreSQL, and the COPYs in it, in the order in which they will ask for data."""

    text: str
    copies: tuple[Copy, ...] = ()


def rewrite(text: str) -> Rewritten:
    """What to send in place of the text; raises Refusal for what a cluster would refuse."""
    if not _SUSPECT.search(text):
        return Rewritten(text)
    return _rewrite_short(text) if len(text) < 4096 else _rewrite(text)


def _rewrite(text: str) -> Rewritten:
    edits, copies = Edits(text), []
    for statement in statements(tokens(text)):
        refusals.check(statement, text)
        if statement[0].upper == "COPY":
            copy = parse_copy(statement)
            copies.append(copy)
            edits.replace(statement[0], statement[-1], copy.sql)
        else:
            _edit(statement, edits)
    return Rewritten(edits.apply(), tuple(copies))


_rewrite_short = lru_cache(maxsize=512)(_rewrite)


def _edit(statement: list[Token], edits: Edits) -> None:
    """Change what only a cluster knows into what PostgreSQL knows."""
    words = [token.upper for token in statement[:4]]
    if words[0] == "CREATE" and "TABLE" in words:
        ddl.create_table(statement, edits)
    elif words[:2] == ["ALTER", "TABLE"]:
        ddl.alter_table(statement, edits)
    elif words[0] == "CREATE" and ("VIEW" in words or "DATABASE" in words or "SCHEMA" in words):
        ddl.create_other(statement, edits)
    elif words[0] in ("CREATE", "ALTER") and words[1:2] in (["USER"], ["ROLE"]):
        users.create_or_alter(statement, edits)
    elif words[0] in ("GRANT", "REVOKE"):
        users.grant(statement, edits)
    for token in statement:
        if token.upper == "SYSDATE":
            edits.replace(token, token, "getdate()")
