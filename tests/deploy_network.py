"""A small root with a VPC in one child and a subnet in the other, and commands with --local."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from deploy_bench import Run, local, name

from aws_vpc import cli
from aws_vpc.local import control

__all__ = ["local", "name"]

ROOT = """
Parameters:
  TemplateBaseUrl: {{Type: String}}
  Colour: {{Type: String, Default: red, AllowedValues: [red, blue]}}
Resources:
  NestedNetStack:
    Type: AWS::CloudFormation::Stack
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TemplateURL: !Sub ${{TemplateBaseUrl}}/net.yaml
      Parameters: {{Colour: !Ref Colour}}
  NestedAppStack:
    Type: AWS::CloudFormation::Stack
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TemplateURL: !Sub ${{TemplateBaseUrl}}/app.yaml
      Parameters: {{Vpc: !GetAtt NestedNetStack.Outputs.Vpc}}
Outputs:
  Vpc: {{Value: !GetAtt NestedNetStack.Outputs.Vpc}}
{more}
"""
NET = """
Parameters:
  Colour: {Type: String}
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.7.0.0/16, Tags: [{Key: Colour, Value: !Ref Colour}]}
Outputs:
  Vpc: {Value: !Ref Vpc}
"""
APP = """
Parameters:
  Vpc: {{Type: 'AWS::EC2::VPC::Id'}}
Resources:
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {{VpcId: !Ref Vpc, CidrBlock: {cidr}}}
"""


@pytest.fixture
def aws(local: control.Facts, local_folder: Path) -> Callable[[str], Any]:
    """The environment leads to the embedded AWS, for the test and the commands in it."""
    os.environ["AWS_VPC_LOCAL_DIR"] = str(local_folder)
    os.environ.update(local.environment())
    return lambda service: boto3.client(service)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository root with these templates."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "eb-flask").mkdir()
    (tmp_path / "eb-flask" / "application.py").write_text("application = None\n")
    write(tmp_path)
    return tmp_path


def write(root: Path, *, net: str = NET, cidr: str = "10.7.1.0/24", more: str = "") -> None:
    """The templates below `root`."""
    (root / "templates" / "nested-stack.yaml").write_text(ROOT.format(more=more))
    (root / "templates" / "net.yaml").write_text(net)
    (root / "templates" / "app.yaml").write_text(APP.format(cidr=cidr))


def with_parameter(root: Path, declared: str) -> None:
    """The root template takes one parameter more."""
    path = root / "templates" / "nested-stack.yaml"
    path.write_text(path.read_text().replace("Resources:", f"  {declared}\nResources:", 1))


@pytest.fixture
def run(aws: Callable[[str], Any], root: Path, name: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command against this test's stack: exit status, standard output, standard error."""

    def run(command: str, *arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        where = ["--repo-root", str(root)]
        local = ["--local"] if command != "teardown" else []
        status = cli.main([command, *local, "--stack-name", name, *where, *arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run
