"""Combinations of the switches: each deploys, becomes another, and is torn down to what was announced.

The quick setting takes a handful of the pairwise combinations, AWS_VPC_TEST_ALL=1 all of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from combinations_bench import FAR, PROJECT, chosen, words
from pairwise import Case
from same_network import differences

from aws_vpc import aws, cli, discover, release
from aws_vpc.commands.request import free_port
from aws_vpc.local import control


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


@pytest.fixture(scope="module")
def networks(folder: Path) -> dict[str, list[str]]:
    """What a create is told of each kind of network; those that have to be there are made."""
    ec2, cfn = client("ec2"), client("cloudformation")
    given = {"TemplateBody": (PROJECT / "templates" / "vpc.yaml").read_text()}
    zones = [{"ParameterKey": "AvailabilityZones", "ParameterValue": "3"}]
    cfn.create_stack(StackName="net", Parameters=zones, **given)
    far = ec2.create_vpc(CidrBlock=FAR["PeerVpcCidr"])["Vpc"]["VpcId"]
    table = ec2.create_route_table(VpcId=far)["RouteTable"]["RouteTableId"]
    names = [one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"][:3]]
    subnets = [
        ec2.create_subnet(VpcId=far, CidrBlock=f"10.9.{at}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for at, zone in enumerate(names)
    ]
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    there = FAR | {"PeerVpcId": far, "PeerRouteTableIds": table, "WarehouseSubnets": ",".join(subnets)}
    cfn.get_waiter("stack_create_complete").wait(StackName="net", WaiterConfig={"Delay": 1})
    return {
        "made": [],
        "far": [f"--param={name}={value}" for name, value in there.items()],
        "stands": ["--network-stack=net"],
    }


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of the case's own, so that a case that fails is in nobody's way."""
    return f"combined-{hashlib.sha1(request.node.name.encode()).hexdigest()[:6]}"


@pytest.fixture
def run(name: str, networks: dict[str, list[str]], capfd: pytest.CaptureFixture[str]) -> Iterator[Any]:
    def run(command: str, case: Case | None = None, *more: str) -> dict[str, Any]:
        """The JSON answer of a command for a combination."""
        switches = dict(case or {})
        kind = switches.pop("Network", "made")
        given = [f"--param={name}={value}" for name, value in switches.items()]
        given += networks[kind] if command == "create" else []
        capfd.readouterr()
        yes = [] if command == "status" else ["--yes"]
        status = cli.main([command, "--stack-name", name, "--json", *yes, *given, *more])
        told = capfd.readouterr()
        assert status == 0, f"{command} {words(case or {})}\n{told.err[-3000:]}"
        return dict(json.loads(told.out))

    yield run
    if any(one["StackName"] == name for one in client("cloudformation").describe_stacks()["Stacks"]):
        cli.main(["teardown", "--stack-name", name, "--yes", "--purge-data"])  # the case has failed


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
        "workgroups": {
            one["workgroupName"] for one in client("redshift-serverless").list_workgroups()["workgroups"]
        },
        "balancers": {
            one["LoadBalancerName"] for one in client("elbv2").describe_load_balancers()["LoadBalancers"]
        },
        "environments": {
            one["EnvironmentName"]
            for one in client("elasticbeanstalk").describe_environments()["Environments"]
            if one["Status"] != "Terminated"
        },
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


def settled(case: Case, outputs: dict[str, str]) -> bool:
    """Whether the default groups of the VPCs that the stack has made are without rules."""
    made = {"made": ("Vpc", "WarehouseVpc"), "far": ("Vpc",), "stands": ()}[case["Network"]]
    if not made:
        return True
    wanted = [outputs[key] for key in made]
    groups = client("ec2").describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": wanted}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    return bool(groups) and not any(one["IpPermissions"] or one["IpPermissionsEgress"] for one in groups)


@pytest.mark.parametrize(("first", "second"), chosen(), ids=lambda case: words(case))
def test_a_combination_deploys_becomes_another_and_goes_without_a_trace(
    first: Case, second: Case, run: Any, name: str
) -> None:
    before = standing()
    made = run("create", first, "--param=WebIngressCidr=127.0.0.1/32", f"--param=WebPort={free_port()}")
    assert made["action"] == "created" and settled(first, made["outputs"])
    assert {one["rows"] if "rows" in one else one["table_rows"] for one in made["rows"].values()} == {50}
    assert network_differences(first, name) == []
    changed = run("update", second)
    assert changed["status"] == "UPDATE_COMPLETE" and settled(second, changed["outputs"])
    assert network_differences(second, name) == []
    left = run("status").get("left_behind")
    assert left is None, left
    kept = [*(note for note in changed.get("notes", ()) if "kept" in note), *run("teardown")["kept"]]
    gone_without_a_trace(before, kept)


def network_differences(case: Case, name: str) -> list[str]:
    """How the network that the templates plan and the one that EC2 describes differ, where it is all made."""
    if case["Network"] != "made":
        return []
    stack = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    told = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    given = {key: value for key, value in told.items() if value != "****"}
    account = aws.connect()
    planned = discover.from_templates(PROJECT / "templates", given, account.region)
    return differences(planned, discover.from_live(account), name)


def gone_without_a_trace(before: dict[str, set[str]], kept: list[str]) -> None:
    """Raises when something stands that was not there before, and that no command has announced."""
    after = standing()
    new = {kind: after[kind] - before[kind] for kind in after}
    announced = " ".join(kept)
    assert new.pop("buckets") <= {one for one in after["buckets"] if one in announced or "artifacts" in one}
    assert new.pop("snapshots") <= {one for one in after["snapshots"] if one in announced}
    assert not any(new.values()), new


def test_a_far_side_abroad_leaves_the_pages_without_a_warehouse(run: Any) -> None:
    abroad = boto3.Session().client("ec2", region_name="eu-west-1")
    far = abroad.create_vpc(CidrBlock=FAR["PeerVpcCidr"])["Vpc"]["VpcId"]
    there = {"PeerVpcId": far, "PeerVpcCidr": FAR["PeerVpcCidr"], "PeerRegion": "eu-west-1"}
    before = standing()
    made = run("create", there, "--param=WebIngressCidr=127.0.0.1/32", f"--param=WebPort={free_port()}")
    assert made["action"] == "created" and list(made["rows"]) == ["rds"]
    assert any("create-route" in line for line in made["far_side"])
    assert standing()["warehouses"] == before["warehouses"]
    page = release.settled_page(made["web"])
    assert page and {name: one["rows"] for name, one in page["databases"].items()} == {"rds": 50}
    with urllib.request.urlopen(made["web"], timeout=300) as answer:
        assert b"The warehouse is elsewhere" in answer.read()
    gone_without_a_trace(before, run("teardown")["kept"])
