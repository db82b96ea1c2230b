"""Elastic Beanstalk: applications, their versions, configuration templates and environments."""

from typing import Any

from aws_vpc.local.providers.call import (
    attributes,
    call,
    gone_is_done,
    pick,
    property_names,
    tag_list,
    tags,
    wait,
)
from aws_vpc.local.providers.resource import (
    Provider,
    ResourceFailed,
    ResourceRequest,
    ResourceState,
    name,
    undone,
)

Description = dict[str, Any]
EB = "elasticbeanstalk"
UNDER_WAY = ("Launching", "Updating", "Terminating")


def find_application(request: ResourceRequest, id: str) -> Description | None:
    """The application; None when there is none."""
    found = request.client(EB).describe_applications(ApplicationNames=[id])["Applications"]
    return dict(found[0]) if found else None


def create_application(request: ResourceRequest) -> ResourceState:
    """The new application."""
    given = pick(request.properties, "ApplicationName Description ResourceLifecycleConfig")
    named = {"ApplicationName": name(request, maximum=100), **given}
    call(request.client(EB), "create_application", {**named, "Tags": tag_list(tags(request)) or None})
    return ResourceState(named["ApplicationName"], {"ApplicationName": named["ApplicationName"]})


def update_application(request: ResourceRequest) -> ResourceState:
    """The application with its description and lifecycle."""
    client, named = request.client(EB), {"ApplicationName": request.id}
    if request.changed("Description"):
        call(
            client, "update_application", {**named, "Description": request.properties.get("Description", "")}
        )
    if request.changed("ResourceLifecycleConfig"):
        config = request.properties.get("ResourceLifecycleConfig", {})
        given = {**named, "ResourceLifecycleConfig": config}
        call(client, "update_application_resource_lifecycle", given)
    found = find_application(request, request.id)
    retag(request, str((found or {})["ApplicationArn"]))
    return ResourceState(request.id, request.attributes)


def delete_application(request: ResourceRequest) -> None:
    """Nothing; the application is gone."""
    if find_application(request, request.id):
        request.client(EB).delete_application(ApplicationName=request.id)


def create_version(request: ResourceRequest) -> ResourceState:
    """The new version; CloudFormation makes its label."""
    label = name(request, maximum=100).lower()
    given = pick(
        request.properties,
        "ApplicationName Description SourceBundle BuildConfiguration ImageConfiguration Process",
    )
    labelled = {**given, "VersionLabel": label, "Tags": tag_list(tags(request)) or None}
    call(request.client(EB), "create_application_version", labelled)
    return ResourceState(label, {"Id": label})


def update_version(request: ResourceRequest) -> ResourceState:
    """The version with its description."""
    if request.changed("Description"):
        description = request.properties.get("Description", "")
        call(
            request.client(EB), "update_application_version", {**version(request), "Description": description}
        )
    return ResourceState(request.id, request.attributes)


def version(request: ResourceRequest) -> Description:
    """What names the version."""
    return {"ApplicationName": request.properties["ApplicationName"], "VersionLabel": request.id}


def delete_version(request: ResourceRequest) -> None:
    """Nothing; the version is gone, its bundle stays in S3."""
    client = request.client(EB)
    listed = {"ApplicationName": request.properties["ApplicationName"], "VersionLabels": [request.id]}
    if client.describe_application_versions(**listed)["ApplicationVersions"]:
        client.delete_application_version(**version(request))


TEMPLATE = (
    "ApplicationName Description EnvironmentId OptionSettings PlatformArn SolutionStackName "
    "SourceConfiguration"
)


def create_template(request: ResourceRequest) -> ResourceState:
    """The new configuration template; CloudFormation makes its name."""
    id = name(request, maximum=100)
    given = pick(request.properties, TEMPLATE)
    call(request.client(EB), "create_configuration_template", {**given, "TemplateName": id})
    return ResourceState(id, {"TemplateName": id})


def update_template(request: ResourceRequest) -> ResourceState:
    """The template with its options."""
    given = {**template(request), **option_changes(request)}
    given["Description"] = request.properties.get("Description", "")
    call(request.client(EB), "update_configuration_template", given)
    return ResourceState(request.id, request.attributes)


def template(request: ResourceRequest) -> Description:
    """What names the template."""
    return {"ApplicationName": request.properties["ApplicationName"], "TemplateName": request.id}


def delete_template(request: ResourceRequest) -> None:
    """Nothing; the template is gone."""
    application = find_application(request, request.properties["ApplicationName"])
    if request.id in (application or {}).get("ConfigurationTemplates", []):
        request.client(EB).delete_configuration_template(**template(request))


