"""Few combinations of switches that hold every possible pair of values: `pairwise(factors, allowed)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, islice, product

Case = dict[str, str]
Pair = tuple[tuple[str, str], tuple[str, str]]
Factors = Mapping[str, Sequence[str]]
BEGINNINGS = 12  # of each new combination, of which the best is taken


def pairs(case: Mapping[str, str]) -> set[Pair]:
    """Every pair of settings in a combination."""
    return set(combinations(sorted(case.items()), 2))


def every_pair(factors: Factors) -> dict[Pair, None]:
    """Every pair of settings of two factors, in order."""
    settings = {name: [(name, value) for value in values] for name, values in factors.items()}
    both = combinations(sorted(settings), 2)
    return {pair: None for one, other in both for pair in product(settings[one], settings[other])}


def everything(factors: Factors, allowed: Callable[[Case], bool]) -> Iterator[Case]:
    """Every combination that is allowed."""
    for values in product(*factors.values()):
        case = dict(zip(factors, values, strict=True))
        if allowed(case):
            yield case


def completed(case: Case, factors: Factors, allowed: Callable[[Case], bool], missing: Iterable[Pair]) -> Case:
    """An allowed combination with the settings of `case` and many missing pairs; empty when there is none.

    `allowed` is asked of parts of a combination, too, and refuses one only when it refuses every whole.
    """
    if not allowed(case):
        return {}
    name = next((name for name in factors if name not in case), None)
    if name is None:
        return case

    def gain(value: str) -> int:
        return sum(tuple(sorted(((name, value), one))) in missing for one in case.items())

    for value in sorted(factors[name], key=gain, reverse=True):
        if found := completed({**case, name: value}, factors, allowed, missing):
            return found
    return {}


def pairwise(factors: Factors, allowed: Callable[[Case], bool] = lambda case: True) -> list[Case]:
    """Combinations that hold each pair that any allowed combination holds; greedy, always the same."""
    missing = every_pair(factors)
    chosen: list[Case] = list(everything(factors, allowed)) if len(factors) == 1 else []
    while missing:
        begun = islice(missing, BEGINNINGS)
        found = {pair: completed(dict(pair), factors, allowed, missing) for pair in begun}
        for pair in [pair for pair, case in found.items() if not case]:
            del missing[pair]  # no allowed combination has it
        if cases := [case for case in found.values() if case]:
            chosen.append(max(cases, key=lambda case: len(pairs(case) & missing.keys())))
            for pair in pairs(chosen[-1]):
                missing.pop(pair, None)
    return chosen
