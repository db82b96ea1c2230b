"""Signals: wait conditions, their handles, and CreationPolicy.

A handle's address is a presigned one of S3, to which a signal is PUT as JSON:
{"Status": "SUCCESS", "UniqueId": "one", "Data": "...", "Reason": "..."}
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
"""

from __future__ import annotations

import json
import re
import time
import uuid
from functools import partial
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Run, Signal, Stack

HANDLE = "AWS::CloudFormation::WaitConditionHandle"
CONDITION = "AWS::CloudFormation::WaitCondition"
WAITS = (HANDLE, CONDITION)
DURATION = re.compile(r"P(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)")
BUCKET = "cloudformation-waitcondition"
EXPIRES = 43_200  # seconds, the longest Timeout of a wait condition


def handle(engine: Engine, stack: Stack, logical: str) -> str:
    """The presigned address that a wait condition's handle refers to."""
    key = f"{stack.id}/{uuid.uuid4()}/{logical}"
    client = engine.client("s3", stack.region)
    where = {"Bucket": f"{BUCKET}-{stack.region}", "Key": key}
    return str(client.generate_presigned_url("put_object", Params=where, ExpiresIn=EXPIRES))


def receive(engine: Engine, key: str, body: bytes) -> bool:
    """Whether the key is a handle's; the signal in the body is counted, one per UniqueId."""
    stack_id, _, logical = (*key.rsplit("/", 2), "", "")[:3]
    stack = engine.stacks.get(stack_id)
    if stack is None or logical not in stack.resources:
        return False
    try:
        said = json.loads(body)
        signal = Signal(said["Status"], str(said.get("Reason", "")), str(said.get("Data", "")))
        unique = str(said["UniqueId"])
    except (ValueError, KeyError, TypeError, AttributeError):
        signal, unique = Signal("UNPARSABLE"), "unparsable"
    with engine.changed:
        stack.signals.setdefault(logical, {}).setdefault(unique, signal)
        engine.changed.notify_all()
    return True


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
    got = wait(engine, stack, run, logical, (logical,), count, seconds(str(wanted.get("Timeout", "PT5M"))))
    failures = [signal for signal in got.values() if signal.status != "SUCCESS"]
    if failures:
        raise TemplateError(
            f"Received {len(failures)} FAILURE signal(s) out of {count}. Unable to satisfy 100% "
            "MinSuccessfulInstancesPercent requirement"
        )
    if len(got) < count:
        raise TemplateError(
            f"Failed to receive {count - len(got)} resource signal(s) within the specified duration"
        )


def wait_condition(
    engine: Engine, stack: Stack, run: Run, logical: str, properties: dict[str, Any], policy: dict[str, Any]
) -> dict[str, Any]:
    """The attributes of a wait condition that got its signals."""
    if policy:  # which takes the place of the properties
        return {"Data": "{}"}
    if "Timeout" not in properties or "Handle" not in properties:
        raise TemplateError("Wait condition requires Handle and Timeout properties or a CreationPolicy")
    name = str(properties["Handle"]).partition("?")[0].rsplit("/", 1)[-1]
    count, timeout = int(properties.get("Count", 1)), float(properties["Timeout"])
    got = wait(engine, stack, run, logical, (name, logical), count, timeout)
    for unique, signal in got.items():
        if signal.status == "UNPARSABLE":
            raise TemplateError("Unparsable WaitCondition data")
        if signal.status != "SUCCESS":
            raise TemplateError(
                f"WaitCondition received failed message: '{signal.reason}' for uniqueId: {unique}"
            )
    if len(got) < count:
        raise TemplateError(f"WaitCondition timed out. Received {len(got)} conditions when expecting {count}")
    return {
        "Data": json.dumps({unique: signal.data for unique, signal in got.items()}, separators=(",", ":"))
    }


def wait(
    engine: Engine, stack: Stack, run: Run, logical: str, names: tuple[str, ...], count: int, timeout: float
) -> dict[str, Signal]:
    """The signals for the names: enough, one that failed, or what came until time was up."""

    def got() -> dict[str, Signal]:
        return {unique: one for name in names for unique, one in stack.signals.get(name, {}).items()}

    def enough() -> bool:
        return len(got()) >= count or any(one.status != "SUCCESS" for one in got().values())

    given_up = partial(cancelled, stack, run, logical)
    engine.wait_for(enough, time.monotonic() + timeout, given_up)
    return got()


def cancelled(stack: Stack, run: Run, logical: str) -> bool:
    """Whether the resource need not go on: its operation was cancelled, or another resource failed."""
    present = stack.resources.get(logical)
    return run.cancelled.is_set() or (present is not None and present.reason in CANCELLED.values())


CANCELLED = {"CREATE": "Resource creation cancelled", "UPDATE": "Resource update cancelled"}


def pause(engine: Engine, stack: Stack, run: Run, logical: str, seconds: float) -> None:
    """Nothing, after the seconds at the engine's pace, or as soon as the resource is given up."""
    if seconds * engine.delay > 0:
        deadline = time.monotonic() + seconds * engine.delay
        engine.wait_for(lambda: False, deadline, partial(cancelled, stack, run, logical))


def elapse(engine: Engine, seconds: float) -> None:
    """Nothing, after the seconds at the engine's pace: what cannot be given up."""
    if seconds * engine.delay > 0:
        engine.wait_for(lambda: False, time.monotonic() + seconds * engine.delay, lambda: False)
