"""The drawn network: well-formed, complete, without overlap, alone, and told in words."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path

import pytest
from walker.flows import flows
from walker.generator import network

from aws_vpc import discover
from aws_vpc.cli import main
from aws_vpc.map_drawing import drawing
from aws_vpc.map_layout import GROUP, Page, Place, placed
from aws_vpc.map_svg import html, svg, told
from aws_vpc.network import Network
from aws_vpc.reach import trace

TEMPLATES = Path(__file__).parent.parent / "templates"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def project() -> Network:
    return discover.from_templates(TEMPLATES, {}, "us-west-2")


def contained(place: Place) -> Iterator[tuple[Place, Place]]:
    for one in place.inside:
        yield place, one
        yield from contained(one)


def overlap(one: Place, other: Place) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@pytest.mark.parametrize("seed", range(12))
def test_boxes_lie_inside_their_boxes_and_never_over_each_other(seed: int) -> None:
    page = placed(drawing(network(seed), "seed"))
    for outer, inner in (pair for top in page.places for pair in contained(top)):
        assert outer.x <= inner.x
        assert outer.y <= inner.y
        assert inner.x + inner.width <= outer.x + outer.width + 0.01
        assert inner.y + inner.height <= outer.y + outer.height + 0.01
    for siblings in [page.places, *(one.inside for top in page.places for one in top.every())]:
        assert not any(overlap(*pair) for pair in combinations(siblings, 2))
    assert max(one.x + one.width for one in page.places) <= page.width
    assert max(one.y + one.height for one in page.places) <= page.height


def test_everything_is_drawn(project: Network) -> None:
    drawn = set(placed(drawing(project, "all")).named)
    assert drawn >= {*project.vpcs, *project.subnets, *project.interfaces, *project.internet_gateways}
    assert drawn >= {name for name, one in project.endpoints.items() if one.kind == "Gateway"}
    assert "internet" in drawn


def page_with_path(project: Network) -> Page:
    from aws_vpc.network_names import find
    from aws_vpc.network_values import PortRange
    from aws_vpc.reach_asking import Question
    from aws_vpc.reach_question import ask

    ends = find(project, "WebServer"), find(project, "Warehouse")
    return placed(
        drawing(project, "<web> & warehouse", ask(project, Question(*ends, 6, PortRange(5439, 5439))).trace)
    )


def test_svg_is_well_formed_and_has_a_text_alternative(project: Network) -> None:
    root = ElementTree.fromstring(svg(page_with_path(project)))
    assert root.get("role") == "img"
    named = {one.get("id"): one for one in root.iter() if one.get("id")}
    for name in (root.get("aria-labelledby") or "").split():
        assert named[name].text
    words = named["map-text"].text or ""
    assert "WarehouseVpc" in words
    assert "PeeringConnection" in words
    assert "reachable" in words


def test_ids_are_there_once(project: Network) -> None:
    ids = [
        one.get("id") for one in ElementTree.fromstring(svg(page_with_path(project))).iter() if one.get("id")
    ]
    assert len(ids) == len(set(ids))


def test_the_path_is_drawn_thick_numbered_and_told(project: Network) -> None:
    page = page_with_path(project)
    root = ElementTree.fromstring(svg(page))
    numbers = [one.text for one in root.iter(f"{SVG}text") if one.get("class") == "number"]
    assert numbers == [str(number + 1) for number in range(len(numbers))]
    assert len(numbers) >= 2
    assert sum(one.get("class") == "path" for one in root.iter(f"{SVG}path")) == 1
    assert any("PeeringConnection" in one for one in page.drawing.told)


class Refers(HTMLParser):
    """What a page would fetch, and the tags it leaves open."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_html_stands_alone_and_says_the_same_in_words(project: Network) -> None:
    page = page_with_path(project)
    text = html(page)
    reader = Refers()
    reader.feed(text)
    assert reader.fetched == []
    assert reader.open == []
    assert "url(" not in text
    assert "@import" not in text
    for one in page.named.values():
        assert one.box.kind != GROUP
    assert "&lt;web&gt; &amp; warehouse" in text
    assert "<web>" not in text


@pytest.mark.parametrize("seed", range(6))
def test_any_network_and_any_path_can_be_drawn(seed: int) -> None:
    drawn = network(seed)
    for flow in flows(drawn, seed, 6):
        page = placed(drawing(drawn, "any", trace(drawn, flow)))
        ElementTree.fromstring(svg(page))
        assert str(trace(drawn, flow).verdict) in told(page)[-1]


def test_map_writes_what_the_name_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, start in (("out.svg", "<?xml"), ("out.html", "<!doctype html>")):
        path = tmp_path / name
        assert (
            main(["map", str(path), "--from", "WebServer", "--to", "Database", "--port", "5432", "--json"])
            == 0
        )
        assert path.read_text().startswith(start)
        assert "reachable" in json.loads(capsys.readouterr().out)["verdict"]


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["out.png"], 2, "neither in .svg nor in .html"),
        (["out.svg", "--from", "WebServer"], 2, "go together"),
        (["gone/out.svg"], 2, "cannot be written: No such file or directory; name a file that can"),
        (["out.svg", "--from", "WebServer", "--to", "nobody"], 2, "nobody"),
    ],
)
def test_map_says_what_is_wrong_and_writes_nothing(
    words: list[str], status: int, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["map", str(tmp_path / words[0]), *words[1:]]) == status
    assert why in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
