"""The reach command, its names and its sources: templates and snapshots; nothing here needs an AWS."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from same_network import differences

from aws_vpc import cli, discover
from aws_vpc.errors import Error, UsageError
from aws_vpc.network import Network
from aws_vpc.network_answers import NO_ACLS
from aws_vpc.network_names import find
from aws_vpc.network_template_answers import answers_of
from aws_vpc.network_values import INTERNET
from aws_vpc.reach_json import OWN

PROJECT = Path(__file__).parent.parent
REGION = "us-west-2"
CLIENTS = "WebIngressCidr=203.0.113.0/24"


def reach(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit status and stdout of the command."""
    status = cli.main(["reach", *words])
    return status, capsys.readouterr().out


@cache
def network() -> Network:
    return discover.from_templates(PROJECT / "templates", {}, REGION)


@cache
def answers() -> dict[str, list[dict[str, Any]]]:
    files = {it.name: it.read_text() for it in (PROJECT / "templates").glob("*.yaml")}
    return answers_of(files, "nested-stack.yaml", {}, REGION)


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (
            ["WebServer", "Database", "--port", "5432"],
            0,
            "rule: tcp 5432 from NestedVPCStack/WebServerSecurityGroup",
        ),
        (["WebServer", "Database", "--port", "22"], 3, "ENI_SG_RULES_MISMATCH"),
        (
            ["WebServer", "Warehouse", "--port", "5439"],
            0,
            "peering connection  NestedVPCStack/PeeringConnection",
        ),
        (["LoaderComputeEnvironment", "internet", "--port", "443"], 0, "NestedNatGatewayStack/NatGatewayA"),
        (["LoaderComputeEnvironment", "internet", "--port", "443", "--avoid", "NatGatewayA"], 3, "around"),
        (
            ["WebServer", "internet", "--port", "443", "--through", "NatGatewayA"],
            3,
            "COMPONENT_FILTER_RESTRICTION",
        ),
        (["internet", "WebServer", "--port", "80"], 3, "SUBNET_ACL_RESTRICTION"),
        (["internet", "WebServer", "--param", CLIENTS], 0, "by tcp port 80"),
        (["203.0.113.7", "WebServer", "--port", "80", "--param", CLIENTS], 0, "answers reach all"),
        (
            ["internet", "WebServer", "--port", "80", "--source-ip", "192.0.2.1", "--param", CLIENTS],
            3,
            "192.0.2.1",
        ),
        (["WebServer", "10.0.4.0/24", "--port", "5432"], 0, "NestedRDSStack/Database"),
        (["WebServer", "Database", "--port", "5432", "--source-port", "1024-2000"], 3, "tcp 1024-2000"),
        (["WebServer", "Database", "--protocol", "icmp"], 3, "add an outbound rule"),
        (["WebServer", "Database", "--protocol", "all"], 0, "by tcp port 5432"),
        (["Warehouse", "s3", "--port", "443"], 0, "NestedEndpointsStack/WarehouseS3GatewayEndpoint"),
        (
            ["WebServer", "secretsmanager.us-west-2.amazonaws.com", "--port", "443"],
            0,
            "SecretsManagerEndpoint",
        ),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else "",
)
def test_a_question_is_answered(
    words: list[str], status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, text = reach(capsys, *words)
    assert found == status, text
    assert told in text, text


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["WebServer"], "DESTINATION"),
        (["Databas", "WebServer"], "NestedRDSStack/Database"),
        (["WebServer", "Nothing-like-it"], "there are"),
        (["WebServer", "Database", "--port", "http"], "port 'http'"),
        (["WebServer", "Database", "--port", "9-1"], "port '9-1'"),
        (["WebServer", "Database", "--protocol", "sctp!"], "protocol 'sctp!'"),
        (["WebServer", "Database", "--source-ip", "here"], "'here' is no address"),
        (["WebServer", "Database", "--param", "WebPort"], "NAME=VALUE"),
        (["WebServer", "Database", "--templates", "/nowhere"], "is no template"),
        (["WebServer", "Database", "--snapshot", "/nowhere"], "is no snapshot"),
        (["WebServer", "Database", "--live", "--snapshot", "x"], "not allowed with"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else "",
)
def test_wrong_use_is_one_line_with_the_reason(
    words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["reach", *words]) == 2
    told = capsys.readouterr()
    assert told.out == "" and len(told.err.splitlines()) == 1 and reason in told.err


