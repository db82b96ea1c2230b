"""What people call things, to the things: ids, ARNs, logical paths, Name tags, addresses, services,
`internet`.

    find(network, "Database") -> End      UsageError that lists the candidates when it is none or several
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_network

from aws_vpc.errors import UsageError
from aws_vpc.network import Block, Component, Network
from aws_vpc.network_values import INTERNET

# What cannot be the end of a way.
NO_ENDS = {"RouteTable", "Acl", "PrefixList", "TransitGatewayRouteTable", "TargetGroup"}
ADDRESS = set("0123456789abcdef.:/")
GONE = {"deleted", "deleting", "failed", "rejected", "expired"}

SPELLED = {
    "Acl": "network ACL",
    "NatGateway": "NAT gateway",
    "Vpc": "VPC",
    "VpcEndpoint": "endpoint",
    "EgressOnlyInternetGateway": "egress-only internet gateway",
}


@dataclass(frozen=True)
class End:
    """One end of a question: interfaces, or an address block, or a gateway, or a service by its name.

    `component` is the id of what was named, INTERNET for the internet, empty for a block or service.
    """

    text: str
    component: str = ""
    interfaces: tuple[str, ...] = ()
    block: Block | None = None
    service: str = ""

    @property
    def internet(self) -> bool:
        return self.component == INTERNET


def find(network: Network, text: str) -> End:
    """The end that the text names."""
    if text.lower() == INTERNET:
        return End(text, INTERNET)
    try:
        return End(text, block=ip_network(text, strict=False))
    except ValueError:
        pass
    found = [it for it in candidates(network, text) if type(network.components[it]).__name__ not in NO_ENDS]
    if len(found) == 1:
        return End(text, found[0], interfaces_of(network, found[0]))
    if len(found) > 1:
        raise UsageError(f"{text!r} is ambiguous: {', '.join(told(network, it) for it in found)}")
    if service := _service(network, text):
        return End(text, service=service)
    if set(text.lower()) <= ADDRESS and any(mark in text for mark in ".:"):
        raise UsageError(f"{text!r} is no address and no block, such as 10.0.4.0/24 or 2001:db8::/64")
    raise UsageError(f"{text!r} names nothing here; {_near(network, text)}")


def candidates(network: Network, text: str) -> list[str]:
    """The ids that the text may mean, by the most exact kind of name that fits.

    What is deleted is described for a while, with its successor's name: it is meant by its id only.
    """
    if text in network.components:
        return [text]
    wanted = text.rsplit("/", 1)[-1].rsplit(":", 1)[-1] if text.startswith("arn:") else text
    steps: tuple[Callable[[str], bool], ...] = (
        lambda it: network.label(it).arn == text or (text.startswith("arn:") and it == wanted),
        lambda it: network.label(it).logical == text or it == text,
        lambda it: _ends(network.label(it).logical or "", text),
        lambda it: network.label(it).name == text,
    )
    for step in steps:
        found = sorted(it for it in network.components if step(it))
        if found:
            return [it for it in found if not _gone(network.components[it])] or found
    return []


def _gone(component: Component) -> bool:
    return getattr(component, "state", "") in GONE


def _ends(path: str, text: str) -> bool:
    return path.endswith(f"/{text}")


def interfaces_of(network: Network, component: str) -> tuple[str, ...]:
    """The interfaces that a component stands for: its own, its subnet's, its group's, its VPC's."""
    if component in network.interfaces:
        return (component,)
    if component in network.nat_gateways:
        return ()
    service = network.services.get(component)
    owners = (component, *(service.instances if service else ()))
    found: Iterable[str] = [it.id for owner in owners for it in network.by_owner.get(owner, ())]
    if component in network.subnets:
        found = (it.id for it in network.interfaces.values() if it.subnet == component)
    elif component in network.groups:
        found = (it.id for it in network.members.get(component, ()))
    elif component in network.vpcs:
        found = (it.id for it in network.interfaces.values() if it.vpc == component)
    return tuple(found)


def told(network: Network, component: str) -> str:
    """A component for people: its id, its kind and its name."""
    label = network.label(component)
    more = ", ".join(dict.fromkeys(it for it in (label.logical, label.name) if it and it != component))
    return f"{component} ({kind(network.components[component])}{', ' if more else ''}{more})"


def kind(component: Component) -> str:
    """What a component is, in words."""
    name = type(component).__name__
    if name in SPELLED:
        return SPELLED[name]
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def elsewhere(network: Network, end: End) -> str:
    """Why nothing can be told of an end: a service in subnets that are not known here; empty otherwise."""
    if end.component in network.services and not end.interfaces:
        return f"{end.text} stands in a network that is not known here"
    return ""


def _service(network: Network, text: str) -> str:
    """The service that the text names: in full, by its last part, or by its DNS name."""
    short = text.removeprefix("service:").split(".amazonaws.com", 1)[0].split(".")
    wanted = short[-1] if text.startswith(("service:", "com.")) else short[0]
    known = {it.service for it in network.endpoints.values()}
    exact = [it for it in known if it == text or it.rsplit(".", 1)[-1] == wanted]
    if exact:
        return min(exact)
    return f"com.amazonaws.{wanted}" if text.startswith("service:") or ".amazonaws.com" in text else ""


def _near(network: Network, text: str) -> str:
    """The names that are like it, or a few of those that there are."""
    names: dict[str, str] = {}
    for it, component in network.components.items():
        if type(component).__name__ not in NO_ENDS:
            label = network.label(it)
            for name in (it, label.logical.rsplit("/", 1)[-1], label.name):
                if name:
                    names.setdefault(name.lower(), it)
    near = get_close_matches(text.lower(), names, n=5, cutoff=0.5)
    shown = list(dict.fromkeys(names[it] for it in near)) or sorted(_chief(network))[:12]
    word = "do you mean" if near else "there are"
    return f"{word} {', '.join(shown)}" if shown else "the network is empty"


def _chief(network: Network) -> list[str]:
    return [
        *network.instances,
        *network.services,
        *network.load_balancers,
        *network.endpoints,
        *network.subnets,
    ]
