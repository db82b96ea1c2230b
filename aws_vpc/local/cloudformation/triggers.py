"""Rollback triggers: alarms that are watched while a stack is made or updated, and for a while after that.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.cloudformation.model import Run, Stack

EVERY = 1.0  # seconds between two looks at the alarms: CloudWatch tells nobody


def alarm(engine: Engine, stack: Stack) -> str | None:
    """Why the operation may not go on: an alarm of the stack is not there, or in ALARM. None as a rule."""
    for trigger in stack.rollback_configuration.get("RollbackTriggers") or ():
        found = states(engine, arn := str(trigger["Arn"]))
        if not found:
            return f"Rollback trigger {arn} does not exist."
        if "ALARM" in found:
            return f"Rollback trigger {arn} is in ALARM."
    return None


def states(engine: Engine, arn: str) -> list[str]:
    """The state of an alarm; none when it is not there, or its Region is none."""
    region, name = arn.split(":")[3], arn.split(":", 6)[6]
    kinds = ["CompositeAlarm", "MetricAlarm"]
    try:
        found = engine.client("cloudwatch", region).describe_alarms(AlarmNames=[name], AlarmTypes=kinds)
    except (ClientError, BotoCoreError):
        return []
    return [one["StateValue"] for kind in kinds for one in found.get(f"{kind}s", ())]


@contextmanager
def watched(engine: Engine, stack: Stack, run: Run) -> Iterator[None]:
    """Within the context, an alarm that goes off cancels the operation."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            if reason := alarm(engine, stack):
                run.cancel(reason)
                over.set()

    if not stack.rollback_configuration.get("RollbackTriggers"):
        yield
        return
    thread = threading.Thread(target=watch, name=f"alarms-{stack.name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def monitor(engine: Engine, stack: Stack, run: Run) -> str | None:
    """None once the time of monitoring is over, until which old resources stand; or why it was cut short."""
    if not stack.rollback_configuration:
        return None
    minutes = stack.rollback_configuration.get("MonitoringTimeInMinutes") or 0
    with watched(engine, stack, run):
        run.cancelled.wait(minutes * 60.0)
    if run.cancelled.is_set():
        return run.cancel_reason or "Resource creation cancelled"
    return alarm(engine, stack)
