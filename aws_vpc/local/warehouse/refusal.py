"""What the warehouse says no to, in Redshift's words where they are known."""

from __future__ import annotations

from aws_vpc.local.warehouse.tokens import Token

SYNTAX_ERROR = "42601"
NOT_SUPPORTED = "0A000"
NO_SUCH_FUNCTION = "42883"
NO_SUCH_TYPE = "42704"
INVALID_VALUE = "22023"
INTERNAL_ERROR = "XX000"  # what Redshift gives for most errors of COPY
NOT_MODELLED = "the local warehouse does not model this; a cluster may accept it"


class Refusal(Exception):
    """An error for the client: message, SQLSTATE, and what else the wire protocol carries."""

    def __init__(
        self, message: str, code: str = NOT_SUPPORTED, detail: str = "", at: Token | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.detail = message, code, detail
        self.position = at.start + 1 if at else 0


def syntax_error(token: Token) -> Refusal:
    """The error of a grammar that does not know what stands here."""
    return Refusal(f'syntax error at or near "{token.text}"', SYNTAX_ERROR, at=token)


def command(text: str) -> Refusal:
    """The error for a whole command that exists in PostgreSQL and not in Redshift."""
    return Refusal(f'SQL command "{text}" not supported.')


def not_modelled(what: str) -> Refusal:
    """The error for what a cluster may know and the local warehouse does not."""
    return Refusal(f"{what} is not supported here", detail=NOT_MODELLED)
