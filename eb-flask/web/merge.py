"""Two ordered streams of rows side by side: what is on one side only, and what differs, in bounded memory.

A row is a sequence whose first item is its key; both streams ascend. A key that one stream has twice, as a
warehouse may, is found once on both sides and once more on that side only.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

Row = Sequence[Any]
Batches = Iterable[Sequence[Row]]


@dataclass(frozen=True)
class Difference:
    """A row as the left side has it and as the right side has it; None where a side has no such row."""

    left: Row | None
    right: Row | None

    @property
    def key(self) -> Any:
        """The key of the row."""
        return (self.left or self.right or [None])[0]


class Merge:
    """The differences of two streams, one after another; `seen` counts keys, `last` is the latest."""

    def __init__(self, left: Batches, right: Batches) -> None:
        self.seen = 0
        self.last: Any = None
        self._left: Iterator[Row] = chain.from_iterable(left)
        self._right: Iterator[Row] = chain.from_iterable(right)

    def __iter__(self) -> Iterator[Difference | None]:
        """Every difference, and None for every key on which both sides agree."""
        one, other = next(self._left, None), next(self._right, None)
        while one is not None or other is not None:
            side = _earlier(one, other)
            self.seen += 1
            self.last = (one if side <= 0 else other)[0]  # type: ignore[index]
            if side == 0:
                yield None if tuple(one) == tuple(other) else Difference(one, other)  # type: ignore[arg-type]
            else:
                yield Difference(one, None) if side < 0 else Difference(None, other)
            one = next(self._left, None) if side <= 0 else one
            other = next(self._right, None) if side >= 0 else other


def _earlier(one: Row | None, other: Row | None) -> int:
    """Below zero where the left row comes first, above where the right one does, zero for the same key."""
    if one is None:
        return 1
    if other is None:
        return -1
    return (one[0] > other[0]) - (one[0] < other[0])
