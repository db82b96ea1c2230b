"""Drift of a stack and of every stack in it, detected side by side and read whole.

In: the CloudFormation client, stack ids by their logical paths. Out: Drift values.
DetectStackDrift looks at one stack only (User Guide, «Detect unmanaged configuration changes»), so each
nested one is asked for itself; the resource that stands for a nested stack is therefore left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from aws_vpc.drifted import Drift, Path, parse
from aws_vpc.errors import DeployFailed
from aws_vpc.events import STACK
from aws_vpc.wait import Wait


def detect(cfn: Any, stacks: Mapping[Path, str], wait: Wait) -> list[Drift]:
    """The resources that have drifted in stacks, given by the logical path at which each stands."""
    begun = {
        path: cfn.detect_stack_drift(StackName=one)["StackDriftDetectionId"] for path, one in stacks.items()
    }
    for path, detection in begun.items():
        finish(cfn, detection, path, wait)
    return [one for path, stack_id in stacks.items() for one in drifts(cfn, path, stack_id)]


def finish(cfn: Any, detection: str, path: Path, wait: Wait) -> None:
    """Returns when a detection has ended; DeployFailed tells why one could not look at the stack at all."""
    for _ in wait.pauses(f"drift detection of {'/'.join(path) or 'the root'}"):
        answer = cfn.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if answer["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
    # A detection that failed for some resources still tells of the others.
    if answer["DetectionStatus"] == "DETECTION_FAILED" and not answer.get("StackDriftStatus"):
        reason = answer.get("DetectionStatusReason", "no reason given")
        raise DeployFailed(f"drift of {'/'.join(path) or 'the root'} could not be detected: {reason}")


def drifts(cfn: Any, path: Path, stack_id: str) -> Iterator[Drift]:
    """The resources of one stack that have drifted."""
    request = {"StackName": stack_id, "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    while True:
        answer = cfn.describe_stack_resource_drifts(**request)
        yield from (parse(path, one) for one in answer["StackResourceDrifts"] if one["ResourceType"] != STACK)
        if not answer.get("NextToken"):
            return
        request["NextToken"] = answer["NextToken"]
