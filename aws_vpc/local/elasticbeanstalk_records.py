"""Applications, versions, configuration templates, platforms and tags of Elastic Beanstalk, in one Region."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.local import elasticbeanstalk_options as options
from aws_vpc.local.elasticbeanstalk_environment import Environment
from aws_vpc.local.elasticbeanstalk_platforms import fits, platform, platforms, summary
from aws_vpc.local.service import Answer, Parameters, now, page, tag_map
from aws_vpc.local.wire import ServiceError
from aws_vpc.local.world import World

Record = dict[str, Any]
APPLICATION = ("Description", "ResourceLifecycleConfig")  # what may be said of an application


def invalid(message: str, code: str = "InvalidParameterValue") -> ServiceError:
    """The error that Elastic Beanstalk has for nearly everything."""
    return ServiceError(code, message)


class Records:
    """What is kept of Elastic Beanstalk beside its environments."""

    def __init__(self, world: World, region: str) -> None:
        self.world, self.region = world, region
        self.arn = f"arn:aws:elasticbeanstalk:{region}:{world.account}"
        self._applications: dict[str, Record] = {}
        self._versions: dict[tuple[str, str], Record] = {}
        self._templates: dict[tuple[str, str], Record] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self.environments: dict[str, Environment] = {}
        self.events: list[Record] = []

    # ------------------------------------------------------------ applications

    def create_application(self, params: Parameters) -> Answer:
        """The new application."""
        name = params.get("ApplicationName") or ""
        if not 1 <= len(name) <= 100 or "/" in name:
            raise invalid(f"Value '{name}' at 'applicationName' failed to satisfy constraint")
        if name in self._applications:
            raise invalid(f"Application {name} already exists.")
        arn = f"{self.arn}:application/{name}"
        kept: Record = {key: params[key] for key in APPLICATION if key in params}
        self._applications[name] = {"ApplicationName": name, "ApplicationArn": arn, **kept, **times()}
        self._tags[arn] = tag_map(params.get("Tags"))
        return {"Application": self._shown(name)}

    def update_application(self, params: Parameters) -> Answer:
        """The application as it is now."""
        record = self._application(params)
        record |= {"Description": params.get("Description", ""), "DateUpdated": now()}
        return {"Application": self._shown(record["ApplicationName"])}

    def update_application_resource_lifecycle(self, params: Parameters) -> Answer:
        """The lifecycle of the application's versions as it is now."""
        record = self._application(params)
        record["ResourceLifecycleConfig"] = params["ResourceLifecycleConfig"]
        return {key: record[key] for key in ("ApplicationName", "ResourceLifecycleConfig")}

    def describe_applications(self, params: Parameters) -> Answer:
        """The applications that are named, or all."""
        wanted = params.get("ApplicationNames") or list(self._applications)
        return {"Applications": [self._shown(name) for name in wanted if name in self._applications]}

    def delete_application(self, params: Parameters) -> Answer:
        """Nothing; the application, its versions and templates are gone."""
        name = params["ApplicationName"]
        running = [each for each in self.living() if each.record["ApplicationName"] == name]
        if running and not params.get("TerminateEnvByForce"):
            text = (
                f"Unable to delete application {name} because it has a version that is deployed to a running "
            )
            raise invalid(f"{text}environment.", "OperationInProgress")
        for environment in running:
            self.terminate_environment({"EnvironmentId": environment.record["EnvironmentId"]})
        self._applications.pop(name, None)
        self._versions = {key: each for key, each in self._versions.items() if key[0] != name}
        self._templates = {key: each for key, each in self._templates.items() if key[0] != name}
        return {}

    def terminate_environment(self, params: Parameters) -> Answer:
        """What the part that knows environments answers."""
        raise NotImplementedError

    def living(self) -> list[Environment]:
        """The environments that are not terminated."""
        return [each for each in self.environments.values() if each.status != "Terminated"]

    def _application(self, params: Parameters) -> Record:
        name = params.get("ApplicationName", "")
        if name not in self._applications:
            raise invalid(f"No Application named '{name}' found.")
        return self._applications[name]

    def _shown(self, name: str) -> Record:
        versions = [label for application, label in self._versions if application == name]
        templates = [label for application, label in self._templates if application == name]
        return {**self._applications[name], "Versions": versions, "ConfigurationTemplates": templates}

    # ------------------------------------------------------------ versions

    def create_application_version(self, params: Parameters) -> Answer:
        """The new version of an application."""
        name, label = params.get("ApplicationName", ""), params.get("VersionLabel", "")
        if params.get("AutoCreateApplication") and name not in self._applications:
            self.create_application({"ApplicationName": name})
        self._application(params)
        if (name, label) in self._versions:
            raise invalid(f"Application Version {label} already exists.")
        for key in ("BuildConfiguration", "ImageConfiguration", "SourceBuildInformation"):
            if params.get(key):
                raise NotImplementedError(f"versions with {key} are not modelled")
        bundle = params.get("SourceBundle")
        if bundle:
            self._find(bundle)
        arn = f"{self.arn}:applicationversion/{name}/{label}"
        self._versions[name, label] = {
            "ApplicationName": name,
            "ApplicationVersionArn": arn,
            "VersionLabel": label,
            "Status": "PROCESSED" if params.get("Process") else "UNPROCESSED",
            **{key: params[key] for key in ("Description", "SourceBundle") if params.get(key)},
            **times(),
        }
        self._tags[arn] = tag_map(params.get("Tags"))
        return {"ApplicationVersion": self._versions[name, label]}

    def update_application_version(self, params: Parameters) -> Answer:
        """The version as it is now."""
        record = self.version(params["ApplicationName"], params["VersionLabel"])
        record |= {"Description": params.get("Description", ""), "DateUpdated": now()}
        return {"ApplicationVersion": record}

    def describe_application_versions(self, params: Parameters) -> Answer:
        """The versions that are named, or all, the youngest first."""
        name, labels = params.get("ApplicationName"), params.get("VersionLabels")
        found = [
            record
            for (application, label), record in reversed(self._versions.items())
            if (not name or application == name) and (not labels or label in labels)
        ]
        return page("ApplicationVersions", found, params, "MaxRecords", "NextToken")

    def delete_application_version(self, params: Parameters) -> Answer:
        """Nothing; the version is gone, and its bundle when asked for."""
        name, label = params["ApplicationName"], params["VersionLabel"]
        record = self.version(name, label)
        for each in self.living():
            if (each.record["ApplicationName"], each.record.get("VersionLabel")) == (name, label):
                text = "Application Version is currently deployed to a running environment: "
                raise invalid(text + each.record["EnvironmentName"], "SourceBundleDeletionException")
        del self._versions[name, label]
        if params.get("DeleteSourceBundle") and "SourceBundle" in record:
            bundle = record["SourceBundle"]
            client = self.world.client("s3", self.region)
            client.delete_object(Bucket=bundle["S3Bucket"], Key=bundle["S3Key"])
        return {}

    def version(self, application: str, label: str) -> Record:
        """The record of a version; ServiceError when there is none."""
        if (application, label) not in self._versions:
            raise invalid(f"No Application Version named '{label}' found.")
        return self._versions[application, label]

    def _find(self, bundle: dict[str, str]) -> None:
        """Raise ServiceError when the source bundle is not in S3."""
        try:
            client = self.world.client("s3", self.region)
            client.head_object(Bucket=bundle["S3Bucket"], Key=bundle["S3Key"])
        except ClientError as error:
            where = f"(Bucket: {bundle['S3Bucket']}  Key: {bundle['S3Key']})"
            reason = error.response["Error"].get("Message") or error.response["Error"]["Code"]
            text = f"Unable to download from S3 location {where}. Reason: {reason}"
            raise invalid(text, "InvalidParameterCombination") from None

    # ------------------------------------------------------------ configuration templates

    def create_configuration_template(self, params: Parameters) -> Answer:
        """The new template of options."""
        name, label = self._application(params)["ApplicationName"], params["TemplateName"]
        if (name, label) in self._templates:
            raise invalid(f"Configuration Template {label} already exists.")
        record: Record = {"ApplicationName": name, "TemplateName": label, **times()}
        settings: list[options.Option] = []
        if source := params.get("SourceConfiguration"):
            copied = self.template(source.get("ApplicationName", name), source["TemplateName"])
            settings, record["PlatformArn"] = copied["OptionSettings"], copied.get("PlatformArn")
            record["SolutionStackName"] = copied.get("SolutionStackName")
        elif params.get("EnvironmentId"):
            environment = self.environments[params["EnvironmentId"]]
            settings = environment.options
            record |= {key: environment.record[key] for key in ("PlatformArn", "SolutionStackName")}
        if params.get("PlatformArn") or params.get("SolutionStackName"):
            found = platform(self.region, params.get("PlatformArn"), params.get("SolutionStackName"))
            record |= {key: found[key] for key in ("PlatformArn", "SolutionStackName")}
        record["OptionSettings"] = options.over(settings, params.get("OptionSettings") or [])
        record |= {key: params[key] for key in ("Description",) if key in params}
        self._templates[name, label] = record
        return record

    def update_configuration_template(self, params: Parameters) -> Answer:
        """The template as it is now."""
        record = self.template(params["ApplicationName"], params["TemplateName"])
        fresh, removed = params.get("OptionSettings") or [], params.get("OptionsToRemove") or []
        record["OptionSettings"] = options.over(record["OptionSettings"], fresh, removed)
        record |= {key: params[key] for key in ("Description",) if key in params} | {"DateUpdated": now()}
        return record

    def delete_configuration_template(self, params: Parameters) -> Answer:
        """Nothing; the template is gone."""
        self.template(params["ApplicationName"], params["TemplateName"])
        del self._templates[params["ApplicationName"], params["TemplateName"]]
        return {}

    def template(self, application: str, name: str) -> Record:
        """The record of a configuration template; ServiceError when there is none."""
        if (application, name) not in self._templates:
            raise invalid(f"No Configuration Template named '{application}/{name}' found.")
        return self._templates[application, name]

    # ------------------------------------------------------------ platforms and tags

    def list_platform_versions(self, params: Parameters) -> Answer:
        """The platform versions that pass the filters, the newest first."""
        wanted = params.get("Filters") or []
        found = [
            summary(each) for each in platforms(self.region) if all(fits(each, filter) for filter in wanted)
        ]
        return page("PlatformSummaryList", found, params, "MaxRecords", "NextToken")

    def describe_platform_version(self, params: Parameters) -> Answer:
        """One platform version."""
        return {"PlatformDescription": platform(self.region, params.get("PlatformArn"), None)}

    def list_available_solution_stacks(self, params: Parameters) -> Answer:
        """The names of the platform versions as solution stacks."""
        names = [each["SolutionStackName"] for each in platforms(self.region)]
        details = [{"SolutionStackName": name, "PermittedFileTypes": ["zip"]} for name in names]
        return {"SolutionStacks": names, "SolutionStackDetails": details}

    def list_tags_for_resource(self, params: Parameters) -> Answer:
        """The tags of an application, a version or an environment."""
        arn = params["ResourceArn"]
        tags = [{"Key": key, "Value": value} for key, value in self._tagged(arn).items()]
        return {"ResourceArn": arn, "ResourceTags": tags}

    def update_tags_for_resource(self, params: Parameters) -> Answer:
        """Nothing; tags are added and removed."""
        tags = self._tagged(params["ResourceArn"])
        for key in params.get("TagsToRemove") or []:
            tags.pop(key, None)
        tags |= tag_map(params.get("TagsToAdd"))
        return {}

    def _tagged(self, arn: str) -> dict[str, str]:
        for environment in self.living():
            if environment.record["EnvironmentArn"] == arn:
                tags: dict[str, str] = environment.record["Tags"]
                return tags
        if arn not in self._tags:
            raise invalid(f"Resource not found for arn '{arn}'.", "ResourceNotFoundException")
        return self._tags[arn]


def times() -> Record:
    """When a new thing was made and changed."""
    return {"DateCreated": now(), "DateUpdated": now()}
