"""The paths of VPC Reachability Analyzer, which moto lacks: kept, tagged and described."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from aws_vpc.local.service import Answer, Parameters, new_id, now, page
from aws_vpc.local.wire import ServiceError

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
FILTERS = {"source": "Source", "destination": "Destination", "protocol": "Protocol"}


class Paths:
    """The network insights paths of one Region."""

    def __init__(self, region: str, account: str) -> None:
        self.arn = f"arn:aws:ec2:{region}:{account}"
        self.found: dict[str, dict[str, Any]] = {}

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
        tags = given_tags(params)
        path |= {
            "NetworkInsightsPathId": id,
            "NetworkInsightsPathArn": f"{self.arn}:network-insights-path/{id}",
            "CreatedDate": now(),
            "Tags": tags,
        }
        self.found[id] = path
        return {"NetworkInsightsPath": path}

    def describe_network_insights_paths(self, params: Parameters) -> Answer:
        """The paths that are named, or all, by their filters."""
        wanted = params.get("NetworkInsightsPathIds") or list(self.found)
        found = [self.path(id) for id in wanted]
        fitting = [path for path in found if all(fits(path, each) for each in params.get("Filters") or [])]
        return page("NetworkInsightsPaths", fitting, params, "MaxResults", "NextToken")

    def delete_network_insights_path(self, params: Parameters) -> Answer:
        """The id of the path that is gone."""
        id = self.path(params.get("NetworkInsightsPathId", ""))["NetworkInsightsPathId"]
        del self.found[id]
        return {"NetworkInsightsPathId": id}

    def path(self, id: str) -> dict[str, Any]:
        """The path with the id."""
        if id not in self.found:
            text = f"The networkInsightsPath ID '{id}' does not exist"
            raise ServiceError("InvalidNetworkInsightsPathId.NotFound", text)
        return self.found[id]

    def _arn_of(self, named: str) -> str:
        """The ARN of what a path begins or ends at; ServiceError when that can be no end of a path."""
        if named.startswith("arn:"):
            return named
        kinds = [prefix for prefix in KINDS if named.startswith(prefix)]
        if not kinds:
            raise ServiceError("InvalidParameterValue", f"The resource {named} cannot be the end of a path")
        return f"{self.arn}:{KINDS[max(kinds, key=len)]}/{named}"


def given_tags(params: Parameters) -> list[dict[str, str]]:
    """The tags of a create operation."""
    return [tag for given in params.get("TagSpecifications") or [] for tag in given.get("Tags") or []]


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
