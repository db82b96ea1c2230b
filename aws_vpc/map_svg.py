"""A page as SVG, or as HTML with the same told in words; both stand alone, without any other file.

Colour never says anything alone: each box names its kind, and the path is drawn thick, numbered and told.
"""

from collections.abc import Iterator
from html import escape

from aws_vpc.map_layout import CHARACTER, GROUP, HEAD, LINE, PAD, Box, Link, Page, Place

# kind: (fill, stroke)
COLOURS = {
    "group": ("none", "none"),
    "internet": ("#eef2f7", "#52606d"),
    "service": ("#eef2f7", "#52606d"),
    "vpc": ("#ffffff", "#6b4fbb"),
    "public-subnet": ("#eaf6ea", "#2f7d32"),
    "private-subnet": ("#e8f2fb", "#1f6fb2"),
    "gateway": ("#f3edfc", "#6b4fbb"),
    "endpoint": ("#fdf1e3", "#b45f06"),
    "database": ("#e3e9fd", "#2e45b8"),
    "instance": ("#fff4d6", "#946200"),
    "interface": ("#f7f7f7", "#62707d"),
    "transit-gateway": ("#f3edfc", "#6b4fbb"),
}
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1b2733 }
.page { font-size: 18px; font-weight: 600 }
.title { font-weight: 600 }
.line { fill: #44525f }
.link { stroke: #52606d; stroke-width: 1.5; fill: none; stroke-dasharray: 5 4 }
.label { fill: #44525f }
.path { stroke: #c2185b; stroke-width: 3.5; fill: none; stroke-linejoin: round; opacity: .85 }
.on { stroke: #c2185b; stroke-width: 3 }
.step { fill: #c2185b }
.number { fill: #fff; font-weight: 600; font-size: 11px }
"""
HTML_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem; color: #1b2733; background: #fff }
svg { max-width: 100%; height: auto; border: 1px solid #d5dce3 }
"""


def svg(page: Page, standalone: bool = True) -> str:
    """The page as one SVG element."""
    drawing = page.drawing
    size = f'width="{page.width:.0f}" height="{page.height:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {page.width:.0f} {page.height:.0f}"'
        ' role="img" aria-labelledby="map-title map-text">',
        f'<title id="map-title">{escape(drawing.title)}</title>',
        f'<desc id="map-text">{escape(" ".join(told(page)))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect width="{page.width:.0f}" height="{page.height:.0f}" fill="#fff"/>',
        text(PAD * 2, 34, drawing.title, "page"),
        *(line for link in drawing.links if link.label for line in connection(page, link)),
        *(line for place in page.places for line in rectangle(place, set(drawing.path))),
        *(line for link in drawing.links if not link.label for line in connection(page, link)),
        *path(page),
        "</svg>",
    ]
    head = '<?xml version="1.0" encoding="UTF-8"?>\n' if standalone else ""
    return head + "\n".join(parts) + "\n"


def text(x: float, y: float, words: str, style: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(words)}</text>'


def rectangle(place: Place, path: set[str]) -> Iterator[str]:
    """A box with its words, and then those inside it."""
    box = place.box
    if box.kind == GROUP:
        for one in place.inside:
            yield from rectangle(one, path)
        return
    fill, stroke = COLOURS[box.kind]
    mark = ' class="on"' if box.id in path else f' stroke="{stroke}"'
    where = f'x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" height="{place.height:.1f}"'
    yield f'<g id="{escape(box.id)}"><title>{escape(box.kind.replace("-", " "))} {escape(box.id)}</title>'
    yield f'<rect {where} rx="6" fill="{fill}"{mark}/>'
    yield text(place.x + PAD, place.y + HEAD, box.title, "title")
    for number, line in enumerate(box.lines, 1):
        yield text(place.x + PAD, place.y + HEAD + number * LINE, line, "line")
    for one in place.inside:
        yield from rectangle(one, path)
    yield "</g>"


def edge(place: Place, towards: tuple[float, float]) -> tuple[float, float]:
    """Where a line from the middle of the place to a point leaves its rectangle."""
    x, y = place.middle
    dx, dy = towards[0] - x, towards[1] - y
    ratios = [side / 2 / abs(way) for side, way in ((place.width, dx), (place.height, dy)) if way]
    ratio = min([1.0, *ratios])
    return x + dx * ratio, y + dy * ratio


def across(start: Place, end: Place) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """A level line between two boxes that stand beside each other."""
    left, right = sorted((start, end), key=lambda one: one.x)
    top, bottom = max(start.y, end.y), min(start.y + start.height, end.y + end.height)
    if top >= bottom or left.x + left.width > right.x:
        return None
    return (left.x + left.width, (top + bottom) / 2), (right.x, (top + bottom) / 2)


def line_of(page: Page, link: Link) -> tuple[float, float, float, float] | None:
    """From where to where a link is drawn; None where an end is not on the page."""
    if link.start not in page.named or link.end not in page.named:
        return None
    start, end = page.named[link.start], page.named[link.end]
    (a, b), (c, d) = across(start, end) or (edge(start, end.middle), edge(end, start.middle))
    return a, b, c, d


def connection(page: Page, link: Link) -> Iterator[str]:
    """A dashed line between two boxes, and its words in the middle."""
    line = line_of(page, link)
    if line is None:
        return
    a, b, c, d = line
    yield f'<g class="{escape(link.kind)}"><path class="link" d="M{a:.1f} {b:.1f} L{c:.1f} {d:.1f}"/>'
    for number, words in enumerate(link.label.splitlines()):
        x, y, width = (a + c) / 2, (b + d) / 2 - 6 + number * LINE, len(words) * CHARACTER
        where = f'x="{x - width / 2:.1f}" y="{y - 12:.1f}" width="{width:.1f}" height="{LINE}"'
        yield f'<rect {where} fill="#fff"/>'
        yield text(x, y, words, "label", "middle")
    yield "</g>"


def stops_of(page: Page) -> Iterator[tuple[float, float]]:
    """Where the path passes: the corners of boxes, and above the words of links."""
    joins = {link.id: line for link in page.drawing.links if link.id and (line := line_of(page, link))}
    for one in page.drawing.path:
        if one in page.named:
            place = page.named[one]
            yield place.x + place.width - PAD, place.y + PAD
        elif one in joins:
            a, b, c, d = joins[one]
            yield (a + c) / 2, (b + d) / 2 - 2 * LINE


def path(page: Page) -> Iterator[str]:
    """The path as a thick line through what it passes, numbered in order."""
    stops = list(stops_of(page))
    if not stops:
        return
    points = " L".join(f"{x:.1f} {y:.1f}" for x, y in stops)
    yield f'<g class="walked"><path class="path" d="M{points}"/>'
    for number, (x, y) in enumerate(stops, 1):
        yield f'<circle class="step" cx="{x:.1f}" cy="{y:.1f}" r="10"/>'
        yield text(x, y + 4, str(number), "number", "middle")
    yield "</g>"


def told(page: Page) -> list[str]:
    """The page in sentences."""
    drawing = page.drawing
    found = [sentence(box, "") for row in drawing.rows for box in row]
    found += [
        f"{drawn(page, link.start)} and {drawn(page, link.end)} are joined by {link.label or link.kind}."
        for link in drawing.links
    ]
    return found + ([f"{drawing.verdict}: {', then '.join(drawing.told)}."] if drawing.told else [])


def drawn(page: Page, name: str) -> str:
    """The title of a box, or its id where it is not drawn."""
    return page.named[name].box.title if name in page.named else name


def sentence(box: Box, inside: str) -> str:
    """A box and what lies in it."""
    if box.kind == GROUP:
        return " ".join(sentence(child, inside) for child in box.children)
    known = f" ({', '.join(box.lines)})" if box.lines else ""
    parts = [f"{box.kind.replace('-', ' ').capitalize()} {box.title}{known}{inside}."]
    return " ".join([*parts, *(sentence(child, f" in {box.title}") for child in box.children)])


def items(box: Box) -> str:
    """A box as an item of a list, those inside it below."""
    if box.kind == GROUP:
        return "".join(map(items, box.children))
    known = f": {escape(', '.join(box.lines))}" if box.lines else ""
    below = f"<ul>{''.join(map(items, box.children))}</ul>" if box.children else ""
    return f"<li>{escape(box.kind.replace('-', ' '))} <b>{escape(box.title)}</b>{known}{below}</li>"


def html(page: Page) -> str:
    """The page as HTML: the drawing, and the same as lists for those who do not see it."""
    drawing = page.drawing
    links = "".join(
        f"<li>{escape(drawn(page, one.start))} and {escape(drawn(page, one.end))}: {escape(one.label)}</li>"
        for one in drawing.links
    )
    steps = "".join(f"<li>{escape(one)}</li>" for one in drawing.told)
    walked = f"<h2>{escape(drawing.verdict)}</h2><ol>{steps}</ol>" if steps else ""
    joined = f"<h2>Links</h2><ul>{links}</ul>" if links else ""
    listed = "".join(items(box) for row in drawing.rows for box in row)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(drawing.title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{HTML_STYLE}</style></head><body><main>\n'
        f"<h1>{escape(drawing.title)}</h1>\n{svg(page, standalone=False)}{walked}"
        f"<h2>The network in words</h2><ul>{listed}</ul>{joined}</main></body></html>\n"
    )
