"""Network insights: what Reachability Analyzer and Network Access Analyzer are asked, and their answers."""

from collections.abc import Callable, Mapping
from typing import Any

from aws_vpc.local.providers import ec2
from aws_vpc.local.providers.call import call
from aws_vpc.local.providers.ec2 import Noun
from aws_vpc.local.providers.resource import ResourceRequest

PATH = Noun("network_insights_path", "NetworkInsightsPath")
ANALYSIS = Noun(
    "network_insights_analysis",
    "NetworkInsightsAnalysis",
    plural="network_insights_analyses",
    keys="NetworkInsightsAnalyses",
)
SCOPE = Noun("network_insights_access_scope", "NetworkInsightsAccessScope")
SCOPE_ANALYSIS = Noun(
    "network_insights_access_scope_analysis",
    "NetworkInsightsAccessScopeAnalysis",
    plural="network_insights_access_scope_analyses",
    keys="NetworkInsightsAccessScopeAnalyses",
)


def start(operation: str) -> Callable[[ResourceRequest, Noun, Mapping[str, Any]], str]:
    """The maker of an analysis, which is started instead of created."""

    def make(request: ResourceRequest, noun: Noun, given: Mapping[str, Any]) -> str:
        tags = ec2.tag_specification(request, noun.kind) or None
        answer = call(request.client("ec2"), operation, {**given, "TagSpecifications": tags})
        return str(answer[noun.key][noun.identifier])

    return make


PROVIDERS = (
    ec2.resource(
        "AWS::EC2::NetworkInsightsPath",
        PATH,
        "Source Destination SourceIp DestinationIp Protocol DestinationPort FilterAtSource "
        "FilterAtDestination",
    ),
    ec2.resource(
        "AWS::EC2::NetworkInsightsAnalysis",
        ANALYSIS,
        "NetworkInsightsPathId FilterInArns FilterOutArns AdditionalAccounts",
        make=start("start_network_insights_analysis"),
    ),
    ec2.resource("AWS::EC2::NetworkInsightsAccessScope", SCOPE, "MatchPaths ExcludePaths"),
    ec2.resource(
        "AWS::EC2::NetworkInsightsAccessScopeAnalysis",
        SCOPE_ANALYSIS,
        "NetworkInsightsAccessScopeId",
        make=start("start_network_insights_access_scope_analysis"),
    ),
)
