"""Who reaches whom as a list: by interface for programs, by what owns them for people, and what differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aws_vpc.matrix import Matrix
from aws_vpc.matrix_bits import unpacked
from aws_vpc.matrix_pairs import Pairs
from aws_vpc.matrix_wires import Asked, request_ports
from aws_vpc.network import Network, NetworkInterface, PortRange, Verdict
from aws_vpc.network_names import End
from aws_vpc.network_values import ALL_PORTS, INTERNET, LINUX_CLIENT_PORTS, WITH_PORTS
from aws_vpc.reach_asking import Question
from aws_vpc.reach_filters import joined
from aws_vpc.reach_question import Answer, ask

MOST_ASKED = 200  # interfaces of which the internet is asked, each by itself
Ports = tuple[PortRange, ...]
Ends = tuple[str, str]


@dataclass(frozen=True)
class Reached:
    """One end reaches another on the ports; `partly` tells that answers come back to some client ports
    only.
    """

    source: str
    destination: str
    ports: Ports
    partly: bool = False

    @property
    def told(self) -> str:
        """The ports in words."""
        return "all" if self.ports == (ALL_PORTS,) else ", ".join(map(str, self.ports))


def stretches(network: Network, protocol: int, port: PortRange | None) -> list[PortRange]:
    """The ports to ask for, in stretches within which no rule changes its mind."""
    if protocol not in WITH_PORTS:
        return [ALL_PORTS]
    wanted = port or ALL_PORTS
    cut = [
        PortRange(max(one.first, wanted.first), min(one.last, wanted.last))
        for one in request_ports(network, protocol)
    ]
    return [one for one in cut if one.first <= one.last]


@dataclass(frozen=True)
class Survey:
    """What reaches what, and the pairs of which that cannot be said: they meet what is not modelled."""

    reached: list[Reached]
    unknown: list[Ends]


def survey(network: Network, protocol: int, port: PortRange | None = None) -> Survey:
    """Every pair of interfaces that reach each other over IPv4 or IPv6, and the internet with each.

    Clients inside use the ports of Linux hosts, those outside 1024-65535, as `reach` has it.
    """
    asked, unknown = stretches(network, protocol, port), set[Ends]()
    found: dict[Ends, list[tuple[PortRange, bool]]] = {}
    for version in (4, 6):
        matrix = Matrix(network, version)
        questions = [Asked(protocol, one.first, LINUX_CLIENT_PORTS) for one in asked]
        for one, pairs in zip(asked, matrix.each(questions), strict=False):
            for source, destination, whole in passing(pairs):
                found.setdefault((source, destination), []).append((one, whole))
            unknown |= untold(pairs)
    if len(network.interfaces) <= MOST_ASKED:
        for source, destination, one, answer in outside(network, protocol, asked):
            if answer.verdict == Verdict.UNKNOWN:
                unknown.add((source, destination))
            elif answer.verdict == Verdict.REACHABLE and answer.trace:
                whole = answer.trace.whole_range_answered
                found.setdefault((source, destination), []).append((one, whole))
    listed = [
        Reached(*ends, joined(one for one, _ in got), not all(whole for _, whole in got))
        for ends, got in sorted(found.items())
    ]
    return Survey(listed, sorted(unknown))


def untold(pairs: Pairs) -> set[Ends]:
    """The pairs, by ids, that meet what is not modelled."""
    names = [one.id for one in pairs.places.interfaces]
    return {(names[source], names[destination]) for source, destination in pairs.unknown}


def passing(pairs: Pairs) -> Iterator[tuple[str, str, bool]]:
    """Each pair that reaches: the ids, and whether every client port gets its answers."""
    names, size = [one.id for one in pairs.places.interfaces], len(pairs.places)
    for row, source in enumerate(names):
        whole = unpacked(pairs.whole[row], size)
        for column in np.flatnonzero(unpacked(pairs.some[row], size)):
            yield source, names[column], bool(whole[column])


def outside(
    network: Network, protocol: int, asked: Sequence[PortRange]
) -> Iterator[tuple[str, str, PortRange, Answer]]:
    """What is answered of the internet to each interface, and of each to the internet."""
    world = End(INTERNET, INTERNET)
    for start, end in with_world(network, world):
        for ports in asked:
            first = PortRange(ports.first, ports.first) if protocol in WITH_PORTS else None
            yield start.text, end.text, ports, ask(network, Question(start, end, protocol, first))


def with_world(network: Network, world: End) -> Iterator[tuple[End, End]]:
    """Each pair of the internet and an interface that may reach each other at all."""
    passive = (network.nat_gateways, network.load_balancers, network.endpoints)
    for one in network.interfaces.values():
        end = End(one.id, one.id, (one.id,))
        seen = one.public or any(address.version == 6 for address in one.addresses)
        if seen and one.owner not in network.nat_gateways:
            yield world, end
        if all(one.owner not in each for each in passive):
            yield end, world


def name_of(network: Network, interface: str) -> str:
    """What people call an interface: the logical name, or id and name, of what owns it."""
    if interface not in network.interfaces:
        return interface
    found: NetworkInterface = network.interfaces[interface]
    component = found.owner or found.id
    label = network.label(component)
    if label.logical:
        return label.logical
    return f"{component} ({label.name})" if label.name else component


def by_name(network: Network, found: Iterable[Reached]) -> list[Reached]:
    """The same between what owns the interfaces; what owns both ends is left out."""
    grouped: dict[tuple[str, str], list[Reached]] = {}
    for one in found:
        ends = name_of(network, one.source), name_of(network, one.destination)
        if ends[0] != ends[1]:
            grouped.setdefault(ends, []).append(one)
    return [
        Reached(*ends, joined(ports for one in got for ports in one.ports), all(one.partly for one in got))
        for ends, got in sorted(grouped.items())
    ]


def told_unknown(network: Network, unknown: Sequence[Ends]) -> str:
    """The sentence on pairs of which it cannot be said; empty where there are none."""
    if not unknown:
        return ""
    source, destination = (name_of(network, end) for end in unknown[0])
    pairs = "1 ordered pair meets" if len(unknown) == 1 else f"{len(unknown)} ordered pairs meet"
    return f"{pairs} what is not modelled; ask one for what it is: reach {source} {destination}"


def differing(old: Sequence[Reached], new: Sequence[Reached]) -> tuple[list[Reached], list[Reached]]:
    """What is opened and what is closed between two lists."""
    before, after = ({(one.source, one.destination): one for one in each} for each in (old, new))
    return list(more(before, after)), list(more(after, before))


def more(
    before: Mapping[tuple[str, str], Reached], after: Mapping[tuple[str, str], Reached]
) -> Iterator[Reached]:
    """What `after` has and `before` has not."""
    for ends, one in sorted(after.items()):
        held = before[ends].ports if ends in before else ()
        left = without_all(one.ports, held)
        if left:
            yield replace(one, ports=left)


def without_all(ports: Ports, held: Ports) -> Ports:
    """The ports that are in none of the held ranges."""
    left = list(ports)
    for one in held:
        left = [
            part
            for each in left
            for part in (
                PortRange(each.first, min(each.last, one.first - 1)),
                PortRange(max(each.first, one.last + 1), each.last),
            )
            if part.first <= part.last
        ]
    return joined(left)