def option_changes(request: ResourceRequest) -> Description:
    """The options as stated, and those that are stated no more."""
    stated = request.properties.get("OptionSettings") or []
    before = (request.previous or {}).get("OptionSettings") or []
    kept = {option_key(option) for option in stated}
    gone = [option for option in before if option_key(option) not in kept]
    removed = [pick(option, "Namespace OptionName ResourceName") for option in gone]
    return {"OptionSettings": stated or None, "OptionsToRemove": removed or None}


def option_key(option: Description) -> tuple[str, ...]:
    """What makes an option the same option."""
    return tuple(str(option.get(key, "")) for key in ("Namespace", "OptionName", "ResourceName"))


def find_environment(request: ResourceRequest, id: str) -> Description | None:
    """The environment; None when there is none, or only as a memory."""
    answer = request.client(EB).describe_environments(EnvironmentNames=[id], IncludeDeleted=False)
    return dict(answer["Environments"][0]) if answer["Environments"] else None


CREATED = (
    "ApplicationName CNAMEPrefix Description EnvironmentName OperationsRole OptionSettings PlatformArn "
    "SolutionStackName TemplateName Tier VersionLabel"
)


def create_environment(request: ResourceRequest) -> ResourceState:
    """The new environment, launched."""
    given = {"EnvironmentName": name(request, maximum=40), **pick(request.properties, CREATED)}
    id = str(given["EnvironmentName"])
    call(request.client(EB), "create_environment", {**given, "Tags": tag_list(own_tags(request)) or None})
    with undone(request, id, delete_environment):
        return environment_state(request, id)


def own_tags(request: ResourceRequest) -> dict[str, str]:
    """The tags of an environment: the API takes none that begin with `aws:`, nor its own."""
    return {key: value for key, value in tags(request).items() if not key.startswith("aws:")}


def environment_state(request: ResourceRequest, id: str) -> ResourceState:
    """The environment once it is ready; ResourceFailed with its last error when it is not well."""

    def look() -> Description | None:
        found = find_environment(request, id)
        return found if found is None or found["Status"] not in UNDER_WAY else None

    found = wait(look, f"environment {id}")
    if found["Health"] == "Red":
        events = request.client(EB).describe_events(EnvironmentName=id, Severity="ERROR")["Events"]
        said = " ".join(event["Message"] for event in reversed(events[:2]))
        raise ResourceFailed(f"Environment {id} is not healthy: {said}")
    return ResourceState(id, attributes(request.type, found))


def update_environment(request: ResourceRequest) -> ResourceState:
    """The environment with its version, platform and options."""
    names = "Description OperationsRole OptionSettings PlatformArn TemplateName VersionLabel"
    if request.changed(*names.split()):
        given = {**pick(request.properties, "Description PlatformArn TemplateName VersionLabel")}
        given |= {"EnvironmentName": request.id, **option_changes(request)}
        call(request.client(EB), "update_environment", given)
    state = environment_state(request, request.id)
    retag(request, str((find_environment(request, request.id) or {})["EnvironmentArn"]))
    return state


def delete_environment(request: ResourceRequest) -> None:
    """Nothing; the environment is terminated."""
    found = find_environment(request, request.id)
    if found is None:
        return
    with gone_is_done():
        request.client(EB).terminate_environment(EnvironmentName=request.id)
    wait(lambda: True if find_environment(request, request.id) is None else None, f"end of {request.id}")


def retag(request: ResourceRequest, arn: str) -> None:
    """Nothing; the thing has exactly the tags that the request wants."""
    client = request.client(EB)
    listed = client.list_tags_for_resource(ResourceArn=arn)["ResourceTags"]
    present = {tag["Key"]: tag["Value"] for tag in listed}
    wanted = own_tags(request)
    added = {key: value for key, value in wanted.items() if present.get(key) != value}
    removed = sorted(key for key in present if key not in wanted and not key.startswith("aws:"))
    if added or removed:
        client.update_tags_for_resource(ResourceArn=arn, TagsToAdd=tag_list(added), TagsToRemove=removed)


PROVIDERS = (
    Provider(
        "AWS::ElasticBeanstalk::Application",
        property_names("ApplicationName Description ResourceLifecycleConfig"),
        create_application,
        delete_application,
        update_application,
    ),
    Provider(
        "AWS::ElasticBeanstalk::ApplicationVersion",
        property_names(
            "ApplicationName Description SourceBundle BuildConfiguration ImageConfiguration Process"
        ),
        create_version,
        delete_version,
        update_version,
    ),
    Provider(
        "AWS::ElasticBeanstalk::ConfigurationTemplate",
        property_names(TEMPLATE),
        create_template,
        delete_template,
        update_template,
    ),
    Provider(
        "AWS::ElasticBeanstalk::Environment",
        property_names(f"{CREATED} Tags"),
        create_environment,
        delete_environment,
        update_environment,
    ),
)
