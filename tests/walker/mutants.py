"""Errors to plant in the engine: each a change of its source, put into the functions that run."""

from __future__ import annotations

import importlib
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Mutant:
    """What is wrong then, in which module of aws_vpc, and the piece of source that becomes another."""

    name: str
    module: str
    right: str
    wrong: str

    def plant(self, patch: pytest.MonkeyPatch) -> None:
        """Gives the module's functions the code of the changed source; `patch` takes it back."""
        module = importlib.import_module(f"aws_vpc.{self.module}")
        source = Path(str(module.__file__)).read_text()
        assert source.count(self.right) == 1, f"{self.module} has changed; mend the mutant {self.name!r}"
        changed: dict[str, Any] = dict(vars(module))
        exec(compile(source.replace(self.right, self.wrong), str(module.__file__), "exec"), changed)
        swapped = sum(
            swap(patch, one, changed[name]) for name, one in vars(module).items() if name in changed
        )
        assert swapped == 1, f"{self.name!r} changes {swapped} functions"


def swap(patch: pytest.MonkeyPatch, old: Any, new: Any) -> int:
    """Puts the code of one function, or of the methods of one class, into another; tells how many differ."""
    if isinstance(old, type) and isinstance(new, type):
        pairs = [(plain(vars(old)[name]), plain(vars(new).get(name))) for name in vars(old)]
        return sum(swap(patch, *pair) for pair in pairs if isinstance(pair[0], types.FunctionType))
    if not isinstance(old, types.FunctionType) or not isinstance(new, types.FunctionType):
        return 0
    if same(old.__code__, new.__code__):
        return 0
    patch.setattr(old, "__code__", new.__code__)
    return 1


def plain(one: Any) -> Any:
    """The function behind a property."""
    return getattr(one, "fget", None) or getattr(one, "func", one)


