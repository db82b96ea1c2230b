"""Reachability Analyzer and Network Access Analyzer of the embedded AWS, asked as AWS's are."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from embedded import Embedded, embedded_aws, until

from aws_vpc import cli, discover

PROJECT = Path(__file__).parent.parent
TEMPLATE = """
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Ami: {Type: String}
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Gateway: {Type: AWS::EC2::InternetGateway}
  Attachment:
    Type: AWS::EC2::VPCGatewayAttachment
    Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Gateway}
  Subnet:
    Type: AWS::EC2::Subnet
    Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24, MapPublicIpOnLaunch: true}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Link:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Subnet, RouteTableId: !Ref Table}
  Route:
    Type: AWS::EC2::Route
    DependsOn: Attachment
    Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: the page
      VpcId: !Ref Vpc
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 0.0.0.0/0}]
  Server:
    Type: AWS::EC2::Instance
    Properties: {ImageId: !Ref Ami, SubnetId: !Ref Subnet, SecurityGroupIds: [!Ref Group]}
  Open:
    Type: AWS::EC2::NetworkInsightsPath
    Properties: {Source: !Ref Gateway, Destination: !Ref Server, Protocol: tcp, DestinationPort: 80}
  Shut:
    Type: AWS::EC2::NetworkInsightsPath
    Properties: {Source: !Ref Gateway, Destination: !Ref Server, Protocol: tcp, DestinationPort: 22}
  Analysis:
    Type: AWS::EC2::NetworkInsightsAnalysis
    DependsOn: [Route, Link]
    Properties: {NetworkInsightsPathId: !Ref Open}
Outputs:
  Gateway: {Value: !Ref Gateway}
  Server: {Value: !Ref Server}
  Group: {Value: !Ref Group}
  Open: {Value: !Ref Open}
  Shut: {Value: !Ref Shut}
  Found: {Value: !GetAtt Analysis.NetworkPathFound}
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[Embedded]:
    with embedded_aws() as found:
        yield found


@pytest.fixture(scope="module")
def outputs(aws: Embedded) -> dict[str, str]:
    """The outputs of a stack with a server and what is asked about it."""
    image = aws.client("ec2").describe_images()["Images"][0]["ImageId"]
    client = aws.client("cloudformation")
    client.create_stack(
        StackName="asked",
        TemplateBody=TEMPLATE,
        Parameters=[{"ParameterKey": "Ami", "ParameterValue": image}],
    )

    def done() -> Any:
        stack = client.describe_stacks(StackName="asked")["Stacks"][0]
        assert not stack["StackStatus"].endswith(("FAILED", "ROLLBACK_COMPLETE")), stack
        return stack if stack["StackStatus"] == "CREATE_COMPLETE" else None

    return {it["OutputKey"]: it["OutputValue"] for it in until(done)["Outputs"]}


def analysed(aws: Embedded, path: str, **filters: Any) -> dict[str, Any]:
    """The analysis of a path once it is done."""
    ec2 = aws.client("ec2")
    begun = ec2.start_network_insights_analysis(NetworkInsightsPathId=path, **filters)[
        "NetworkInsightsAnalysis"
    ]
    assert begun["Status"] == "running"
    id = begun["NetworkInsightsAnalysisId"]

    def done() -> Any:
        (found,) = ec2.describe_network_insights_analyses(NetworkInsightsAnalysisIds=[id])[
            "NetworkInsightsAnalyses"
        ]
        return found if found["Status"] != "running" else None

    return dict(until(done))


def test_an_open_path_is_shown_there_and_back(aws: Embedded, outputs: dict[str, str]) -> None:
    assert outputs["Found"] == "true"
    found = analysed(aws, outputs["Open"])
    assert found["Status"] == "succeeded" and found["NetworkPathFound"]
    there, back = found["ForwardPathComponents"], found["ReturnPathComponents"]
    assert (
        there[0]["Component"]["Id"] == outputs["Gateway"]
        and there[-1]["Component"]["Id"] == outputs["Server"]
    )
    assert (
        back[0]["Component"]["Id"] == outputs["Server"] and back[-1]["Component"]["Id"] == outputs["Gateway"]
    )
    rules = [it["SecurityGroupRule"] for it in there if "SecurityGroupRule" in it]
    assert rules == [
        {"Cidr": "0.0.0.0/0", "Direction": "ingress", "PortRange": {"From": 80, "To": 80}, "Protocol": "6"}
    ]
    assert [it["SequenceNumber"] for it in there] == list(range(1, len(there) + 1))


def test_a_shut_path_is_explained_in_the_codes_of_aws(aws: Embedded, outputs: dict[str, str]) -> None:
    found = analysed(aws, outputs["Shut"])
    assert found["Status"] == "succeeded" and not found["NetworkPathFound"]
    (why,) = found["Explanations"]
    assert why["ExplanationCode"] == "ENI_SG_RULES_MISMATCH" and why["Direction"] == "ingress"
    assert [it["Id"] for it in why["SecurityGroups"]] == [outputs["Group"]]


def test_filters_are_kept(aws: Embedded, outputs: dict[str, str]) -> None:
    arn = f"arn:aws:ec2:us-east-1:123456789012:internet-gateway/{outputs['Gateway']}"
    assert analysed(aws, outputs["Open"], FilterInArns=[arn])["NetworkPathFound"]
    shut = analysed(aws, outputs["Open"], FilterOutArns=[arn])
    assert shut["Explanations"][0]["ExplanationCode"] == "COMPONENT_FILTER_RESTRICTION"


