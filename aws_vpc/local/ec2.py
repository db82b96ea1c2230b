"""What moto's EC2 lacks: boots, public names that lead here, noticed ends, paths, regional NAT, IPv6."""

from __future__ import annotations

import re

from botocore.exceptions import ClientError

from aws_vpc.local import (
    ec2_dependencies,
    ec2_endpoint_services,
    ec2_endpoints,
    ec2_groups,
    ec2_interfaces,
    ec2_ipv6,
    ec2_peering,
    ec2_routes,
)
from aws_vpc.local.ec2_boot import Boots
from aws_vpc.local.ec2_insights_answers import Insights
from aws_vpc.local.ec2_nat import RegionalGateways
from aws_vpc.local.wire import Forward, Handler, Request, Response, ServiceError, form
from aws_vpc.local.world import World

# Present only where the instance has a public address. What it serves, it serves on loopback.
_PUBLIC_NAME = re.compile(rb"<(dnsName|publicDnsName)>[^<]+</\1>")
NAMING = ("DescribeInstances", "RunInstances", "DescribeNetworkInterfaces")
ENDING = ("TerminateInstances", "StopInstances")


def handler(world: World) -> Handler:
    """EC2: moto's answers, corrected."""
    return Ec2(world).handle


class Ec2:
    """moto's EC2 with what it lacks and gets wrong, one module of the package for each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.insights: dict[str, Insights] = {}
        self._gateways, self._boots = RegionalGateways(world), Boots(world)
        self._defaults = ec2_groups.DefaultGroups(world)
        world.keep("ec2", self, "insights")
        world.keep("ec2.gateways", self._gateways, "_found")
        world.keep("ec2.groups", self._defaults, "_regions")
        ec2_routes.teach()
        ec2_ipv6.teach()

    def handle(self, request: Request, forward: Forward) -> Response:
        """The answer to a request."""
        action, region = form(request).get("Action", ""), request.region
        self._defaults.begin(region)
        insights = self.insights.setdefault(region, Insights(self.world, region))
        own = insights.answer(request, action) or self._gateways.answer(request, forward, action)
        if own is not None:
            return own
        request = ec2_ipv6.completed(self.world, request, action)
        self._refuse(request, action)
        return self._corrected(request, forward(request), action)

    def _refuse(self, request: Request, action: str) -> None:
        """Raise ServiceError for what EC2 refuses and moto does not; make ready what moto needs."""
        if action == "DescribeVpcEndpointServices":
            ec2_endpoint_services.prepare(request.region)
        if action == "CreateSecurityGroup":
            refuse_unknown_vpc(self.world, request.region, form(request).get("VpcId", ""))
        ec2_dependencies.refuse(self.world, request, action)
        ec2_interfaces.refuse_ending(self.world, request, action)
        ec2_routes.refuse_foreign_gateway(self.world, request, action)
        ec2_endpoints.refuse_private_names(self.world, request, action)
        ec2_ipv6.refuse(self.world, request, action)

    def _corrected(self, request: Request, response: Response, action: str) -> Response:
        """moto's answer as EC2 would give it, after what EC2 does besides."""
        if action in ("CreateVpc", "CreateDefaultVpc"):
            self._defaults.made(request, response)
        if action == "CreateVpcEndpoint":
            response = ec2_endpoints.complete(self.world, request, response)
        if action == "SearchTransitGatewayRoutes":
            response = ec2_routes.with_propagated(self.world, request, response)
        if action == "DescribeVpcPeeringConnections":
            response = ec2_peering.filtered(request, ec2_ipv6.with_blocks(self.world, request, response))
        ec2_interfaces.settle(self.world, request, response, action)
        ec2_ipv6.settle(self.world, request, response, action)
        if action == "RunInstances" and response.status == 200:
            self._boots.launched(request, response)
        if action in NAMING:
            response.body = _PUBLIC_NAME.sub(rb"<\1>localhost</\1>", response.body)
        elif action in ENDING and response.status == 200 and form(request).get("DryRun") != "true":
            self._ended(request)
        return response

    def _ended(self, request: Request) -> None:
        """Tell the others which instances are terminated or stopped."""
        for instance in (v for k, v in form(request).items() if k.startswith("InstanceId.")):
            for gone in self.world.instance_gone:
                gone(instance)


def refuse_unknown_vpc(world: World, region: str, vpc: str) -> None:
    """Nothing; ServiceError, as EC2 words it, when a group is to be made in a VPC that is not there."""
    if vpc:
        try:
            world.client("ec2", region).describe_vpcs(VpcIds=[vpc])
        except ClientError as error:
            said = error.response["Error"]
            raise ServiceError(said["Code"], said["Message"]) from None
