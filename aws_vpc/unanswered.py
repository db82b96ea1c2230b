"""Plans that nobody can answer any more: change sets of runs that were killed, known by their names.

A change set is named after the machine and the process that plans it. Where that process is no more, or where
another machine has left it for a day, it is deleted; a plan that somebody is looking at is left alone.
"""

import hashlib
import os
import re
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.tokens import token

NAME = re.compile(r"aws-vpc-(?P<host>[0-9a-f]{8})-(?P<process>[0-9]+)-[0-9a-f]{32}")
FORGOTTEN = timedelta(days=1)


def name() -> str:
    """The name of a change set that this process makes."""
    return f"aws-vpc-{_host()}-{os.getpid()}-{token().removeprefix('aws-vpc-')}"


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def clear(cfn: Any, stack_id: str, now: datetime | None = None) -> int:
    """How many change sets of the stack were deleted because nobody can answer them."""
    moment = now or datetime.now(UTC)
    gone = 0
    for page in cfn.get_paginator("list_change_sets").paginate(StackName=stack_id):
        for one in page["Summaries"]:
            if is_unanswered(one, moment):
                gone += _delete(cfn, stack_id, one["ChangeSetId"])
    return gone


def is_unanswered(summary: Mapping[str, Any], now: datetime) -> bool:
    """True for a change set of this project that was never executed and whose maker is gone.

    Those of nested stacks go with the root's.
    """
    found = NAME.fullmatch(summary["ChangeSetName"])
    waits = summary.get("ExecutionStatus") in {"AVAILABLE", "UNAVAILABLE"}
    if not found or not waits or summary.get("ParentChangeSetId"):
        return False
    if found["host"] != _host():
        return bool(now - summary["CreationTime"] > FORGOTTEN)
    return not _runs(int(found["process"]))


def _runs(process: int) -> bool:
    """True when a process of this machine has the id."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _delete(cfn: Any, stack_id: str, change_set_id: str) -> bool:
    try:
        cfn.delete_change_set(ChangeSetName=change_set_id, StackName=stack_id)
    except ClientError:  # just executed, or just deleted by another run
        return False
    return True
