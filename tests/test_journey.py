"""The whole journey as a newcomer makes it: the real scripts, the aws command, HTTP, psql's own driver.

deploy -> browse -> plain aws commands -> new data -> update one child -> nothing to update -> tear down
"""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import psycopg2
import pytest
from embedded import until

PROJECT = Path(__file__).parent.parent
ROOT = "Nested-RDS-Redshift-EC2-VPC"
CHILDREN = [
    "VPC",
    "NatGateway",
    "EC2",
    "RDS",
    "Redshift",
    "Batch",
    "CodeDeploy",
    "NetworkAcls",
    "Endpoints",
    "FlowLogs",
    "NetworkPaths",
    "Operations",
]


class Newcomer:
    """Someone with this checkout, a copy of its templates to change, and a shell that knows of no account."""

    def __init__(self, folder: Path) -> None:
        self.repository = folder / "a copy"
        for part in ("templates", "eb-flask", "data"):
            shutil.copytree(
                PROJECT / part, self.repository / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AWS_VPC_LOCAL_DIR": str(folder / "local"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def do(self, *command: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """The command, once it has ended with the exit status that is expected."""
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=900,
            stdin=subprocess.DEVNULL,
        )
        said = f"{shlex.join(command)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == status, said
        return done

    def sh(self, *command: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        return self.do("sh", *command, status=status)

    def run(self, *command: str, status: int = 0) -> str:
        """Standard output of a program found on the path that `local env` prints."""
        return self.do(*command, status=status).stdout

    def aws(self, *command: str) -> Any:
        text = self.run("aws", *command, "--output", "json")
        return json.loads(text) if text.strip() else None

    def use_local_environment(self) -> None:
        """The effect of `eval "$(.venv/bin/python -m aws_vpc local env)"` on this shell."""
        printed = self.sh("-c", 'eval "$(.venv/bin/python -m aws_vpc local env)"; env -0').stdout
        self.environment = dict(pair.split("=", 1) for pair in printed.split("\0") if "=" in pair)

    def status(self) -> dict[str, Any]:
        text = self.run(".venv/bin/python", "-m", "aws_vpc", "local", "status", "--json")
        return dict(json.loads(text))


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    person = Newcomer(tmp_path)
    yield person
    subprocess.run(
        [".venv/bin/python", "-m", "aws_vpc", "local", "stop"],
        cwd=PROJECT,
        env=person.environment,
        capture_output=True,
        timeout=300,
    )


def get(address: str) -> tuple[int, str]:
    """Status and text of a page, asked again when it says so (503, Retry-After)."""
    return until(lambda: None if (answer := once(address))[0] == 503 else answer)


def once(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=600) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def cloudformation(newcomer: Newcomer) -> Any:
    """A client, for questions in bulk; each `aws` command takes most of a second to start."""
    settings = newcomer.environment
    return boto3.client(
        "cloudformation",
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        region_name=settings["AWS_DEFAULT_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )


def wait(newcomer: Newcomer, status: str, stack: str) -> None:
    """What `aws cloudformation wait` does, without its 30 seconds between two looks."""
    waiter = cloudformation(newcomer).get_waiter(status)
    waiter.wait(StackName=stack, WaiterConfig={"Delay": 0.2, "MaxAttempts": 1500})


def resources(newcomer: Newcomer, stack: str) -> dict[str, str]:
    """Physical by logical id."""
    listed = cloudformation(newcomer).describe_stack_resources(StackName=stack)["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed}


def children(newcomer: Newcomer) -> dict[str, str]:
    """The ids of the nested stacks, by what stands between Nested and Stack."""
    found = resources(newcomer, ROOT)
    return {name.removeprefix("Nested").removesuffix("Stack"): stack for name, stack in found.items()}


def updates_of(newcomer: Newcomer, stack: str) -> set[str]:
    """Logical ids of what was updated in the nested stack, itself left out."""
    events = cloudformation(newcomer).describe_stack_events(StackName=stack)["StackEvents"]
    updated = [event for event in events if event["ResourceStatus"] == "UPDATE_COMPLETE"]
    return {event["LogicalResourceId"] for event in updated if event["PhysicalResourceId"] != stack}


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
