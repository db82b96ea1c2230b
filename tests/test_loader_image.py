"""The loader's image: its source as a zip, built once for each content."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_vpc import loader_image
from aws_vpc.errors import DeployFailed
from aws_vpc.wait import Wait

PROJECT = Path(__file__).parent.parent


def tree(folder: Path, **files: str) -> Path:
    """A checkout with a loader in it."""
    (folder / "aws_vpc" / "loader").mkdir(parents=True)
    for name in (
        "aws_vpc/__init__.py",
        "aws_vpc/errors.py",
        "aws_vpc/loader/Dockerfile",
        "aws_vpc/loader/run.py",
    ):
        (folder / name).write_text(files.get(Path(name).stem, name))
    (folder / "aws_vpc" / "deploy.py").write_text("not the loader's")
    return folder


def names(body: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(body)).namelist()


def test_the_source_holds_all_that_the_dockerfile_copies() -> None:
    held = set(names(loader_image.source(PROJECT).body()))
    text = (PROJECT / "aws_vpc" / "loader" / "Dockerfile").read_text()
    copied = [word for line in text.splitlines() if line.startswith("COPY") for word in line.split()[1:-1]]
    wanted = {path.relative_to(PROJECT).as_posix() for one in copied for path in PROJECT.glob(one)}
    assert wanted and wanted <= held
    assert "aws_vpc/loader/Dockerfile" in held


def test_the_same_source_has_the_same_key_and_bytes_wherever_it_is(tmp_path: Path) -> None:
    one, other = loader_image.source(tree(tmp_path / "a")), loader_image.source(tree(tmp_path / "b"))
    assert (one.key, one.body()) == (other.key, other.body())
    assert one.key == f"loader/{loader_image.version(one)}.zip"
    assert "aws_vpc/deploy.py" not in names(one.body())


def test_another_source_has_another_version(tmp_path: Path) -> None:
    one = loader_image.source(tree(tmp_path / "a"))
    assert one.key != loader_image.source(tree(tmp_path / "b", run="changed")).key


class CodeBuild:
    """A CodeBuild client with builds in memory; a started one ends as it is told."""

    def __init__(self, *builds: dict[str, Any], ends: str = "SUCCEEDED") -> None:
        self.all, self.ends, self.started = list(builds), ends, 0

    def list_builds_for_project(self, **_: Any) -> dict[str, Any]:
        return {"ids": [one["id"] for one in self.all]}

    def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
        found = [dict(one) for one in self.all if one["id"] in ids]
        for one in self.all:
            one["buildStatus"] = self.ends if one["buildStatus"] == "IN_PROGRESS" else one["buildStatus"]
        return {"builds": found}

    def start_build(self, **_: Any) -> dict[str, Any]:
        self.started += 1
        self.all.append(build(f"new-{self.started}", "IN_PROGRESS"))
        return {"build": self.all[-1]}


class Ecr:
    """An ECR client of a repository with these tags."""

    def __init__(self, *tags: str) -> None:
        self.tags = tags

    def describe_images(self, repositoryName: str, imageIds: list[dict[str, str]]) -> dict[str, Any]:
        assert "/" not in repositoryName
        if imageIds[0]["imageTag"] not in self.tags:
            raise ClientError({"Error": {"Code": "ImageNotFoundException", "Message": ""}}, "DescribeImages")
        return {"imageDetails": [{}]}


def build(name: str, status: str, version: str = "v1") -> dict[str, Any]:
    return {"id": name, "buildStatus": status, "source": {"location": f"bundles/loader/{version}.zip"}}


@pytest.mark.parametrize(
    ("tags", "builds", "wanted"),
    [
        ((), (), True),
        (("v1",), (), False),
        ((), (build("b", "SUCCEEDED"),), False),
        ((), (build("b", "FAILED"),), True),
        ((), (build("b", "SUCCEEDED", "v0"),), True),
        (("v0",), (), True),
    ],
)
def test_a_build_is_due_when_neither_image_nor_build_is_there(tags: Any, builds: Any, wanted: bool) -> None:
    repository = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/loader"
    assert loader_image.due(Ecr(*tags), CodeBuild(*builds), "project", repository, "v1") is wanted


def wait() -> Wait:
    time = [0.0]
    return Wait(60, now=lambda: time[0], sleep=lambda seconds: time.__setitem__(0, time[0] + seconds))


def test_a_build_that_runs_is_followed_instead_of_a_second_one() -> None:
    class Busy(CodeBuild):
        def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
            return {"builds": self.all}

    busy = Busy(build("b", "IN_PROGRESS"))
    assert (loader_image.begin(busy, "project", "v1"), busy.started) == ("b", 0)


def test_a_build_is_followed_to_its_end() -> None:
    codebuild = CodeBuild()
    name = loader_image.begin(codebuild, "project", "v1")
    loader_image.succeed(codebuild, name, wait(), lambda _: None)
    assert codebuild.started == 1


def test_a_failed_build_tells_its_phase_and_its_log() -> None:
    phase = {"phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [{"message": "exit status 1"}]}
    failed = build("b", "FAILED") | {"phases": [phase], "logs": {"deepLink": "https://log"}}
    with pytest.raises(DeployFailed, match="BUILD: exit status 1; its log: https://log"):
        loader_image.succeed(CodeBuild(failed), "b", wait(), lambda _: None)
