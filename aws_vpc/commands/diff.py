"""diff: what a change of templates, or time between two snapshots, opens or closes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from aws_vpc import report
from aws_vpc.commands import sources
from aws_vpc.commands.console import Console
from aws_vpc.commands.matrix import asked
from aws_vpc.errors import UsageError
from aws_vpc.matrix_table import Reached, by_name, differing, survey, told_unknown
from aws_vpc.network import Network

# What `--help` says of the exit status.
EXIT = "Exit status: 0 done, 1 failed, 2 wrong usage, 3 --refuse-opened and something is, 130 interrupted."


def arguments(parser: ArgumentParser) -> None:
    """The options of diff."""
    what = "a root template, a folder with nested-stack.yaml, or a snapshot's folder"
    parser.add_argument("old", metavar="OLD", help=what)
    parser.add_argument("new", metavar="NEW", help="the same, afterwards")
    parser.add_argument("--port", metavar="PORT", help="destination port, or FIRST-LAST; without it, all")
    parser.add_argument(
        "--protocol", default="tcp", metavar="NAME", help="tcp, udp, icmp, icmpv6 or a number (%(default)s)"
    )
    parser.add_argument("--refuse-opened", action="store_true", help="exit 3 when anything is opened")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of both root templates",
    )
    parser.add_argument("--params", metavar="FILE", help="parameters in a YAML or JSON file; --param wins")
    parser.add_argument("--region", help=f"Region of the templates ({sources.REGION})")


def run(options: Namespace, console: Console) -> int:
    """0, or with --refuse-opened 3 when something is opened; 1 where pairs meet what is not modelled."""
    protocol, port = asked(options)
    paths = options.old, options.new
    networks = [network_at(Path(path).expanduser(), options) for path in paths]
    # What stands is named below its root stack, what templates say is not.
    mixed = len({has_templates(Path(path).expanduser()) for path in paths}) > 1
    lists, known = [], True
    for path, network, other in zip(paths, networks, networks[::-1], strict=True):
        for warning in network.warnings:
            console.note(f"{path}: {warning}")
        found = survey(network, protocol, port)
        root = root_of(network, other) if mixed else ""
        lists.append(below(root, by_name(network, found.reached)))
        if unknown := told_unknown(network, found.unknown):
            console.note(f"{path}: {unknown}")
            known = False
    opened, closed = differing(*lists)
    console.answer(lines(options.protocol, opened, closed), values(options, opened, closed))
    return 3 if opened and options.refuse_opened else 0 if known else 1


def network_at(path: Path, options: Namespace) -> Network:
    """The network of templates, or of a snapshot."""
    from aws_vpc import discover

    if not path.exists():
        raise UsageError(f"there is no {path}; name a template, a folder of templates, or a snapshot")
    if has_templates(path):
        return discover.from_templates(path, sources.parameters(options), options.region or sources.REGION)
    return discover.from_snapshot(path)


def has_templates(path: Path) -> bool:
    """Whether a path names templates, not a snapshot."""
    return path.is_file() or (path / "nested-stack.yaml").exists()


def root_of(network: Network, other: Network) -> str:
    """The root stack below whose name all is that another network names without it; empty where none is."""
    names, wanted = ({label.logical for label in one.labels.values()} for one in (network, other))
    roots = {name.split("/")[0] for name in names - wanted if name.partition("/")[2] in wanted - {""}}
    if len(roots) > 1:
        raise UsageError(f"several stacks are made of these templates: {', '.join(sorted(roots))}")
    return roots.pop() if roots else ""


def below(root: str, found: list[Reached]) -> list[Reached]:
    """The same, with names as the templates have them."""
    return [
        replace(
            one,
            source=one.source.removeprefix(f"{root}/"),
            destination=one.destination.removeprefix(f"{root}/"),
        )
        for one in found
    ]


def lines(protocol: str, opened: list[Reached], closed: list[Reached]) -> list[str]:
    """A line for each pair that is opened or closed."""
    rows = [["opened", one.source, "->", one.destination, f"{protocol} {one.told}"] for one in opened]
    rows += [["closed", one.source, "->", one.destination, f"{protocol} {one.told}"] for one in closed]
    return report.table(rows, "") or ["nothing is opened or closed"]


def values(options: Namespace, opened: list[Reached], closed: list[Reached]) -> dict[str, object]:
    """The same for programs."""
    return report.result(
        "diff", "", protocol=options.protocol, opened=list(map(line, opened)), closed=list(map(line, closed))
    )


def line(one: Reached) -> dict[str, object]:
    """One pair."""
    ports = [[each.first, each.last] for each in one.ports]
    return {"source": one.source, "destination": one.destination, "ports": ports, "partly": one.partly}
