"""The web application released through CodeDeploy, and the question to its page whether it answers.

In: the CodeDeploy client, application and deployment group, a bundle in the bucket. Out: the deployment.
A release is due when bundle, settings or servers differ from those of the last successful deployment.
"""

import hashlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.errors import DeployFailed
from aws_vpc.wait import Wait

AGAIN_SECONDS = 1.0
OVER = frozenset(["Succeeded", "Failed", "Stopped"])


@dataclass(frozen=True)
class Target:
    """What is released where: an application, its deployment group, a bundle in a bucket."""

    application: str
    group: str
    bucket: str
    key: str


def settings(ssm: Any, name: str) -> str:
    """The web application's settings as the stack wrote them; empty where it wrote none."""
    try:
        return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return ""
        raise


def servers(ec2: Any, name: str) -> list[str]:
    """The ids of the running instances of this name."""
    filters = [
        {"Name": "tag:Name", "Values": [name]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    reservations = [one for page in pages for one in page["Reservations"]]
    return sorted(instance["InstanceId"] for one in reservations for instance in one["Instances"])


def description(target: Target, environment: str, instances: Sequence[str]) -> str:
    """The words a deployment carries, the same for the same bundle, settings and servers."""
    state = hashlib.sha256(json.dumps([environment, list(instances)]).encode()).hexdigest()[:16]
    return f"{target.key} with settings {state}"


def deployments(codedeploy: Any, target: Target) -> list[dict[str, Any]]:
    """The last deployments of the group, newest first."""
    listed = codedeploy.list_deployments(applicationName=target.application, deploymentGroupName=target.group)
    # CodeDeploy lists the newest first, and tells of 25 at once.
    ids = listed["deployments"][:25]
    found = codedeploy.batch_get_deployments(deploymentIds=ids)["deploymentsInfo"] if ids else []
    return sorted(found, key=lambda one: one["createTime"], reverse=True)


def due(codedeploy: Any, target: Target, words: str, wait: Wait, say: Callable[[str], None]) -> bool:
    """True when the last deployment that succeeded was another one; a running one is followed first."""
    found = deployments(codedeploy, target)
    running = [one for one in found if one["status"] not in OVER]
    if running:
        succeed(codedeploy, running[0]["deploymentId"], wait, say)
        return due(codedeploy, target, words, wait, say)
    last = next((one for one in found if one["status"] == "Succeeded"), None)
    return last is None or last.get("description") != words


def release(codedeploy: Any, target: Target, words: str, wait: Wait, say: Callable[[str], None]) -> str:
    """The id of a deployment that has been made and has succeeded."""
    made = codedeploy.create_deployment(
        applicationName=target.application,
        deploymentGroupName=target.group,
        description=words,
        revision={
            "revisionType": "S3",
            "s3Location": {"bucket": target.bucket, "key": target.key, "bundleType": "zip"},
        },
        fileExistsBehavior="OVERWRITE",
    )
    deployment = str(made["deploymentId"])
    succeed(codedeploy, deployment, wait, say)
    return deployment


def succeed(codedeploy: Any, deployment: str, wait: Wait, say: Callable[[str], None]) -> None:
    """Returns when a deployment has succeeded; DeployFailed tells why it has not."""
    status = ""
    for _ in wait.pauses(f"deployment {deployment}"):
        info = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
        if info["status"] != status:
            status = info["status"]
            say(f"deployment {deployment} {status}")
        if status in OVER:
            break
    if status != "Succeeded":
        reason = why(codedeploy, info)
        back = rolled_back(codedeploy, info, wait, say)
        raise DeployFailed(f"deployment {deployment} of the web application is {status}: {reason}{back}")


def rolled_back(codedeploy: Any, info: dict[str, Any], wait: Wait, say: Callable[[str], None]) -> str:
    """What became of the deployment by which CodeDeploy brings the last version back; empty without one."""
    again = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
    if not again:
        return ""
    status = ""
    for _ in wait.pauses(f"deployment {again}, which brings the last version back"):
        now = codedeploy.get_deployment(deploymentId=again)["deploymentInfo"]["status"]
        if now != status:
            status = now
            say(f"rollback {again} {status}")
        if status in OVER:
            break
    return f"; deployment {again}, which brings the last version back, is {status}"


def why(codedeploy: Any, info: dict[str, Any]) -> str:
    """The reason of a deployment's failure: the lifecycle event that failed on a server, or AWS's summary."""
    try:
        ids = codedeploy.list_deployment_targets(deploymentId=info["deploymentId"])["targetIds"]
        answer = codedeploy.batch_get_deployment_targets(deploymentId=info["deploymentId"], targetIds=ids)
    except ClientError:
        answer = {"deploymentTargets": []}
    for server in (one.get("instanceTarget", {}) for one in answer["deploymentTargets"]):
        for event in server.get("lifecycleEvents", ()):
            if event.get("status") == "Failed":
                told = event.get("diagnostics", {})
                lines = (told.get("logTail") or told.get("message") or "no log").strip().splitlines()
                return f"{event['lifecycleEventName']} on {server.get('targetId')}: {lines[-1]}"
    error = info.get("errorInformation", {})
    return f"{error.get('code', 'no reason given')} {error.get('message', '')}".strip()


def settled_page(
    url: str, tries: int = 6, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any] | None:
    """What the start page tells, asked again while a database is away: at its first connections, on a busy
    machine, the page may give up on one that is there. It asks to be asked again so (Retry-After)."""
    for _ in range(tries - 1):
        found = page(url)
        if found is None or all(one["up"] for one in found["databases"].values()):
            return found
        sleep(AGAIN_SECONDS)
    return page(url)


def page(url: str, seconds: float = 10.0) -> dict[str, Any] | None:
    """What the start page tells as JSON; None where it does not answer, as to an address it is closed to."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/.json", timeout=seconds) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        return None
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
