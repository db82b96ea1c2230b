"""Compare: who is in one database only, and who differs, as counts and lists.

Both are read by key, side by side, in batches, so that memory does not grow with the table. After
LIMIT_SECONDS the page shows what it has found so far, with a link that goes on from there.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for

from . import errors, faults, formats, ledger, listing, sheet, view
from .db import Database
from .kinds import KINDS, LARGEST
from .merge import Batches, Difference, Merge
from .people import chosen
from .reflection import Shape, with_current

bp = Blueprint("comparison", __name__)
LIMIT_SECONDS = 20.0
LOOKED_AT = 1000  # keys between two looks at the clock
MOST_SHOWN = 100
SIDES = ("rds", "redshift")
OUTCOMES = ("only_rds", "only_redshift", "different")


def install(app: Flask) -> None:
    """Lets one comparison run at a time in a process: each keeps a thread and two connections busy."""
    app.extensions["comparing"] = threading.Lock()


@bp.get("/compare")
def index() -> Response:
    """The differences between RDS and Redshift, from the id `after` on."""
    if "redshift" not in current_app.extensions["databases"]:
        return errors.sentence("There is one database here, so there is nothing to compare.", 404)
    after = request.args.get("after", "")
    if after and not (after.isascii() and after.isdigit() and int(after) <= LARGEST):
        return errors.sentence("The id to go on from is a number; go back to the first page.", 400)
    lock = current_app.extensions["comparing"]
    if not lock.acquire(blocking=False):
        raise faults.Busy("A comparison is running; try again when it is done.")
    try:
        response = with_current([chosen(name).tables for name in SIDES], lambda: answer(after))
    except BaseException:
        lock.release()
        raise
    if formats.wanted() == "csv":
        response.call_on_close(lock.release)
    else:
        lock.release()
    return response


def answer(after: str) -> Response:
    """The differences as a page, JSON or CSV, by the columns that both tables have now."""
    start = int(after) if after else None
    sides = {name: chosen(name).tables["persons"] for name in SIDES}
    columns = common(sides)
    if formats.wanted() == "csv":
        return export(columns, start)
    return formats.page("comparison.html", {**compared(columns, start), "left_out": left_out(sides, columns)})


def common(sides: dict[str, Shape]) -> tuple[str, ...]:
    """The columns that both tables have, and as the same kind."""
    one, other = (sides[name].kinds for name in SIDES)
    return tuple(name for name, kind in one.items() if other.get(name) is kind)


def left_out(sides: dict[str, Shape], columns: tuple[str, ...]) -> dict[str, dict[str, str | None]]:
    """The other columns, and what each side has for them."""
    names = dict.fromkeys(name for side in sides.values() for name in side.columns if name not in columns)
    return {name: {side: in_words(shape.kinds.get(name)) for side, shape in sides.items()} for name in names}


def in_words(kind: type | None) -> str | None:
    """What a column of this kind is for people, or nothing."""
    return KINDS[kind].words if kind else None


def compared(columns: tuple[str, ...], start: int | None) -> dict[str, Any]:
    """The facts of the page."""
    began = time.perf_counter()
    counts, found = dict.fromkeys(OUTCOMES, 0), {kind: [] for kind in OUTCOMES}  # type: ignore[var-annotated]
    with ThreadPoolExecutor(2) as pool:
        merge = merged(pool, columns, start)
        complete = True
        for difference in merge:
            if difference:
                counts[kind(difference)] += 1
                if len(found[kind(difference)]) < MOST_SHOWN:
                    found[kind(difference)].append(shown(columns, difference))
            if merge.seen % LOOKED_AT == 0 and time.perf_counter() - began > LIMIT_SECONDS:
                complete = False
                break
    return {
        "compared": merge.seen,
        "columns": columns,
        "after": start,
        "complete": complete,
        "counts": counts,
        "same": merge.seen - sum(counts.values()),
        **found,
        "loading": loading(),
        "next": None if complete else url_for("comparison.index", after=merge.last),
        "csv": url_for("comparison.index") + ".csv" + (f"?after={start}" if start is not None else ""),
        "milliseconds": round((time.perf_counter() - began) * 1000, 1),
    }


def merged(pool: ThreadPoolExecutor, columns: tuple[str, ...], start: int | None) -> Merge:
    """Both tables side by side, the next batch of each being fetched while the last one is looked at."""
    from_there = view.View(after=None if start is None else (start, start))
    databases = [chosen(name) for name in SIDES]
    tables = [database.tables["persons"].only(columns) for database in databases]
    one, other = (
        ahead(pool, listing.everybody(database, table, from_there))
        for database, table in zip(databases, tables, strict=True)
    )
    return Merge(one, other)


def ahead(pool: ThreadPoolExecutor, batches: Iterator[Any]) -> Batches:
    """The same batches, each fetched while the one before is used."""
    coming = pool.submit(next, batches, None)
    while (batch := coming.result()) is not None:
        coming = pool.submit(next, batches, None)
        yield batch


def kind(difference: Difference) -> str:
    """Which of OUTCOMES a difference is."""
    if difference.right is None:
        return "only_rds"
    return "only_redshift" if difference.left is None else "different"


def shown(names: tuple[str, ...], difference: Difference) -> dict[str, Any]:
    """A person who is on one side only, or both sides and the columns that differ."""
    left, right = (dict(zip(names, row or (), strict=False)) for row in (difference.left, difference.right))
    if not (left and right):
        return left or right
    columns = [name for name in names if left[name] != right[name]]
    return {"id": left["id"], "columns": columns, "rds": left, "redshift": right}


def loading() -> bool:
    """Whether a load is under way, so that differences may be gone in a moment."""
    database: Database = chosen("rds")
    try:
        return ledger.loading(database)
    except faults.Fault:
        return False


def export(columns: tuple[str, ...], start: int | None) -> Response:
    """Every difference as CSV, sent while it is found; what is wrong at the start is said with a status."""
    pool = ThreadPoolExecutor(2)
    try:
        found = begun(iter(merged(pool, columns, start)))
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    response = Response(sheet.of_differences(columns, found), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="differences.csv"'
    response.call_on_close(lambda: pool.shutdown(cancel_futures=True))
    return response


def begun(found: Iterator[Difference | None]) -> Iterator[Difference | None]:
    """The same, the first key being found already, or there is none: reading it asks both databases."""
    first = next(found, None)
    return chain([first], found)
