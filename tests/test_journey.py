"""The whole journey as a newcomer makes it: the real scripts, the aws command, HTTP, psql's own driver.

deploy -> browse -> plain aws commands -> new data -> update one child -> nothing to update -> tear down
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from embedded import until
from newcomer import (
    CHILDREN,
    ROOT,
    Newcomer,
    children,
    get,
    newcomer,
    resources,
    updates_of,
    wait,
)

__all__ = ["newcomer"]


def check_first_create(newcomer: Newcomer) -> dict[str, Any]:
    printed = newcomer.sh("./create_stacks.sh", "--local").stdout
    assert re.search(r"http://\S+", printed) and "50" in printed
    status = newcomer.status()
    assert {name for name, state in status["stacks"].items() if state == "CREATE_COMPLETE"} >= {ROOT}
    assert len(status["stacks"]) == 1 + len(CHILDREN)
    until(lambda: {newcomer.status()[database]["rows"] for database in ("rds", "redshift")} == {50})
    return status


def check_pages(newcomer: Newcomer, web: str) -> None:
    with (newcomer.repository / "data" / "people.csv").open(newline="") as file:
        person = next(csv.DictReader(file))
    code, home = get(web)
    assert code == 200 and "<form" in home
    for database in ("rds", "redshift"):
        code, page = get(f"{web}/{database}/{person['email'][:8]}")
        assert code == 200 and person["email"] in page and "<html" in page
        code, page = get(f"{web}/{database}/nobody-of-that-name")
        assert code == 404
    assert rows(web) == {50}


def rows(web: str) -> set[int]:
    """How many rows the start page tells of each database, once it reaches both."""

    def told() -> Any:
        databases = json.loads(get(f"{web}/.json")[1])["databases"].values()
        return {one["rows"] for one in databases} if all(one["up"] for one in databases) else None

    return set(until(told))


def check_second_create_changes_nothing(newcomer: Newcomer) -> None:
    before = newcomer.aws("cloudformation", "describe-stack-events", "--stack-name", ROOT)["StackEvents"]
    again = newcomer.sh("./create_stacks.sh", "--local")
    assert "nothing" in (again.stdout + again.stderr).lower()
    after = newcomer.aws("cloudformation", "describe-stack-events", "--stack-name", ROOT)["StackEvents"]
    assert [e["EventId"] for e in before] == [e["EventId"] for e in after]


def check_plain_aws_commands(newcomer: Newcomer) -> None:
    newcomer.aws("cloudformation", "validate-template", "--template-body", "file://templates/redshift.yaml")
    template = (newcomer.repository / "templates" / "redshift.yaml").read_text()
    copy = newcomer.repository / "bool.yaml"
    copy.write_text(template.replace("Type: String", "Type: Bool", 1))
    complaint = newcomer.do(
        "aws", "cloudformation", "validate-template", "--template-body", f"file://{copy}", status=255
    )
    assert complaint.stderr.strip() == (
        "An error occurred (ValidationError) when calling the ValidateTemplate operation: "
        "Template format error: Unrecognized parameter type: Bool"
    )
    newcomer.aws(
        "cloudformation",
        "create-stack",
        "--stack-name",
        "non-default-vpc",
        "--template-body",
        "file://templates/vpc.yaml",
        "--parameters",
        "ParameterKey=NatGateway,ParameterValue=true",
        "ParameterKey=InterfaceEndpoint,ParameterValue=true",
    )
    wait(newcomer, "stack_create_complete", "non-default-vpc")
    stack = newcomer.aws("cloudformation", "describe-stacks", "--stack-name", "non-default-vpc")["Stacks"][0]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
    vpcs = {vpc["VpcId"] for vpc in newcomer.aws("ec2", "describe-vpcs")["Vpcs"]}
    assert {outputs["Vpc"], outputs["WarehouseVpc"]} <= vpcs
    peering = newcomer.aws("ec2", "describe-vpc-peering-connections")["VpcPeeringConnections"]
    assert {p["Status"]["Code"] for p in peering} == {"active"}
    newcomer.aws("cloudformation", "delete-stack", "--stack-name", "non-default-vpc")
    wait(newcomer, "stack_delete_complete", "non-default-vpc")


def check_database_by_its_own_driver(newcomer: Newcomer) -> None:
    """What psql does with the address that `aws rds describe-db-instances` prints."""
    instance = newcomer.aws("rds", "describe-db-instances")["DBInstances"][0]
    secret = newcomer.aws(
        "secretsmanager", "get-secret-value", "--secret-id", instance["MasterUserSecret"]["SecretArn"]
    )
    login = json.loads(secret["SecretString"])
    address = {
        "host": instance["Endpoint"]["Address"],
        "port": instance["Endpoint"]["Port"],
        "dbname": instance["DBName"],
        "user": login["username"],
        "password": login["password"],
    }
    connection = psycopg2.connect(
        **address, sslmode="verify-full", sslrootcert=newcomer.environment["PGSSLROOTCERT"]
    )
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from persons")
        assert cursor.fetchone() == (50,)
    connection.close()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(**address, sslmode="disable")


def check_new_data(newcomer: Newcomer, web: str, bucket: str) -> None:
    new = newcomer.repository / "new.csv"
    new.write_text(
        newcomer.run(".venv/bin/python", "-m", "aws_vpc.loader.people", "--rows", "75", "--seed", "7")
    )
    newcomer.run("aws", "s3", "cp", str(new), f"s3://{bucket}/incoming/people.csv")
    until(lambda: rows(web) == {75})


def check_load_by_hand(newcomer: Newcomer, folder: Path) -> None:
    """A file with a bad row goes into both databases but for that row, which is named."""
    path = folder / "people-3.csv"
    path.write_text(
        "id,email,state,postal,address\n9001,a@example.com,NY,12345,x\nnine,b@example.com,NY,12345,x\n"
    )
    words = (".venv/bin/python", "-m", "aws_vpc", "load", "--local", str(path), "--mode", "merge", "--json")
    answer = json.loads(newcomer.run(*words))
    found = [(name, one["rows"], one["rejected"]) for name, one in answer["databases"].items()]
    assert found == [("database", 1, 1), ("warehouse", 1, 1)]


def check_update_of_one_child(newcomer: Newcomer) -> None:
    before = {child: resources(newcomer, stack) for child, stack in children(newcomer).items()}
    assert sorted(before) == sorted(CHILDREN)
    template = newcomer.repository / "templates" / "rds-resource.yaml"
    tag = "      Tags:\n        - Key: CostCentre\n          Value: research\n"
    template.write_text(template.read_text().replace("      Tags:\n", tag, 1))
    newcomer.sh("./update_stacks.sh", str(newcomer.repository), "--local")
    stacks = children(newcomer)
    updated = {child: updates_of(newcomer, stack) for child, stack in stacks.items()}
    assert updated == {child: {"DatabaseSubnetGroup"} if child == "RDS" else set() for child in CHILDREN}
    assert {child: resources(newcomer, stack) for child, stack in stacks.items()} == before, (
        "updated in place"
    )
    group = newcomer.aws("rds", "describe-db-subnet-groups")["DBSubnetGroups"][0]["DBSubnetGroupArn"]
    tags = newcomer.aws("rds", "list-tags-for-resource", "--resource-name", group)["TagList"]
    assert {"Key": "CostCentre", "Value": "research"} in tags


def check_nothing_to_update(newcomer: Newcomer) -> None:
    done = newcomer.sh("./update_stacks.sh", "--local", "--repo-root", str(newcomer.repository))
    assert "nothing to update" in (done.stdout + done.stderr).lower()


def check_teardown(newcomer: Newcomer, pids: list[int]) -> None:
    newcomer.sh("./teardown.sh", "--local", "--yes")
    until(lambda: not [pid for pid in pids if psutil.pid_exists(pid)])
    newcomer.run(".venv/bin/python", "-m", "aws_vpc", "local", "status", "--json", status=3)
    newcomer.sh("./teardown.sh", "--local", "--yes")


def check_fresh_start_is_empty(newcomer: Newcomer) -> None:
    newcomer.run(".venv/bin/python", "-m", "aws_vpc", "local", "start")
    newcomer.use_local_environment()
    vpcs = newcomer.aws("ec2", "describe-vpcs")["Vpcs"]
    assert [vpc["IsDefault"] for vpc in vpcs] == [True]
    newcomer.run(".venv/bin/python", "-m", "aws_vpc", "local", "stop")


def test_the_whole_journey(newcomer: Newcomer) -> None:
    status = check_first_create(newcomer)
    newcomer.use_local_environment()
    check_pages(newcomer, status["web"])
    check_second_create_changes_nothing(newcomer)
    check_plain_aws_commands(newcomer)
    check_database_by_its_own_driver(newcomer)
    check_new_data(newcomer, status["web"], status["bucket"])
    check_load_by_hand(newcomer, newcomer.repository)
    check_update_of_one_child(newcomer)
    check_nothing_to_update(newcomer)
    pids = status["pids"]
    check_teardown(newcomer, list(pids.values()) if isinstance(pids, dict) else pids)
    check_fresh_start_is_empty(newcomer)


def test_the_walkthroughs_own_command_lines(newcomer: Newcomer) -> None:
    repository = str(newcomer.repository)
    newcomer.run(".venv/bin/python", "-m", "aws_vpc", "local", "start")
    newcomer.use_local_environment()
    done = newcomer.sh(
        "aws_vpc/create_stacks.sh",
        "master",
        "Chang3me-now",
        "127.0.0.1/24",
        repository,
        "false",
        "false",
    )
    said = done.stdout + done.stderr
    assert "127.0.0.0/24" in said and "Chang3me-now" not in said
    (root,) = newcomer.aws("cloudformation", "describe-stacks", "--stack-name", ROOT)["Stacks"]
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in root["Parameters"]}
    assert parameters["WebIngressCidr"] == "127.0.0.0/24" and parameters["NatGateway"] == "false"
    assert not newcomer.aws("ec2", "describe-nat-gateways")["NatGateways"]
    assert newcomer.aws("rds", "describe-db-instances")["DBInstances"][0]["MasterUsername"] == "master"
    updated = newcomer.sh("aws_vpc/update_stacks.sh", repository)
    assert "nothing to update" in (updated.stdout + updated.stderr).lower()
    newcomer.sh("aws_vpc/teardown.sh", "--yes")
    assert not newcomer.aws("cloudformation", "describe-stacks")["Stacks"]
