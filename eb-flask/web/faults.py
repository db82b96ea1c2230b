"""What can be wrong with a database, as one of six exceptions with a sentence for people.

    Fault
    ├── Away       503, Retry-After: it does not answer, or refuses the login
    ├── Busy       503, Retry-After: every connection is in use
    ├── Denied     503, Retry-After: it answers, but the login may not read the table
    ├── Different  503, Retry-After: its table lacks a column that the pages need
    ├── Slow       504: the statement took longer than it may
    └── NoTable    404: nothing has been loaded yet

Drivers say these things in their own ways: psycopg2 by pgcode or, while connecting, by text only;
redshift_connector by a dictionary whose C is the SQLSTATE, or by a bare OSError.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeout

from .secrets import UNREADABLE

RETRY_SECONDS = 2
LOGIN_REFUSED = "the web login was refused; before the first load it does not exist yet"
# undefined_column, undefined_function, datatype_mismatch, invalid_text_representation: a column is not there,
# or is there with another type than it had.
OTHER_COLUMNS = ("42703", "42883", "42804", "22P02")
# What a message contains -> what to tell people. The first match counts.
REASONS = (
    ("28P01", LOGIN_REFUSED),
    ("28000", LOGIN_REFUSED),
    ("authentication failed", LOGIN_REFUSED),
    ("refused", "the connection was refused; the server is starting, stopped or not there"),
    ("timeout", "it did not answer in time"),
    ("timed out", "it did not answer in time"),
    ("time out", "it did not answer in time"),
    ("translate host name", "its name does not resolve"),
    ("Name or service", "its name does not resolve"),
    ("not known", "its name does not resolve"),
    ("root certificate", "the certificates to verify it with are missing; set PGSSLROOTCERT"),
    ("certificate", "its certificate could not be verified"),
    ("does not match host name", "its certificate is for another name"),
    ("starting up", "the server is starting"),
    ("shutting down", "the server is shutting down"),
    ("too many", "it has no connection left"),
    ("remaining connection slots", "it has no connection left"),
)


class Fault(Exception):
    """A database that gives no rows, and why, in a sentence."""

    status = 503
    state = "away"

    def __init__(self, sentence: str, state: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.state = state or self.state


class Away(Fault):
    """The database does not answer, or not to us."""


class Busy(Fault):
    """Every connection of this process is in use."""

    state = "busy"


class Denied(Fault):
    """The web login has no right to the table."""

    state = "refused"


class Different(Fault):
    """The table has other columns than the pages need."""

    state = "different"


class Slow(Fault):
    """The statement was cancelled at its time limit."""

    status = 504
    state = "slow"


class NoTable(Fault):
    """The tables are not there: no load has run yet."""

    status = 404
    state = "empty"


def of(error: Exception, title: str) -> Exception:
    """The fault that this error of a driver, the pool or Secrets Manager stands for, or the error itself."""
    if isinstance(error, PoolTimeout):
        return Busy(f"All connections to {title} are in use; try again in a moment.")
    if isinstance(error, UNREADABLE):
        return Away(f"{title} cannot be asked: its login could not be read from Secrets Manager.")
    code = sqlstate(error)
    if code == "57014":
        return Slow(f"{title} took too long over this; narrow the search.")
    if code in ("42P01", "3F000"):
        return no_table(title)
    if code == "42501":
        return Denied(f"{title} refuses to be read: the web login has no right to the table.")
    if code in OTHER_COLUMNS:
        return different(title)
    if code and not code.startswith(("08", "28", "53", "57P", "3D")):
        return error
    text = str(getattr(error, "orig", error))
    reason = next((reason for sign, reason in REASONS if sign in text), "the connection was lost")
    return Away(f"{title} is away: {reason}.", "refused" if reason == LOGIN_REFUSED else "away")


def no_table(title: str) -> NoTable:
    """What to tell where there is no such table."""
    return NoTable(f"There has been no load into {title} yet.")


def different(title: str, columns: Iterable[str] = ()) -> Different:
    """What to tell where the table is not what the pages take it for, and for want of which columns."""
    named = ", ".join(columns)
    return Different(
        f"{title} has a table that lacks a column the pages need{f' ({named})' if named else ''};"
        " load it as tables.yaml has it."
    )


def refused(error: Exception) -> bool:
    """Whether a driver says that user name or password are wrong."""
    return sqlstate(error) in ("28P01", "28000") or "authentication failed" in str(error)


def sqlstate(error: Any) -> str | None:
    """The SQLSTATE that an error of either driver carries, wrapped by SQLAlchemy or not."""
    cause = getattr(error, "orig", error)
    if code := getattr(cause, "pgcode", None):
        return str(code)
    fields = cause.args[0] if getattr(cause, "args", None) else None
    return str(fields["C"]) if isinstance(fields, dict) and "C" in fields else None
