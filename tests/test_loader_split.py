"""An object cut at any bytes gives the rows of the whole, each once, under its own line."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from loader_cases import EXAMPLES, people_csv, person

from aws_vpc.loader.errors import LoadFailed
from aws_vpc.loader.records import Records
from aws_vpc.loader.split import Fact, grouped, pieces, scan, starts
from aws_vpc.loader.tables import Column, Table

ANY = Table("any", (Column("a", "varchar", (40,)), Column("b", "varchar", (40,))), ("a",))
CHARACTERS = st.text(st.sampled_from('ab",\n\ré '), max_size=12)


def read(body: bytes, line: int = 1, names: tuple[str, ...] = ()) -> list[list[str]]:
    found = Records([body] if body else [], ANY, lambda *row: None, numbered=True, names=names, line=line)
    out = b"".join(found.blocks()).decode()
    return list(csv.reader(io.StringIO(out, newline="")))


def parts(body: bytes, edges: Sequence[int], chunk: int = 5) -> list[tuple[bytes, int]]:
    """The parts of a body cut into pieces at the edges, each with the number of its first line."""
    cuts = [0, *edges, len(body)]
    bodies = [body[start:stop] for start, stop in itertools.pairwise(cuts)]
    facts = [scan((one[at : at + chunk] for at in range(0, len(one), chunk)), b'"') for one in bodies]
    facts = [Fact.read(one.values()) for one in facts]
    begins = [one for one in starts(facts) if one]
    places = [(cuts[one.piece] + one.offset, one.line) for one in begins] + [(len(body), 0)]
    return [(body[at:stop], line) for (at, line), (stop, _) in itertools.pairwise(places)]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(CHARACTERS, CHARACTERS), max_size=20), st.sampled_from(["\n", "\r\n"]),
    st.lists(st.integers(0, 400), max_size=6), st.integers(1, 9),
)  # fmt: skip
@example([("1", "2")], "\r\n", [4, 4], 1)  # a frame of nothing, between CR and LF
def test_parts_together_are_the_whole(rows: list[Any], ending: str, edges: list[int], chunk: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending).writerows([("a", "b"), *rows])
    body = text.getvalue().encode()
    edges = sorted(edge for edge in edges if edge < len(body))
    found: list[list[str]] = []
    for number, (part, line) in enumerate(parts(body, edges, chunk)):
        found += read(part, line, ("a", "b") if number else ())
    assert found == read(body)


def test_a_quote_that_means_nothing_ends_the_load_instead_of_cutting_rows_wrongly() -> None:
    """Here a field is 5\" and an address has two lines; counting the quotes goes wrong in between."""
    rows = "a,b\n" + '5",x\n' + 'c,"two\nlines"\n' * 9
    with pytest.raises(LoadFailed, match="not closed"):
        for number, (part, line) in enumerate(parts(rows.encode(), [30, 60, 90])):
            read(part, line, ("a", "b") if number else ())


@pytest.mark.parametrize(
    ("size", "limit", "count"),
    [(100, 60, 2), (100, 10, 10), (101, 10, 11), (10**12, 10**7, 10_000), (1, 1, 1)],
)
def test_pieces_cover_the_object(size: int, limit: int, count: int) -> None:
    found = pieces(size, limit)
    assert len(found) == count and found[0][0] == 0 and found[-1][1] == size
    assert all(one[1] == other[0] for one, other in itertools.pairwise(found))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=30), st.integers(1, 200))
def test_pieces_of_frames_begin_where_frames_do(sizes: list[int], limit: int) -> None:
    edges = [sum(sizes[:number]) for number in range(len(sizes))]
    found = grouped(edges, sum(sizes), limit)
    assert found[0][0] == 0 and found[-1][1] == sum(sizes) and {one[0] for one in found} <= set(edges)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(found))
    assert all(stop - start <= max(limit + max(sizes), 2 * limit) for start, stop in found)


def test_every_line_end_is_counted_once_wherever_it_is_cut() -> None:
    body = people_csv([person(1, address="a\rb"), person(2, address="c\r\nd")]).replace("\n", "\r\n").encode()
    whole = scan([body], b'"').lines
    for cut in range(len(body)):
        facts = [scan([body[:cut]], b'"'), scan([body[cut:]], b'"')]
        again = facts[0].ends_with_cr and facts[1].begins_with_lf
        assert facts[0].lines + facts[1].lines - again == whole
