"""Drift, type by type: what is changed by hand is found in the words of the template."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from providers_bench import Bench, Made, serving

from aws_vpc.local.cloudformation.drift import compared, differences, without_stack_tags
from aws_vpc.local.providers import provider, read
from aws_vpc.local.providers.spelling import respell

EXAMPLES = 1000 if "AWS_VPC_TEST_ALL" in os.environ else 40
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    yield from serving()


def drift(made: Made) -> tuple[str, list[tuple[str, Any, Any]]]:
    """The status of the resource, and path, expected and actual value of each difference."""
    request = made.later(made.request.properties)
    actual = read(provider(request.type).describe, request)
    if actual is not None:
        actual = without_stack_tags(actual, request.properties.get("Tags"), request.tags)
    found = compared(request.properties, actual)
    return found.status, [(one.path, one.expected, one.actual) for one in found.differences]


Change = Callable[[Bench, Made], Any]
RULE = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
# how it is made, what somebody does by hand, where the difference is
HAND: list[tuple[Callable[[Bench], Made], Change, list[str]]] = [
    (
        lambda b: b.make("AWS::EC2::VPC", CidrBlock="10.9.0.0/16", EnableDnsHostnames=True),
        lambda b, m: b.ec2.modify_vpc_attribute(VpcId=m.id, EnableDnsHostnames={"Value": False}),
        ["/EnableDnsHostnames"],
    ),
    (
        lambda b: b.make(
            "AWS::EC2::Subnet", VpcId=b.vpc, CidrBlock="10.0.77.0/24", MapPublicIpOnLaunch=False
        ),
        lambda b, m: b.ec2.modify_subnet_attribute(SubnetId=m.id, MapPublicIpOnLaunch={"Value": True}),
        ["/MapPublicIpOnLaunch"],
    ),
    (
        lambda b: b.make(
            "AWS::EC2::SecurityGroup",
            GroupDescription="d",
            VpcId=b.vpc,
            SecurityGroupIngress=[
                {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/8"}
            ],
        ),
        lambda b, m: b.ec2.authorize_security_group_ingress(GroupId=m.id, **RULE),
        ["/SecurityGroupIngress/1"],
    ),
    (
        lambda b: b.make("AWS::SQS::Queue", VisibilityTimeout=40, Tags=[{"Key": "a", "Value": "b"}]),
        lambda b, m: b.sqs.tag_queue(QueueUrl=m.id, Tags={"a": "c"}),
        ["/Tags/0/Value"],
    ),
    (
        lambda b: b.make("AWS::SNS::Topic", DisplayName="stated"),
        lambda b, m: b.sns.set_topic_attributes(
            TopicArn=m.id, AttributeName="DisplayName", AttributeValue="x"
        ),
        ["/DisplayName"],
    ),
    (
        lambda b: b.make("AWS::SSM::Parameter", Type="String", Value="one", Description="d"),
        lambda b, m: b.ssm.put_parameter(Name=m.id, Value="two", Overwrite=True),
        ["/Value"],
    ),
    (
        lambda b: b.make(
            "AWS::S3::Bucket",
            VersioningConfiguration={"Status": "Enabled"},
            PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": True},
        ),
        lambda b, m: b.s3.put_bucket_versioning(Bucket=m.id, VersioningConfiguration={"Status": "Suspended"}),
        ["/VersioningConfiguration/Status"],
    ),
    (
        lambda b: b.make(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument=TRUST,
            Policies=[{"PolicyName": "p", "PolicyDocument": POLICY}],
        ),
        lambda b, m: b.iam.delete_role_policy(RoleName=m.id, PolicyName="p"),
        ["/Policies/0"],
    ),
    (
        lambda b: b.make("AWS::Logs::LogGroup", RetentionInDays=7),
        lambda b, m: b.logs.put_retention_policy(logGroupName=m.id, retentionInDays=30),
        ["/RetentionInDays"],
    ),
    (
        lambda b: b.make("AWS::Events::Rule", EventPattern={"source": ["mine"]}, State="ENABLED"),
        lambda b, m: b.events.disable_rule(Name=m.id),
        ["/State"],
    ),
]


@pytest.mark.parametrize(("make", "by_hand", "paths"), HAND, ids=[str(paths[0]) for *_, paths in HAND])
def test_what_is_changed_by_hand_is_found(
    bench: Bench, make: Callable[[Bench], Made], by_hand: Change, paths: list[str]
) -> None:
    made = make(bench)
    assert drift(made) == ("IN_SYNC", [])
    by_hand(bench, made)
    status, found = drift(made)
    assert (status, [path for path, *_ in found]) == ("MODIFIED", paths)


ANYWHERE = {"DestinationCidrBlock": "0.0.0.0/0"}
GONE: list[Callable[[Bench], Made]] = [
    lambda b: b.make("AWS::EC2::SecurityGroup", GroupDescription="d", VpcId=b.vpc),
    lambda b: b.make("AWS::EC2::SecurityGroupIngress", GroupId=b.group, **RULE),
    lambda b: b.make("AWS::EC2::Route", RouteTableId=b.table, GatewayId=b.gateway, **ANYWHERE),
    lambda b: b.make("AWS::SQS::Queue"),
    lambda b: b.make("AWS::SSM::Parameter", Type="String", Value="one"),
    lambda b: b.make("AWS::S3::Bucket"),
    lambda b: b.make("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST),
    lambda b: b.make("AWS::Logs::LogGroup"),
    lambda b: b.make("AWS::Events::Rule", EventPattern={"source": ["mine"]}),
]


@pytest.mark.parametrize("make", GONE)
def test_what_is_deleted_by_hand_is_deleted(bench: Bench, make: Callable[[Bench], Made]) -> None:
    made = make(bench)
    assert drift(made)[0] == "IN_SYNC"
    made.delete()
    assert drift(made)[0] == "DELETED"


scalars = some.none() | some.booleans() | some.integers(-9, 9) | some.text("abc", max_size=3)
values = some.recursive(
    scalars,
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.text("AB", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = some.dictionaries(some.text("ABC", min_size=1, max_size=2), values, max_size=4)


@settings(max_examples=EXAMPLES, deadline=None)
@given(objects)
def test_nothing_differs_from_itself_or_from_its_json(stated: dict[str, Any]) -> None:
    assert list(differences(stated, stated)) == []
    assert list(differences(stated, json.loads(json.dumps(stated)))) == []


@settings(max_examples=EXAMPLES, deadline=None)
@given(objects, objects)
def test_what_is_not_stated_never_differs(stated: dict[str, Any], more: dict[str, Any]) -> None:
    assert list(differences(stated, {**more, **stated})) == []


@settings(max_examples=EXAMPLES, deadline=None)
@given(some.lists(some.integers(0, 99), unique=True, max_size=5), some.randoms())
def test_the_order_of_a_list_is_no_difference(items: list[int], shuffle: Any) -> None:
    other = list(items)
    shuffle.shuffle(other)
    assert list(differences({"A": items}, {"A": other})) == []


@settings(max_examples=EXAMPLES, deadline=None)
@given(some.lists(some.integers(0, 99), unique=True, min_size=1, max_size=5))
def test_a_member_that_went_and_one_that_came_are_told(items: list[int]) -> None:
    gone, *rest = items
    found = list(differences({"A": items}, {"A": [*rest, 100]}))
    assert [(one.kind, one.expected, one.actual) for one in found] == [
        ("REMOVE", gone, None),
        ("ADD", None, 100),
    ]


def test_a_description_is_spelled_as_the_template() -> None:
    stated = {"RetentionInDays": 7, "Tags": [{"Key": "a", "Value": "b"}], "Groups": ["sg-1"]}
    found = {
        "retentionInDays": 7,
        "tags": {"a": "b"},
        "groups": [{"GroupId": "sg-1", "State": "active"}],
        "x": 1,
    }
    assert respell(stated, found) == {
        "RetentionInDays": 7, "Tags": [{"Key": "a", "Value": "b"}], "Groups": ["sg-1"],
    }  # fmt: skip
