"""Combinations of the switches: each deploys, becomes another, and is torn down to what was announced.

The quick setting takes a handful of the pairwise combinations, AWS_VPC_TEST_ALL=1 all of them.
"""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Iterator
from itertools import combinations, product
from itertools import pairwise as neighbours
from pathlib import Path
from typing import Any

import boto3
import pytest
from pairwise import Case, everything, pairs, pairwise

from aws_vpc import cli
from aws_vpc.local import control
from aws_vpc.template import load
from aws_vpc.validate_parameters import preflight

PROJECT = Path(__file__).parent.parent
SWITCHES = {
    "AvailabilityZones": ("2", "3"),
    "Interconnect": ("peering", "transit-gateway", "none"),
    "NatGateway": ("false", "single", "per-az", "regional"),
    "InterfaceEndpoint": ("true", "false"),
    "ExtraInterfaceEndpoints": ("", "kms,sts"),
    "FlowLogTraffic": ("REJECT", "NONE"),
    "ElasticIp": ("false", "true"),
    "Size": ("dev", "prod"),
    "WebTier": ("ec2", "beanstalk", "both"),
}
ROOT = load((PROJECT / "templates" / "nested-stack.yaml").read_text())
FACTORS = {name: values for name, values in SWITCHES.items() if name in ROOT.parameters}
QUICK = 2


def sensible(case: Case) -> bool:
    """Whether the check that every create begins with lets a combination pass."""
    given = {"TemplateBaseUrl": "https://s3.example/templates", "ArtifactBucket": "bundles", **case}
    found = preflight(ROOT.parameters, given)
    return not [one for one in found if one.severity == "ERROR"]


def chosen() -> list[tuple[Case, Case]]:
    """The combinations that are deployed, each with the one that it becomes."""
    cases = pairwise(FACTORS, sensible)
    steps = [*neighbours(cases), (cases[-1], cases[0])]
    return steps if os.environ.get("AWS_VPC_TEST_ALL") else steps[:QUICK]


def words(case: Case) -> str:
    return " ".join(f"{name}={value}" for name, value in case.items())


@pytest.mark.parametrize("seed", range(25))
def test_pairwise_combinations_hold_every_pair_that_is_possible(seed: int) -> None:
    dice = random.Random(seed)
    factors = {
        f"Switch{number}": [str(value) for value in range(dice.randint(1, 4))]
        for number in range(dice.randint(2, 5))
    }
    forbidden = set(dice.sample(sorted(every_pair(factors)), k=min(2, len(every_pair(factors)) - 1)))

    def allowed(case: Case) -> bool:
        return not pairs(case) & forbidden

    cases = pairwise(factors, allowed)
    possible = set().union(*(pairs(case) for case in everything(factors, allowed)))
    assert set().union(*map(pairs, cases)) == possible
    assert all(allowed(case) for case in cases)
    assert len(cases) <= sum(1 for _ in everything(factors, allowed))


def every_pair(factors: dict[str, list[str]]) -> set[Any]:
    settings = {name: [(name, value) for value in values] for name, values in factors.items()}
    both = combinations(sorted(settings), 2)
    return {pair for one, other in both for pair in product(settings[one], settings[other])}


def test_pairwise_combinations_are_few() -> None:
    assert len(pairwise(FACTORS, sensible)) <= 16


