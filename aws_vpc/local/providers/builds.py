"""CodeBuild projects."""

from typing import Any

from aws_vpc.local.providers.call import call, tag_list, tags
from aws_vpc.local.providers.named import Description, Kind, resource
from aws_vpc.local.providers.resource import ResourceRequest


def find_project(client: Any, id: str) -> Description | None:
    """The project as CodeBuild has it; None when there is none."""
    found = client.batch_get_projects(names=[id])["projects"]
    return dict(found[0]) if found else None


PROJECT = Kind(
    "codebuild",
    "create_project",
    find_project,
    "delete_project",
    "name",
    "Name",
    maximum=255,
    update="update_project",
    tagged=False,  # by operations of its own: create and update carry the tags
)
CHANGEABLE = (
    "Description Source SecondarySources SourceVersion SecondarySourceVersions Artifacts SecondaryArtifacts "
    "Cache Environment ServiceRole TimeoutInMinutes QueuedTimeoutInMinutes EncryptionKey VpcConfig "
    "BadgeEnabled LogsConfig FileSystemLocations BuildBatchConfig ConcurrentBuildLimit AutoRetryLimit"
)
ABSENT: dict[str, Any] = {  # what makes the service forget a setting that the template states no more
    "Description": "",
    "SecondarySources": [],
    "SecondarySourceVersions": [],
    "SecondaryArtifacts": [],
    "FileSystemLocations": [],
    "SourceVersion": "",
    "LogsConfig": {},
    "VpcConfig": {},
}


def shape(request: ResourceRequest, given: Description) -> Description:
    """The parameters with the tags, and with what an update takes away."""
    before = request.previous or {}
    gone = {key: value for key, value in ABSENT.items() if key in before and key not in given}
    return {**given, **gone, "Tags": tag_list(tags(request))}


def settle_project(request: ResourceRequest, id: str) -> None:
    """Nothing; visibility and tags of the project are as stated."""
    client, stated = request.client("codebuild"), request.properties
    if request.changed("Visibility", "ResourceAccessRole"):
        arn = (find_project(client, id) or {})["arn"]
        given = {"projectArn": arn, "projectVisibility": stated.get("Visibility", "PRIVATE")}
        call(client, "update_project_visibility", given | role(stated))
    if request.previous is not None:
        call(client, "update_project", {"name": id, "tags": tag_list(tags(request))})


def role(stated: Description) -> Description:
    """The parameter for the role that shows the builds, if there is one."""
    named = stated.get("ResourceAccessRole")
    return {"resourceAccessRole": named} if named else {}


PROVIDERS = (
    resource(
        "AWS::CodeBuild::Project",
        PROJECT,
        f"Name {CHANGEABLE}",
        CHANGEABLE,
        set_later="Visibility ResourceAccessRole Tags",
        shape=shape,
        settle=settle_project,
        more=lambda request, found: {"Id": found["name"]},
        ignored={"Triggers": "no repository calls here when it changes"},
    ),
)
