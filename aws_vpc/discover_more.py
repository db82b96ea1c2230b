"""Answers of a live account that take one call for each of something: attributes, entries, targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from aws_vpc.discover import ABSENT, listed
from aws_vpc.errors import Error

if TYPE_CHECKING:
    from aws_vpc.aws import Aws

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
MEMBERS = {"StackName", "StackId", "LogicalResourceId", "PhysicalResourceId", "ResourceType"}
Answers = dict[str, list[dict[str, Any]]]


def more(aws: Aws, known: Answers) -> Answers:
    """The answers that complete those already there."""
    ec2 = aws.client("ec2")
    for row in known.get("ManagedPrefixLists", ()):
        found = listed(ec2, "get_managed_prefix_list_entries", "Entries", PrefixListId=row["PrefixListId"])
        row["Entries"] = found or []
    return {
        "VpcAttributes": [_attributes(ec2, row["VpcId"]) for row in known.get("Vpcs", ())],
        **_block_public_access(ec2),
        **_transit(ec2, known),
        **_balancers(aws, known),
    }


def stack_resources(aws: Aws) -> list[dict[str, Any]]:
    """What stacks made, for their logical names; nothing where that may not be asked."""
    client = aws.client("cloudformation")
    found = []
    try:
        for stack in listed(client, "list_stacks", "StackSummaries") or ():
            if not stack["StackStatus"].startswith("DELETE_C"):
                named = {"StackName": stack["StackName"], "StackId": stack["StackId"]}
                rows = listed(
                    client, "list_stack_resources", "StackResourceSummaries", StackName=stack["StackId"]
                )
                found += [{**named, **row} for row in rows or ()]
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
    return [{key: value for key, value in row.items() if key in MEMBERS} for row in found]


def _block_public_access(ec2: Any) -> Answers:
    """The Region's options, of which there is one; nothing where the endpoint does not know them."""
    try:
        answer = ec2.describe_vpc_block_public_access_options()
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT or _status(error) == "501":
            return {}
        raise
    found = answer.get("VpcBlockPublicAccessOptions") or {}
    return {"VpcBlockPublicAccessOptions": [{"InternetGatewayBlockMode": "off", **found}]}


def _status(error: ClientError) -> str:
    return str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode"))


def _attributes(ec2: Any, vpc: str) -> dict[str, Any]:
    found: dict[str, Any] = {"VpcId": vpc}
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        answer = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=name[0].lower() + name[1:])
        found[name] = bool(answer[name]["Value"])
    return found


def _transit(ec2: Any, known: Answers) -> Answers:
    static, propagated, propagations, associations = [], [], [], []
    for row in known.get("TransitGatewayRouteTables", ()):
        named = {"TransitGatewayRouteTableId": row["TransitGatewayRouteTableId"]}
        static.append({**named, "Routes": _routes(ec2, named, "static")})
        propagated.append({**named, "Routes": _routes(ec2, named, "propagated")})
        member = "TransitGatewayRouteTablePropagations"
        rows = listed(ec2, "get_transit_gateway_route_table_propagations", member, **named)
        linked = listed(ec2, "get_transit_gateway_route_table_associations", "Associations", **named)
        associations.append({**named, "Associations": linked or []})
        propagations.append({**named, member: rows or []})
    if not static:
        return {}
    return {
        "TransitGatewayStaticRoutes": static,
        "TransitGatewayPropagatedRoutes": propagated,
        "TransitGatewayPropagations": propagations,
        "TransitGatewayAssociations": associations,
    }


def _routes(ec2: Any, named: dict[str, str], kind: str) -> list[dict[str, Any]]:
    """The routes of the kind, active and blackhole; the call has no pages, only a limit of 1,000."""
    wanted = [{"Name": "type", "Values": [kind]}]
    answer = ec2.search_transit_gateway_routes(**named, Filters=wanted)
    if answer.get("AdditionalRoutesAvailable"):
        table = named["TransitGatewayRouteTableId"]
        raise Error(
            f"{table} has more {kind} routes than SearchTransitGatewayRoutes gives; the rest is not known"
        )
    return [row for row in answer.get("Routes") or () if row.get("Type", kind) == kind]


def _balancers(aws: Aws, known: Answers) -> Answers:
    if not known.get("LoadBalancers"):
        return {}
    client = aws.client("elbv2")
    found: Answers = {"Listeners": [], "LoadBalancerAttributes": [], "LoadBalancerTargetHealth": [],
                      "TargetGroupAttributes": []}  # fmt: skip
    for row in known["LoadBalancers"]:
        named = {"LoadBalancerArn": row["LoadBalancerArn"]}
        found["Listeners"] += listed(client, "describe_listeners", "Listeners", **named) or []
        told = listed(client, "describe_load_balancer_attributes", "Attributes", **named)
        found["LoadBalancerAttributes"].append({**named, "Attributes": told or []})
    for row in known.get("TargetGroups", ()):
        named = {"TargetGroupArn": row["TargetGroupArn"]}
        health = listed(client, "describe_target_health", "TargetHealthDescriptions", **named)
        found["LoadBalancerTargetHealth"].append({**named, "TargetHealthDescriptions": health or []})
        told = listed(client, "describe_target_group_attributes", "Attributes", **named)
        found["TargetGroupAttributes"].append({**named, "Attributes": told or []})
    return found
