"""Regional NAT gateways, which moto lacks: gateways of a VPC that stand in no subnet.

moto makes its gateway in a subnet all the same, in one that is there only while that happens. Its
interface goes with it, and answers show what AWS shows of a regional gateway.
"""

from __future__ import annotations

import ipaddress
from typing import Any

import botocore.parsers

from aws_vpc.local import wire
from aws_vpc.local.databases import with_parameters
from aws_vpc.local.wire import Forward, Request, Response, ServiceError
from aws_vpc.local.world import World

NOT_REGIONAL = ("SubnetId", "AllocationId", "PrivateIpAddress", "SecondaryPrivateIpAddressCount")
OPERATIONS = ("CreateNatGateway", "DescribeNatGateways")


class RegionalGateways:
    """The regional NAT gateways of an embedded AWS, by id."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._found: dict[str, dict[str, Any]] = {}

    def answer(self, request: Request, forward: Forward, action: str) -> Response | None:
        """The answer to an operation that makes or shows a regional gateway; None to all others."""
        if action not in OPERATIONS:
            return None
        params = wire.parse("ec2", request)[1]
        if action == "CreateNatGateway":
            if params.get("AvailabilityMode") != "regional":
                return None
            return wire.answer("ec2", action, self._create(request, forward, params))
        response = forward(request)
        if not self._found or response.status != 200:
            return response
        result = parsed(action, response)
        for gateway in result.get("NatGateways", []):
            gateway |= self._found.get(gateway["NatGatewayId"], {})
        return wire.answer("ec2", action, result)

    def _create(self, request: Request, forward: Forward, params: dict[str, Any]) -> dict[str, Any]:
        for key in NOT_REGIONAL:
            if params.get(key):
                text = (
                    f"The parameter {key} is not supported for a NAT gateway with AvailabilityMode regional"
                )
                raise ServiceError("InvalidParameterCombination", text)
        if not params.get("VpcId"):
            raise ServiceError("MissingParameter", "The request must contain the parameter VpcId")
        client = self.world.client("ec2", request.region)
        subnet = self._subnet(client, params["VpcId"])
        try:
            response = forward(with_parameters(request, SubnetId=subnet, VpcId=None))
            result = parsed("CreateNatGateway", response)
            gateway = result["NatGateway"]
            listed = client.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet]}])
            for interface in listed["NetworkInterfaces"]:
                client.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
        finally:
            client.delete_subnet(SubnetId=subnet)
        stated = params.get("AvailabilityZoneAddresses") or []
        shown = {
            "SubnetId": None,
            "AvailabilityMode": "regional",
            "AutoProvisionZones": "disabled" if stated else "enabled",
            "AutoScalingIps": "disabled" if stated else "enabled",
            "NatGatewayAddresses": addresses(client, stated),
        }
        self._found[gateway["NatGatewayId"]] = shown
        gateway |= shown
        return result

    def _subnet(self, client: Any, vpc: str) -> str:
        """A subnet of the VPC's last addresses, for a moment."""
        found = client.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
        network = ipaddress.ip_network(found["CidrBlock"])
        last = ipaddress.ip_network((int(network.broadcast_address) - 15, 28))
        return str(client.create_subnet(VpcId=vpc, CidrBlock=str(last))["Subnet"]["SubnetId"])


def addresses(client: Any, stated: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The addresses of the gateway in the zones that are stated; those AWS provides belong to no account."""
    found = []
    for zone in stated:
        for allocation in zone.get("AllocationIds") or []:
            address = client.describe_addresses(AllocationIds=[allocation])["Addresses"][0]
            where = {key: zone[key] for key in ("AvailabilityZone", "AvailabilityZoneId") if zone.get(key)}
            known = {"AllocationId": allocation, "PublicIp": address["PublicIp"], "Status": "succeeded"}
            found.append(known | where)
    return found


def parsed(operation: str, response: Response) -> dict[str, Any]:
    """What a response of EC2 says, as boto3 would have it; ServiceError when it is an error."""
    parser = botocore.parsers.create_parser("ec2")
    parts = {"status_code": response.status, "headers": dict(response.headers), "body": response.body}
    shape = wire.model("ec2").operation_model(operation).output_shape
    result: dict[str, Any] = parser.parse(parts, shape)
    if response.status != 200:
        raise ServiceError(result["Error"]["Code"], result["Error"]["Message"], response.status)
    result.pop("ResponseMetadata", None)
    return result
