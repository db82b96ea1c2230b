"""A small root with two children that it retains, and commands run against an embedded AWS."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from fault_proxy import Proxy, fault_proxy

from aws_vpc import cli
from aws_vpc.local import control

ROOT = """
Parameters:
  TemplateBaseUrl: {{Type: String}}
  ArtifactBucket: {{Type: String}}
  WebIngressCidr: {{Type: String, Default: 127.0.0.1/32}}
  Colour: {{Type: String, Default: red, AllowedValues: [red, blue, green]}}
  Secret: {{Type: String, NoEcho: true, Default: hush-hush}}
Resources:
  NestedFirstStack:
    Type: AWS::CloudFormation::Stack
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TemplateURL: !Sub ${{TemplateBaseUrl}}/first.yaml
      Parameters: {{Colour: !Ref Colour}}
  NestedSecondStack:
    Type: AWS::CloudFormation::Stack
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TemplateURL: !Sub ${{TemplateBaseUrl}}/second.yaml
      Parameters: {{First: !GetAtt NestedFirstStack.Outputs.Name, Secret: !Ref Secret}}
Outputs:
  First: {{Value: !GetAtt NestedFirstStack.Outputs.Name}}
"""
FIRST = """
Parameters:
  Colour: {{Type: String}}
Resources:
  Parameter:
    Type: AWS::SSM::Parameter
    Properties: {{Type: String, Value: !Ref Colour}}
{more}
Outputs:
  Name: {{Value: !Ref Parameter}}
{outputs}
"""
SECOND = """
Parameters:
  First: {{Type: String}}
  Secret: {{Type: String, NoEcho: true}}
Resources:
  Parameter:
    Type: AWS::SSM::Parameter
    Properties: {{Type: String, Value: !Sub '${{First}} ${{Secret}}', Description: {description}}}
{more}
"""
ADDRESS = ("--param", "WebIngressCidr=203.0.113.7/32")
Run = Callable[..., tuple[int, str, str]]


def write(
    root: Path, *, first: str = "", outputs: str = "", second: str = "", description: str = "plain"
) -> None:
    """The templates below `root`, with more resources in the children."""
    folder = root / "templates"
    folder.mkdir(exist_ok=True)
    (folder / "nested-stack.yaml").write_text(ROOT.format())
    (folder / "first.yaml").write_text(FIRST.format(more=first, outputs=outputs))
    (folder / "second.yaml").write_text(SECOND.format(more=second, description=description))


@pytest.fixture(scope="module")
def local(local_folder: Path) -> control.Facts:
    """The embedded AWS that all modules share; stacks are told apart by their names."""
    found = control.facts(local_folder)
    assert found
    return found


@pytest.fixture(scope="module")
def proxies(local: control.Facts) -> Iterator[Proxy]:
    """A proxy in front of it."""
    with fault_proxy(local.endpoint) as proxy:
        yield proxy


@pytest.fixture
def proxy(proxies: Proxy) -> Proxy:
    """The proxy, which spoils nothing yet."""
    proxies.plan = lambda operation, number: None
    proxies.calls.clear()
    proxies.log.clear()
    proxies.headers.clear()
    return proxies


@pytest.fixture
def aws(local: control.Facts, proxy: Proxy) -> Callable[[str], Any]:
    """The environment leads to the proxy; the clients that this gives go past it."""
    os.environ.update(local.environment())
    os.environ["AWS_ENDPOINT_URL"] = proxy.endpoint
    return lambda service: boto3.client(service, endpoint_url=local.endpoint)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A stack's name of the test's own."""
    words = "".join(c if c.isalnum() else "-" for c in request.node.name.removeprefix("test_"))
    return f"t-{words[:40].strip('-')}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository root with the small templates."""
    (tmp_path / "eb-flask").mkdir()
    (tmp_path / "eb-flask" / "application.py").write_text("application = None\n")
    write(tmp_path)
    return tmp_path


@pytest.fixture
def run(aws: Callable[[str], Any], root: Path, name: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command against this test's stack: exit status, standard output, standard error."""

    def run(command: str, *arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        where = ("--stack-name", name, "--repo-root", str(root))
        status = cli.main([command, *words(command), *where, *arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def words(command: str) -> tuple[str, ...]:
    """What a command needs beside the place: a create has to know who may open the page."""
    return ADDRESS if command in {"create", "plan"} else ()


def stacks(cfn: Any, name: str) -> list[str]:
    """The statuses of the root and of its children, which stand."""
    pages = cfn.get_paginator("describe_stacks").paginate()
    found = [one for page in pages for one in page["Stacks"]]
    return [one["StackStatus"] for one in found if one["StackName"].startswith(name)]
