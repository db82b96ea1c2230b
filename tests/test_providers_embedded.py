"""Types that need more than moto, at a whole embedded AWS: real databases, CodeDeploy, parameters."""

from collections.abc import Iterator
from typing import Any

import pytest
from embedded import Embedded, embedded_aws
from providers_bench import Bench, Case, Made, prove
from providers_makers import DATABASE

INSTANCE_LACKS = (
    "AutomaticRestartTime CertificateDetails InstanceCreateTime IsStorageConfigUpgradeAvailable "
    "LatestRestorableTime ListenerEndpoint PercentProgress ResumeFullAutomationModeTime "
    "ReadReplicaDBClusterIdentifiers SecondaryAvailabilityZone StorageOperationStatus "
    "StorageOperationPercentProgress StatusInfos"
)
INTERNET_IN = {
    "Source": {"ResourceStatement": {"ResourceTypes": ["AWS::EC2::InternetGateway"]}},
    "Destination": {"ResourceStatement": {"ResourceTypes": ["AWS::EC2::NetworkInterface"]}},
}
VARIABLES = "aws:elasticbeanstalk:application:environment"
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


def beanstalk(bench: Bench) -> str:
    """A Beanstalk application."""
    return bench.make("AWS::ElasticBeanstalk::Application").ref


def platform(bench: Bench) -> str:
    """A platform for environments."""
    return str(bench.elasticbeanstalk.list_platform_versions()["PlatformSummaryList"][0]["PlatformArn"])


def bundle(bench: Bench) -> dict[str, str]:
    """A source bundle in S3."""
    bucket = bench.make("AWS::S3::Bucket").ref
    bench.s3.put_object(Bucket=bucket, Key="web.zip", Body=b"")
    return {"S3Bucket": bucket, "S3Key": "web.zip"}


def version(bench: Bench, made: Made) -> Any:
    """The application version of the resource."""
    named = {"ApplicationName": made.request.properties["ApplicationName"], "VersionLabels": [made.ref]}
    found = bench.elasticbeanstalk.describe_application_versions(**named)["ApplicationVersions"]
    return found[0] if found else None


def template(bench: Bench, made: Made) -> Any:
    """The configuration template of the resource."""
    named = {"ApplicationName": made.request.properties["ApplicationName"], "TemplateName": made.ref}
    listed = bench.elasticbeanstalk.describe_applications(ApplicationNames=[named["ApplicationName"]])
    if made.ref not in listed["Applications"][0]["ConfigurationTemplates"]:
        return None
    return bench.elasticbeanstalk.describe_configuration_settings(**named)["ConfigurationSettings"][0]


def environment(bench: Bench, made: Made) -> Any:
    """The environment of the resource with its options and tags."""
    client = bench.elasticbeanstalk
    found = client.describe_environments(EnvironmentNames=[made.ref], IncludeDeleted=False)["Environments"]
    if not found:
        return None
    assert made["EndpointURL"] == found[0]["EndpointURL"]
    named = {"ApplicationName": found[0]["ApplicationName"], "EnvironmentName": made.ref}
    settings = client.describe_configuration_settings(**named)["ConfigurationSettings"][0]
    tags = client.list_tags_for_resource(ResourceArn=found[0]["EnvironmentArn"])["ResourceTags"]
    return {**found[0], "options": settings["OptionSettings"], "tags": tags}


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


