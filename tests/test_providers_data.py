"""Databases, warehouses and buckets: each is made, seen, changed in place and deleted twice."""

from typing import Any

import pytest
from providers_bench import Bench, Case, Made, prove
from providers_makers import CLUSTER, DATABASE, policy, role


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

CASES = [
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
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_type_is_made_seen_changed_and_deleted(moto_bench: Bench, case: Case) -> None:
    prove(moto_bench, case)


def test_a_failed_database_tells_its_reason():
    from aws_vpc.local.providers.databases import why

    assert why({"StatusInfos": [{"Message": "the disk is full"}]}) == ": the disk is full"
    assert why({"ModifyStatus": "no port"}) == ": no port"
    assert why({"StatusInfos": []}) == ""
