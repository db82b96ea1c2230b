"""A value that an object computes when it is first asked for, under the object's one lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class once(Generic[Value]):
    """`functools.cached_property` without a lock of its own: the object's re-entrant `_lock` serves.

    Before Python 3.12 that one holds a lock while it computes: a thread that holds it and waits for the
    object's lock, and one that does the reverse, wait for each other for ever.
    """

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self._compute, self._name, self.__doc__ = compute, compute.__name__, compute.__doc__

    def __get__(self, owner: Any, kind: type) -> Value:
        if owner is None:  # asked of the class, as `property` may be
            return self  # type: ignore[return-value]
        with owner._lock:
            known = owner.__dict__  # from now on Python finds the value there, before it asks here
            if self._name not in known:
                known[self._name] = self._compute(owner)
            value: Value = known[self._name]
            return value
