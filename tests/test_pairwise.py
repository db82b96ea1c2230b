"""The combinations that are deployed hold every pair of values that goes together, and are few."""

from __future__ import annotations

import random

import pytest
from combinations_bench import SWITCHES, sensible
from pairwise import Case, every_pair, everything, pairs, pairwise


@pytest.mark.parametrize("seed", range(25))
def test_pairwise_combinations_hold_every_pair_that_is_possible(seed: int) -> None:
    dice = random.Random(seed)
    factors = {
        f"Switch{number}": [str(value) for value in range(dice.randint(1, 4))]
        for number in range(dice.randint(2, 5))
    }
    known = sorted(every_pair(factors))
    forbidden = set(dice.sample(known, k=min(2, len(known) - 1)))

    def allowed(case: Case) -> bool:
        return not pairs(case) & forbidden

    cases = pairwise(factors, allowed)
    possible = set().union(*(pairs(case) for case in everything(factors, allowed)))
    assert set().union(*map(pairs, cases)) == possible
    assert all(allowed(case) for case in cases)
    assert len(cases) <= sum(1 for _ in everything(factors, allowed))


def test_pairwise_combinations_are_few_and_sensible() -> None:
    cases = pairwise(SWITCHES, sensible)
    assert len(cases) <= 26
    assert all(sensible(case) for case in cases)
    held = {setting for case in cases for setting in case.items()}
    assert held == {(name, value) for name, values in SWITCHES.items() for value in values}
