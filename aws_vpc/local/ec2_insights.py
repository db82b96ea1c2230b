"""The paths of VPC Reachability Analyzer, which moto lacks: kept and described; analyses are refused."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from aws_vpc.local import wire
from aws_vpc.local.service import Answer, Parameters, new_id, now, page, snake
from aws_vpc.local.wire import Request, Response, ServiceError

STATED = (
    "Source Destination SourceIp DestinationIp Protocol DestinationPort FilterAtSource FilterAtDestination"
)
KINDS = {  # what a path may begin and end at, and its name in an ARN
    "i-": "instance",
    "eni-": "network-interface",
    "igw-": "internet-gateway",
    "pcx-": "vpc-peering-connection",
    "tgw-": "transit-gateway",
    "tgw-attach-": "transit-gateway-attachment",
    "vgw-": "vpn-gateway",
    "vpce-": "vpc-endpoint",
    "vpce-svc-": "vpc-endpoint-service",
}
OPERATIONS = {
    "CreateNetworkInsightsPath",
    "DescribeNetworkInsightsPaths",
    "DeleteNetworkInsightsPath",
    "StartNetworkInsightsAnalysis",
    "DescribeNetworkInsightsAnalyses",
}
TAGGING = {"CreateTags", "DeleteTags", "DescribeTags"}
FILTERS = {"source": "Source", "destination": "Destination", "protocol": "Protocol"}


class Paths:
    """The network insights paths of one Region."""

    def __init__(self, region: str, account: str) -> None:
        self.arn = f"arn:aws:ec2:{region}:{account}"
        self._found: dict[str, dict[str, Any]] = {}

    def answer(self, request: Request, action: str) -> Response | None:
        """The answer to an operation on paths or on their tags; None to all others."""
        if action not in OPERATIONS and not (action in TAGGING and "nip-" in str(wire.form(request))):
            return None
        params = wire.parse("ec2", request)[1]
        result: Answer = getattr(self, snake(action))(params)
        return wire.answer("ec2", action, result)

    def create_network_insights_path(self, params: Parameters) -> Answer:
        """The new path."""
        id = new_id("nip-", 17, string.hexdigits[:16])
        for key in ("Source", "Protocol"):
            if not params.get(key):
                raise ServiceError(
                    "MissingParameter", f"The request must contain the parameter {key.lower()}"
                )
        if params["Protocol"] not in ("tcp", "udp"):
            raise ServiceError("InvalidParameterValue", f"Invalid protocol: {params['Protocol']}")
        path = {key: params[key] for key in STATED.split() if params.get(key) is not None}
        path |= {f"{key}Arn": self._arn_of(path[key]) for key in ("Source", "Destination") if key in path}
        tags = [tag for given in params.get("TagSpecifications") or [] for tag in given.get("Tags") or []]
        path |= {
            "NetworkInsightsPathId": id,
            "NetworkInsightsPathArn": f"{self.arn}:network-insights-path/{id}",
            "CreatedDate": now(),
            "Tags": tags,
        }
        self._found[id] = path
        return {"NetworkInsightsPath": path}

    def describe_network_insights_paths(self, params: Parameters) -> Answer:
        """The paths that are named, or all, by their filters."""
        wanted = params.get("NetworkInsightsPathIds") or list(self._found)
        found = [self._path(id) for id in wanted]
        fitting = [path for path in found if all(fits(path, each) for each in params.get("Filters") or [])]
        return page("NetworkInsightsPaths", fitting, params, "MaxResults", "NextToken")

    def delete_network_insights_path(self, params: Parameters) -> Answer:
        """The id of the path that is gone."""
        id = self._path(params.get("NetworkInsightsPathId", ""))["NetworkInsightsPathId"]
        del self._found[id]
        return {"NetworkInsightsPathId": id}

    def start_network_insights_analysis(self, params: Parameters) -> Answer:
        """Nothing: paths are kept, not analysed."""
        self._path(params.get("NetworkInsightsPathId", ""))
        raise NotImplementedError("network insights paths are kept, their analysis is not modelled")

    def describe_network_insights_analyses(self, params: Parameters) -> Answer:
        """No analyses, as none can be started."""
        for id in params.get("NetworkInsightsAnalysisIds") or []:
            raise ServiceError("InvalidNetworkInsightsAnalysisId.NotFound", f"The ID '{id}' does not exist")
        return {"NetworkInsightsAnalyses": []}

    def create_tags(self, params: Parameters) -> Answer:
        """Nothing; the paths have the tags."""
        for path in map(self._path, params["Resources"]):
            fresh = {tag["Key"]: tag.get("Value", "") for tag in [*path["Tags"], *params["Tags"]]}
            path["Tags"] = [{"Key": key, "Value": value} for key, value in fresh.items()]
        return {}

    def delete_tags(self, params: Parameters) -> Answer:
        """Nothing; the paths lack the tags, all when none is named."""
        dropped = {tag["Key"] for tag in params.get("Tags") or []}
        for path in map(self._path, params["Resources"]):
            path["Tags"] = [tag for tag in path["Tags"] if dropped and tag["Key"] not in dropped]
        return {}

    def describe_tags(self, params: Parameters) -> Answer:
        """The tags of the paths that the filters name."""
        ids = [id for each in params.get("Filters") or [] for id in each["Values"] if id in self._found]
        kind = {"ResourceType": "network-insights-path"}
        return {"Tags": [{**kind, "ResourceId": id, **tag} for id in ids for tag in self._found[id]["Tags"]]}

    def _path(self, id: str) -> dict[str, Any]:
        if id not in self._found:
            text = f"The networkInsightsPath ID '{id}' does not exist"
            raise ServiceError("InvalidNetworkInsightsPathId.NotFound", text)
        return self._found[id]

    def _arn_of(self, named: str) -> str:
        """The ARN of what a path begins or ends at; ServiceError when that can be no end of a path."""
        if named.startswith("arn:"):
            return named
        kinds = [prefix for prefix in KINDS if named.startswith(prefix)]
        if not kinds:
            raise ServiceError("InvalidParameterValue", f"The resource {named} cannot be the end of a path")
        return f"{self.arn}:{KINDS[max(kinds, key=len)]}/{named}"


def fits(path: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether the path passes a filter of describe-network-insights-paths."""
    name, values = str(wanted["Name"]), list(wanted["Values"])
    tags: Sequence[Mapping[str, str]] = path["Tags"]
    if name.startswith("tag:"):
        return any(tag["Key"] == name[4:] and tag["Value"] in values for tag in tags)
    if name == "tag-key":
        return any(tag["Key"] in values for tag in tags)
    if name not in FILTERS:
        raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return path.get(FILTERS[name]) in values
