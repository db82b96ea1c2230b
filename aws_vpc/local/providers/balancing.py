"""Load balancers with their target groups, listeners and rules."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aws_vpc.local.providers.call import call, gone_is_done, pick
from aws_vpc.local.providers.named import Description, Kind, resource
from aws_vpc.local.providers.resource import ResourceRequest, name

Look = Callable[[Any, str], Description]


def find(operation: str, key: str, parameter: str) -> Look:
    """A description: the one thing that the operation lists for the ARN."""
    return lambda client, id: dict(getattr(client, operation)(**{parameter: [id]})[key][0])


def kind(noun: str, key: str, parameter: str) -> Kind:
    """The operations of one kind of thing, all named after it, and its ARN."""
    operations = {verb: f"{verb}_{noun}" for verb in ("create", "delete")}
    describe = find(f"describe_{noun}s", f"{key}s", f"{parameter}s")
    update = "" if noun == "load_balancer" else f"modify_{noun}"
    return Kind(
        "elbv2", operations["create"], describe, operations["delete"], parameter, answer="", update=update
    )


def made(of: Kind, key: str) -> Kind:
    """The kind, with the place of the ARN in the answer of its creation."""
    return replace(of, answer=f"{key}s.0.{of.key}")


BALANCER = made(kind("load_balancer", "LoadBalancer", "LoadBalancerArn"), "LoadBalancer")
TARGETS = made(kind("target_group", "TargetGroup", "TargetGroupArn"), "TargetGroup")
LISTENER = made(kind("listener", "Listener", "ListenerArn"), "Listener")
RULE = made(kind("rule", "Rule", "RuleArn"), "Rule")


def named(request: ResourceRequest, given: Description) -> Description:
    """The parameters with a name of at most 32 characters where none is stated."""
    if request.previous is None:
        given.setdefault("Name", name(request, maximum=32))
    return given


def full_name(request: ResourceRequest, found: Description, key: str) -> str:
    """The part of the ARN that metrics use as the name."""
    return str(found[key]).split(":", 5)[-1].partition("/")[2]


def balancer_names(request: ResourceRequest, found: Description) -> Description:
    """Name, full name and zone of the load balancer."""
    return {
        "LoadBalancerFullName": full_name(request, found, "LoadBalancerArn"),
        "CanonicalHostedZoneID": found.get("CanonicalHostedZoneId"),
    }


def target_names(request: ResourceRequest, found: Description) -> Description:
    """Full name of the target group and the load balancers that use it."""
    full = f"targetgroup/{full_name(request, found, 'TargetGroupArn')}"
    return {"TargetGroupFullName": full, "LoadBalancerArns": found.get("LoadBalancerArns", [])}


def settle_balancer(request: ResourceRequest, id: str) -> None:
    """Nothing; attributes, subnets, groups and address type of the load balancer are as stated."""
    client, stated, key = request.client("elbv2"), request.properties, {"LoadBalancerArn": id}
    settle_attributes(request, id, "load_balancer", "LoadBalancer")
    if request.previous is None:
        return
    if request.changed("Subnets", "SubnetMappings"):
        call(client, "set_subnets", {**key, **pick(stated, "Subnets SubnetMappings")})
    if request.changed("SecurityGroups"):
        call(client, "set_security_groups", {**key, **pick(stated, "SecurityGroups")})
    if request.changed("IpAddressType"):
        call(client, "set_ip_address_type", {**key, **pick(stated, "IpAddressType")})


def settle_attributes(request: ResourceRequest, id: str, noun: str, word: str) -> None:
    """Nothing; the attributes of the thing that the property lists are set."""
    stated = request.properties.get(f"{word}Attributes")
    if stated and request.changed(f"{word}Attributes"):
        given = {f"{word}Arn": id, "Attributes": stated}
        call(request.client("elbv2"), f"modify_{noun}_attributes", given)


def target(entry: Description) -> tuple[str, str]:
    """What tells one target from another."""
    return str(entry["Id"]), str(entry.get("Port", ""))


def settle_targets(request: ResourceRequest, id: str) -> None:
    """Nothing; attributes and registered targets of the group are as stated."""
    settle_attributes(request, id, "target_group", "TargetGroup")
    before = {target(entry): entry for entry in (request.previous or {}).get("Targets") or []}
    after = {target(entry): entry for entry in request.properties.get("Targets") or []}
    client, key = request.client("elbv2"), {"TargetGroupArn": id}
    if left := [entry for which, entry in before.items() if which not in after]:
        with gone_is_done("InvalidTarget"):
            call(client, "deregister_targets", {**key, "Targets": left})
    if new := [entry for which, entry in after.items() if which not in before]:
        call(client, "register_targets", {**key, "Targets": new})


def settle_rule(request: ResourceRequest, id: str) -> None:
    """Nothing; a changed priority is the rule's."""
    if request.previous is not None and request.changed("Priority"):
        priorities = [{"RuleArn": id, "Priority": request.properties["Priority"]}]
        call(request.client("elbv2"), "set_rule_priorities", {"RulePriorities": priorities})


HEALTH = (
    "HealthCheckEnabled HealthCheckIntervalSeconds HealthCheckPath HealthCheckPort HealthCheckProtocol "
    "HealthCheckTimeoutSeconds HealthyThresholdCount Matcher UnhealthyThresholdCount"
)
LISTENING = "Port Protocol DefaultActions Certificates SslPolicy AlpnPolicy MutualAuthentication"
NO_TRAFFIC = "no traffic runs through the load balancer"

PROVIDERS = (
    resource(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        BALANCER,
        "Name Type Scheme Subnets SubnetMappings SecurityGroups IpAddressType",
        set_later="LoadBalancerAttributes",
        shape=named,
        settle=settle_balancer,
        more=balancer_names,
        ignored={
            "MinimumLoadBalancerCapacity": NO_TRAFFIC,
            "EnableCapacityReservationProvisionStabilize": NO_TRAFFIC,
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": NO_TRAFFIC,
        },
    ),
    resource(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        TARGETS,
        f"Name Port Protocol ProtocolVersion VpcId TargetType IpAddressType {HEALTH}",
        HEALTH,
        set_later="TargetGroupAttributes Targets",
        shape=named,
        settle=settle_targets,
        more=target_names,
    ),
    resource(
        "AWS::ElasticLoadBalancingV2::Listener",
        LISTENER,
        f"LoadBalancerArn {LISTENING}",
        LISTENING,
        ignored={"ListenerAttributes": NO_TRAFFIC},
    ),
    resource(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        RULE,
        "ListenerArn Priority Conditions Actions",
        "Conditions Actions",
        settle=settle_rule,
    ),
)
