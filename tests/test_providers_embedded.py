"""Types of EC2 that need more than moto, at a whole embedded AWS: network paths, regional NAT gateways."""

import pytest
from providers_bench import Bench, Case, prove

INTERNET_IN = {
    "Source": {"ResourceStatement": {"ResourceTypes": ["AWS::EC2::InternetGateway"]}},
    "Destination": {"ResourceStatement": {"ResourceTypes": ["AWS::EC2::NetworkInterface"]}},
}


@pytest.fixture
def bench(embedded_bench: Bench) -> Bench:
    return embedded_bench


CASES = [
    Case(
        "AWS::EC2::NetworkInsightsPath",
        lambda b: {"Source": b.gateway, "Destination": b.instance, "Protocol": "tcp", "DestinationPort": 80},
        lambda b, made: b.ec2.describe_network_insights_paths(NetworkInsightsPathIds=[made.ref])[
            "NetworkInsightsPaths"
        ][0],
        lambda b, found: (
            found["SourceArn"].endswith(f"internet-gateway/{b.gateway}")
            and found["DestinationPort"] == 80
            and {"Key": "Owner", "Value": "first"} in found["Tags"]
        ),
        lambda b: {},
        lambda b, found: {"Key": "Owner", "Value": "second"} in found["Tags"],
    ),
    Case(
        "AWS::EC2::NetworkInsightsAnalysis",
        lambda b: {
            "NetworkInsightsPathId": b.make(
                "AWS::EC2::NetworkInsightsPath",
                Source=b.gateway,
                Destination=b.instance,
                Protocol="tcp",
                DestinationPort=80,
            ).ref
        },
        lambda b, made: b.ec2.describe_network_insights_analyses(NetworkInsightsAnalysisIds=[made.ref])[
            "NetworkInsightsAnalyses"
        ][0],
        lambda b, found: found["Status"] == "succeeded" and found["NetworkPathFound"] is False,
        lambda b: {},
        lambda b, found: {"Key": "Owner", "Value": "second"} in found["Tags"],
        lacks="AlternatePathHints ForwardPathComponents ReturnPathComponents StatusMessage "
        "SuggestedAccounts WarningMessage",
    ),
    Case(
        "AWS::EC2::NetworkInsightsAccessScope",
        lambda b: {"MatchPaths": [INTERNET_IN]},
        lambda b, made: b.ec2.get_network_insights_access_scope_content(
            NetworkInsightsAccessScopeId=made.ref
        )["NetworkInsightsAccessScopeContent"],
        lambda b, found: found["MatchPaths"] == [INTERNET_IN],
        lambda b: {},
        lambda b, found: found["MatchPaths"] == [INTERNET_IN],
    ),
    Case(
        "AWS::EC2::NetworkInsightsAccessScopeAnalysis",
        lambda b: {
            "NetworkInsightsAccessScopeId": b.make(
                "AWS::EC2::NetworkInsightsAccessScope", MatchPaths=[INTERNET_IN]
            ).ref
        },
        lambda b, made: b.ec2.describe_network_insights_access_scope_analyses(
            NetworkInsightsAccessScopeAnalysisIds=[made.ref]
        )["NetworkInsightsAccessScopeAnalyses"][0],
        lambda b, found: found["Status"] == "succeeded" and found["FindingsFound"] in ("true", "false"),
        lambda b: {},
        lambda b, found: {"Key": "Owner", "Value": "second"} in found["Tags"],
        lacks="StatusMessage WarningMessage",
    ),
    Case(
        "AWS::EC2::NatGateway",
        lambda b: {"VpcId": b.vpc, "AvailabilityMode": "regional"},
        lambda b, made: [
            each
            for each in b.ec2.describe_nat_gateways(NatGatewayIds=[made.ref])["NatGateways"]
            if each["State"] != "deleted"
        ],
        lambda b, found: (
            found[0]["AvailabilityMode"] == "regional"
            and found[0]["VpcId"] == b.vpc
            and "SubnetId" not in found[0]
            and {"Key": "Owner", "Value": "first"} in found[0]["Tags"]
            and b.ec2.create_route(
                RouteTableId=b.table,
                DestinationCidrBlock="0.0.0.0/0",
                NatGatewayId=found[0]["NatGatewayId"],
            )
        ),
        lambda b: {},
        lambda b, found: {"Key": "Owner", "Value": "second"} in found[0]["Tags"],
        lacks="EniId AutoProvisionZones AutoScalingIps RouteTableId",
        label="regional",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_type_is_made_seen_changed_and_deleted(bench: Bench, case: Case) -> None:
    prove(bench, case)