def same(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether two functions do the same, wherever their lines stand."""
    consts = [[one for one in code.co_consts if not isinstance(one, types.CodeType)] for code in (old, new)]
    inner = [[one for one in code.co_consts if isinstance(one, types.CodeType)] for code in (old, new)]
    return (
        old.co_code == new.co_code
        and old.co_names == new.co_names
        and consts[0] == consts[1]
        and len(inner[0]) == len(inner[1])
        and all(same(*pair) for pair in zip(*inner, strict=True))
    )


RIVALS = """best = max(entry[:2] for entry in found)
    first = [route for bits, rank, route in found if (bits, rank) == best]
    rivals = tuple(first) if len({route.target"""
INGRESS = """    if interface.subnet != place.subnet:
        ask_acl(walk, interface.subnet, INGRESS)
    if interface.owner"""
EGRESS_ONLY = """    if walk.back:
        change = f"route {packet.destination} to an internet gateway"""
MUTANTS = [
    Mutant("the shortest prefix wins", "reach_routes", RIVALS, RIVALS.replace("max", "min")),
    Mutant(
        "blackholes carry traffic",
        "reach_routes",
        "if found.state == BLACKHOLE:",
        "if found.state == 'other':",
    ),
    Mutant(
        "propagated routes beat local ones",
        "reach_routes",
        "if any(route.local for _, _, route in found):",
        "if found == 0:",
    ),
    Mutant(
        "prefix lists beat static routes",
        "reach_routes",
        "return 1 if route.prefix_list else 2",
        "return 2 if route.prefix_list else 1",
    ),
    Mutant(
        "overlapping prefix lists are guessed",
        "reach_gateways",
        "    if choice.rivals:\n        names",
        "    if choice.rivals and not choice.rivals:\n        names",
    ),
    Mutant(
        "outbound entries are read for inbound packets",
        "reach_filters",
        "acl.outbound if egress else acl.inbound",
        "acl.inbound if egress else acl.outbound",
    ),
    Mutant(
        "the highest ACL entry decides",
        "reach_filters",
        "for entry in acl.outbound if egress else acl.inbound:",
        "for entry in reversed(acl.outbound if egress else acl.inbound):",
    ),
    Mutant(
        "ACLs are asked inside a subnet",
        "reach_interfaces",
        INGRESS,
        INGRESS.replace("!= place.subnet", ""),
    ),
    Mutant(
        "ACLs keep state",
        "reach_ask",
        "if acl is None or peer is None:",
        "if acl is None or peer is None or walk.back:",
    ),
    Mutant(
        "answers go to the server's port", "reach", "(seen.source_ports,) if", "(PortRange(443, 443),) if"
    ),
    Mutant(
        "the ports that an ACL refuses on the way back stay",
        "reach_ask",
        "walk.now(ports=decided.ports)",
        "pass",
    ),
    Mutant(
        "security groups keep no state",
        "reach_ask",
        "if walk.back and any(hop.component",
        "if not walk and any(hop.component",
    ),
    Mutant(
        "references match across Regions",
        "reach_gateways",
        "packet.sender if near.region == far.region else None",
        "packet.sender",
    ),
    Mutant(
        "references always match across transit gateways",
        "reach_transit",
        "kept = gateway.security_group_referencing and attachment.security_group_referencing",
        "kept = True",
    ),
    Mutant(
        "references match behind middleboxes",
        "reach_interfaces",
        "    walk.now(sender=None)\n    return Leaves(interface.id)",
        "    return Leaves(interface.id)",
    ),
    Mutant(
        "an internet gateway needs no public address",
        "reach_gateways",
        "if public is None and not regional:",
        "if public == 0:",
    ),
    Mutant(
        "internet gateways take private destinations",
        "reach_gateways",
        "kind = not_on_internet(packet.destination)",
        "kind = None",
    ),
    Mutant(
        "edge tables are not read",
        "reach_gateways",
        "    table = walk.network.own_tables.get(gateway.id)\n",
        "    table = None\n",
    ),
    Mutant(
        "egress-only gateways let answers out",
        "reach_gateways",
        EGRESS_ONLY,
        EGRESS_ONLY.replace("walk.back", "not walk"),
    ),
    Mutant(
        "NAT gateways take every protocol",
        "reach_nat",
        "if packet.protocol not in (TCP, UDP, ICMP) or packet.destination.version != 4:",
        "if packet.protocol == 0:",
    ),
    Mutant(
        "regional NAT gateways serve every zone", "reach_nat", "and zone not in zones:", "and zone in ():"
    ),
    Mutant(
        "NAT gateways that are not available work",
        "reach_routes",
        'return network.nat_gateways[target].state == "available" and network',
        "return network",
    ),
    Mutant(
        "NAT gateways let anybody in",
        "reach_interfaces",
        "if interface.owner in walk.network.nat_gateways and not",
        "if interface.owner in walk.network.nat_gateways and",
    ),
    Mutant(
        "pending peering connections work",
        "reach_routes",
        'return peering.state == "active" and vpc in',
        "return vpc in",
    ),
    Mutant(
        "peering connections take any source",
        "reach_gateways",
        "if not inside or not _in(packet.source, walk.network.vpcs[vpc].cidrs):",
        "if not inside:",
    ),
    Mutant(
        "transit gateways take traffic from every zone",
        "reach_transit",
        "inner = _subnet_in(walk, attachment, subnet.zone)",
        "inner = attachment.subnets[0]",
    ),
    Mutant(
        "appliance mode is not known",
        "reach_transit",
        "found = None if attachment.appliance_mode else",
        "found = None if not walk else",
    ),
    Mutant(
        "blackholes of transit gateways carry traffic",
        "reach_transit",
        'if choice.route.state != "active" or target is None',
        "if target is None",
    ),
    Mutant(
        "gateway endpoints take every protocol",
        "reach_gateways",
        "if packet.protocol != TCP and not echo:",
        "if packet.protocol == 0:",
    ),
    Mutant(
        "endpoints open connections",
        "reach_interfaces",
        'if interface.kind == "vpc_endpoint" and not walk.back:',
        'if interface.kind == "endpoint":',
    ),
    Mutant(
        "load balancers keep the port",
        "reach_balancers",
        "ports=(PortRange(target.port, target.port),)",
        "ports=packet.ports",
    ),
    Mutant(
        "cross-zone balancing is always on",
        "reach_balancers",
        "if zones[0] != zones[1] and not",
        "if zones[0] == 0 and not",
    ),
    Mutant(
        "client addresses are never preserved",
        "reach_balancers",
        "kept = preserves(balancer, group)",
        "kept = False",
    ),
    Mutant(
        "there is no source/destination check",
        "reach_interfaces",
        "if interface.source_dest_check and walk.packet.destination not in interface.addresses:",
        "if interface.source_dest_check == 0:",
    ),
]