def project(bench: Bench, made: Made) -> Any:
    """The CodeBuild project of the resource."""
    found = bench.codebuild.batch_get_projects(names=[made.ref])["projects"]
    return found[0] if found else None


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
        "AWS::EC2::NetworkInsightsPath",
        lambda b: {"Source": b.gateway, "Destination": b.instance, "Protocol": "tcp", "DestinationPort": 80},
        lambda b, made: b.ec2.describe_network_insights_paths(NetworkInsightsPathIds=[made.ref])[
            "NetworkInsightsPaths"
        ][0],
        lambda b, found: (
            found["SourceArn"].endswith(f"internet-gateway/{b.gateway}")
            and found["DestinationPort"] == 80
            and {"Key": "Owner", "Value": "first"} in found["Tags"]
        ),
        lambda b: {},
        lambda b, found: {"Key": "Owner", "Value": "second"} in found["Tags"],
    ),
    Case(
        "AWS::EC2::NetworkInsightsAnalysis",
        lambda b: {
            "NetworkInsightsPathId": b.make(
                "AWS::EC2::NetworkInsightsPath",
                Source=b.gateway,
                Destination=b.instance,
                Protocol="tcp",
                DestinationPort=80,
            ).ref
        },
        lambda b, made: b.ec2.describe_network_insights_analyses(NetworkInsightsAnalysisIds=[made.ref])[
            "NetworkInsightsAnalyses"
        ][0],
        lambda b, found: found["Status"] == "succeeded" and found["NetworkPathFound"] is False,
        lambda b: {},
        lambda b, found: {"Key": "Owner", "Value": "second"} in found["Tags"],
        lacks="AlternatePathHints ForwardPathComponents ReturnPathComponents StatusMessage "
        "SuggestedAccounts WarningMessage",
    ),
    Case(
        "AWS::EC2::NetworkInsightsAccessScope",
        lambda b: {"MatchPaths": [INTERNET_IN]},
        lambda b, made: b.ec2.get_network_insights_access_scope_content(
            NetworkInsightsAccessScopeId=made.ref
        )["NetworkInsightsAccessScopeContent"],
        lambda b, found: found["MatchPaths"] == [INTERNET_IN],
        lambda b: {},
        lambda b, found: found["MatchPaths"] == [INTERNET_IN],
    ),
    Case(
        "AWS::EC2::NetworkInsightsAccessScopeAnalysis",
        lambda b: {
            "NetworkInsightsAccessScopeId": b.make(
                "AWS::EC2::NetworkInsightsAccessScope", MatchPaths=[INTERNET_IN]
            ).ref
        },
        lambda b, made: b.ec2.describe_network_insights_access_scope_analyses(
            NetworkInsightsAccessScopeAnalysisIds=[made.ref]
        )["NetworkInsightsAccessScopeAnalyses"][0],
        lambda b, found: found["Status"] == "succeeded" and found["FindingsFound"] in ("true", "false"),
        lambda b: {},
        lambda b, found: {"Key": "Owner", "Value": "second"} in found["Tags"],
        lacks="StatusMessage WarningMessage",
    ),
    Case(
        "AWS::CodeBuild::Project",
        lambda b: {
            "Source": {"Type": "S3", "Location": "sources/loader.zip", "BuildSpec": "a/buildspec.yml"},
            "Artifacts": {"Type": "NO_ARTIFACTS"},
            "ServiceRole": "arn:aws:iam::123456789012:role/build",
            "Environment": {
                "Type": "LINUX_CONTAINER",
                "ComputeType": "BUILD_GENERAL1_SMALL",
                "Image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                "PrivilegedMode": "true",
                "EnvironmentVariables": [{"Name": "TAG", "Value": "one"}],
            },
        },
        project,
        lambda b, found: found["environment"]["privilegedMode"] and found["source"]["buildspec"],
        lambda b: {"TimeoutInMinutes": "20"},
        lambda b, found: (
            found["timeoutInMinutes"] == 20 and {"key": "Owner", "value": "second"} in found["tags"]
        ),
    ),
    Case(
        "AWS::ElasticBeanstalk::Application",
        lambda b: {"Description": "first"},
        lambda b, made: b.elasticbeanstalk.describe_applications(ApplicationNames=[made.ref])["Applications"],
        lambda b, found: found[0]["Description"] == "first",
        lambda b: {"Description": "second"},
        lambda b, found: found[0]["Description"] == "second",
    ),
    Case(
        "AWS::ElasticBeanstalk::ApplicationVersion",
        lambda b: {"ApplicationName": beanstalk(b), "SourceBundle": bundle(b)},
        version,
        lambda b, found: found["SourceBundle"]["S3Key"] == "web.zip",
        lambda b: {"Description": "second"},
        lambda b, found: found["Description"] == "second",
    ),
    Case(
        "AWS::ElasticBeanstalk::ConfigurationTemplate",
        lambda b: {
            "ApplicationName": beanstalk(b),
            "PlatformArn": platform(b),
            "OptionSettings": [{"Namespace": VARIABLES, "OptionName": "A", "Value": "1"}],
        },
        template,
        lambda b, found: found["OptionSettings"][0]["Value"] == "1",
        lambda b: {"OptionSettings": [{"Namespace": VARIABLES, "OptionName": "B", "Value": "2"}]},
        lambda b, found: [each["OptionName"] for each in found["OptionSettings"]] == ["B"],
    ),
    Case(
        "AWS::ElasticBeanstalk::Environment",
        lambda b: {
            "ApplicationName": beanstalk(b),
            "PlatformArn": platform(b),
            "OptionSettings": [{"Namespace": VARIABLES, "OptionName": "A", "Value": "1"}],
            "Tier": {"Name": "WebServer", "Type": "Standard"},
        },
        environment,
        lambda b, found: found["Health"] == "Green" and {"Key": "Owner", "Value": "first"} in found["tags"],
        lambda b: {"OptionSettings": [{"Namespace": VARIABLES, "OptionName": "B", "Value": "2"}]},
        lambda b, found: (
            [each["OptionName"] for each in found["options"]] == ["B"]
            and {"Key": "Owner", "Value": "second"} in found["tags"]
        ),
    ),
    Case(
        "AWS::EC2::NatGateway",
        lambda b: {"VpcId": b.vpc, "AvailabilityMode": "regional"},
        lambda b, made: [
            each
            for each in b.ec2.describe_nat_gateways(NatGatewayIds=[made.ref])["NatGateways"]
            if each["State"] != "deleted"
        ],
        lambda b, found: (
            found[0]["AvailabilityMode"] == "regional"
            and found[0]["VpcId"] == b.vpc
            and "SubnetId" not in found[0]
            and {"Key": "Owner", "Value": "first"} in found[0]["Tags"]
            and b.ec2.create_route(
                RouteTableId=b.table,
                DestinationCidrBlock="0.0.0.0/0",
                NatGatewayId=found[0]["NatGatewayId"],
            )
        ),
        lambda b: {},
        lambda b, found: {"Key": "Owner", "Value": "second"} in found[0]["Tags"],
        lacks="EniId AutoProvisionZones AutoScalingIps RouteTableId",
        label="regional",
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
