"""A newcomer to the project: a copy of it, a shell that knows of no account, and what that asks."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
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
