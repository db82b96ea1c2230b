"""The filters of DescribeVpcPeeringConnections, which moto takes and does not apply.

Source: EC2 API Reference, "DescribeVpcPeeringConnections", the list of filters.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from typing import Any

from aws_vpc.local import wire
from aws_vpc.local.ec2_nat import parsed
from aws_vpc.local.wire import Request, Response, ServiceError

ACTION = "DescribeVpcPeeringConnections"
# The filter's name, and the way to its value in a connection.
PLACES = {
    "vpc-peering-connection-id": ("VpcPeeringConnectionId",),
    "status-code": ("Status", "Code"),
    "status-message": ("Status", "Message"),
} | {
    f"{side}-vpc-info.{name}": (f"{side.capitalize()}VpcInfo", key)
    for side in ("requester", "accepter")
    for name, key in (("vpc-id", "VpcId"), ("owner-id", "OwnerId"), ("cidr-block", "CidrBlock"))
}


def filtered(request: Request, response: Response) -> Response:
    """The answer with the connections that every filter of the request lets through."""
    filters = wire.parse("ec2", request)[1].get("Filters")
    if not filters or response.status != 200:
        return response
    result = parsed(ACTION, response)
    connections = result.get("VpcPeeringConnections", [])
    result["VpcPeeringConnections"] = [one for one in connections if passes(one, filters)]
    return wire.answer("ec2", ACTION, result)


def passes(connection: dict[str, Any], filters: Iterable[dict[str, Any]]) -> bool:
    """Whether each filter has a value (`*` and `?` match anything) that the connection has."""
    return all(
        any(
            fnmatch.fnmatchcase(has, wanted)
            for has in values(connection, one["Name"])
            for wanted in one["Values"]
        )
        for one in filters
    )


def values(connection: dict[str, Any], name: str) -> list[str]:
    """What the connection has for a filter; ServiceError for a filter that EC2 does not know."""
    tags = {one["Key"]: one["Value"] for one in connection.get("Tags", [])}
    if name.startswith("tag:"):
        return [value for key, value in tags.items() if key == name.removeprefix("tag:")]
    if name == "tag-key":
        return list(tags)
    if name not in PLACES:
        raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")
    found: Any = connection
    for step in PLACES[name]:
        found = found.get(step, {})
    return [found] if isinstance(found, str) else []
