"""A question about sets overlooks no way: in random networks, what one flow finds is found."""

from __future__ import annotations

import os

import pytest
from walker.flows import flows
from walker.generator import network

from aws_vpc.network import Network, Verdict
from aws_vpc.network_names import End, interfaces_of
from aws_vpc.network_values import ANY_PROTOCOL, INTERNET
from aws_vpc.reach import trace
from aws_vpc.reach_asking import Question
from aws_vpc.reach_question import ask

NETWORKS = 1500 if "AWS_VPC_TEST_ALL" in os.environ else 60
PARTS = 4


def end(drawn: Network, component: str) -> End:
    if component == INTERNET:
        return End(INTERNET, INTERNET)
    return End(component, component, interfaces_of(drawn, component))


@pytest.mark.parametrize("part", range(PARTS))
def test_any_port_by_any_protocol_from_anywhere_finds_what_one_flow_finds(part: int) -> None:
    tried = 0
    for seed in range(part * NETWORKS // PARTS, (part + 1) * NETWORKS // PARTS):
        drawn = network(seed)
        for flow in flows(drawn, seed, 40):
            if trace(drawn, flow).verdict != Verdict.REACHABLE:
                continue
            tried += 1
            ends = end(drawn, flow.source), end(drawn, flow.destination)
            answer = ask(drawn, Question(*ends, ANY_PROTOCOL, None, flow.source_ports))
            assert answer.verdict == Verdict.REACHABLE, (seed, flow)
    assert tried > 50
