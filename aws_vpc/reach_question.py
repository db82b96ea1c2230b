"""A question between two ends, which may be sets, to the flows that answer it.

    ask(network, Question(source, destination, ...)) -> Answer

Of sets (a subnet, a group, the internet) one flow that passes is enough: the answer shows it, and tells how
many of the source's interfaces have one. When none passes, the answer shows the flow that gets furthest and
why it stops.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aws_vpc.network import Network, Verdict
from aws_vpc.network_names import elsewhere
from aws_vpc.reach import trace
from aws_vpc.reach_asking import Asking, Question
from aws_vpc.reach_types import Blocker, Trace


@dataclass(frozen=True)
class Answer:
    """What was found: the flow that shows it, how many were tried, and the source interfaces that have a
    way.
    """

    verdict: Verdict
    trace: Trace | None
    tried: int
    sources: frozenset[str]
    passing: frozenset[str]
    note: str = ""


def ask(network: Network, question: Question) -> Answer:
    """The answer to a question."""
    for end in (question.source, question.destination):
        if why := elsewhere(network, end):
            return Answer(Verdict.UNKNOWN, None, 0, frozenset(), frozenset(), why)
    asking = Asking(network, question)
    best: Trace | None = None
    sources, passing, tried = set(), set(), 0
    for flow in asking.flows():
        sources.add(flow.source)
        if flow.source in passing:
            continue
        tried += 1
        found = _filtered(network, question, trace(network, flow))
        if found.verdict == Verdict.REACHABLE:
            passing.add(flow.source)
        if best is None or _rank(found) > _rank(best):
            best = found
    verdict = best.verdict if best else Verdict.NOT_REACHABLE
    note = "" if best else nothing_to_try(question)
    return Answer(verdict, best, tried, frozenset(sources), frozenset(passing), note)


def nothing_to_try(question: Question) -> str:
    """Why no flow could even be tried."""
    return (
        f"nothing to try: {question.source.text} and {question.destination.text} have no interface or "
        "address between which a packet could go"
    )


def _rank(found: Trace) -> tuple[int, int, int, int]:
    """How much a trace tells; one that goes astray tells least of why the goal is not reached."""
    order = {Verdict.REACHABLE: 2, Verdict.UNKNOWN: 1, Verdict.NOT_REACHABLE: 0}
    reasons = len(found.blockers) + len(found.return_blockers)
    astray = any(it.code == "NO_POSSIBLE_DESTINATION" for it in found.blockers)
    return order[found.verdict], int(found.arrives), -int(astray), -reasons


def _filtered(network: Network, question: Question, found: Trace) -> Trace:
    """The trace, refused when it misses what it has to pass or passes what it has to avoid."""
    if found.verdict != Verdict.REACHABLE or not (question.through or question.avoid):
        return found
    missed = [it for it in question.through if not passes(network, found, it)]
    met = [it for it in question.avoid if passes(network, found, it)]
    if not missed and not met:
        return found
    what = missed[0] if missed else met[0]
    change = f"route {'through' if missed else 'around'} {what}"
    blocker = Blocker("COMPONENT_FILTER_RESTRICTION", what, change)
    return replace(found, verdict=Verdict.NOT_REACHABLE, blockers=(*found.blockers, blocker))


def passes(network: Network, found: Trace, component: str) -> bool:
    """Whether the way there passes the component, or an interface, subnet or VPC that it names."""
    return any(component in (hop.component, hop.subnet, hop.vpc) for hop in found.forward)
