"""Nested stacks that a root gives up: shown, asked about, deleted, listed while they stand."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from aws_vpc import cli, plan
from aws_vpc.deploy import Stack, is_child
from aws_vpc.local import control

ROOT = """
Parameters:
  TemplateBaseUrl: {Type: String}
  App: {Type: String, Default: 'true', AllowedValues: ['true', 'false']}
Conditions:
  HasApp: !Equals [!Ref App, 'true']
Resources:
  NestedNetStack:
    Type: AWS::CloudFormation::Stack
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TemplateURL: !Sub ${TemplateBaseUrl}/net.yaml
      Tags: [{Key: EnvironmentName, Value: !Ref AWS::StackName}]
  NestedAppStack:
    Type: AWS::CloudFormation::Stack
    Condition: HasApp
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TemplateURL: !Sub ${TemplateBaseUrl}/app.yaml
      Parameters: {Vpc: !GetAtt NestedNetStack.Outputs.Vpc}
      Tags: [{Key: EnvironmentName, Value: !Ref AWS::StackName}]
  NestedUserStack:
    Type: AWS::CloudFormation::Stack
    Condition: HasApp
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TemplateURL: !Sub ${TemplateBaseUrl}/user.yaml
      Parameters: {Subnet: !GetAtt NestedAppStack.Outputs.Subnet}
      Tags: [{Key: EnvironmentName, Value: !Ref AWS::StackName}]
"""
NET = """
Resources:
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.7.0.0/16}
Outputs:
  Vpc: {Value: !Ref Vpc}
"""
APP = """
Parameters:
  Vpc: {Type: 'AWS::EC2::VPC::Id'}
Resources:
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.7.1.0/24}
Outputs:
  Subnet: {Value: !Ref Subnet}
"""
USER = """
Parameters:
  Subnet: {Type: 'AWS::EC2::Subnet::Id'}
Resources:
  Interface:
    Type: AWS::EC2::NetworkInterface
    Properties: {SubnetId: !Ref Subnet}
"""
Run = Callable[..., tuple[int, str, str]]


def client(service: str) -> Any:
    """A client by the environment as it is now; boto3's own session keeps an earlier module's credentials."""
    return boto3.Session().client(service)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An embedded AWS of this module's own, reached through the environment as an account is."""
    folder = tmp_path_factory.mktemp("orphans") / "local"
    before = dict(os.environ)
    os.environ.update(control.start(folder).environment(), AWS_VPC_LOCAL_DIR=str(folder))
    yield
    control.stop(folder)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def run(account: None, tmp_path: Path, capsys: Any, request: Any) -> Iterator[Run]:
    """A command against this test's own stack: exit status, standard output, standard error."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "eb-flask").mkdir()
    (tmp_path / "eb-flask" / "application.py").write_text("application = None\n")
    for name, text in {"nested-stack": ROOT, "net": NET, "app": APP, "user": USER}.items():
        (tmp_path / "templates" / f"{name}.yaml").write_text(text)
    stack = "t" + request.node.name.removeprefix("test").replace("_", "-")[:60]

    def run(command: str, *arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = cli.main([command, "--stack-name", stack, "--repo-root", str(tmp_path), *arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    status, _, err = run("create", "--local")
    assert status == 0, err
    yield run
    assert run("teardown", "--yes")[0] == 0


def subnets() -> list[str]:
    found = client("ec2").describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.7.1.0/24"]}])
    return [one["SubnetId"] for one in found["Subnets"]]


def test_a_switch_turned_off_is_refused_without_a_yes(run: Run) -> None:
    status, _, err = run("update", "--param", "App=false")
    assert (status, "NestedAppStack" in err, "DELETED" in err) == (3, True, True)
    assert "needs --yes; nothing has been changed" in err
    assert subnets() and run("update")[1].startswith("nothing to update")


def test_a_switch_turned_off_takes_its_stacks_away_users_first(run: Run) -> None:
    status, _, err = run("update", "--param", "App=false", "--yes")
    assert status == 0, err
    assert err.index("deleting NestedUserStack") < err.index("deleting NestedAppStack")
    assert not subnets()
    assert "left_behind" not in json.loads(run("status", "--json")[1])


def test_a_switch_turned_on_again_brings_its_stacks_back(run: Run) -> None:
    assert run("update", "--param", "App=false", "--yes")[0] == 0
    status, _, err = run("update", "--param", "App=true")
    assert status == 0, err
    assert len(subnets()) == 1


def give_up(run: Run) -> None:
    """What an update outside the command leaves: the root without two children that stand."""
    cfn = client("cloudformation")
    name = json.loads(run("status", "--json")[1])["stack"]
    parameters = [
        {"ParameterKey": "TemplateBaseUrl", "UsePreviousValue": True},
        {"ParameterKey": "App", "ParameterValue": "false"},
    ]
    cfn.update_stack(
        StackName=name,
        UsePreviousTemplate=True,
        Parameters=parameters,
        Capabilities=["CAPABILITY_AUTO_EXPAND"],
    )
    cfn.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def test_what_was_left_behind_is_listed_and_the_next_update_deletes_it(run: Run) -> None:
    give_up(run)
    status, out, _ = run("status")
    assert (status, out.count("LEFT BEHIND and still paid for")) == (0, 2)
    status, _, err = run("update")
    assert status == 3 and "was left behind by an earlier update" in err and subnets()
    assert run("update", "--yes")[0] == 0
    assert not subnets() and run("update")[1].startswith("nothing to update")


def test_what_was_left_behind_goes_before_its_switch_is_turned_on_again(run: Run) -> None:
    give_up(run)
    (old,) = subnets()
    status, _, err = run("update", "--param", "App=true", "--yes")
    assert status == 0, err
    (new,) = subnets()
    assert new != old


def test_teardown_takes_what_was_left_behind(run: Run) -> None:
    give_up(run)
    status, _, err = run("teardown")
    assert status == 3 and "left behind by an earlier update: NestedAppStack, NestedUserStack" in err
    assert run("teardown", "--yes")[0] == 0
    assert not subnets()


def test_only_a_stack_that_the_root_made_is_its_child() -> None:
    marked = {"EnvironmentName": "app"}
    assert is_child(Stack("1", "app-NestedNetStack-ABC", "CREATE_COMPLETE", tags=marked), "app")
    parent = "arn:aws:cloudformation:eu-west-1:111122223333:stack/app/0"
    assert is_child(Stack("1", "app-NestedNetStack-ABC", "CREATE_COMPLETE", parent=parent), "app")
    assert not is_child(Stack("1", "app-prod-NestedNetStack-ABC", "CREATE_COMPLETE"), "app")
    assert not is_child(Stack("1", "other", "CREATE_COMPLETE", tags=marked), "app")


def test_stacks_need_those_whose_outputs_they_were_given() -> None:
    stacks = {
        "net": ({"EnvironmentName": "app"}, {"Vpc": "vpc-1"}),
        "app": ({"EnvironmentName": "app", "Vpc": "vpc-1"}, {"Port": "80"}),
        "far": ({"Vpc": "vpc-2"}, {}),
    }
    assert plan.uses(stacks) == {"net": set(), "app": {"net"}, "far": set()}


def test_what_a_stack_hands_on_is_not_its_own() -> None:
    net, handing_on = ({}, {"Subnets": "subnet-1"}), ({"Subnets": "subnet-1"}, {"Subnets": "subnet-1"})
    stacks = {"net": net, "nat": handing_on, "endpoints": handing_on}
    assert plan.uses(stacks) == {"net": set(), "nat": {"net"}, "endpoints": {"net"}}
