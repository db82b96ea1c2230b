"""Steps at interfaces: out of one, into one, through one (rules 4, 16 and 17)."""

from __future__ import annotations

from aws_vpc.network import Address, NetworkInterface
from aws_vpc.reach_ask import ask_acl, ask_endpoint, ask_groups, show
from aws_vpc.reach_balancers import balance, listening, undo_balancing
from aws_vpc.reach_nat import undo_nat
from aws_vpc.reach_types import EGRESS, INGRESS
from aws_vpc.reach_walk import Arrives, AtAppliance, InSubnet, InVpc, Leaves, Place, Walk


def leave(walk: Walk, place: Leaves) -> Place | None:
    """Out of an interface: its check, its groups, and into its subnet."""
    interface = walk.network.interfaces[place.interface]
    show(walk, interface, arriving=False)
    if (
        interface.source_dest_check
        and walk.packet.source is not None
        and walk.packet.source not in interface.addresses
    ):
        _check_restricts(walk, interface, walk.packet.source)
    if interface.kind == "vpc_endpoint" and not walk.back:
        walk.block(
            "VPCE_INTRA_VPC_TRAFFIC",
            interface.owner or interface.id,
            "none: an endpoint opens no connections; begin at the client",
        )
    ask_groups(walk, interface, EGRESS)
    return InSubnet(interface.subnet)


def _check_restricts(walk: Walk, interface: NetworkInterface, address: Address) -> None:
    walk.block(
        "ENI_SOURCE_DEST_CHECK_RESTRICTION",
        interface.id,
        f"turn the source/destination check of {walk.named(interface.id)} off: {address} is not its address",
        refers={"NetworkInterface": interface.id, "Address": str(address)},
    )


def deliver(walk: Walk, place: InVpc) -> Place | None:
    """To the interface of the VPC that has the destination address."""
    found = walk.interface_at(place.vpc, walk.packet.destination)
    if found:
        return Arrives(found.id, place.subnet)
    walk.block(
        "NO_POSSIBLE_DESTINATION",
        place.vpc,
        f"ask for an address that something has: nothing in {walk.named(place.vpc)} has "
        f"{walk.packet.destination}",
        refers={"Vpc": place.vpc, "Address": str(walk.packet.destination)},
    )
    return None


def arrive(walk: Walk, place: Arrives) -> Place | None:
    """Into an interface: its subnet's ACL, its groups, and the end of the way, or the next leg."""
    interface = walk.network.interfaces[place.interface]
    if interface.subnet != place.subnet:
        ask_acl(walk, interface.subnet, INGRESS)
    if interface.owner in walk.network.nat_gateways and not (walk.back and interface.id == walk.goal):
        return undo_nat(walk, interface.owner)
    ask_groups(walk, interface, INGRESS)
    ask_endpoint(walk, interface)
    show(walk, interface, arriving=True)
    return reached(walk, interface)


def reached(walk: Walk, interface: NetworkInterface) -> Place | None:
    """The end of the way, the load balancer's next leg, or the wrong place."""
    if walk.back and (step := undo_balancing(walk, interface)):
        return step
    balancer = None if walk.back else walk.network.load_balancers.get(interface.owner)
    if walk.goal in (interface.id, interface.owner):
        if balancer and walk.goal == balancer.id:
            listening(walk, balancer)
        if walk.back and walk.asked is not None and walk.packet.source != walk.asked:
            change = f"route the answers so that they come from {walk.asked}, the address that was asked"
            walk.block("NGW_SOURCE_ADDRESS_REASSIGN", interface.id, change)
        walk.finish()
        return None
    if balancer:
        return balance(walk, interface)
    walk.block(
        "NO_POSSIBLE_DESTINATION",
        interface.id,
        f"ask for {walk.goal} by its own address: {walk.packet.destination} is of {walk.named(interface.id)}",
        refers={"NetworkInterface": interface.id, "Address": str(walk.packet.destination)},
    )
    return None


def pass_appliance(walk: Walk, place: AtAppliance) -> Place | None:
    """Into an interface that a route names, and out of it again."""
    interface = walk.network.interfaces[place.interface]
    if interface.subnet != place.subnet:
        ask_acl(walk, interface.subnet, INGRESS)
    if interface.source_dest_check and walk.packet.destination not in interface.addresses:
        _check_restricts(walk, interface, walk.packet.destination)
    ask_groups(walk, interface, INGRESS)
    if walk.packet.destination in interface.addresses or walk.goal in (interface.id, interface.owner):
        show(walk, interface, arriving=True)
        return reached(walk, interface)
    walk.assume(f"{walk.named(interface.owner or interface.id)} forwards what it gets unchanged")
    walk.now(sender=None)
    return Leaves(interface.id)
