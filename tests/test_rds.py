"""RDS through boto3: the records are moto's, the servers are real."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.exceptions
import psycopg2
import pytest
from embedded import Embedded, alone_in_a_stack, embedded_aws, until

ASKED = {
    "DBInstanceIdentifier": "one",
    "Engine": "postgres",
    "EngineVersion": "18",
    "DBInstanceClass": "db.t4g.micro",
    "AllocatedStorage": 20,
    "MasterUsername": "postgres",
    "MasterUserPassword": "correct-horse-1",
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


@pytest.fixture(scope="module")
def rds(aws: Embedded) -> Any:
    client = aws.client("rds")
    client.create_db_instance(**{**ASKED, "DBInstanceIdentifier": "Shared", "DBName": "people"})
    return client


def instance(rds: Any, name: str) -> dict[str, Any]:
    return dict(rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0])


def reaches(rds: Any, name: str, status: str) -> dict[str, Any]:
    """The instance, as soon as it has the status."""
    until(lambda: instance(rds, name)["DBInstanceStatus"] in (status, "failed"))
    assert instance(rds, name)["DBInstanceStatus"] == status, instance(rds, name)
    return instance(rds, name)


def connect(aws: Embedded, found: dict[str, Any], password: str, database: str = "people") -> Any:
    return psycopg2.connect(
        host=found["Endpoint"]["Address"],
        port=found["Endpoint"]["Port"],
        user=found["MasterUsername"],
        password=password,
        dbname=database,
        sslmode="verify-full",
        sslrootcert=aws.facts.ca,
    )


def test_an_instance_is_creating_without_an_endpoint_and_then_a_server(aws: Embedded, rds: Any) -> None:
    found = reaches(rds, "shared", "available")
    assert found["EngineVersion"] == "18"
    assert found["Endpoint"]["Address"] == "localhost"
    connect(aws, found, "correct-horse-1").close()
    connect(aws, found, "correct-horse-1", "postgres").close()
    made = rds.create_db_instance(**{**ASKED, "DBInstanceIdentifier": "early"})["DBInstance"]
    assert made["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in made
    gone = rds.delete_db_instance(DBInstanceIdentifier="early", SkipFinalSnapshot=True)["DBInstance"]
    assert gone["DBInstanceStatus"] == "deleting"


def test_a_new_password_counts_at_once(aws: Embedded, rds: Any) -> None:
    found = reaches(rds, "shared", "available")
    rds.modify_db_instance(DBInstanceIdentifier="shared", MasterUserPassword="battery-staple-2")
    connect(aws, found, "battery-staple-2").close()
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        connect(aws, found, "correct-horse-1")
    rds.modify_db_instance(DBInstanceIdentifier="shared", MasterUserPassword="correct-horse-1")


def test_stop_start_and_reboot_act_on_the_server_and_keep_what_was_committed(aws: Embedded, rds: Any) -> None:
    found = reaches(rds, "shared", "available")
    with connect(aws, found, "correct-horse-1") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS id")
    connection.close()
    assert rds.stop_db_instance(DBInstanceIdentifier="shared")["DBInstance"]["DBInstanceStatus"] == "stopping"
    reaches(rds, "shared", "stopped")
    with pytest.raises(psycopg2.OperationalError, match="refused"):
        connect(aws, found, "correct-horse-1")
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidDBInstanceState"):
        rds.reboot_db_instance(DBInstanceIdentifier="shared")
    rds.start_db_instance(DBInstanceIdentifier="shared")
    assert reaches(rds, "shared", "available")["Endpoint"] == found["Endpoint"]
    rds.reboot_db_instance(DBInstanceIdentifier="shared")
    found = reaches(rds, "shared", "available")
    with connect(aws, found, "correct-horse-1") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM kept")
        assert cursor.fetchone() == (42,)
    connection.close()


def test_a_managed_master_password_is_the_secrets_and_rotates(aws: Embedded, rds: Any) -> None:
    asked = {**ASKED, "DBInstanceIdentifier": "managed", "DBName": "people", "ManageMasterUserPassword": True}
    del asked["MasterUserPassword"]
    rds.create_db_instance(**asked)
    found = reaches(rds, "managed", "available")
    secrets, arn = aws.client("secretsmanager"), found["MasterUserSecret"]["SecretArn"]

    def login() -> dict[str, str]:
        return dict(json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"]))

    before = login()
    assert set(before) == {"username", "password"}
    connect(aws, found, before["password"]).close()
    rds.modify_db_instance(
        DBInstanceIdentifier="managed", RotateMasterUserPassword=True, ApplyImmediately=True
    )
    after = login()
    assert after["password"] != before["password"]
    connect(aws, found, after["password"]).close()
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        connect(aws, found, before["password"])
    rds.delete_db_instance(DBInstanceIdentifier="managed", FinalDBSnapshotIdentifier="last")
    (last,) = rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"]
    assert last["SnapshotType"] == "manual"
    with pytest.raises(psycopg2.OperationalError, match="refused"):
        connect(aws, found, after["password"])


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"DBInstanceIdentifier": "1a"}, "InvalidParameterValue", "is not a valid identifier"),
        ({"DBInstanceIdentifier": "a--b"}, "InvalidParameterValue", "two consecutive hyphens"),
        ({"DBInstanceIdentifier": "a-"}, "InvalidParameterValue", "must not end with a hyphen"),
        ({"EngineVersion": "12"}, "InvalidParameterCombination", "Cannot find version 12 for postgres"),
        ({"AllocatedStorage": 5}, "InvalidParameterCombination", "Invalid storage size"),
        ({"MasterUsername": "admin"}, "InvalidParameterValue", "admin cannot be used"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue", "reserved word"),
        ({"MasterUsername": "1st"}, "InvalidParameterValue", "MasterUsername"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue", "shorter than 8 characters"),
        ({"MasterUserPassword": "with a blank"}, "InvalidParameterValue", "Only printable ASCII"),
        ({"MasterUserPassword": "at@at@at@"}, "InvalidParameterValue", "Only printable ASCII"),
        ({"ManageMasterUserPassword": True}, "InvalidParameterCombination", "MasterUserPassword"),
        ({"DBName": "1people"}, "InvalidParameterValue", "DBName must begin with a letter"),
        ({"DBName": "select"}, "InvalidParameterValue", "reserved word"),
        ({"Port": 80}, "InvalidParameterValue", "Invalid port 80"),
        ({"DBSubnetGroupName": "none-such"}, "DBSubnetGroupNotFoundFault", "none-such"),
    ],
)  # fmt: skip
def test_rdss_own_rules_hold(rds: Any, changes: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        rds.create_db_instance(**{**ASKED, **changes})
    assert raised.value.response["Error"]["Code"] == code
    assert message in raised.value.response["Error"]["Message"]
    names = {each["DBInstanceIdentifier"] for each in rds.describe_db_instances()["DBInstances"]}
    assert not names & {"one", "1a", "a--b", "a-"}


def test_a_name_in_use_is_refused_and_the_server_stays(aws: Embedded, rds: Any) -> None:
    found = reaches(rds, "shared", "available")
    with pytest.raises(botocore.exceptions.ClientError, match="DBInstanceAlreadyExists"):
        rds.create_db_instance(**{**ASKED, "DBInstanceIdentifier": "shared"})
    connect(aws, found, "correct-horse-1").close()


def test_deleting_needs_a_word_on_the_final_snapshot(rds: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="FinalDBSnapshotIdentifier is required"):
        rds.delete_db_instance(DBInstanceIdentifier="shared")


def test_engine_versions_are_listed_by_major(rds: Any) -> None:
    found = rds.describe_db_engine_versions(Engine="postgres", EngineVersion="17")["DBEngineVersions"]
    assert {each["DBParameterGroupFamily"] for each in found} == {"postgres17"}
    assert found[-1]["EngineVersion"] == "17.11"


def refused(call: Any, code: str, message: str, **given: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match=message) as raised:
        call(**given)
    assert raised.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("engine", ["mysql", "mariadb", "oracle-se2"])
def test_an_engine_without_a_server_here_is_refused(rds: Any, engine: str) -> None:
    message = f"Invalid DB engine: {engine}. The embedded AWS runs postgres only"
    given = {**ASKED, "DBInstanceIdentifier": "my", "Engine": engine, "EngineVersion": "8.0"}
    refused(rds.create_db_instance, "InvalidParameterValue", message, **given)
    cluster = {"DBClusterIdentifier": "my", "Engine": "aurora-postgresql"}
    refused(rds.create_db_cluster, "InvalidParameterValue", "Invalid DB engine: aurora-postgresql", **cluster)


def test_a_replica_is_refused_for_the_reason_that_rds_would_give_or_ours(rds: Any) -> None:
    reaches(rds, "shared", "available")
    asked = {"DBInstanceIdentifier": "second", "SourceDBInstanceIdentifier": "shared"}
    for days, code, message in (
        (0, "InvalidDBInstanceState", "Automated backups are not enabled"),
        (1, "UnsupportedOperation", "CreateDBInstanceReadReplica is not part of the embedded AWS"),
    ):
        rds.modify_db_instance(DBInstanceIdentifier="shared", BackupRetentionPeriod=days)
        refused(rds.create_db_instance_read_replica, code, message, **asked)
    promote = rds.promote_read_replica
    refused(promote, "InvalidDBInstanceState", "is not a read replica", DBInstanceIdentifier="shared")
    refused(promote, "DBInstanceNotFound", "none-such", DBInstanceIdentifier="none-such")
    refused(
        rds.create_db_instance_read_replica, "DBInstanceNotFound", "none-such",
        **{**asked, "SourceDBInstanceIdentifier": "none-such"},
    )  # fmt: skip


def test_a_restore_to_the_latest_time_has_every_row_committed_until_then(aws: Embedded, rds: Any) -> None:
    found = reaches(rds, "shared", "available")
    rds.modify_db_instance(DBInstanceIdentifier="shared", BackupRetentionPeriod=1)
    session = connect(aws, found, str(ASKED["MasterUserPassword"]))
    session.autocommit = True
    target = {"SourceDBInstanceIdentifier": "shared", "TargetDBInstanceIdentifier": "Later"}
    refused(
        rds.restore_db_instance_to_point_in_time, "InvalidParameterValue", "keeps no log of the past",
        **target, RestoreTime=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    with session.cursor() as cursor:
        cursor.execute("CREATE TABLE timed AS SELECT generate_series(1, 300) AS id")
        rds.restore_db_instance_to_point_in_time(**target, UseLatestRestorableTime=True)
        cursor.execute("DELETE FROM timed")
    session.close()
    later = reaches(rds, "later", "available")
    assert later["Endpoint"]["Port"] != found["Endpoint"]["Port"]
    assert committed(aws, later, str(ASKED["MasterUserPassword"]), "timed") == 300
    assert committed(aws, found, str(ASKED["MasterUserPassword"]), "timed") == 0
    rds.modify_db_instance(DBInstanceIdentifier="shared", BackupRetentionPeriod=0)
    refused(
        rds.restore_db_instance_to_point_in_time, "PointInTimeRestoreNotEnabled", "keeps no backups",
        **target, UseLatestRestorableTime=True,
    )  # fmt: skip
    rds.delete_db_instance(DBInstanceIdentifier="later", SkipFinalSnapshot=True)


def committed(aws: Embedded, found: dict[str, Any], password: str, table: str = "kept") -> int:
    """How many rows the table of the snapshot tests has."""
    with connect(aws, found, password) as session, session.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        count = int(cursor.fetchone()[0])
    session.close()
    return count


def test_a_snapshot_brings_back_the_rows_of_its_moment(aws: Embedded, rds: Any) -> None:
    rds.create_db_instance(**{**ASKED, "DBInstanceIdentifier": "source", "DBName": "people"})
    source = reaches(rds, "source", "available")
    session = connect(aws, source, ASKED["MasterUserPassword"])
    session.autocommit = True
    with session.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (id bigint)")
        cursor.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        rds.create_db_snapshot(DBSnapshotIdentifier="Early", DBInstanceIdentifier="source")
        cursor.execute("DELETE FROM kept WHERE id > 10")
    session.close()
    rds.delete_db_instance(DBInstanceIdentifier="source", FinalDBSnapshotIdentifier="late")

    password = str(ASKED["MasterUserPassword"])
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="again", DBSnapshotIdentifier="early")
    assert committed(aws, reaches(rds, "again", "available"), password) == 1000
    rds.delete_db_instance(DBInstanceIdentifier="again", SkipFinalSnapshot=True)
    assert committed(aws, rebuilt(aws, rds, "late"), "battery-staple-2") == 10


def rebuilt(aws: Embedded, rds: Any, snapshot: str) -> dict[str, Any]:
    """The instance that a stack made from the snapshot, with a password of its own."""
    properties = {
        "DBInstanceClass": "db.t4g.micro", "DBSnapshotIdentifier": snapshot,
        "MasterUserPassword": "battery-staple-2", "BackupRetentionPeriod": 2,
    }  # fmt: skip
    found = instance(rds, alone_in_a_stack(aws, "AWS::RDS::DBInstance", properties))
    assert found["BackupRetentionPeriod"] == 2
    assert {"Key": "aws:cloudformation:stack-name", "Value": "restored"} in found["TagList"]
    return found


def test_a_restored_instance_can_have_a_managed_password(aws: Embedded, rds: Any) -> None:
    reaches(rds, "shared", "available")
    rds.create_db_snapshot(DBSnapshotIdentifier="plain-now", DBInstanceIdentifier="shared")
    rds.copy_db_snapshot(SourceDBSnapshotIdentifier="plain-now", TargetDBSnapshotIdentifier="plain-copy")
    rds.delete_db_snapshot(DBSnapshotIdentifier="plain-now")
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="managed-again", DBSnapshotIdentifier="plain-copy", ManageMasterUserPassword=True
    )
    found = reaches(rds, "managed-again", "available")
    secret = found["MasterUserSecret"]["SecretArn"]
    value = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    connect(aws, found, value["password"]).close()
    with pytest.raises(botocore.exceptions.ClientError, match="plain-now"):
        rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier="nothing", DBSnapshotIdentifier="plain-now"
        )


def test_what_was_managed_is_managed_after_a_restore(aws: Embedded, rds: Any) -> None:
    asked = {key: value for key, value in ASKED.items() if key != "MasterUserPassword"}
    rds.create_db_instance(
        **{**asked, "DBInstanceIdentifier": "kept", "DBName": "people"}, ManageMasterUserPassword=True
    )
    before = reaches(rds, "kept", "available")["MasterUserSecret"]["SecretArn"]
    rds.delete_db_instance(DBInstanceIdentifier="kept", FinalDBSnapshotIdentifier="kept-last")
    rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier="kept-2", DBSnapshotIdentifier="kept-last")
    found = reaches(rds, "kept-2", "available")
    after = found["MasterUserSecret"]["SecretArn"]
    assert after != before
    value = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=after)["SecretString"])
    connect(aws, found, value["password"]).close()
