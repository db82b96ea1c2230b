"""Network Access Analyzer: access scopes, and their analyses by the project's own engine."""

from __future__ import annotations

import string
from collections.abc import Callable
from itertools import islice
from typing import Any

from aws_vpc.errors import UsageError
from aws_vpc.intents_scopes import scope_paths
from aws_vpc.local.ec2_insights import given_tags
from aws_vpc.local.service import Answer, Parameters, new_id, now, page
from aws_vpc.local.wire import ServiceError
from aws_vpc.network import Network
from aws_vpc.reach_json import Showing

SCOPE, ANALYSIS = "NetworkInsightsAccessScope", "NetworkInsightsAccessScopeAnalysis"
MOST = 10_000  # findings of one analysis, as AWS limits them


class Scopes:
    """The access scopes of one Region and their analyses."""

    def __init__(self, arn: str, look: Callable[[], Network]) -> None:
        self.arn, self.look = arn, look
        self.found: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, dict[str, Any]] = {}
        self.analyses: dict[str, dict[str, Any]] = {}
        self.findings: dict[str, list[dict[str, Any]]] = {}

    def create_network_insights_access_scope(self, params: Parameters) -> Answer:
        """The new scope and its content."""
        id = new_id("nis-", 17, string.hexdigits[:16])
        if not params.get("MatchPaths"):
            raise ServiceError("MissingParameter", "The request must contain the parameter matchPaths")
        self.found[id] = {
            f"{SCOPE}Id": id,
            f"{SCOPE}Arn": f"{self.arn}:network-insights-access-scope/{id}",
            "CreatedDate": now(),
            "UpdatedDate": now(),
            "Tags": given_tags(params),
        }
        paths = {key: params[key] for key in ("MatchPaths", "ExcludePaths") if params.get(key)}
        self.contents[id] = {f"{SCOPE}Id": id, **paths}
        return {SCOPE: self.found[id], f"{SCOPE}Content": self.contents[id]}

    def describe_network_insights_access_scopes(self, params: Parameters) -> Answer:
        """The scopes that are named, or all."""
        wanted = [self._scope(id) for id in params.get(f"{SCOPE}Ids") or self.found]
        return page(f"{SCOPE}s", wanted, params, "MaxResults", "NextToken")

    def get_network_insights_access_scope_content(self, params: Parameters) -> Answer:
        """What a scope asks."""
        return {f"{SCOPE}Content": self.contents[self._scope(params.get(f"{SCOPE}Id", ""))[f"{SCOPE}Id"]]}

    def delete_network_insights_access_scope(self, params: Parameters) -> Answer:
        """The id of the scope that is gone."""
        id = self._scope(params.get(f"{SCOPE}Id", ""))[f"{SCOPE}Id"]
        del self.found[id], self.contents[id]
        return {f"{SCOPE}Id": id}

    def start_network_insights_access_scope_analysis(self, params: Parameters) -> Answer:
        """The analysis as it begins; it is done when it is described."""
        scope = self._scope(params.get(f"{SCOPE}Id", ""))[f"{SCOPE}Id"]
        id = new_id("nisa-", 17, string.hexdigits[:16])
        begun = {
            f"{ANALYSIS}Id": id,
            f"{ANALYSIS}Arn": f"{self.arn}:network-insights-access-scope-analysis/{id}",
            f"{SCOPE}Id": scope,
            "StartDate": now(),
            "Tags": given_tags(params),
        }
        self.analyses[id] = {**begun, **self._result(id, scope)}
        return {ANALYSIS: {**begun, "Status": "running"}}

    def describe_network_insights_access_scope_analyses(self, params: Parameters) -> Answer:
        """The analyses that are named, or of the scope that is named, or all."""
        wanted = [self._analysis(id) for id in params.get(f"{ANALYSIS}Ids") or self.analyses]
        scope = params.get(f"{SCOPE}Id")
        fitting = [it for it in wanted if scope in (None, it[f"{SCOPE}Id"])]
        return page("NetworkInsightsAccessScopeAnalyses", fitting, params, "MaxResults", "NextToken")

    def get_network_insights_access_scope_analysis_findings(self, params: Parameters) -> Answer:
        """The findings of an analysis."""
        found = self._analysis(params.get(f"{ANALYSIS}Id", ""))
        id = found[f"{ANALYSIS}Id"]
        told = page("AnalysisFindings", self.findings[id], params, "MaxResults", "NextToken")
        return {f"{ANALYSIS}Id": id, "AnalysisStatus": found["Status"], **told}

    def delete_network_insights_access_scope_analysis(self, params: Parameters) -> Answer:
        """The id of the analysis that is gone."""
        id = self._analysis(params.get(f"{ANALYSIS}Id", ""))[f"{ANALYSIS}Id"]
        del self.analyses[id], self.findings[id]
        return {f"{ANALYSIS}Id": id}

    def _result(self, id: str, scope: str) -> dict[str, Any]:
        network = self.look()
        _, _, _, region, account, *_ = self.arn.split(":")
        shown = Showing(network, region, account)
        try:
            paths = list(islice(scope_paths(network, self.contents[scope]), MOST))
        except UsageError as error:
            self.findings[id] = []
            return {
                "Status": "failed",
                "StatusMessage": str(error),
                "FindingsFound": "unknown",
                "EndDate": now(),
            }
        self.findings[id] = [
            {
                f"{ANALYSIS}Id": id,
                f"{SCOPE}Id": scope,
                "FindingId": f"AnalysisFinding-{number}",
                "FindingComponents": shown.path(path.forward),
            }
            for number, path in enumerate(paths, 1)
        ]
        return {
            "Status": "succeeded",
            "FindingsFound": "true" if paths else "false",
            "AnalyzedEniCount": len(network.interfaces),
            "EndDate": now(),
        }

    def _scope(self, id: str) -> dict[str, Any]:
        if id not in self.found:
            text = f"The networkInsightsAccessScope ID '{id}' does not exist"
            raise ServiceError("InvalidNetworkInsightsAccessScopeId.NotFound", text)
        return self.found[id]

    def _analysis(self, id: str) -> dict[str, Any]:
        if id not in self.analyses:
            text = f"The networkInsightsAccessScopeAnalysis ID '{id}' does not exist"
            raise ServiceError("InvalidNetworkInsightsAccessScopeAnalysisId.NotFound", text)
        return self.analyses[id]
