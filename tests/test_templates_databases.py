"""What is asked of database and warehouse: private, encrypted, and safe by size."""

from __future__ import annotations

import re
from typing import Any

import pytest
from workload_bench import SECRET, put_out, standing, template

from aws_vpc.errors import TemplateError


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
