"""What is asked of releases to EC2: taken back when they fail, and pages that know what is there."""

from __future__ import annotations

import re

import pytest
from workload_bench import CERTIFICATE, SECRET, settings, standing, user_data


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
