"""Instances boot: their user data really runs, confined, and CloudFormation waits for what it signals."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from embedded import Embedded, embedded_aws, until

from aws_vpc.local import cfn_signal
from aws_vpc.local.ec2_boot import runs
from aws_vpc.local.processes import started

IMAGE = "ami-12c6146b"
SIGNAL = "/opt/aws/bin/cfn-signal --exit-code $? --stack ${AWS::StackName} --resource Server"
TRAP = f"trap '{SIGNAL} --region ${{AWS::Region}}' EXIT"
TEMPLATES = Path(__file__).parent.parent / "templates"


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


def template(*lines: str, timeout: str = "PT10M") -> str:
    """A server whose user data are the lines of a bash script."""
    script = "".join(f"            {line}\n" for line in ("#!/bin/bash", "set -euo pipefail", *lines))
    return f"""
Resources:
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        ImageId: {IMAGE}
        UserData:
          Fn::Base64: !Sub |
{script}
  Server:
    Type: AWS::EC2::Instance
    CreationPolicy:
      ResourceSignal: {{Timeout: {timeout}}}
    Properties:
      LaunchTemplate:
        LaunchTemplateId: !Ref Template
        Version: !GetAtt Template.LatestVersionNumber
Outputs:
  Server: {{Value: !Ref Server}}
"""


def ended(aws: Embedded, name: str) -> dict[str, Any]:
    def look() -> Any:
        (stack,) = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
        return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

    return dict(until(look))


def create(aws: Embedded, name: str, body: str) -> dict[str, Any]:
    aws.client("cloudformation").create_stack(StackName=name, TemplateBody=body)
    return ended(aws, name)


def reasons(aws: Embedded, name: str) -> list[str]:
    pages = aws.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=name)
    return [one.get("ResourceStatusReason", "") for page in pages for one in page["StackEvents"]]


def output(aws: Embedded, stack: dict[str, Any]) -> str:
    (server,) = (one["OutputValue"] for one in stack["Outputs"])
    return (aws.folder / "logs" / f"instance-{server}.log").read_text()


def test_a_stack_stands_when_its_server_has_signalled(aws: Embedded) -> None:
    stack = create(aws, "booted", template(TRAP, "aws sts get-caller-identity --query Account"))
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    (server,) = (one["OutputValue"] for one in stack["Outputs"])
    assert f"Received SUCCESS signal with UniqueId {server}" in reasons(aws, "booted")
    assert output(aws, stack).strip() == '"123456789012"'


def test_the_signal_is_signed_as_botocore_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    body = cfn_signal.asked(cfn_signal.options(["--stack", "a b", "--resource", "Server", "--id", "i-1"]))
    made = cfn_signal.headers("127.0.0.1:4000", "/", body, "eu-west-1", "20261126T101112Z")
    request = AWSRequest("POST", "http://127.0.0.1:4000/", {"Content-Type": cfn_signal.FORM}, body)
    request.context["timestamp"] = "20261126T101112Z"
    keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    signer = SigV4Auth(keys, "cloudformation", "eu-west-1")
    request.headers["X-Amz-Date"] = made["x-amz-date"]
    wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert made["authorization"].endswith(f"SignedHeaders=content-type;host;x-amz-date, Signature={wanted}")
    assert "Credential=AKIDEXAMPLE/20261126/eu-west-1/cloudformation/aws4_request" in made["authorization"]


def test_a_boot_that_fails_fails_the_stack(aws: Embedded) -> None:
    stack = create(aws, "broken", template(TRAP, "ruby installer auto"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    told = " ".join(reasons(aws, "broken"))
    assert (
        "Received 1 FAILURE signal(s) out of 1. Unable to satisfy 100% MinSuccessfulInstancesPercent" in told
    )


def test_a_boot_without_a_signal_is_waited_for_in_vain(aws: Embedded) -> None:
    stack = create(aws, "mute", template("uname", timeout="PT1S"))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    told = reasons(aws, "mute")
    assert any("Failed to receive 1 resource signal(s) within the specified duration" in one for one in told)


def test_a_replaced_server_has_to_signal_for_itself(aws: Embedded) -> None:
    stack = create(aws, "replaced", template(TRAP))
    (first,) = (one["OutputValue"] for one in stack["Outputs"])
    cfn = aws.client("cloudformation")
    cfn.update_stack(StackName="replaced", TemplateBody=template(TRAP, "exit 3"))
    stack = ended(aws, "replaced")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("Received 1 FAILURE signal(s)" in one for one in reasons(aws, "replaced"))
    (kept,) = (one["OutputValue"] for one in stack["Outputs"])
    assert kept == first and alive(aws, first)
    cfn.update_stack(StackName="replaced", TemplateBody=template("# another", TRAP))
    stack = ended(aws, "replaced")
    assert stack["StackStatus"] == "UPDATE_COMPLETE" and not alive(aws, first)


def alive(aws: Embedded, instance: str) -> bool:
    (found,) = aws.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
    return bool(found["Instances"][0]["State"]["Name"] == "running")


@pytest.mark.parametrize(
    "line",
    [
        "/bin/ls",
        "echo x > file",
        "PATH=/bin",
        "rm -rf x",
        "exec /bin/sh",
        "set +r",
        "curl https://example.com/",
        "printf x | sort -o file",
        "date --set=2001-01-01",
    ],
)
def test_user_data_reaches_nothing_of_the_laptop(aws: Embedded, line: str) -> None:
    instance = launch(aws, f"#!/bin/bash\nset -e\n{line}\necho all done\n")
    log = aws.folder / "logs" / f"instance-{instance}.log"
    told = until(lambda: log.is_file() and log.read_text())
    assert "all done" not in told
    assert not (aws.folder / "run" / "instances" / instance / "file").exists()


def launch(aws: Embedded, script: str) -> str:
    made = aws.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, UserData=script)
    return str(made["Instances"][0]["InstanceId"])


def test_a_terminated_instance_stops_booting(aws: Embedded) -> None:
    instance = launch(aws, "#!/bin/bash\nsleep 600\n")
    running = json.loads((aws.folder / "run.json").read_text())
    (pid,) = (one["pid"] for one in running if one["name"] == f"boot-{instance}")
    assert started(pid)
    aws.client("ec2").terminate_instances(InstanceIds=[instance])
    until(lambda: ended_or_unreaped(pid))


def ended_or_unreaped(pid: int) -> bool:
    """Whether a process runs no more, though its parent may not have asked for its status yet."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip().startswith("Z") or not found.stdout.strip()


