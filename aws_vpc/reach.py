"""Whether a connection is possible: `trace(network, flow)` follows it there and back and tells every reason.

    Leaves ─▶ InSubnet ─▶ InVpc ─▶ Arrives          inside a VPC
                 ├─▶ AtAppliance ─▶ Leaves          middlebox routes
                 └─▶ AtGateway ─▶ OnInternet | InVpc | InTransit ─▶ InSubnet

The rules, their sources, and what is not modelled: docs/reachability.rst. Pure, and deterministic.
"""

from __future__ import annotations

from typing import Any

from aws_vpc.errors import Error
from aws_vpc.network import Flow, IcmpKind, Network, PortRange, Verdict
from aws_vpc.network_values import (
    ALL_PORTS,
    ECHO_REPLY,
    ECHO_REPLY_V6,
    ECHO_REQUEST,
    ECHO_REQUEST_V6,
    ICMP,
    ICMPV6,
    INTERNET,
    WITH_PORTS,
)
from aws_vpc.reach_balancers import answer_preserved
from aws_vpc.reach_gateways import come_in, pass_gateway, route
from aws_vpc.reach_interfaces import arrive, deliver, leave, pass_appliance
from aws_vpc.reach_nat import undo_nat
from aws_vpc.reach_rivals import lost_routes
from aws_vpc.reach_transit import cross_transit
from aws_vpc.reach_types import Packet, Trace
from aws_vpc.reach_walk import (
    Arrives,
    AtAppliance,
    AtGateway,
    InSubnet,
    InTransit,
    InVpc,
    Leaves,
    OnInternet,
    Place,
    Walk,
)

STEPS: dict[type, Any] = {
    Leaves: leave,
    InSubnet: route,
    InVpc: deliver,
    Arrives: arrive,
    AtAppliance: pass_appliance,
    AtGateway: pass_gateway,
    OnInternet: come_in,
    InTransit: cross_transit,
}


def trace(network: Network, flow: Flow) -> Trace:
    """The flow's way there and back: the verdict, the hops, every blocker, the assumptions."""
    there = Walk(network, flow, flow.destination, _first_packet(network, flow))
    _run(there, _entrance(there))
    if there.blockers or there.missing or not there.arrived:
        verdict = Verdict.UNKNOWN if there.missing and not there.blockers else Verdict.NOT_REACHABLE
        if (
            not there.arrived
            and verdict == Verdict.NOT_REACHABLE
            and flow.destination not in network.interfaces
        ):
            there.blockers += lost_routes(network, there.hops, flow.destination)
        return _answer(flow, verdict, there, None)
    back = _back(there)
    verdict = Verdict.REACHABLE
    if back.blockers or not (back.arrived or back.missing):
        verdict = Verdict.NOT_REACHABLE
    elif back.missing:
        verdict = Verdict.UNKNOWN
    return _answer(flow, verdict, there, back)


def _answer(flow: Flow, verdict: Verdict, there: Walk, back: Walk | None) -> Trace:
    answered = back.packet.ports if back and verdict == Verdict.REACHABLE else ()
    if flow.protocol not in WITH_PORTS and verdict == Verdict.REACHABLE:
        answered = (ALL_PORTS,)
    return Trace(
        flow,
        verdict,
        tuple(there.hops),
        tuple(back.hops) if back else (),
        tuple(there.blockers),
        tuple(back.blockers) if back else (),
        tuple(dict.fromkeys([*there.assumptions, *(back.assumptions if back else ())])),
        (*there.missing, *(back.missing if back else ())),
        answered,
        there.packet.ports if there.arrived else (),
        back.whole if back else True,
        there.arrived and not there.blockers and not there.missing,
    )


def _first_packet(network: Network, flow: Flow) -> Packet:
    ports = (
        (flow.port if isinstance(flow.port, PortRange) else PortRange(flow.port, flow.port),)
        if (flow.port is not None)
        else (ALL_PORTS,)
    )
    sender = network.interfaces.get(flow.source)
    icmp = flow.icmp
    if icmp is None and flow.protocol in (ICMP, ICMPV6):
        icmp = ECHO_REQUEST if flow.protocol == ICMP else ECHO_REQUEST_V6
    return Packet(
        flow.source_address,
        flow.destination_address,
        flow.protocol,
        ports if flow.protocol in WITH_PORTS else (),
        flow.source_ports,
        icmp,
        sender if sender and flow.source_address in sender.addresses else None,
    )


def _run(walk: Walk, place: Place | None) -> None:
    while place is not None:
        key = (place, walk.packet.source, walk.packet.destination)
        if key in walk.seen:
            walk.block("NO_POSSIBLE_DESTINATION", walk.hops[-1].component, "take the loop out of the routes")
            return
        walk.seen.add(key)
        place = STEPS[type(place)](walk, place)


