"""What moto's EC2 lacks: boots, public names that lead here, ends that are noticed, paths, regional NAT."""

from __future__ import annotations

import re
from types import SimpleNamespace

from botocore.exceptions import ClientError

from aws_vpc.local import ec2_endpoint_services, ec2_interfaces
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
    insights: dict[str, Insights] = {}
    gateways, boots = RegionalGateways(world), Boots(world)
    world.keep("ec2", SimpleNamespace(insights=insights), "insights")
    world.keep("ec2.gateways", gateways, "_found")

    def handle(request: Request, forward: Forward) -> Response:
        asked = form(request)
        action = asked.get("Action", "")
        own = insights.setdefault(request.region, Insights(world, request.region)).answer(request, action)
        own = own or gateways.answer(request, forward, action)
        if own is not None:
            return own
        if action == "DescribeVpcEndpointServices":
            ec2_endpoint_services.prepare(request.region)
        if action == "CreateSecurityGroup":
            refuse_unknown_vpc(world, request.region, asked.get("VpcId", ""))
        ec2_interfaces.refuse_ending(world, request, action)
        response = forward(request)
        ec2_interfaces.settle(world, request, response, action)
        if action == "RunInstances" and response.status == 200:
            boots.launched(request, response)
        if action in NAMING:
            response.body = _PUBLIC_NAME.sub(rb"<\1>localhost</\1>", response.body)
        elif action in ENDING and response.status == 200 and asked.get("DryRun") != "true":
            for instance in (v for k, v in asked.items() if k.startswith("InstanceId.")):
                for gone in world.instance_gone:
                    gone(instance)
        return response

    return handle


def refuse_unknown_vpc(world: World, region: str, vpc: str) -> None:
    """Nothing; ServiceError, as EC2 words it, when a group is to be made in a VPC that is not there."""
    if vpc:
        try:
            world.client("ec2", region).describe_vpcs(VpcIds=[vpc])
        except ClientError as error:
            said = error.response["Error"]
            raise ServiceError(said["Code"], said["Message"]) from None
