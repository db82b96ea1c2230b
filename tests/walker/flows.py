"""Random flows through a network: between interfaces, out, in, to services, through load balancers,
and odd ones.
"""

from __future__ import annotations

from ipaddress import ip_address
from random import Random

from aws_vpc.network import Address, Flow, IcmpKind, Network, NetworkInterface, PortRange

PORTS = (22, 80, 443, 5432, 33000)
SETS = (None, PortRange(1, 1023), PortRange(443, 5432), PortRange(8000, 9000), PortRange(22, 65535))
CLIENTS = (PortRange(1024, 65535), PortRange(32768, 61000), PortRange(49152, 65535), PortRange(40000, 40000))
OUTSIDE = [ip_address(one) for one in ("8.8.8.8", "203.0.113.7", "3.5.1.1", "2001:4860::8888", "10.77.0.1")]
STRANGERS = [
    ip_address(one) for one in ("8.8.8.8", "203.0.113.7", "203.0.113.7", "2001:4860::8888", "10.77.0.1")
]


def flows(network: Network, seed: int, count: int) -> list[Flow]:
    """As many flows as asked for; the same seed gives the same."""
    random = Random(seed)
    kinds = [
        between,
        between,
        between,
        between,
        out,
        out,
        into_gateway,
        inward,
        inward,
        by_balancer,
        by_balancer,
        odd,
    ]
    found: list[Flow] = []
    while len(found) < count:
        flow = random.choice(kinds)(network, random)
        if flow is not None:
            found.append(flow)
    return found


def flow(random: Random, source: str, start: Address, destination: str, end: Address) -> Flow:
    """A flow with protocol and ports drawn."""
    protocol = random.choice([6, 6, 6, 6, 6, 17, 1 if end.version == 4 else 58, 47])
    clients = random.choice(CLIENTS)
    if protocol in (6, 17):
        port = random.choice(SETS) if random.random() < 0.1 else random.choice(PORTS)
        return Flow(source, start, destination, end, protocol, port, clients)
    kind = IcmpKind(128 if protocol == 58 else 8, 0) if protocol != 47 else None
    return Flow(source, start, destination, end, protocol, None, clients, kind)


def machine(network: Network, random: Random) -> NetworkInterface:
    """Any interface but a NAT gateway's, which begins nothing of its own."""
    return random.choice(
        [one for one in network.interfaces.values() if one.owner not in network.nat_gateways]
    )


def between(network: Network, random: Random) -> Flow | None:
    """From one interface to another, by private or IPv6 address."""
    one, other = machine(network, random), random.choice(list(network.interfaces.values()))
    pairs = [(a, b) for a in one.addresses for b in other.addresses if a.version == b.version]
    pairs = [pair for pair in pairs if pair[0].version == 6] or pairs if random.random() < 0.3 else pairs
    if one.id == other.id or not pairs:
        return None
    start, end = random.choice(pairs)
    return flow(random, one.id, start, other.id, end)


def out(network: Network, random: Random) -> Flow | None:
    """To the internet, one of its gateways, or a service behind a gateway endpoint."""
    one, end = machine(network, random), random.choice(OUTSIDE)
    gates = [each.id for each in network.internet_gateways.values()]
    gates += [each.id for each in network.egress_only_gateways.values()]
    goal = "internet" if random.random() < 0.7 or not gates else random.choice(gates)
    if goal in network.egress_only_gateways:
        end = OUTSIDE[3]
    endpoints = [each for each in network.endpoints.values() if each.kind == "Gateway"]
    if endpoints and random.random() < 0.3:
        goal, end = random.choice(endpoints).id, ip_address("3.5.1.1")
    starts = [address for address in one.addresses if address.version == end.version]
    return flow(random, one.id, random.choice(starts), goal, end) if starts else None


def into_gateway(network: Network, random: Random) -> Flow | None:
    """Into a NAT gateway, a peering connection, or a transit gateway or one of its attachments."""
    kinds = (network.nat_gateways, network.peerings, network.transit_gateways, network.attachments)
    gates = [name for kind in kinds for name in kind]
    if not gates:
        return None
    gate = random.choice(gates)
    one, other = machine(network, random), machine(network, random)
    if gate in network.peerings:
        far = network.peerings[gate].accepter.vpc
        other = next((each for each in network.interfaces.values() if each.vpc == far), other)
    end = random.choice([OUTSIDE[0], *other.addresses])
    starts = [address for address in one.addresses if address.version == end.version]
    return flow(random, one.id, random.choice(starts), gate, end) if starts else None


def inward(network: Network, random: Random) -> Flow | None:
    """From the internet, or a named gateway, to a public or IPv6 address."""
    other, start = machine(network, random), random.choice(STRANGERS)
    ends = [pair.public for pair in other.public] if start.version == 4 else list(other.addresses[1:])
    ends = [one for one in ends if one.version == start.version]
    gates = [each.id for each in network.internet_gateways.values()]
    origin = "internet" if random.random() < 0.7 or not gates else random.choice(gates)
    return flow(random, origin, start, other.id, random.choice(ends)) if ends else None


def by_balancer(network: Network, random: Random) -> Flow | None:
    """To a target, or to the load balancer itself, at the address of one of its nodes."""
    nodes = [one for one in network.interfaces.values() if one.owner in network.load_balancers]
    if not nodes:
        return None
    node, target = random.choice(nodes), machine(network, random)
    goal = target.id if random.random() < 0.8 else node.owner
    if node.public and random.random() < 0.5:
        return flow(random, "internet", ip_address("203.0.113.7"), goal, node.public[0].public)
    client = machine(network, random)
    if client.id in (node.id, goal):
        return None
    return flow(random, client.id, client.addresses[0], goal, node.addresses[0])


def odd(network: Network, random: Random) -> Flow | None:
    """By a public address from inside, with a foreign source address, or to an address that is not the
    other's.
    """
    one, other = machine(network, random), machine(network, random)
    if one.id == other.id:
        return None
    choice = random.random()
    if choice < 0.4 and other.public:
        return flow(random, one.id, one.addresses[0], other.id, other.public[0].public)
    if choice < 0.7:
        return flow(random, one.id, ip_address("10.0.0.99"), other.id, other.addresses[0])
    return flow(random, one.id, one.addresses[0], other.id, machine(network, random).addresses[0])
