"""Roles, policies, secrets and keys: each is made, seen, changed in place and deleted twice."""

import json
from typing import Any

import pytest
from providers_bench import ACCOUNT, Bench, Case, Made, prove
from providers_makers import CLUSTER, DATABASE, TRUST, policy, role


def managed(name: str) -> str:
    """The ARN of a policy that AWS manages."""
    return f"arn:aws:iam::aws:policy/{name}"


def inline(bench: Bench, role: str, name: str) -> Any:
    """The document of an inline policy of the role."""
    return bench.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]


def attached(bench: Bench, role: str) -> list[str]:
    """The names of the managed policies of the role."""
    found = bench.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return [entry["PolicyName"] for entry in found]


def find_role(bench: Bench, made: Made) -> Any:
    """The role with its inline policies and the names of its managed ones."""
    found = bench.iam.get_role(RoleName=made.ref)["Role"]
    names = bench.iam.list_role_policies(RoleName=made.ref)["PolicyNames"]
    return {
        **found,
        "inline": {name: inline(bench, made.ref, name) for name in names},
        "managed": attached(bench, made.ref),
    }


def value(bench: Bench, secret: str) -> Any:
    """The JSON value of the secret."""
    return json.loads(bench.secretsmanager.get_secret_value(SecretId=secret)["SecretString"])


def find_secret(bench: Bench, made: Made) -> Any:
    """The secret with its value."""
    found = bench.secretsmanager.describe_secret(SecretId=made.ref)
    return None if "DeletedDate" in found else {**found, "value": value(bench, made.ref)}


def secret(bench: Bench, **more: Any) -> str:
    """A secret with a user name and a generated password."""
    how = {"SecretStringTemplate": '{"username": "reader"}', "GenerateStringKey": "password", **more}
    return bench.make("AWS::SecretsManager::Secret", GenerateSecretString=how).ref


def database(bench: Bench, **more: Any) -> Made:
    """A DB instance in the bench's subnets."""
    subnets = bench.make(
        "AWS::RDS::DBSubnetGroup", DBSubnetGroupDescription="two", SubnetIds=bench.subnets
    ).ref
    return bench.make("AWS::RDS::DBInstance", **DATABASE, DBSubnetGroupName=subnets, **more)


def key(bench: Bench) -> str:
    """A KMS key."""
    return bench.make("AWS::KMS::Key", KeyPolicy=KEY_POLICY).ref


KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}

