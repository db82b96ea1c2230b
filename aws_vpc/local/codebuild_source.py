"""The source of a build: an object that unpacks, with a buildspec in order; what of it is not run here."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import yaml
from botocore.exceptions import ClientError

from aws_vpc.local.service import Parameters

NOT_BUILT = (
    "The embedded AWS has no container engine: the commands of the buildspec are not run, no image is built."
)


class SourceFailed(Exception):
    """Why the source of a build is of no use: a status code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def prepared(s3: Any, build: dict[str, Any]) -> list[str]:
    """What the log says of a source that is in order; SourceFailed when it is not."""
    source = build["source"]
    stated = source.get("buildspec") or ""
    said = [f"Running on the embedded AWS, build {build['id']}"]
    if source["type"] == "S3":
        archive = archive_of(s3, source["location"], build.get("sourceVersion"))
        said.append(f"Source {source['location']} with {len(archive.namelist())} files")
        if "\n" not in stated:
            stated = member(archive, stated or "buildspec.yml")
    elif source["type"] != "NO_SOURCE":
        raise SourceFailed("CLIENT_ERROR", f"sources of type {source['type']} cannot be reached from here")
    phases = buildspec(stated)
    said += [f"Phase {name}: {len(commands)} commands, not run" for name, commands in phases.items()]
    return [*said, NOT_BUILT]


def archive_of(s3: Any, location: str, version: str | None) -> zipfile.ZipFile:
    """The zip in a bucket; SourceFailed when it is not there or is none."""
    bucket, _, key = location.rpartition(":::")[2].partition("/")
    wanted = {"VersionId": version} if version else {}
    try:
        data = s3.get_object(Bucket=bucket, Key=key, **wanted)["Body"].read()
        return zipfile.ZipFile(io.BytesIO(data))
    except ClientError as error:
        text = f"error while downloading key {key}, error: {error.response['Error'].get('Message')}"
        raise SourceFailed("CLIENT_ERROR", text) from None
    except zipfile.BadZipFile:
        raise SourceFailed("CLIENT_ERROR", f"{location} is not a zip archive") from None


def overridden(project: dict[str, Any], params: Parameters) -> dict[str, Any]:
    """What this one build has otherwise than its project."""
    source = dict(project["source"])
    environment = dict(project["environment"])
    for key, name in (("sourceTypeOverride", "type"), ("sourceLocationOverride", "location")):
        if key in params:
            source[name] = params[key]
    if "buildspecOverride" in params:
        source["buildspec"] = params["buildspecOverride"]
    for key, name in (("imageOverride", "image"), ("computeTypeOverride", "computeType")):
        if key in params:
            environment[name] = params[key]
    fresh = params.get("environmentVariablesOverride") or []
    variables = {each["name"]: each for each in [*environment.get("environmentVariables", []), *fresh]}
    environment["environmentVariables"] = list(variables.values())
    more = {"sourceVersion": params["sourceVersion"]} if "sourceVersion" in params else {}
    return {"source": source, "environment": environment, **more}


def member(archive: zipfile.ZipFile, path: str) -> str:
    """The text of a file in the source; SourceFailed when it is not there."""
    try:
        return archive.read(path).decode()
    except KeyError:
        raise SourceFailed("YAML_FILE_ERROR", f"YAML file does not exist: {path}") from None


def buildspec(text: str) -> dict[str, list[str]]:
    """The commands of each phase; SourceFailed for what is no buildspec."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SourceFailed("YAML_FILE_ERROR", f"the buildspec is not YAML: {error}") from None
    if not isinstance(found, dict) or str(found.get("version")) not in ("0.1", "0.2"):
        raise SourceFailed("YAML_FILE_ERROR", "the buildspec has no version 0.1 or 0.2")
    phases = found.get("phases")
    if not isinstance(phases, dict) or not phases:
        raise SourceFailed("YAML_FILE_ERROR", "the buildspec has no phases")
    return {name: list((phase or {}).get("commands") or []) for name, phase in phases.items()}
