"""The workload's templates say what they promise: servers, databases, jobs, releases and alarms.

A template is bound to parameters, every function decided, and asked what would stand.
"""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aws_vpc.errors import TemplateError
from aws_vpc.template import Template, bind, load
from aws_vpc.template_functions import Scope, evaluate
from aws_vpc.template_parameters import resolve

FOLDER = Path(__file__).parent.parent / "templates"
NAMES = ["ec2", "rds-resource", "redshift", "batch-job", "code-deploy", "elastic-beanstalk", "operations"]
SUBNETS = "subnet-0a,subnet-0b,subnet-0c"
SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
PSEUDO = {
    "AWS::Region": "eu-central-1",
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "people",
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:111122223333:stack/People/0a1b2c3d-4e5f",
}
GIVEN = {
    "EnvironmentName": "People",
    "Vpc": "vpc-0a",
    "PublicSubnets": SUBNETS,
    "PrivateSubnets": SUBNETS,
    "DataSubnets": SUBNETS,
    "WarehouseSubnets": SUBNETS,
    "WebServerSecurityGroup": "sg-0a",
    "DatabaseSecurityGroup": "sg-0b",
    "WarehouseSecurityGroup": "sg-0c",
    "LoaderSecurityGroup": "sg-0d",
    "WebServerRole": "web",
    "ArtifactBucket": "artifacts",
    "WebBundle": "web/0123.zip",
    "PlatformArn": "arn:aws:elasticbeanstalk:eu-central-1::platform/"
    "Python 3.13 running on 64bit Amazon Linux 2023/4.7.2",
    "Database": "people-database",
    "DatabaseAddress": "people.rds",
    "DatabasePort": "5432",
    "DatabaseName": "people",
    "DatabaseMasterSecret": f"{SECRET}rds",
    "WebDatabaseSecret": f"{SECRET}web-rds",
    "Warehouse": "people-warehouse",
    "WarehouseAddress": "people.redshift",
    "WarehousePort": "5439",
    "WarehouseDatabaseName": "people",
    "WarehouseMasterSecret": f"{SECRET}redshift",
    "WebWarehouseSecret": f"{SECRET}web-redshift",
    "WarehouseCopyRole": "copy",
    "WarehouseCopyRoleArn": "arn:aws:iam::111122223333:role/copy",
    "DeadLetterQueue": "failures",
    "WebServer": "i-0a",
    "WebEnvironment": "people-web",
    "NatGateways": "nat-0a,nat-0b",
}


@cache
def template(name: str) -> Template:
    """The template of this name."""
    return load((FOLDER / f"{name}.yaml").read_text())


def scope(name: str, given: dict[str, str]) -> Scope:
    """What the template's functions may ask, with names for what is made only later."""
    declared = template(name).parameters
    stated = {key: value for key, value in (GIVEN | given).items() if key in declared}
    values = {key: one.value for key, one in resolve(declared, stated, lambda parameter: parameter).items()}
    return Scope(
        values={**values, **PSEUDO},
        ref=lambda logical: logical,
        attribute=lambda logical, attribute: f"{logical}.{attribute}",
    )


