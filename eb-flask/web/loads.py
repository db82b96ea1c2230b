"""Loads: their history, one by one, the rows that were set aside, and a form that uploads a file to be
loaded.

    GET  /loads                 the history, newest first        ?state=failed  ?before=[time,run]
    GET  /loads/RUN             one load;  /loads/RUN/rejected   its rejected rows as CSV
    POST /loads                 a file for the data bucket       -> 303 to its progress
    GET  /loads/progress?key=   from the bucket to the rows, until the load is over
"""

import json
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for

from . import bucket, errors, formats, ledger, sheet, upload
from .bucket import Bucket, Refused
from .people import chosen, timed
from .settings import UploadSettings
from .upload import Unfit

bp = Blueprint("loads", __name__, url_prefix="/loads")
# After so many seconds without a job, something is amiss and the page says so.
LONG = 120


@bp.get("")
def index() -> Response:
    """The history of loads, and the form where the operator allows uploads."""
    state = request.args.get("state", "")
    if state and state not in ledger.STATES:
        return errors.sentence(f"A state is one of {', '.join(ledger.STATES)}.", 400)
    try:
        before = place(request.args.get("before", ""))
    except ValueError:
        return errors.sentence("The place to go on from is not one; go back to the first page.", 400)
    result, more = ledger.history(chosen("rds"), state, before)
    timed(result)
    last = result.rows[-1] if more else None
    facts = {
        "loads": [shown(row) for row in result.rows],
        "state": state or None,
        "next": further(state, last) if last else None,
        "upload": settings().enabled,
    }
    tools = {
        "states": ledger.STATES,
        "modes": bucket.MODES,
        "megabytes": settings().megabytes,
        "kinds": upload.KINDS,
    }
    return formats.page("loads/index.html", facts, before=bool(before), suffixes=upload.SUFFIXES, **tools)


@bp.post("")
def create() -> Response:
    """Puts the uploaded file into the bucket, where its arrival starts the job."""
    if not settings().enabled:
        return errors.sentence(
            "Uploads are switched off here; put the file into the data bucket instead.", 403
        )
    if not upload.same_origin(request.headers, request.host):
        return errors.sentence(
            "The upload did not come from the form of these pages, so it was refused.", 403
        )
    request.max_content_length = settings().most + upload.MEGABYTE  # and the rest of the form
    try:
        key = received()
    except Unfit as error:
        return errors.sentence(str(error), error.status)
    except Refused as error:
        return errors.sentence(str(error), 502)
    return redirect(url_for("loads.progress", key=key), 303)  # type: ignore[return-value]


def received() -> str:
    """The key under which the file of this request now is in the bucket; raises Unfit or Refused."""
    try:
        file, mode = request.files.get("file"), request.form.get("mode", "replace")
    except OSError:
        raise Unfit("There is no room for the file here; try again later, or a smaller one.", 507) from None
    if file is None or not file.filename:
        raise Unfit("There is no file in the upload.")
    if mode not in bucket.MODES:
        raise Unfit(f"What to do with the rows is one of {', '.join(bucket.MODES)}.")
    suffix, size = upload.check(file.stream, file.filename, settings().most)
    key = bucket.key_for(file.filename, suffix, mode)
    data_bucket().put(key, file.stream, size)
    return key


@bp.get("/progress")
def progress() -> Response:
    """How far the load of an uploaded object is."""
    key = request.args.get("key", "")
    when = bucket.uploaded(key)
    if not when:
        return errors.sentence("That is not the key of an upload of these pages.", 404)
    rows = timed(ledger.latest(chosen("rds"), data_bucket().name, key)).rows
    waited = max(0, int((datetime.now(UTC) - when).total_seconds()))
    load = shown(rows[0]) if rows else None
    facts = {"key": key, "load": load, "over": bool(load and load["state"] in ledger.OVER), "seconds": waited}
    return formats.page("loads/progress.html", {**facts, "late": load is None and waited > LONG})


@bp.get("/<run>")
def load(run: str) -> Response:
    """One load."""
    rows = timed(ledger.load(chosen("rds"), run)).rows if "\0" not in run else []
    if not rows:
        return errors.sentence(f"There is no load {run}.", 404)
    return formats.page("loads/load.html", {"load": shown(rows[0])})


@bp.get("/<run>/rejected")
def rejected(run: str) -> Response:
    """The rows that a load set aside, with line, column, value and reason, as CSV."""
    rows = timed(ledger.load(chosen("rds"), run)).rows if "\0" not in run else []
    key = downloadable(rows[0]) if rows else None
    if not key:
        return errors.sentence(f"There are no rejected rows of a load {run} to download.", 404)
    try:
        lines = data_bucket().lines(key)
    except Refused as error:
        return errors.sentence(str(error), 502)
    response = Response(sheet.defused_lines(lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="rejected-{rows[0]["run"]}.csv"'
    return response


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A line of the ledger for people and programs."""
    address = url_for("loads.rejected", run=row["run"]) if downloadable(row) else None
    times = {name: moment(row[name]) for name in ("started", "finished")}
    return {**row, **times, "rejected_csv": address, "address": url_for("loads.load", run=row["run"])}


def downloadable(row: dict[str, Any]) -> str | None:
    """The key of the rejected rows, if it is in the bucket and the folder that the pages may read."""
    key = row["rejected_key"]
    mine = key and bucket.REJECTED.match(key) and row["bucket"] == current_app.extensions["bucket"].name
    return str(key) if mine else None


def moment(at: datetime | None) -> str | None:
    """A time of the ledger, which is UTC."""
    return at.isoformat(timespec="seconds") + "Z" if at else None


def place(text: str) -> tuple[datetime, str] | None:
    """The place in the history that an address names; ValueError where it is none."""
    if not text:
        return None
    value = json.loads(text)
    if not (isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)):
        raise ValueError
    started = datetime.fromisoformat(value[0])
    if started.tzinfo or "\0" in value[1] or len(value[1]) > 64:
        raise ValueError
    return started, value[1]


def further(state: str, last: dict[str, Any]) -> str:
    """The address of the history before a load."""
    before = json.dumps([last["started"].isoformat(), last["run"]], separators=(",", ":"))
    return url_for("loads.index", before=before, **({"state": state} if state else {}))


def settings() -> UploadSettings:
    """Whether and how much may be uploaded."""
    found: UploadSettings = current_app.extensions["upload"]
    return found


def data_bucket() -> Bucket:
    """The bucket, which is there wherever uploads or rejected rows are."""
    found: Bucket = current_app.extensions["bucket"]
    return found if found.name else abort(404)
