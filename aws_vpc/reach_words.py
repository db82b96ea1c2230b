"""A trace in words: the verdict, the hops there and back, every blocker with what would lift it."""

from __future__ import annotations

from collections.abc import Iterator

from aws_vpc.network import (
    AclEntry,
    Network,
    Route,
    SecurityGroupRule,
    TransitGatewayRoute,
    Verdict,
)
from aws_vpc.network_names import kind
from aws_vpc.network_values import INTERNET
from aws_vpc.reach_asking import Question
from aws_vpc.reach_question import Answer
from aws_vpc.reach_types import Blocker, Hop, Rule, Trace
from aws_vpc.reach_walk import PROTOCOLS


def lines(network: Network, question: Question, answer: Answer) -> list[str]:
    """The answer for people."""
    asked = f"{question.source.text} to {question.destination.text}, {wanted(question)}"
    told = [f"{asked}: {answer.verdict}"]
    if answer.trace is None:
        return [*told, f"  {answer.note}"]
    trace = answer.trace
    told += [f"  {line}" for line in _facts(network, question, answer, trace)]
    if trace.forward:
        told += ["there", *_hops(network, trace.forward)]
    if trace.back:
        told += ["back", *_hops(network, trace.back)]
    told += _blockers(network, "in the way", trace.blockers)
    told += _blockers(network, "in the way of the answers", trace.return_blockers)
    told += [f"not modelled: {it}" for it in trace.missing]
    return told + [f"assuming that {it}" for it in trace.assumptions]


def wanted(question: Question) -> str:
    """The protocol and ports that are asked for."""
    name = PROTOCOLS.get(question.protocol, f"protocol {question.protocol}")
    if question.protocol == -1:
        name = "any protocol"
    ports = f" port {question.ports}" if question.ports else ""
    return f"{name}{ports}"


def _facts(network: Network, question: Question, answer: Answer, trace: Trace) -> Iterator[str]:
    flow = trace.flow
    yield f"{_end(network, flow.source)} {flow.source_address} to {_end(network, flow.destination)} " + (
        f"{flow.destination_address}"
    )
    if answer.verdict == Verdict.REACHABLE and flow.protocol in (6, 17):
        passing = ", ".join(map(str, trace.ports))
        if question.ports is None or passing != str(question.ports):
            yield f"by {PROTOCOLS[flow.protocol]} port {passing}"
        whole = "all" if trace.whole_range_answered else "some"
        shown = ", ".join(map(str, trace.answered))
        yield f"answers reach {whole} of the client ports {flow.source_ports}: {shown}"
    if len(answer.sources) > 1:
        yield f"from {len(answer.passing)} of {len(answer.sources)} interfaces of {question.source.text}"


def _end(network: Network, component: str) -> str:
    return "the internet" if component == INTERNET else component


def _hops(network: Network, hops: tuple[Hop, ...]) -> list[str]:
    rows = [(kind_of(network, hop.component), hop.component, _decided(hop)) for hop in hops]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [f"  {row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}".rstrip() for row in rows]


def kind_of(network: Network, component: str) -> str:
    """What kind of thing a component is, in words."""
    found = network.components.get(component)
    return kind(found) if found else component


def _decided(hop: Hop) -> str:
    if hop.rule is not None:
        return f"{hop.direction} {told(hop.rule)}".strip()
    return f"{hop.direction} {hop.note}".strip() if hop.note else ""


def told(rule: Rule) -> str:
    """A rule, route or entry in one line."""
    if isinstance(rule, SecurityGroupRule):
        peer = rule.block or rule.group or rule.prefix_list
        return f"rule: {_traffic(rule.protocol, rule.ports)} {'to' if rule.egress else 'from'} {peer}"
    if isinstance(rule, AclEntry):
        verb = "allows" if rule.allow else "refuses"
        return f"entry {rule.number} {verb} {_traffic(rule.protocol, rule.ports)} " + (
            f"{'to' if rule.egress else 'from'} {rule.block}"
        )
    to = rule.destination or rule.prefix_list
    state = "" if rule.state == "active" else f" ({rule.state})"
    if isinstance(rule, Route):
        return f"route {to} to {rule.target}{state}"
    assert isinstance(rule, TransitGatewayRoute)
    return f"{rule.origin} route {to} to {rule.attachment or 'nothing'}{state}"


def _traffic(protocol: int, ports: object) -> str:
    name = PROTOCOLS.get(protocol, f"protocol {protocol}")
    return f"{name} {ports}" if ports else name


def _blockers(network: Network, head: str, found: tuple[Blocker, ...]) -> list[str]:
    if not found:
        return []
    told = [head]
    for it in found:
        where = f"{kind_of(network, it.component)} {it.component}" if it.component != INTERNET else INTERNET
        told += [f"  {it.code} at {where}{f', {it.direction}' if it.direction else ''}", f"    {it.change}"]
    return told


def path_lines(network: Network, trace: Trace) -> list[str]:
    """A trace in few lines: its ends, its way, and what stands in it."""
    flow = trace.flow
    name = PROTOCOLS.get(flow.protocol, f"protocol {flow.protocol}")
    ports = f" {', '.join(map(str, trace.ports))}" if flow.protocol in (6, 17) and trace.ports else ""
    head = f"{_end(network, flow.source)} {flow.source_address} to {_end(network, flow.destination)} "
    told = [f"{head}{flow.destination_address}, {name}{ports}"]
    told += [f"  {line.strip()}" for line in _hops(network, trace.forward)] if trace.forward else []
    for blocker in (*trace.blockers, *trace.return_blockers):
        told.append(f"  {blocker.code} at {blocker.component}: {blocker.change}")
    return told + [f"  not modelled: {it}" for it in trace.missing]
