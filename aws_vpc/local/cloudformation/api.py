"""Which function answers which operation."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from aws_vpc.local.cloudformation import (
    api_drift,
    api_events,
    api_read,
    api_rollback,
    api_settings,
    api_write,
    change_sets,
    constraints,
)
from aws_vpc.local.cloudformation.engine import Engine
from aws_vpc.local.wire import ServiceError

Operation = Callable[[Engine, str, dict[str, Any]], dict[str, Any]]
NAMES = {
    api_read: (
        "DescribeStacks", "ListStacks", "DescribeStackEvents", "DescribeStackResource",
        "DescribeStackResources", "ListStackResources", "GetTemplate", "ValidateTemplate",
        "GetTemplateSummary",
        "ListExports", "ListImports", "GetStackPolicy", "DescribeAccountLimits",
        "EstimateTemplateCost",
    ),
    api_write: ("CreateStack", "UpdateStack", "DeleteStack"),
    api_drift: (
        "DetectStackDrift", "DetectStackResourceDrift", "DescribeStackDriftDetectionStatus",
        "DescribeStackResourceDrifts",
    ),
    api_events: ("DescribeEvents",),
    api_rollback: ("CancelUpdateStack", "ContinueUpdateRollback", "RollbackStack"),
    api_settings: ("SignalResource", "UpdateTerminationProtection", "SetStackPolicy"),
    change_sets: (
        "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet", "ListChangeSets",
    ),
}  # fmt: skip


def snake(name: str) -> str:
    """The operation's name as Python writes it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


OPERATIONS: dict[str, Operation] = {
    name: getattr(module, snake(name)) for module, names in NAMES.items() for name in names
}


def call(engine: Engine, operation: str, region: str, params: dict[str, Any]) -> dict[str, Any]:
    """The operation's result; a clear error for one that is not there."""
    if operation not in OPERATIONS:
        raise ServiceError(
            "UnsupportedOperation",
            f"{operation} is not part of the embedded AWS: CloudFormation here answers "
            + ", ".join(sorted(OPERATIONS)),
        )
    constraints.check(operation, params)
    return OPERATIONS[operation](engine, region, params)
