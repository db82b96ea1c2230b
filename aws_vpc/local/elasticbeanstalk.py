"""AWS Elastic Beanstalk: the whole API is answered here, and an environment really runs its bundle.

elasticbeanstalk_records       applications, versions, configuration templates, platforms, tags
elasticbeanstalk_environment   what stands behind one environment
elasticbeanstalk_options       option settings

    CreateEnvironment ─► Launching ─► instance on record, bundle unpacked, web process ─► Ready, Green | Red
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from aws_vpc.local import elasticbeanstalk_options as options
from aws_vpc.local.elasticbeanstalk_environment import Environment
from aws_vpc.local.elasticbeanstalk_platforms import platform
from aws_vpc.local.elasticbeanstalk_records import Records, invalid, times
from aws_vpc.local.service import Answer, Parameters, new_id, now, page, tag_map, whole
from aws_vpc.local.wire import Handler
from aws_vpc.local.world import World

GROUPS = "AutoScalingGroups LaunchConfigurations LaunchTemplates LoadBalancers Triggers Queues"
NAME = re.compile(r"(?=.{4,40}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
STATED = ("Description", "TemplateName", "OperationsRole")
TIER = {"Name": "WebServer", "Type": "Standard", "Version": "1.0"}
HEALTH = {"Green": "Ok", "Grey": "Pending", "Red": "Severe"}
UNHEALTHY = "Environment health has transitioned from Pending to Severe."
_running: list[ElasticBeanstalk] = []


class ElasticBeanstalk(Records):
    """Elastic Beanstalk in one Region."""

    def create_environment(self, params: Parameters) -> Answer:
        """The environment that is launched in the background."""
        application = self._application(params)["ApplicationName"]
        name = params.get("EnvironmentName") or ""
        if not NAME.fullmatch(name):
            text = "at 'EnvironmentName' failed to satisfy constraint: 4 to 40 letters, digits and hyphens"
            raise invalid(f"Value {name} {text}")
        if any(each.record["EnvironmentName"] == name for each in self.living()):
            raise invalid(f"Environment {name} already exists.")
        tier = {**TIER, **(params.get("Tier") or {})}
        if tier["Name"] != "WebServer":
            raise NotImplementedError(f"environments of the tier {tier['Name']} are not modelled")
        settings, template = self._settings(application, params)
        found = platform(
            self.region,
            params.get("PlatformArn") or template.get("PlatformArn"),
            params.get("SolutionStackName") or template.get("SolutionStackName"),
        )
        label = params.get("VersionLabel")
        if label:
            self.version(application, label)
        record: dict[str, Any] = {
            **{key: params[key] for key in STATED if key in params},
            "EnvironmentName": name,
            "EnvironmentId": new_id("e-", 10),
            "EnvironmentArn": f"{self.arn}:environment/{application}/{name}",
            "ApplicationName": application,
            "VersionLabel": label or "Sample Application",
            "PlatformArn": found["PlatformArn"],
            "SolutionStackName": found["SolutionStackName"],
            "Tier": tier,
            "CNAMEPrefix": params.get("CNAMEPrefix"),
            "EnvironmentLinks": [],
            "Tags": tag_map(params.get("Tags")),
            **times(),
        }
        environment = Environment(self.world, self.region, record, settings)
        self.environments[record["EnvironmentId"]] = environment
        self._say(environment, "createEnvironment is starting.")
        environment.begin("Launching", "Ready", lambda: self._launch(environment))
        return self._shown_environment(environment)

    def _launch(self, environment: Environment) -> None:
        reason = environment.attempt(environment.launch) or self._deploy(environment)
        name = environment.record["EnvironmentName"]
        if reason:
            self._say(environment, UNHEALTHY, "WARN")
            text = "Create environment operation is complete, but with errors. For more information, see "
            self._say(environment, f"{text}troubleshooting documentation.", "ERROR")
            return
        self._say(environment, f"Application available at {environment.host}.")
        self._say(environment, f"Successfully launched environment: {name}")

    def _deploy(self, environment: Environment) -> str:
        """Why the version of the environment does not run; nothing when it does."""
        application, label = (environment.record[key] for key in ("ApplicationName", "VersionLabel"))
        record = self._versions.get((application, label), {})
        reason = environment.attempt(lambda: environment.deploy(record.get("SourceBundle")))
        if reason:
            text = f"[Instance: {environment.instance}] Command failed on instance. {reason}"
            self._say(environment, text, "ERROR")
        return reason

    def _settings(self, application: str, params: Parameters) -> tuple[list[options.Option], dict[str, Any]]:
        """The options that are asked for, over those of the template that is named, and that template."""
        named = params.get("TemplateName")
        template = self.template(application, named) if named else {}
        fresh, removed = params.get("OptionSettings") or [], params.get("OptionsToRemove") or []
        return options.over(template.get("OptionSettings", []), fresh, removed), template

    def update_environment(self, params: Parameters) -> Answer:
        """The environment that is updated in the background."""
        environment = self._environment(params)
        self._must_be_ready(environment)
        record, changes = environment.record, dict[str, Any]()
        application = record["ApplicationName"]
        if params.get("VersionLabel"):
            self.version(application, params["VersionLabel"])
            changes["VersionLabel"] = params["VersionLabel"]
        if params.get("PlatformArn") or params.get("SolutionStackName"):
            found = platform(self.region, params.get("PlatformArn"), params.get("SolutionStackName"))
            changes |= {key: found[key] for key in ("PlatformArn", "SolutionStackName")}
        fresh, removed = params.get("OptionSettings") or [], params.get("OptionsToRemove") or []
        if params.get("TemplateName"):
            fresh = options.over(self.template(application, params["TemplateName"])["OptionSettings"], fresh)
        settings = options.over(environment.options, fresh, removed)
        known = {key: record[key] for key in changes}
        changed = changes != known or settings != environment.options
        environment.options = settings
        record |= {**changes, "DateUpdated": now()}
        record |= {key: params[key] for key in ("Description",) if key in params}
        self._say(environment, "Environment update is starting.")
        environment.begin("Updating", "Ready", lambda: self._update(environment, changed))
        return self._shown_environment(environment)

    def _update(self, environment: Environment, changed: bool) -> None:
        if changed:
            self._say(environment, "Deploying new version to instance(s).")
            if self._deploy(environment):
                text = "Failed to deploy application version."
                self._say(environment, text, "ERROR")
                return
            self._say(environment, "New application version was deployed to running EC2 instances.")
        self._say(environment, "Environment update completed successfully.")

    def restart_app_server(self, params: Parameters) -> Answer:
        """Nothing; the web process is started anew."""
        environment = self._environment(params)
        self._must_be_ready(environment)
        self._say(environment, "restartAppServer is starting.")
        environment.begin("Updating", "Ready", lambda: self._update(environment, True))
        return {}

    def terminate_environment(self, params: Parameters) -> Answer:
        """The environment that is taken down in the background."""
        environment = self._environment(params)
        if environment.status == "Launching":
            environment.finish()
        self._must_be_ready(environment)
        self._say(environment, "terminateEnvironment is starting.")
        environment.begin("Terminating", "Terminated", lambda: self._terminate(environment))
        return self._shown_environment(environment)

    def _terminate(self, environment: Environment) -> None:
        environment.remove()
        environment.health = "Grey"
        self._say(environment, "terminateEnvironment completed successfully.")

    def describe_environments(self, params: Parameters) -> Answer:
        """The environments that fit; the terminated ones too, unless the parameters say no."""
        wanted = {
            "ApplicationName": [params["ApplicationName"]] if params.get("ApplicationName") else None,
            "VersionLabel": [params["VersionLabel"]] if params.get("VersionLabel") else None,
            "EnvironmentId": params.get("EnvironmentIds"),
            "EnvironmentName": params.get("EnvironmentNames"),
        }
        deleted = params.get("IncludeDeleted", True)
        found = [
            self._shown_environment(each)
            for each in self.environments.values()
            if all(not values or each.record[key] in values for key, values in wanted.items())
            and (deleted or each.status != "Terminated")
        ]
        return page("Environments", found, params, "MaxRecords", "NextToken")

    def describe_environment_health(self, params: Parameters) -> Answer:
        """How the environment is, and why."""
        environment = self._environment(params)
        counts = {"Ok": int(environment.health == "Green"), "Severe": int(environment.health == "Red")}
        return {
            "EnvironmentName": environment.record["EnvironmentName"],
            "HealthStatus": HEALTH[environment.health],
            "Status": environment.status,
            "Color": environment.health,
            "Causes": environment.causes,
            "InstancesHealth": counts,
            "RefreshedAt": now(),
        }

    def describe_environment_resources(self, params: Parameters) -> Answer:
        """The instance of the environment; groups and balancers around it are not modelled."""
        environment = self._environment(params)
        groups = {key: list[Any]() for key in GROUPS.split()}
        instances = [{"Id": environment.instance}] if environment.instance else []
        named = {"EnvironmentName": environment.record["EnvironmentName"], "Instances": instances}
        return {"EnvironmentResources": {**named, **groups}}

    def describe_configuration_settings(self, params: Parameters) -> Answer:
        """The options of an environment or a template."""
        if params.get("TemplateName"):
            return {
                "ConfigurationSettings": [self.template(params["ApplicationName"], params["TemplateName"])]
            }
        environment = self._environment(params)
        settings = {**self._shown_environment(environment), "DeploymentStatus": "deployed"}
        return {"ConfigurationSettings": [{**settings, "OptionSettings": environment.options}]}

    def validate_configuration_settings(self, params: Parameters) -> Answer:
        """No messages; ServiceError for an option that there is not."""
        self._application(params)
        options.check(params.get("OptionSettings") or [])
        return {"Messages": []}

    def describe_events(self, params: Parameters) -> Answer:
        """What has happened, the youngest first."""
        wanted = {key: params[key] for key in EVENT_KEYS if params.get(key)}
        least = SEVERITIES.index(params.get("Severity", "TRACE"))
        start, end = params.get("StartTime"), params.get("EndTime")
        found = [
            event
            for event in reversed(self.events)
            if all(event.get(key) == value for key, value in wanted.items())
            and SEVERITIES.index(event["Severity"]) >= least
            and (not start or event["EventDate"] >= start)
            and (not end or event["EventDate"] < end)
        ]
        return page("Events", found, params, "MaxRecords", "NextToken")

    def resume(self) -> list[Environment]:
        """The environments, whose processes start again; what was being ended comes to its end."""
        _running.append(self)
        for environment in self.living():
            doing = environment.status
            if doing == "Terminating":
                environment.begin(doing, "Terminated", partial(self._terminate, environment))
            elif doing == "Ready":
                environment.begin("Updating", "Ready", environment.come_back)
            else:
                environment.begin(doing, "Ready", partial(self._update, environment, True))
        return self.living()

    def stop(self) -> None:
        """End what runs."""
        for environment in self.environments.values():
            environment.finish()
            environment.end()

    def _say(self, environment: Environment, message: str, severity: str = "INFO") -> None:
        kept = ("ApplicationName", "EnvironmentName", "EnvironmentId", "VersionLabel")
        named = {key: environment.record[key] for key in kept}
        self.events.append({**named, "EventDate": now(), "Message": message, "Severity": severity})

    def _environment(self, params: Parameters) -> Environment:
        id, name = params.get("EnvironmentId"), params.get("EnvironmentName")
        for each in self.living():
            if id in (None, each.record["EnvironmentId"]) and name in (None, each.record["EnvironmentName"]):
                return each
        raise invalid(f"No Environment found for EnvironmentName = '{name or id}'.")

    def _must_be_ready(self, environment: Environment) -> None:
        if environment.status != "Ready":
            name = environment.record["EnvironmentName"]
            raise invalid(
                f"Environment named {name} is in an invalid state for this operation. Must be Ready."
            )

    def _shown_environment(self, environment: Environment) -> Answer:
        """The environment as the API shows it; it has an address once it was launched."""
        reached = {"EndpointURL": environment.host, "CNAME": environment.host}
        return {
            **environment.record,
            **(reached if environment.status in ("Ready", "Updating") else {}),
            "Status": environment.status,
            "Health": environment.health,
            "HealthStatus": HEALTH[environment.health],
            "AbortableOperationInProgress": False,
        }


SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
EVENT_KEYS = ("ApplicationName", "EnvironmentName", "EnvironmentId", "VersionLabel")


def handler(world: World) -> Handler:
    """The handler of requests to Elastic Beanstalk."""

    def make(region: str) -> ElasticBeanstalk:
        made = ElasticBeanstalk(world, region)
        _running.append(made)
        return made

    return whole("elasticbeanstalk", world, make)


def stop() -> None:
    """End every environment's process."""
    while _running:
        _running.pop().stop()
