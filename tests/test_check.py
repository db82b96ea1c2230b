"""`check` holds the templates against intents.yaml, and names the path when a promise is broken."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aws_vpc import cli
from aws_vpc.commands.console import Console
from aws_vpc.commands.plan_checks import Draft, hold, promises_are_kept
from aws_vpc.errors import Refused, UsageError
from aws_vpc.intents import load

PROJECT = Path(__file__).parent.parent
EVERYBODY = """
  TestIngress:
    Type: AWS::EC2::SecurityGroupIngress
    Properties:
      GroupId: !Ref {group}
      IpProtocol: tcp
      FromPort: {port}
      ToPort: {port}
      CidrIp: 0.0.0.0/0
"""


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    """A copy of the project's templates."""
    return Path(shutil.copytree(PROJECT / "templates", tmp_path / "templates"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new))


def append(path: Path, resources: str) -> None:
    edit(path, "\nResources:\n", f"\nResources:\n{resources}\n")


def broken(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, Any]]:
    """The broken intents by name, after an exit of 3."""
    assert cli.main(["check", "--json", *words]) == 3
    rows = json.loads(capsys.readouterr().out)["intents"]
    return {row["name"]: row for row in rows if row["state"] == "broken"}


def passed(row: dict[str, Any]) -> set[str]:
    """Every component on the paths that break an intent."""
    components = set()
    for path in row["paths"]:
        components |= {it["Component"]["Id"] for it in path.get("ForwardPathComponents", ())}
        components |= {it["Component"]["Id"] for it in path["AwsVpc"]["PartialPathComponents"]}
    return components


def test_the_templates_keep_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check"]) == 0
    told = capsys.readouterr().out
    assert "broken" not in told and "unknown" not in told
    assert told.splitlines()[-1] == "17 holds"


