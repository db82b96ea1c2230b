"""The workload's templates say what they promise: servers, databases, jobs, releases and alarms."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from aws_vpc.template_parse import parse

FOLDER = Path(__file__).parent.parent / "templates"


@cache
def template(name: str) -> dict[str, Any]:
    """The template of this name as plain values."""
    found: dict[str, Any] = parse((FOLDER / f"{name}.yaml").read_text())
    return found


def properties(name: str, logical: str) -> dict[str, Any]:
    """The properties of a template's resource."""
    found: dict[str, Any] = template(name)["Resources"][logical]["Properties"]
    return found


def test_user_data_holds_no_secret() -> None:
    data = properties("ec2", "WebServerLaunchTemplate")["LaunchTemplateData"]
    script = data["UserData"]["Fn::Base64"]["Fn::Sub"]
    assert "Secret" not in script
    assert "secret" not in script


def test_the_web_server_answers_no_metadata_request_without_a_token() -> None:
    data = properties("ec2", "WebServerLaunchTemplate")["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True


def test_a_newer_image_does_not_replace_the_web_server() -> None:
    body = template("ec2")
    assert body["Parameters"]["ImageId"]["Type"] == "String"
    image = properties("ec2", "WebServerLaunchTemplate")["LaunchTemplateData"]["ImageId"]
    assert image == {"Fn::If": ["IsImage", {"Ref": "ImageId"}, {"Fn::Sub": "resolve:ssm:${ImageId}"}]}
