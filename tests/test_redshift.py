"""Redshift through boto3 and the real driver: the records are moto's, the servers are real."""

import gc
import json
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import psycopg2
import pytest
import redshift_connector
from embedded import Embedded, alone_in_a_stack, embedded_aws, until

# The driver makes its TLS context in a way that Python has deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:ssl\\.:DeprecationWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning"),
]
ROLE = "arn:aws:iam::123456789012:role/copy"
ASKED = {
    "ClusterIdentifier": "one",
    "NodeType": "ra3.large",
    "ClusterType": "single-node",
    "MasterUsername": "master",
    "MasterUserPassword": "Correct-horse-1",
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with pytest.MonkeyPatch.context() as patch, embedded_aws() as running:
        patch.setenv("SSL_CERT_FILE", str(running.facts.ca))
        yield running


@pytest.fixture(scope="module")
def redshift(aws: Embedded) -> Any:
    client = aws.client("redshift")
    client.create_cluster(**{**ASKED, "ClusterIdentifier": "shared", "DBName": "people", "IamRoles": [ROLE]})
    return client


def cluster(redshift: Any, name: str) -> dict[str, Any]:
    return dict(redshift.describe_clusters(ClusterIdentifier=name)["Clusters"][0])


def reaches(redshift: Any, name: str, status: str) -> dict[str, Any]:
    """The cluster, as soon as it has the status."""
    until(lambda: cluster(redshift, name)["ClusterStatus"] == status)
    return cluster(redshift, name)


def connect(found: dict[str, Any], password: str, database: str = "people") -> Any:
    endpoint = found["Endpoint"]
    return redshift_connector.connect(
        host=endpoint["Address"], port=endpoint["Port"], database=database, user=found["MasterUsername"],
        password=password, sslmode="verify-full",
    )  # fmt: skip


def refusal(found: dict[str, Any], password: str) -> str:
    """Why a connection is refused; the driver leaves its socket open, which must not trouble other tests."""
    try:
        connect(found, password).close()
        said = ""
    except (redshift_connector.Error, OSError) as error:
        said = str(error) or "refused"
    gc.collect()
    return said


def test_a_cluster_is_creating_without_an_endpoint_and_then_answers_the_driver(redshift: Any) -> None:
    found = reaches(redshift, "shared", "available")
    assert found["ClusterAvailabilityStatus"] == "Available"
    assert found["Endpoint"]["Address"] == "localhost"
    assert found["IamRoles"] == [{"IamRoleArn": ROLE, "ApplyStatus": "in-sync"}]
    with connect(found, "Correct-horse-1") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT version()")
        assert "Redshift" in cursor.fetchone()[0]
    made = redshift.create_cluster(**{**ASKED, "ClusterIdentifier": "early"})["Cluster"]
    assert (made["ClusterStatus"], "Endpoint" in made) == ("creating", False)
    redshift.delete_cluster(ClusterIdentifier="early", SkipFinalClusterSnapshot=True)


def test_pause_and_resume_act_on_the_servers_and_keep_what_was_committed(redshift: Any) -> None:
    found = reaches(redshift, "shared", "available")
    with connect(found, "Correct-horse-1") as connection:
        connection.cursor().execute("CREATE TABLE kept AS SELECT 42 AS id")
        connection.commit()
    assert redshift.pause_cluster(ClusterIdentifier="shared")["Cluster"]["ClusterStatus"] == "pausing"
    assert reaches(redshift, "shared", "paused")["ClusterAvailabilityStatus"] == "Unavailable"
    assert refusal(found, "Correct-horse-1")
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidClusterState"):
        redshift.pause_cluster(ClusterIdentifier="shared")
    redshift.resume_cluster(ClusterIdentifier="shared")
    again = reaches(redshift, "shared", "available")
    assert again["Endpoint"] == found["Endpoint"]
    redshift.reboot_cluster(ClusterIdentifier="shared")
    reaches(redshift, "shared", "available")
    with connect(again, "Correct-horse-1") as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT id FROM kept")
        assert cursor.fetchone() == [42]


def test_a_new_password_counts_at_once(redshift: Any) -> None:
    found = reaches(redshift, "shared", "available")
    redshift.modify_cluster(ClusterIdentifier="shared", MasterUserPassword="Battery-staple-2")
    connect(found, "Battery-staple-2").close()
    assert "28P01" in refusal(found, "Correct-horse-1")
    redshift.modify_cluster(ClusterIdentifier="shared", MasterUserPassword="Correct-horse-1")


def test_copy_assumes_only_the_roles_that_are_attached(aws: Embedded, redshift: Any) -> None:
    found = reaches(redshift, "shared", "available")
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="loads")
    s3.put_object(Bucket="loads", Key="a.csv", Body=b"1,one\n2,two\n")
    other = f"{ROLE}-other"
    connection = connect(found, "Correct-horse-1")
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE loaded (id int, name varchar(10))")
    connection.commit()

    def load(role: str) -> int:
        cursor.execute(f"COPY loaded FROM 's3://loads/a.csv' IAM_ROLE {role} CSV")
        cursor.execute("SELECT count(*) FROM loaded")
        count = cursor.fetchone()[0]
        connection.rollback()
        return int(count)

    assert load(f"'{ROLE}'") == 2
    for refused in (f"'{other}'", "default"):
        with pytest.raises(redshift_connector.Error, match="not authorized to assume IAM Role"):
            load(refused)
        connection.rollback()
    answer = redshift.modify_cluster_iam_roles(
        ClusterIdentifier="shared", AddIamRoles=[other], RemoveIamRoles=[ROLE], DefaultIamRoleArn=other
    )
    assert [role["IamRoleArn"] for role in answer["Cluster"]["IamRoles"]] == [other]
    assert load(f"'{other}'") == load("default") == 2
    with pytest.raises(redshift_connector.Error, match="not authorized to assume IAM Role"):
        load(f"'{ROLE}'")
    connection.close()
    redshift.modify_cluster_iam_roles(ClusterIdentifier="shared", AddIamRoles=[ROLE], RemoveIamRoles=[other])


