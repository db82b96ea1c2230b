"""Types that need more than moto, at a whole embedded AWS: real databases, CodeDeploy, parameters."""

from collections.abc import Iterator
from typing import Any

import pytest
from embedded import Embedded, embedded_aws
from providers_bench import Bench, Case, Made, prove

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "codedeploy.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


class EmbeddedBench(Bench):
    """A bench at an embedded AWS."""

    def __init__(self, aws: Embedded) -> None:
        super().__init__(aws.facts.endpoint, aws.facts.region)
        self.aws = aws

    def client(self, service: str) -> Any:
        return self.aws.client(service)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with embedded_aws() as aws:
        yield EmbeddedBench(aws)


def application(bench: Bench) -> str:
    """A CodeDeploy application."""
    return bench.make("AWS::CodeDeploy::Application", ComputePlatform="Server").ref


def group(bench: Bench, made: Made) -> Any:
    """The deployment group of the resource."""
    named = {
        "applicationName": made.request.properties["ApplicationName"],
        "deploymentGroupName": made.ref,
    }
    return bench.codedeploy.get_deployment_group(**named)["deploymentGroupInfo"]


def parameters(bench: Bench, made: Made) -> dict[str, str]:
    """What the parameter group of the resource sets."""
    bench.redshift.describe_cluster_parameter_groups(ParameterGroupName=made.ref)
    found = bench.redshift.describe_cluster_parameters(ParameterGroupName=made.ref)["Parameters"]
    return {entry["ParameterName"]: entry.get("ParameterValue", "") for entry in found}


def database(bench: Bench, made: Made) -> Any:
    """The DB instance of the resource, whose attributes must agree with it."""
    found = bench.rds.describe_db_instances(DBInstanceIdentifier=made.ref)["DBInstances"][0]
    assert made["Endpoint.Address"] == "localhost" and made["Endpoint.Port"] == str(found["Endpoint"]["Port"])
    assert made["MasterUserSecret.SecretArn"] == found["MasterUserSecret"]["SecretArn"]
    return found


def cluster(bench: Bench, made: Made) -> Any:
    """The cluster of the resource, whose attributes must agree with it."""
    found = bench.redshift.describe_clusters(ClusterIdentifier=made.ref)["Clusters"][0]
    assert made["Endpoint.Address"] == "localhost" and made["Endpoint.Port"] == str(found["Endpoint"]["Port"])
    assert made["MasterPasswordSecretArn"] == found["MasterPasswordSecretArn"]
    return found


CASES = [
    Case(
        "AWS::CodeDeploy::Application",
        lambda b: {"ComputePlatform": "Server"},
        lambda b, made: b.codedeploy.get_application(applicationName=made.ref)["application"],
        change=lambda b: {},
    ),
    Case(
        "AWS::CodeDeploy::DeploymentGroup",
        lambda b: {
            "ApplicationName": application(b),
            "ServiceRoleArn": b.make("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST)["Arn"],
            "Ec2TagFilters": [{"Key": "Name", "Value": "web", "Type": "KEY_AND_VALUE"}],
            "AutoRollbackConfiguration": {"Enabled": "true", "Events": ["DEPLOYMENT_FAILURE"]},
        },
        group,
        lambda b, found: found["ec2TagFilters"] == [{"Key": "Name", "Value": "web", "Type": "KEY_AND_VALUE"}],
        lambda b: {
            "Ec2TagFilters": None,
            "Ec2TagSet": {
                "Ec2TagSetList": [
                    {"Ec2TagGroup": [{"Key": "Name", "Type": "KEY_AND_VALUE", "Value": "web2"}]}
                ]
            },
        },
        lambda b, found: found["ec2TagSet"]["ec2TagSetList"][0][0]["Value"] == "web2",
    ),
    Case(
        "AWS::CodeDeploy::DeploymentConfig",
        lambda b: {"MinimumHealthyHosts": {"Type": "HOST_COUNT", "Value": "0"}},
        lambda b, made: b.codedeploy.get_deployment_config(deploymentConfigName=made.ref)[
            "deploymentConfigInfo"
        ],
    ),
    Case(
        "AWS::Redshift::ClusterParameterGroup",
        lambda b: {
            "ParameterGroupFamily": "redshift-2.0",
            "Description": "ours",
            "Parameters": [{"ParameterName": "require_ssl", "ParameterValue": "true"}],
        },
        parameters,
        lambda b, found: found["require_ssl"] == "true",
        lambda b: {"Parameters": [{"ParameterName": "require_ssl", "ParameterValue": False}]},
        lambda b, found: found["require_ssl"] == "false",
    ),
    Case(
        "AWS::RDS::DBInstance",
        lambda b: {
            "Engine": "postgres",
            "EngineVersion": "17",
            "DBInstanceClass": "db.t4g.micro",
            "AllocatedStorage": "20",
            "MasterUsername": "master",
            "ManageMasterUserPassword": "true",
            "DBName": "people",
        },
        database,
        lambda b, found: (
            found["Endpoint"]["Address"] == "localhost" and "SecretArn" in found["MasterUserSecret"]
        ),
        lambda b: {"BackupRetentionPeriod": "7"},
        lambda b, found: found["BackupRetentionPeriod"] == 7 and found["DBInstanceStatus"] == "available",
        lacks="AutomaticRestartTime CertificateDetails InstanceCreateTime IsStorageConfigUpgradeAvailable "
        "LatestRestorableTime ListenerEndpoint PercentProgress ResumeFullAutomationModeTime "
        "ReadReplicaDBClusterIdentifiers SecondaryAvailabilityZone StorageOperationStatus "
        "StorageOperationPercentProgress StatusInfos",
    ),
    Case(
        "AWS::Redshift::Cluster",
        lambda b: {
            "ClusterType": "single-node",
            "NodeType": "ra3.large",
            "DBName": "dev",
            "MasterUsername": "master",
            "ManageMasterPassword": "true",
        },
        cluster,
        lambda b, found: found["Endpoint"]["Address"] == "localhost" and found["MasterPasswordSecretArn"],
        lambda b: {"IamRoles": [b.make("AWS::IAM::Role", AssumeRolePolicyDocument=TRUST)["Arn"]]},
        lambda b, found: len(found["IamRoles"]) == 1,
        lacks="DeferMaintenanceIdentifier ClusterNamespaceArn",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_type_is_made_seen_changed_and_deleted(bench: Bench, case: Case) -> None:
    prove(bench, case)
