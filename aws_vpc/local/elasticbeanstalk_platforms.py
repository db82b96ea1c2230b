"""The platforms of Elastic Beanstalk that an environment may name, as ListPlatformVersions has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_vpc.local.wire import ServiceError

SYSTEM = "64bit Amazon Linux 2023"
# aws elasticbeanstalk list-platform-versions --filters Type=PlatformName,Operator=contains,Values=Python
# Version of the Python platform branch, and the state of the branch; the newest first.
BRANCHES = {
    "3.14": "Supported",
    "3.13": "Supported",
    "3.12": "Supported",
    "3.11": "Supported",
    "3.9": "Supported",
}
VERSIONS = ("4.8.0", "4.7.3", "4.7.2")  # the newest is the recommended one
RELEASED = datetime(2025, 11, 1, tzinfo=UTC)
STATED = re.compile(
    r"arn:aws[a-z-]*:elasticbeanstalk:[a-z0-9-]+::platform/(?P<branch>.+)/(?P<version>\d+\.\d+\.\d+)"
)


def platforms(region: str) -> list[dict[str, Any]]:
    """The description of each platform version of a Region, the newest first."""
    return [described(region, python, version) for version in VERSIONS for python in BRANCHES]


def described(region: str, python: str, version: str) -> dict[str, Any]:
    """One platform version."""
    branch = f"Python {python} running on {SYSTEM}"
    return {
        "PlatformArn": f"arn:aws:elasticbeanstalk:{region}::platform/{branch}/{version}",
        "PlatformOwner": "AWSElasticBeanstalk",
        "PlatformName": branch,
        "PlatformVersion": version,
        "SolutionStackName": f"{SYSTEM} v{version} running Python {python}",
        "PlatformStatus": "Ready",
        "PlatformCategory": "Python",
        "DateCreated": RELEASED,
        "DateUpdated": RELEASED,
        "Description": branch,
        "Maintainer": "AWS Elastic Beanstalk",
        "OperatingSystemName": "Amazon Linux",
        "OperatingSystemVersion": "2023",
        "ProgrammingLanguages": [{"Name": "Python", "Version": python}],
        "Frameworks": [],
        "SupportedTierList": ["WebServer/Standard", "Worker/SQS/HTTP"],
        "SupportedAddonList": ["Log/S3", "Monitoring/Healthd", "WorkerDaemon/SQSD"],
        **({"PlatformLifecycleState": "Recommended"} if version == VERSIONS[0] else {}),
        "PlatformBranchName": branch,
        "PlatformBranchLifecycleState": BRANCHES[python],
    }


def platform(region: str, arn: str | None, stack: str | None) -> dict[str, Any]:
    """The platform with the ARN or solution stack name; ServiceError when there is none.

    A version that is not listed any more is known all the same, as environments keep theirs for years.
    """
    named = STATED.fullmatch(arn or "")
    if named:
        python = named["branch"].removeprefix("Python ").partition(" ")[0]
        found = described(region, python, named["version"]) if python in BRANCHES else None
        if found and found["PlatformName"] == named["branch"]:
            return found
    for each in platforms(region):
        if stack and each["SolutionStackName"] == stack:
            return each
    if stack and not arn:
        raise ServiceError("InvalidParameterValue", f"No Solution Stack named '{stack}' found.")
    raise ServiceError("InvalidParameterValue", f"No Platform named '{arn}' found.")


LANGUAGE = {"ProgrammingLanguageName": "Name", "ProgrammingLanguageVersion": "Version"}
TESTS = {
    "=": lambda value, values: value in values,
    "!=": lambda value, values: value not in values,
    "in": lambda value, values: value in values,
    "not_in": lambda value, values: value not in values,
    "contains": lambda value, values: any(each in value for each in values),
    "begins_with": lambda value, values: any(value.startswith(each) for each in values),
    "ends_with": lambda value, values: any(value.endswith(each) for each in values),
}


def fits(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether the platform passes a filter of list-platform-versions."""
    kind, operator = wanted.get("Type", ""), wanted.get("Operator", "=")
    if operator not in TESTS:
        raise ServiceError("InvalidParameterValue", f"Unsupported filter operator: {operator}")
    if kind in LANGUAGE:
        return bool(TESTS[operator](found["ProgrammingLanguages"][0][LANGUAGE[kind]], wanted["Values"]))
    if kind == "SupportedTier":
        return any(TESTS[operator](tier, wanted["Values"]) for tier in found["SupportedTierList"])
    if kind not in described("", "3.13", VERSIONS[0]):
        raise ServiceError("InvalidParameterValue", f"Unsupported filter type: {kind}")
    return bool(TESTS[operator](str(found.get(kind, "")), wanted["Values"]))


SUMMARY = (
    "PlatformArn PlatformOwner PlatformStatus PlatformCategory OperatingSystemName OperatingSystemVersion "
    "SupportedTierList SupportedAddonList PlatformLifecycleState PlatformVersion PlatformBranchName "
    "PlatformBranchLifecycleState"
)


def summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """The platform as list-platform-versions shows it."""
    return {key: found[key] for key in SUMMARY.split() if key in found}