def test_a_managed_master_password_is_the_secrets_and_ends_with_the_cluster(
    aws: Embedded, redshift: Any
) -> None:
    asked = {**ASKED, "ClusterIdentifier": "managed", "ManageMasterPassword": True}
    del asked["MasterUserPassword"]
    redshift.create_cluster(**asked)
    found = reaches(redshift, "managed", "available")
    arn, secrets = found["MasterPasswordSecretArn"], aws.client("secretsmanager")
    assert ":secret:redshift!managed-master-" in arn

    def login() -> dict[str, str]:
        return dict(json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"]))

    before = login()
    assert before["username"] == "master"
    connect(found, before["password"], "dev").close()
    psycopg2.connect(
        host="localhost", port=found["Endpoint"]["Port"], dbname="dev", user="master",
        password=before["password"], sslmode="verify-full", sslrootcert=aws.facts.ca,
    ).close()  # fmt: skip
    with pytest.raises(botocore.exceptions.ClientError, match="FinalClusterSnapshotIdentifier is required"):
        redshift.delete_cluster(ClusterIdentifier="managed")
    redshift.delete_cluster(ClusterIdentifier="managed", FinalClusterSnapshotIdentifier="last")
    names = [each["SnapshotIdentifier"] for each in redshift.describe_cluster_snapshots()["Snapshots"]]
    assert "last" in names
    with pytest.raises(botocore.exceptions.ClientError, match="ResourceNotFound"):
        secrets.describe_secret(SecretId=arn)


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"ClusterIdentifier": "1a"}, "InvalidParameterValue", "ClusterIdentifier"),
        ({"ClusterIdentifier": "a--b"}, "InvalidParameterValue", "ClusterIdentifier"),
        ({"NodeType": "ds9.large"}, "InvalidParameterValue", "Invalid node type: ds9.large"),
        ({"ClusterType": "multi-node"}, "InvalidParameterCombination", "greater than or equal to 2"),
        ({"MasterUsername": "Master"}, "InvalidParameterValue", "MasterUsername"),
        ({"MasterUsername": "public"}, "InvalidParameterValue", "reserved word"),
        ({"MasterUserPassword": "Short1"}, "InvalidParameterValue", "between 8 and 64 characters"),
        ({"MasterUserPassword": "nouppercase1"}, "InvalidParameterValue", "one uppercase letter"),
        ({"MasterUserPassword": "NOLOWERCASE1"}, "InvalidParameterValue", "one lowercase letter"),
        ({"MasterUserPassword": "NoNumbers"}, "InvalidParameterValue", "one number"),
        ({"MasterUserPassword": "Slashed/12"}, "InvalidParameterValue", "Only printable ASCII"),
        ({"ManageMasterPassword": True}, "InvalidParameterCombination", "MasterUserPassword"),
        ({"DBName": "People"}, "InvalidParameterValue", "DBName"),
        ({"Port": 6000}, "InvalidParameterValue", "Invalid port 6000"),
    ],
)
def test_redshifts_own_rules_hold(redshift: Any, changes: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        redshift.create_cluster(**{**ASKED, **changes})
    assert raised.value.response["Error"]["Code"] == code
    assert message in raised.value.response["Error"]["Message"]


def test_a_cluster_that_is_not_there_is_not_found(redshift: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="ClusterNotFound"):
        redshift.pause_cluster(ClusterIdentifier="none-such")


def ids(found: dict[str, Any], password: str) -> list[int]:
    """The rows of the table of the snapshot tests."""
    with connect(found, password) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT id FROM snapped ORDER BY id")
        return [int(row[0]) for row in cursor.fetchall()]


def test_a_cluster_from_a_snapshot_has_the_rows_of_its_moment_by_the_api_and_by_a_stack(
    aws: Embedded, redshift: Any
) -> None:
    found = reaches(redshift, "shared", "available")
    password = str(ASKED["MasterUserPassword"])
    with connect(found, password) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE snapped (id int)")
        cursor.execute("INSERT INTO snapped VALUES (1), (2)")
        connection.commit()
        redshift.create_cluster_snapshot(SnapshotIdentifier="Early", ClusterIdentifier="shared")
        cursor.execute("DELETE FROM snapped")
        connection.commit()
    with pytest.raises(botocore.exceptions.ClientError, match="ClusterSnapshotNotFound"):
        redshift.restore_from_cluster_snapshot(ClusterIdentifier="again", SnapshotIdentifier="none-such")
    made = redshift.restore_from_cluster_snapshot(
        ClusterIdentifier="again", SnapshotIdentifier="early", ManageMasterPassword=True, IamRoles=[ROLE]
    )["Cluster"]
    assert made["ClusterStatus"] == "creating"
    restored = reaches(redshift, "again", "available")
    assert restored["IamRoles"] == [{"IamRoleArn": ROLE, "ApplyStatus": "in-sync"}]
    secret = aws.client("secretsmanager").get_secret_value(SecretId=restored["MasterPasswordSecretArn"])
    assert ids(restored, json.loads(secret["SecretString"])["password"]) == [1, 2]
    assert ids(found, password) == []
    redshift.delete_cluster(ClusterIdentifier="again", FinalClusterSnapshotIdentifier="late")
    assert ids(rebuilt(aws, redshift, "late"), "Battery-staple-2") == [1, 2]


def rebuilt(aws: Embedded, redshift: Any, snapshot: str) -> dict[str, Any]:
    """The cluster that a stack made from the snapshot."""
    properties = {
        "NodeType": "ra3.large", "ClusterType": "single-node", "DBName": "people",
        "MasterUsername": "master", "MasterUserPassword": "Battery-staple-2", "SnapshotIdentifier": snapshot,
    }  # fmt: skip
    found = cluster(redshift, alone_in_a_stack(aws, "AWS::Redshift::Cluster", properties))
    assert {"Key": "aws:cloudformation:stack-name", "Value": "restored"} in found["Tags"]
    return found
