"""The Elastic Beanstalk side of a release: the newest platform, and an environment followed until healthy.

In: the Elastic Beanstalk client. Out: a platform's ARN; DeployFailed where an environment stays unwell.
The application version is a resource of the template: the stack brings it up, here it is waited for.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aws_vpc.errors import DeployFailed, Error
from aws_vpc.wait import Wait

BRANCH = re.compile(r"Python (\d+)\.(\d+) running on 64bit Amazon Linux 2023")


def newest_platform(client: Any) -> str:
    """The ARN of the newest Python platform on Amazon Linux 2023."""
    filters = [{"Type": "PlatformName", "Operator": "contains", "Values": ["Python"]}]
    found: list[Mapping[str, Any]] = []
    for page in client.get_paginator("list_platform_versions").paginate(Filters=filters):
        found += page["PlatformSummaryList"]
    return choose(found)


def choose(summaries: Iterable[Mapping[str, Any]]) -> str:
    """The newest platform in members of ListPlatformVersions that is ready and not about to be retired."""
    ready = [
        (branch, version(one.get("PlatformVersion", "")), str(one["PlatformArn"]))
        for one in summaries
        if one.get("PlatformStatus", "Ready") == "Ready"
        and one.get("PlatformBranchLifecycleState", "Supported") == "Supported"
        and (branch := python(one))
    ]
    if not ready:
        raise Error("no Python platform on Amazon Linux 2023 in this Region; give --param PlatformArn=ARN")
    return max(ready)[2]


def python(summary: Mapping[str, Any]) -> tuple[int, ...]:
    """The version of Python of a platform, empty for another kind of platform."""
    match = BRANCH.search(f"{summary.get('PlatformBranchName', '')} {summary.get('PlatformArn', '')}")
    return tuple(map(int, match.groups())) if match else ()


def version(text: str) -> tuple[int, ...]:
    """A version that can be compared."""
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def environment(client: Any, name: str) -> Mapping[str, Any]:
    """What Elastic Beanstalk tells of an environment."""
    found = client.describe_environments(EnvironmentNames=[name], IncludeDeleted=False)["Environments"]
    if not found:
        raise Error(f"Elastic Beanstalk has no environment {name}; `aws-vpc update` makes it again")
    answer: Mapping[str, Any] = found[0]
    return answer


def healthy(client: Any, name: str, wait: Wait, say: Callable[[str], None]) -> None:
    """Returns when an environment is ready and green."""
    told = ""
    try:
        for _ in wait.pauses(f"environment {name}"):
            now = environment(client, name)
            state = f"{now['Status']} {now.get('Health', 'Grey')}"
            if state != told:
                told = state
                say(f"environment {name} {state} {now.get('VersionLabel', '')}".rstrip())
            if now["Status"] == "Ready" and now.get("Health") == "Green":
                return
            if now["Status"].startswith("Terminat"):
                break
    except DeployFailed:
        pass
    raise DeployFailed(f"environment {name} is not healthy ({told}): {causes(client, name)}")


def causes(client: Any, name: str) -> str:
    """Why an environment is unwell, in Elastic Beanstalk's words."""
    answer = client.describe_environment_health(EnvironmentName=name, AttributeNames=["Causes"])
    told = "; ".join(answer.get("Causes", ()))
    return told or f"`aws elasticbeanstalk describe-events --environment-name {name}` tells more"
