"""Few combinations of switches that hold every possible pair of values: `pairwise(factors, allowed)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, product

Case = dict[str, str]
Pair = tuple[tuple[str, str], tuple[str, str]]
Factors = Mapping[str, Sequence[str]]


def pairs(case: Mapping[str, str]) -> set[Pair]:
    """Every pair of settings in a combination."""
    return set(combinations(sorted(case.items()), 2))


def everything(factors: Factors, allowed: Callable[[Case], bool]) -> Iterator[Case]:
    """Every combination that is allowed."""
    for values in product(*factors.values()):
        case = dict(zip(factors, values, strict=True))
        if allowed(case):
            yield case


def pairwise(factors: Factors, allowed: Callable[[Case], bool] = lambda case: True) -> list[Case]:
    """Combinations that hold each pair that any allowed combination holds; greedy, always the same."""
    cases = list(everything(factors, allowed))
    missing = set().union(*map(pairs, cases)) if cases else set()
    chosen = []
    while missing:
        best = max(cases, key=lambda case: len(pairs(case) & missing))
        chosen.append(best)
        missing -= pairs(best)
    return chosen