def standing(name: str, **given: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource that would stand, by logical id."""
    bound = bind(template(name), scope(name, given))
    return {
        logical: evaluate(resource.get("Properties", {}), bound.scope)
        for logical, resource in bound.resources.items()
    }


def put_out(name: str, **given: str) -> dict[str, Any]:
    """The outputs that would be there."""
    bound = bind(template(name), scope(name, given))
    return {key: evaluate(output["Value"], bound.scope) for key, output in bound.outputs.items()}


# --- all of them ---


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_labelled(name: str) -> None:
    interface = template(name).section("Metadata")["AWS::CloudFormation::Interface"]
    assert list(interface["ParameterLabels"]) == list(template(name).parameters)


@pytest.mark.parametrize("name", NAMES)
def test_every_check_that_is_skipped_has_a_reason(name: str) -> None:
    for logical, resource in template(name).resources.items():
        for skipped in resource.get("Metadata", {}).get("checkov", {}).get("skip", ()):
            assert re.fullmatch(r"CKV2?_AWS_[0-9]+", skipped["id"]), logical
            assert skipped["comment"].endswith("."), logical


@pytest.mark.parametrize("name", NAMES)
def test_what_makes_something_secure_is_no_choice(name: str) -> None:
    literal = {"StorageEncrypted", "Encrypted", "PubliclyAccessible", "EnhancedVpcRouting", "HttpTokens"}
    literal |= {"EnableIAMDatabaseAuthentication", "ReadonlyRootFilesystem", "SqsManagedSseEnabled"}
    for resource in template(name).resources.values():
        for key in literal & resource.get("Properties", {}).keys():
            assert not isinstance(resource["Properties"][key], dict), key


# --- the web server ---


def user_data() -> str:
    """The script that an instance runs at its first boot."""
    data = standing("ec2")["WebServerLaunchTemplate"]["LaunchTemplateData"]
    return base64.b64decode(data["UserData"]).decode()


def test_user_data_holds_no_secret() -> None:
    assert user_data().startswith("#!/bin/bash\nset -euo pipefail\n")
    assert "secret" not in user_data().lower()


def test_user_data_is_a_script_without_a_complaint(tmp_path: Path) -> None:
    (tmp_path / "boot.sh").write_text(user_data())
    shellcheck = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run([shellcheck, tmp_path / "boot.sh"], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_web_server_keeps_metadata_and_disk_to_itself() -> None:
    data = standing("ec2")["WebServerLaunchTemplate"]["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert "KeyName" not in data


def test_a_key_pair_is_taken_when_it_is_named() -> None:
    data = standing("ec2", KeyName="mine")["WebServerLaunchTemplate"]["LaunchTemplateData"]
    assert data["KeyName"] == "mine"


def test_a_newer_image_does_not_replace_the_web_server() -> None:
    def image(**given: str) -> str:
        return str(standing("ec2", **given)["WebServerLaunchTemplate"]["LaunchTemplateData"]["ImageId"])

    assert template("ec2").parameters["ImageId"]["Type"] == "String"
    assert image().startswith("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-")
    assert image(ImageId="ami-0a1b2c3d") == "ami-0a1b2c3d"


def test_a_changed_launch_template_replaces_the_web_server() -> None:
    assert standing("ec2")["WebServer"]["LaunchTemplate"] == {
        "LaunchTemplateId": "WebServerLaunchTemplate",
        "Version": "WebServerLaunchTemplate.LatestVersionNumber",
    }


def test_an_elastic_ip_is_there_when_it_is_asked_for() -> None:
    assert "WebServerElasticIp" not in standing("ec2")
    assert standing("ec2", ElasticIp="true")["WebServerElasticIp"]["InstanceId"] == "WebServer"


# --- the database ---


def test_the_database_is_private_encrypted_and_manages_its_password() -> None:
    found = standing("rds-resource")["Database"]
    expected = {
        "EngineVersion": "18",
        "StorageType": "gp3",
        "StorageEncrypted": True,
        "PubliclyAccessible": False,
        "ManageMasterUserPassword": True,
        "EnableIAMDatabaseAuthentication": True,
        "EnablePerformanceInsights": True,
        "EnableCloudwatchLogsExports": ["postgresql", "upgrade"],
        "MonitoringInterval": 60,
    }
    assert {key: found[key] for key in expected} == expected
    assert "MasterUserPassword" not in found


def test_only_major_versions_of_postgresql_are_offered() -> None:
    assert template("rds-resource").parameters["EngineVersion"]["AllowedValues"] == ["18", "17", "16"]
    group = standing("rds-resource", EngineVersion="16")["DatabaseParameterGroup"]
    assert (group["Family"], group["Parameters"]["rds.force_ssl"]) == ("postgres16", "1")


@pytest.mark.parametrize(("size", "safe", "days"), [("dev", False, 7), ("prod", True, 30)])
def test_size_decides_how_safe_the_database_is(size: str, safe: bool, days: int) -> None:
    found = standing("rds-resource", Size=size)["Database"]
    assert (found["MultiAZ"], found["DeletionProtection"], found["BackupRetentionPeriod"]) == (
        safe,
        safe,
        days,
    )


def test_a_snapshot_brings_its_own_database_and_master_user() -> None:
    found = standing("rds-resource", SnapshotIdentifier="rds:people-2026-11-23")["Database"]
    assert found["DBSnapshotIdentifier"] == "rds:people-2026-11-23"
    assert not found.keys() & {"DBName", "MasterUsername", "MasterUserPassword"}
    assert found["ManageMasterUserPassword"] is True
    assert "DBSnapshotIdentifier" not in standing("rds-resource")["Database"]


def test_a_secret_of_ones_own_takes_the_place_of_the_managed_one() -> None:
    found = standing("rds-resource", MasterSecret=f"{SECRET}mine")["Database"]
    assert "ManageMasterUserPassword" not in found
    assert found["MasterUserPassword"] == f"{{{{resolve:secretsmanager:{SECRET}mine:SecretString:password}}}}"


# --- the warehouse ---


def test_the_cluster_is_private_encrypted_and_logs_what_its_users_do() -> None:
    found = standing("redshift")
    expected = {
        "ClusterType": "single-node",
        "Encrypted": True,
        "PubliclyAccessible": False,
        "EnhancedVpcRouting": True,
        "ManageMasterPassword": True,
    }
    assert {key: found["Warehouse"][key] for key in expected} == expected
    assert found["Warehouse"]["LoggingProperties"]["LogExports"] == [
        "connectionlog", "useractivitylog", "userlog",
    ]  # fmt: skip
    stated = {one["ParameterName"]: one["ParameterValue"] for one in parameters(found)}
    assert stated == {"require_ssl": "true", "enable_user_activity_logging": "true"}


def parameters(found: dict[str, dict[str, Any]]) -> list[dict[str, str]]:
    """The parameters of the cluster."""
    stated: list[dict[str, str]] = found["WarehouseParameterGroup"]["Parameters"]
    return stated


def test_a_cluster_for_production_has_two_nodes() -> None:
    assert standing("redshift", Size="prod")["Warehouse"]["NumberOfNodes"] == 2
    assert "NumberOfNodes" not in standing("redshift")["Warehouse"]


def test_a_cluster_is_paused_only_when_asked_and_only_for_development() -> None:
    assert not {"WarehousePause", "WarehouseResume"} & standing("redshift").keys()
    found = standing("redshift", WarehouseHours="weekdays")
    assert found["WarehousePause"]["TargetAction"] == {"PauseCluster": {"ClusterIdentifier": "Warehouse"}}
    assert found["WarehouseResume"]["TargetAction"] == {"ResumeCluster": {"ClusterIdentifier": "Warehouse"}}
    with pytest.raises(TemplateError, match="WarehouseHours must be always when Size is prod"):
        standing("redshift", WarehouseHours="weekdays", Size="prod")
    with pytest.raises(TemplateError, match="WarehouseHours must be always when WarehouseKind is serverless"):
        standing("redshift", WarehouseHours="weekdays", WarehouseKind="serverless")


def test_a_serverless_warehouse_takes_the_place_of_the_cluster() -> None:
    found = standing("redshift", WarehouseKind="serverless")
    assert not {"Warehouse", "WarehouseSubnetGroup", "WarehouseParameterGroup"} & found.keys()
    expected = {"EnhancedVpcRouting": True, "PubliclyAccessible": False, "MaxCapacity": 16}
    assert {key: found["WarehouseWorkgroup"][key] for key in expected} == expected
    stated = {
        one["ParameterKey"]: one["ParameterValue"] for one in found["WarehouseWorkgroup"]["ConfigParameters"]
    }
    assert stated["require_ssl"] == "true"
    assert found["WarehouseNamespace"]["ManageAdminPassword"] is True
    assert found["WarehouseNamespace"]["FinalSnapshotName"].endswith("-final")
    assert re.fullmatch("[a-z0-9-]{3,64}", found["WarehouseNamespace"]["NamespaceName"])


def test_both_kinds_of_warehouse_put_out_the_same() -> None:
    cluster, serverless = put_out("redshift"), put_out("redshift", WarehouseKind="serverless")
    assert cluster.keys() == serverless.keys()
    assert serverless["WarehouseAddress"] == "WarehouseWorkgroup.Workgroup.Endpoint.Address"
    assert serverless["WarehousePort"] == "WarehouseWorkgroup.Workgroup.Endpoint.Port"


def test_the_job_may_read_the_secret_of_a_namespace() -> None:
    secret = put_out("redshift", WarehouseKind="serverless")["WarehouseMasterSecret"]
    assert secret == f"{SECRET}redshift!WarehouseNamespace-awsuser"
    found = standing("batch-job", WarehouseMasterSecret=secret)["LoaderJobRole"]["Policies"][0][
        "PolicyDocument"
    ]
    (readable,) = (
        one["Resource"] for one in found["Statement"] if one["Action"] == "secretsmanager:GetSecretValue"
    )
    assert f"{secret}-??????" in readable


def test_copy_may_read_exactly_the_data_bucket() -> None:
    assert "Policies" not in standing("redshift")["WarehouseCopyRole"]
    policy = standing("batch-job")["WarehouseCopyRolePolicy"]
    resources = [statement["Resource"] for statement in policy["PolicyDocument"]["Statement"]]
    assert resources == ["DataBucket.Arn", "DataBucket.Arn/*"]
    actions = [
        action for statement in policy["PolicyDocument"]["Statement"] for action in statement["Action"]
    ]
    assert all(re.match(r"s3:(Get|List)", action) for action in actions)


# --- the loader ---


def test_an_image_is_built_from_the_source_of_its_version() -> None:
    found = standing("batch-job", LoaderVersion="0123abcd")
    assert found["LoaderProject"]["Source"]["Location"] == "artifacts/loader/0123abcd.zip"
    image = found["JobDefinition"]["ContainerProperties"]["Image"]
    assert image == "LoaderRepository.RepositoryUri:0123abcd"
    assert found["LoaderRepository"]["ImageTagMutability"] == "IMMUTABLE"


def test_nothing_is_built_when_an_image_is_given() -> None:
    found = standing("batch-job", LoaderImage="registry/loader:1")
    assert not found.keys() & {"LoaderProject", "LoaderBuildRole", "LoaderBuildLogGroup"}
    assert found["JobDefinition"]["ContainerProperties"]["Image"] == "registry/loader:1"
    assert "LoaderProject" not in put_out("batch-job", LoaderImage="registry/loader:1")


def test_a_job_runs_on_a_read_only_root_is_retried_and_ends() -> None:
    job = standing("batch-job")["JobDefinition"]
    assert job["ContainerProperties"]["ReadonlyRootFilesystem"] is True
    assert job["RetryStrategy"]["EvaluateOnExit"][-1] == {"OnReason": "*", "Action": "EXIT"}
    assert job["Timeout"]["AttemptDurationSeconds"] == 3600


def test_a_job_without_a_warehouse_hears_nothing_of_one() -> None:
    elsewhere = {name: "" for name in template("batch-job").parameters if "Warehouse" in name}
    assert len(elsewhere) == 7
    found = standing("batch-job", **elsewhere)
    names = [one["Name"] for one in found["JobDefinition"]["ContainerProperties"]["Environment"]]
    assert names == ["RDS_HOST", "RDS_PORT", "RDS_DATABASE", "RDS_SECRET", "WEB_DATABASE_SECRET"]
    assert "WarehouseCopyRolePolicy" not in found


def test_what_went_wrong_is_kept_where_the_alarm_looks() -> None:
    found = standing("batch-job")
    incoming, failed = (found[rule]["Targets"][0] for rule in ("IncomingObjectRule", "FailedJobRule"))
    assert incoming["DeadLetterConfig"]["Arn"] == failed["Arn"] == "DeadLetterQueue.Arn"
    assert put_out("batch-job")["DeadLetterQueue"] == "DeadLetterQueue.QueueName"
    alarm = standing("operations")["LoaderFailureAlarm"]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "failures"}]


# --- releases ---


def test_a_release_is_taken_back_on_failure_and_on_the_alarm() -> None:
    group = standing("code-deploy", WebHealthAlarm="web")["CodeDeployDeploymentGroup"]
    events = group["AutoRollbackConfiguration"]["Events"]
    assert events == ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
    assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": "web"}]}


def test_a_release_without_an_alarm_is_taken_back_on_failure() -> None:
    group = standing("code-deploy")["CodeDeployDeploymentGroup"]
    assert group["AutoRollbackConfiguration"]["Events"] == ["DEPLOYMENT_FAILURE"]
    assert "AlarmConfiguration" not in group


def test_the_deployment_group_finds_the_web_server_by_its_name() -> None:
    (tags,) = standing("code-deploy")["CodeDeployDeploymentGroup"]["Ec2TagSet"]["Ec2TagSetList"]
    (tag,) = tags["Ec2TagGroup"]
    assert {"Key": tag["Key"], "Value": tag["Value"]} in standing("ec2")["WebServer"]["Tags"]


def test_a_new_instance_may_do_what_its_user_data_asks_of_codedeploy_and_no_more() -> None:
    """What create-deployment asks for beside: CodeDeploy guide, permissions reference."""
    asked = {
        "codedeploy:" + "".join(word.title() for word in command.split("-"))
        for command in re.findall(r"aws deploy ([a-z-]+)", user_data())
    }
    beside = {"GetApplicationRevision", "GetDeploymentConfig", "RegisterApplicationRevision"}
    assert len(asked) == 4
    allowed = {
        action: one["Resource"]
        for one in standing("code-deploy")["WebServerRolePolicy"]["PolicyDocument"]["Statement"]
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        if action.startswith("codedeploy:")
    }
    assert set(allowed) == asked | {f"codedeploy:{name}" for name in beside}
    assert not [resource for resource in allowed.values() if "*" in resource]


@pytest.mark.parametrize("warehouse", [f"{SECRET}web-redshift", ""])
def test_pages_are_told_of_the_warehouse_there_is(warehouse: str) -> None:
    lines = standing("code-deploy", WebWarehouseSecret=warehouse)["WebEnvironmentParameter"]["Value"].split(
        "\n"
    )
    assert (f"WEB_WAREHOUSE_SECRET={warehouse}" in lines) == bool(warehouse)
    assert all(re.fullmatch("[A-Z_]+=.+", line) for line in lines)
    options = settings(WebWarehouseSecret=warehouse)["aws:elasticbeanstalk:application:environment"]
    assert options.get("WEB_WAREHOUSE_SECRET", "") == warehouse


def rights(**given: str) -> dict[str, set[str]]:
    """What the bundle may do with S3 on either tier, action -> resources."""
    found: dict[str, set[str]] = {}
    instance = standing("code-deploy", **given)["WebServerRolePolicy"]["PolicyDocument"]["Statement"]
    (policy,) = standing("elastic-beanstalk", **given)["WebInstanceRole"]["Policies"]
    for statement in [*instance, *policy["PolicyDocument"]["Statement"]]:
        if isinstance(statement["Action"], str):
            found.setdefault(statement["Action"], set()).add(str(statement["Resource"]))
    return found


def test_pages_may_write_to_the_data_bucket_only_where_uploads_are_on() -> None:
    assert "s3:PutObject" not in rights() and "s3:GetObject" not in rights()
    reads = rights(DataBucket="data")
    assert reads["s3:GetObject"] == {"arn:aws:s3:::data/rejected/*"} and "s3:PutObject" not in reads
    assert rights(DataBucket="data", WebUpload="true")["s3:PutObject"] == {"arn:aws:s3:::data/incoming/*"}


def test_pages_are_told_of_network_bucket_and_uploads_on_either_tier() -> None:
    given = {"DataBucket": "data", "WebUpload": "true", "NetworkFacts": "Vpc=vpc-1 PublicSubnets=a+b"}
    given["WebHosts"] = "pages.example.com,pages"
    text = standing("code-deploy", **given)["WebEnvironmentParameter"]["Value"]
    lines = dict(line.split("=", 1) for line in text.split("\n"))
    options = settings(**given)["aws:elasticbeanstalk:application:environment"]
    for told in (lines, options):
        assert told["WEB_NETWORK"] == given["NetworkFacts"]
        assert (told["WEB_DATA_BUCKET"], told["WEB_UPLOAD"]) == ("data", "true")
        assert told["WEB_HOSTS"] == given["WebHosts"]
    assert "WEB_AUTH" not in options
    signs_in = {
        "WebAuthSecret": f"{SECRET}users",
        "BeanstalkType": "LoadBalanced",
        "CertificateArn": CERTIFICATE,
    }
    signed = settings(**signs_in)["aws:elasticbeanstalk:application:environment"]
    assert (signed["WEB_AUTH"], signed["WEB_AUTH_SECRET"]) == ("basic", f"{SECRET}users")


# --- Elastic Beanstalk ---


def settings(**given: str) -> dict[str, dict[str, str]]:
    """The environment's options by namespace."""
    found: dict[str, dict[str, str]] = {}
    for option in standing("elastic-beanstalk", **given)["WebEnvironment"]["OptionSettings"]:
        found.setdefault(option["Namespace"], {})[option["OptionName"]] = option["Value"]
    return found


def test_an_environment_has_enhanced_health_managed_updates_and_streamed_logs() -> None:
    found = settings()
    assert found["aws:elasticbeanstalk:healthreporting:system"]["SystemType"] == "enhanced"
    assert found["aws:elasticbeanstalk:managedactions"]["ManagedActionsEnabled"] == "true"
    assert found["aws:elasticbeanstalk:cloudwatch:logs"]["StreamLogs"] == "true"
    assert found["aws:elasticbeanstalk:command"]["DeploymentPolicy"] == "Immutable"
    assert found["aws:autoscaling:launchconfiguration"]["DisableIMDSv1"] == "true"


def test_no_option_is_stated_twice_and_none_of_a_balancer_without_one() -> None:
    options = standing("elastic-beanstalk", BeanstalkType="LoadBalanced", CertificateArn=CERTIFICATE)
    stated = [(one["Namespace"], one["OptionName"]) for one in options["WebEnvironment"]["OptionSettings"]]
    assert len(stated) == len(set(stated))
    assert not [namespace for namespace in settings() if "elbv2" in namespace]


CERTIFICATE = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b"


def test_with_a_certificate_the_balancer_answers_https_only() -> None:
    given = {"BeanstalkType": "LoadBalanced", "CertificateArn": CERTIFICATE}
    found = settings(**given)
    assert found["aws:elbv2:listener:default"] == {"ListenerEnabled": "false"}
    assert found["aws:elbv2:listener:443"]["Protocol"] == "HTTPS"
    assert found["aws:elasticbeanstalk:application:environment"]["WEB_TLS_AHEAD"] == "true"
    assert "WEB_TLS_AHEAD" not in settings()["aws:elasticbeanstalk:application:environment"]
    ingress = standing("elastic-beanstalk", **given)["LoadBalancerIngressFromClients"]
    assert (ingress["FromPort"], ingress["ToPort"]) == (443, 443)
    assert put_out("elastic-beanstalk", **given)["WebUrl"].startswith("https://")


def test_one_instance_has_no_certificate() -> None:
    with pytest.raises(TemplateError, match="BeanstalkType must be LoadBalanced"):
        standing("elastic-beanstalk", CertificateArn=CERTIFICATE)


@pytest.mark.parametrize("kind", ["SingleInstance", "LoadBalanced"])
def test_only_the_given_clients_reach_the_pages(kind: str) -> None:
    found = standing("elastic-beanstalk", BeanstalkType=kind, WebIngressCidr="203.0.113.7/32")
    addresses = {one["CidrIp"] for name, one in found.items() if "Ingress" in name and "CidrIp" in one}
    assert addresses == {"203.0.113.7/32"}


def test_clients_of_ipv6_reach_a_load_balancer_and_no_single_instance() -> None:
    given = {"EnableIpv6": "true", "WebIngressCidrIpv6": "2001:db8:7::/48"}
    alone = standing("elastic-beanstalk", **given)
    assert not [name for name, one in alone.items() if "CidrIpv6" in one]
    balanced = given | {"BeanstalkType": "LoadBalanced"}
    rule = standing("elastic-beanstalk", **balanced)["LoadBalancerIngressFromIpv6Clients"]
    assert (rule["CidrIpv6"], rule["FromPort"], rule["ToPort"]) == ("2001:db8:7::/48", 80, 80)
    assert settings(**balanced)["aws:elbv2:loadbalancer"]["IpAddressType"] == "dualstack"
    assert settings(BeanstalkType="LoadBalanced")["aws:elbv2:loadbalancer"]["IpAddressType"] == "ipv4"


# --- alarms ---


def alarms(**given: str) -> set[str]:
    """The alarms that would stand."""
    return {name for name in standing("operations", **given) if name.endswith("Alarm")}


@pytest.mark.parametrize(
    ("gateways", "count"), [("", 0), ("nat-0a", 1), ("nat-0a,nat-0b", 2), ("nat-0a,nat-0b,nat-0c", 3)]
)
def test_every_nat_gateway_has_an_alarm(gateways: str, count: int) -> None:
    found = standing("operations", NatGateways=gateways)
    watched = [
        metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"]
        for name, alarm in found.items()
        if name.startswith("NatGateway")
        for metric in alarm["Metrics"]
        if metric["Id"] == "lost"
    ]
    assert watched == [gateway for gateway in gateways.split(",") if gateway]
    assert len(watched) == count


def test_only_what_is_there_is_watched() -> None:
    assert "WarehouseHealthAlarm" in alarms()
    assert not any(name.startswith("Warehouse") for name in alarms(Warehouse=""))
    assert alarms(Warehouse="warehouse-0a", WarehouseKind="serverless") >= {"WarehouseCapacityAlarm"}
    assert "WebHealthAlarm" not in alarms(WebServer="")
    assert "WebHealthAlarm" not in put_out("operations", WebServer="")
    assert "WebEnvironmentHealthAlarm" not in alarms(WebEnvironment="")


def test_every_alarm_tells_the_one_topic() -> None:
    found = standing("operations")
    for name in alarms():
        assert found[name]["AlarmActions"] == found[name]["OKActions"] == ["AlarmTopic"], name
        assert found[name]["AlarmDescription"], name
    assert "AlarmSubscription" not in found
    told = standing("operations", AlarmEmail="operations@example.com")["AlarmSubscription"]
    assert (told["Protocol"], told["Endpoint"]) == ("email", "operations@example.com")


# --- bad input ---


@pytest.mark.parametrize(
    ("name", "parameter", "value", "sentence"),
    [
        ("ec2", "ImageId", "al2023", "name of a parameter in Systems Manager"),
        ("rds-resource", "Size", "large", "must be dev or prod"),
        ("rds-resource", "SnapshotIdentifier", "a--b", "name or ARN of a snapshot"),
        ("rds-resource", "EngineVersion", "18.1", "must be 18, 17 or 16"),
        ("redshift", "WarehouseHours", "nights", "must be always or weekdays"),
        ("redshift", "WarehouseNodeType", "dc2.large", "one of the listed node types"),
        ("batch-job", "LoaderVersion", "a b", "letters, digits, dots"),
        ("batch-job", "WarehousePort", "0", "empty or a TCP port"),
        ("elastic-beanstalk", "PlatformArn", "Python 3.13", "ARN of a version of a Python platform"),
        ("elastic-beanstalk", "WebBundle", "web.zip", "key of a zip under web/"),
        ("elastic-beanstalk", "CertificateArn", "mine", "ARN of a certificate"),
        ("operations", "AlarmEmail", "me", "a mail address"),
        ("operations", "NatGateways", "nat-0a nat-0b", "ids of up to three NAT gateways"),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_type(
    name: str, parameter: str, value: str, sentence: str
) -> None:
    with pytest.raises(TemplateError, match=f"Parameter {parameter} .*{sentence}"):
        standing(name, **{parameter: value})
