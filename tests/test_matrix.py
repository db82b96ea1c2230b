"""All pairs at once say what the explained walker says of each, also after changes, and for every port."""

import os
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from walker.generated_filters import drawn, rules
from walker.generator import Draft, network

from aws_vpc import matrix_bits as bits
from aws_vpc.matrix import Matrix, ends_of
from aws_vpc.matrix_pairs import Pairs
from aws_vpc.matrix_update import update
from aws_vpc.matrix_wires import Asked, request_ports
from aws_vpc.network import Network, PortRange, Verdict

ALL = "AWS_VPC_TEST_ALL" in os.environ
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
QUESTIONS = [Asked(TCP, 443), Asked(UDP, 22), Asked(TCP, 5432, PortRange(32768, 61000))]


def of_trace(matrix: Matrix, asked: Asked) -> dict[tuple[int, int], tuple[bool, bool, bool]]:
    """What a trace of each pair says: some, whole, unknown; pairs that cannot be are left out."""
    found = {}
    begins, ends = ends_of(matrix.places)
    for source in np.flatnonzero(begins):
        for destination in np.flatnonzero(ends):
            if source != destination:
                verdict, whole = matrix.traced(asked, int(source), int(destination))
                reached = verdict == Verdict.REACHABLE
                found[int(source), int(destination)] = (
                    reached,
                    reached and whole,
                    verdict == Verdict.UNKNOWN,
                )
    return found


def of_pairs(pairs: Pairs, which: list[tuple[int, int]]) -> dict[tuple[int, int], tuple[bool, bool, bool]]:
    size = len(pairs.places)
    some, whole = bits.unpacked(pairs.some, size), bits.unpacked(pairs.whole, size)
    return {one: (bool(some[one]), bool(whole[one]), one in pairs.unknown) for one in which}


@pytest.mark.parametrize("seed", range(300 if ALL else 12))
def test_the_matrix_says_what_a_trace_of_each_pair_says(seed: int) -> None:
    for version, echo in ((4, ICMP), (6, ICMPV6)):
        matrix = Matrix(network(seed), version)
        for asked in [*QUESTIONS, Asked(echo)]:
            wanted = of_trace(matrix, asked)
            pairs = matrix.pairs(asked)
            assert of_pairs(pairs, list(wanted)) == wanted
            assert len(pairs) == sum(some for some, _, _ in wanted.values())


def changed(one: Network, random: Random) -> Network:
    """The network with the rules of a group, the entries of an ACL, or the routes of a table changed."""
    draft = Draft(random, {kind: dict(getattr(one, kind)) for kind in ("vpcs", "subnets", "interfaces")})
    part = random.choice(["groups", "acls", "route_tables"])
    held = dict(getattr(one, part))
    if not held:
        return one
    name = random.choice(list(held))
    if part == "groups":
        held[name] = replace(held[name], rules=rules(draft, list(one.groups)))
    elif part == "acls":
        held[name] = replace(held[name], entries=drawn(draft))
    else:
        held[name] = replace(held[name], routes=held[name].routes[:-1])
    return replace(one, **{part: held})


@pytest.mark.parametrize("seed", range(200 if ALL else 20))
def test_after_a_change_the_matrix_is_what_it_would_be_anew(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aws_vpc.matrix_update.WORTH", 1 + seed % 3)
    random, here = Random(seed), network(seed)
    matrix = Matrix(here)
    pairs = matrix.pairs(QUESTIONS[0])
    for _ in range(4):
        here = changed(here, random)
        pairs = update(matrix, here, pairs)
        anew = Matrix(here).pairs(QUESTIONS[0])
        assert (pairs.some == anew.some).all()
        assert (pairs.whole == anew.whole).all()
        assert pairs.unknown == anew.unknown


def test_another_interface_makes_the_matrix_anew() -> None:
    here = network(3)
    matrix = Matrix(here)
    pairs = matrix.pairs(QUESTIONS[0])
    gone = next(iter(here.interfaces))
    less = replace(here, interfaces={name: one for name, one in here.interfaces.items() if name != gone})
    after = update(matrix, less, pairs)
    assert gone not in after.places.index
    assert (after.some == Matrix(less).pairs(QUESTIONS[0]).some).all()


def test_the_stretches_of_ports_hold_every_port_and_behave_as_their_first() -> None:
    here = network(7)
    stretches = request_ports(here)
    assert stretches[0].first == 0
    assert stretches[-1].last == 65535
    assert all(one.last + 1 == next_one.first for one, next_one in pairwise(stretches))
    matrix = Matrix(here)
    for one in stretches:
        first, last = (matrix.pairs(Asked(TCP, port)).some for port in (one.first, one.last))
        assert (first == last).all()


def test_many_questions_together_are_answered_as_each_alone() -> None:
    matrix = Matrix(network(11))
    questions = [Asked(TCP, port) for port in range(20, 33)]
    for asked, pairs in zip(questions, matrix.each(questions), strict=True):
        assert (pairs.some == Matrix(network(11)).pairs(asked).some).all()


def test_a_network_without_interfaces_has_no_pairs() -> None:
    pairs = Matrix(Network()).pairs(Asked(TCP, 80))
    assert len(pairs) == 0
    assert list(pairs.listed()) == []


def test_pairs_are_found_and_listed_by_ids() -> None:
    pairs = Matrix(network(5)).pairs(QUESTIONS[0])
    listed = set(pairs.listed())
    names = [one.id for one in pairs.places.interfaces]
    assert listed == {(one, other) for one in names for other in names if pairs.reaches(one, other)}


matrices = (
    st.integers(0, 2**32)
    .map(lambda seed: np.random.default_rng(seed))
    .map(lambda random: random.random((random.integers(1, 70), random.integers(1, 70))) < 0.4)
)


@given(matrices)
def test_a_turned_matrix_has_rows_for_columns(flags: np.ndarray) -> None:
    turned = bits.turned(bits.packed(flags), flags.shape[1])
    assert (bits.unpacked(turned, flags.shape[0]) == flags.T).all()
    assert bits.count(turned) == flags.sum()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(0, 30)), max_size=12))
def test_painted_runs_and_joined_rows_are_unions(runs: list[tuple[int, int, int]]) -> None:
    runs = [(row, min(ends), max(ends)) for row, *ends in runs]
    wanted = np.zeros((5, 30), np.bool_)
    for row, start, end in runs:
        wanted[row, start:end] = True
    columns = np.array(runs, np.int64).reshape(-1, 3).T
    table = bits.painted(5, 30, *columns)
    assert (bits.unpacked(table, 30) == wanted).all()
    row, part = np.array([[row, start % 5] for row, start, _ in runs], np.int64).reshape(-1, 2).T
    joined = bits.unpacked(bits.joined(table, row, part, 5), 30)
    for number in range(5):
        assert (joined[number] == wanted[part[row == number]].any(axis=0)).all()
