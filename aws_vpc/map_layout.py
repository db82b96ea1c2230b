"""Boxes in boxes and links between them, and where each goes on the page.

What is drawn is given as `Drawing`; `placed` answers the same boxes with a place. Lengths are SVG user
units (px at full size), x to the right, y down, from the top left corner of the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

LINE, PAD, GAP, CHARACTER = 16, 12, 14, 6.9
HEAD = 20
LEAST = 120


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
    return max(len(line) for line in (box.title, *box.lines)) * CHARACTER + 2 * PAD


def head_height(box: Box) -> float:
    """Room for the title and the lines."""
    return HEAD + len(box.lines) * LINE + PAD / 2


def put(box: Box, x: float, y: float) -> Place:
    """The box with its children in rows of `columns`, each row as high as its highest."""
    top = y + head_height(box)
    inside, width = grid(box.children, x + PAD, top + PAD / 2, box.columns)
    bottom = max((one.y + one.height for one in inside), default=top - PAD / 2) + PAD
    return Place(box, x, y, max(LEAST, text_width(box), width + 2 * PAD), bottom - y, inside)


def grid(boxes: Sequence[Box], x: float, y: float, columns: int) -> tuple[tuple[Place, ...], float]:
    """The boxes in rows, and the width that they take."""
    found: list[Place] = []
    widest = 0.0
    for first in range(0, len(boxes), columns):
        row = beside(boxes[first : first + columns], x, y)
        found += row
        widest = max(widest, row[-1].x + row[-1].width - x)
        y = max(one.y + one.height for one in row) + GAP
    return tuple(found), widest


def beside(boxes: Sequence[Box], x: float, y: float, gap: float = GAP) -> list[Place]:
    """The boxes from left to right."""
    row: list[Place] = []
    for box in boxes:
        row.append(put(box, x, y))
        x = row[-1].x + row[-1].width + gap
    return row


def placed(drawing: Drawing) -> Page:
    """The page of a drawing; between its rows there is room for the labels of links."""
    room = 6 * GAP
    y: float = room
    found: list[Place] = []
    for boxes in filter(None, drawing.rows):
        row = beside(boxes, room / 2, y, room)
        found += row
        y = max(one.y + one.height for one in row) + room
    width = max((one.x + one.width for one in found), default=LEAST) + room / 2
    named = {one.box.id: one for top in found for one in top.every()}
    return Page(drawing, tuple(found), max(width, len(drawing.title) * 10), y, named)
