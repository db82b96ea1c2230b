"""Declared resources to describe answers: Elastic Beanstalk environments, their instances and load balancer.

Where its instances will stand is Beanstalk's choice: each of its subnets gets an interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_vpc.network_template import Declared
from aws_vpc.network_template_making import Making, Row, associate, interface, ipv6_count, tagged, zone

Options = Mapping[tuple[str, str], Any]
VPC, GROUPS = "aws:ec2:vpc", "aws:autoscaling:launchconfiguration"


def beanstalk(making: Making) -> None:
    """The environments with the interfaces of their instances."""
    for it in making.of("AWS::ElasticBeanstalk::Environment"):
        told: Options = {
            (one["Namespace"], one["OptionName"]): one.get("Value")
            for one in it.properties.get("OptionSettings") or ()
        }
        enis = _instances(making, it, told)
        row = {
            "EnvironmentId": it.path,
            "EnvironmentName": it.properties.get("EnvironmentName", ""),
            "VpcId": told.get((VPC, "VPCId")) or "",
        }
        making.add("Environments", tagged(it, row))
        if told.get(("aws:elasticbeanstalk:environment", "EnvironmentType")) == "LoadBalanced":
            _load_balancer(making, it, told, enis)


def _listed(told: Options, namespace: str, name: str) -> list[str]:
    return [one for one in str(told.get((namespace, name)) or "").split(",") if one]


def _instances(making: Making, it: Declared, told: Options) -> list[Row]:
    groups = [{"GroupId": one} for one in _listed(told, GROUPS, "SecurityGroups")]
    made = []
    for subnet in _listed(told, VPC, "Subnets"):
        name, dual = f"{it.path}/{zone(making, subnet)}", ipv6_count(making, subnet)
        eni = interface(making, name, subnet, groups, owner=it.path, ipv6=dual)
        if str(told.get((VPC, "AssociatePublicIpAddress"))).lower() == "true":
            associate(eni, making.public_address())
        made.append(eni)
    return made


def _load_balancer(making: Making, it: Declared, told: Options, targets: list[Row]) -> None:
    """The application load balancer that Beanstalk makes: port 80 unless turned off, and 443 if set."""
    name = f"{it.path}.LoadBalancer"
    subnets = _listed(told, VPC, "ELBSubnets") or _listed(told, VPC, "Subnets")
    groups = [{"GroupId": one} for one in _listed(told, "aws:elbv2:loadbalancer", "SecurityGroups")]
    facing = "internal" if told.get((VPC, "ELBScheme")) == "internal" else "internet-facing"
    dual = int(told.get(("aws:elbv2:loadbalancer", "IpAddressType")) == "dualstack")
    for subnet in subnets:
        at = f"{name}/{zone(making, subnet)}"
        eni = interface(making, at, subnet, groups, "interface", name, ipv6=dual)
        if facing == "internet-facing":
            associate(eni, making.public_address())
    vpc = told.get((VPC, "VPCId")) or ""
    row = {"LoadBalancerArn": name, "LogicalPath": name, "Type": "application", "VpcId": vpc}
    making.add("LoadBalancers", {**row, "Scheme": facing, "State": {"Code": "active"}})
    known = [one["PrivateIpAddress"] for one in targets if "PrivateIpAddress" in one]
    health = [{"Target": {"Id": address, "Port": 80}} for address in known]
    group = {"TargetGroupArn": f"{name}.TargetGroup", "TargetType": "ip", "Protocol": "HTTP", "Port": 80}
    making.add("TargetGroups", group)
    shown = {"TargetGroupArn": group["TargetGroupArn"], "TargetHealthDescriptions": health}
    making.add("LoadBalancerTargetHealth", shown)
    for port, protocol in _listeners(told):
        listener = {
            "ListenerArn": f"{name}.{port}",
            "LoadBalancerArn": name,
            "Port": port,
            "Protocol": protocol,
        }
        forward = [{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}]
        making.add("Listeners", {**listener, "DefaultActions": forward})


def _listeners(told: Options) -> list[tuple[int, str]]:
    usual = str(told.get(("aws:elbv2:listener:default", "ListenerEnabled"), "true")).lower() == "true"
    secure = told.get(("aws:elbv2:listener:443", "Protocol"))
    return [*([(80, "HTTP")] if usual else []), *([(443, str(secure))] if secure else [])]
