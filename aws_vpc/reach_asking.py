"""The flows of a question: every pair of addresses that rules might treat apart, each tried once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from aws_vpc.network import Address, Block, Flow, Network, NetworkInterface, PortRange
from aws_vpc.network_names import End
from aws_vpc.network_values import (
    ANY_PROTOCOL,
    EPHEMERAL_PORTS,
    ICMP,
    ICMPV6,
    INTERNET,
    LINUX_CLIENT_PORTS,
    TCP,
    UDP,
    WITH_PORTS,
)
from aws_vpc.reach_addresses import WORLD, blocks_of, outside

UNNAMED_PROTOCOL = 253  # RFC 3692: for experiments, so no rule names it


@dataclass(frozen=True)
class Question:
    """Whether the source can open a connection to the destination; `protocol` -1 asks for any protocol.

    `ports` None asks for any port. `source_ports` None takes the client's usual ones: 32768-61000 of a Linux
    host inside, 1024-65535 of anybody outside. `apart` are blocks that whoever asks tells apart, too.
    """

    source: End
    destination: End
    protocol: int = TCP
    ports: PortRange | None = None
    source_ports: PortRange | None = None
    source_address: Address | None = None
    destination_address: Address | None = None
    through: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    apart: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Asking:
    """One question in one network, taken apart."""

    network: Network
    question: Question

    @cached_property
    def blocks(self) -> frozenset[Block]:
        """The address blocks that rules near both ends tell apart."""
        ends = [*self.question.source.interfaces, *self.question.destination.interfaces]
        known = [self.network.interfaces[it] for it in ends]
        vpcs = {it.vpc for it in known} or set(self.network.vpcs)
        if self.question.source.internet or self.question.destination.internet:
            vpcs |= self._joined(vpcs)
        groups = {group for it in known for group in it.groups}
        groups |= {
            group
            for it in self.network.interfaces.values()
            if it.vpc in vpcs and (not it.source_dest_check or it.owner in self.network.load_balancers)
            for group in it.groups
        }
        return frozenset(blocks_of(self.network, vpcs, groups)) | set(self.question.apart)

    def _joined(self, vpcs: Iterable[str]) -> set[str]:
        gateways = {it.gateway for it in self.network.attachments.values() if it.resource in vpcs}
        return {
            it.resource
            for it in self.network.attachments.values()
            if it.kind == "vpc" and it.gateway in gateways
        }

    def flows(self) -> Iterator[Flow]:
        """Every flow that has to be tried."""
        for protocol in self._protocols():
            for flow in self._ways():
                icmp = protocol == ICMP and flow.destination_address.version == 6
                yield self._ported(replace(flow, protocol=ICMPV6 if icmp else protocol))

    def _protocols(self) -> list[int]:
        if self.question.protocol != ANY_PROTOCOL:
            return [self.question.protocol]
        named = {
            rule.protocol
            for group in self.network.groups.values()
            for rule in group.rules
            if rule.protocol >= 0
        }
        return [TCP, UDP, ICMP, *sorted(named - {TCP, UDP, ICMP, ICMPV6}), UNNAMED_PROTOCOL]

    def _ported(self, flow: Flow) -> Flow:
        usual = LINUX_CLIENT_PORTS if flow.source in self.network.interfaces else EPHEMERAL_PORTS
        ports = self.question.ports if flow.protocol in WITH_PORTS else None
        return replace(flow, port=ports, source_ports=self.question.source_ports or usual)

    def _ways(self) -> Iterator[Flow]:
        for name, source in self._sources():
            for goal, destination in self._destinations(name, source.version):
                if source.version == destination.version:
                    yield Flow(name, source, goal, destination)

    def _sources(self) -> Iterator[tuple[str, Address]]:
        """Each source with each of its addresses."""
        end, stated = self.question.source, self.question.source_address
        for name in self._interfaces(end):
            for address in self.network.interfaces[name].addresses if stated is None else (stated,):
                if end.block is None or address in end.block or self._public_in(name, address, end):
                    yield name, address
        if end.interfaces or (end.component and not end.internet and not self._enters(end)):
            return
        entrance = end.component if end.component else INTERNET
        if entrance != INTERNET and entrance not in self.network.internet_gateways:
            yield from ((entrance, it) for it in self._far_addresses(entrance, stated))
            return
        yield from ((entrance, it) for it in self._outside(end, stated))

    def _far_addresses(self, entrance: str, stated: Address | None) -> list[Address]:
        if stated is not None:
            return [stated]
        peering = self.network.peerings.get(entrance)
        sides = (peering.requester.vpc, peering.accepter.vpc) if peering else ()
        goal = {self.network.interfaces[it].vpc for it in self.question.destination.interfaces}
        return [
            it.addresses[0]
            for it in self.network.interfaces.values()
            if it.addresses and it.vpc not in goal and (not sides or it.vpc in sides)
        ][:8]

    def _enters(self, end: End) -> bool:
        network = self.network
        return end.component in {**network.internet_gateways, **network.peerings, **network.attachments}

    def _interfaces(self, end: End) -> Iterator[str]:
        if end.block is None:
            yield from end.interfaces
            return
        for it in self.network.interfaces.values():
            shown = [*it.addresses, *(pair.public for pair in it.public)]
            if any(address in end.block for address in shown):
                yield it.id

    def _public_in(self, name: str, address: Address, end: End) -> bool:
        pairs = self.network.interfaces[name].public
        return any(it.private == address and end.block is not None and it.public in end.block for it in pairs)

    def _outside(self, end: End, stated: Address | None) -> Iterator[Address]:
        if stated is not None:
            yield stated
            return
        stated_block = end.block is not None
        for within in (end.block,) if end.block is not None else WORLD:
            yield from outside(self.network, within, self.blocks, private=stated_block)

    def _destinations(self, source: str, version: int) -> Iterator[tuple[str, Address]]:
        """Each destination with each address by which it may be asked."""
        end, stated = self.question.destination, self.question.destination_address
        outsider = source not in self.network.interfaces
        if end.service:
            yield from self._service(source, end.service)
            return
        for name in self._interfaces(end):
            for address in self._addresses(name, outsider) if stated is None else (stated,):
                if end.block is None or address in end.block:
                    yield name, address
        if end.interfaces:
            return
        if end.component and not end.internet:
            yield from ((end.component, it) for it in self._to_gateway(source, end.component, stated))
        elif not outsider:
            yield from ((INTERNET, it) for it in self._outside(end, stated))
            if end.block is not None:
                yield from self._endpoints(end)

    def _addresses(self, name: str, outsider: bool) -> Iterator[Address]:
        found = self.network.interfaces[name]
        inner = (it for it in found.addresses if not outsider or it.version == 6)
        yield from inner
        yield from (it.public for it in found.public)
        if outsider and not found.public:  # the trace tells that, and what else stands in the way
            yield from (it for it in found.addresses if it.version == 4)
        for balancer in self._balancers(found):
            for at in self.network.by_owner.get(balancer, ()):
                yield from (it for it in at.addresses if not outsider or it.version == 6)
                yield from (it.public for it in at.public)

    def _balancers(self, found: NetworkInterface) -> list[str]:
        """The load balancers that have the interface among their targets."""
        names = {found.owner, *(str(it) for it in found.addresses)}
        groups = {
            it.id for it in self.network.target_groups.values() if any(one.id in names for one in it.targets)
        }
        return [
            it.id
            for it in self.network.load_balancers.values()
            if any(groups.intersection(one.target_groups) for one in it.listeners)
        ]

    def _endpoints(self, end: End) -> Iterator[tuple[str, Address]]:
        """The gateway endpoints whose service has addresses in the block."""
        for it in self.network.endpoints.values():
            known = self.network.prefix_lists.get(it.prefix_list or "")
            for block in known.blocks if known else ():
                if end.block is not None and block.version == end.block.version and block.overlaps(end.block):
                    inner = end.block if end.block.prefixlen > block.prefixlen else block
                    yield it.id, inner.network_address

    def _service(self, source: str, service: str) -> Iterator[tuple[str, Address]]:
        """Where the service's name leads from the source's VPC (rule 33)."""
        found = self.network.interfaces.get(source)
        vpc = self.network.vpcs.get(found.vpc) if found else None
        for it in self.network.endpoints.values():
            same = vpc is not None and it.vpc == vpc.id and it.service == service and it.state == "available"
            if (
                same
                and vpc
                and it.kind == "Interface"
                and it.private_dns
                and vpc.dns_support
                and vpc.dns_hostnames
            ):
                for eni in self.network.by_owner.get(it.id, ()):
                    yield eni.id, eni.addresses[0]
                return
        lists = [it for it in self.network.prefix_lists.values() if it.name == service and it.blocks]
        for block in (block for it in lists for block in it.blocks):
            address = block.network_address + 1
            for it in self.network.endpoints.values():
                if vpc and it.vpc == vpc.id and it.service == service and it.kind == "Gateway":
                    yield it.id, address
            yield INTERNET, address
        if not lists:
            yield from ((INTERNET, it) for it in self._outside(End(INTERNET, INTERNET), None))

    def _to_gateway(self, source: str, component: str, stated: Address | None) -> Iterator[Address]:
        """Addresses that might lead to the gateway: of its far side, of its list, of the internet."""
        network = self.network
        if stated is not None:
            yield stated
            return
        endpoint = network.endpoints.get(component)
        known = network.prefix_lists.get(endpoint.prefix_list or "") if endpoint else None
        if endpoint:
            yield from (block.network_address + 1 for block in (known.blocks if known else ()))
            return
        own = network.interfaces[source].vpc if source in network.interfaces else ""
        targets = _routed_to(network, own, component)
        far = [at for it in network.interfaces.values() if it.vpc != own for at in it.addresses]
        yield from [at for at in far if any(at in block for block in targets)] or far[:4]
        for block in targets:
            yield from outside(network, block, self.blocks, private=True)
        yield from self._outside(End(INTERNET, INTERNET), None)


def _routed_to(network: Network, vpc: str, component: str) -> set[Block]:
    """The blocks that the VPC's tables route to the component."""
    leading = [
        route
        for table in network.route_tables.values()
        if table.vpc == vpc
        for route in table.routes
        if _leads(network, route.target, component)
    ]
    listed = [network.prefix_lists.get(route.prefix_list or "") for route in leading]
    blocks = {block for one in listed if one for block in one.blocks}
    return blocks | {route.destination for route in leading if route.destination}


def _leads(network: Network, target: str, component: str) -> bool:
    found = network.attachments.get(component)
    return target == component or (found is not None and found.gateway == target)
