"""IPv6 addresses of instances, which are in the way when the block of their subnet goes.

EC2 keeps a block while an interface has an address of it (InvalidCidrBlock.InUse), and CloudFormation ends an
instance that another replaces only while it takes the block away. Services give back their own themselves.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Held:
    """What an instance's interface has of blocks that go."""

    interface: str
    addresses: tuple[str, ...]

    def __str__(self) -> str:
        return f"{', '.join(self.addresses)} of {self.interface}"


def held(ec2: Any, associations: Collection[str]) -> list[Held]:
    """The addresses of instances out of the subnets' blocks with these associations."""
    subnets = [
        subnet["SubnetId"]
        for page in ec2.get_paginator("describe_subnets").paginate()
        for subnet in page["Subnets"]
        if any(one["AssociationId"] in associations for one in subnet.get("Ipv6CidrBlockAssociationSet", ()))
    ]
    if not subnets:
        return []
    filters = [{"Name": "subnet-id", "Values": subnets}]
    pages = ec2.get_paginator("describe_network_interfaces").paginate(Filters=filters)
    return [
        Held(one["NetworkInterfaceId"], tuple(it["Ipv6Address"] for it in one["Ipv6Addresses"]))
        for page in pages
        for one in page["NetworkInterfaces"]
        if one.get("Ipv6Addresses") and (one.get("Attachment") or {}).get("InstanceId")
    ]


def give_back(ec2: Any, what: Held) -> None:
    """Nothing; the interface has these addresses no more."""
    ec2.unassign_ipv6_addresses(NetworkInterfaceId=what.interface, Ipv6Addresses=list(what.addresses))


def take_again(ec2: Any, what: Held) -> None:
    """Nothing; the interface has these addresses again, if it and its subnet's block still stand."""
    with suppress(ClientError):
        ec2.assign_ipv6_addresses(NetworkInterfaceId=what.interface, Ipv6Addresses=list(what.addresses))
