"""Compare: who is in one database only, and who differs, as counts and lists.

Both are read by key, side by side, in batches, so that memory does not grow with the table. After
LIMIT_SECONDS the page shows what it has found so far, with a link that goes on from there.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for

from . import errors, faults, formats, ledger, listing, sheet, view
from .db import Database
from .merge import Batches, Difference, Merge
from .people import chosen

bp = Blueprint("comparison", __name__)
LIMIT_SECONDS = 20.0
LOOKED_AT = 1000  # keys between two looks at the clock
MOST_SHOWN = 100
KINDS = ("only_rds", "only_redshift", "different")


def install(app: Flask) -> None:
    """Lets one comparison run at a time in a process: each keeps a thread and two connections busy."""
    app.extensions["comparing"] = threading.Lock()


@bp.get("/compare")
def index() -> Response:
    """The differences between RDS and Redshift, from the id `after` on."""
    if "redshift" not in current_app.extensions["databases"]:
        return errors.sentence("There is one database here, so there is nothing to compare.", 404)
    after = request.args.get("after", "")
    if after and not (after.isascii() and after.isdigit() and int(after) <= view.LARGEST_ID):
        return errors.sentence("The id to go on from is a number; go back to the first page.", 400)
    if not current_app.extensions["comparing"].acquire(blocking=False):
        raise faults.Busy("A comparison is running; try again when it is done.")
    start = int(after) if after else None
    if formats.wanted() == "csv":
        return export(start)
    try:
        return formats.page("comparison.html", compared(start), columns=list(view.COLUMNS))
    finally:
        current_app.extensions["comparing"].release()


def compared(start: int | None) -> dict[str, Any]:
    """The facts of the page."""
    began = time.perf_counter()
    counts, found = dict.fromkeys(KINDS, 0), {kind: [] for kind in KINDS}  # type: ignore[var-annotated]
    with ThreadPoolExecutor(2) as pool:
        merge = merged(pool, start)
        complete = True
        for difference in merge:
            if difference:
                counts[kind(difference)] += 1
                if len(found[kind(difference)]) < MOST_SHOWN:
                    found[kind(difference)].append(shown(difference))
            if merge.seen % LOOKED_AT == 0 and time.perf_counter() - began > LIMIT_SECONDS:
                complete = False
                break
    return {
        "compared": merge.seen,
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


def merged(pool: ThreadPoolExecutor, start: int | None) -> Merge:
    """Both tables side by side, the next batch of each being fetched while the last one is looked at."""
    from_there = view.View(after=None if start is None else (start, start))
    one, other = (ahead(pool, listing.everybody(chosen(name), from_there)) for name in ("rds", "redshift"))
    return Merge(one, other)


def ahead(pool: ThreadPoolExecutor, batches: Iterator[Any]) -> Batches:
    """The same batches, each fetched while the one before is used."""
    coming = pool.submit(next, batches, None)
    while (batch := coming.result()) is not None:
        coming = pool.submit(next, batches, None)
        yield batch


def kind(difference: Difference) -> str:
    """Which of KINDS a difference is."""
    if difference.right is None:
        return "only_rds"
    return "only_redshift" if difference.left is None else "different"


def shown(difference: Difference) -> dict[str, Any]:
    """A person who is on one side only, or both sides and the columns that differ."""
    left, right = (
        dict(zip(view.COLUMNS, row or (), strict=False)) for row in (difference.left, difference.right)
    )
    if not (left and right):
        return left or right
    columns = [name for name in view.COLUMNS if left[name] != right[name]]
    return {"id": left["id"], "columns": columns, "rds": left, "redshift": right}


def loading() -> bool:
    """Whether a load is under way, so that differences may be gone in a moment."""
    database: Database = chosen("rds")
    try:
        return ledger.loading(database)
    except faults.Fault:
        return False


def export(start: int | None) -> Response:
    """Every difference as CSV, sent while it is found; what is wrong at the start is said with a status."""
    pool = ThreadPoolExecutor(2)
    lock = current_app.extensions["comparing"]

    def done() -> None:
        pool.shutdown(cancel_futures=True)
        lock.release()

    try:
        first, rest = begun(iter(merged(pool, start)))
    except BaseException:
        done()
        raise
    response = Response(sheet.of_differences(first, rest), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="differences.csv"'
    response.call_on_close(done)
    return response


def begun(found: Iterator[Difference | None]) -> tuple[list[Difference | None], Iterator[Difference | None]]:
    """The first key, or none, and what comes after it: reading it asks both databases."""
    first = next(found, None)
    return [first], found
