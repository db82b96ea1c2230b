"""The analyses of VPC Reachability Analyzer, worked out by the project's own engine."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

from aws_vpc.errors import UsageError
from aws_vpc.local.ec2_insights import Paths, given_tags
from aws_vpc.local.service import Answer, Parameters, new_id, now, page
from aws_vpc.local.wire import ServiceError
from aws_vpc.network import Address, Network, PortRange
from aws_vpc.network_names import End, candidates, find
from aws_vpc.network_values import TCP, UDP
from aws_vpc.reach_asking import Question
from aws_vpc.reach_json import OWN, analysis
from aws_vpc.reach_question import ask

KEPT = ("FilterInArns", "FilterOutArns", "AdditionalAccounts")


class Analyses:
    """The analyses of one Region's paths."""

    def __init__(self, paths: Paths, look: Callable[[], Network]) -> None:
        self.paths, self.look = paths, look
        self.found: dict[str, dict[str, Any]] = {}

    def start_network_insights_analysis(self, params: Parameters) -> Answer:
        """The analysis as it begins; it is done when it is described."""
        path = self.paths.path(params.get("NetworkInsightsPathId", ""))
        id = new_id("nia-", 17, string.hexdigits[:16])
        begun = {
            "NetworkInsightsAnalysisId": id,
            "NetworkInsightsAnalysisArn": f"{self.paths.arn}:network-insights-analysis/{id}",
            "NetworkInsightsPathId": path["NetworkInsightsPathId"],
            "StartDate": now(),
            **{key: params[key] for key in KEPT if params.get(key)},
            "Tags": given_tags(params),
        }
        self.found[id] = {**begun, **self._result(path, params)}
        return {"NetworkInsightsAnalysis": {**begun, "Status": "running"}}

    def describe_network_insights_analyses(self, params: Parameters) -> Answer:
        """The analyses that are named, or of the path that is named, or all."""
        wanted = [self._one(id) for id in params.get("NetworkInsightsAnalysisIds") or self.found]
        path = params.get("NetworkInsightsPathId")
        fitting = [it for it in wanted if path in (None, it["NetworkInsightsPathId"])]
        for each in params.get("Filters") or []:
            fitting = [it for it in fitting if passes(it, each)]
        return page("NetworkInsightsAnalyses", fitting, params, "MaxResults", "NextToken")

    def delete_network_insights_analysis(self, params: Parameters) -> Answer:
        """The id of the analysis that is gone."""
        id = self._one(params.get("NetworkInsightsAnalysisId", ""))["NetworkInsightsAnalysisId"]
        del self.found[id]
        return {"NetworkInsightsAnalysisId": id}

    def _one(self, id: str) -> dict[str, Any]:
        if id not in self.found:
            text = f"The networkInsightsAnalysis ID '{id}' does not exist"
            raise ServiceError("InvalidNetworkInsightsAnalysisId.NotFound", text)
        return self.found[id]

    def _result(self, path: Mapping[str, Any], params: Parameters) -> dict[str, Any]:
        network = self.look()
        try:
            asked = question(network, path, params)
        except UsageError as error:
            return {**nowhere(path, network), "StatusMessage": str(error)}
        answer = ask(network, asked)
        if answer.trace is None:
            return {**nowhere(path, network), "StatusMessage": answer.note}
        _, _, _, region, account, *_ = self.paths.arn.split(":")
        return {key: it for key, it in analysis(network, answer.trace, region, account).items() if key != OWN}


def nowhere(path: Mapping[str, Any], network: Network) -> dict[str, Any]:
    """No path, because an end is not there, or nothing joins the ends."""
    ends = [path.get("Source"), path.get("Destination")]
    known = all(it is None or candidates(network, str(it)) for it in ends)
    code = "NO_PATH" if known else "NO_SOURCE_OR_DESTINATION"
    return {"Status": "succeeded", "NetworkPathFound": False, "Explanations": [{"ExplanationCode": code}]}


def question(network: Network, path: Mapping[str, Any], params: Parameters) -> Question:
    """What a path asks, its filters and those of the analysis included."""
    source, arrival = path.get("FilterAtSource") or {}, path.get("FilterAtDestination") or {}
    port = path.get("DestinationPort")
    ports = (
        PortRange(int(port), int(port))
        if port
        else _ports(source, "Destination") or _ports(arrival, "Destination")
    )
    told = path.get("DestinationIp") or arrival.get("DestinationAddress") or source.get("DestinationAddress")
    address = _address(told)
    goal = path.get("Destination") or told
    if not goal:
        raise UsageError("the path has neither a destination nor a destination address")
    return Question(
        find(network, str(path["Source"])),
        find(network, str(goal)) if path.get("Destination") or address is None else _place(network, address),
        UDP if path["Protocol"] == "udp" else TCP,
        ports,
        _ports(source, "Source"),
        _address(path.get("SourceIp") or source.get("SourceAddress")),
        address if path.get("Destination") else None,
        tuple(find(network, str(it)).component for it in params.get("FilterInArns") or ()),
        tuple(find(network, str(it)).component for it in params.get("FilterOutArns") or ()),
    )


def _place(network: Network, address: Address) -> End:
    return find(network, str(address))


def _address(text: Any) -> Address | None:
    return ip_address(str(text).partition("/")[0]) if text else None


def _ports(row: Mapping[str, Any], side: str) -> PortRange | None:
    told = row.get(f"{side}PortRange")
    return PortRange(int(told["FromPort"]), int(told["ToPort"])) if told else None


def passes(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether an analysis passes a filter of describe-network-insights-analyses."""
    name, values = str(wanted["Name"]), list(wanted["Values"])
    if name == "path-found":
        return str(found.get("NetworkPathFound", False)).lower() in [it.lower() for it in values]
    if name == "status":
        return found["Status"] in values
    if name.startswith("tag:"):
        return any(tag["Key"] == name[4:] and tag["Value"] in values for tag in found["Tags"])
    raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")
