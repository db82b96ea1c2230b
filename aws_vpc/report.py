"""Plans, events, failures and results as text or JSON values; prints nothing.

In: the values of plan.py and events.py. Out: lines, and one object per command for --json.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from aws_vpc.causes import WRAPPED, Cause
from aws_vpc.drifted import Drift
from aws_vpc.events import STACK, Event
from aws_vpc.plan import Change, Property
from aws_vpc.property_values import UNKNOWN, differences, shown, structure, value

SCHEMA = 1
GONE = {"Retain": "GIVEN UP, kept by its policy", "Snapshot": "DELETED, after a snapshot"}


def event_line(event: Event, start: datetime) -> str:
    """One event: seconds since the start, status, and the logical path, indented as deep as its stack is."""
    seconds = max(0.0, (event.timestamp - start).total_seconds())
    indent = "  " * (len(event.path) - 1)
    kind = "" if event.is_own else f"  {event.type}"
    tells = (event.failed and not event.reason.startswith(WRAPPED)) or event.status == "DELETE_SKIPPED"
    reason = f"  {one_line(event.reason)}" if tells else ""
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


def change_lines(changes: Iterable[Change], *, whole: bool = False) -> list[str]:
    """What a change set does: a row per resource, and below it each property before and after.

    A nested stack that is yet to be made is one row, unless the `whole` plan is wanted.
    """
    lines: list[str] = []
    found = sorted(changes, key=lambda one: one.path)
    counts = {} if whole else inside_new(found)
    shown = [one for one in found if not any(one.path[: len(new)] == new != one.path for new in counts)]
    rows = [["/".join(one.path), one.type, one.action, treatment(one, counts)] for one in shown]
    for one, head in zip(shown, table(rows), strict=True):
        lines.append(head)
        lines += [f"      {line}" for part in one.properties if part.path for line in property_lines(part)]
    return [*lines, f"  {total(found)}"] if found else []


def inside_new(found: Sequence[Change]) -> dict[tuple[str, ...], int]:
    """The outermost nested stacks that are yet to be made, and how many resources are inside each."""
    new = [one.path for one in found if (one.type, one.action) == (STACK, "Add")]
    outer = [path for path in new if not any(path[: len(up)] == up != path for up in new)]
    return {path: sum(one.path[: len(path)] == path and one.type != STACK for one in found) for path in outer}


def treatment(change: Change, counts: Mapping[tuple[str, ...], int]) -> str:
    """The last column of a row: what happens to what stands, or how much comes with a new stack."""
    inside = counts.get(change.path, 0)
    return f"with {inside} resources in it" if inside else replacement(change)


def total(found: Sequence[Change]) -> str:
    """How much a plan does, in one line; what goes away is in capitals."""
    single = [one for one in found if one.type != STACK]
    kept = sum(one.action == "Remove" and one.policy.startswith("Retain") for one in single)
    removed = sum(one.action == "Remove" for one in single) - kept
    replaced = sum(one.action == "Modify" and (one.replaces or one.relaunches) for one in single)
    changed = sum(one.action not in {"Add", "Remove"} for one in single) - replaced
    parts = [f"{sum(one.action == 'Add' for one in single)} to add", f"{changed} to change in place"]
    parts.append(f"{replaced} to REPLACE" if replaced else "none to replace")
    parts.append(f"{removed} to DELETE" if removed else "none to delete")
    parts += [f"{kept} to give up, kept by policy"] if kept else []
    return ", ".join(parts)


def left_lines(found: Iterable[tuple[str, str]]) -> list[str]:
    """What an earlier update left behind, by name and type, as a plan shows it."""
    return table([[*one, "Remove", "DELETED, was left behind by an earlier update"] for one in found])


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


def property_lines(part: Property) -> list[str]:
    """A property before and after, as far as CloudFormation tells; of a list or a map, what differs in it."""
    path = part.path.removeprefix("/Properties/")
    forces = "  forces the replacement" if part.recreation == "Always" and not part.dynamic else ""
    before, after = structure(part.before), structure(part.after)
    if before is not None and after is not None:
        inner = [
            f"{path}/{place}: {value(place, old)} → {value(place, new)}"
            for place, old, new in differences(before, after)
        ]
        return [f"{line}{forces}" for line in inner]
    old = "" if part.before is None else f"{shown(path, part.before) or 'empty'} → "
    if part.after is None:
        return [f"{path}: {old}{'removed' if part.removed else UNKNOWN}{forces}"]
    return [f"{path}: {old}{shown(path, part.after) or 'empty'}{forces}"]


def failure(causes: Sequence[Cause]) -> str:
    """The root causes in one paragraph, the deepest first."""
    return "; ".join(one_line(str(cause)) for cause in causes) or "no resource gave a reason"


def event_values(event: Event) -> dict[str, Any]:
    """An event for --json."""
    return {
        "id": event.event_id,
        "time": event.timestamp.isoformat(),
        "path": "/".join(event.path),
        "type": event.type,
        "status": event.status,
        "reason": event.reason or None,
        "physical_id": event.physical_id or None,
    }


def cause_values(cause: Cause) -> dict[str, Any]:
    """A root cause for --json."""
    return {
        "path": "/".join(cause.path),
        "type": cause.type,
        "status": cause.status,
        "reason": cause.reason,
        "fault": cause.fault,
        "advice": cause.advice or None,
    }


def drift_lines(drifted: Sequence[Drift]) -> list[str]:
    """What has drifted: a row per resource, and below it what its template says and what is there."""
    lines: list[str] = []
    heads = table([["/".join(one.path), one.type, one.status, one.physical_id] for one in drifted])
    for one, head in zip(drifted, heads, strict=True):
        lines.append(head)
        for part in one.differences:
            wanted, there = (
                "nothing" if value is None else shown(part.path, value)
                for value in (part.expected, part.actual)
            )
            lines.append(f"      {part.path.removeprefix('/')}: {wanted} → {there}")
    return lines


def drift_values(drifted: Iterable[Drift]) -> list[dict[str, Any]]:
    """What has drifted, for --json."""
    return [
        {
            "path": "/".join(one.path),
            "type": one.type,
            "physical_id": one.physical_id,
            "status": one.status,
            "properties": [
                {
                    "path": part.path,
                    "expected": None if part.expected is None else shown(part.path, part.expected),
                    "actual": None if part.actual is None else shown(part.path, part.actual),
                }
                for part in one.differences
            ],
        }
        for one in drifted
    ]


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
            "policy": one.policy or None,
            "drift": one.drift or None,
            "destroys": one.destroys,
            "properties": [
                {
                    "path": part.path,
                    "before": None if part.before is None else shown(part.path, part.before),
                    "after": None if part.after is None else shown(part.path, part.after),
                    "recreation": part.recreation,
                }
                for part in one.properties
            ],
        }
        for one in changes
    ]
