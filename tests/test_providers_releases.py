"""Types of CodeDeploy, CodeBuild and Elastic Beanstalk at a whole embedded AWS."""

from typing import Any

import pytest
from providers_bench import Bench, Case, Made, prove

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "codedeploy.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
VARIABLES = "aws:elasticbeanstalk:application:environment"


@pytest.fixture
def bench(embedded_bench: Bench) -> Bench:
    return embedded_bench


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
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_type_is_made_seen_changed_and_deleted(bench: Bench, case: Case) -> None:
    prove(bench, case)
