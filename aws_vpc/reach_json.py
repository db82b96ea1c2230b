"""A trace as AWS's NetworkInsightsAnalysis (EC2 API reference, API_NetworkInsightsAnalysis), field by field.

What AWS has no field for stands under `AwsVpc`: the verdict, blockers of both directions with their changes,
assumptions, what is not modelled, and the client ports that get answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_vpc.network import (
    AclEntry,
    Network,
    Route,
    SecurityGroupRule,
    TransitGatewayRoute,
    Verdict,
)
from aws_vpc.reach_types import Blocker, Hop, Packet, Trace

OWN = "AwsVpc"
COMPONENTS = {
    "Acl", "RouteTable", "Subnet", "Vpc", "SourceVpc", "DestinationVpc", "NetworkInterface",
    "InternetGateway",
    "NatGateway", "VpcPeeringConnection", "VpcEndpoint", "TransitGateway", "TransitGatewayAttachment",
    "TransitGatewayRouteTable", "SecurityGroup",
}  # fmt: skip
TARGETS = (
    ("nat_gateways", "NatGatewayId"),
    ("transit_gateways", "TransitGatewayId"),
    ("peerings", "VpcPeeringConnectionId"),
    ("interfaces", "NetworkInterfaceId"),
    ("instances", "InstanceId"),
    ("egress_only_gateways", "EgressOnlyInternetGatewayId"),
)
ARNS = {
    "Vpc": "vpc", "Subnet": "subnet", "NetworkInterface": "network-interface", "Instance": "instance",
    "RouteTable": "route-table", "Acl": "network-acl", "SecurityGroup": "security-group",
    "InternetGateway": "internet-gateway", "EgressOnlyInternetGateway": "egress-only-internet-gateway",
    "NatGateway": "natgateway", "PeeringConnection": "vpc-peering-connection", "VpcEndpoint": "vpc-endpoint",
    "TransitGateway": "transit-gateway", "TransitGatewayAttachment": "transit-gateway-attachment",
    "TransitGatewayRouteTable": "transit-gateway-route-table", "PrefixList": "prefix-list",
}  # fmt: skip


def analysis(network: Network, trace: Trace, region: str = "", account: str = "") -> dict[str, Any]:
    """The analysis: path components there and back, explanations, and our own key."""
    shown = Showing(network, region, account)
    found = trace.verdict == Verdict.REACHABLE
    answer: dict[str, Any] = {
        "Status": "failed" if trace.verdict == Verdict.UNKNOWN else "succeeded",
        "NetworkPathFound": found,
    }
    if trace.missing:
        answer["StatusMessage"] = f"not modelled: {'; '.join(trace.missing)}"
    if found:
        answer["ForwardPathComponents"] = shown.path(trace.forward)
        answer["ReturnPathComponents"] = shown.path(trace.back)
    else:
        blocked = [*trace.blockers, *trace.return_blockers]
        answer["Explanations"] = [shown.explanation(it) for it in blocked]
    answer[OWN] = {
        "Verdict": str(trace.verdict),
        "Blockers": [shown.blocker(it) for it in trace.blockers],
        "ReturnBlockers": [shown.blocker(it) for it in trace.return_blockers],
        "Assumptions": list(trace.assumptions),
        "NotModelled": list(trace.missing),
        "AnsweredPorts": _ranges(trace.answered),
        "WholeClientRangeAnswered": trace.whole_range_answered,
        "DestinationPorts": _ranges(trace.ports),
        "PartialPathComponents": [] if found else shown.path(trace.forward),
    }
    return answer


def _ranges(ports: Sequence[Any]) -> list[dict[str, int]]:
    return [{"From": it.first, "To": it.last} for it in ports]


class Showing:
    """The parts of a trace in AWS's shapes, for one network in one account and Region."""

    def __init__(self, network: Network, region: str, account: str) -> None:
        self.network, self.region, self.account = network, region, account

    def component(self, id: str) -> dict[str, str]:
        """AnalysisComponent: id, ARN where AWS has one, name."""
        label, found = self.network.label(id), self.network.components.get(id)
        kind = ARNS.get(type(found).__name__, "")
        arn = label.arn or (
            f"arn:aws:ec2:{self.region}:{self.account}:{kind}/{id}" if kind and self.region else ""
        )
        named = {"Id": id, "Arn": arn, "Name": label.name}
        return {key: value for key, value in named.items() if value}

    def path(self, hops: Sequence[Hop]) -> list[dict[str, Any]]:
        """PathComponents, numbered from 1, with headers where the packet was changed, begins and ends."""
        shown: list[dict[str, Any]] = []
        before: Packet | None = None
        for number, hop in enumerate(hops, 1):
            row: dict[str, Any] = {"SequenceNumber": number, "Component": self.component(hop.component)}
            for key, id in (("AttachedTo", hop.attached_to), ("Subnet", hop.subnet), ("Vpc", hop.vpc)):
                if id and id != hop.component:
                    row[key] = self.component(id)
            changed = before is not None and _ends(before) != _ends(hop.packet)
            if before is not None and (changed or number == len(hops)):
                row["InboundHeader"] = header(before)
            if changed or number == 1:
                row["OutboundHeader"] = header(hop.packet)
            row |= self.rule(hop.rule, hop.component)
            shown.append(row)
            before = hop.packet
        return shown

    def rule(self, rule: Any, at: str) -> dict[str, Any]:
        """The rule, route or entry that decided, under AWS's name for it."""
        if isinstance(rule, AclEntry):
            return {"AclRule": acl_rule(rule)}
        if isinstance(rule, SecurityGroupRule):
            return {"SecurityGroupRule": group_rule(rule, at)}
        if isinstance(rule, Route):
            return {"RouteTableRoute": self.route(rule)}
        if isinstance(rule, TransitGatewayRoute):
            return {"TransitGatewayRouteTableRoute": self.transit_route(rule)}
        return {}

    def route(self, rule: Route) -> dict[str, Any]:
        """AnalysisRouteTableRoute."""
        key = next(
            (name for kind, name in TARGETS if rule.target in getattr(self.network, kind)), "GatewayId"
        )
        row = {"Origin": rule.origin, "State": rule.state, key: rule.target}
        if rule.destination:
            row["DestinationCidr"] = str(rule.destination)
        if rule.prefix_list:
            row["DestinationPrefixListId"] = rule.prefix_list
        return row

    def transit_route(self, rule: TransitGatewayRoute) -> dict[str, Any]:
        """TransitGatewayRouteTableRoute."""
        attachment = self.network.attachments.get(rule.attachment or "")
        row = {"State": rule.state, "RouteOrigin": rule.origin}
        if rule.destination:
            row["DestinationCidr"] = str(rule.destination)
        if rule.prefix_list:
            row["PrefixListId"] = rule.prefix_list
        if rule.attachment:
            row["AttachmentId"] = rule.attachment
        if attachment:
            row |= {"ResourceId": attachment.resource, "ResourceType": attachment.kind}
        return row

    def explanation(self, blocker: Blocker) -> dict[str, Any]:
        """Explanation: the code, the component, and what belongs to it."""
        row: dict[str, Any] = {
            "ExplanationCode": blocker.code,
            "Component": self.component(blocker.component),
        }
        if blocker.direction:
            row["Direction"] = blocker.direction
        for key, value in blocker.refers.items():
            if key == "SecurityGroups":
                row[key] = [self.component(it) for it in value]
            elif isinstance(value, str):
                row[key] = self.component(value) if key in COMPONENTS else value
        row |= self.rule(blocker.rule, blocker.component)
        if blocker.packet and blocker.packet.ports:
            row["PortRanges"] = _ranges(blocker.packet.ports)
        if blocker.packet:
            row["Protocols"] = [str(blocker.packet.protocol)]
        return row

    def blocker(self, blocker: Blocker) -> dict[str, Any]:
        """The explanation with the change that lifts it."""
        return {**self.explanation(blocker), "Change": blocker.change}


