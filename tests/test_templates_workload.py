"""What is asked of every template that the network carries, and of the web server's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from workload_bench import NAMES, standing, template, user_data

from aws_vpc.errors import TemplateError


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_labelled(name: str) -> None:
    interface = template(name).section("Metadata")["AWS::CloudFormation::Interface"]
    assert list(interface["ParameterLabels"]) == list(template(name).parameters)


@pytest.mark.parametrize("name", NAMES)
def test_every_check_that_is_skipped_has_a_reason(name: str) -> None:
    for logical, resource in template(name).resources.items():
        for skipped in resource.get("Metadata", {}).get("checkov", {}).get("skip", ()):
            assert re.fullmatch(r"CKV2?_AWS_[0-9]+", skipped["id"]), logical
            assert skipped["comment"].endswith("."), logical


@pytest.mark.parametrize("name", NAMES)
def test_what_makes_something_secure_is_no_choice(name: str) -> None:
    literal = {"StorageEncrypted", "Encrypted", "PubliclyAccessible", "EnhancedVpcRouting", "HttpTokens"}
    literal |= {"EnableIAMDatabaseAuthentication", "ReadonlyRootFilesystem", "SqsManagedSseEnabled"}
    for resource in template(name).resources.values():
        for key in literal & resource.get("Properties", {}).keys():
            assert not isinstance(resource["Properties"][key], dict), key


def test_user_data_holds_no_secret() -> None:
    assert user_data().startswith("#!/bin/bash\nset -euo pipefail\n")
    assert "secret" not in user_data().lower()


def test_user_data_is_a_script_without_a_complaint(tmp_path: Path) -> None:
    (tmp_path / "boot.sh").write_text(user_data())
    shellcheck = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run([shellcheck, tmp_path / "boot.sh"], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_web_server_keeps_metadata_and_disk_to_itself() -> None:
    data = standing("ec2")["WebServerLaunchTemplate"]["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert "KeyName" not in data


def test_a_key_pair_is_taken_when_it_is_named() -> None:
    data = standing("ec2", KeyName="mine")["WebServerLaunchTemplate"]["LaunchTemplateData"]
    assert data["KeyName"] == "mine"


def test_a_newer_image_does_not_replace_the_web_server() -> None:
    def image(**given: str) -> str:
        return str(standing("ec2", **given)["WebServerLaunchTemplate"]["LaunchTemplateData"]["ImageId"])

    assert template("ec2").parameters["ImageId"]["Type"] == "String"
    assert image().startswith("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-")
    assert image(ImageId="ami-0a1b2c3d") == "ami-0a1b2c3d"


def test_a_changed_launch_template_replaces_the_web_server() -> None:
    assert standing("ec2")["WebServer"]["LaunchTemplate"] == {
        "LaunchTemplateId": "WebServerLaunchTemplate",
        "Version": "WebServerLaunchTemplate.LatestVersionNumber",
    }


def test_an_elastic_ip_is_there_when_it_is_asked_for() -> None:
    assert "WebServerElasticIp" not in standing("ec2")
    assert standing("ec2", ElasticIp="true")["WebServerElasticIp"]["InstanceId"] == "WebServer"


@pytest.mark.parametrize(
    ("name", "parameter", "value", "sentence"),
    [
        ("ec2", "ImageId", "al2023", "name of a parameter in Systems Manager"),
        ("rds-resource", "Size", "large", "must be dev or prod"),
        ("rds-resource", "SnapshotIdentifier", "a--b", "name or ARN of a snapshot"),
        ("rds-resource", "EngineVersion", "18.1", "must be 18, 17 or 16"),
        ("redshift", "WarehouseHours", "nights", "must be always or weekdays"),
        ("redshift", "WarehouseNodeType", "dc2.large", "one of the listed node types"),
        ("batch-job", "LoaderVersion", "a b", "letters, digits, dots"),
        ("batch-job", "WarehousePort", "0", "empty or a TCP port"),
        ("elastic-beanstalk", "PlatformArn", "Python 3.13", "ARN of a version of a Python platform"),
        ("elastic-beanstalk", "WebBundle", "web.zip", "key of a zip under web/"),
        ("elastic-beanstalk", "CertificateArn", "mine", "ARN of a certificate"),
        ("operations", "AlarmEmail", "me", "a mail address"),
        ("operations", "NatGateways", "nat-0a nat-0b", "ids of up to three NAT gateways"),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_type(
    name: str, parameter: str, value: str, sentence: str
) -> None:
    with pytest.raises(TemplateError, match=f"Parameter {parameter} .*{sentence}"):
        standing(name, **{parameter: value})
