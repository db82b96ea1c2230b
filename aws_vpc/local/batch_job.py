"""A Batch job as the API tells of it: its definition resolved, its attempts, its state. No process here."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WAITING = ("SUBMITTED", "PENDING", "RUNNABLE")
ACTIVE = ("STARTING", "RUNNING")
ENDED = ("SUCCEEDED", "FAILED")
_REFERENCE = re.compile(r"Ref::([A-Za-z0-9_.\-]+)")


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


@dataclass(eq=False)
class Job:
    """One job, one child of an array job, or an array job, which only stands for its children."""

    id: str
    arn: str
    name: str
    queue: str
    definition: str
    region: str
    parameters: dict[str, str]
    container: dict[str, Any]  # containerProperties with the overrides in
    limit: float  # vCPUs that its queue may use at once
    compute: str = ""  # the queue's first compute environment
    retries: int = 1
    conditions: list[dict[str, str]] = field(default_factory=list)  # evaluateOnExit
    timeout: int | None = None
    depends: list[dict[str, str]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    index: int | None = None
    children: list[Job] = field(default_factory=list)
    status: str = "SUBMITTED"
    reason: str | None = None
    created: int = field(default_factory=now)
    started: int | None = None
    stopped: int | None = None
    attempts: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int | None = None
    container_reason: str | None = None
    log_stream: str | None = None
    task: str | None = None
    cancelled: str | None = None  # why, once somebody cancelled or terminated it
    terminated: bool = False

    @property
    def ended(self) -> bool:
        """Whether it has come to its end."""
        return self.status in ENDED

    def end(self, status: str, reason: str | None) -> None:
        """Come to the end."""
        self.status, self.reason, self.stopped = status, reason, now()

    def command(self) -> list[str]:
        """The command, its Ref:: parameters put in; a parameter that nobody set stays as it is written."""

        def value(found: re.Match[str]) -> str:
            return self.parameters.get(found[1], found[0])

        return [_REFERENCE.sub(value, part) for part in self.container.get("command", [])]

    def vcpus(self) -> float:
        """How many vCPUs it needs."""
        named = {each["type"]: each["value"] for each in self.container.get("resourceRequirements", [])}
        return float(named.get("VCPU", self.container.get("vcpus", 1)))

    def log_group(self) -> str:
        """The CloudWatch Logs group that its output goes to."""
        options = self.container.get("logConfiguration", {}).get("options", {})
        return str(options.get("awslogs-group", "/aws/batch/job"))

    def new_log_stream(self) -> str:
        """A stream name as Batch makes it: prefix, 'default', the task's id."""
        options = self.container.get("logConfiguration", {}).get("options", {})
        name = self.definition.rpartition("/")[2].partition(":")[0]
        self.task = uuid.uuid4().hex
        return f"{options.get('awslogs-stream-prefix', name)}/default/{self.task}"

    def summary(self) -> dict[str, Any]:
        """What ListJobs says of it."""
        said = {
            "jobArn": self.arn,
            "jobId": self.id,
            "jobName": self.name,
            "createdAt": self.created,
            "status": self.status,
            "statusReason": self.reason,
            "startedAt": self.started,
            "stoppedAt": self.stopped,
            "jobDefinition": self.definition,
            "arrayProperties": self._array(),
            "container": {"exitCode": self.exit_code, "reason": self.container_reason},
        }
        return {name: value for name, value in said.items() if value is not None}

    def detail(self) -> dict[str, Any]:
        """What DescribeJobs says of it."""
        return {
            **self.summary(),
            "jobQueue": self.queue,
            "parameters": self.parameters,
            "attempts": self.attempts,
            "retryStrategy": {"attempts": self.retries, "evaluateOnExit": self.conditions},
            "timeout": {"attemptDurationSeconds": self.timeout} if self.timeout else None,
            "dependsOn": self.depends,
            "tags": self.tags,
            "platformCapabilities": ["FARGATE"],
            "isCancelled": self.cancelled is not None and not self.terminated,
            "isTerminated": self.terminated,
            "container": {
                **self.container,
                "command": self.command(),
                "exitCode": self.exit_code,
                "reason": self.container_reason,
                "logStreamName": self.log_stream,
                "taskArn": self.task
                and f"{self.arn.rpartition(':job/')[0].replace('batch', 'ecs')}:task/{self.task}",
                "networkInterfaces": [],
            },
        }

    def _array(self) -> dict[str, Any] | None:
        if self.index is not None:
            return {"index": self.index}
        if not self.children:
            return None
        counts = dict.fromkeys((*WAITING, *ACTIVE, *ENDED), 0)
        for child in self.children:
            counts[child.status] += 1
        return {"size": len(self.children), "statusSummary": counts}


def try_again(job: Job, exit_code: int, reason: str) -> bool:
    """Whether a failed attempt is followed by another: attempts left, and the first condition met says so."""
    if job.cancelled is not None or len(job.attempts) >= job.retries:
        return False
    seen = {"onExitCode": str(exit_code), "onStatusReason": reason, "onReason": job.container_reason or ""}
    for condition in job.conditions:
        named = {key: value for key, value in condition.items() if key in seen}
        if all(_like(pattern, seen[key]) for key, pattern in named.items()):
            return condition["action"].upper() == "RETRY"
    return True


def _like(pattern: str, text: str) -> bool:
    """A pattern may end in '*'; case does not count."""
    pattern, text = pattern.lower(), text.lower()
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def overridden(properties: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Container properties with a job's overrides put in; environment and resources by name."""
    plain = ("command", "instanceType", "vcpus", "memory")
    merged = {**properties, **{k: v for k, v in overrides.items() if k in plain}}
    for name, key in (("environment", "name"), ("resourceRequirements", "type")):
        entries = {each[key]: each for each in [*properties.get(name, []), *overrides.get(name, [])]}
        merged[name] = list(entries.values())
    return merged