def test_the_plain_aws_command_works(aws: Embedded, outputs: dict[str, str]) -> None:
    environment = {**os.environ, **aws.facts.environment(), "AWS_PAGER": ""}

    def ec2(*words: str) -> Any:
        asked = [str(PROJECT / ".venv" / "bin" / "aws"), "ec2", *words, "--output", "json"]
        told = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout)

    words = ["--source", outputs["Gateway"], "--destination", outputs["Server"], "--protocol", "tcp"]
    path = ec2("create-network-insights-path", *words, "--destination-port", "80")["NetworkInsightsPath"]
    id = path["NetworkInsightsPathId"]
    begun = ec2("start-network-insights-analysis", "--network-insights-path-id", id)[
        "NetworkInsightsAnalysis"
    ]
    found = ec2("describe-network-insights-analyses", "--network-insights-path-id", id)[
        "NetworkInsightsAnalyses"
    ]
    assert [it["NetworkPathFound"] for it in found] == [True]
    analysis = begun["NetworkInsightsAnalysisId"]
    ec2("delete-network-insights-analysis", "--network-insights-analysis-id", analysis)
    assert ec2("delete-network-insights-path", "--network-insights-path-id", id) == {
        "NetworkInsightsPathId": id
    }


def test_an_access_scope_finds_what_is_open_and_not_what_is_excluded(
    aws: Embedded, outputs: dict[str, str]
) -> None:
    ec2 = aws.client("ec2")
    match = {
        "Source": {"ResourceStatement": {"ResourceTypes": ["AWS::EC2::InternetGateway"]}},
        "Destination": {"ResourceStatement": {"Resources": [outputs["Server"]]}},
    }
    excluded = {"Source": {"PacketHeaderStatement": {"DestinationPorts": ["80"]}}}
    for exclude, wanted in (([], "true"), ([excluded], "false")):
        made = ec2.create_network_insights_access_scope(
            MatchPaths=[match], ExcludePaths=exclude, ClientToken="a"
        )
        scope = made["NetworkInsightsAccessScope"]["NetworkInsightsAccessScopeId"]
        begun = ec2.start_network_insights_access_scope_analysis(
            NetworkInsightsAccessScopeId=scope, ClientToken="a"
        )["NetworkInsightsAccessScopeAnalysis"]
        id = begun["NetworkInsightsAccessScopeAnalysisId"]
        (found,) = ec2.describe_network_insights_access_scope_analyses(
            NetworkInsightsAccessScopeAnalysisIds=[id]
        )["NetworkInsightsAccessScopeAnalyses"]
        assert (found["Status"], found["FindingsFound"]) == ("succeeded", wanted)
        findings = ec2.get_network_insights_access_scope_analysis_findings(
            NetworkInsightsAccessScopeAnalysisId=id
        )["AnalysisFindings"]
        ends = {it["FindingComponents"][-1]["Component"]["Id"] for it in findings}
        assert ends == ({outputs["Server"]} if wanted == "true" else set())
        ec2.delete_network_insights_access_scope_analysis(NetworkInsightsAccessScopeAnalysisId=id)
        ec2.delete_network_insights_access_scope(NetworkInsightsAccessScopeId=scope)


@pytest.mark.parametrize(
    ("operation", "key", "code"),
    [
        ("start_network_insights_analysis", "NetworkInsightsPathId", "InvalidNetworkInsightsPathId.NotFound"),
        (
            "delete_network_insights_analysis",
            "NetworkInsightsAnalysisId",
            "InvalidNetworkInsightsAnalysisId.NotFound",
        ),
        (
            "get_network_insights_access_scope_content",
            "NetworkInsightsAccessScopeId",
            "InvalidNetworkInsightsAccessScopeId.NotFound",
        ),
    ],
)
def test_what_is_not_there_is_named_as_aws_names_it(
    aws: Embedded, operation: str, key: str, code: str
) -> None:
    client = aws.client("ec2")
    more = {"ClientToken": "a"} if operation.startswith("start") else {}
    with pytest.raises(client.exceptions.ClientError) as refused:
        getattr(client, operation)(**{key: "nip-0"}, **more)
    assert refused.value.response["Error"]["Code"] == code


@pytest.fixture
def account(aws: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded AWS as the account that the environment leads to."""
    for name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_VPC_TEST_ALL"]:
        monkeypatch.delenv(name)
    for name, value in aws.facts.environment().items():
        monkeypatch.setenv(name, value)


def test_an_account_and_its_snapshot_answer_alike(
    account: None, outputs: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["snapshot", "save", str(tmp_path)]) == 0
    capsys.readouterr()
    told = []
    for source in (["--live"], ["--snapshot", str(tmp_path)]):
        assert cli.main(["reach", "Gateway", "Server", "--port", "80", "--json", *source]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]
    assert told[0]["ForwardPathComponents"][-1]["Component"]["Id"] == outputs["Server"]
    assert cli.main(["reach", "Gateway", outputs["Server"], "--port", "22", "--live"]) == 3
    assert outputs["Group"] in capsys.readouterr().out


def test_every_describe_call_is_asked_for_all_its_pages() -> None:
    session = botocore.session.get_session()
    whole = [
        operation
        for service, operation, _ in discover.CALLS
        if not session.create_client(service, region_name="us-east-1").can_paginate(operation)
    ]
    assert whole == ["describe_vpn_gateways"]  # which has no pages
