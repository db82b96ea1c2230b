"""Intents held against a network: which hold, and by which path one breaks.

    check(network, intents) -> [Outcome]

«deny» and «only» are about packets that arrive, answered or not; «allow» and «through» about connections.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from aws_vpc.errors import UsageError
from aws_vpc.intents import FlowSet, Intent, Intents
from aws_vpc.network import Address, Block, Network, PortRange, Verdict
from aws_vpc.network_names import End, elsewhere, find
from aws_vpc.network_values import ALL_PORTS, ANY_PROTOCOL, INTERNET, WITH_PORTS
from aws_vpc.reach import trace
from aws_vpc.reach_asking import Asking, Question
from aws_vpc.reach_filters import joined, overlap, without
from aws_vpc.reach_question import ask, passes
from aws_vpc.reach_types import Trace

ANY = "any"
SHOWN = 5  # offending paths told of one intent


class State(StrEnum):
    """What became of an intent."""

    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Outcome:
    """An intent's state, why, and the paths that show it."""

    intent: Intent
    state: State
    reason: str = ""
    paths: tuple[Trace, ...] = ()


def check(network: Network, intents: Intents) -> list[Outcome]:
    """What becomes of every intent, in their order."""
    return [_outcome(network, it, intents) for it in intents.intents]


def _outcome(network: Network, intent: Intent, intents: Intents) -> Outcome:
    for name, value in intent.unless:
        if intents.parameters.get(name) == value:
            return Outcome(intent, State.NOT_ASKED, f"{name} is {value}")
    if intent.scope is not None:
        from aws_vpc.intents_scopes import scope_paths

        return _judged(intent, scope_paths(network, intent.scope), "the scope finds a path")
    sources, destinations = ends(network, intent.flows.sources), ends(network, intent.flows.destinations)
    for end in (*sources, *destinations):
        if why := elsewhere(network, end):
            return Outcome(intent, State.UNKNOWN, why)
    if intent.kind == "only":
        return (
            _judged(intent, _strangers(network, intent, sources, destinations), "a packet arrives")
            if (destinations)
            else _not_asked(intent)
        )
    if not sources or not destinations:
        return _not_asked(intent)
    if intent.kind == "deny":
        excepted = [_Resolved(network, it) for it in intent.exceptions]
        told = _blocks(network, excepted)
        found = arriving(network, sources, destinations, intent.flows.protocol, intent.flows.ports, told)
        return _judged(intent, _unexcused(found, excepted), "a packet arrives")
    return _connections(network, intent, sources, destinations)


def _not_asked(intent: Intent) -> Outcome:
    missing = ", ".join(it for it in (*intent.flows.sources, *intent.flows.destinations) if it.endswith("?"))
    return Outcome(intent, State.NOT_ASKED, f"there is no {missing}")


def _judged(intent: Intent, found: Iterable[Trace], reason: str) -> Outcome:
    """Broken by paths that arrive; unknown where one might."""
    arrive, maybe = list[Trace](), list[Trace]()
    for one in found:
        (maybe if one.missing else arrive).append(one)
        if len(arrive) == SHOWN:
            break
    if arrive:
        return Outcome(intent, State.BROKEN, reason, tuple(arrive))
    if maybe:
        return Outcome(intent, State.UNKNOWN, f"not modelled: {maybe[0].missing[0]}", tuple(maybe[:SHOWN]))
    return Outcome(intent, State.HOLDS)


def ends(network: Network, names: Sequence[str]) -> list[End]:
    """The ends that the names mean; those with `?` that are not there are left out."""
    found = []
    for name in names:
        if name == ANY:
            found += [End(ANY, interfaces=tuple(network.interfaces)), End(INTERNET, INTERNET)]
            continue
        try:
            found.append(find(network, name.removesuffix("?")))
        except UsageError as error:
            if not name.endswith("?") or "ambiguous" in str(error):
                raise
    return found


def arriving(
    network: Network,
    sources: Sequence[End],
    destinations: Sequence[End],
    protocol: int = ANY_PROTOCOL,
    ports: Sequence[PortRange] = (),
    apart: Sequence[Block] = (),
) -> Iterator[Trace]:
    """Every flow between the ends whose request arrives, or might; a thing is not asked to reach itself."""
    for source in sources:
        for destination in destinations:
            for one in ports or (None,):
                question = Question(source, destination, protocol, one, apart=tuple(apart))
                for flow in Asking(network, question).flows():
                    if _same(network, flow.source, flow.destination):
                        continue
                    found = trace(network, flow)
                    if found.arrives or (found.missing and not found.blockers):
                        yield found


