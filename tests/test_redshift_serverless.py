"""Redshift Serverless: a workgroup's endpoint is a server, and its namespace keeps the data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redshift_connector
from botocore.exceptions import ClientError
from embedded import Embedded, embedded_aws, until

Connect = Callable[..., Any]
# The driver makes its TLS context in a way that Python 3.10 deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:ssl.SSLContext"),
    pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS"),
]


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


@pytest.fixture
def connect(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> Connect:
    monkeypatch.setenv("SSL_CERT_FILE", str(aws.facts.ca))

    def to(workgroup: dict[str, Any], user: str, password: str, database: str = "people") -> Any:
        endpoint = workgroup["endpoint"]
        return redshift_connector.connect(
            host=endpoint["address"],
            port=endpoint["port"],
            user=user,
            password=password,
            database=database,
            ssl=True,
            sslmode="verify-full",
        )

    return to


def available(api: Any, name: str) -> dict[str, Any]:
    """The workgroup as soon as it is available."""

    def look() -> Any:
        found = api.get_workgroup(workgroupName=name)["workgroup"]
        return found if found["status"] == "AVAILABLE" else None

    return dict(until(look))


def login(aws: Embedded, namespace: dict[str, Any]) -> tuple[str, str]:
    """User and password in the managed secret of the namespace."""
    secret = aws.client("secretsmanager").get_secret_value(SecretId=namespace["adminPasswordSecretArn"])
    value = json.loads(secret["SecretString"])
    return value["username"], value["password"]


def test_namespace_keeps_the_data_that_its_workgroups_serve(aws: Embedded, connect: Connect) -> None:
    api = aws.client("redshift-serverless")
    made = api.create_namespace(namespaceName="people", dbName="people", manageAdminPassword=True)[
        "namespace"
    ]
    first = api.create_workgroup(workgroupName="day", namespaceName="people", baseCapacity=8)["workgroup"]
    assert first["status"] == "CREATING"
    day = available(api, "day")
    assert day["endpoint"]["address"] == "localhost"
    with connect(day, *login(aws, made)) as session, session.cursor() as cursor:
        cursor.execute("CREATE TABLE persons (id bigint)")
        cursor.execute("INSERT INTO persons VALUES (1), (2)")
        session.commit()
    with pytest.raises(ClientError, match="delete that first"):
        api.delete_namespace(namespaceName="people")

    aws.client("secretsmanager").rotate_secret(SecretId=made["adminPasswordSecretArn"])
    connect(day, *login(aws, made)).close()
    api.update_namespace(
        namespaceName="people", manageAdminPassword=False, adminUserPassword="Correct-Horse1"
    )
    api.delete_workgroup(workgroupName="day")
    assert api.list_workgroups()["workgroups"] == []
    api.create_workgroup(workgroupName="night", namespaceName="people")
    night = available(api, "night")
    with connect(night, "admin", "Correct-Horse1") as session, session.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM persons")
        assert cursor.fetchone()[0] == 2
    api.delete_workgroup(workgroupName="night")
    api.delete_namespace(namespaceName="people", finalSnapshotName="last", finalSnapshotRetentionPeriod=7)
    assert [each["snapshotName"] for each in api.list_snapshots(namespaceName="people")["snapshots"]] == [
        "last"
    ]
    with pytest.raises(ClientError, match="not found"):
        api.get_namespace(namespaceName="people")


def test_workgroup_needs_subnets_in_three_zones_and_settings_that_there_are(aws: Embedded) -> None:
    api, ec2 = aws.client("redshift-serverless"), aws.client("ec2")
    api.create_namespace(namespaceName="strict")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    zones = [f"{aws.facts.region}{letter}" for letter in "aab"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{i}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for i, zone in enumerate(zones)
    ]
    asked = {"workgroupName": "strict", "namespaceName": "strict"}
    with pytest.raises(ClientError, match="the subnets are in 2, a workgroup needs subnets in 3"):
        api.create_workgroup(**asked, subnetIds=subnets)
    with pytest.raises(ClientError, match="Invalid parameter key"):
        api.create_workgroup(**asked, configParameters=[{"parameterKey": "fast", "parameterValue": "1"}])
    with pytest.raises(ClientError, match="Invalid base capacity"):
        api.create_workgroup(**asked, baseCapacity=9)
    with pytest.raises(ClientError, match="Namespace nobody not found"):
        api.create_workgroup(workgroupName="strict", namespaceName="nobody")
    with pytest.raises(ClientError, match="adminUserPassword"):
        api.create_namespace(
            namespaceName="both", manageAdminPassword=True, adminUserPassword="Passw0rdPassw0rd"
        )
