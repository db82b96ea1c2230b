"""AWS's describe answers to a Network.

    answers = {"Vpcs": [...], "Subnets": [...], "RouteTables": [...], ...}  named after AWS's result members
    build(answers) -> Network

Templates, snapshots and live accounts all come this way. What AWS's API has no interface for (databases,
jobs) gets one per subnet; facts that contradict each other are told by network_faults.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aws_vpc.network import Label, Network
from aws_vpc.network_answers_filters import acls, groups, prefix_lists
from aws_vpc.network_answers_gateways import (
    attachments,
    egress_only_gateways,
    endpoints,
    internet_gateways,
    nat_gateways,
    peerings,
    transit_gateways,
    transit_tables,
    unmodelled,
)
from aws_vpc.network_answers_services import instances, load_balancers, services, target_groups, with_services
from aws_vpc.network_answers_vpc import interfaces, route_tables, subnets, vpcs

Answers = Mapping[str, Sequence[Mapping[str, Any]]]
NO_ACLS = "no network ACLs are told (NetworkAcls): all of them are taken to allow everything"


def build(answers: Answers) -> Network:
    """The network that the answers describe."""
    known_subnets = subnets(answers)
    found_endpoints, found_nats = endpoints(answers), nat_gateways(answers)
    found_services = services(answers)
    eni = interfaces(answers, known_subnets, found_endpoints, found_nats)
    eni = with_services(answers, eni, known_subnets, found_services)
    found_vpcs, found_attachments = vpcs(answers), attachments(answers)
    return Network(
        vpcs=found_vpcs,
        subnets=known_subnets,
        interfaces=eni,
        instances=instances(answers),
        services={it.id: it for it in found_services},
        route_tables=route_tables(answers),
        acls=acls(answers),
        groups=groups(answers),
        prefix_lists=prefix_lists(answers),
        internet_gateways=internet_gateways(answers),
        egress_only_gateways=egress_only_gateways(answers),
        nat_gateways=placed(found_nats, eni),
        peerings=peerings(answers),
        endpoints=found_endpoints,
        transit_gateways=transit_gateways(answers),
        attachments=found_attachments,
        transit_tables=transit_tables(answers, found_vpcs, found_attachments),
        load_balancers=load_balancers(answers),
        target_groups=target_groups(answers),
        unmodelled=unmodelled(answers),
        labels=labels(answers),
        block_public_access=next(
            (it["InternetGatewayBlockMode"] for it in answers.get("VpcBlockPublicAccessOptions", ())), "off"
        ),
        warnings=() if "NetworkAcls" in answers else (NO_ACLS,),
    )


def placed(nats: Mapping[str, Any], eni: Mapping[str, Any]) -> dict[str, Any]:
    """The NAT gateways with the private addresses that their interfaces have."""

    def one(nat: Any) -> Any:
        known = [
            replace(at, private=eni[at.interface].addresses[0]) if at.interface in eni else at
            for at in nat.addresses
        ]
        return replace(nat, addresses=tuple(known))

    return {name: one(nat) for name, nat in nats.items()}


IDS = {
    "Vpcs": "VpcId",
    "Subnets": "SubnetId",
    "NetworkInterfaces": "NetworkInterfaceId",
    "RouteTables": "RouteTableId",
    "NetworkAcls": "NetworkAclId",
    "SecurityGroups": "GroupId",
    "ManagedPrefixLists": "PrefixListId",
    "PrefixLists": "PrefixListId",
    "InternetGateways": "InternetGatewayId",
    "NatGateways": "NatGatewayId",
    "EgressOnlyInternetGateways": "EgressOnlyInternetGatewayId",
    "VpcPeeringConnections": "VpcPeeringConnectionId",
    "VpcEndpoints": "VpcEndpointId",
    "TransitGateways": "TransitGatewayId",
    "TransitGatewayAttachments": "TransitGatewayAttachmentId",
    "TransitGatewayVpcAttachments": "TransitGatewayAttachmentId",
    "TransitGatewayRouteTables": "TransitGatewayRouteTableId",
    "LoadBalancers": "LoadBalancerArn",
    "TargetGroups": "TargetGroupArn",
    "DBInstances": "DBInstanceIdentifier",
    "Clusters": "ClusterIdentifier",
    "Workgroups": "workgroupName",
    "ComputeEnvironments": "computeEnvironmentName",
    "VpnGateways": "VpnGatewayId",
    "Environments": "EnvironmentId",
}
STACK = "AWS::CloudFormation::Stack"
NAMES = ("GroupName", "PrefixListName", "LoadBalancerName", "TargetGroupName", "EnvironmentName")
ARNS = (
    "DBInstanceArn",
    "ClusterNamespaceArn",
    "workgroupArn",
    "computeEnvironmentArn",
    "LoadBalancerArn",
    "TransitGatewayArn",
    "PrefixListArn",
)


def labels(answers: Answers) -> dict[str, Label]:
    """What people call each component: Name tag or own name, logical path, ARN."""
    found, paths = {}, stack_paths(answers)
    rows = [(key, row) for key in IDS for row in answers.get(key, ())]
    rows += [("", row) for group in answers.get("Reservations", ()) for row in group.get("Instances", ())]
    for key, row in rows:
        tags = _tags(row)
        name = tags.get("Name") or next((str(row[it]) for it in NAMES if row.get(it)), "")
        arn = next((str(row[it]) for it in ARNS if row.get(it)), "")
        id = str(row[IDS.get(key, "InstanceId")])
        logical = str(row.get("LogicalPath") or "") or paths.get(id) or paths.get(arn) or _by_tags(tags)
        if name or arn or logical:
            found[id] = Label(name, logical, arn)
    for id, path in paths.items():  # what only its stack names, such as a Beanstalk environment
        found.setdefault(id, Label(logical=path))
    return found


def _by_tags(tags: Mapping[str, str]) -> str:
    wanted = ("aws:cloudformation:stack-name", "aws:cloudformation:logical-id")
    return "/".join(tags[it] for it in wanted if it in tags)


def stack_paths(answers: Answers) -> dict[str, str]:
    """The logical path of each physical id that a stack made, from the root stack's name on."""
    rows = list(answers.get("StackResources", ()))
    children = {row["PhysicalResourceId"]: row for row in rows if row.get("ResourceType") == STACK}
    paths: dict[str, str] = {}

    def path(row: Mapping[str, Any]) -> str:
        parent = children.get(row["StackId"])
        above = path(parent) if parent is not None and parent is not row else str(row["StackName"])
        return f"{above}/{row['LogicalResourceId']}"

    for row in rows:
        if row.get("PhysicalResourceId") and row.get("ResourceType") != STACK:
            paths[str(row["PhysicalResourceId"])] = path(row)
    return paths


def _tags(row: Mapping[str, Any]) -> dict[str, str]:
    given = row.get("Tags") or row.get("TagSet") or row.get("TagList") or row.get("tags") or []
    if isinstance(given, Mapping):
        return {str(key): str(value) for key, value in given.items()}
    return {str(tag.get("Key", tag.get("key"))): str(tag.get("Value", tag.get("value", ""))) for tag in given}
