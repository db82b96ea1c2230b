"""All packets that a question stands for, and what becomes of them together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from aws_vpc.network import Flow, Network, PortRange, Verdict
from walker.journey import Journey, back, there
from walker.packet import Dropped, NotModelled

CHANGED = PortRange(1024, 65535)


@dataclass(frozen=True)
class Answer:
    """Whether the way there is open, and the way back for some and for all client ports.

    `codes` tells why packets were dropped.
    """

    there: bool
    some: bool
    whole: bool
    known: bool = True
    codes: frozenset[str] = frozenset()

    @property
    def verdict(self) -> Verdict:
        """Reachable when some client port gets its answer."""
        if not self.known:
            return Verdict.UNKNOWN
        return Verdict.REACHABLE if self.some else Verdict.NOT_REACHABLE


def ask(network: Network, flow: Flow) -> Answer:
    """What becomes of the flow's packets, with every port tried that makes a difference.

    Of several destination ports any will do.
    """
    if flow.protocol in (6, 17) and not isinstance(flow.port, int):
        asked = telling(marks(network), flow.port or PortRange(0, 65535))
        return any_of([one_question(network, replace(flow, port=port)) for port in asked])
    return one_question(network, flow)


def any_of(answers: list[Answer]) -> Answer:
    """The best of several answers: one that works, or else one that is not known."""
    best = [one for one in answers if one.some] or [one for one in answers if not one.known] or answers
    codes = frozenset(code for one in best for code in one.codes)
    there, whole = any(one.there for one in best), any(one.whole for one in best)
    return Answer(there, best[0].some, whole, best[0].known, codes)


def one_question(network: Network, flow: Flow) -> Answer:
    """The same for a single destination port."""
    codes: set[str] = set()
    answered: list[bool] = []
    there_open = False
    try:
        for source_port in client_ports(network, flow):
            opened, got = one_port(network, flow, source_port, codes)
            there_open = there_open or opened
            answered += got
            if not opened:
                break
    except NotModelled:
        return Answer(False, False, False, known=False)
    return Answer(there_open, any(answered), all(answered), True, frozenset(codes))


def one_port(
    network: Network, flow: Flow, source_port: int | None, codes: set[str]
) -> tuple[bool, list[bool]]:
    """Whether the way there is open for one client port, and whether answers come back.

    There is one answer, or one for each port that a NAT gateway or load balancer may take.
    """
    opened, answers = False, []
    for changed_port in telling(marks(network), CHANGED):
        journey = Journey(network, flow, changed_port)
        try:
            there(journey, source_port)
            known(journey)
            opened = True
            back(journey)
            known(journey)
            answers.append(True)
        except Dropped as why:
            answers.append(False)
            codes.add(f"{'back' if journey.reply else 'there'} {why}")
        if not journey.reply or not (journey.translated or journey.balanced):
            break
    return opened, answers


def known(journey: Journey) -> None:
    """What has arrived past a filter that is not fully known may have been refused there."""
    if journey.doubtful:
        raise NotModelled("a prefix list whose entries are not known")


def client_ports(network: Network, flow: Flow) -> list[int] | list[None]:
    """The source ports to try."""
    if flow.protocol not in (6, 17):
        return [None]
    return telling(marks(network), flow.source_ports)


def marks(network: Network) -> set[int]:
    """Every port at which the behaviour of some rule changes."""
    return {bound for entry in entries(network) for bound in entry}


def entries(network: Network) -> Iterator[tuple[int, int]]:
    """The first port of each range, and the first one past it: behaviour changes nowhere else."""
    for balancer in network.load_balancers.values():
        for listener in balancer.listeners:
            yield listener.port, listener.port + 1
    for acl in network.acls.values():
        for entry in acl.entries:
            if entry.ports:
                yield entry.ports.first, entry.ports.last + 1
    for group in network.groups.values():
        for rule in group.rules:
            if rule.ports:
                yield rule.ports.first, rule.ports.last + 1


def telling(marks: set[int], within: PortRange) -> list[int]:
    """One port of every stretch of the range between two marks."""
    return sorted({within.first} | {mark for mark in marks if mark in within})
