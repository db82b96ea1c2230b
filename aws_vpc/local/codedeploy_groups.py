"""CodeDeploy's applications, deployment groups, configurations and revisions, of one Region."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from aws_vpc.local.codedeploy_run import now
from aws_vpc.local.wire import ServiceError

NAME = re.compile(r"[A-Za-z0-9+=,.@_-]{1,100}")
PAGE = 100
ALL_AT_ONCE = "CodeDeployDefault.AllAtOnce"
DEFAULTS = {
    "CodeDeployDefault.OneAtATime": {"type": "HOST_COUNT", "value": 1},
    "CodeDeployDefault.HalfAtATime": {"type": "FLEET_PERCENT", "value": 50},
    ALL_AT_ONCE: {"type": "HOST_COUNT", "value": 0},
}
EMPTY_GROUP: dict[str, Any] = {
    "ec2TagFilters": [],
    "onPremisesInstanceTagFilters": [],
    "autoScalingGroups": [],
    "triggerConfigurations": [],
    "deploymentStyle": {"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"},
    "outdatedInstancesStrategy": "UPDATE",
    "terminationHookEnabled": False,
}


def refuse(code: str, message: str) -> ServiceError:
    """An error of CodeDeploy; its codes end in Exception."""
    return ServiceError(f"{code}Exception", message)


def page(name: str, rows: list[Any], params: dict[str, Any], token: str = "nextToken") -> dict[str, Any]:
    """One page of a list."""
    start = int(params.get(token) or 0)
    more = {token: str(start + PAGE)} if start + PAGE < len(rows) else {}
    return {name: rows[start : start + PAGE], **more}


@dataclass
class Application:
    """An application with its groups and the revisions it knows, by their text."""

    info: dict[str, Any]
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    revisions: dict[str, dict[str, Any]] = field(default_factory=dict)


class Groups:
    """The operations on them; each takes the request's parameters and gives the answer."""

    def __init__(self, region: str, account: str) -> None:
        self.region, self.account = region, account
        self.applications: dict[str, Application] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        for name, minimum in DEFAULTS.items():
            self._new_config(name, {"minimumHealthyHosts": minimum})

    def application(self, params: dict[str, Any]) -> Application:
        """The application that the parameters name."""
        name = params.get("applicationName")
        if not name:
            raise refuse("ApplicationNameRequired", "An application name is required but was not found.")
        if name not in self.applications:
            raise refuse("ApplicationDoesNotExist", f"No application found for name: {name}")
        return self.applications[name]

    def group(self, params: dict[str, Any], key: str = "deploymentGroupName") -> dict[str, Any]:
        """The deployment group that the parameters name."""
        application, name = self.application(params), params.get(key)
        if not name:
            raise refuse("DeploymentGroupNameRequired", "You must specify a deployment group name.")
        if name not in application.groups:
            raise refuse("DeploymentGroupDoesNotExist", f"No Deployment Group found for name: {name}")
        return application.groups[name]

    # ------------------------------------------------------------ applications

    def create_application(self, params: dict[str, Any]) -> dict[str, Any]:
        """Its id."""
        name = self._fit(params.get("applicationName", ""), "Application")
        if name in self.applications:
            raise refuse("ApplicationAlreadyExists", f"Application already exists with name: {name}")
        info = {
            "applicationId": str(uuid.uuid4()),
            "applicationName": name,
            "createTime": now(),
            "linkedToGitHub": False,
            "computePlatform": params.get("computePlatform", "Server"),
        }
        self.applications[name] = Application(info)
        self._tag(f"application:{name}", params)
        return {"applicationId": info["applicationId"]}

    def get_application(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is known of it."""
        return {"application": self.application(params).info}

    def batch_get_applications(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is known of each."""
        names = params["applicationNames"]
        return {"applicationsInfo": [self.application({"applicationName": name}).info for name in names]}

    def list_applications(self, params: dict[str, Any]) -> dict[str, Any]:
        """Their names."""
        return page("applications", sorted(self.applications), params)

    def update_application(self, params: dict[str, Any]) -> dict[str, Any]:
        """Nothing: the application has its new name."""
        application, new = self.application(params), params.get("newApplicationName")
        if new and new != params["applicationName"]:
            if new in self.applications:
                raise refuse("ApplicationAlreadyExists", f"Application already exists with name: {new}")
            application.info["applicationName"] = self._fit(new, "Application")
            self.applications[new] = self.applications.pop(params["applicationName"])
            for group in application.groups.values():
                group["applicationName"] = new
        return {}

    def delete_application(self, params: dict[str, Any]) -> dict[str, Any]:
        """Nothing: the application and its groups are gone, or never were."""
        name = params.get("applicationName", "")
        gone = self.applications.pop(name, None)
        for group in gone.groups if gone else ():
            self.tags.pop(self._arn(f"deploymentgroup:{name}/{group}"), None)
        self.tags.pop(self._arn(f"application:{name}"), None)
        return {}

    # ------------------------------------------------------------ deployment groups

    def create_deployment_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """Its id."""
        application = self.application(params)
        name = self._fit(params.get("deploymentGroupName", ""), "DeploymentGroup")
        if name in application.groups:
            raise refuse("DeploymentGroupAlreadyExists", f"Deployment group already exists with name: {name}")
        self._check(params)
        given = {key: value for key, value in params.items() if key != "tags"}
        application.groups[name] = {
            **EMPTY_GROUP,
            "deploymentConfigName": "CodeDeployDefault.OneAtATime",
            **given,
            "deploymentGroupId": str(uuid.uuid4()),
            "computePlatform": application.info["computePlatform"],
        }
        self._tag(f"deploymentgroup:{params['applicationName']}/{name}", params)
        return {"deploymentGroupId": application.groups[name]["deploymentGroupId"]}

    def update_deployment_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """Nothing left to clean up: the group has what was given, the rest stays."""
        group = self.group(params, "currentDeploymentGroupName")
        self._check(params)
        new = params.get("newDeploymentGroupName")
        names = {"applicationName", "currentDeploymentGroupName", "newDeploymentGroupName"}
        group.update({key: value for key, value in params.items() if key not in names})
        if new and new != group["deploymentGroupName"]:
            groups = self.application(params).groups
            if new in groups:
                raise refuse(
                    "DeploymentGroupAlreadyExists", f"Deployment group already exists with name: {new}"
                )
            groups[new] = groups.pop(group["deploymentGroupName"])
            group["deploymentGroupName"] = new
        return {"hooksNotCleanedUp": []}

    def get_deployment_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is known of it."""
        return {"deploymentGroupInfo": self.group(params)}

    def batch_get_deployment_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is known of each."""
        found = self.application(params).groups
        return {
            "deploymentGroupsInfo": [found[name] for name in params["deploymentGroupNames"] if name in found]
        }

    def list_deployment_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        """Their names."""
        names = sorted(self.application(params).groups)
        return {"applicationName": params["applicationName"], **page("deploymentGroups", names, params)}

    def delete_deployment_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """Nothing left to clean up: the group is gone, or never was."""
        application, name = self.applications.get(params["applicationName"]), params["deploymentGroupName"]
        if application:
            application.groups.pop(name, None)
            self.tags.pop(self._arn(f"deploymentgroup:{params['applicationName']}/{name}"), None)
        return {"hooksNotCleanedUp": []}

    def _check(self, params: dict[str, Any]) -> None:
        name = params.get("deploymentConfigName")
        if name and name not in self.configs:
            raise refuse(
                "DeploymentConfigDoesNotExist", f"No Deployment Configuration found for name: {name}"
            )
        role = params.get("serviceRoleArn")
        if role is not None and not re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/.+", role):
            raise refuse("InvalidRole", f"The service role ARN is not valid: {role}")
        if params.get("ec2TagFilters") and params.get("ec2TagSet"):
            raise refuse(
                "InvalidEC2TagCombination",
                "A call was submitted that specified both Ec2TagFilters and Ec2TagSet, but only one of these "
                "data types can be used in a single call.",
            )

    # ------------------------------------------------------------ deployment configurations

    def _new_config(self, name: str, params: dict[str, Any]) -> None:
        names = ("minimumHealthyHosts", "trafficRoutingConfig", "zonalConfig")
        kept: dict[str, Any] = {each: params[each] for each in names if each in params}
        self.configs[name] = {
            "deploymentConfigId": str(uuid.uuid4()),
            "deploymentConfigName": name,
            "createTime": now(),
            "computePlatform": params.get("computePlatform", "Server"),
            **kept,
        }

    def create_deployment_config(self, params: dict[str, Any]) -> dict[str, Any]:
        """Its id."""
        name = self._fit(params.get("deploymentConfigName", ""), "DeploymentConfig")
        if name in self.configs:
            raise refuse("DeploymentConfigAlreadyExists", f"Deployment Configuration already exists: {name}")
        if params.get("computePlatform", "Server") == "Server" and "minimumHealthyHosts" not in params:
            raise refuse(
                "InvalidMinimumHealthyHostValue", "The minimum healthy instance value was not given."
            )
        self._new_config(name, params)
        return {"deploymentConfigId": self.configs[name]["deploymentConfigId"]}

    def get_deployment_config(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is known of it."""
        name = params["deploymentConfigName"]
        if name not in self.configs:
            raise refuse(
                "DeploymentConfigDoesNotExist", f"No Deployment Configuration found for name: {name}"
            )
        return {"deploymentConfigInfo": self.configs[name]}

    def list_deployment_configs(self, params: dict[str, Any]) -> dict[str, Any]:
        """Their names."""
        return page("deploymentConfigsList", sorted(self.configs), params)

    def delete_deployment_config(self, params: dict[str, Any]) -> dict[str, Any]:
        """Nothing: the configuration is gone, or never was."""
        name = params["deploymentConfigName"]
        if name in DEFAULTS:
            raise refuse("InvalidOperation", f"Cannot delete the default deployment configuration {name}")
        groups = [g for a in self.applications.values() for g in a.groups.values()]
        if any(group["deploymentConfigName"] == name for group in groups):
            raise refuse("DeploymentConfigInUse", f"The deployment configuration {name} is still in use")
        self.configs.pop(name, None)
        return {}

    # ------------------------------------------------------------ revisions

    def register_application_revision(self, params: dict[str, Any]) -> dict[str, Any]:
        """Nothing: the application knows the revision."""
        application = self.application(params)
        text = json.dumps(params["revision"], sort_keys=True)
        known = application.revisions.setdefault(
            text, {"revision": params["revision"], "registerTime": now()}
        )
        known.update({k: params[k] for k in ("description",) if k in params})
        return {}

    def get_application_revision(self, params: dict[str, Any]) -> dict[str, Any]:
        """What is known of it."""
        found = self.application(params).revisions.get(json.dumps(params["revision"], sort_keys=True))
        if found is None:
            raise refuse("RevisionDoesNotExist", "No application revision found for the location")
        shown = {k: v for k, v in found.items() if k != "revision"}
        return {**params, "revisionInfo": shown}

    def list_application_revisions(self, params: dict[str, Any]) -> dict[str, Any]:
        """The revisions of an application."""
        return page("revisions", [r["revision"] for r in self.application(params).revisions.values()], params)

    # ------------------------------------------------------------ tags

    def list_tags_for_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        """The tags."""
        tags = self.tags.get(params["ResourceArn"], {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def tag_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        """Nothing: the tags are there."""
        self.tags.setdefault(params["ResourceArn"], {}).update(_tags(params["Tags"]))
        return {}

    def untag_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        """Nothing: the tags are gone."""
        for key in params["TagKeys"]:
            self.tags.get(params["ResourceArn"], {}).pop(key, None)
        return {}

    def _tag(self, named: str, params: dict[str, Any]) -> None:
        self.tags[self._arn(named)] = _tags(params.get("tags", []))

    def _arn(self, named: str) -> str:
        return f"arn:aws:codedeploy:{self.region}:{self.account}:{named}"

    def _fit(self, name: str, kind: str) -> str:
        if not name:
            raise refuse(f"{kind}NameRequired", f"A name is required for the {kind}.")
        if not NAME.fullmatch(name):
            raise refuse(f"Invalid{kind}Name", f"Invalid {kind} name: {name}")
        return name


def _tags(pairs: list[dict[str, str]]) -> dict[str, str]:
    return {pair["Key"]: pair.get("Value", "") for pair in pairs}