def _ends(packet: Packet) -> tuple[object, object]:
    return packet.source, packet.destination


def header(packet: Packet) -> dict[str, Any]:
    """AnalysisPacketHeader."""
    row: dict[str, Any] = {
        "DestinationAddresses": [_cidr(packet.destination)],
        "Protocol": str(packet.protocol),
    }
    if packet.source is not None:
        row["SourceAddresses"] = [_cidr(packet.source)]
    if packet.ports:
        row["DestinationPortRanges"] = _ranges(packet.ports)
        row["SourcePortRanges"] = _ranges([packet.source_ports])
    return row


def _cidr(address: Any) -> str:
    return f"{address}/{address.max_prefixlen}"


def acl_rule(rule: AclEntry) -> dict[str, Any]:
    """AnalysisAclRule."""
    row: dict[str, Any] = {
        "Cidr": str(rule.block),
        "Egress": rule.egress,
        "Protocol": "all" if rule.protocol == -1 else str(rule.protocol),
        "RuleAction": "allow" if rule.allow else "deny",
        "RuleNumber": rule.number,
    }
    if rule.ports:
        row["PortRange"] = {"From": rule.ports.first, "To": rule.ports.last}
    return row


def group_rule(rule: SecurityGroupRule, group: str) -> dict[str, Any]:
    """AnalysisSecurityGroupRule."""
    row: dict[str, Any] = {
        "Direction": "egress" if rule.egress else "ingress",
        "Protocol": "all" if rule.protocol == -1 else str(rule.protocol),
    }
    peer = {
        "Cidr": rule.block and str(rule.block),
        "SecurityGroupId": rule.group,
        "PrefixListId": rule.prefix_list,
    }
    row |= {key: value for key, value in peer.items() if value}
    if rule.ports:
        row["PortRange"] = {"From": rule.ports.first, "To": rule.ports.last}
    return row
