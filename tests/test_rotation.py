"""Rotating a managed master secret changes the password of the running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from embedded import Embedded, embedded_aws, until


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as running:
        yield running


def instance(aws: Embedded) -> dict[str, Any]:
    return dict(aws.client("rds").describe_db_instances(DBInstanceIdentifier="rotated")["DBInstances"][0])


def login(aws: Embedded) -> dict[str, str]:
    secret = instance(aws)["MasterUserSecret"]["SecretArn"]
    value = aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    return dict(json.loads(value))


def connects(aws: Embedded, credentials: dict[str, str]) -> bool:
    endpoint = instance(aws)["Endpoint"]
    try:
        psycopg2.connect(
            host=endpoint["Address"],
            port=endpoint["Port"],
            dbname="people",
            user=credentials["username"],
            password=credentials["password"],
            sslmode="verify-full",
            sslrootcert=str(aws.facts.ca),
        ).close()
    except psycopg2.OperationalError as error:
        assert "password authentication failed" in str(error)
        return False
    return True


def test_a_rotated_secret_opens_the_running_server_and_the_old_one_does_not(aws: Embedded) -> None:
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier="rotated",
        Engine="postgres",
        DBInstanceClass="db.t4g.micro",
        DBName="people",
        AllocatedStorage=20,
        MasterUsername="dbadmin",
        ManageMasterUserPassword=True,
    )
    until(lambda: instance(aws)["DBInstanceStatus"] == "available")
    before = login(aws)
    assert connects(aws, before)
    secret = instance(aws)["MasterUserSecret"]["SecretArn"]
    aws.client("secretsmanager").rotate_secret(SecretId=secret, RotateImmediately=True)
    after = login(aws)
    assert after["password"] != before["password"]
    assert connects(aws, after)
    assert not connects(aws, before)


def test_a_secret_that_nobody_manages_rotates_as_before(aws: Embedded) -> None:
    secrets = aws.client("secretsmanager")
    secrets.create_secret(Name="plain", SecretString="kept")
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.rotate_secret(SecretId="nothing-of-that-name")
    assert secrets.get_secret_value(SecretId="plain")["SecretString"] == "kept"
