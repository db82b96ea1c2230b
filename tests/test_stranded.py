"""What the cleanup of an update cannot delete is told, and gone after the update that can delete it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deploy_bench import Run, aws, local, name, proxies, proxy, root, run, write

from aws_vpc import stranded
from aws_vpc.stranded import Stranded
from aws_vpc.wait import Wait

__all__ = ["aws", "local", "name", "proxies", "proxy", "root", "run"]

Aws = Callable[[str], Any]
VPC = """
  Vpc:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.6.0.0/16}
"""
SUBNET = (
    VPC
    + """
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.6.1.0/24}
"""
)
KEPT = (
    SUBNET
    + """
  Kept:
    Type: AWS::EC2::Subnet
    DeletionPolicy: Retain
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.6.2.0/24}
"""
)
ALL = os.environ.get("AWS_VPC_TEST_ALL") == "1"


def subnets(aws: Aws, block: str = "10.6.1.0/24") -> list[str]:
    found = aws("ec2").describe_subnets(Filters=[{"Name": "cidr-block", "Values": [block]}])
    return [one["SubnetId"] for one in found["Subnets"]]


def occupied(aws: Aws) -> str:
    """A network interface of somebody else's in the subnet."""
    (subnet,) = subnets(aws)
    made = aws("ec2").create_network_interface(SubnetId=subnet, Description="a function's")
    return str(made["NetworkInterface"]["NetworkInterfaceId"])


def test_what_was_held_is_told_and_goes_with_the_next_update(
    run: Run, root: Path, aws: Aws, monkeypatch: Any
) -> None:
    monkeypatch.setattr(stranded, "PATIENCE", 0.0)
    write(root, first=KEPT)
    assert run("create", "--skip-checks")[0] == 0
    interface = occupied(aws)
    write(root, first=VPC)
    status, _, err = run("update", "--yes", "--skip-checks")
    assert status == 0 and subnets(aws)
    assert "NestedFirstStack/Subnet (AWS::EC2::Subnet) subnet-" in err
    assert f"it holds {interface} (a function's)" in err and "run again, tries again" in err
    # What a policy retains is not meant.
    left = json.loads(run("status", "--json")[1])["left_behind"]
    assert list(left) == ["NestedFirstStack/Subnet"]
    status, _, err = run("update")
    assert status == 3 and "was left behind by an earlier update" in err
    aws("ec2").delete_network_interface(NetworkInterfaceId=interface)
    assert run("update", "--yes")[0] == 0
    (kept,) = subnets(aws, "10.6.2.0/24")
    assert not subnets(aws) and "left_behind" not in json.loads(run("status", "--json")[1])
    aws("ec2").delete_subnet(SubnetId=kept)
    assert run("teardown", "--yes")[0] == 0


@pytest.mark.skipif(not ALL, reason="AWS_VPC_TEST_ALL=1 tears down what an update left, too")
def test_teardown_takes_what_was_held_once_it_is_let_go(
    run: Run, root: Path, aws: Aws, monkeypatch: Any
) -> None:
    monkeypatch.setattr(stranded, "PATIENCE", 0.0)
    write(root, first=SUBNET)
    assert run("create")[0] == 0
    interface = occupied(aws)
    write(root, first=VPC)
    assert run("update", "--yes")[0] == 0 and subnets(aws)
    aws("ec2").delete_network_interface(NetworkInterfaceId=interface)
    status, _, err = run("teardown", "--yes")
    assert status == 0, err
    assert not subnets(aws)


class Ec2:
    """Deletes what nothing else is in; `held` says how often each is refused first."""

    def __init__(self, **held: int) -> None:
        self.held, self.gone = held, list[str]()

    def delete(self, id: str) -> None:
        if self.held.get(id, 0):
            self.held[id] -= 1
            error = {"Code": "DependencyViolation", "Message": f"{id} has dependencies and cannot be deleted"}
            raise ClientError({"Error": error}, "Delete")
        self.gone.append(id)

    def delete_subnet(self, SubnetId: str) -> None:
        self.delete(SubnetId)

    def delete_vpc(self, VpcId: str) -> None:
        self.delete(VpcId)

    def describe_network_interfaces(self, **_: Any) -> dict[str, Any]:
        return {"NetworkInterfaces": []}


def clock() -> Wait:
    """A wait whose time passes with its pauses."""
    now = [0.0]
    return Wait(600, lambda: now[0], lambda pause: now.__setitem__(0, now[0] + pause))


def test_a_service_is_given_time_to_let_go() -> None:
    ec2 = Ec2(subnet=5)
    both = [Stranded("Net", "Vpc", "vpc", "vpc"), Stranded("Net", "Subnet", "subnet", "subnet")]
    assert stranded.remove(ec2, both, clock()) == {}
    assert ec2.gone == ["vpc", "subnet"] or ec2.gone == ["subnet", "vpc"]


def test_who_never_lets_go_is_told() -> None:
    ec2, one = Ec2(subnet=1_000_000), Stranded("Net", "Subnet", "subnet", "subnet")
    assert stranded.remove(ec2, [one], clock()) == {one: "subnet has dependencies and cannot be deleted"}
