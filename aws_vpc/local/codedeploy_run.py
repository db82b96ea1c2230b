"""A deployment from the first to the last instance, and back to the previous revision when it fails."""

from __future__ import annotations

import logging
import secrets
import string
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aws_vpc.local.codedeploy_agent import Agent, EventFailed
from aws_vpc.local.codedeploy_appspec import EVENTS
from aws_vpc.local.kept import INTERRUPTED
from aws_vpc.local.world import World

log = logging.getLogger("aws_vpc.local")

NO_INSTANCES = (
    "The deployment failed because no instances were found for your deployment group. Check your deployment "
    "group settings to make sure the tags for your Amazon EC2 instances or Auto Scaling groups correctly "
    "identify the instances you want to deploy to, and then try again."
)
UNHEALTHY = (
    "The overall deployment failed because too many individual instances failed deployment, too few healthy "
    "instances are available for deployment, or some instances in your deployment group are experiencing "
    "problems."
)
ACTIVE = ("Created", "Queued", "InProgress")


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def new_id() -> str:
    """A deployment id as CodeDeploy makes it."""
    return "d-" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9))


@dataclass(eq=False)
class Deployment:
    """One deployment: what the API says of it, and of each of its instances."""

    region: str
    info: dict[str, Any]
    group: dict[str, Any]
    minimum: dict[str, Any]  # minimumHealthyHosts of the deployment configuration
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    stopping: bool = False

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.info["deploymentId"])

    @property
    def active(self) -> bool:
        """Whether it has not come to its end."""
        return self.info["status"] in ACTIVE

    def overview(self) -> dict[str, int]:
        """How many instances are in each state."""
        counts = dict.fromkeys(("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"), 0)
        for target in self.targets.values():
            counts[target["status"]] += 1
        return counts

    def end(self, status: str, code: str = "", message: str = "") -> None:
        """Come to the end."""
        if code:
            self.info["errorInformation"] = {"code": code, "message": message}
        self.info["completeTime"] = now()
        self.info["status"] = status


