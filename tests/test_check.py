"""The promises hold under every switch, and each change that breaks one is told with the way it opens."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_bench import EVERYBODY, append, broken, edit, passed, templates

from aws_vpc import cli

__all__ = ["templates"]


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
