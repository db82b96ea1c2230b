"""What is asked of the loader and of the alarms: failures are seen, and a job may little."""

from __future__ import annotations

import pytest
from workload_bench import ARNS, put_out, standing, template


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


def test_a_job_may_submit_its_own_parts_only() -> None:
    (statement,) = standing("batch-job")["LoaderPartsPolicy"]["PolicyDocument"]["Statement"]
    # Of any revision: a part is of the one that the whole began with.
    own = ARNS["JobDefinition"].removesuffix(":7") + ":*"
    assert (statement["Action"], statement["Resource"]) == ("batch:SubmitJob", ["JobQueue", own])
    role = standing("batch-job")["LoaderJobRole"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert "batch:SubmitJob" not in [one["Action"] for one in role]


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
