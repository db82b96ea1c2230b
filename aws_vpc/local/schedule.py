"""When a schedule fires: `cron(minutes hours day-of-month month day-of-week year)` and `at(time)`, in UTC.

Out: the signs L, W and #, which are refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}
DAYS = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)
}
FIELDS: tuple[
    tuple[int, int, dict[str, int]], ...
] = (  # the bounds of each field, and the names that it takes for numbers
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, MONTHS),
    (1, 7, DAYS),
    (1970, 2199, {}),
)
CRON = re.compile(r"cron\((.+)\)")
ONCE = re.compile(r"at\((.+)\)")
YEARS = 5  # how far ahead is looked


def invocations(schedule: str, after: datetime, count: int = 5) -> list[datetime]:
    """The next times at which the schedule fires; ValueError when it is none."""
    if once := ONCE.fullmatch(schedule.strip()):
        moment = datetime.fromisoformat(once[1]).replace(tzinfo=UTC)
        return [moment] if moment > after else []
    cron = CRON.fullmatch(schedule.strip())
    if not cron:
        raise ValueError(f"{schedule!r} is neither cron(...) nor at(...)")
    return fired(cron[1], after, count)


def fired(text: str, after: datetime, count: int) -> list[datetime]:
    """The next times of a cron expression: day by day, then its hours and minutes."""
    parts = text.split()
    if len(parts) != len(FIELDS) or (parts[2] != "?") == (parts[4] != "?"):
        raise ValueError(f"cron({text}) needs six fields, and one of both days as ?")
    minutes, hours, days, months, weekdays, years = (
        numbers(part, *field) for part, field in zip(parts, FIELDS, strict=True)
    )
    found: list[datetime] = []
    day = after.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(YEARS * 366):
        weekday = day.isoweekday() % 7 + 1  # SUN is 1
        if day.year in years and day.month in months and day.day in days and weekday in weekdays:
            times = (day.replace(hour=hour, minute=minute) for hour in hours for minute in minutes)
            found += [moment for moment in times if moment > after]
        if len(found) >= count:
            break
        day += timedelta(days=1)
    return found[:count]


def numbers(text: str, low: int, high: int, names: dict[str, int]) -> list[int]:
    """The numbers that a field of a cron expression stands for."""
    found: set[int] = set()
    for part in text.upper().split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        start = low if first in ("*", "?") else number(first, names)
        end = number(last, names) if dash else high if first in ("*", "?") or step else start
        if not low <= start <= end <= high:
            raise ValueError(f"{part} is not within {low}-{high}")
        found.update(range(start, end + 1, int(step or 1)))
    return sorted(found)


def number(text: str, names: dict[str, int]) -> int:
    """The number that the text writes or names."""
    return names[text] if text in names else int(text)