def _same(network: Network, source: str, destination: str) -> bool:
    one, other = network.interfaces.get(source), network.interfaces.get(destination)
    return one is not None and other is not None and (one.id == other.id or one.owner == other.owner != "")


@dataclass(frozen=True)
class _Resolved:
    """An exception's flows, with its names looked up."""

    network: Network
    flows: FlowSet

    def remaining(self, found: Trace) -> Trace | None:
        """The part of the trace that the exception does not cover; None when it covers all."""
        if not self._concerns(found):
            return found
        if not self.flows.ports or found.flow.protocol not in WITH_PORTS:
            return None
        left = list(found.ports or (ALL_PORTS,))
        for ports in self.flows.ports:
            left = [rest for one in left for rest in without(one, ports)]
        return replace(found, ports=joined(left)) if left else None

    def _concerns(self, found: Trace) -> bool:
        if self.flows.protocol not in (ANY_PROTOCOL, found.flow.protocol):
            return False
        flow = found.flow
        sides = (
            (self.flows.sources, flow.source, flow.source_address),
            (self.flows.destinations, flow.destination, flow.destination_address),
        )
        return all(
            any(self._is(it, component, address) for it in ends(self.network, names))
            for names, component, address in sides
        )

    def _is(self, end: End, component: str, address: Address) -> bool:
        """Whether an end of a flow is among what was named: by its component, or by any of its addresses."""
        if end.block is None:
            return component in (end.component, *end.interfaces)
        known = self.network.interfaces.get(component)
        return any(it in end.block for it in (address, *(known.addresses if known else ())))


def _unexcused(found: Iterable[Trace], exceptions: Sequence[_Resolved]) -> Iterator[Trace]:
    for one in found:
        left: Trace | None = one
        for exception in exceptions:
            left = exception.remaining(left) if left else None
        if left:
            yield left


def _strangers(
    network: Network, intent: Intent, sources: Sequence[End], destinations: Sequence[End]
) -> Iterator[Trace]:
    """What arrives at the destinations and is not the flow that alone may."""
    everything = ends(network, [ANY])
    allowed = [_Resolved(network, intent.flows), *(_Resolved(network, it) for it in intent.exceptions)]
    found = arriving(network, everything, destinations, apart=_blocks(network, allowed))
    return _unexcused(found, allowed if sources else allowed[1:])


def _blocks(network: Network, excepted: Sequence[_Resolved]) -> list[Block]:
    """The blocks that exceptions name, at whose edges the answer may change."""
    names = [name for it in excepted for name in (*it.flows.sources, *it.flows.destinations)]
    return [it.block for it in ends(network, names) if it.block is not None]


def _connections(
    network: Network, intent: Intent, sources: Sequence[End], destinations: Sequence[End]
) -> Outcome:
    """Whether each interface of each source reaches each destination, through what it has to pass."""
    through = [it.component for it in ends(network, intent.through)]
    if intent.kind == "through" and not through:
        return Outcome(intent, State.NOT_ASKED, f"there is no {', '.join(intent.through)}")
    ports = intent.flows.ports or (None,)
    for source in sources:
        for destination in destinations:
            for one in ports:
                question = Question(source, destination, intent.flows.protocol, one)
                if outcome := _fails(network, intent, question, through):
                    return outcome
    return Outcome(intent, State.HOLDS)


def _fails(network: Network, intent: Intent, question: Question, through: Sequence[str]) -> Outcome | None:
    answer = ask(network, question)
    shown = (answer.trace,) if answer.trace else ()
    name = f"{question.source.text} to {question.destination.text}"
    if answer.verdict == Verdict.UNKNOWN:
        return Outcome(intent, State.UNKNOWN, f"{name} is unknown", shown)
    if answer.verdict != Verdict.REACHABLE:
        return Outcome(intent, State.BROKEN, f"{name} is not reachable {answer.note}".strip(), shown)
    if intent.kind == "allow" and (lost := sorted(answer.sources - answer.passing)):
        return Outcome(intent, State.BROKEN, f"{lost[0]} does not reach {question.destination.text}", shown)
    protocol, ports = question.protocol, (question.ports,) if question.ports else ()
    for found in (
        arriving(network, [question.source], [question.destination], protocol, ports) if through else ()
    ):
        if not any(passes(network, found, it) for it in through):
            return Outcome(
                intent, State.BROKEN, f"{name} does not pass {', '.join(intent.through)}", (found,)
            )
    return None


__all__ = ["Outcome", "State", "arriving", "check", "ends", "overlap"]
