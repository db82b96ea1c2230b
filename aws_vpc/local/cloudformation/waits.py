"""Signals: wait conditions, their handles, and CreationPolicy."""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Run, Stack

HANDLE = "AWS::CloudFormation::WaitConditionHandle"
CONDITION = "AWS::CloudFormation::WaitCondition"
WAITS = (HANDLE, CONDITION)
DURATION = re.compile(r"P(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)")


def handle(engine: Engine, stack: Stack, logical: str) -> str:
    """The address that a wait condition's handle refers to."""
    return f"{engine.endpoint()}/cloudformation-waitcondition/{uuid.uuid4()}/{stack.name}/{logical}"


def seconds(duration: str) -> float:
    """The length of an ISO 8601 duration such as PT15M."""
    match = DURATION.fullmatch(duration)
    if match is None or not any(match.groups()):
        raise TemplateError(f"CreationPolicy: {duration} is not a duration such as PT15M")
    hours, minutes, secs = (int(part or 0) for part in match.groups())
    return hours * 3600.0 + minutes * 60 + secs


def forget(engine: Engine, stack: Stack, logical: str) -> None:
    """Nothing; signals of what the resource was before count no more."""
    with engine.changed:
        stack.signals.pop(logical, None)


def creation_policy(engine: Engine, stack: Stack, run: Run, logical: str, policy: dict[str, Any]) -> None:
    """Nothing once the resource has its signals; TemplateError when they do not come in time."""
    wanted = policy.get("ResourceSignal") or policy.get("AutoScalingCreationPolicy")
    if not wanted:
        return
    count = int(wanted.get("Count", 1))
    wait(engine, stack, run, logical, count, seconds(str(wanted.get("Timeout", "PT5M"))))


def wait_condition(
    engine: Engine, stack: Stack, run: Run, logical: str, properties: dict[str, Any]
) -> dict[str, Any]:
    """The attributes of a wait condition that got its signals."""
    if "Timeout" not in properties or "Handle" not in properties:
        return {"Data": "{}"}
    name = str(properties["Handle"]).rsplit("/", 1)[-1]
    wait(
        engine, stack, run, name, int(properties.get("Count", 1)), float(properties["Timeout"]), also=logical
    )
    got = {**stack.signals.get(name, {}), **stack.signals.get(logical, {})}
    return {"Data": json.dumps(got)}


def wait(
    engine: Engine, stack: Stack, run: Run, logical: str, count: int, timeout: float, also: str = ""
) -> None:
    """Nothing once `count` SUCCESS signals have come; TemplateError on a FAILURE or when time is up."""

    def got() -> list[str]:
        return [*stack.signals.get(logical, {}).values(), *stack.signals.get(also, {}).values()]

    def enough() -> bool:
        return "FAILURE" in got() or got().count("SUCCESS") >= count

    engine.wait_for(enough, time.monotonic() + timeout, run.cancelled)
    failures, missing = got().count("FAILURE"), count - got().count("SUCCESS")
    if failures:
        raise TemplateError(
            f"Received {failures} FAILURE signal(s) out of {count}. Unable to satisfy 100% "
            "MinSuccessfulInstancesPercent requirement"
        )
    if missing > 0:
        raise TemplateError(f"Failed to receive {missing} resource signal(s) within the specified duration")
