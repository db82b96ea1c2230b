"""The describe answers of templates as they grow: rows, interfaces, addresses that EC2 will choose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import count, islice
from typing import Any

from aws_vpc.network_template import Declared

Answers = dict[str, list[dict[str, Any]]]
Row = dict[str, Any]
# TEST-NET-2 (RFC 5737) stands for addresses that EC2 will choose.
PUBLIC = int(ip_address("198.51.100.1"))


@dataclass
class Making:
    """The answers as they grow."""

    declared: list[Declared]
    region: str
    answers: Answers
    public: int = PUBLIC

    def of(self, *types: str) -> Iterator[Declared]:
        """The declared resources of these types, given without `AWS::EC2::`."""
        wanted = {it if "::" in it else f"AWS::EC2::{it}" for it in types}
        return (it for it in self.declared if it.type in wanted)

    def add(self, key: str, row: Row) -> Row:
        """The row, now among the answers."""
        self.answers.setdefault(key, []).append(row)
        return row

    def find(self, key: str, member: str, value: Any) -> Row:
        """The row whose member has the value; an empty one where there is none."""
        return next((row for row in self.answers.get(key, ()) if row.get(member) == value), {})

    def public_address(self) -> str:
        """An address of the internet that nothing else has."""
        self.public += 1
        return str(ip_address(self.public))


def truth(value: Any) -> bool:
    """Whether a template's boolean is true."""
    return str(value).lower() == "true"


def tagged(it: Declared, more: Row) -> Row:
    """A row with the resource's tags and its logical path."""
    tags = it.properties.get("Tags") or []
    return {**more, "Tags": tags if isinstance(tags, list) else [], "LogicalPath": it.path}


def zone(making: Making, subnet: str) -> str:
    """The zone of a subnet."""
    return str(making.find("Subnets", "SubnetId", subnet).get("AvailabilityZone", subnet))


def interface(
    making: Making,
    name: str,
    subnet: str,
    groups: Sequence[Row],
    kind: str = "interface",
    owner: str = "",
    *,
    ipv6: int = 0,
) -> Row:
    """A new interface in the subnet, with the next free address, and as many of IPv6 as are asked for."""
    place = making.find("Subnets", "SubnetId", subnet)
    row = {
        "NetworkInterfaceId": name,
        "SubnetId": subnet,
        "VpcId": place.get("VpcId", ""),
        "Groups": list(groups),
        "InterfaceType": kind,
        "SourceDestCheck": True,
        "Owner": owner,
    }
    if place.get("CidrBlock"):
        row["PrivateIpAddress"] = next_address(making, place)
        row["PrivateIpAddresses"] = [{"PrivateIpAddress": row["PrivateIpAddress"], "Primary": True}]
    block = next((it["Ipv6CidrBlock"] for it in place.get("Ipv6CidrBlockAssociationSet", ())), None)
    if block:
        row["Ipv6Addresses"] = [{"Ipv6Address": it} for it in islice(ipv6_addresses(making, block), ipv6)]
    # One in a subnet that stands already is out of sight, as are that subnet's table and ACL.
    return making.add("NetworkInterfaces", row) if place else row


def ipv6_count(making: Making, subnet: str, *stated: Any) -> int:
    """How many IPv6 addresses an interface gets: the first number stated, else what its subnet gives."""
    told = next((int(it) for it in stated if it is not None), None)
    place = making.find("Subnets", "SubnetId", subnet)
    return int(bool(place.get("AssignIpv6AddressOnCreation"))) if told is None else told


def ipv6_addresses(making: Making, block: str) -> Iterator[str]:
    """The addresses of the block that are free; the first four are EC2's."""
    rows = making.answers.get("NetworkInterfaces", ())
    taken = {it["Ipv6Address"] for row in rows for it in row.get("Ipv6Addresses", ())}
    first = int(ip_network(block).network_address) + 4
    return (text for number in count(first) if (text := str(ip_address(number))) not in taken)


def next_address(making: Making, subnet: Row) -> str:
    """The first address of the subnet that is free; the first four are EC2's."""
    taken = {row.get("PrivateIpAddress") for row in making.answers.get("NetworkInterfaces", ())}
    first = int(ip_network(subnet["CidrBlock"]).network_address) + 4
    return next(
        str(ip_address(number))
        for number in range(first, first + 65536)
        if str(ip_address(number)) not in taken
    )


def associate(eni: Row, public: str) -> None:
    """The interface has the public address."""
    eni["Association"] = {"PublicIp": public}
    # In a subnet that stands already it has no private address that is known.
    for address in eni.get("PrivateIpAddresses", ())[:1]:
        address["Association"] = {"PublicIp": public}
