"""Types outside EC2: each is created, seen by its API, changed in place, deleted, and deleted again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from providers_bench import ACCOUNT, REGION, Bench, Case, Made, prove, serving

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def policy(action: str) -> dict[str, Any]:
    """An identity policy that allows the action."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def managed(name: str) -> str:
    """The ARN of a policy that AWS manages."""
    return f"arn:aws:iam::aws:policy/{name}"


def role(bench: Bench) -> Made:
    """A role without policies."""
    return bench.make("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST)


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


DATABASE = {
    "Engine": "postgres",
    "EngineVersion": "17",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": "20",
    "MasterUsername": "master",
    "ManageMasterUserPassword": "true",
    "DBName": "people",
}
CLUSTER = {
    "ClusterType": "single-node",
    "NodeType": "ra3.large",
    "NumberOfNodes": 1,
    "DBName": "dev",
    "MasterUsername": "master",
    "MasterUserPassword": "Passw0rdPassw0rd",
}
CONTAINER = {
    "Image": "loader:latest",
    "Command": ["python", "-m", "loader"],
    "ResourceRequirements": [{"Type": "VCPU", "Value": "1"}, {"Type": "MEMORY", "Value": "2048"}],
    "Environment": [{"Name": "RDS_HOST", "Value": "localhost"}],
}


def environment(bench: Bench) -> str:
    """A Fargate compute environment."""
    resources = {
        "Type": "FARGATE",
        "MaxvCpus": "4",
        "Subnets": bench.subnets,
        "SecurityGroupIds": [bench.group],
    }
    return bench.make("AWS::Batch::ComputeEnvironment", Type="MANAGED", ComputeResources=resources).ref


def queue(bench: Bench) -> str:
    """A job queue on a Fargate environment."""
    order = [{"Order": 1, "ComputeEnvironment": environment(bench)}]
    return bench.make("AWS::Batch::JobQueue", Priority="1", ComputeEnvironmentOrder=order).ref


def definition(bench: Bench) -> str:
    """A job definition."""
    return bench.make("AWS::Batch::JobDefinition", Type="container", ContainerProperties=CONTAINER).ref


def target(bench: Bench, id: str, name: str) -> dict[str, Any]:
    """A Batch target of a rule."""
    return {
        "Id": id,
        "Arn": queue(bench),
        "RoleArn": role(bench)["Arn"],
        "BatchParameters": {"JobDefinition": definition(bench), "JobName": name},
        "InputTransformer": {
            "InputPathsMap": {"key": "$.detail.object.key"},
            "InputTemplate": '{"Parameters": {"key": <key>}}',
        },
    }


def find_rule(bench: Bench, made: Made) -> Any:
    """The rule with its targets."""
    found = bench.events.describe_rule(Name=made.ref)
    return {**found, "targets": bench.events.list_targets_by_rule(Rule=made.ref)["Targets"]}


def find_bucket(bench: Bench, made: Made) -> Any:
    """The bucket with the settings that the case looks at."""
    s3, named = bench.s3, {"Bucket": made.ref}
    s3.head_bucket(**named)
    return {
        "versioning": s3.get_bucket_versioning(**named).get("Status"),
        "encryption": s3.get_bucket_encryption(**named)["ServerSideEncryptionConfiguration"]["Rules"],
        "block": s3.get_public_access_block(**named)["PublicAccessBlockConfiguration"],
        "lifecycle": s3.get_bucket_lifecycle_configuration(**named)["Rules"],
        "logging": s3.get_bucket_logging(**named).get("LoggingEnabled"),
        "owner": s3.get_bucket_ownership_controls(**named)["OwnershipControls"]["Rules"],
        "tags": {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(**named)["TagSet"]},
    }


def bucket(bench: Bench) -> str:
    """A bucket as it comes."""
    return bench.make("AWS::S3::Bucket").ref


BUCKET = {
    "VersioningConfiguration": {"Status": "Enabled"},
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": True}
        ]
    },
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": "true",
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    },
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "LifecycleConfiguration": {
        "Rules": [
            {
                "Id": "old",
                "Status": "Enabled",
                "Prefix": "rejected/",
                "ExpirationInDays": "30",
                "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            }
        ]
    },
    "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": "true"}},
}


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


