"""What a page of people shows, as its address says it: the address is the state.

    /rds/people?q=smith&state=CA&postal__gte=90000&sort=-postal&size=50&after=["90210",17]

    q                      e-mails that contain this, upper and lower case alike
    COLUMN=, COLUMN__OP=   filters, any number, all must hold; OP is one of OPERATORS
    sort                   a column, with - before it for descending
    size                   rows per page
    facet                  a column whose values are counted beside the rows; several allowed
    _column=, _operator=, _value=   one more filter, as the form sends it
    after                  the last row of the page before: its value in the sort column, its id

In: the columns that there are and their kinds, parameters to a View and back, a sentence for what makes no
sense. Out: SQL (listing.py), HTML.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from .kinds import KINDS, LARGEST, written

OPERATORS = {
    "is": "is",
    "not": "is not",
    "contains": "contains",
    "startswith": "begins with",
    "endswith": "ends with",
    "gt": ">",
    "gte": "≥",
    "lt": "<",
    "lte": "≤",
    "in": "is one of",
    "isnull": "is empty",
}
TEXT_ONLY = ("contains", "startswith", "endswith")
NO_ORDER = ("gt", "gte", "lt", "lte", "in")
FACETS = ("state", "postal")
SIZES = (20, 50, 100, 200, 500)
USUAL_SIZE = 100
LONGEST_VALUE = 400
MOST_FILTERS = 20
FORM = ("_column", "_operator", "_value")
Kinds = Mapping[str, type]


class Senseless(Exception):
    """The address asks for something that makes no sense; the message says what, for people."""


@dataclass(frozen=True)
class Filter:
    """One condition: column, operator, value as typed."""

    column: str
    operator: str
    value: str

    @property
    def parameter(self) -> str:
        """Its name in the address."""
        return self.column if self.operator == "is" else f"{self.column}__{self.operator}"

    @property
    def words(self) -> str:
        """The condition for people."""
        if self.operator == "isnull":
            return f"{self.column} is {'' if self.value == '1' else 'not '}empty"
        return f"{self.column} {OPERATORS[self.operator]} {self.value}"

    def operand(self, kind: type) -> Any:
        """The value as a column of this kind has it, or for `in` a list of them."""
        if self.operator == "in":
            return [_typed(self.column, kind, part) for part in self.value.split(",")]
        return self.value if self.operator == "isnull" else _typed(self.column, kind, self.value)


@dataclass(frozen=True)
class View:
    """A page of people: which, in what order, how many, from where."""

    q: str = ""
    filters: tuple[Filter, ...] = ()
    sort: str = "id"
    descending: bool = False
    size: int = USUAL_SIZE
    facets: tuple[str, ...] = ()
    after: tuple[Any, int] | None = None

    @property
    def query(self) -> str:
        """The part of the address behind the question mark, shortest form."""
        pairs = [("q", self.q)] if self.q else []
        pairs += [(item.parameter, item.value) for item in self.filters]
        pairs += [("facet", name) for name in self.facets]
        if self.descending or self.sort != "id":
            pairs.append(("sort", f"{'-' if self.descending else ''}{self.sort}"))
        if self.size != USUAL_SIZE:
            pairs.append(("size", str(self.size)))
        if self.after is not None:
            after = json.dumps(self.after, ensure_ascii=False, separators=(",", ":"), default=written)
            pairs.append(("after", after))
        return urlencode(pairs)

    def sorted_by(self, column: str) -> "View":
        """The view after a click on a column's head: by that column, or the other way round."""
        descending = self.sort == column and not self.descending
        return replace(self, sort=column, descending=descending, after=None)

    def searching(self, text: str) -> "View":
        """The view with another search."""
        return replace(self, q=text, after=None)

    def first(self) -> "View":
        """The first page of the view."""
        return replace(self, after=None)

    def without(self, item: Filter) -> "View":
        """The view with one condition less."""
        return replace(self, filters=tuple(f for f in self.filters if f != item), after=None)

    def with_only(self, column: str, value: Any) -> "View":
        """The view narrowed to one value of a column, as a click on a facet does."""
        others = tuple(f for f in self.filters if (f.column, f.operator) != (column, "is"))
        item = Filter(column, "isnull", "1") if value is None else Filter(column, "is", written(value))
        return replace(self, filters=(*others, item), after=None)

    def following(self, last: dict[str, Any]) -> "View":
        """The page behind the one that ends with this row."""
        return replace(self, after=(last[self.sort], last["id"]))


