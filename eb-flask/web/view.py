"""What a page of people shows, as its address says it: the address is the state.

    /rds/people?q=smith&state=CA&postal__gte=90000&sort=-postal&size=50&after=["90210",17]

    q                      e-mails that contain this, upper and lower case alike
    COLUMN=, COLUMN__OP=   filters, any number, all must hold; OP is one of OPERATORS
    sort                   a column, with - before it for descending
    size                   rows per page
    facet                  a column whose values are counted beside the rows; several allowed
    after                  the last row of the page before: its value in the sort column, its id

In: parameters to a View and back, a sentence for what makes no sense. Out: SQL (queries.py), HTML.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

COLUMNS: dict[str, type] = {"id": int, "email": str, "state": str, "postal": str, "address": str}
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
FACETS = ("state", "postal")
SIZES = (20, 50, 100, 200, 500)
USUAL_SIZE = 100
LONGEST_VALUE = 400
MOST_FILTERS = 20
LARGEST_ID = 2**63 - 1


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

    @property
    def operand(self) -> Any:
        """The value as the column has it: a number, a text, or for `in` a list of them."""
        if self.operator == "in":
            return [_typed(self.column, part) for part in self.value.split(",")]
        return self.value if self.operator == "isnull" else _typed(self.column, self.value)


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
            pairs.append(("after", json.dumps(self.after, ensure_ascii=False, separators=(",", ":"))))
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
        item = Filter(column, "isnull", "1") if value is None else Filter(column, "is", str(value))
        return replace(self, filters=(*others, item), after=None)

    def following(self, last: dict[str, Any]) -> "View":
        """The page behind the one that ends with this row."""
        return replace(self, after=(last[self.sort], last["id"]))


def parse(parameters: Iterable[tuple[str, str]]) -> View:
    """The view that the parameters of an address describe; raises Senseless."""
    view = View()
    for name, value in parameters:
        if "\0" in value or len(value) > LONGEST_VALUE:
            raise Senseless(f"The value of {name[:40]} is too long or not text.")
        if value:  # a form sends its empty fields too
            view = _with(view, name, value.strip() if name == "q" else value)
    if view.after is not None:
        view = replace(view, after=_key(view.sort, view.after))
    return view


def _with(view: View, name: str, value: str) -> View:
    if name == "q":
        return replace(view, q=value)
    if name == "sort":
        return replace(view, sort=_column(value.removeprefix("-")), descending=value.startswith("-"))
    if name == "size":
        return replace(view, size=_size(value))
    if name == "facet":
        return replace(view, facets=tuple(dict.fromkeys((*view.facets, _facet(value)))))
    if name == "after":
        return replace(view, after=_json(value))
    if len(view.filters) == MOST_FILTERS:
        raise Senseless(f"There are more than {MOST_FILTERS} filters.")
    return replace(view, filters=(*view.filters, _filter(name, value)))


def _filter(name: str, value: str) -> Filter:
    column, _, operator = name.partition("__")
    item = Filter(_column(column), operator or "is", value)
    if item.operator not in OPERATORS or (COLUMNS[column] is int and item.operator in TEXT_ONLY):
        known = ", ".join(o for o in OPERATORS if COLUMNS[column] is str or o not in TEXT_ONLY)
        raise Senseless(f"{column} has no filter {item.operator[:40]}; it has {known}.")
    if item.operator == "isnull" and value not in ("0", "1"):
        raise Senseless(f"{column}__isnull is 1 or 0.")
    _ = item.operand
    return item


def _column(name: str) -> str:
    if name not in COLUMNS:
        raise Senseless(f"There is no column {name[:40]}; there are {', '.join(COLUMNS)}.")
    return name


def _facet(name: str) -> str:
    if name not in FACETS:
        raise Senseless(f"There is no facet {name[:40]}; there are {', '.join(FACETS)}.")
    return name


def _size(value: str) -> int:
    if value not in map(str, SIZES):
        raise Senseless(f"The page size is one of {', '.join(map(str, SIZES))}.")
    return int(value)


def _typed(column: str, value: str) -> Any:
    if COLUMNS[column] is str:
        return value
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) <= LARGEST_ID):
        raise Senseless(f"{column} is a number, which {value[:40]} is not.")
    return int(value)


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return ()


def _key(sort: str, after: Any) -> tuple[Any, int]:
    """The place to go on from, if it is one: a value of the sort column (or nothing), and an id."""
    if isinstance(after, list) and len(after) == 2:
        value, identifier = after
        if _fits(value, COLUMNS[sort]) and _fits(identifier, int) and identifier is not None:
            return value, identifier
    raise Senseless("The place to go on from is not one; go back to the first page.")


def _fits(value: Any, kind: type) -> bool:
    if value is None:
        return True
    if kind is int:
        return type(value) is int and abs(value) <= LARGEST_ID
    return isinstance(value, str) and "\0" not in value
