"""Declared resources to describe answers: load balancers, listeners, target groups."""

from __future__ import annotations

from aws_vpc.network_template import Declared
from aws_vpc.network_template_making import Making, Row, associate, interface, tagged, zone


def load_balancers(making: Making) -> None:
    """The load balancers with their interfaces, listeners and target groups."""
    kind = "AWS::ElasticLoadBalancingV2::"
    for it in making.of(f"{kind}LoadBalancer"):
        given = it.properties
        subnets = given.get("Subnets") or [one["SubnetId"] for one in given.get("SubnetMappings") or ()]
        named = [{"GroupId": one} for one in given.get("SecurityGroups") or ()]
        balancer = given.get("Type") or "application"
        facing = given.get("Scheme") or "internet-facing"
        shown = "network_load_balancer" if balancer == "network" else "interface"
        dual = int(given.get("IpAddressType") == "dualstack")
        for subnet in subnets:
            at = f"{it.path}/{zone(making, subnet)}"
            eni = interface(making, at, subnet, named, shown, it.path, ipv6=dual)
            if facing == "internet-facing":
                associate(eni, making.public_address())
        vpc = making.find("Subnets", "SubnetId", next(iter(subnets), "")).get("VpcId", "")
        row = {
            "LoadBalancerArn": it.path,
            "LoadBalancerName": given.get("Name", ""),
            "Type": balancer,
            "VpcId": vpc,
            "Scheme": facing,
            "State": {"Code": "active"},
        }
        making.add("LoadBalancers", tagged(it, row))
        attributes = given.get("LoadBalancerAttributes") or []
        making.add("LoadBalancerAttributes", {"LoadBalancerArn": it.path, "Attributes": attributes})
    for it in making.of(f"{kind}TargetGroup"):
        making.add("TargetGroups", tagged(it, _target_group(making, it)))
    for it in making.of(f"{kind}Listener"):
        given = it.properties
        row = {
            "ListenerArn": it.path,
            "LoadBalancerArn": given["LoadBalancerArn"],
            "Port": int(given["Port"]),
            "Protocol": given["Protocol"],
            "DefaultActions": given.get("DefaultActions") or [],
        }
        making.add("Listeners", row)


def _target_group(making: Making, it: Declared) -> Row:
    given = it.properties
    port = int(given.get("Port") or 0)
    targets = [{"Id": one["Id"], "Port": int(one.get("Port") or port)} for one in given.get("Targets") or ()]
    health = {"TargetGroupArn": it.path, "TargetHealthDescriptions": [{"Target": one} for one in targets]}
    making.add("LoadBalancerTargetHealth", health)
    attributes = given.get("TargetGroupAttributes") or []
    making.add("TargetGroupAttributes", {"TargetGroupArn": it.path, "Attributes": attributes})
    return {
        "TargetGroupArn": it.path,
        "TargetGroupName": given.get("Name", ""),
        "Port": port,
        "Protocol": given.get("Protocol", "TCP"),
        "TargetType": given.get("TargetType") or "instance",
    }
