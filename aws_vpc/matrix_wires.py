"""The packets that matter: one request for a question, and answers to a client port of every kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aws_vpc.matrix_rules import Wire
from aws_vpc.network import Network, PortRange
from aws_vpc.network_values import (
    ALL_PORTS,
    ANY_PROTOCOL,
    ECHO_REPLY,
    ECHO_REPLY_V6,
    ECHO_REQUEST,
    ECHO_REQUEST_V6,
    EPHEMERAL_PORTS,
    ICMP,
    ICMPV6,
    TCP,
    WITH_PORTS,
)


@dataclass(frozen=True)
class Asked:
    """What is asked of every pair: the protocol, its port, and the ports that clients may use."""

    protocol: int = TCP
    port: int | None = None
    clients: PortRange = EPHEMERAL_PORTS


def request(asked: Asked) -> Wire:
    """The client's packet."""
    icmp = {ICMP: ECHO_REQUEST, ICMPV6: ECHO_REQUEST_V6}.get(asked.protocol)
    return Wire(asked.protocol, asked.port if asked.protocol in WITH_PORTS else None, icmp)


def answers(network: Network, asked: Asked) -> list[Wire]:
    """The server's packets: one for each kind of client port that ACLs tell apart."""
    if asked.protocol not in WITH_PORTS:
        icmp = {ICMP: ECHO_REPLY, ICMPV6: ECHO_REPLY_V6}.get(asked.protocol)
        return [Wire(asked.protocol, None, icmp)]
    ranges = {
        entry.ports
        for acl in network.acls.values()
        for entry in acl.entries
        if entry.ports and entry.protocol in (ANY_PROTOCOL, asked.protocol)
    }
    return [Wire(asked.protocol, port) for port in telling(ranges, asked.clients)]


def telling(ranges: Iterable[PortRange], within: PortRange) -> list[int]:
    """One port of every stretch of `within` that the ranges tell apart; stretches in the same ranges
    are one.
    """
    known = list(ranges)
    marks = {within.first} | {mark for one in known for mark in (one.first, one.last + 1) if mark in within}
    kinds: dict[tuple[bool, ...], int] = {}
    for port in sorted(marks):
        kinds.setdefault(tuple(port in one for one in known), port)
    return list(kinds.values())


def request_ports(network: Network, protocol: int = TCP) -> list[PortRange]:
    """All ports in stretches within which no rule and no entry changes its mind."""
    rules = [rule for group in network.groups.values() for rule in group.rules]
    entries = [entry for acl in network.acls.values() for entry in acl.entries]
    ranges = [one.ports for one in rules if one.ports and one.protocol == protocol]
    ranges += [one.ports for one in entries if one.ports and one.protocol == protocol]
    marks = sorted({0} | {mark for one in ranges for mark in (one.first, one.last + 1) if mark in ALL_PORTS})
    ends = [mark - 1 for mark in marks[1:]] + [ALL_PORTS.last]
    return [PortRange(first, last) for first, last in zip(marks, ends, strict=True)]