def client(service: str) -> Any:
    """A client by the environment as it is now; boto3's own session keeps an earlier module's credentials."""
    return boto3.Session().client(service)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An embedded AWS of this module's own, reached through the environment as an account is."""
    where = tmp_path_factory.mktemp("combinations") / "local"
    before = dict(os.environ)
    facts = control.start(where)
    os.environ.update(facts.environment(), AWS_VPC_LOCAL_DIR=str(where))
    yield where
    control.stop(where)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def run(folder: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    def run(command: str, case: Case | None = None, *more: str) -> dict[str, Any]:
        """The JSON answer of a command for a combination."""
        given = [f"--param={name}={value}" for name, value in (case or {}).items()]
        capfd.readouterr()
        yes = [] if command == "status" else ["--yes"]
        status = cli.main([command, "--stack-name", "combined", "--json", *yes, *given, *more])
        told = capfd.readouterr()
        assert status == 0, f"{command} {words(case or {})}\n{told.err[-3000:]}"
        return dict(json.loads(told.out))

    return run


def standing() -> dict[str, set[str]]:
    """Everything that costs or stays, by kind."""
    ec2, rds, redshift = client("ec2"), client("rds"), client("redshift")
    alive = [{"Name": "state", "Values": ["available", "pending"]}]
    return {
        "stacks": {one["StackName"] for one in client("cloudformation").describe_stacks()["Stacks"]},
        "vpcs": {one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]},
        "nat gateways": {
            one["NatGatewayId"] for one in ec2.describe_nat_gateways(Filter=alive)["NatGateways"]
        },
        "addresses": {one["AllocationId"] for one in ec2.describe_addresses()["Addresses"]},
        "endpoints": {
            one["VpcEndpointId"]
            for one in ec2.describe_vpc_endpoints()["VpcEndpoints"]
            if one["State"] != "deleted"
        },
        "transit gateways": {
            one["TransitGatewayId"]
            for one in ec2.describe_transit_gateways()["TransitGateways"]
            if one["State"] != "deleted"
        },
        "interfaces": {
            one["NetworkInterfaceId"] for one in ec2.describe_network_interfaces()["NetworkInterfaces"]
        },
        "volumes": {one["VolumeId"] for one in ec2.describe_volumes()["Volumes"]},
        "instances": {
            instance["InstanceId"]
            for one in ec2.describe_instances()["Reservations"]
            for instance in one["Instances"]
            if instance["State"]["Name"] != "terminated"
        },
        "paths": {
            one["NetworkInsightsPathId"]
            for one in ec2.describe_network_insights_paths()["NetworkInsightsPaths"]
        },
        "databases": {one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]},
        "warehouses": {one["ClusterIdentifier"] for one in redshift.describe_clusters()["Clusters"]},
        "secrets": {one["Name"] for one in client("secretsmanager").list_secrets()["SecretList"]},
        "logs": {one["logGroupName"] for one in client("logs").describe_log_groups()["logGroups"]},
        "topics": {one["TopicArn"] for one in client("sns").list_topics()["Topics"]},
        "alarms": {one["AlarmName"] for one in client("cloudwatch").describe_alarms()["MetricAlarms"]},
        "queues": set(client("sqs").list_queues().get("QueueUrls", ())),
        "snapshots": {
            *(one["DBSnapshotIdentifier"] for one in rds.describe_db_snapshots()["DBSnapshots"]),
            *(one["SnapshotIdentifier"] for one in redshift.describe_cluster_snapshots()["Snapshots"]),
        },
        "buckets": {one["Name"] for one in client("s3").list_buckets()["Buckets"]},
    }


def settled(outputs: dict[str, str]) -> bool:
    """Whether the default groups of both VPCs are without rules."""
    wanted = [outputs[key] for key in ("Vpc", "WarehouseVpc") if outputs.get(key)]
    groups = client("ec2").describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": wanted}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    return bool(groups) and not any(one["IpPermissions"] or one["IpPermissionsEgress"] for one in groups)


@pytest.mark.parametrize(("first", "second"), chosen(), ids=lambda case: words(case))
def test_a_combination_deploys_becomes_another_and_goes_without_a_trace(
    first: Case, second: Case, run: Any
) -> None:
    before = standing()
    made = run("create", first, "--param=WebIngressCidr=127.0.0.1/32", f"--param=WebPort={free_port()}")
    assert made["action"] == "created" and settled(made["outputs"])
    assert {one["rows"] if "rows" in one else one["table_rows"] for one in made["rows"].values()} == {50}
    changed = run("update", second)
    assert changed["status"] == "UPDATE_COMPLETE" and settled(changed["outputs"])
    assert "left_behind" not in run("status")
    kept = [*(note for note in changed.get("notes", ()) if "kept" in note), *run("teardown")["kept"]]
    after = standing()
    new = {kind: after[kind] - before[kind] for kind in after}
    announced = " ".join(kept)
    assert new.pop("buckets") <= {one for one in after["buckets"] if one in announced or "artifacts" in one}
    assert new.pop("snapshots") <= {one for one in after["snapshots"] if one in announced}
    assert not any(new.values()), new


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
