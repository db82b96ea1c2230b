"""No template opens, permits or lets out more than is named; endpoints admit what is needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from templates_bench import ANY_TEMPLATE, FOLDER, template, walk

STATEFUL = {
    "AWS::CloudFormation::Stack": "Retain",
    "AWS::S3::Bucket": "Retain",
    "AWS::RDS::DBInstance": "Snapshot",
    "AWS::Redshift::Cluster": "Snapshot",
}
# What must not stand in a template: values that belong to one account, or to nobody but the service.
LITERALS = {
    "account": r"(?<![0-9.])[0-9]{12}(?![0-9])",
    "network": r"\b(?:vpc|subnet|sg|igw|nat|rtb|vpce|pcx|eni|eipalloc)-[0-9a-f]{8,17}\b",
    "image": r"\bami-[0-9a-f]{8,17}\b",
    "bucket": r"s3://[a-z0-9]|https?://[a-z0-9.-]+\.s3[.-][a-z0-9.-]*amazonaws",
    "key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
}


def literal_faults(body: dict[str, Any]) -> list[str]:
    """Values that belong to one account, a password among them."""
    found = []
    for at, value in walk(body):
        if isinstance(value, (dict, list)) or at.endswith(("/ConstraintDescription", "/AllowedPattern")):
            continue
        found += [f"{at}: {kind}" for kind, shape in LITERALS.items() if re.search(shape, str(value))]
        if re.search(r"/(MasterUserPassword|SecretString|BucketName)$", at):
            found.append(f"{at}: {value} is written down")
    return found


WITHOUT_RESOURCES = (["ecr:GetAuthorizationToken"], ["batch:DescribeJobs"])


def wide_permissions(body: dict[str, Any]) -> list[str]:
    """Allowed actions with a wildcard, and allowed actions on everything that could be on less."""
    found = []
    for at, value in walk(body["Resources"]):
        if isinstance(value, dict) and value.get("Effect") == "Allow" and "Principal" not in value:
            actions = value["Action"] if isinstance(value["Action"], list) else [value["Action"]]
            found += [f"{at}: {action}" for action in actions if "*" in action]
            if value["Resource"] == "*" and actions not in WITHOUT_RESOURCES:
                found.append(f"{at}: on everything")
    return found


def open_ways_in(body: dict[str, Any]) -> list[str]:
    """Ingress rules with a literal address, in rules of their own or inside a group."""
    return [
        at
        for at, value in walk(body["Resources"])
        if isinstance(value, dict)
        and ("Ingress" in at or value.get("Type") == "AWS::EC2::SecurityGroupIngress")
        and any(isinstance(inner, str) and re.search(r"/CidrIp(v6)?$", place) for place, inner in walk(value))
    ]


@ANY_TEMPLATE
def test_no_value_of_one_account_is_written_down(path: Path) -> None:
    assert literal_faults(template(path)) == []


@pytest.mark.parametrize(
    "planted",
    [
        {"RoleArn": "arn:aws:iam::123456789012:role/x"},
        {"VpcId": "vpc-0123456789abcdef0"},
        {"SubnetIds": ["subnet-0a1b2c3d"]},
        {"ImageId": "ami-0123456789abcdef0"},
        {"BucketName": "my-data"},
        {"Source": "s3://my-data/key"},
        {"TemplateURL": "https://my-data.s3.eu-central-1.amazonaws.com/x.yaml"},
        {"MasterUserPassword": "correct horse"},
        {"SecretString": '{"password": "correct horse"}'},
        {"Key": "AKIA" + "ABCDEFGHIJKLMNOP"},
    ],
    ids=lambda planted: next(iter(planted)),
)
def test_a_value_of_one_account_is_found(planted: dict[str, Any]) -> None:
    assert literal_faults({"Resources": {"Planted": {"Type": "X", "Properties": planted}}})


@ANY_TEMPLATE
def test_no_parameter_holds_a_secret(path: Path) -> None:
    for name, parameter in template(path)["Parameters"].items():
        assert "Password" not in name
        assert "NoEcho" not in parameter
        if "Secret" in name:
            assert re.search(":secretsmanager:|vpce-", parameter["AllowedPattern"])


@ANY_TEMPLATE
def test_what_holds_data_outlives_its_stack(path: Path) -> None:
    for logical, resource in template(path)["Resources"].items():
        policy = STATEFUL.get(resource["Type"], resource.get("DeletionPolicy"))
        assert resource.get("DeletionPolicy") == resource.get("UpdateReplacePolicy") == policy, logical


@ANY_TEMPLATE
def test_every_rule_of_a_security_group_is_described(path: Path) -> None:
    for logical, resource in template(path)["Resources"].items():
        if re.search(r"SecurityGroup(In|E)gress$", resource["Type"]):
            assert resource["Properties"]["Description"], logical
        for rule in resource.get("Properties", {}).get("SecurityGroupEgress", ()):
            assert rule["Description"], logical


@ANY_TEMPLATE
def test_nothing_is_open_to_a_literal_address(path: Path) -> None:
    assert open_ways_in(template(path)) == []


@pytest.mark.parametrize(
    "planted",
    [
        {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"FromPort": 22, "CidrIp": "0.0.0.0/0"}},
        {"Type": "X", "Properties": {"SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0"}]}},
        {"Type": "X", "Properties": {"SecurityGroupIngress": [{"CidrIpv6": "::/0"}]}},
    ],
)
def test_an_open_port_is_found(planted: dict[str, Any]) -> None:
    assert open_ways_in({"Resources": {"Planted": planted}})


@ANY_TEMPLATE
def test_no_role_may_do_more_than_named_actions_on_named_things(path: Path) -> None:
    assert wide_permissions(template(path)) == []


@pytest.mark.parametrize(
    ("action", "resource"), [("s3:*", "arn"), (["s3:Get*"], "arn"), ("s3:GetObject", "*")]
)
def test_a_wide_permission_is_found(action: Any, resource: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    assert len(wide_permissions({"Resources": {"Planted": {"Statement": [statement]}}})) == 1


def free_ways_out(body: dict[str, Any]) -> list[str]:
    """Groups that keep the rule EC2 gives them, and rules that let out more than one TCP port."""
    found = []
    for logical, resource in body["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::EC2::SecurityGroup":
            egress = properties.get("SecurityGroupEgress", ())
            if [rule.get("CidrIp") for rule in egress] != ["127.0.0.1/32"]:
                found.append(f"{logical}: lets out what it should not")
        elif resource["Type"] == "AWS::EC2::SecurityGroupEgress":
            ports = [properties[key] for key in ("IpProtocol", "FromPort", "ToPort")]
            found += [f"{logical}: more than one TCP port"] * (ports != ["tcp", ports[1], ports[1]])
    return found


@ANY_TEMPLATE
def test_no_group_lets_everything_out(path: Path) -> None:
    assert free_ways_out(template(path)) == []


@pytest.mark.parametrize(
    ("type", "properties"),
    [
        ("SecurityGroup", {}),
        ("SecurityGroup", {"SecurityGroupEgress": [{"CidrIp": "0.0.0.0/0"}]}),
        ("SecurityGroupEgress", {"IpProtocol": "-1", "FromPort": 1, "ToPort": 1}),
        ("SecurityGroupEgress", {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 9}),
    ],
)
def test_a_free_way_out_is_found(type: str, properties: dict[str, Any]) -> None:
    planted = {"Type": f"AWS::EC2::{type}", "Properties": properties}
    assert free_ways_out({"Resources": {"Planted": planted}})


def test_the_network_is_one_small_file_without_iam_that_needs_no_parameter() -> None:
    path = FOLDER / "vpc.yaml"
    assert path.stat().st_size < 51_200 - 2_000  # what a create-stack takes as text, with room for changes
    types = {resource["Type"] for resource in template(path)["Resources"].values()}
    assert {name.split("::")[1] for name in types} == {"EC2"}
    assert all("Default" in parameter for parameter in template(path)["Parameters"].values())


ENDPOINTS = ("S3GatewayEndpoint", "WarehouseS3GatewayEndpoint", "SecretsManagerEndpoint")


@pytest.mark.parametrize("logical", ENDPOINTS)
def test_an_endpoint_admits_the_same_inside_the_network_and_beside_it(logical: str) -> None:
    inside, beside = (template(FOLDER / name)["Resources"] for name in ("vpc.yaml", "endpoints.yaml"))
    policies = [one[logical]["Properties"]["PolicyDocument"] for one in (inside, beside)]
    assert policies[0] == policies[1]


def test_what_instances_fetch_and_signal_passes_the_endpoint_of_s3() -> None:
    """Elastic Beanstalk guide, endpoint policies; CloudFormation guide, VPC endpoints (wait conditions)."""
    endpoint = template(FOLDER / "endpoints.yaml")["Resources"]["S3GatewayEndpoint"]["Properties"]
    admitted = {
        (one["Action"], re.sub(r".*:::|-?\$\{AWS::Region\}.*", "", str(resource["Fn::Sub"])))
        for one in endpoint["PolicyDocument"]["Statement"]
        if "Condition" not in one
        for resource in ([one["Resource"]] if isinstance(one["Resource"], dict) else one["Resource"])
    }
    read = ["al2023-repos", "aws-codedeploy", "elasticbeanstalk", "elasticbeanstalk-env-resources"]
    read += ["elasticbeanstalk-platform-assets", "prod"]
    assert admitted == {
        *(("s3:GetObject", name) for name in read),
        ("s3:PutObject", "cloudformation-waitcondition"),
    }
