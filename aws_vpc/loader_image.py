"""The loader's image built in the account: its source as a zip, and the CodeBuild build of it.

In: the CodeBuild and ECR clients, a project, a version. Out: the build, once it has succeeded.
A build is due when the repository has no image of the version and no build of its source has succeeded.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.errors import DeployFailed
from aws_vpc.package import Artifact, archive
from aws_vpc.wait import Wait

# What aws_vpc/loader/Dockerfile copies, and the Dockerfile.
SOURCE = (
    "aws_vpc/__init__.py", "aws_vpc/errors.py", "aws_vpc/loader/*.py", "aws_vpc/loader/tables.yaml",
    "aws_vpc/loader/requirements.txt", "aws_vpc/loader/Dockerfile",
)  # fmt: skip


def source(folder: Path) -> Artifact:
    """The loader's source below `folder` as a zip, under a key made from its content."""
    paths = sorted(path.relative_to(folder).as_posix() for one in SOURCE for path in folder.glob(one))
    return archive(folder, paths, "loader")


def version(artifact: Artifact) -> str:
    """The version of a source: the hash in its key, which becomes the image's tag."""
    return artifact.key.removeprefix("loader/").removesuffix(".zip")


def due(ecr: Any, codebuild: Any, project: str, repository: str, version: str) -> bool:
    """True when the image of a version is not there and has not been built."""
    return not (has_image(ecr, repository, version) or built(codebuild, project, version))


def has_image(ecr: Any, repository: str, version: str) -> bool:
    """True when the repository, a name or an address, has an image of that tag."""
    name = repository.partition("/")[2] if ".dkr." in repository else repository
    try:
        found = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": version}])
    except ClientError as error:
        if error.response["Error"]["Code"] in {"ImageNotFoundException", "RepositoryNotFoundException"}:
            return False
        raise
    return bool(found["imageDetails"])


def built(codebuild: Any, project: str, version: str) -> bool:
    """True when a build of a version's source has succeeded."""
    return any(one["buildStatus"] == "SUCCEEDED" for one in builds(codebuild, project, version))


def builds(codebuild: Any, project: str, version: str) -> Iterator[dict[str, Any]]:
    """The last builds of a project that took a version's source."""
    listed = codebuild.list_builds_for_project(projectName=project, sortOrder="DESCENDING")["ids"][:100]
    found = codebuild.batch_get_builds(ids=listed)["builds"] if listed else []
    for one in found:
        if version in one.get("source", {}).get("location", ""):
            yield one


def begin(codebuild: Any, project: str, version: str) -> str:
    """The id of a build: the one of this version that runs, or one that has begun now."""
    for one in builds(codebuild, project, version):
        if one["buildStatus"] == "IN_PROGRESS":
            return str(one["id"])
    return str(codebuild.start_build(projectName=project)["build"]["id"])


def succeed(codebuild: Any, build: str, wait: Wait, say: Callable[[str], None]) -> None:
    """Returns when a build has succeeded; DeployFailed tells why it has not."""
    phase = ""
    for _ in wait.pauses(f"build {build}"):
        found = codebuild.batch_get_builds(ids=[build])["builds"][0]
        if found.get("currentPhase", "") != phase:
            phase = found.get("currentPhase", "")
            say(f"build {build} {phase}")
        if found["buildStatus"] != "IN_PROGRESS":
            break
    if found["buildStatus"] != "SUCCEEDED":
        raise DeployFailed(f"build {build} of the loader's image {found['buildStatus']}: {why(found)}")


def why(build: dict[str, Any]) -> str:
    """The reason of a build's failure, as its last failed phase tells it, and where its log is."""
    contexts = [
        f"{phase['phaseType']}: {one['message']}"
        for phase in build.get("phases", ())
        if phase.get("phaseStatus") not in {None, "SUCCEEDED"}
        for one in phase.get("contexts", ())
        if one.get("message")
    ]
    log = build.get("logs", {}).get("deepLink", "")
    reason = contexts[-1] if contexts else "no phase gave a reason"
    return f"{reason}; its log: {log}" if log else reason
