"""AWS CodeBuild: projects are kept, builds check their source and say that no image is built here.

    StartBuild ─► DOWNLOAD_SOURCE: the object unpacks, its buildspec is in order ─► SUCCEEDED | FAILED

Jobs of the embedded AWS run as processes from the installed package, so nobody misses the image.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.local.codebuild_source import SourceFailed, overridden, prepared
from aws_vpc.local.service import Answer, Parameters, new_id, now, page, tag_map, whole
from aws_vpc.local.wire import Handler, ServiceError
from aws_vpc.local.world import World

log = logging.getLogger("aws_vpc.local")

PHASES = (
    "SUBMITTED",
    "QUEUED",
    "PROVISIONING",
    "DOWNLOAD_SOURCE",
    "INSTALL",
    "PRE_BUILD",
    "BUILD",
    "POST_BUILD",
    "UPLOAD_ARTIFACTS",
    "FINALIZING",
)
CHECKED = PHASES.index("DOWNLOAD_SOURCE")
KEPT = (  # of a project in each of its builds
    "source secondarySources sourceVersion artifacts environment serviceRole cache vpcConfig "
    "timeoutInMinutes queuedTimeoutInMinutes encryptionKey fileSystemLocations"
)


class CodeBuild:
    """CodeBuild in one Region."""

    def __init__(self, world: World, region: str) -> None:
        self.world, self.region = world, region
        self.arn = f"arn:aws:codebuild:{region}:{world.account}"
        self._projects: dict[str, dict[str, Any]] = {}
        self._builds: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, int] = {}

    def create_project(self, params: Parameters) -> Answer:
        """The new project."""
        name = params["name"]
        if name in self._projects:
            text = f"Project already exists: {self.arn}:project/{name}"
            raise ServiceError("ResourceAlreadyExistsException", text)
        self._check(params)
        defaults = {
            "timeoutInMinutes": 60,
            "queuedTimeoutInMinutes": 480,
            "encryptionKey": f"arn:aws:kms:{self.region}:{self.world.account}:alias/aws/s3",
            "cache": {"type": "NO_CACHE"},
            "badge": {"badgeEnabled": bool(params.get("badgeEnabled"))},
            "projectVisibility": "PRIVATE",
            "tags": [],
            "created": now(),
            "lastModified": now(),
            "arn": f"{self.arn}:project/{name}",
        }
        self._projects[name] = {**defaults, **params}
        return {"project": self._projects[name]}

    def update_project(self, params: Parameters) -> Answer:
        """The project as it is now."""
        project = self._project(params["name"])
        self._check({**project, **params})
        project.update({**params, "lastModified": now()})
        if "badgeEnabled" in params:
            project["badge"] = {"badgeEnabled": params["badgeEnabled"]}
        return {"project": project}

    def delete_project(self, params: Parameters) -> Answer:
        """Nothing; the project and its builds are gone, also when they were before."""
        name = self._name(params["name"])
        self._projects.pop(name, None)
        for id in [id for id, build in self._builds.items() if build["projectName"] == name]:
            del self._builds[id]
        return {}

    def update_project_visibility(self, params: Parameters) -> Answer:
        """Who may see the project's builds."""
        project = self._project(params["projectArn"])
        project["projectVisibility"] = params["projectVisibility"]
        if "resourceAccessRole" in params:
            project["resourceAccessRole"] = params["resourceAccessRole"]
        return {"projectArn": project["arn"], "projectVisibility": project["projectVisibility"]}

    def batch_get_projects(self, params: Parameters) -> Answer:
        """The projects that exist, and the names of the others."""
        names = {each: self._name(each) for each in params["names"]}
        found = [self._projects[name] for name in names.values() if name in self._projects]
        return {
            "projects": found,
            "projectsNotFound": [each for each, name in names.items() if name not in self._projects],
        }

    def list_projects(self, params: Parameters) -> Answer:
        """The names of the projects."""
        names = sorted(self._projects, reverse=params.get("sortOrder") == "DESCENDING")
        return page("projects", names, params, "maxResults", "nextToken")

    def start_build(self, params: Parameters) -> Answer:
        """The build that begins now."""
        project = self._project(params["projectName"])
        name = project["name"]
        self._numbers[name] = self._numbers.get(name, 0) + 1
        uuid = "-".join(new_id("", length, "0123456789abcdef") for length in (8, 4, 4, 4, 12))
        build: dict[str, Any] = {
            **{key: project[key] for key in KEPT.split() if key in project},
            "id": f"{name}:{uuid}",
            "arn": f"{self.arn}:build/{name}:{uuid}",
            "buildNumber": self._numbers[name],
            "projectName": name,
            "startTime": now(),
            "currentPhase": "QUEUED",
            "buildStatus": "IN_PROGRESS",
            "buildComplete": False,
            "initiator": "local",
            "phases": [],
            "logs": self._logs(project, uuid),
            **overridden(project, params),
        }
        self._builds[build["id"]] = build
        self._begin(build)
        return {"build": dict(build)}

    def _begin(self, build: dict[str, Any]) -> None:
        threading.Thread(target=self._run, args=(build,), name=build["id"], daemon=True).start()

    def resume(self) -> None:
        """Begin again the builds that were cut short."""
        for build in self._builds.values():
            if not build["buildComplete"]:
                self._begin(build)

    def batch_get_builds(self, params: Parameters) -> Answer:
        """The builds that exist, and the ids of the others."""
        ids = [each.rpartition("build/")[2] for each in params["ids"]]
        return {
            "builds": [dict(self._builds[id]) for id in ids if id in self._builds],
            "buildsNotFound": [id for id in ids if id not in self._builds],
        }

    def list_builds_for_project(self, params: Parameters) -> Answer:
        """The ids of the project's builds, the youngest first."""
        name = self._project(params["projectName"])["name"]
        return self._listed(params, [id for id, b in self._builds.items() if b["projectName"] == name])

    def list_builds(self, params: Parameters) -> Answer:
        """The ids of all builds, the youngest first."""
        return self._listed(params, list(self._builds))

    def stop_build(self, params: Parameters) -> Answer:
        """The build: one that runs is over before it could be stopped."""
        id = params["id"].rpartition("build/")[2]
        if id not in self._builds:
            raise ServiceError("ResourceNotFoundException", f"Build {id} does not exist")
        return {"build": dict(self._builds[id])}

    def batch_delete_builds(self, params: Parameters) -> Answer:
        """The ids of the builds that are gone."""
        ids = [each.rpartition("build/")[2] for each in params["ids"]]
        return {"buildsDeleted": [self._builds.pop(id)["arn"] for id in ids if id in self._builds]}

    def _listed(self, params: Parameters, ids: list[str]) -> Answer:
        return page(
            "ids", ids if params.get("sortOrder") == "ASCENDING" else ids[::-1], params, "", "nextToken"
        )

    def _name(self, named: str) -> str:
        return named.rpartition("project/")[2]

    def _project(self, named: str) -> dict[str, Any]:
        found = self._projects.get(self._name(named))
        if found is None:
            text = f"Project cannot be found: {self.arn}:project/{self._name(named)}"
            raise ServiceError("ResourceNotFoundException", text)
        return found

    def _check(self, stated: Parameters) -> None:
        """Raise ServiceError for a project that CodeBuild would not take."""
        tag_map(stated.get("tags"))
        source = stated["source"]
        if source["type"] != "NO_SOURCE" and source["type"] != "CODEPIPELINE" and not source.get("location"):
            raise ServiceError(
                "InvalidInputException", "Invalid project source: location must be a valid S3 source"
            )
        if source["type"] == "S3" and "/" not in source["location"].rpartition(":::")[2]:
            raise ServiceError(
                "InvalidInputException", "Invalid project source: location must be a valid S3 source"
            )
        if source["type"] == "NO_SOURCE" and not source.get("buildspec"):
            raise ServiceError("InvalidInputException", "Invalid project source: no buildspec with NO_SOURCE")

    def _logs(self, project: dict[str, Any], stream: str) -> dict[str, Any]:
        stated = (project.get("logsConfig") or {}).get("cloudWatchLogs") or {"status": "ENABLED"}
        if stated.get("status") == "DISABLED":
            return {"cloudWatchLogs": stated}
        group = stated.get("groupName") or f"/aws/codebuild/{project['name']}"
        prefix = f"{stated['streamName']}/" if stated.get("streamName") else ""
        arn = f"arn:aws:logs:{self.region}:{self.world.account}:log-group:{group}:log-stream:{prefix}{stream}"
        return {
            "groupName": group,
            "streamName": prefix + stream,
            "cloudWatchLogsArn": arn,
            "cloudWatchLogs": stated,
        }

    def _run(self, build: dict[str, Any]) -> None:
        """Bring the build to its end."""
        try:
            said, failed = prepared(self.world.client("s3", self.region), build), None
        except SourceFailed as error:
            said, failed = [f"Phase is DOWNLOAD_SOURCE, {error.code}: {error}"], error
        except Exception as error:
            log.exception("build %s", build["id"])
            said, failed = [str(error)], SourceFailed("INTERNAL_ERROR", str(error))
        self._tell(build, said)
        status = "FAILED" if failed else "SUCCEEDED"
        last = CHECKED + 1 if failed else len(PHASES)
        began, ended = build["startTime"], max(now(), build["startTime"] + timedelta(milliseconds=1))
        phases: list[dict[str, Any]] = [
            {
                "phaseType": phase,
                "phaseStatus": "SUCCEEDED",
                "startTime": began,
                "endTime": ended,
                "durationInSeconds": 0,
            }
            for phase in PHASES[:last]
        ]
        if failed:
            phases[-1] |= {
                "phaseStatus": "FAILED",
                "contexts": [{"statusCode": failed.code, "message": str(failed)}],
            }
        build["phases"] = [*phases, {"phaseType": "COMPLETED", "startTime": ended}]
        build |= {"currentPhase": "COMPLETED", "endTime": ended, "buildStatus": status}
        build["buildComplete"] = True

    def _tell(self, build: dict[str, Any], lines: list[str]) -> None:
        """Write the lines to the log of the build."""
        group, stream = build["logs"].get("groupName"), build["logs"].get("streamName")
        if not group:
            return
        client, stamp = self.world.client("logs", self.region), int(time.time() * 1000)
        events = [{"timestamp": stamp, "message": f"[Container] {line}"} for line in lines]
        try:
            client.create_log_group(logGroupName=group)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
        client.create_log_stream(logGroupName=group, logStreamName=stream)
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def handler(world: World) -> Handler:
    """CodeBuild, all of it."""
    return whole("codebuild", world, lambda region: CodeBuild(world, region))
