"""reach: whether one thing can open a connection to another, hop by hop, or everything that hinders it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from ipaddress import ip_address

from aws_vpc.commands import sources
from aws_vpc.commands.console import Console
from aws_vpc.errors import UsageError
from aws_vpc.network import Address, Network, PortRange, Verdict
from aws_vpc.network_names import find
from aws_vpc.network_values import ANY_PROTOCOL, WITH_PORTS
from aws_vpc.reach_asking import Question
from aws_vpc.reach_json import OWN, analysis
from aws_vpc.reach_question import Answer, ask
from aws_vpc.reach_words import lines

STATUS = {Verdict.REACHABLE: 0, Verdict.NOT_REACHABLE: 3, Verdict.UNKNOWN: 1}
NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58, "all": ANY_PROTOCOL}

# What `--help` says of the exit status.
EXIT = "Exit status: 0 reachable, 1 unknown or failed, 2 wrong usage, 3 not reachable, 130 interrupted."


def arguments(parser: ArgumentParser) -> None:
    """The options of reach."""
    parser.add_argument("source", metavar="SOURCE", help="who opens the connection")
    parser.add_argument(
        "destination",
        metavar="DESTINATION",
        help="to whom: a logical or physical id, an ARN, a Name tag, an address or CIDR, a service, internet",
    )
    parser.add_argument("--port", metavar="PORT", help="destination port, or FIRST-LAST; without it, any")
    parser.add_argument(
        "--protocol", default="tcp", metavar="NAME", help="tcp, udp, icmp, all or a number (%(default)s)"
    )
    parser.add_argument("--source-port", metavar="PORT", help="the client's port, or FIRST-LAST")
    parser.add_argument("--source-ip", metavar="ADDRESS", help="the client's address")
    parser.add_argument("--destination-ip", metavar="ADDRESS", help="the address that the client asks")
    parser.add_argument(
        "--through", action="append", default=[], metavar="NAME", help="only ways through this"
    )
    parser.add_argument("--avoid", action="append", default=[], metavar="NAME", help="only ways around this")
    sources.arguments(parser)


def run(options: Namespace, console: Console) -> int:
    """0 reachable, 3 not reachable, 1 unknown."""
    asked = port_range(options.port), port_range(options.source_port)
    protocol = protocol_number(options.protocol)
    refuse_ports(options, protocol, *asked)
    network = sources.network(options, console)
    question = Question(
        find(network, options.source),
        find(network, options.destination),
        protocol,
        asked[0],
        asked[1],
        address(options.source_ip),
        address(options.destination_ip),
        tuple(component(network, it) for it in options.through),
        tuple(component(network, it) for it in options.avoid),
    )
    answer = ask(network, question)
    console.answer(lines(network, question, answer), values(network, options, answer))
    return STATUS[answer.verdict]


def values(network: Network, options: Namespace, answer: Answer) -> dict[str, object]:
    """The answer as AWS's NetworkInsightsAnalysis with one key of our own."""
    if answer.trace is None:
        status = "failed" if answer.verdict == Verdict.UNKNOWN else "succeeded"
        own = {"Verdict": str(answer.verdict), "Note": answer.note}
        return {"Status": status, "NetworkPathFound": False, "Explanations": [], OWN: own}
    account = next((it.account for it in network.vpcs.values() if it.account), "")
    region = next((it.region for it in network.vpcs.values()), "") if account else ""
    return analysis(network, answer.trace, region, account)


def component(network: Network, text: str) -> str:
    """The id of what has to be passed, or not."""
    found = find(network, text)
    if not found.component:
        raise UsageError(f"{text!r} is no component; --through and --avoid take gateways, subnets and such")
    return found.component


def protocol_number(text: str) -> int:
    """The IANA number of a protocol, -1 for all."""
    if text.lower() in NUMBERS:
        return NUMBERS[text.lower()]
    if text.isdecimal() and int(text) <= 255:
        return int(text)
    raise UsageError(f"protocol {text!r} is not known: tcp, udp, icmp, all or a number up to 255")


def refuse_ports(options: Namespace, protocol: int, *ports: PortRange | None) -> None:
    """Raises UsageError when ports are given of a protocol that has none."""
    if any(ports) and protocol not in WITH_PORTS:
        raise UsageError(f"ports go with tcp and udp, not with {options.protocol}; leave them out")


def port_range(text: str | None) -> PortRange | None:
    """The ports of 443 or 1024-65535."""
    if text is None:
        return None
    first, dash, last = text.partition("-")
    numbers = [first, last if dash else first]
    if not all(it.isdecimal() and int(it) <= 65535 for it in numbers) or int(numbers[0]) > int(numbers[1]):
        raise UsageError(f"port {text!r} is none: give a number up to 65535, or FIRST-LAST")
    return PortRange(int(numbers[0]), int(numbers[1]))


def address(text: str | None) -> Address | None:
    """The address of the text."""
    if text is None:
        return None
    try:
        return ip_address(text)
    except ValueError:
        raise UsageError(f"{text!r} is no address; for a block, name it as SOURCE or DESTINATION") from None
