"""Scheduled actions of Redshift: kept, described, and done to the cluster when their time has come."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from aws_vpc.local import schedule
from aws_vpc.local.service import Answer, Parameters, now, page, snake
from aws_vpc.local.wire import Forward, Request, Response, ServiceError, answer
from aws_vpc.local.world import World

log = logging.getLogger("aws_vpc.local")

STATED = "ScheduledActionName TargetAction Schedule IamRole ScheduledActionDescription StartTime EndTime"
OPERATIONS = {
    "PauseCluster": "pause_cluster",
    "ResumeCluster": "resume_cluster",
    "ResizeCluster": "resize_cluster",
}
LONGEST = 3600.0  # seconds that a timer may wait: clocks are set, laptops sleep
Action = dict[str, Any]


class ScheduledActions:
    """The scheduled actions of an embedded AWS, by Region and name."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._found: dict[tuple[str, str], Action] = {}
        self._timers: dict[tuple[str, str], threading.Timer] = {}
        self._lock = threading.RLock()
        kinds = ("CreateScheduledAction", "ModifyScheduledAction", "DeleteScheduledAction")
        self.operations = {name: self._answering(name) for name in (*kinds, "DescribeScheduledActions")}

    def _answering(self, name: str) -> Callable[[Request, Forward, Parameters], Response]:
        method: Callable[[str, Parameters], Answer] = getattr(self, snake(name))

        def respond(request: Request, forward: Forward, asked: Parameters) -> Response:
            with self._lock:
                return answer("redshift", name, method(request.region, asked))

        return respond

    def resume(self) -> None:
        """Wait for the times of all actions."""
        with self._lock:
            for key in self._found:
                self._arm(key)

    def stop(self) -> None:
        """Let nothing happen any more."""
        with self._lock:
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()

    def create_scheduled_action(self, region: str, asked: Parameters) -> Answer:
        """The new action."""
        key = region, str(asked.get("ScheduledActionName"))
        if key in self._found:
            raise ServiceError(
                "ScheduledActionAlreadyExists", f"The scheduled action {key[1]} already exists."
            )
        return self._put(key, asked, {})

    def modify_scheduled_action(self, region: str, asked: Parameters) -> Answer:
        """The action as it is now."""
        return self._put(*self._action(region, asked, fresh=asked))

    def delete_scheduled_action(self, region: str, asked: Parameters) -> Answer:
        """Nothing; the action is gone."""
        key, _, _ = self._action(region, asked)
        del self._found[key]
        self._arm(key)
        return {}

    def describe_scheduled_actions(self, region: str, asked: Parameters) -> Answer:
        """The actions that fit."""
        if asked.get("ScheduledActionName"):
            _, _, action = self._action(region, asked)
            return {"ScheduledActions": [shown(action)]}
        kind, active = snake(asked.get("TargetActionType") or ""), asked.get("Active")
        fitting = [
            shown(action)
            for (where, _), action in self._found.items()
            if where == region
            and (not kind or snake(next(iter(action["TargetAction"]))) == kind.replace("-", "_"))
            and (active is None or active == (action["State"] == "ACTIVE"))
        ]
        return page("ScheduledActions", fitting, asked, "MaxRecords", "Marker")

    def _action(
        self, region: str, asked: Parameters, fresh: Parameters | None = None
    ) -> tuple[tuple[str, str], Parameters, Action]:
        key = region, str(asked.get("ScheduledActionName"))
        if key not in self._found:
            raise ServiceError("ScheduledActionNotFound", f"The scheduled action {key[1]} was not found.")
        return key, fresh or {}, self._found[key]

    def _put(self, key: tuple[str, str], asked: Parameters, before: Action) -> Answer:
        action = before | {name: asked[name] for name in STATED.split() if asked.get(name) is not None}
        target = action.get("TargetAction") or {}
        if len(target) != 1 or not next(iter(target.values())).get("ClusterIdentifier"):
            raise ServiceError("InvalidScheduledAction", "The scheduled action must have one target action.")
        try:
            schedule.invocations(action["Schedule"], now(), 1)
        except (KeyError, ValueError) as error:
            raise ServiceError(
                "InvalidSchedule", f"The schedule you submitted isn't valid: {error}"
            ) from None
        enabled = asked.get("Enable", before.get("State", "ACTIVE") == "ACTIVE")
        action["State"] = "ACTIVE" if enabled else "DISABLED"
        self._found[key] = action
        self._arm(key)
        return shown(action)

    def _arm(self, key: tuple[str, str]) -> None:
        """Wake up when the action is due next."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        action = self._found.get(key)
        due = upcoming(action, 1) if action else []
        if action is None or not due:
            return
        seconds = min(max((due[0] - now()).total_seconds(), 0.0), LONGEST)
        timer = self._timers[key] = threading.Timer(seconds, self._wake, (key, action, due[0]))
        timer.daemon = True
        timer.start()

    def _wake(self, key: tuple[str, str], action: Action, due: Any) -> None:
        with self._lock:
            if self._found.get(key) is not action:
                return
        if now() >= due:
            self._do(key[0], action)
        with self._lock:
            if self._found.get(key) is action:
                self._arm(key)

    def _do(self, region: str, action: Action) -> None:
        kind, parameters = next(iter(action["TargetAction"].items()))
        try:
            getattr(self.world.client("redshift", region), OPERATIONS[kind])(**parameters)
        except Exception as error:  # a cluster that is paused already, or gone: the next time counts
            log.warning("scheduled action %s: %s", action["ScheduledActionName"], error)


def upcoming(action: Action, count: int) -> list[Any]:
    """The next times at which an action is done."""
    if action["State"] != "ACTIVE":
        return []
    start = max(now(), action.get("StartTime") or now())
    times = schedule.invocations(action["Schedule"], start, count)
    return [moment for moment in times if not action.get("EndTime") or moment <= action["EndTime"]]


def shown(action: Action) -> Answer:
    """The action as the API shows it."""
    return {**action, "NextInvocations": upcoming(action, 5)}