def topic(bench: Bench) -> str:
    """An SNS topic."""
    return bench.make("AWS::SNS::Topic").ref


def queue_policy(bench: Bench, url: str) -> Any:
    """The policy of the queue; empty without one."""
    found = bench.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
    return found.get("Policy")


def balancer(bench: Bench) -> str:
    """A load balancer."""
    return bench.make("AWS::ElasticLoadBalancingV2::LoadBalancer", Subnets=bench.subnets).ref


def answer(status: int) -> list[dict[str, Any]]:
    """The action that answers with the status."""
    return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": str(status)}}]


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
        "AWS::RDS::DBInstance",
        lambda b: {
            **DATABASE,
            "VPCSecurityGroups": [b.group],
            "PubliclyAccessible": "false",
            "DBParameterGroupName": b.make(
                "AWS::RDS::DBParameterGroup", Family="postgres17", Description="one"
            ).ref,
        },
        lambda b, made: b.rds.describe_db_instances(DBInstanceIdentifier=made.ref)["DBInstances"][0],
        lambda b, found: (
            found["DBInstanceStatus"] == "available"
            and found["MasterUserSecret"]["SecretArn"]
            and found["VpcSecurityGroups"][0]["VpcSecurityGroupId"] == b.group
        ),
        lambda b: {
            "AllocatedStorage": "30",
            "DBInstanceClass": "db.t4g.small",
            "VPCSecurityGroups": [b.other_group],
        },
        lambda b, found: found["AllocatedStorage"] == 30 and found["DBInstanceClass"] == "db.t4g.small",
        lacks="AutomaticRestartTime CertificateDetails InstanceCreateTime IsStorageConfigUpgradeAvailable "
        "LatestRestorableTime ListenerEndpoint PercentProgress ResumeFullAutomationModeTime "
        "ReadReplicaDBClusterIdentifiers SecondaryAvailabilityZone StorageOperationStatus "
        "StorageOperationPercentProgress StatusInfos",
    ),
    Case(
        "AWS::RDS::DBSubnetGroup",
        lambda b: {"DBSubnetGroupDescription": "two", "SubnetIds": b.subnets},
        lambda b, made: b.rds.describe_db_subnet_groups(DBSubnetGroupName=made.ref)["DBSubnetGroups"][0],
        lambda b, found: len(found["Subnets"]) == 2,
        lambda b: {"DBSubnetGroupDescription": "two zones"},
        lambda b, found: found["DBSubnetGroupDescription"] == "two zones",
    ),
    Case(
        "AWS::RDS::DBParameterGroup",
        lambda b: {"Family": "postgres17", "Description": "ours", "Parameters": {"rds.force_ssl": 1}},
        lambda b, made: b.rds.describe_db_parameters(DBParameterGroupName=made.ref)["Parameters"],
        lambda b, found: (
            ("rds.force_ssl", "1") in [(one["ParameterName"], one["ParameterValue"]) for one in found]
        ),
        lambda b: {"Parameters": {"rds.force_ssl": "1", "log_min_duration_statement": "250"}},
        lambda b, found: len(found) == 2,
    ),
    Case(
        "AWS::Redshift::Cluster",
        lambda b: {
            **CLUSTER,
            "VpcSecurityGroupIds": [b.group],
            "IamRoles": [role(b)["Arn"]],
            "Encrypted": "true",
            "ClusterSubnetGroupName": b.make(
                "AWS::Redshift::ClusterSubnetGroup", Description="one", SubnetIds=b.subnets
            ).ref,
        },
        lambda b, made: b.redshift.describe_clusters(ClusterIdentifier=made.ref)["Clusters"][0],
        lambda b, found: found["ClusterStatus"] == "available" and len(found["IamRoles"]) == 1,
        lambda b: {"NodeType": "ra3.xlplus", "VpcSecurityGroupIds": [b.other_group]},
        lambda b, found: found["NodeType"] == "ra3.xlplus",
        lacks="DeferMaintenanceIdentifier ClusterNamespaceArn MasterPasswordSecretArn",
    ),
    Case(
        "AWS::Redshift::ClusterSubnetGroup",
        lambda b: {"Description": "one", "SubnetIds": b.subnets},
        lambda b, made: b.redshift.describe_cluster_subnet_groups(ClusterSubnetGroupName=made.ref)[
            "ClusterSubnetGroups"
        ],
        change=lambda b: {},
    ),
    Case(
        "AWS::Redshift::ClusterParameterGroup",
        lambda b: {"ParameterGroupFamily": "redshift-1.0", "Description": "ours"},
        lambda b, made: b.redshift.describe_cluster_parameter_groups(ParameterGroupName=made.ref)[
            "ParameterGroups"
        ],
        change=lambda b: {},
    ),
    Case(
        "AWS::Batch::ComputeEnvironment",
        lambda b: {
            "Type": "managed",
            "State": "ENABLED",
            "ComputeResources": {
                "Type": "FARGATE",
                "MaxvCpus": "4",
                "Subnets": b.subnets,
                "SecurityGroupIds": [b.group],
            },
        },
        lambda b, made: b.batch.describe_compute_environments(computeEnvironments=[made.ref])[
            "computeEnvironments"
        ],
        lambda b, found: found[0]["status"] == "VALID" and "/batch.amazonaws.com/" in found[0]["serviceRole"],
        lambda b: {"State": "DISABLED"},
        lambda b, found: found[0]["state"] == "DISABLED",
    ),
    Case(
        "AWS::Batch::JobQueue",
        lambda b: {
            "Priority": "1",
            "ComputeEnvironmentOrder": [{"Order": "1", "ComputeEnvironment": environment(b)}],
        },
        lambda b, made: b.batch.describe_job_queues(jobQueues=[made.ref])["jobQueues"],
        lambda b, found: found[0]["status"] == "VALID",
        lambda b: {"Priority": 5},
        lambda b, found: found[0]["priority"] == 5,
    ),
    Case(
        "AWS::Batch::JobDefinition",
        lambda b: {
            "Type": "container",
            "ContainerProperties": CONTAINER,
            "Parameters": {"Bucket": "b"},
            "RetryStrategy": {"Attempts": "2"},
            "Timeout": {"AttemptDurationSeconds": 600},
        },
        lambda b, made: [
            one
            for one in b.batch.describe_job_definitions(jobDefinitions=[made.ref])["jobDefinitions"]
            if one["status"] == "ACTIVE"
        ],
        lambda b, found: (
            found[0]["revision"] == 1
            and found[0]["parameters"] == {"Bucket": "b"}
            and found[0]["containerProperties"]["environment"] == [{"name": "RDS_HOST", "value": "localhost"}]
        ),
        lambda b: {"ContainerProperties": CONTAINER | {"Image": "loader:2"}},
        lambda b, found: found[0]["revision"] == 2 and found[0]["containerProperties"]["image"] == "loader:2",
    ),
    Case(
        "AWS::Events::Rule",
        lambda b: {
            "EventPattern": {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "incoming/"}]}}},
            "State": "ENABLED",
            "Targets": [target(b, "loader", "load"), target(b, "other", "other")],
        },
        find_rule,
        lambda b, found: (
            json.loads(found["EventPattern"])["source"] == ["aws.s3"]
            and [one["Id"] for one in found["targets"]] == ["loader", "other"]
            and found["targets"][0]["BatchParameters"]["JobName"] == "load"
        ),
        lambda b: {"State": "DISABLED", "Targets": [target(b, "loader", "reload")]},
        lambda b, found: (
            found["State"] == "DISABLED"
            and [one["BatchParameters"]["JobName"] for one in found["targets"]] == ["reload"]
        ),
    ),
    Case(
        "AWS::Events::EventBus",
        lambda b: {"Name": b.fresh()},
        lambda b, made: b.events.describe_event_bus(Name=made.ref),
        lacks="Policy",
    ),
    Case(
        "AWS::S3::Bucket",
        lambda b: BUCKET | {"LoggingConfiguration": {"LogFilePrefix": "access/"}},
        find_bucket,
        lambda b, found: (
            found["versioning"] == "Enabled"
            and found["block"]["BlockPublicAcls"]
            and found["encryption"][0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
            and found["lifecycle"][0]["Filter"] == {"Prefix": "rejected/"}
            and found["tags"]["Owner"] == "first"
            and found["lifecycle"][0]["Expiration"]["Days"] == 30
            and found["owner"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        ),
        lambda b: {
            "VersioningConfiguration": None,
            "Tags": [{"Key": "Owner", "Value": "third"}],
            "NotificationConfiguration": None,
        },
        lambda b, found: found["versioning"] == "Suspended" and found["tags"]["Owner"] == "third",
    ),
    Case(
        "AWS::S3::BucketPolicy",
        lambda b: {"Bucket": bucket(b), "PolicyDocument": policy("s3:GetObject")},
        lambda b, made: b.s3.get_bucket_policy(Bucket=made.ref)["Policy"],
        lambda b, found: "s3:GetObject" in found,
        lambda b: {"PolicyDocument": policy("s3:PutObject")},
        lambda b, found: "s3:PutObject" in found,
    ),
    Case(
        "AWS::ECR::Repository",
        lambda b: {
            "ImageScanningConfiguration": {"ScanOnPush": "true"},
            "ImageTagMutability": "IMMUTABLE",
            "LifecyclePolicy": {
                "LifecyclePolicyText": json.dumps(
                    {
                        "rules": [
                            {
                                "rulePriority": 1,
                                "selection": {
                                    "tagStatus": "untagged",
                                    "countType": "imageCountMoreThan",
                                    "countNumber": 5,
                                },
                                "action": {"type": "expire"},
                            }
                        ]
                    }
                )
            },
        },
        lambda b, made: b.ecr.describe_repositories(repositoryNames=[made.ref])["repositories"][0],
        lambda b, found: (
            found["imageScanningConfiguration"]["scanOnPush"]
            and b.ecr.get_lifecycle_policy(repositoryName=found["repositoryName"])
        ),
        lambda b: {"ImageTagMutability": "MUTABLE", "ImageScanningConfiguration": None},
        lambda b, found: (
            found["imageTagMutability"] == "MUTABLE" and not found["imageScanningConfiguration"]["scanOnPush"]
        ),
    ),
    Case(
        "AWS::Logs::LogGroup",
        lambda b: {"RetentionInDays": "14"},
        lambda b, made: b.logs.describe_log_groups(logGroupNamePrefix=made.ref)["logGroups"],
        lambda b, found: found[0]["retentionInDays"] == 14,
        lambda b: {"RetentionInDays": 30},
        lambda b, found: found[0]["retentionInDays"] == 30,
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
    Case(
        "AWS::SNS::Topic",
        lambda b: {
            "DisplayName": "alarms",
            "Subscription": [{"Protocol": "email", "Endpoint": "a@example.com"}],
        },
        lambda b, made: b.sns.get_topic_attributes(TopicArn=made.ref)["Attributes"],
        lambda b, found: found["DisplayName"] == "alarms" and found["SubscriptionsPending"] != "2",
        lambda b: {"DisplayName": "Alarms", "Subscription": []},
        lambda b, found: (
            found["DisplayName"] == "Alarms"
            and not b.sns.list_subscriptions_by_topic(TopicArn=found["TopicArn"])["Subscriptions"]
        ),
    ),
    Case(
        "AWS::SNS::TopicPolicy",
        lambda b: {"PolicyDocument": policy("sns:Publish") | {"Id": "ours"}, "Topics": [topic(b)]},
        lambda b, made: [
            one
            for one in made.request.properties["Topics"]
            if "ours" in b.sns.get_topic_attributes(TopicArn=one)["Attributes"]["Policy"]
        ],
        change=lambda b: {"Topics": [topic(b)]},
    ),
    Case(
        "AWS::SNS::Subscription",
        lambda b: {"TopicArn": topic(b), "Protocol": "sqs", "Endpoint": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"},
        lambda b, made: b.sns.get_subscription_attributes(SubscriptionArn=made.ref)["Attributes"],
        lambda b, found: found["RawMessageDelivery"] == "false",
        lambda b: {"RawMessageDelivery": True, "FilterPolicy": {"kind": ["a"]}},
        lambda b, found: (
            found["RawMessageDelivery"] == "true" and json.loads(found["FilterPolicy"]) == {"kind": ["a"]}
        ),
    ),
    Case(
        "AWS::SQS::Queue",
        lambda b: {"VisibilityTimeout": "60"},
        lambda b, made: b.sqs.get_queue_attributes(QueueUrl=made.ref, AttributeNames=["All"])["Attributes"],
        lambda b, found: found["VisibilityTimeout"] == "60",
        lambda b: {"VisibilityTimeout": None, "DelaySeconds": 5},
        lambda b, found: found["VisibilityTimeout"] == "30" and found["DelaySeconds"] == "5",
        lacks="QueueUrl",
    ),
    Case(
        "AWS::SQS::QueuePolicy",
        lambda b: {"Queues": [b.make("AWS::SQS::Queue").ref], "PolicyDocument": policy("sqs:SendMessage")},
        lambda b, made: queue_policy(b, made.request.properties["Queues"][0]),
        lambda b, found: "SendMessage" in found,
        lambda b: {"PolicyDocument": policy("sqs:*")},
        lambda b, found: "sqs:*" in found,
    ),
    Case(
        "AWS::SSM::Parameter",
        lambda b: {"Name": f"/{b.fresh()}/web", "Type": "String", "Value": "A=1"},
        lambda b, made: b.ssm.get_parameter(Name=made.ref)["Parameter"],
        lambda b, found: found["Value"] == "A=1",
        lambda b: {"Value": "A=2"},
        lambda b, found: found["Value"] == "A=2" and found["Version"] == 2,
    ),
    Case(
        "AWS::CloudWatch::Alarm",
        lambda b: {
            "Namespace": "AWS/RDS",
            "MetricName": "FreeStorageSpace",
            "Statistic": "Average",
            "Period": "300",
            "EvaluationPeriods": 2,
            "Threshold": "10.5",
            "ComparisonOperator": "LessThanThreshold",
            "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "one"}],
            "AlarmActions": [topic(b)],
        },
        lambda b, made: b.cloudwatch.describe_alarms(AlarmNames=[made.ref])["MetricAlarms"],
        lambda b, found: found[0]["Threshold"] == 10.5,
        lambda b: {"Threshold": 20},
        lambda b, found: found[0]["Threshold"] == 20,
    ),
    Case(
        "AWS::ECS::Cluster",
        lambda b: {"ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}]},
        lambda b, made: [
            one
            for one in b.ecs.describe_clusters(clusters=[made.ref])["clusters"]
            if one["status"] == "ACTIVE"
        ],
        change=lambda b: {"ClusterSettings": [{"Name": "containerInsights", "Value": "disabled"}]},
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        lambda b: {"Subnets": b.subnets, "SecurityGroups": [b.group], "Scheme": "internal"},
        lambda b, made: b.elbv2.describe_load_balancers(LoadBalancerArns=[made.ref])["LoadBalancers"][0],
        lambda b, found: found["SecurityGroups"] == [b.group],
        lambda b: {"SecurityGroups": [b.other_group]},
        lambda b, found: found["SecurityGroups"] == [b.other_group],
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        lambda b: {"VpcId": b.vpc, "Port": "80", "Protocol": "HTTP", "TargetType": "instance"},
        lambda b, made: b.elbv2.describe_target_groups(TargetGroupArns=[made.ref])["TargetGroups"][0],
        lambda b, found: found["Port"] == 80,
        lambda b: {"HealthCheckPath": "/healthz", "Targets": [{"Id": b.instance}]},
        lambda b, found: (
            found["HealthCheckPath"] == "/healthz"
            and len(
                b.elbv2.describe_target_health(TargetGroupArn=found["TargetGroupArn"])[
                    "TargetHealthDescriptions"
                ]
            )
            == 1
        ),
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::Listener",
        lambda b: {
            "LoadBalancerArn": balancer(b),
            "Port": "80",
            "Protocol": "HTTP",
            "DefaultActions": answer(404),
        },
        lambda b, made: b.elbv2.describe_listeners(ListenerArns=[made.ref])["Listeners"][0],
        lambda b, found: found["Port"] == 80,
        lambda b: {"Port": "8080"},
        lambda b, found: found["Port"] == 8080,
    ),
    Case(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        lambda b: {
            "ListenerArn": b.make(
                "AWS::ElasticLoadBalancingV2::Listener",
                LoadBalancerArn=balancer(b),
                Port=80,
                Protocol="HTTP",
                DefaultActions=answer(404),
            ).ref,
            "Priority": "10",
            "Actions": answer(200),
            "Conditions": [{"Field": "path-pattern", "Values": ["/healthz"]}],
        },
        lambda b, made: b.elbv2.describe_rules(RuleArns=[made.ref])["Rules"][0],
        lambda b, found: found["Priority"] == "10",
        lambda b: {"Priority": 20},
        lambda b, found: found["Priority"] == "20",
        lacks="IsDefault",
    ),
    Case(
        "AWS::CodeBuild::Project",
        lambda b: {
            "ServiceRole": role(b)["Arn"],
            "Source": {"Type": "S3", "Location": "bucket/source.zip", "BuildSpec": "version: 0.2"},
            "Artifacts": {"Type": "NO_ARTIFACTS"},
            "Environment": {
                "Type": "LINUX_CONTAINER",
                "ComputeType": "BUILD_GENERAL1_SMALL",
                "Image": "aws/codebuild/standard:7.0",
                "PrivilegedMode": "true",
            },
        },
        lambda b, made: b.codebuild.batch_get_projects(names=[made.ref])["projects"],
        lambda b, found: found[0]["source"]["type"] == "S3",
        lambda b: {"Description": "the loader's image"},
        lambda b, found: found[0]["description"] == "the loader's image",
    ),
    Case(
        "AWS::Scheduler::Schedule",
        lambda b: {
            "ScheduleExpression": "cron(0 20 * * ? *)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": "arn:aws:scheduler:::aws-sdk:redshift:pauseCluster",
                "RoleArn": role(b)["Arn"],
                "Input": "{}",
            },
        },
        lambda b, made: b.scheduler.get_schedule(Name=made.ref),
        lambda b, found: found["State"] == "ENABLED",
        lambda b: {"State": "DISABLED"},
        lambda b, found: found["State"] == "DISABLED",
    ),
    Case(
        "AWS::Scheduler::ScheduleGroup",
        lambda b: {},
        lambda b, made: b.scheduler.get_schedule_group(Name=made.ref),
        change=lambda b: {},
    ),
]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    yield from serving()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_type_is_made_seen_changed_and_deleted(bench: Bench, case: Case) -> None:
    prove(bench, case)


def test_a_failed_database_tells_its_reason():
    from aws_vpc.local.providers.databases import why

    assert why({"StatusInfos": [{"Message": "the disk is full"}]}) == ": the disk is full"
    assert why({"ModifyStatus": "no port"}) == ": no port"
    assert why({"StatusInfos": []}) == ""
