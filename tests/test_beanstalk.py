"""Elastic Beanstalk: the newest platform, an environment followed until it is healthy."""

from __future__ import annotations

from typing import Any

import pytest

from aws_vpc import beanstalk
from aws_vpc.errors import DeployFailed, Error
from aws_vpc.wait import Wait


def platform(python: str, version: str, **more: str) -> dict[str, str]:
    branch = f"Python {python} running on 64bit Amazon Linux 2023"
    arn = f"arn:aws:elasticbeanstalk:eu-west-1::platform/{branch}/{version}"
    return {"PlatformBranchName": branch, "PlatformVersion": version, "PlatformArn": arn, **more}


def test_the_newest_python_wins_then_the_newest_version_by_number() -> None:
    found = beanstalk.choose(
        [platform("3.9", "4.9.0"), platform("3.13", "4.9.1"), platform("3.13", "4.10.0")]
    )
    assert found == platform("3.13", "4.10.0")["PlatformArn"]


def test_what_is_retired_or_something_else_is_left_alone() -> None:
    old = platform("3.14", "4.0.0", PlatformBranchLifecycleState="Retired")
    broken = platform("3.14", "4.0.1", PlatformStatus="Failed")
    other = {"PlatformBranchName": "Ruby 3.4 running on 64bit Amazon Linux 2023", "PlatformArn": "arn:ruby"}
    assert "3.13" in beanstalk.choose([old, broken, other, platform("3.13", "4.0.0")])
    with pytest.raises(Error, match="give --param PlatformArn=ARN"):
        beanstalk.choose([old, broken, other])


class Environments:
    """A client whose environment goes through these states and stays in the last."""

    def __init__(self, *states: tuple[str, str]) -> None:
        self.states = list(states)

    def describe_environments(self, **_: Any) -> dict[str, Any]:
        status, health = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"Environments": [{"Status": status, "Health": health, "VersionLabel": "v1"}]}

    def describe_environment_health(self, **_: Any) -> dict[str, Any]:
        return {"Causes": ["all instances return 5xx"]}


def wait() -> Wait:
    time = [0.0]
    return Wait(60, now=lambda: time[0], sleep=lambda seconds: time.__setitem__(0, time[0] + seconds))


def test_an_environment_is_followed_until_it_is_ready_and_green() -> None:
    told: list[str] = []
    client = Environments(("Updating", "Grey"), ("Updating", "Grey"), ("Ready", "Yellow"), ("Ready", "Green"))
    beanstalk.healthy(client, "web", wait(), told.append)
    assert [line.split(" ")[2:4] for line in told] == [
        ["Updating", "Grey"],
        ["Ready", "Yellow"],
        ["Ready", "Green"],
    ]


@pytest.mark.parametrize("states", [[("Ready", "Red")], [("Terminating", "Grey")]])
def test_an_unhealthy_environment_is_an_error_with_its_causes(states: list[tuple[str, str]]) -> None:
    with pytest.raises(DeployFailed, match=r"web is not healthy .*: all instances return 5xx"):
        beanstalk.healthy(Environments(*states), "web", wait(), lambda _: None)
