"""Boxes in boxes and links between them, and where each goes on the page.

What is drawn is given as `Drawing`; `placed` answers the same boxes with a place. Lengths are SVG user
units (px at full size), x to the right, y down, from the top left corner of the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

LINE, PAD, GAP, HEAD, LEAST = 16, 12, 14, 20, 120
CHARACTER, BOLD = 6.9, 8.2  # widths of 12px text
BETWEEN, ASIDE = 84, 190  # rows of the page, and boxes in a row: room for the words of links
GROUP = "group"  # a box without border and words, that only holds others together


@dataclass(frozen=True)
class Box:
    """A thing of the network: what it is, its name, what else is known of it, and what lies inside it."""

    id: str
    kind: str
    title: str
    lines: tuple[str, ...] = ()
    children: tuple["Box", ...] = ()
    columns: int = 2


@dataclass(frozen=True)
class Link:
    """A connection between two boxes, by their ids."""

    start: str
    end: str
    label: str = ""
    kind: str = "link"
    id: str = ""


@dataclass(frozen=True)
class Drawing:
    """A page: rows of boxes from top to bottom, the links between them, and one path in words and ids."""

    title: str
    rows: tuple[tuple[Box, ...], ...]
    links: tuple[Link, ...] = ()
    path: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    verdict: str = ""


@dataclass(frozen=True)
class Place:
    """A box and its rectangle."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    inside: tuple["Place", ...] = ()

    @property
    def middle(self) -> tuple[float, float]:
        """The centre of the rectangle."""
        return self.x + self.width / 2, self.y + self.height / 2

    def every(self) -> Iterator["Place"]:
        """This place and all inside it."""
        yield self
        for one in self.inside:
            yield from one.every()


@dataclass(frozen=True)
class Page:
    """Everything placed, and the size of the page."""

    drawing: Drawing
    places: tuple[Place, ...]
    width: float
    height: float
    named: dict[str, Place] = field(default_factory=dict, compare=False)


def text_width(box: Box) -> float:
    """Room for the longest line of the box."""
    lines = max((len(line) for line in box.lines), default=0) * CHARACTER
    return max(len(box.title) * BOLD, lines) + 2 * PAD


def head_height(box: Box) -> float:
    """Room for the title and the lines."""
    return 0 if box.kind == GROUP else HEAD + len(box.lines) * LINE + PAD / 2


def put(box: Box, x: float, y: float, least: float = 0) -> Place:
    """The box, at least so wide, with its children in rows of `columns`."""
    pad = 0 if box.kind == GROUP else PAD
    top = y + head_height(box)
    inside = grid(box.children, x + pad, top + pad / 2, box.columns)
    bottom = max((one.y + one.height for one in inside), default=top - pad / 2) + pad
    right = max((one.x + one.width for one in inside), default=x) + pad
    words = 0 if box.kind == GROUP else max(LEAST, text_width(box))
    return Place(box, x, y, max(least, words, right - x), bottom - y, inside)


def grid(boxes: Sequence[Box], x: float, y: float, columns: int) -> tuple[Place, ...]:
    """The boxes in rows, those below each other equally wide, each row as high as its highest."""
    widths = [
        max(put(box, 0, 0).width for box in boxes[column::columns]) for column in range(columns)[: len(boxes)]
    ]
    found: list[Place] = []
    for first in range(0, len(boxes), columns):
        here = x
        row = []
        for box, width in zip(boxes[first : first + columns], widths, strict=False):
            row.append(put(box, here, y, width))
            here += width + GAP
        found += row
        y = max(one.y + one.height for one in row) + GAP
    return tuple(found)


def beside(boxes: Sequence[Box], x: float, y: float) -> list[Place]:
    """The boxes from left to right."""
    row: list[Place] = []
    for box in boxes:
        row.append(put(box, x, y))
        x = row[-1].x + row[-1].width + ASIDE
    return row


def placed(drawing: Drawing) -> Page:
    """The page of a drawing, each row in the middle; there is room for the words of links."""
    rows = [row for row in drawing.rows if row]
    widths = [right(beside(row, 0, 0)) for row in rows]
    inner = max([*widths, LEAST, len(drawing.title) * 12.0])
    y: float = BETWEEN
    found: list[Place] = []
    for boxes, width in zip(rows, widths, strict=True):
        row = beside(boxes, BETWEEN / 2 + (inner - width) / 2, y)
        found += row
        y = max(one.y + one.height for one in row) + BETWEEN
    named = {one.box.id: one for top in found for one in top.every() if one.box.kind != GROUP}
    return Page(drawing, tuple(found), inner + BETWEEN, y - BETWEEN / 2, named)


def right(row: Sequence[Place]) -> float:
    """Where a row ends."""
    return max(one.x + one.width for one in row)