@pytest.mark.parametrize(
    "param",
    [
        "Interconnect=transit-gateway",
        "Interconnect=none",
        "NatGateway=false",
        "NatGateway=per-az",
        "NatGateway=regional",
        "EnableIpv6=true",
        "AvailabilityZones=3",
        "InterfaceEndpoint=false",
        "WebTier=beanstalk",
        "WebTier=both",
        "WebPort=8080",
        "WebIngressCidr=203.0.113.0/24",
    ],
)
def test_the_promises_hold_under_every_switch(param: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--param", param]) == 0, capsys.readouterr().out
    assert "broken" not in capsys.readouterr().out


BALANCED = ["WebTier=beanstalk", "BeanstalkType=LoadBalanced", "WebIngressCidr=203.0.113.0/24"]
DUAL = ["EnableIpv6=true", "WebIngressCidrIpv6=2001:db8:7::/48"]


@pytest.mark.parametrize("more", [[], DUAL], ids=["IPv4", "dual"])
def test_the_promises_hold_behind_a_load_balancer_that_clients_reach(
    more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"--param={one}" for one in (*BALANCED, *more)]
    assert cli.main(["check", *words]) == 0, capsys.readouterr().out
    assert "broken" not in capsys.readouterr().out
    if more:
        reach = ["reach", "2001:db8:7::1", "WebEnvironment", "--port=80", *words]
        assert cli.main(reach) == 0, capsys.readouterr().out
        assert cli.main([*reach[:1], "2001:db8:8::1", *reach[2:]]) == 3


def test_a_port_open_to_everybody_in_ipv6_breaks_the_first_promise(
    templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    way = EVERYBODY.format(group="WebServerSecurityGroup", port=5000).replace(
        "CidrIp: 0.0.0.0/0", "CidrIpv6: ::/0"
    )
    append(templates / "vpc.yaml", way)
    assert cli.main(["check", "--templates", str(templates)]) == 0  # nothing has an address of it
    capsys.readouterr()
    found = broken(capsys, "--templates", str(templates), "--param", "EnableIpv6=true")
    row = found["nothing but the web port of the web server is open to the internet"]
    assert {"NestedVPCStack/InternetGateway", "NestedEC2Stack/WebServer"} <= passed(row)


def test_the_promises_hold_with_a_serverless_warehouse(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--param", "Warehouse=serverless", "--param", "AvailabilityZones=3"]
    assert cli.main(["check", *words]) == 0, capsys.readouterr().out
    assert "not asked" not in capsys.readouterr().out


def test_a_port_open_to_everybody_breaks_the_first_promise(
    templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    append(templates / "vpc.yaml", EVERYBODY.format(group="WebServerSecurityGroup", port=5000))
    found = broken(capsys, "--templates", str(templates))
    row = found["nothing but the web port of the web server is open to the internet"]
    assert {"NestedVPCStack/InternetGateway", "NestedEC2Stack/WebServer"} <= passed(row)


def test_a_database_in_public_subnets_that_admits_everybody_breaks_the_second(
    templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    append(templates / "vpc.yaml", EVERYBODY.format(group="DatabaseSecurityGroup", port=5432))
    found = broken(capsys, "--templates", str(templates))
    row = found["the database takes connections from the web server and the loader only"]
    assert "NestedRDSStack/Database" in passed(row)


def test_a_way_out_of_the_warehouse_breaks_the_third(
    templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    way = """
  TestGateway: {Type: 'AWS::EC2::InternetGateway'}

  TestAttachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref WarehouseVpc, InternetGatewayId: !Ref TestGateway}

  TestRoute:
    Type: AWS::EC2::Route
    Properties:
      RouteTableId: !Ref WarehouseRouteTable
      DestinationCidrBlock: 0.0.0.0/0
      GatewayId: !Ref TestGateway
"""
    edit(templates / "redshift.yaml", "PubliclyAccessible: false", "PubliclyAccessible: true")
    append(templates / "vpc.yaml", way)
    found = broken(capsys, "--templates", str(templates))
    row = found["the warehouse has no way out to the internet"]
    assert {"NestedRedshiftStack/Warehouse", "NestedVPCStack/TestGateway"} <= passed(row)


def test_a_missing_rule_breaks_the_fourth(templates: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(
        templates / "network-acls.yaml",
        "        From: 5439\n        To: 5439",
        "        From: 5438\n        To: 5438",
    )
    found = broken(capsys, "--templates", str(templates))
    row = found["the web server reaches the warehouse"]
    assert "NestedEC2Stack/WebServer" in passed(row)
    assert row["paths"][0]["Explanations"][0]["ExplanationCode"] == "SUBNET_ACL_RESTRICTION"


def test_credentials_that_cross_the_internet_gateway_break_the_fifth(
    templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "secretsmanager\n      PrivateDnsEnabled: "
    edit(templates / "endpoints.yaml", f"{name}true", f"{name}false")
    found = broken(capsys, "--templates", str(templates))
    row = found["Secrets Manager is reached by the interface endpoint, and not by the internet gateway"]
    assert "NestedVPCStack/InternetGateway" in passed(row)


def test_dns_host_names_turned_off_break_the_fifth_too(
    templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(templates / "vpc.yaml", "EnableDnsHostnames: true", "EnableDnsHostnames: false")
    found = broken(capsys, "--templates", str(templates))
    assert "Secrets Manager is reached by the interface endpoint, and not by the internet gateway" in found


def test_a_removed_gateway_endpoint_is_told_with_the_way_around_it(
    templates: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = ".s3\n      RouteTableIds: !Split [',', !"
    both, private = "Sub '${PublicRouteTable},${PrivateRouteTables}'", "Ref PrivateRouteTables"
    edit(templates / "endpoints.yaml", tables + both, tables + private)
    found = broken(capsys, "--templates", str(templates))
    assert "NestedVPCStack/InternetGateway" in passed(
        found["S3 is reached by the gateway endpoint of the application VPC"]
    )


SCOPE = {
    "MatchPaths": [
        {
            "Source": {
                "ResourceStatement": {"ResourceTypes": ["AWS::EC2::InternetGateway"]},
                "PacketHeaderStatement": {"Protocols": ["tcp"], "DestinationPorts": ["1-65535"]},
            },
            "Destination": {"ResourceStatement": {"Resources": ["Database", "WebServer"]}},
        }
    ]
}


def test_an_access_scope_is_taken_unchanged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "scope.json"
    file.write_text(json.dumps(SCOPE))
    assert cli.main(["check", str(file)]) == 0  # the default admits nobody
    capsys.readouterr()
    found = broken(capsys, str(file), "--param", "WebIngressCidr=203.0.113.0/24")
    (row,) = found.values()
    assert "NestedEC2Stack/WebServer" in passed(row)


def test_an_exclude_path_takes_a_finding_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = {"PacketHeaderStatement": {"DestinationPorts": ["80"]}}
    file = tmp_path / "scope.json"
    file.write_text(json.dumps({**SCOPE, "ExcludePaths": [{"Source": port}]}))
    assert cli.main(["check", str(file), "--param", "WebIngressCidr=203.0.113.0/24"]) == 0
    assert "1 holds" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("intents: [", "line 2"),
        ("[]", "no list `intents`"),
        ("intents: [{name: a, allow: {from: x}}]", "needs `from` and `to`"),
        ("intents: [{name: a, allow: {from: x, to: y, port: web}}]", "port 'web'"),
        ("intents: [{name: a, allow: {from: x, to: y, port: '${No}'}}]", "parameter No"),
        ("intents: [{name: a, forbid: {from: x, to: y}}]", "forbid"),
        ("intents: [{name: a, through: {from: x, to: y}}]", "needs the member `through`"),
    ],
)
def test_a_wrong_file_is_named_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as told:
        load(text, "wrong.yaml")
    assert "wrong.yaml" in str(told.value) and reason in str(told.value)


def test_a_name_that_is_not_there_lists_what_is_like_it(tmp_path: Path) -> None:
    file = tmp_path / "intents.yaml"
    file.write_text("intents: [{name: a, allow: {from: WebSever, to: Database, port: 5432}}]")
    asked = [sys.executable, "-m", "aws_vpc", "check", str(file)]
    told = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert told.returncode == 2 and "WebServer" in told.stderr and told.stdout == ""


def drafted(root: Path, **parameters: str) -> Draft:
    """A draft of a create from the templates of a folder, as the plan step makes it."""
    session = SimpleNamespace(root=root, aws=SimpleNamespace(region="us-west-2"), console=Console(quiet=True))
    package = SimpleNamespace(artifacts=[])
    return Draft(session, SimpleNamespace(package=package), parameters, changed=True)  # type: ignore[arg-type]


def test_a_plan_that_breaks_a_promise_is_refused_before_anything_is_made(templates: Path) -> None:
    shutil.copy(PROJECT / "intents.yaml", templates.parent)
    assert promises_are_kept(drafted(templates.parent)) == []
    append(templates / "vpc.yaml", EVERYBODY.format(group="WebServerSecurityGroup", port=5000))
    (finding,) = [one for one in promises_are_kept(drafted(templates.parent)) if one.severity == "ERROR"]
    assert "nothing but the web port" in finding.message and "NestedEC2Stack/WebServer" in finding.message
    with pytest.raises(Refused, match="nothing has been changed"):
        hold(drafted(templates.parent))


FAR = [
    "--param=PeerVpcId=vpc-0123456789abcdef0",
    "--param=PeerVpcCidr=10.9.0.0/16",
    "--param=WarehouseSubnets=subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "--param=PeerRouteTableIds=rtb-0123456789abcdef0",
]


def test_what_stands_in_a_network_of_others_is_unknown_and_never_guessed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["check", *FAR]) == 1
    told = capsys.readouterr().out
    assert "broken" not in told and "unknown   the warehouse is unreachable from the internet" in told
    assert cli.main(["reach", "WebServer", "Warehouse", "--port", "5439", *FAR]) == 1
    assert "stands in a network that is not known here" in capsys.readouterr().out


def test_a_plan_in_a_network_that_stands_already_is_not_asked(templates: Path) -> None:
    shutil.copy(PROJECT / "intents.yaml", templates.parent)
    given = {"Vpc": "vpc-1", "PublicSubnets": "subnet-1", "PrivateSubnets": "subnet-2"}
    assert [
        it for it in promises_are_kept(drafted(templates.parent, **given)) if it.severity == "ERROR"
    ] == []


def test_the_example_of_the_guide_is_held_and_breaks_where_it_should(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (PROJECT / "docs" / "reachability.rst").read_text()
    example = guide.partition("   parameters: {WebPort: 80}")
    lines = [example[1], *example[2].partition("\n\nAn intent may")[0].splitlines()]
    file = tmp_path / "example.yaml"
    file.write_text("\n".join(line[3:] for line in lines))
    office = "WebIngressCidr=203.0.113.0/24"
    assert cli.main(["check", str(file), "--param", office]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "2 holds"
    found = broken(capsys, str(file), "--param", "WebIngressCidr=0.0.0.0/0")
    assert list(found) == ["the page is for the office"]


def test_an_exception_covers_its_own_addresses_and_no_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "half.yaml"
    file.write_text("intents: [{name: half, only: {from: 203.0.112.0/24, to: WebServer, port: 80}}]")
    assert cli.main(["check", str(file), "--param", "WebIngressCidr=203.0.112.0/24"]) == 0
    capsys.readouterr()
    (row,) = broken(capsys, str(file), "--param", "WebIngressCidr=203.0.112.0/23").values()
    (path, *_) = row["paths"]
    assert path["ForwardPathComponents"][0]["OutboundHeader"]["SourceAddresses"] == ["203.0.113.0/32"]


def test_a_scope_tells_apart_the_addresses_that_it_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {"PacketHeaderStatement": {"SourceAddresses": ["203.0.112.0/24"]}}
    file = tmp_path / "scope.json"
    file.write_text(json.dumps({**SCOPE, "ExcludePaths": [{"Source": known}]}))
    assert cli.main(["check", str(file), "--param", "WebIngressCidr=203.0.112.0/24"]) == 0
    capsys.readouterr()
    assert broken(capsys, str(file), "--param", "WebIngressCidr=203.0.112.0/23")
