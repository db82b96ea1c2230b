"""map: the network drawn from the model, with a path through it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from aws_vpc import report
from aws_vpc.commands import sources
from aws_vpc.commands.console import Console
from aws_vpc.commands.reach import port_range, protocol_number
from aws_vpc.errors import Error, UsageError
from aws_vpc.map_drawing import drawing
from aws_vpc.map_layout import placed
from aws_vpc.map_svg import html, svg
from aws_vpc.network import Network
from aws_vpc.network_names import find
from aws_vpc.reach_asking import Question
from aws_vpc.reach_question import ask
from aws_vpc.reach_types import Trace


def arguments(parser: ArgumentParser) -> None:
    """The options of map."""
    parser.add_argument("file", metavar="FILE", help="what to write, ending in .svg or .html")
    parser.add_argument("--from", dest="start", metavar="SOURCE", help="draw the path from here ...")
    parser.add_argument("--to", dest="end", metavar="DESTINATION", help="... to here")
    parser.add_argument("--port", metavar="PORT", help="destination port of the path, or FIRST-LAST")
    parser.add_argument("--protocol", default="tcp", metavar="NAME", help="its protocol (%(default)s)")
    parser.add_argument("--title", default="Network", help="the page's heading (%(default)s)")
    sources.arguments(parser)


def run(options: Namespace, console: Console) -> int:
    """0 when the file is written."""
    path = Path(options.file).expanduser()
    if path.suffix not in (".svg", ".html"):
        raise UsageError(f"{options.file} ends neither in .svg nor in .html; the ending says what is written")
    if bool(options.start) != bool(options.end):
        raise UsageError("--from and --to go together; give both or none")
    network = sources.network(options, console)
    if not network.vpcs:
        raise Error("there is no VPC to draw")
    page = placed(drawing(network, options.title, path_of(network, options)))
    try:
        path.write_text(svg(page) if path.suffix == ".svg" else html(page), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; name a file that can") from error
    told = page.drawing.verdict
    console.answer(
        [f"{path} written, {len(page.named)} boxes{f'; {told}' if told else ''}"],
        report.result("map", "", file=str(path), boxes=len(page.named), path=page.drawing.path, verdict=told),
    )
    return 0


def path_of(network: Network, options: Namespace) -> Trace | None:
    """The trace to draw, when one is asked for."""
    if not options.start:
        return None
    ends = find(network, options.start), find(network, options.end)
    answer = ask(network, Question(*ends, protocol_number(options.protocol), port_range(options.port)))
    if answer.trace is None:
        raise Error(answer.note)
    return answer.trace