def _entrance(walk: Walk) -> Place | None:
    """Where the first packet is: at its interface, on the internet, or coming in by a gateway."""
    network, source = walk.network, walk.flow.source
    if source in network.interfaces:
        return Leaves(source)
    if source == INTERNET or source in network.internet_gateways:
        return OnInternet()
    if source in network.peerings:
        walk.hop(source)
        sides = (network.peerings[source].requester, network.peerings[source].accepter)
        return next(
            (
                InVpc(side.vpc)
                for side in sides
                if side.vpc in network.vpcs
                and any(walk.packet.destination in block for block in network.vpcs[side.vpc].cidrs)
            ),
            InVpc(sides[1].vpc),
        )
    if source in network.attachments:
        walk.hop(source)
        walk.now(transit=True)
        return InTransit(network.attachments[source].gateway, source, "")
    raise Error(
        f"a flow cannot begin at {source}: give an interface, a gateway, a peering connection or internet"
    )


def _back(there: Walk) -> Walk:
    """The answer's way, from where the request arrived."""
    seen = there.packet
    sender = there.network.interfaces.get(_last_interface(there) or "")
    packet = Packet(
        seen.destination,
        seen.source or there.flow.source_address,
        seen.protocol,
        (seen.source_ports,) if seen.protocol in WITH_PORTS else (),
        seen.ports[0] if seen.ports else ALL_PORTS,
        _reply(seen),
        sender if sender and seen.destination in sender.addresses else None,
    )
    back = Walk(there.network, there.flow, there.flow.source, packet, back=True, there=tuple(there.hops))
    back.asked = there.flow.destination_address
    back.translations = list(there.translations)
    if _goal_is_gateway(there):
        _from_gateway(back, there)
    else:
        _run(back, _return_place(back, there))
    return back


def _reply(packet: Packet) -> IcmpKind | None:
    if packet.icmp is None:
        return None
    return ECHO_REPLY if packet.protocol == ICMP else ECHO_REPLY_V6


def _goal_is_gateway(there: Walk) -> bool:
    network, goal = there.network, there.goal
    return goal in network.nat_gateways or (goal in network.endpoints and there.hops[-1].component == goal)


def _from_gateway(back: Walk, there: Walk) -> None:
    """Answers of a NAT gateway or gateway endpoint come straight back to the client's subnet."""
    nat = back.network.nat_gateways.get(there.goal)
    back.hop(there.goal)
    if nat and nat.subnet:
        _run(back, InSubnet(nat.subnet))
    else:
        vpc = nat.vpc if nat else back.network.endpoints[there.goal].vpc
        _run(back, InVpc(vpc))


def _return_place(back: Walk, there: Walk) -> Place | None:
    network, last = back.network, there.hops[-1]
    if there.goal in network.interfaces or _last_interface(there):
        interface = _last_interface(there)
        assert interface is not None
        if back.translations and back.translations[-1].kind == "preserved":
            return answer_preserved(back, network.interfaces[interface])
        return Leaves(interface)
    if (
        there.goal in network.peerings
        or there.goal in network.attachments
        or there.goal in network.transit_gateways
    ):
        return _through_connection(back, there)
    if there.packet.source is None or _regional_out(there):
        back.hop(last.component)
        return undo_nat(back, back.translations[-1].component)
    return OnInternet()


def _regional_out(there: Walk) -> bool:
    found = there.translations[-1] if there.translations else None
    nat = there.network.nat_gateways.get(found.component) if found else None
    return nat is not None and nat.subnet is None


def _last_interface(there: Walk) -> str | None:
    """The interface at which the request arrived, if it ended at one."""
    for hop in reversed(there.hops[-2:]):
        if hop.component in there.network.interfaces and there.goal in (
            hop.component,
            there.network.interfaces[hop.component].owner,
        ):
            return hop.component
    return None


def _through_connection(back: Walk, there: Walk) -> Place | None:
    """Back out of a peering connection or transit gateway, into the VPC from which the request came."""
    network = back.network
    entered = next((hop for hop in reversed(there.hops) if hop.vpc and hop.component != there.goal), None)
    vpc = next((hop.vpc for hop in reversed(there.hops) if hop.vpc), "")
    if there.goal in network.peerings or entered is None:
        back.hop(there.goal)
        return InVpc(vpc)
    attachment = next(
        (network.attachments[hop.component] for hop in there.hops if hop.component in network.attachments),
        None,
    )
    back.hop(there.goal)
    if attachment is None or not attachment.subnets:
        return InVpc(vpc)
    zone = next((network.subnets[hop.subnet].zone for hop in there.hops if hop.subnet), "")
    inner = next((it for it in attachment.subnets if network.subnets[it].zone == zone), attachment.subnets[0])
    return InSubnet(inner)