def spelled_out(parameters: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters, with the filter that a form has in three fields as the address has it."""
    given = list(parameters)
    column, operator, value = (dict(given).get(name, "") for name in FORM)
    if operator == "isnull":
        value = value or "1"
    found = [(f"{column}__{operator}", value)] if column and value else []
    return [pair for pair in given if pair[0] not in FORM] + found


def parse(parameters: Iterable[tuple[str, str]], kinds: Kinds) -> View:
    """The view of a table with these columns that the parameters of an address describe; raises Senseless."""
    view = View()
    for name, value in parameters:
        if "\0" in value or len(value) > LONGEST_VALUE:
            raise Senseless(f"The value of {name[:40]} is too long or not text.")
        if value:  # a form sends its empty fields too
            view = _with(view, name, value.strip() if name == "q" else value, kinds)
    if view.after is not None:
        view = replace(view, after=_key(kinds[view.sort], view.after))
    return view


def facets(kinds: Kinds) -> tuple[str, ...]:
    """The columns whose values can be counted."""
    return tuple(name for name in FACETS if name in kinds)


def operators(kind: type) -> list[str]:
    """What a column of a kind can be asked."""
    never = (*(() if kind is str else TEXT_ONLY), *(NO_ORDER if kind is bool else ()))
    return [name for name in OPERATORS if name not in never]


def _with(view: View, name: str, value: str, kinds: Kinds) -> View:
    if name == "q":
        return replace(view, q=value)
    if name == "sort":
        column = _known("column", value.removeprefix("-"), kinds)
        return replace(view, sort=column, descending=value.startswith("-"))
    if name == "size":
        return replace(view, size=_size(value))
    if name == "facet":
        facet = _known("facet", value, facets(kinds))
        return replace(view, facets=tuple(dict.fromkeys((*view.facets, facet))))
    if name == "after":
        return replace(view, after=_json(value))
    if len(view.filters) == MOST_FILTERS:
        raise Senseless(f"There are more than {MOST_FILTERS} filters.")
    return replace(view, filters=(*view.filters, _filter(name, value, kinds)))


def _filter(name: str, value: str, kinds: Kinds) -> Filter:
    column, _, operator = name.partition("__")
    item = Filter(_known("column", column, kinds), operator or "is", value)
    known = operators(kinds[column])
    if item.operator not in known:
        raise Senseless(f"{column} has no filter {item.operator[:40]}; it has {', '.join(known)}.")
    if item.operator == "isnull" and value not in ("0", "1"):
        raise Senseless(f"{column}__isnull is 1 or 0.")
    _ = item.operand(kinds[column])
    return item


def _known(what: str, name: str, names: Iterable[str]) -> str:
    if name not in names:
        there = ", ".join(names)
        raise Senseless(f"There is no {what} {name[:40]}; there {f'are {there}' if there else 'is none'}.")
    return name


def _size(value: str) -> int:
    if value not in map(str, SIZES):
        raise Senseless(f"The page size is one of {', '.join(map(str, SIZES))}.")
    return int(value)


def _typed(column: str, kind: type, value: str) -> Any:
    try:
        return KINDS[kind].read(value)
    except ValueError:
        raise Senseless(f"{column} is {KINDS[kind].words}, which {value[:40]} is not.") from None


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return ()


def _key(kind: type, after: Any) -> tuple[Any, int]:
    """The place to go on from, if it is one: a value of the sort column (or nothing), and an id."""
    try:
        value, identifier = after
        return None if value is None else _value(kind, value), _value(int, identifier)
    except (TypeError, ValueError):
        raise Senseless("The place to go on from is not one; go back to the first page.") from None


def _value(kind: type, value: Any) -> Any:
    """A value of a kind as JSON has it; ValueError where it is none."""
    if kind is int and type(value) is int and abs(value) <= LARGEST:
        return value
    if kind in (bool, float) and type(value) is kind:
        return value
    if kind in (int, bool, float) or not isinstance(value, str) or "\0" in value:
        raise ValueError(value)
    return KINDS[kind].read(value)