def test_a_parameter_that_the_template_refuses_is_told_in_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["reach", "WebServer", "Database", "--param", "WebPort=0"]) == 2
    assert "must be a TCP port between 1 and 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        "Database",
        "NestedRDSStack/Database",
        "planned/NestedRDSStack/Database",
        "arn:aws:rds:us-west-2:123456789012:db:NestedRDSStack/Database",
    ],
)
def test_a_database_goes_by_its_logical_id_its_path_and_its_arn(name: str) -> None:
    if name.startswith("planned"):
        with pytest.raises(UsageError):
            find(network(), name)
        return
    known = network() if not name.startswith("arn") else with_arn("NestedRDSStack/Database", name)
    found = find(known, name)
    assert found.component == "NestedRDSStack/Database"
    assert [network().interfaces[it].subnet for it in found.interfaces] == [
        "NestedVPCStack/DataSubnetA",
        "NestedVPCStack/DataSubnetB",
    ]


def with_arn(component: str, arn: str) -> Network:
    from dataclasses import replace

    labels = {**network().labels, component: replace(network().label(component), arn=arn)}
    return replace(network(), labels=labels)


def test_names_of_everything_that_a_way_can_end_at() -> None:
    ends = {
        "WebServer": 1, "planned-public-a": 2, "PublicSubnetA": 2, "WebServerSecurityGroup": 1, "Vpc": 8,
        "PeeringConnection": 0, "InternetGateway": 0, "NatGatewayA": 0, "SecretsManagerEndpoint": 2,
        "S3GatewayEndpoint": 0,
    }  # fmt: skip
    counted = {name: len(find(network(), name).interfaces) for name in ends}
    assert counted == ends
    assert find(network(), "internet").component == INTERNET
    assert str(find(network(), "10.0.0.5").block) == "10.0.0.5/32"


def test_an_ambiguous_name_lists_the_candidates() -> None:
    with pytest.raises(UsageError) as told:
        find(with_names("twins", "NestedRDSStack/Database", "NestedEC2Stack/WebServer"), "twins")
    assert "NestedRDSStack/Database (service" in str(told.value)
    assert "NestedEC2Stack/WebServer (instance" in str(told.value)


def with_names(name: str, *components: str) -> Network:
    from dataclasses import replace

    labels = {it: replace(network().label(it), name=name) for it in components}
    return replace(network(), labels={**network().labels, **labels})


def strange(value: Any, shape: Any, path: str = "") -> list[str]:
    """The members that AWS's shape does not have, or has as another kind."""
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            return [path]
        return [
            it
            for key, child in value.items()
            for it in (
                strange(child, shape.members[key], f"{path}.{key}")
                if key in shape.members
                else [f"{path}.{key}"]
            )
        ]
    if shape.type_name == "list":
        return [it for child in value for it in strange(child, shape.member, f"{path}[]")]
    kinds = {"string": str, "integer": int, "boolean": bool}
    return [] if isinstance(value, kinds.get(shape.type_name, object)) else [path]


@pytest.mark.parametrize(
    "words",
    [
        ["WebServer", "Database", "--port", "5432"],
        ["WebServer", "Warehouse", "--port", "5439", "--param", "Interconnect=transit-gateway"],
        ["internet", "Database"],
        ["LoaderComputeEnvironment", "internet", "--port", "443"],
    ],
    ids=" ".join,
)
def test_json_is_an_analysis_of_aws_with_one_key_of_our_own(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = reach(capsys, *words, "--json")
    found = json.loads(text)
    own = found.pop(OWN)
    shape = botocore.session.get_session().get_service_model("ec2").shape_for("NetworkInsightsAnalysis")
    assert strange(found, shape) == []
    assert found["NetworkPathFound"] == (own["Verdict"] == "reachable")
    assert found["NetworkPathFound"] != bool(found.get("Explanations"))
    assert all(it["Change"] for it in own["Blockers"] + own["ReturnBlockers"])


LAYOUTS = ("", "aws_configs", f"aws_configs/{REGION}", f"aws_configs/accounts/123456789012/{REGION}")


def saved(folder: Path, layout: str = "") -> Path:
    """A snapshot of the templates' network in one of Batfish's places."""
    discover.save(answers(), folder / "made", REGION)
    place = folder / "snapshot" / layout
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder / "made" / "aws_configs" / REGION, place)
    return folder / "snapshot"


