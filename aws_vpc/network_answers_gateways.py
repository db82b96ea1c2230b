"""Gateways, peering, endpoints and transit gateways from describe answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from aws_vpc.network import (
    EgressOnlyInternetGateway,
    InternetGateway,
    NatAddress,
    NatGateway,
    PeeringConnection,
    PeeringSide,
    TransitGateway,
    TransitGatewayAttachment,
    TransitGatewayRoute,
    TransitGatewayRouteTable,
    Unmodelled,
    Vpc,
    VpcEndpoint,
)
from aws_vpc.network_answers_vpc import block

Answers = Mapping[str, Sequence[Mapping[str, Any]]]
Row = Mapping[str, Any]


def _attached(row: Row) -> str | None:
    standing = ("available", "attached", "attaching")
    return next(
        (it["VpcId"] for it in row.get("Attachments") or () if it.get("State", "available") in standing), None
    )


def internet_gateways(answers: Answers) -> dict[str, InternetGateway]:
    """The internet gateways and what they are attached to."""
    rows = answers.get("InternetGateways", ())
    return {
        row["InternetGatewayId"]: InternetGateway(row["InternetGatewayId"], _attached(row)) for row in rows
    }


def egress_only_gateways(answers: Answers) -> dict[str, EgressOnlyInternetGateway]:
    """The egress-only internet gateways and what they are attached to."""
    key, rows = "EgressOnlyInternetGatewayId", answers.get("EgressOnlyInternetGateways", ())
    return {row[key]: EgressOnlyInternetGateway(row[key], _attached(row)) for row in rows}


def nat_gateways(answers: Answers) -> dict[str, NatGateway]:
    """The NAT gateways."""
    found = {}
    for row in answers.get("NatGateways", ()):
        addresses = tuple(map(_nat_address, row.get("NatGatewayAddresses") or ()))
        found[row["NatGatewayId"]] = NatGateway(
            row["NatGatewayId"],
            row["VpcId"],
            row.get("SubnetId") or None,
            addresses,
            row.get("ConnectivityType") or "public",
            row.get("AvailabilityMode") or "zonal",
            row.get("State") or "available",
        )
    return found


def _nat_address(row: Row) -> NatAddress:
    private, public = row.get("PrivateIp"), row.get("PublicIp")
    return NatAddress(
        ip_address(private) if private else None,
        ip_address(public) if public else None,
        row.get("NetworkInterfaceId"),
        row.get("AvailabilityZone"),
    )


def peerings(answers: Answers) -> dict[str, PeeringConnection]:
    """The peering connections."""
    key = "VpcPeeringConnectionId"
    return {
        row[key]: PeeringConnection(
            row[key],
            _side(row.get("RequesterVpcInfo") or {}),
            _side(row.get("AccepterVpcInfo") or {}),
            (row.get("Status") or {}).get("Code", "active"),
        )
        for row in answers.get("VpcPeeringConnections", ())
    }


def _side(row: Row) -> PeeringSide:
    blocks = [row["CidrBlock"]] if row.get("CidrBlock") else []
    blocks += [it["CidrBlock"] for it in row.get("CidrBlockSet") or ()]
    blocks += [it["Ipv6CidrBlock"] for it in row.get("Ipv6CidrBlockSet") or ()]
    options = row.get("PeeringOptions") or {}
    return PeeringSide(
        row.get("VpcId", ""),
        tuple(dict.fromkeys(map(block, blocks))),
        row.get("Region", ""),
        row.get("OwnerId", ""),
        bool(options.get("AllowDnsResolutionFromRemoteVpc")),
    )


def endpoints(answers: Answers) -> dict[str, VpcEndpoint]:
    """The gateway and interface endpoints, with the prefix lists that route tables name for them."""
    lists = {
        route.get("GatewayId"): route["DestinationPrefixListId"]
        for table in answers.get("RouteTables", ())
        for route in table.get("Routes") or ()
        if route.get("DestinationPrefixListId")
    }
    return {
        row["VpcEndpointId"]: VpcEndpoint(
            row["VpcEndpointId"],
            row["VpcId"],
            row.get("VpcEndpointType") or "Gateway",
            row.get("ServiceName", ""),
            lists.get(row["VpcEndpointId"]),
            bool(row.get("PrivateDnsEnabled")) and row.get("VpcEndpointType") == "Interface",
            (row.get("State") or "available").lower(),
        )
        for row in answers.get("VpcEndpoints", ())
        if (row.get("VpcEndpointType") or "Gateway") in ("Gateway", "Interface")
    }


def transit_gateways(answers: Answers) -> dict[str, TransitGateway]:
    """The transit gateways."""
    return {
        row["TransitGatewayId"]: TransitGateway(
            row["TransitGatewayId"],
            (row.get("Options") or {}).get("SecurityGroupReferencingSupport") == "enable",
            row.get("State") or "available",
            row.get("Region", ""),
        )
        for row in answers.get("TransitGateways", ())
    }


def attachments(answers: Answers) -> dict[str, TransitGatewayAttachment]:
    """The attachments of VPCs and of other transit gateways."""
    found = {}
    for row in answers.get("TransitGatewayVpcAttachments", ()):
        options = row.get("Options") or {}
        found[row["TransitGatewayAttachmentId"]] = TransitGatewayAttachment(
            row["TransitGatewayAttachmentId"],
            row["TransitGatewayId"],
            row["VpcId"],
            "vpc",
            tuple(row.get("SubnetIds") or ()),
            row.get("State") or "available",
            options.get("ApplianceModeSupport") == "enable",
            options.get("SecurityGroupReferencingSupport", "enable") == "enable",
            options.get("Ipv6Support") == "enable",
        )
    for row in answers.get("TransitGatewayPeeringAttachments", ()):
        if not (row.get("AccepterTgwInfo") or {}).get("TransitGatewayId"):
            continue
        found[row["TransitGatewayAttachmentId"]] = TransitGatewayAttachment(
            row["TransitGatewayAttachmentId"],
            (row.get("RequesterTgwInfo") or {}).get("TransitGatewayId", ""),
            (row.get("AccepterTgwInfo") or {}).get("TransitGatewayId", ""),
            "peering",
            state=row.get("State") or "available",
        )
    return found


def transit_tables(
    answers: Answers, vpcs: Mapping[str, Vpc], known: Mapping[str, TransitGatewayAttachment]
) -> dict[str, TransitGatewayRouteTable]:
    """The route tables of transit gateways; what is propagated is derived from the attached VPCs' blocks."""
    associated = _associations(answers)
    key, found = "TransitGatewayRouteTableId", {}
    for row in answers.get("TransitGatewayRouteTables", ()):
        name = row[key]
        propagations = list(_listed(answers, "TransitGatewayPropagations", name))
        routes = [
            *map(_transit_route, _listed(answers, "TransitGatewayStaticRoutes", name)),
            *map(_transit_route, _listed(answers, "TransitGatewayPropagatedRoutes", name)),
            *_propagated(propagations, vpcs, known),
        ]
        found[name] = TransitGatewayRouteTable(
            name,
            row["TransitGatewayId"],
            tuple(dict.fromkeys(routes)),
            tuple(dict.fromkeys(associated.get(name, ()))),
            tuple(it["TransitGatewayAttachmentId"] for it in propagations),
        )
    return found


