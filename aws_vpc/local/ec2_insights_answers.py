"""Network insights of one Region: which object answers which operation, and everybody's tags."""

from __future__ import annotations

from typing import Any

from aws_vpc.local import wire
from aws_vpc.local.ec2_insights import Paths
from aws_vpc.local.ec2_insights_analyses import Analyses
from aws_vpc.local.ec2_insights_network import network
from aws_vpc.local.ec2_insights_scopes import Scopes
from aws_vpc.local.service import Answer, Parameters, snake
from aws_vpc.local.wire import Request, Response
from aws_vpc.local.world import World

TAGGING = {"CreateTags", "DeleteTags", "DescribeTags"}
KINDS = {
    "nip-": "network-insights-path",
    "nia-": "network-insights-analysis",
    "nis-": "network-insights-access-scope",
    "nisa-": "network-insights-access-scope-analysis",
}


class Insights:
    """The paths, access scopes and analyses of one Region."""

    def __init__(self, world: World, region: str) -> None:
        self.paths = Paths(region, world.account)
        self.analyses = Analyses(self.paths, lambda: network(world, region))
        self.scopes = Scopes(self.paths.arn, lambda: network(world, region))

    def answer(self, request: Request, action: str) -> Response | None:
        """The answer to an operation on network insights or on their tags; None to all others."""
        if action in TAGGING:
            if not any(f"{prefix}" in str(wire.form(request)) for prefix in KINDS):
                return None
        elif "NetworkInsights" not in action:
            return None
        params = wire.parse("ec2", request)[1]
        for owner in (self, self.paths, self.analyses, self.scopes):
            if method := getattr(owner, snake(action), None):
                return wire.answer("ec2", action, method(params))
        return None

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        """Everything that has tags, by id."""
        return {**self.paths.found, **self.analyses.found, **self.scopes.found, **self.scopes.analyses}

    def create_tags(self, params: Parameters) -> Answer:
        """Nothing; the records have the tags."""
        for record in map(self._record, params["Resources"]):
            fresh = {tag["Key"]: tag.get("Value", "") for tag in [*record["Tags"], *params["Tags"]]}
            record["Tags"] = [{"Key": key, "Value": value} for key, value in fresh.items()]
        return {}

    def delete_tags(self, params: Parameters) -> Answer:
        """Nothing; the records lack the tags, all when none is named."""
        dropped = {tag["Key"] for tag in params.get("Tags") or []}
        for record in map(self._record, params["Resources"]):
            record["Tags"] = [tag for tag in record["Tags"] if dropped and tag["Key"] not in dropped]
        return {}

    def describe_tags(self, params: Parameters) -> Answer:
        """The tags of the records that the filters name."""
        known = self.records
        ids = [id for each in params.get("Filters") or [] for id in each["Values"] if id in known]
        rows = [
            {"ResourceType": KINDS[f"{id.partition('-')[0]}-"], "ResourceId": id, **tag}
            for id in ids
            for tag in known[id]["Tags"]
        ]
        return {"Tags": rows}

    def _record(self, id: str) -> dict[str, Any]:
        return self.records[id] if id in self.records else self.paths.path(id)
