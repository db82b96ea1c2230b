"""CodeBuild projects, EventBridge schedules and schedule groups."""

from aws_vpc.local.providers.call import call, gone_is_done, pick, property_names, tag_list, tags
from aws_vpc.local.providers.named import Description, Kind, resource
from aws_vpc.local.providers.resource import Provider, ResourceRequest, ResourceState, name

SCHEDULE = (
    "Name GroupName Description StartDate EndDate FlexibleTimeWindow KmsKeyArn ScheduleExpression "
    "ScheduleExpressionTimezone State Target"
)


def group_of(request: ResourceRequest) -> str:
    """The schedule group that the properties name."""
    return str(request.properties.get("GroupName", "default"))


def put_schedule(request: ResourceRequest) -> ResourceState:
    """The schedule as stated: its update replaces all that it says."""
    given = pick(request.properties, SCHEDULE)
    given["Name"] = request.physical_id or given.get("Name") or name(request, maximum=64)
    operation = "create_schedule" if request.previous is None else "update_schedule"
    arn = call(request.client("scheduler"), operation, given)["ScheduleArn"]
    return ResourceState(given["Name"], {"Arn": arn})


def delete_schedule(request: ResourceRequest) -> None:
    """Nothing; the schedule is gone."""
    with gone_is_done():
        request.client("scheduler").delete_schedule(Name=request.id, GroupName=group_of(request))


GROUP = Kind(
    "scheduler",
    "create_schedule_group",
    lambda client, id: dict(client.get_schedule_group(Name=id)),
    "delete_schedule_group",
    "Name",
    "Name",
    arn="Arn",
)
PROJECT = (
    "Name Description Source SecondarySources SourceVersion SecondarySourceVersions Artifacts "
    "SecondaryArtifacts Cache Environment ServiceRole TimeoutInMinutes QueuedTimeoutInMinutes EncryptionKey "
    "VpcConfig LogsConfig BadgeEnabled BuildBatchConfig ConcurrentBuildLimit AutoRetryLimit"
)


def project_parameters(request: ResourceRequest) -> Description:
    """The parameters of the project."""
    wanted = {"tags": tag_list(tags(request))}
    return {**pick(request.properties, PROJECT), **{key: value for key, value in wanted.items() if value}}


def create_project(request: ResourceRequest) -> ResourceState:
    """The new project."""
    given = project_parameters(request)
    given["Name"] = request.physical_id or given.get("Name") or name(request, maximum=255)
    made = call(request.client("codebuild"), "create_project", given)["project"]
    return ResourceState(made["name"], {"Arn": made["arn"], "Id": made["name"]})


def update_project(request: ResourceRequest) -> ResourceState:
    """The project as it is now stated, made anew under its name: moto cannot update one."""
    delete_project(request)
    return create_project(request)


def delete_project(request: ResourceRequest) -> None:
    """Nothing; the project is gone."""
    with gone_is_done():
        request.client("codebuild").delete_project(name=request.id)


PROVIDERS = (
    Provider(
        "AWS::CodeBuild::Project",
        property_names(f"{PROJECT} Tags"),
        create_project,
        delete_project,
        update_project,
        {
            "Triggers": "no repository tells of its commits",
            "Visibility": "builds are not shown to the public",
            "FileSystemLocations": "builds have no shared file system",
            "ResourceAccessRole": "builds are not shown to the public",
        },
    ),
    Provider(
        "AWS::Scheduler::Schedule",
        property_names(SCHEDULE),
        put_schedule,
        delete_schedule,
        put_schedule,
    ),
    resource("AWS::Scheduler::ScheduleGroup", GROUP, "Name"),
)
