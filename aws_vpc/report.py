"""Plans, events, failures and results as text or JSON values; prints nothing.

In: the values of plan.py and events.py. Out: lines, and one object per command for --json.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aws_vpc.events import STACK, Cause, Event
from aws_vpc.plan import Change, Property

SCHEMA = 1
MASKED = "****"
GONE = {"Retain": "GIVEN UP, kept by its policy", "Snapshot": "DELETED, after a snapshot"}
UNKNOWN = "«known after apply»"


def event_line(event: Event, start: datetime) -> str:
    """One event: seconds since the start, status, and the logical path, indented as deep as its stack is."""
    seconds = max(0.0, (event.timestamp - start).total_seconds())
    indent = "  " * (len(event.path) - 1)
    kind = "" if event.is_own else f"  {event.type}"
    reason = f"  {one_line(event.reason)}" if event.failed or event.status == "DELETE_SKIPPED" else ""
    return f"{seconds:7.1f}s {event.status:<20} {indent}{event.logical_id}{kind}{reason}".rstrip()


def one_line(text: str) -> str:
    """The text without line breaks."""
    return " ".join(text.split())


def table(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """The rows with their columns under each other."""
    if not rows:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]


def change_lines(changes: Iterable[Change]) -> list[str]:
    """What a change set does: a row per resource, and below it each property before and after."""
    lines: list[str] = []
    found = sorted(changes, key=lambda one: one.path)
    heads = table([["/".join(one.path), one.type, one.action, replacement(one)] for one in found])
    for one, head in zip(found, heads, strict=True):
        lines.append(head)
        lines += [f"      {property_line(part)}" for part in one.properties if part.path]
    return lines


def left_lines(names: Iterable[str]) -> list[str]:
    """The nested stacks that an earlier update left behind, as a plan shows them."""
    return table([[name, STACK, "Remove", "DELETED, was left behind by an earlier update"] for name in names])


def replacement(change: Change) -> str:
    """How a change treats the resource that stands: in capitals where it goes away."""
    if change.action == "Remove":
        return GONE.get(change.policy, "DELETED")
    if change.action != "Modify":
        return ""
    if change.relaunches:
        return "REPLACES ITS INSTANCE"
    if change.replaces:
        return "REPLACED"
    return "in place" if change.replacement == "False" else "perhaps replaced"


def property_line(part: Property) -> str:
    """A property before and after, as far as CloudFormation tells."""
    before = "" if part.before is None else f"{one_line(part.before)} → "
    after = one_line(part.after) if part.after is not None else UNKNOWN
    return f"{part.path}: {before}{after}"


def failure(causes: Sequence[Cause]) -> str:
    """The root causes in one paragraph, the deepest first."""
    return "; ".join(one_line(str(cause)) for cause in causes) or "no resource gave a reason"


def output_lines(outputs: Mapping[str, str]) -> list[str]:
    """The outputs of a stack in two columns."""
    return table([[key, value] for key, value in outputs.items()])


def row_lines(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The row count of each database."""
    names = {"rds": "database", "redshift": "warehouse"}
    return table([[names.get(target, target), f"{count(row)} rows"] for target, row in rows.items()])


def count(row: Mapping[str, Any]) -> Any:
    """The number of rows in the table, as the loader or the page tells it."""
    return row.get("table_rows", row.get("rows", "?"))


def version_notes(page: Mapping[str, Any] | None, wanted: str) -> list[str]:
    """A remark where the database answers as another major version than the template asks for."""
    database = ((page or {}).get("databases") or {}).get("rds") or {}
    version = str(database.get("version") or "")
    if not version or not wanted or version.split(".")[0] == wanted.split(".")[0]:
        return []
    return [f"the database answers as PostgreSQL {version}, the template asks for {wanted}"]


def result(action: str, stack: str, **facts: Any) -> dict[str, Any]:
    """The object that a command prints with --json."""
    return {"schema": SCHEMA, "action": action, "stack": stack} | {
        key: value for key, value in facts.items() if value is not None
    }


def change_values(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """The changes as values for --json."""
    return [
        {
            "path": "/".join(one.path),
            "type": one.type,
            "action": one.action,
            "replacement": one.replacement,
            "destroys": one.destroys,
            "properties": [
                {"path": part.path, "before": part.before, "after": part.after, "recreation": part.recreation}
                for part in one.properties
            ],
        }
        for one in changes
    ]
