"""VPCs, subnets, interfaces and route tables from describe answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from aws_vpc.network import (
    Address,
    Block,
    NatGateway,
    NetworkInterface,
    PublicAssociation,
    Route,
    RouteTable,
    Subnet,
    Vpc,
    VpcEndpoint,
)
from aws_vpc.network_routes import BY_VPC, ROUTE_TARGETS
from aws_vpc.network_values import LOCAL

Answers = Mapping[str, Sequence[Mapping[str, Any]]]
UNFILTERED = {"nat_gateway", "transit_gateway", "network_load_balancer", "gateway_load_balancer"}
OWNER = re.compile(r"(?:nat|vpce|tgw-attach)-[0-9a-f]+")


def block(text: str) -> Block:
    """The block, host bits cleared as AWS does."""
    return ip_network(text, strict=False)


def vpcs(answers: Answers) -> dict[str, Vpc]:
    """The VPCs, with their DNS attributes where these are told."""
    attributes = {it["VpcId"]: it for it in answers.get("VpcAttributes", ())}
    return {row["VpcId"]: _vpc(row, attributes.get(row["VpcId"], {})) for row in answers.get("Vpcs", ())}


def _vpc(row: Mapping[str, Any], attributes: Mapping[str, Any]) -> Vpc:
    blocks = [row["CidrBlock"]] if row.get("CidrBlock") else []
    blocks += [it["CidrBlock"] for it in row.get("CidrBlockAssociationSet") or () if _standing(it)]
    blocks += [it["Ipv6CidrBlock"] for it in row.get("Ipv6CidrBlockAssociationSet") or () if _standing(it)]
    return Vpc(
        row["VpcId"],
        tuple(dict.fromkeys(map(block, blocks))),
        row.get("Region", ""),
        row.get("OwnerId", ""),
        bool(attributes.get("EnableDnsSupport", True)),
        bool(attributes.get("EnableDnsHostnames", row.get("IsDefault", False))),
    )


def _standing(association: Mapping[str, Any]) -> bool:
    state = association.get("CidrBlockState") or association.get("Ipv6CidrBlockState") or {}
    return str(state.get("State", "associated")) == "associated"


def subnets(answers: Answers) -> dict[str, Subnet]:
    """The subnets."""
    found = {}
    for row in answers.get("Subnets", ()):
        blocks = [row["CidrBlock"]] if row.get("CidrBlock") else []
        blocks += [
            it["Ipv6CidrBlock"] for it in row.get("Ipv6CidrBlockAssociationSet") or () if _standing(it)
        ]
        zone = row.get("AvailabilityZone") or row.get("AvailabilityZoneId") or ""
        cidrs = tuple(map(block, blocks))
        found[row["SubnetId"]] = Subnet(
            row["SubnetId"], row["VpcId"], zone, cidrs, bool(row.get("MapPublicIpOnLaunch"))
        )
    return found


def interfaces(
    answers: Answers,
    known: Mapping[str, Subnet],
    endpoints: Mapping[str, VpcEndpoint],
    nats: Mapping[str, NatGateway],
) -> dict[str, NetworkInterface]:
    """The interfaces; those of endpoints and NAT gateways by what these say of themselves."""
    owners = {eni: it["VpcEndpointId"] for it in answers.get("VpcEndpoints", ()) for eni in _enis(it)}
    groups = {
        it["VpcEndpointId"]: tuple(group["GroupId"] for group in it.get("Groups") or ())
        for it in answers.get("VpcEndpoints", ())
    }
    for nat in nats.values():
        owners |= {at.interface: nat.id for at in nat.addresses if at.interface}
    taken = _taken(answers, known)
    found = {}
    for row in answers.get("NetworkInterfaces", ()):
        made = _interface(row, owners.get(row["NetworkInterfaceId"], ""), known, groups, taken)
        taken |= {(made.vpc, address) for address in made.addresses}
        found[made.id] = made
    return found


def _taken(answers: Answers, known: Mapping[str, Subnet]) -> set[tuple[str, Address]]:
    """The addresses that interfaces have in their own subnets."""
    found = set()
    for row in answers.get("NetworkInterfaces", ()):
        subnet = known.get(row.get("SubnetId", ""))
        for address in _stated(row):
            if subnet and any(address in cidr for cidr in subnet.cidrs):
                found.add((subnet.vpc, address))
    return found


def _enis(row: Mapping[str, Any]) -> list[str]:
    return [str(it) for it in row.get("NetworkInterfaceIds") or ()]


def _interface(
    row: Mapping[str, Any],
    owner: str,
    known: Mapping[str, Subnet],
    groups: Mapping[str, tuple[str, ...]],
    taken: set[tuple[str, Address]],
) -> NetworkInterface:
    owner = owner or _owner(row)
    kind = row.get("InterfaceType") or "interface"
    if owner.startswith("nat-"):
        kind = "nat_gateway"
    elif owner in groups:
        kind = "vpc_endpoint"
    own = tuple(group["GroupId"] for group in row.get("Groups") or row.get("GroupSet") or ())
    own = () if kind == "nat_gateway" else groups.get(owner) or own
    vpc = row.get("VpcId") or (known[row["SubnetId"]].vpc if row.get("SubnetId") in known else "")
    return NetworkInterface(
        row["NetworkInterfaceId"],
        row.get("SubnetId", ""),
        vpc,
        _addresses(row, known.get(row.get("SubnetId", "")), taken),
        own,
        _public(row),
        bool(row.get("SourceDestCheck", True)) and kind != "nat_gateway",
        owner,
        kind,
        bool(own) or kind not in UNFILTERED,
    )


def _owner(row: Mapping[str, Any]) -> str:
    instance = (row.get("Attachment") or {}).get("InstanceId")
    if instance:
        return str(instance)
    if row.get("Owner"):
        return str(row["Owner"])
    told = str(row.get("Description", ""))
    if told.startswith("ELB "):  # an interface of app/NAME/ID or net/NAME/ID
        return told.removeprefix("ELB ")
    found = OWNER.search(told)
    return found[0] if found else ""


def _addresses(
    row: Mapping[str, Any], subnet: Subnet | None, taken: set[tuple[str, Address]]
) -> tuple[Address, ...]:
    """Its addresses; one outside its subnet, which AWS never gives, is put inside."""
    known = _stated(row)
    if subnet is None:
        return tuple(known)
    inside = [address for address in known if any(address in cidr for cidr in subnet.cidrs)]
    return tuple(inside) if inside else (free_address(subnet, taken),)


def _stated(row: Mapping[str, Any]) -> list[Address]:
    private = [it["PrivateIpAddress"] for it in row.get("PrivateIpAddresses") or ()]
    if not private and row.get("PrivateIpAddress"):
        private = [row["PrivateIpAddress"]]
    v6 = [it["Ipv6Address"] for it in row.get("Ipv6Addresses") or ()]
    return [ip_address(text) for text in (*private, *v6)]


def free_address(subnet: Subnet, taken: set[tuple[str, Address]], within: Block | None = None) -> Address:
    """The first address that EC2 might give: the first four and the last of a block are its own."""
    cidr = within or subnet.cidrs[0]
    for number in range(int(cidr.network_address) + 4, int(cidr.broadcast_address)):
        address = ip_address(number)
        if (subnet.vpc, address) not in taken:
            return address
    return cidr.broadcast_address


def _public(row: Mapping[str, Any]) -> tuple[PublicAssociation, ...]:
    rows = list(row.get("PrivateIpAddresses") or ()) or [row]
    found = [
        PublicAssociation(ip_address(it["PrivateIpAddress"]), ip_address(it["Association"]["PublicIp"]))
        for it in rows
        if (it.get("Association") or {}).get("PublicIp")
    ]
    if not found and (row.get("Association") or {}).get("PublicIp"):
        found = [
            PublicAssociation(ip_address(row["PrivateIpAddress"]), ip_address(row["Association"]["PublicIp"]))
        ]
    return tuple(found)


def route_tables(answers: Answers) -> dict[str, RouteTable]:
    """The route tables, the local routes of all their VPC's blocks among them."""
    cidrs = {name: vpc.cidrs for name, vpc in vpcs(answers).items()}
    found = {}
    for row in answers.get("RouteTables", ()):
        links = [it for it in row.get("Associations") or () if _associated(it)]
        routes = tuple(it for it in map(_route, row.get("Routes") or ()) if it)
        stated = {it.destination for it in routes}
        missing = (Route(LOCAL, it, origin=BY_VPC) for it in cidrs.get(row["VpcId"], ()) if it not in stated)
        found[row["RouteTableId"]] = RouteTable(
            row["RouteTableId"],
            row["VpcId"],
            (*missing, *routes),
            tuple(it["SubnetId"] for it in links if it.get("SubnetId")),
            tuple(it["GatewayId"] for it in links if it.get("GatewayId")),
            any(it.get("Main") for it in links),
            bool(row.get("RoutesUnknown")),
        )
    return found


def _associated(association: Mapping[str, Any]) -> bool:
    state = association.get("AssociationState") or {}
    return str(state.get("State", "associated")) in ("associated", "associating")


def _route(row: Mapping[str, Any]) -> Route | None:
    destination = row.get("DestinationCidrBlock") or row.get("DestinationIpv6CidrBlock")
    listed = row.get("DestinationPrefixListId")
    if not destination and not listed:
        return None
    target = next((str(row[key]) for key in ROUTE_TARGETS if row.get(key)), "")
    return Route(
        target or "nothing",
        block(destination) if destination else None,
        str(listed) if listed else None,
        row.get("State") or "active",
        row.get("Origin") or (BY_VPC if target == LOCAL else "CreateRoute"),
    )
