"""VPC endpoints as EC2 tells of them: DNS names, private names and their conditions, groups, type.

Sources: AWS PrivateLink Guide, "Access an AWS service using an interface VPC endpoint" (DNS names) and
"Manage DNS names"; API reference of CreateVpcEndpoint.
"""

from __future__ import annotations

import hashlib
from typing import Any

from aws_vpc.local import wire
from aws_vpc.local.ec2_interfaces import backend
from aws_vpc.local.ec2_nat import parsed
from aws_vpc.local.wire import Request, Response, ServiceError
from aws_vpc.local.world import World

# Where the public name of a service is not its endpoint service's, read backwards.
PRIVATE = {"ecr.dkr": "*.dkr.ecr"}


def refuse_private_names(world: World, request: Request, action: str) -> None:
    """Raise ServiceError when private names are asked for that the VPC cannot have."""
    if action != "CreateVpcEndpoint":
        return
    asked = wire.parse("ec2", request)[1]
    if asked.get("VpcEndpointType") != "Interface" or not asked.get("PrivateDnsEnabled"):
        return
    records = backend(world, request.region)
    vpc = records.vpcs.get(asked["VpcId"])
    if vpc is None:
        return
    if not (truth(vpc.enable_dns_support) and truth(vpc.enable_dns_hostnames)):
        text = (
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to"
            f" true for {vpc.id}"
        )
        raise ServiceError("InvalidParameter", text)
    if any(
        one.vpc_id == vpc.id and one.service_name == asked["ServiceName"] and truth(one.private_dns_enabled)
        for one in records.vpc_end_points.values()
        if one.state not in ("deleted", "deleting")
    ):
        name = private_name(asked["ServiceName"])
        text = (
            f"private-dns-enabled cannot be set because there is already a conflicting DNS domain for {name}"
            f" in the VPC {vpc.id}"
        )
        raise ServiceError("InvalidParameter", text)


def truth(value: Any) -> bool:
    """A boolean as moto keeps it, at times as text."""
    return str(value).lower() == "true"


def complete(world: World, request: Request, response: Response) -> Response:
    """An answer of CreateVpcEndpoint after the endpoint has its type, groups and names."""
    if response.status != 200:
        return response
    result = parsed("CreateVpcEndpoint", response)
    found = backend(world, request.region).vpc_end_points[result["VpcEndpoint"]["VpcEndpointId"]]
    found.vpc_endpoint_type = found.vpc_endpoint_type or "Gateway"
    if found.vpc_endpoint_type == "Interface":
        if not found.security_group_ids:
            default = backend(world, request.region).get_default_security_group(found.vpc_id)
            found.security_group_ids = [default.id]
        found.dns_entries = names(found, request.region)
    client = world.client("ec2", request.region)
    shown = client.describe_vpc_endpoints(VpcEndpointIds=[found.id])["VpcEndpoints"][0]
    return wire.answer("ec2", "CreateVpcEndpoint", {**result, "VpcEndpoint": shown})


def names(endpoint: Any, region: str) -> list[dict[str, str]]:
    """The endpoint's own name, one for each zone, and with private DNS that of the service."""
    service = endpoint.service_name.removeprefix(f"com.amazonaws.{region}.")
    host = ".".join(reversed(service.split(".")))
    own = f"{endpoint.id}-{mark(endpoint.id)[:8].lower()}"
    zones = sorted(
        {endpoint.ec2_backend.get_subnet(one).availability_zone for one in endpoint.subnet_ids or ()}
    )
    tail = f"{host}.{region}.vpce.amazonaws.com"
    listed = [f"{own}.{tail}", *(f"{own}-{zone}.{tail}" for zone in zones)]
    found = [{"dns_name": name, "hosted_zone_id": f"Z{mark(tail)[:13]}"} for name in listed]
    if truth(endpoint.private_dns_enabled):
        zone = f"Z{mark(endpoint.id + host)[:20]}"
        found.append({"dns_name": private_name(endpoint.service_name), "hosted_zone_id": zone})
    return found


def private_name(service: str) -> str:
    """The public name of a service, which leads to the endpoint within the VPC."""
    region, short = service.removeprefix("com.amazonaws.").split(".", 1)
    host = PRIVATE.get(short) or ".".join(reversed(short.split(".")))
    return f"{host}.{region}.amazonaws.com"


def mark(text: str) -> str:
    """Letters and digits that are always the same for a text."""
    return hashlib.sha256(text.encode()).hexdigest().upper()
