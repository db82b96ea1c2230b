"""diff: what a change of templates, or time between two snapshots, opens or closes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
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
    lists, known = [], True
    for path in (options.old, options.new):
        network = network_at(Path(path).expanduser(), options)
        for warning in network.warnings:
            console.note(f"{path}: {warning}")
        found = survey(network, protocol, port)
        lists.append(by_name(network, found.reached))
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
    if path.is_file() or (path / "nested-stack.yaml").exists():
        return discover.from_templates(path, sources.parameters(options), options.region or sources.REGION)
    return discover.from_snapshot(path)


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
