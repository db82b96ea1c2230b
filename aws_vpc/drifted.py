"""What has changed outside CloudFormation: values that drift.py reads and report.py tells.

In: members of DescribeStackResourceDrifts. Out: Drift values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """A property that is not what the template says; values are JSON text, None where there is none."""

    path: str
    expected: str | None
    actual: str | None


@dataclass(frozen=True)
class Drift:
    """A resource that has changed, or is gone, outside CloudFormation."""

    path: Path
    type: str
    physical_id: str
    status: str  # MODIFIED or DELETED
    differences: tuple[Difference, ...] = ()


def parse(path: Path, member: Mapping[str, Any]) -> Drift:
    """The drift in a member of DescribeStackResourceDrifts."""
    found = tuple(
        Difference(one["PropertyPath"], one.get("ExpectedValue"), one.get("ActualValue"))
        for one in member.get("PropertyDifferences", ())
    )
    return Drift(
        (*path, member["LogicalResourceId"]),
        member["ResourceType"],
        member.get("PhysicalResourceId", ""),
        member["StackResourceDriftStatus"],
        found,
    )