def test_the_web_server_s_user_data_installs_the_agent_and_starts_it(aws: Embedded) -> None:
    ec2 = aws.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    (group,) = ec2.describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [subnet["VpcId"]]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    given = {
        "EnvironmentName": "booting",
        "PublicSubnets": subnet["SubnetId"],
        "WebServerSecurityGroup": group["GroupId"],
    }
    aws.client("cloudformation").create_stack(
        StackName="web",
        TemplateBody=(TEMPLATES / "ec2.yaml").read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    stack = ended(aws, "web")
    assert stack["StackStatus"] == "CREATE_COMPLETE", reasons(aws, "web")
    server = next(one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "WebServer")
    folder = aws.folder / "run" / "instances" / server
    installed = (folder / "packages").read_text().split()
    assert {"python3.13", "ruby", "aws-cfn-bootstrap"} <= set(installed)
    assert (folder / "systemctl").read_text() == "enable codedeploy-agent.service\n"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (b"#!/bin/bash\n", True),
        (b"#!/usr/bin/env bash\n", True),
        (b"#! /bin/sh\n", True),
        (b"#cloud-config\n", False),
        (b"#!/usr/bin/python3\n", False),
        (b"#!\n", False),
        (b"", False),
    ],
)
def test_only_scripts_of_the_shells_are_run(script: bytes, expected: bool) -> None:
    assert runs(script) is expected


def test_other_user_data_is_told_not_to_run(aws: Embedded) -> None:
    made = aws.client("ec2").run_instances(
        ImageId=IMAGE, MinCount=1, MaxCount=1, UserData=base64.b64encode(b"\xff\x00").decode()
    )
    log = aws.folder / "logs" / f"instance-{made['Instances'][0]['InstanceId']}.log"
    assert "not run here" in log.read_text()
