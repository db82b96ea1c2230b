"""The master user's password is in one secret and nowhere else, as long as the databases may need it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deploy_bench import Run, aws, local, name, proxies, proxy, root, run, stacks, write
from fault_proxy import Proxy
from test_deploy_states import BAD

from aws_vpc import deploy

__all__ = ["aws", "local", "name", "proxies", "proxy", "root", "run"]

Aws = Callable[[str], Any]
PASSWORD = "Passw0rd9"


@pytest.fixture
def create(run: Run, root: Path) -> Run:
    """create in its positional form, with a master user."""
    names = ("MasterSecret", "NatGateway", "ElasticIp")
    parameters = "".join(f"  {one}: {{Type: String}}\n" for one in names)
    template = root / "templates" / "nested-stack.yaml"
    words = ("awsuser", PASSWORD, "203.0.113.7", str(root), "false", "false")

    def create(*more: str) -> tuple[int, str, str]:
        template.write_text(template.read_text().replace("Resources:", parameters + "Resources:", 1))
        return run("create", *words, "--skip-checks", *more)

    return create


def secrets(aws: Aws, name: str) -> list[dict[str, Any]]:
    """The secrets of a stack, with what each holds."""
    client = aws("secretsmanager")
    found = [one for one in client.list_secrets()["SecretList"] if one["Name"].startswith(f"{name}/")]
    return [dict(client.get_secret_value(SecretId=one["ARN"])) for one in found]


def test_the_password_goes_into_a_secret_and_nowhere_else(create: Run, run: Run, aws: Aws, name: str) -> None:
    status, out, err = create()
    assert status == 0, err
    assert PASSWORD not in out + err
    (secret,) = secrets(aws, name)
    assert json.loads(secret["SecretString"]) == {"username": "awsuser", "password": PASSWORD}
    found = deploy.describe(aws("cloudformation"), name)
    assert found and found.parameters["MasterSecret"] == secret["ARN"]
    assert run("teardown", "--yes")[0] == 0
    assert secrets(aws, name) == []


def test_a_create_that_is_rolled_back_takes_the_secret_with_it(
    create: Run, aws: Aws, name: str, root: Path
) -> None:
    write(root, second=BAD)
    assert create()[0] == 1
    assert stacks(aws("cloudformation"), name) == ["ROLLBACK_COMPLETE"]
    assert secrets(aws, name) == []


def test_what_stands_of_a_create_that_was_not_rolled_back_keeps_its_secret(
    create: Run, run: Run, aws: Aws, name: str, root: Path
) -> None:
    write(root, second=BAD)
    assert create("--no-rollback")[0] == 1
    assert "CREATE_FAILED" in stacks(aws("cloudformation"), name)
    assert [one["Name"] for one in secrets(aws, name)] == [f"{name}/master"]
    assert run("teardown", "--yes")[0] == 0
    assert secrets(aws, name) == []


def test_a_plan_that_cannot_be_made_leaves_no_secret(create: Run, aws: Aws, name: str, proxy: Proxy) -> None:
    denied = (403, "AccessDenied", "not authorized to perform cloudformation:CreateChangeSet")
    proxy.plan = lambda operation, number: denied if operation == "CreateChangeSet" else None
    status, _, err = create()
    assert (status, "cloudformation:CreateChangeSet" in err.splitlines()[-1]) == (1, True), err
    assert secrets(aws, name) == []


def test_a_secret_that_cannot_be_deleted_is_a_note_and_the_cause_stays_last(
    create: Run, run: Run, aws: Aws, name: str, root: Path, proxy: Proxy
) -> None:
    write(root, second=BAD)
    denied = (400, "AccessDeniedException", "not authorized to perform secretsmanager:DeleteSecret")
    proxy.plan = lambda operation, number: denied if operation == "DeleteSecret" else None
    status, _, err = create()
    assert status == 1
    assert "NestedSecondStack/Bad" in err.splitlines()[-1]
    assert f"note: secret {name}/master may be left" in err and "secretsmanager:DeleteSecret" in err
    proxy.plan = lambda operation, number: None
    assert run("teardown", "--yes")[0] == 0
    assert secrets(aws, name) == []
