"""The same question put to the engine and to the walker, and what a flow of the engine has met on its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aws_vpc.network import Flow, Network, NetworkInterface, Verdict
from aws_vpc.reach import trace
from aws_vpc.reach_types import Hop, Trace
from walker.ask import ask
from walker.flows import flows
from walker.generator import network


@dataclass(frozen=True)
class Outcome:
    """What both have to agree on; `met` is only of the engine."""

    verdict: Verdict
    there: bool = False
    some: bool = False
    whole: bool = False
    met: Counter[str] = field(default_factory=Counter, compare=False, hash=False, repr=False)
    codes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Difference:
    """A flow on which they do not."""

    seed: int
    flow: Flow
    engine: Outcome
    walker: Outcome

    def __str__(self) -> str:
        return f"network({self.seed}), {self.flow}\n  engine {self.engine}\n  walker {self.walker}"


def of_walker(drawn: Network, flow: Flow) -> Outcome:
    """The walker's answer."""
    answer = ask(drawn, flow)
    codes = tuple(sorted(answer.codes))
    if answer.verdict == Verdict.UNKNOWN:
        return Outcome(answer.verdict, codes=codes)
    return Outcome(answer.verdict, answer.there, answer.some, answer.whole, codes=codes)


def of_engine(drawn: Network, flow: Flow) -> Outcome:
    """The engine's answer."""
    found = trace(drawn, flow)
    codes = tuple(one.code for one in (*found.blockers, *found.return_blockers))
    met = Counter(things(drawn, found))
    if found.verdict == Verdict.UNKNOWN:
        return Outcome(found.verdict, met=met, codes=codes)
    reachable = found.verdict == Verdict.REACHABLE
    whole = reachable and found.whole_range_answered
    return Outcome(found.verdict, found.arrives, reachable, whole, met, codes)


def differences(seed: int, count: int, most: int = 1000) -> Iterator[Difference]:
    """The flows of a seed's network on which engine and walker differ."""
    drawn = network(seed)
    for flow in flows(drawn, seed, count):
        engine, walker = of_engine(drawn, flow), of_walker(drawn, flow)
        if engine != walker and most:
            most -= 1
            yield Difference(seed, flow, engine, walker)


def things(drawn: Network, found: Trace) -> set[str]:
    """What the flow is an example of."""
    met = {f"verdict {found.verdict}", f"ip {found.flow.destination_address.version}"}
    met |= {f"code {one.code}" for one in (*found.blockers, *found.return_blockers)}
    if found.return_blockers:
        met.add("blocked on the way back")
    if found.verdict == Verdict.REACHABLE and not found.whole_range_answered:
        met.add("some ports only")
    for way, hops in (("there", found.forward), ("back", found.back)):
        met |= {f"{way} {kind}" for hop in hops for kind in kinds(drawn, hop)}
    return met | {f"there {kind}" for kind in shapes(drawn, found)} | ends(drawn, found)


def kinds(drawn: Network, hop: Hop) -> Iterator[str]:
    """The component of a hop by its kind, and what is special about the rule by which it passed."""
    component: Any = drawn.components.get(hop.component)
    rule: Any = hop.rule
    kind = type(component).__name__
    detail = {"NatGateway": "mode", "LoadBalancer": "kind"}.get(kind)
    yield f"{kind} {getattr(component, detail)}" if detail else kind
    if kind == "RouteTable":
        yield "main table" if component.main else "edge table" if component.gateways else "own table"
        if rule is not None and rule.prefix_list:
            yield "prefix list route"
    if kind == "SecurityGroup" and rule is not None:
        yield "group reference" if rule.group else "prefix list rule" if rule.prefix_list else "block rule"


def shapes(drawn: Network, found: Trace) -> Iterator[str]:
    """What only the way as a whole shows."""
    passed = [hop.component for hop in found.forward]
    if len({one for one in passed if one in drawn.transit_gateways}) > 1:
        yield "two transit gateways"
    if any("forwards what it gets" in one for one in found.assumptions):
        yield "middlebox"
    if found.arrives and not any(one in drawn.route_tables or one in drawn.acls for one in passed):
        yield "same subnet"


def ends(drawn: Network, found: Trace) -> set[str]:
    """The flow's destination, when it is of a special kind."""
    goal = drawn.components.get(found.flow.destination)
    if isinstance(goal, NetworkInterface):
        return {"to interface endpoint"} if goal.owner in drawn.endpoints else set()
    return {f"to {type(goal).__name__}"} if found.arrives else set()
