"""matrix: who reaches whom, all interfaces and the internet."""

from __future__ import annotations

import csv
import io
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from aws_vpc import report
from aws_vpc.commands import sources
from aws_vpc.commands.console import Console
from aws_vpc.commands.reach import port_range, protocol_number, refuse_ports
from aws_vpc.errors import UsageError
from aws_vpc.matrix_table import MOST_ASKED, Ends, Reached, Survey, by_name, name_of, survey, told_unknown
from aws_vpc.network import Network, PortRange
from aws_vpc.network_values import ANY_PROTOCOL

PARTLY = "answers come back to some client ports only"
HEADS = ("from", "to", "ports", "")
CSV_HEADS = ("source", "destination", "source_name", "destination_name", "protocol", "ports", "partly")


def arguments(parser: ArgumentParser) -> None:
    """The options of matrix."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--port", metavar="PORT", help="destination port, or FIRST-LAST")
    which.add_argument("--all-ports", action="store_true", help="every port, as without --port")
    parser.add_argument(
        "--protocol", default="tcp", metavar="NAME", help="tcp, udp, icmp, icmpv6 or a number (%(default)s)"
    )
    parser.add_argument("--csv", action="store_true", help="print a line for each pair of interfaces as CSV")
    sources.arguments(parser)


def run(options: Namespace, console: Console) -> int:
    """0, or 1 where some pairs meet what is not modelled; the answer is the list."""
    if options.csv and options.json:
        raise UsageError("--csv and --json exclude each other; choose one")
    protocol, port = asked(options)
    network = sources.network(options, console)
    found = survey(network, protocol, port)
    if len(network.interfaces) > MOST_ASKED:
        console.note(f"more than {MOST_ASKED} interfaces: the internet is left out; reach asks it of each")
    if unknown := told_unknown(network, found.unknown):
        console.note(unknown)
    if options.csv:
        console.write(as_csv(network, options.protocol, found.reached))
    else:
        console.answer(lines(network, found.reached), values(network, options.protocol, found))
    return 1 if found.unknown else 0


def asked(options: Namespace) -> tuple[int, PortRange | None]:
    """Protocol and port."""
    protocol, port = protocol_number(options.protocol), port_range(options.port)
    if protocol == ANY_PROTOCOL:
        raise UsageError("matrix asks one protocol at a time: tcp, udp, icmp, icmpv6 or a number")
    refuse_ports(options, protocol, port)
    return protocol, port


def lines(network: Network, found: Sequence[Reached]) -> list[str]:
    """The list for people, by what owns the interfaces."""
    shown = by_name(network, found)
    rows = [[one.source, one.destination, one.told, PARTLY if one.partly else ""] for one in shown]
    told = f"{len(found)} ordered pairs of {len(network.interfaces)} interfaces and the internet"
    return [*report.table([list(HEADS), *rows], ""), "", told] if rows else [told]


def values(network: Network, protocol: str, found: Survey) -> dict[str, object]:
    """The list for programs, by interface."""
    return report.result(
        "matrix",
        "",
        protocol=protocol,
        reached=[line(network, one) for one in found.reached],
        unknown=[ends(network, one) for one in found.unknown],
    )


def line(network: Network, one: Reached) -> dict[str, object]:
    """One pair and its ports."""
    ports = [[each.first, each.last] for each in one.ports]
    return {**ends(network, (one.source, one.destination)), "ports": ports, "partly": one.partly}


def ends(network: Network, pair: Ends) -> dict[str, object]:
    """The ids of a pair, and what people call them."""
    source, destination = pair
    return {
        "source": source,
        "destination": destination,
        "source_name": name_of(network, source),
        "destination_name": name_of(network, destination),
    }


def as_csv(network: Network, protocol: str, found: Sequence[Reached]) -> str:
    """The list as CSV (RFC 4180) with a head."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(CSV_HEADS)
    for one in found:
        names = name_of(network, one.source), name_of(network, one.destination)
        ports = " ".join(map(str, one.ports))
        writer.writerow([one.source, one.destination, *names, protocol, ports, str(one.partly).lower()])
    return text.getvalue()