def _associations(answers: Answers) -> dict[str, list[str]]:
    """The attachments of each table: an attachment has one, and never one that the gateway has turned off."""
    off = {
        row["TransitGatewayId"]
        for row in answers.get("TransitGateways", ())
        if (row.get("Options") or {}).get("DefaultRouteTableAssociation") == "disable"
    }
    unused = {
        row["TransitGatewayRouteTableId"]
        for row in answers.get("TransitGatewayRouteTables", ())
        if row.get("DefaultAssociationRouteTable") and row["TransitGatewayId"] in off
    }
    links = {
        row["TransitGatewayAttachmentId"]: (row.get("Association") or {}).get("TransitGatewayRouteTableId")
        for row in answers.get("TransitGatewayAttachments", ())
        if (row.get("Association") or {}).get("State", "associated") == "associated"
    }
    for row in answers.get("TransitGatewayAssociations", ()):
        for one in row.get("Associations") or ():
            if row["TransitGatewayRouteTableId"] not in unused:
                links[one["TransitGatewayAttachmentId"]] = row["TransitGatewayRouteTableId"]
    found: dict[str, list[str]] = {}
    for attachment, table in links.items():
        if table and table not in unused:
            found.setdefault(table, []).append(attachment)
    return found


MEMBERS = ("Routes", "TransitGatewayRouteTablePropagations")


def _listed(answers: Answers, key: str, table: str) -> Iterator[Row]:
    for row in answers.get(key, ()):
        if row.get("TransitGatewayRouteTableId") == table:
            for member in MEMBERS:
                yield from row.get(member) or ()


def _transit_route(row: Row) -> TransitGatewayRoute:
    attached: Row = next(iter(row.get("TransitGatewayAttachments") or ()), {})
    destination = row.get("DestinationCidrBlock")
    return TransitGatewayRoute(
        attached.get("TransitGatewayAttachmentId"),
        block(destination) if destination else None,
        row.get("PrefixListId"),
        row.get("State") or "active",
        row.get("Type") or "static",
    )


def _propagated(
    propagations: Sequence[Row], vpcs: Mapping[str, Vpc], known: Mapping[str, TransitGatewayAttachment]
) -> Iterator[TransitGatewayRoute]:
    """A route for each block of a VPC; an equal block of a VPC that came later is not propagated."""
    seen = set()
    for row in propagations:
        attachment = known.get(row["TransitGatewayAttachmentId"])
        if attachment is None or row.get("State", "enabled") != "enabled":
            continue
        for cidr in vpcs[attachment.resource].cidrs if attachment.resource in vpcs else ():
            if cidr not in seen and (cidr.version == 4 or attachment.ipv6_support):
                seen.add(cidr)
                yield TransitGatewayRoute(attachment.id, cidr, origin="propagated")


def unmodelled(answers: Answers) -> dict[str, Unmodelled]:
    """What exists and is not modelled."""
    found = [
        Unmodelled(row["VpnGatewayId"], "virtual private gateway", "VPN and BGP are not modelled")
        for row in answers.get("VpnGateways", ())
    ]
    found += [
        Unmodelled(row["VpcEndpointId"], f"{row['VpcEndpointType']} endpoint", "not modelled", row["VpcId"])
        for row in answers.get("VpcEndpoints", ())
        if (row.get("VpcEndpointType") or "Gateway") not in ("Gateway", "Interface")
    ]
    found += [
        Unmodelled(row["TransitGatewayAttachmentId"], f"{row.get('ResourceType')} attachment", "not modelled")
        for row in answers.get("TransitGatewayAttachments", ())
        if row.get("ResourceType") not in ("vpc", "peering")
    ]
    for table in answers.get("RouteTables", ()):
        for route in table.get("Routes") or ():
            for key, kind in (
                ("CarrierGatewayId", "carrier gateway"),
                ("LocalGatewayId", "local gateway"),
                ("CoreNetworkArn", "core network"),
            ):
                if route.get(key):
                    found.append(Unmodelled(route[key], kind, "not modelled"))
    return {it.id: it for it in found}