def test_a_snapshot_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file/aws_configs.* cannot be written: Not a directory"):
        discover.save({}, tmp_path / "file", REGION)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_snapshot_is_read_wherever_batfish_puts_it(layout: str, tmp_path: Path) -> None:
    found = discover.from_snapshot(saved(tmp_path, layout))
    assert differences(network(), found, "") == []


def test_missing_files_mean_none_but_for_acls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = saved(tmp_path)
    for name in ("NetworkAcls.json", "DBInstances.json", "VpcAttributes.json"):
        (folder / name).unlink()
    found = discover.from_snapshot(folder)
    assert not found.acls and NO_ACLS in found.warnings
    assert "AWS::RDS::DBInstance" not in {it.kind for it in found.services.values()}
    assert cli.main(["reach", "WebServer", "Warehouse", "--port", "5439", "--snapshot", str(folder)]) == 0
    assert NO_ACLS in capsys.readouterr().err


def test_a_truncated_file_is_named_with_the_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = saved(tmp_path)
    file = folder / "Subnets.json"
    file.write_text(file.read_text()[:300])
    assert cli.main(["reach", "WebServer", "Database", "--snapshot", str(folder)]) == 1
    told = capsys.readouterr()
    assert str(file) in told.err and "line" in told.err and "column" in told.err and told.out == ""


def change(folder: Path, key: str, edit: Any) -> None:
    file = folder / f"{key}.json"
    rows = json.loads(file.read_text())
    edit(rows[key])
    file.write_text(json.dumps(rows))


@pytest.mark.parametrize(
    ("key", "edit", "told"),
    [
        ("Vpcs", lambda rows: rows.pop(), "NestedVPCStack/WarehouseVpc, which is no VPC here"),
        ("InternetGateways", lambda rows: rows.pop(), "sends 0.0.0.0/0 to NestedVPCStack/InternetGateway"),
        ("Subnets", lambda rows: rows.pop(), "NestedVPCStack/WarehouseSubnetB, which is no subnet here"),
        ("Vpcs", lambda rows: rows[1].update(CidrBlock="10.0.0.0/8"), "PeeringConnection joins"),
        ("Subnets", lambda rows: rows[1].update(CidrBlock="10.0.0.0/24"), "of NestedVPCStack/Vpc overlap"),
        (
            "Subnets",
            lambda rows: rows[1].update(CidrBlock="192.168.0.0/24"),
            "which NestedVPCStack/Vpc has not",
        ),
        (
            "NetworkAcls",
            lambda rows: rows[-1]["Entries"].append(rows[-1]["Entries"][0]),
            "inbound entry 100 twice",
        ),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_a_snapshot_that_contradicts_itself_is_told_with_the_ids(
    key: str, edit: Any, told: str, tmp_path: Path
) -> None:
    folder = saved(tmp_path)
    change(folder, key, edit)
    with pytest.raises(Error) as refused:
        discover.from_snapshot(folder)
    assert "contradicts itself" in str(refused.value) and told in str(refused.value)


def test_what_is_deleted_has_left_its_name_to_its_successor(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    old = {"NatGatewayId": "nat-0", "State": "deleted", "NatGatewayAddresses": []}
    change(folder, "NatGateways", lambda rows: rows.append({**rows[0], **old}))
    there = discover.from_snapshot(folder)
    # Its id here is its path, so the name that both have is the tag.
    assert find(there, "planned-nat-a").component == "NestedNatGatewayStack/NatGatewayA"
    assert find(there, "nat-0").component == "nat-0"


def test_a_file_that_is_no_describe_answer_is_named(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    (folder / "RouteTables.json").write_text('{"Tables": []}')
    with pytest.raises(Error, match=r"RouteTables\.json has no list 'RouteTables'"):
        discover.from_snapshot(folder)


def test_what_cannot_be_modelled_is_unknown_and_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = saved(tmp_path)
    (folder / "VpnGateways.json").write_text(json.dumps({"VpnGateways": [{"VpnGatewayId": "vgw-1"}]}))
    route = {"DestinationCidrBlock": "192.168.0.0/16", "GatewayId": "vgw-1", "State": "active"}
    change(folder, "RouteTables", lambda rows: [row["Routes"].append(route) for row in rows])
    words = ["reach", "WebServer", "192.168.0.1", "--port", "443", "--snapshot", str(folder)]
    assert cli.main(words) == 1
    told = capsys.readouterr()
    assert "unknown" in told.out and "virtual private gateway vgw-1" in told.out