CASES = [
    Case(
        "AWS::IAM::Role",
        lambda b: {
            "AssumeRolePolicyDocument": TRUST,
            "Path": "/bench/",
            "MaxSessionDuration": "7200",
            "ManagedPolicyArns": [managed("AmazonSSMManagedInstanceCore")],
            "Policies": [
                {"PolicyName": "read", "PolicyDocument": policy("s3:GetObject")},
                {"PolicyName": "list", "PolicyDocument": policy("s3:ListBucket")},
            ],
        },
        find_role,
        lambda b, found: (
            found["managed"] == ["AmazonSSMManagedInstanceCore"] and set(found["inline"]) == {"read", "list"}
        ),
        lambda b: {
            "Description": "for the web server",
            "ManagedPolicyArns": [managed("ReadOnlyAccess")],
            "Policies": [{"PolicyName": "read", "PolicyDocument": policy("s3:GetObjectVersion")}],
        },
        lambda b, found: (
            found["Description"] == "for the web server"
            and found["managed"] == ["ReadOnlyAccess"]
            and found["inline"] == {"read": policy("s3:GetObjectVersion")}
            and found["MaxSessionDuration"] == 7200
        ),
    ),
    Case(
        "AWS::IAM::InstanceProfile",
        lambda b: {"Roles": [role(b).ref]},
        lambda b, made: b.iam.get_instance_profile(InstanceProfileName=made.ref)["InstanceProfile"],
        lambda b, found: len(found["Roles"]) == 1,
        lambda b: {"Roles": [role(b).ref]},
        lambda b, found: len(found["Roles"]) == 1,
    ),
    Case(
        "AWS::IAM::Policy",
        lambda b: {"PolicyName": "copy", "PolicyDocument": policy("s3:GetObject"), "Roles": [role(b).ref]},
        lambda b, made: inline(b, made.request.properties["Roles"][0], "copy"),
        lambda b, found: found == policy("s3:GetObject"),
        lambda b: {"PolicyDocument": policy("s3:PutObject"), "Roles": [role(b).ref]},
        lambda b, found: found == policy("s3:PutObject"),
    ),
    Case(
        "AWS::IAM::RolePolicy",
        lambda b: {"PolicyName": "copy", "PolicyDocument": policy("s3:GetObject"), "RoleName": role(b).ref},
        lambda b, made: inline(b, made.request.properties["RoleName"], "copy"),
        change=lambda b: {"PolicyDocument": policy("s3:PutObject")},
        changed=lambda b, found: found == policy("s3:PutObject"),
    ),
    Case(
        "AWS::IAM::ManagedPolicy",
        lambda b: {"PolicyDocument": policy("s3:GetObject"), "Roles": [role(b).ref]},
        lambda b, made: b.iam.get_policy(PolicyArn=made.ref)["Policy"],
        lambda b, found: found["AttachmentCount"] == 1 and found["DefaultVersionId"] == "v1",
        lambda b: {"PolicyDocument": policy("s3:PutObject"), "Roles": []},
        lambda b, found: found["AttachmentCount"] == 0 and found["DefaultVersionId"] == "v2",
    ),
    Case(
        "AWS::IAM::ServiceLinkedRole",
        lambda b: {"AWSServiceName": "autoscaling.amazonaws.com", "CustomSuffix": "bench"},
        lambda b, made: b.iam.get_role(RoleName=made.ref)["Role"],
        change=lambda b: {"Description": "two"},
        changed=lambda b, found: found["Description"] == "two",
    ),
    Case(
        "AWS::SecretsManager::Secret",
        lambda b: {
            "GenerateSecretString": {
                "SecretStringTemplate": '{"username": "reader"}',
                "GenerateStringKey": "password",
                "PasswordLength": "40",
                "ExcludePunctuation": "true",
            }
        },
        find_secret,
        lambda b, found: (
            found["value"]["username"] == "reader"
            and len(found["value"]["password"]) == 40
            and found["value"]["password"].isalnum()
            and found["Name"].startswith("Thing-")
        ),
        lambda b: {"Description": "for the web server"},
        lambda b, found: (
            found["Description"] == "for the web server" and len(found["value"]["password"]) == 40
        ),
    ),
    Case(
        "AWS::SecretsManager::SecretTargetAttachment",
        lambda b: {"SecretId": secret(b), "TargetType": "AWS::RDS::DBInstance", "TargetId": database(b).ref},
        lambda b, made: value(b, made.ref).get("host"),
        lambda b, found: found.endswith("amazonaws.com"),
        lambda b: {
            "TargetType": "AWS::Redshift::Cluster",
            "TargetId": b.make("AWS::Redshift::Cluster", **CLUSTER).ref,
        },
        lambda b, found: "redshift" in found,
    ),
    Case(
        "AWS::SecretsManager::RotationSchedule",
        lambda b: {
            "SecretId": secret(b),
            "RotationRules": {"AutomaticallyAfterDays": "30"},
            "RotateImmediatelyOnUpdate": False,
        },
        lambda b, made: b.secretsmanager.describe_secret(SecretId=made.ref).get("RotationEnabled"),
        lambda b, found: found,
        stays="moto stops only a rotation that a function does",
    ),
    Case(
        "AWS::SecretsManager::ResourcePolicy",
        lambda b: {"SecretId": secret(b), "ResourcePolicy": policy("secretsmanager:GetSecretValue")},
        lambda b, made: b.secretsmanager.get_resource_policy(SecretId=made.ref).get("ResourcePolicy"),
        change=lambda b: {"ResourcePolicy": policy("secretsmanager:DescribeSecret")},
        changed=lambda b, found: "DescribeSecret" in found,
    ),
    Case(
        "AWS::KMS::Key",
        lambda b: {"KeyPolicy": KEY_POLICY, "EnableKeyRotation": "true", "Description": "one"},
        lambda b, made: (
            None if "DeletionDate" in (found := b.kms.describe_key(KeyId=made.ref)["KeyMetadata"]) else found
        ),
        lambda b, found: b.kms.get_key_rotation_status(KeyId=found["KeyId"])["KeyRotationEnabled"],
        lambda b: {"Description": "two", "EnableKeyRotation": False, "Enabled": False},
        lambda b, found: (
            found["Description"] == "two"
            and not found["Enabled"]
            and not b.kms.get_key_rotation_status(KeyId=found["KeyId"])["KeyRotationEnabled"]
        ),
    ),
    Case(
        "AWS::KMS::Alias",
        lambda b: {"AliasName": f"alias/{b.fresh()}", "TargetKeyId": key(b)},
        lambda b, made: [one for one in b.kms.list_aliases()["Aliases"] if one["AliasName"] == made.ref],
        change=lambda b: {"TargetKeyId": key(b)},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_type_is_made_seen_changed_and_deleted(moto_bench: Bench, case: Case) -> None:
    prove(moto_bench, case)
