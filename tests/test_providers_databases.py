"""Types of RDS and Redshift at a whole embedded AWS: real databases, subscriptions, schedules."""

from typing import Any

import pytest
from providers_bench import Bench, Case, Made, prove
from providers_makers import DATABASE

INSTANCE_LACKS = (
    "AutomaticRestartTime CertificateDetails InstanceCreateTime IsStorageConfigUpgradeAvailable "
    "LatestRestorableTime ListenerEndpoint PercentProgress ResumeFullAutomationModeTime "
    "ReadReplicaDBClusterIdentifiers SecondaryAvailabilityZone StorageOperationStatus "
    "StorageOperationPercentProgress StatusInfos"
)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "codedeploy.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@pytest.fixture
def bench(embedded_bench: Bench) -> Bench:
    return embedded_bench


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


def namespace(bench: Bench, made: Made) -> Any:
    """The serverless namespace of the resource."""
    found = bench.redshift_serverless.get_namespace(namespaceName=made.ref)["namespace"]
    assert made["Namespace.AdminPasswordSecretArn"] == found["adminPasswordSecretArn"]
    return found


def workgroup(bench: Bench, made: Made) -> Any:
    """The serverless workgroup of the resource."""
    found = bench.redshift_serverless.get_workgroup(workgroupName=made.ref)["workgroup"]
    endpoint = found["endpoint"]
    assert made["Workgroup.Endpoint.Address"] == "localhost"
    assert made["Workgroup.Endpoint.Port"] == str(endpoint["port"])
    return found


def snapshot(bench: Bench) -> str:
    """A snapshot of an instance that is gone."""
    name = bench.fresh()
    bench.rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        AllocatedStorage=20,
        MasterUsername="postgres",
        MasterUserPassword="correct-horse-1",
    )
    bench.rds.get_waiter("db_instance_available").wait(
        DBInstanceIdentifier=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    bench.rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=f"{name}-last")
    return f"{name}-last"


CASES = [
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
        lambda b: DATABASE,
        database,
        lambda b, found: (
            found["Endpoint"]["Address"] == "localhost" and "SecretArn" in found["MasterUserSecret"]
        ),
        lambda b: {"BackupRetentionPeriod": "7"},
        lambda b, found: found["BackupRetentionPeriod"] == 7 and found["DBInstanceStatus"] == "available",
        lacks=INSTANCE_LACKS,
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
    Case(
        "AWS::Redshift::ScheduledAction",
        lambda b: {
            "ScheduledActionName": b.fresh(),
            "Schedule": "cron(0 19 ? * MON-FRI *)",
            "IamRole": "arn:aws:iam::123456789012:role/scheduler",
            "TargetAction": {"PauseCluster": {"ClusterIdentifier": "nobody"}},
        },
        lambda b, made: b.redshift.describe_scheduled_actions(ScheduledActionName=made.ref)[
            "ScheduledActions"
        ][0],
        lambda b, found: found["State"] == "ACTIVE" and found["NextInvocations"][0].hour == 19,
        lambda b: {"Schedule": "cron(0 6 ? * MON-FRI *)", "Enable": False},
        lambda b, found: found["State"] == "DISABLED" and found["NextInvocations"] == [],
    ),
    Case(
        "AWS::RDS::EventSubscription",
        lambda b: {
            "SnsTopicArn": b.make("AWS::SNS::Topic").ref,
            "SourceType": "db-instance",
            "EventCategories": ["failure"],
            "Enabled": "true",
        },
        lambda b, made: b.rds.describe_event_subscriptions(SubscriptionName=made.ref)[
            "EventSubscriptionsList"
        ][0],
        lambda b, found: found["EventCategoriesList"] == ["failure"] and found["Enabled"],
        lambda b: {"EventCategories": ["failure", "low storage"]},
        lambda b, found: found["EventCategoriesList"] == ["failure", "low storage"],
    ),
    Case(
        "AWS::Redshift::ClusterSubnetGroup",
        lambda b: {"Description": "one zone", "SubnetIds": b.subnets[:1]},
        lambda b, made: b.redshift.describe_cluster_subnet_groups(ClusterSubnetGroupName=made.ref)[
            "ClusterSubnetGroups"
        ][0],
        lambda b, found: len(found["Subnets"]) == 1,
        lambda b: {"SubnetIds": b.subnets},
        lambda b, found: (
            len(found["Subnets"]) == 2
            and found["Description"] == "one zone"
            and {"Key": "Owner", "Value": "second"} in found["Tags"]
        ),
    ),
    Case(
        "AWS::RedshiftServerless::Namespace",
        lambda b: {
            "NamespaceName": b.fresh(),
            "AdminUsername": "master",
            "ManageAdminPassword": "true",
            "DbName": "people",
            "LogExports": ["userlog"],
            "FinalSnapshotName": b.fresh(),
        },
        namespace,
        lambda b, found: found["logExports"] == ["userlog"],
        lambda b: {"IamRoles": ["arn:aws:iam::123456789012:role/copy"], "LogExports": None},
        lambda b, found: len(found["iamRoles"]) == 1 and found["logExports"] == [],
    ),
    Case(
        "AWS::RedshiftServerless::Workgroup",
        lambda b: {
            "WorkgroupName": b.fresh(),
            "NamespaceName": b.make(
                "AWS::RedshiftServerless::Namespace", NamespaceName=b.fresh(), ManageAdminPassword="true"
            ).ref,
            "BaseCapacity": "8",
            "EnhancedVpcRouting": "true",
            "ConfigParameters": [{"ParameterKey": "require_ssl", "ParameterValue": "true"}],
        },
        workgroup,
        lambda b, found: found["status"] == "AVAILABLE" and found["enhancedVpcRouting"],
        lambda b: {"BaseCapacity": "16"},
        lambda b, found: found["baseCapacity"] == 16,
    ),
    Case(
        "AWS::RDS::DBInstance",
        lambda b: {
            "DBSnapshotIdentifier": snapshot(b),
            "DBInstanceClass": "db.t4g.micro",
            "ManageMasterUserPassword": "true",
            "BackupRetentionPeriod": "3",
        },
        database,
        lambda b, found: found["MasterUsername"] == "postgres" and found["BackupRetentionPeriod"] == 3,
        lambda b: {"BackupRetentionPeriod": "7"},
        lambda b, found: found["BackupRetentionPeriod"] == 7,
        lacks=INSTANCE_LACKS,
        label="restored",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_type_is_made_seen_changed_and_deleted(bench: Bench, case: Case) -> None:
    prove(bench, case)
