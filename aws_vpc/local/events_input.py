"""What an EventBridge rule's target is given of an event: all of it, a part, a constant, a template. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
_VARIABLE = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_MISSING = object()


def target_input(target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    """The text that the target receives; JSON, unless a template says otherwise."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        found = at(target["InputPath"], event)
        return json.dumps(None if found is _MISSING else found)
    if "InputTransformer" in target:
        transformer = target["InputTransformer"]
        values = {name: at(path, event) for name, path in transformer.get("InputPathsMap", {}).items()}
        values.update(reserved(event, rule))
        return fill(transformer["InputTemplate"], values)
    return json.dumps(event)


def reserved(event: Mapping[str, Any], rule: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that every template may use."""
    return {
        "aws.events.rule-arn": rule.get("Arn", ""),
        "aws.events.rule-name": rule.get("Name", ""),
        "aws.events.event.ingestion-time": event.get("time", ""),
        "aws.events.event": {k: v for k, v in event.items() if k != "detail"},
        "aws.events.event.json": dict(event),
    }


def at(path: str, event: Any) -> Any:
    """The value at a JSON path of the kind $.detail.object['key'][0]; a marker when there is none."""
    if path == "$":
        return event
    position, found = 1, event
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            return _MISSING
        position = step.end()
        name = next(group for group in step.groups() if group is not None)
        if step[2] is not None:
            ok = isinstance(found, list) and int(name) < len(found)
            found = found[int(name)] if ok else _MISSING
        else:
            found = found.get(name, _MISSING) if isinstance(found, Mapping) else _MISSING
        if found is _MISSING:
            return _MISSING
    return found


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The template with its <variables> replaced: as JSON, or bare when they stand inside a quoted text.

    A variable whose path found nothing leaves nothing, as on AWS.
    """

    def replaced(found: re.Match[str]) -> str:
        if found[1] not in values:
            return found[0]
        value = values[found[1]]
        if value is _MISSING:
            return ""
        if not _quoted(template, found.start()):
            return json.dumps(value)
        return json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]

    return _VARIABLE.sub(replaced, template)


def _quoted(template: str, position: int) -> bool:
    """Whether a position of a JSON template is inside a text."""
    return re.sub(r"\\.", "", template[:position]).count('"') % 2 == 1
