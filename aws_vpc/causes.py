"""Why an operation failed: the root causes among its events, whose fault each is, and what helps.

In: Event values. Out: Cause values, the deepest stack's first, without what only echoes another.
The kinds of fault are told by the codes of CloudFormation's resource handlers (User Guide, «Handler error
codes») and by the services' own words.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from aws_vpc.events import STACK, Event

CANCELLED = ("cancelled", "canceled")
# What a parent says about its child: the child's own events say it better.
WRAPPED = ("Embedded stack ", "The following resource(s) failed to ", "Nested stack ")
TEMPLATE, ENVIRONMENT = "template fault", "environment fault"
# The first pattern that a reason shows tells the fault and what helps.
FAULTS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), fault, advice)
    for pattern, fault, advice in (
        (r"access ?denied|not authorized|unauthorizedoperation|InvalidCredentials|no permission",
         ENVIRONMENT, 
         "allow it to the identity that deploys, or name a role with --role-arn; doctor lists what lacks"),
        (r"expired ?token|security token .* expired", ENVIRONMENT, "renew the credentials"),
        (r"cannot be (?:deleted|updated) as it is in use by", ENVIRONMENT,
         "update or delete the stack that imports it first"),
        (r"bucket .*not empty|BucketNotEmpty", ENVIRONMENT,
         "empty the bucket, or let teardown do it with --purge-data"),
        (r"ServiceLimitExceeded|limit ?exceeded|maximum number of|quota|too many", ENVIRONMENT,
         "ask Service Quotas for more, or delete what is not used; doctor compares quotas"),
        (r"insufficient ?(?:instance|db|host|cluster)?[\w ]*capacity|not enough capacity", ENVIRONMENT,
         "try later, another zone or another type"),
        (r"throttl|rate exceeded|request limit", ENVIRONMENT, "AWS was busy: run it again"),
        (r"already ?exists|already in use|ResourceConflict|is not unique", ENVIRONMENT,
         "delete or rename what has that name, or give this one another name"),
        (r"dependency ?violation|has dependencies|has a dependent|in use by|is currently in use|still in use",
         ENVIRONMENT, "delete what uses it first"),
        (r"NotStabilized|did not stabilize|timed? ?out|failed to receive .* signal|NetworkFailure",
         ENVIRONMENT, "look at the resource's own logs, then run it again"),
        (r"failed to deploy application|command failed on instance", ENVIRONMENT,
         "mend the application in eb-flask, then release it again"),
        (r"internal ?(?:failure|error|server)|ServiceInternalError|GeneralService|service ?unavailable",
         ENVIRONMENT, "the service failed: run it again"),
        (r"action denied by stack policy|denied by stack policy", ENVIRONMENT,
         "the stack policy protects it; --stack-policy sets another"),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Cause:
    """Why an operation failed: the resource's logical path and the reason in AWS's words."""

    path: tuple[str, ...]
    type: str
    status: str
    reason: str
    change: str = ""  # the property or parameter to change, where one is to blame

    @property
    def fault(self) -> str:
        """Whether the template (or a value given to it) is to blame, or what surrounds it."""
        return judged(self.reason)[0]

    @property
    def advice(self) -> str:
        """What to do about it."""
        fault, advice = judged(self.reason)
        return f"change {self.change}" if self.change and fault == TEMPLATE else advice

    def __str__(self) -> str:
        told = f"{'/'.join(self.path)} ({self.type}) {self.status}: {self.reason or 'no reason given'}"
        return f"{told} [{self.fault}{': ' if self.advice else ''}{self.advice}]"


def judged(reason: str) -> tuple[str, str]:
    """Whose fault a reason speaks of, and what helps."""
    for pattern, fault, advice in FAULTS:
        if pattern.search(reason):
            return fault, advice
    return TEMPLATE, ""


def causes(events: Iterable[Event]) -> list[Cause]:
    """The distinct root causes among `events`, deepest stack first, then in order of time."""
    failures = [event for event in sorted(events, key=lambda event: event.timestamp) if event.failed]
    found: dict[tuple[str, str], Cause] = {}
    for event in failures:
        if is_cancelled(event) or is_wrapper(event, failures):
            continue
        key = ("/".join(event.path), event.reason)
        found.setdefault(key, Cause(event.path, event.type, event.status, event.reason))
    return sorted(found.values(), key=lambda cause: -len(cause.path))


def is_cancelled(event: Event) -> bool:
    """True for a sibling that was only stopped because something else failed."""
    reason = event.reason.lower()
    return any(word in reason for word in CANCELLED) and reason.startswith("resource ")


def is_wrapper(event: Event, failures: Iterable[Event]) -> bool:
    """True for a stack's word about a failure inside it, which the failure's own event says better."""
    if event.type != STACK or not (event.is_own or event.reason.startswith(WRAPPED) or not event.reason):
        return False
    depth = len(event.path)
    return any(len(other.path) > depth and other.path[:depth] == event.path for other in failures)