class Runner:
    """Runs deployments, one thread each, and knows the agents of the instances."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.agents: dict[str, Agent] = {}
        self.deployments: dict[str, Deployment] = {}
        world.instance_gone.append(self.instance_gone)

    def instance_gone(self, instance: str) -> None:
        """Begin to end what ran on an instance that was terminated: EC2 does not wait for it either."""
        agent = self.agents.pop(instance, None)
        if agent:
            threading.Thread(target=agent.stop, name=f"end {instance}", daemon=True).start()

    def resume(self) -> list[Agent]:
        """The agents, whose web processes start again; what was being deployed has failed."""
        for deployment in self.deployments.values():
            if deployment.active:
                deployment.end("Failed", "INTERNAL_ERROR", INTERRUPTED)
        for agent in self.agents.values():
            agent.reopen()
        return list(self.agents.values())

    def start(self, deployment: Deployment) -> None:
        """Run a deployment in the background."""
        self.deployments[deployment.id] = deployment
        name = f"deployment {deployment.id}"
        threading.Thread(target=self._run, args=(deployment,), name=name, daemon=True).start()

    def _run(self, deployment: Deployment) -> None:
        try:
            self._through(deployment)
        except Exception as error:
            log.exception("deployment %s", deployment.id)
            deployment.end("Failed", "INTERNAL_ERROR", f"{type(error).__name__}: {error}")
        if deployment.info["status"] == "Succeeded":
            deployment.group["targetRevision"] = deployment.info["revision"]
        elif _rolls_back(deployment):
            self._roll_back(deployment)

    def _through(self, deployment: Deployment) -> None:
        deployment.info["startTime"] = now()
        found = instances(self.world, deployment.region, deployment.group)
        if not found:
            deployment.end("Failed", "NO_INSTANCES", NO_INSTANCES)
            return
        for instance in found:
            arn = f"arn:aws:ec2:{deployment.region}:{self.world.account}:instance/{instance}"
            deployment.targets[instance] = _target(deployment.id, instance, arn)
        deployment.info["status"] = "InProgress"
        failed = 0
        for target in deployment.targets.values():
            if deployment.stopping or not _healthy(deployment, failed, at_least=0):
                _skip(target)
                continue
            failed += not self._install(deployment, target)
        if deployment.stopping:
            deployment.end("Stopped", "MANUAL_STOP", "The deployment was stopped by a user.")
        elif _healthy(deployment, failed, at_least=1):
            deployment.end("Succeeded")
        else:
            deployment.end("Failed", "HEALTH_CONSTRAINTS", UNHEALTHY)

    def _install(self, deployment: Deployment, target: dict[str, Any]) -> bool:
        """Whether every lifecycle event succeeded there; an instance terminated meanwhile is skipped."""
        instance = target["targetId"]
        agent = self.agents.setdefault(instance, Agent.of(self.world, instance, deployment.region))
        release = agent.release(deployment.info)
        steps = agent.steps(release)
        target["status"] = "InProgress"
        if instance not in instances(self.world, deployment.region, deployment.group):
            self.agents.pop(instance, None)
            _skip(target)
            return True
        for event in target["lifecycleEvents"]:
            done = not deployment.stopping and _do(event, steps.get(event["lifecycleEventName"]))
            if self._left(instance, agent):
                _skip(target)
                return True
            if not done:
                _skip(target)
                target["status"] = "Failed"
                return False
            target["lastUpdatedAt"] = now()
        agent.succeeded(release)
        target["status"] = "Succeeded"
        return True

    def _left(self, instance: str, agent: Agent) -> bool:
        """Whether the instance was terminated; what its last hook has started is ended, too."""
        if self.agents.get(instance) is agent:
            return False
        agent.stop()
        return True

    def _roll_back(self, failed: Deployment) -> None:
        """Deploy the last revision that succeeded once more, as a deployment of its own."""
        last = failed.group.get("targetRevision")
        if not last:
            return
        info = {
            **{k: failed.info[k] for k in ("applicationName", "deploymentGroupName", "deploymentConfigName")},
            "computePlatform": "Server",
            "deploymentId": new_id(),
            "revision": last,
            "previousRevision": failed.info["revision"],
            "status": "Created",
            "createTime": now(),
            "creator": "codeDeployRollback",
            "description": f"Rollback of {failed.id}",
            "deploymentStyle": failed.info.get("deploymentStyle"),
            "rollbackInfo": {"rollbackTriggeringDeploymentId": failed.id},
        }
        failed.info["rollbackInfo"] = {"rollbackDeploymentId": info["deploymentId"]}
        self.start(Deployment(failed.region, info, failed.group, failed.minimum))


def _target(deployment: str, instance: str, arn: str) -> dict[str, Any]:
    return {
        "deploymentId": deployment,
        "targetId": instance,
        "targetArn": arn,
        "status": "Pending",
        "lastUpdatedAt": now(),
        "lifecycleEvents": [{"lifecycleEventName": name, "status": "Pending"} for name in EVENTS],
    }


def _skip(target: dict[str, Any]) -> None:
    """Mark what will not happen on an instance."""
    for event in target["lifecycleEvents"]:
        if event["status"] == "Pending":
            event["status"] = "Skipped"
    target.update(status="Skipped", lastUpdatedAt=now())


def _do(event: dict[str, Any], step: Any) -> bool:
    """Whether one lifecycle event succeeded; the event then says how it went."""
    event.update(status="InProgress", startTime=now())
    said = {"errorCode": "Success", "scriptName": "", "message": "Succeeded", "logTail": ""}
    status = "Succeeded"
    try:
        if step:
            step()
    except EventFailed as error:
        status = "Failed"
        said = {
            "errorCode": error.code,
            "scriptName": error.script,
            "message": error.message,
            "logTail": error.tail,
        }
    event.update(diagnostics=said, endTime=now(), status=status)
    return status == "Succeeded"


def _healthy(deployment: Deployment, failed: int, *, at_least: int) -> bool:
    """Whether enough instances are well, or may still become so, by the deployment configuration."""
    total, value = len(deployment.targets), int(deployment.minimum.get("value", 0))
    percent = deployment.minimum.get("type") == "FLEET_PERCENT"
    needed = -(-total * value // 100) if percent else min(value, total)
    if deployment.info["deploymentConfigName"] == "CodeDeployDefault.OneAtATime":
        needed = total - 1  # all but the last
    return total - failed >= max(at_least, needed)


def _rolls_back(deployment: Deployment) -> bool:
    if deployment.info.get("creator") == "codeDeployRollback":
        return False
    wanted = deployment.info.get("autoRollbackConfiguration") or {}
    event = "DEPLOYMENT_STOP_ON_REQUEST" if deployment.info["status"] == "Stopped" else "DEPLOYMENT_FAILURE"
    return bool(wanted.get("enabled")) and event in wanted.get("events", [])


def instances(world: World, region: str, group: dict[str, Any]) -> list[str]:
    """The ids of the running instances that the tags of a deployment group name, the oldest first."""
    tag_set = group.get("ec2TagSet", {}).get("ec2TagSetList") or []
    filters = group.get("ec2TagFilters") or []
    groups = tag_set or ([filters] if filters else [])
    if not groups:
        return []
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    pages = world.client("ec2", region).get_paginator("describe_instances").paginate(Filters=running)
    found = [i for page in pages for r in page["Reservations"] for i in r["Instances"]]
    found.sort(key=lambda instance: instance["LaunchTime"])
    return [
        instance["InstanceId"]
        for instance in found
        if all(any(_tagged(instance.get("Tags", []), each) for each in some) for some in groups)
    ]


def _tagged(tags: Iterable[dict[str, str]], wanted: dict[str, str]) -> bool:
    match wanted.get("Type", "KEY_AND_VALUE"):
        case "KEY_ONLY":
            return any(tag["Key"] == wanted.get("Key") for tag in tags)
        case "VALUE_ONLY":
            return any(tag["Value"] == wanted.get("Value") for tag in tags)
    return any((tag["Key"], tag["Value"]) == (wanted.get("Key"), wanted.get("Value", "")) for tag in tags)
