"""The network interfaces of services: of databases, warehouses, endpoints and NAT gateways.

    RDS            RDSNetworkInterface                     amazon-rds       one, with a standby two
    Redshift       RedshiftNetworkInterface                amazon-redshift  one for each node, and its leader
    endpoint       VPC Endpoint Interface vpce-...         vpc_endpoint     one in each subnet
    NAT gateway    Interface for NAT Gateway nat-...       nat_gateway      one

They are described as AWS words them: RequesterManaged, in use, attached by the service, with its groups, at
an address of their subnet. Only their service ends them. moto makes none for the first two, and for the
others some that look like anybody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aws_vpc.local.ec2_nat import parsed
from aws_vpc.local.wire import Request, Response, ServiceError, form
from aws_vpc.local.world import World

ENDING = {"DeleteNetworkInterface": "is currently in use.", "DetachNetworkInterface": "is currently in use."}


@dataclass(frozen=True)
class Kind:
    """Which service has an interface, and what AWS says of it."""

    description: str
    requester: str
    type: str = "interface"


@dataclass
class Attached:
    """What holds an interface of a service, in the place where moto has an instance."""

    owner_id: str
    id: None = None
    security_groups: tuple[()] = ()
    _state: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(name="attached"))


RDS = Kind("RDSNetworkInterface", "amazon-rds")
REDSHIFT = Kind("RedshiftNetworkInterface", "amazon-redshift")


def endpoint(id: str) -> Kind:
    """The interfaces of a VPC endpoint."""
    return Kind(f"VPC Endpoint Interface {id}", "727180483921", "vpc_endpoint")


def nat_gateway(id: str) -> Kind:
    """The interface of a NAT gateway."""
    return Kind(f"Interface for NAT Gateway {id}", "amazon-aws", "nat_gateway")


def backend(world: World, region: str) -> Any:
    """moto's records of EC2."""
    from moto.ec2.models import ec2_backends

    return ec2_backends[world.account][region]


def make(
    world: World, region: str, kind: Kind, owner: str, subnets: Iterable[str], groups: Sequence[str]
) -> None:
    """An interface of the service in each of the subnets; `owner` is what they are found by later."""
    client = world.client("ec2", region)
    for subnet in subnets:
        made = client.create_network_interface(SubnetId=subnet, Groups=list(groups))["NetworkInterface"]
        hold(world, region, made["NetworkInterfaceId"], kind, owner)


def hold(world: World, region: str, id: str, kind: Kind, owner: str) -> None:
    """The interface is the service's from now on, at an address of its subnet."""
    found = backend(world, region).enis[id]
    found.owner, found.description = owner, kind.description
    found.requester_managed, found.requester_id, found.interface_type = True, kind.requester, kind.type
    found.status, found.device_index = "in-use", 1
    found.instance = Attached(kind.requester if kind.type == "interface" else "amazon-aws")
    found.attachment_id = f"ela-attach-{id.removeprefix('eni-')}"
    found.attach_time = backend_time()
    address = str(found.subnet.get_available_subnet_ip(found))
    found.private_ip_address = address
    found.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
    found.ipv6_addresses = []  # a service has IPv6 where it is asked to, wherever it stands


def backend_time() -> Any:
    """The time, as moto keeps it."""
    from moto.core.utils import utcnow

    return utcnow()


def owned(world: World, region: str, owner: str) -> list[Any]:
    """moto's records of the interfaces of an owner."""
    return [one for one in list(backend(world, region).enis.values()) if getattr(one, "owner", None) == owner]


def regroup(world: World, region: str, owner: str, groups: Sequence[str]) -> None:
    """The owner's interfaces have these groups."""
    for one in owned(world, region, owner):
        world.client("ec2", region).modify_network_interface_attribute(
            NetworkInterfaceId=one.id, Groups=list(groups)
        )


def remove(world: World, region: str, owner: str) -> None:
    """The owner's interfaces are gone, and their addresses free."""
    for one in owned(world, region, owner):
        one.requester_managed = False
        world.client("ec2", region).delete_network_interface(NetworkInterfaceId=one.id)
        one.subnet.del_subnet_ip(one.private_ip_address)


def refuse_ending(world: World, request: Request, action: str) -> None:
    """Raise ServiceError when an interface is to go that a service has."""
    if action not in ENDING:
        return
    asked = form(request)
    named = asked.get("NetworkInterfaceId") or asked.get("AttachmentId", "").replace("ela-attach-", "eni-")
    found = backend(world, request.region).enis.get(named)
    if found is not None and getattr(found, "owner", None) and found.requester_managed:
        text = f"Network interface '{named}' {ENDING[action]}"
        raise ServiceError("InvalidParameterValue", text)


def settle(world: World, request: Request, response: Response, action: str) -> None:
    """Make right the interfaces of an endpoint or NAT gateway that moto has just made, changed or deleted."""
    if response.status != 200 or form(request).get("DryRun") == "true":
        return
    region = request.region
    if action == "CreateVpcEndpoint":
        settle_endpoint(world, region, parsed(action, response)["VpcEndpoint"]["VpcEndpointId"])
    elif action == "ModifyVpcEndpoint":
        settle_endpoint(world, region, form(request)["VpcEndpointId"])
    elif action == "CreateNatGateway":
        settle_nat_gateway(world, region, parsed(action, response)["NatGateway"]["NatGatewayId"])
    elif action == "DeleteNatGateway":
        remove(world, region, form(request)["NatGatewayId"])


def settle_endpoint(world: World, region: str, id: str) -> None:
    """An interface endpoint has an interface in each of its subnets, with its groups."""
    found = backend(world, region).vpc_end_points[id]
    if (found.vpc_endpoint_type or "").lower() != "interface":
        return
    records = backend(world, region).enis
    present = {records[one].subnet.id: one for one in found.network_interface_ids if one in records}
    for one in present.values():
        if getattr(records[one], "owner", None) is None:
            hold(world, region, one, endpoint(id), id)
    gone = present.keys() - set(found.subnet_ids or ())
    for subnet in gone:
        records[present[subnet]].owner = f"{id} {subnet}"
        remove(world, region, f"{id} {subnet}")
    missing = [subnet for subnet in found.subnet_ids or () if subnet not in present]
    make(world, region, endpoint(id), id, missing, found.security_group_ids or ())
    regroup(world, region, id, found.security_group_ids or ())
    found.network_interface_ids = [one.id for one in owned(world, region, id)]


def settle_nat_gateway(world: World, region: str, id: str) -> None:
    """A NAT gateway's interface has no group, and the address that the gateway tells of."""
    found = backend(world, region).nat_gateways[id]
    hold(world, region, found._eni.id, nat_gateway(id), id)
    found._eni._group_set = []
    found.private_ip = found._eni.private_ip_address
    for address in found.address_set:
        address["privateIp"] = found.private_ip
