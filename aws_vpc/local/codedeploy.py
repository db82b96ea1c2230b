"""AWS CodeDeploy for instances: the whole API is answered here, and deployments really happen.

codedeploy_groups   applications, groups, configurations, revisions, tags
codedeploy_run      a deployment over its instances, and the rollback
codedeploy_agent    what happens on one instance
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from aws_vpc.local import wire
from aws_vpc.local.codedeploy_groups import Groups, page, refuse
from aws_vpc.local.codedeploy_run import Deployment, Runner, new_id, now
from aws_vpc.local.wire import Forward, Handler, Request, Response
from aws_vpc.local.world import World

FROM_GROUP = ("autoRollbackConfiguration", "deploymentStyle", "loadBalancerInfo", "alarmConfiguration")


def handler(world: World) -> Handler:
    """CodeDeploy, all of it."""
    runner = Runner(world)
    regions: dict[str, CodeDeploy] = {}
    world.keep("codedeploy", SimpleNamespace(regions=regions), "regions")
    world.keep("codedeploy.runner", runner, "agents", "deployments", resume=runner.resume)

    def handle(request: Request, _forward: Forward) -> Response:
        if request.region not in regions:
            regions.setdefault(request.region, CodeDeploy(world, runner, request.region))
        service = regions[request.region]
        name, params = wire.parse("codedeploy", request)
        operation = service.operation(name)
        return wire.answer("codedeploy", name, operation(params), wire.spoken("codedeploy", request))

    return handle


class CodeDeploy(Groups):
    """CodeDeploy in one Region."""

    def __init__(self, world: World, runner: Runner, region: str) -> None:
        super().__init__(region, world.account)
        self.runner = runner

    def operation(self, name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """The method that answers an operation."""
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        found = getattr(self, snake, None)
        if found is None:
            raise NotImplementedError(f"CodeDeploy's {name} is not modelled")
        method: Callable[[dict[str, Any]], dict[str, Any]] = found
        return method

    def deployments(self) -> list[Deployment]:
        """The deployments of this Region, the youngest first."""
        return [each for each in list(self.runner.deployments.values()) if each.region == self.region][::-1]

    def deployment(self, params: dict[str, Any]) -> Deployment:
        """The deployment that the parameters name."""
        known = params.get("deploymentId")
        if not known:
            raise refuse("DeploymentIdRequired", "At least one deployment ID must be specified.")
        found = self.runner.deployments.get(known)
        if found is None or found.region != self.region:
            raise refuse("DeploymentDoesNotExist", f"The deployment {known} could not be found")
        return found

    def create_deployment(self, params: dict[str, Any]) -> dict[str, Any]:
        """Its id; it runs in the background."""
        group = self.group(params)
        revision = params.get("revision") or group.get("targetRevision")
        _check_revision(revision)
        active = next((each for each in self.deployments() if each.active and each.group is group), None)
        if active:
            name = group["deploymentGroupName"]
            text = f"The Deployment Group '{name}' already has an active Deployment '{active.id}'"
            raise refuse("DeploymentLimitExceeded", text)
        config = params.get("deploymentConfigName") or group["deploymentConfigName"]
        self._check({"deploymentConfigName": config})
        self.register_application_revision({**params, "revision": revision})
        info = {
            **{key: group[key] for key in FROM_GROUP if key in group},
            **params,
            "deploymentConfigName": config,
            "computePlatform": "Server",
            "deploymentId": new_id(),
            "revision": revision,
            "status": "Created",
            "createTime": now(),
            "creator": "user",
        }
        if group.get("targetRevision"):
            info["previousRevision"] = group["targetRevision"]
        minimum = self.configs[config].get("minimumHealthyHosts", {})
        self.runner.start(Deployment(self.region, info, group, minimum))
        return {"deploymentId": info["deploymentId"]}

    def get_deployment(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is known of it."""
        return {"deploymentInfo": _info(self.deployment(params))}

    def batch_get_deployments(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is known of each that exists."""
        wanted = set(params["deploymentIds"])
        return {"deploymentsInfo": [_info(each) for each in self.deployments() if each.id in wanted]}

    def list_deployments(self, params: dict[str, Any]) -> dict[str, Any]:
        """The ids of the deployments that fit."""
        if params.get("deploymentGroupName"):
            self.group(params)
        elif params.get("applicationName"):
            self.application(params)
        return page("deployments", [each.id for each in self.deployments() if _fits(each, params)], params)

    def get_deployment_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is known of the group, with its last deployments."""
        group = self.group(params)
        mine = [each for each in self.deployments() if each.group is group]
        good = next((each for each in mine if each.info["status"] == "Succeeded"), None)
        last = {"lastAttemptedDeployment": mine[0] if mine else None, "lastSuccessfulDeployment": good}
        told = {
            name: {
                "deploymentId": each.id,
                "status": each.info["status"],
                "createTime": each.info["createTime"],
                "endTime": each.info.get("completeTime"),
            }
            for name, each in last.items()
            if each
        }
        return {"deploymentGroupInfo": {**group, **told}}

    def stop_deployment(self, params: dict[str, Any]) -> dict[str, Any]:
        """Whether it stops: Pending until the event that runs has ended."""
        found = self.deployment(params)
        if not found.active:
            raise refuse("DeploymentAlreadyCompleted", f"The deployment {found.id} is already completed")
        found.stopping = True
        if params.get("autoRollbackEnabled") is not None:
            events = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"]
            found.info["autoRollbackConfiguration"] = {
                "enabled": params["autoRollbackEnabled"],
                "events": events,
            }
        return {"status": "Pending", "statusMessage": "Stopping deployment."}

    def continue_deployment(self, params: dict[str, Any]) -> dict[str, Any]:
        """Nothing: only blue/green deployments wait."""
        raise refuse(
            "DeploymentIsNotInReadyState",
            f"The deployment {self.deployment(params).id} is not in ready state",
        )

    # ------------------------------------------------------------ targets

    def list_deployment_targets(self, params: dict[str, Any]) -> dict[str, Any]:
        """The ids of the instances of a deployment."""
        wanted = params.get("targetFilters", {}).get("TargetStatus")
        targets = self.deployment(params).targets.values()
        return page(
            "targetIds", [t["targetId"] for t in targets if not wanted or t["status"] in wanted], params
        )

    def list_deployment_instances(self, params: dict[str, Any]) -> dict[str, Any]:
        """The same by its older name."""
        wanted = params.get("instanceStatusFilter")
        targets = self.deployment(params).targets.values()
        return page(
            "instancesList", [t["targetId"] for t in targets if not wanted or t["status"] in wanted], params
        )

    def get_deployment_target(self, params: dict[str, Any]) -> dict[str, Any]:
        """One instance of a deployment, with its lifecycle events."""
        return {"deploymentTarget": _shown(self._target(params, params["targetId"]))}

    def batch_get_deployment_targets(self, params: dict[str, Any]) -> dict[str, Any]:
        """Instances of a deployment, with their lifecycle events."""
        return {"deploymentTargets": [_shown(self._target(params, each)) for each in params["targetIds"]]}

    def get_deployment_instance(self, params: dict[str, Any]) -> dict[str, Any]:
        """One instance by its older name."""
        return {"instanceSummary": _summary(self._target(params, params["instanceId"]))}

    def batch_get_deployment_instances(self, params: dict[str, Any]) -> dict[str, Any]:
        """Instances by their older name."""
        return {"instancesSummary": [_summary(self._target(params, each)) for each in params["instanceIds"]]}

    def _target(self, params: dict[str, Any], known: str) -> dict[str, Any]:
        found = self.deployment(params).targets.get(known.rpartition("/")[2])
        if found is None:
            raise refuse("DeploymentTargetDoesNotExist", f"The deployment target {known} could not be found")
        return found


def _check_revision(revision: dict[str, Any] | None) -> None:
    if not revision:
        raise refuse("RevisionRequired", "Revision is required for the deployment")
    place = revision.get("s3Location", {})
    if revision.get("revisionType", "S3") != "S3" or not (place.get("bucket") and place.get("key")):
        raise refuse("InvalidRevision", "The revision must be an S3 location with bucket and key")
    if place.get("bundleType", "zip") not in ("zip", "tar", "tgz"):
        raise refuse(
            "InvalidRevision", f"The bundle type {place['bundleType']} is not supported for instances"
        )


def _info(deployment: Deployment) -> dict[str, Any]:
    return {**deployment.info, "deploymentOverview": deployment.overview()}


def _fits(deployment: Deployment, params: dict[str, Any]) -> bool:
    for name in ("applicationName", "deploymentGroupName"):
        if params.get(name) and deployment.info[name] != params[name]:
            return False
    wanted, times = params.get("includeOnlyStatuses"), params.get("createTimeRange", {})
    made = deployment.info["createTime"]
    if (times.get("start") and made < times["start"]) or (times.get("end") and made > times["end"]):
        return False
    return not wanted or deployment.info["status"] in wanted


def _shown(target: dict[str, Any]) -> dict[str, Any]:
    return {"deploymentTargetType": "InstanceTarget", "instanceTarget": target}


def _summary(target: dict[str, Any]) -> dict[str, Any]:
    kept = ("deploymentId", "status", "lastUpdatedAt", "lifecycleEvents")
    return {"instanceId": target["targetArn"], **{name: target[name] for name in kept}}
