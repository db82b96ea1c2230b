"""Random small networks that hold every construct, and random flows through them; the same seed gives the
same.

A network is first wired so that much of it works, and then some of it is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from random import Random
from typing import Any, TypeVar

from aws_vpc.network import (
    EgressOnlyInternetGateway,
    Instance,
    InternetGateway,
    Network,
    NetworkInterface,
    PrefixList,
    PublicAssociation,
    RouteTable,
    Subnet,
    Unmodelled,
    Vpc,
)
from walker import generated_filters, generated_gateways, generated_routes

T = TypeVar("T")
ZONES = ("a", "b", "c")
REGIONS = ("us-west-2", "us-east-1")
S3 = "com.amazonaws.us-west-2.s3"


@dataclass
class Draft:
    """A network while it is made: a dictionary for each field of Network."""

    random: Random
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    public: int = 0

    def add(self, kind: str, one: Any) -> Any:
        self.made.setdefault(kind, {})[one.id] = one
        return one

    def all(self, kind: str, vpc: str | None = None) -> list[Any]:
        found = self.made.get(kind, {}).values()
        return [one for one in found if vpc is None or one.vpc == vpc]

    def odds(self, chance: float) -> bool:
        return self.random.random() < chance

    def pick(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def some(self, choices: Sequence[T], least: int, most: int) -> list[T]:
        return self.random.sample(list(choices), min(len(choices), self.random.randint(least, most)))

    def state(self, good: str, *bad: str, chance: float = 0.07) -> str:
        return self.pick(bad) if self.odds(chance) else good

    def public_address(self) -> Any:
        self.public += 1
        return ip_address("52.0.0.0") + self.public

    def network(self) -> Network:
        return Network(**self.made)


def network(seed: int) -> Network:
    """The network of a seed."""
    draft = Draft(Random(seed))
    prefix_lists(draft)
    for number in range(draft.random.randint(1, 4)):
        vpc(draft, number)
    generated_gateways.between(draft)
    for one in draft.all("vpcs"):
        generated_gateways.inside(draft, one)
    for one in draft.all("vpcs"):
        generated_routes.tables(draft, one)
        generated_filters.acls(draft, one)
    generated_filters.groups(draft)
    return draft.network()


def prefix_lists(draft: Draft) -> None:
    """The service's own list, and two of a customer's, which overlap."""
    draft.add("prefix_lists", PrefixList("pl-s3", (ip_network("3.5.0.0/19"), ip_network("52.92.0.0/17")), S3))
    draft.add("prefix_lists", PrefixList("pl-own", (ip_network("10.0.0.0/15"), ip_network("10.2.1.0/24"))))
    draft.add("prefix_lists", PrefixList("pl-out", (ip_network("8.8.8.0/24"), ip_network("2001:4860::/32"))))


def vpc(draft: Draft, number: int) -> None:
    """A VPC with subnets and interfaces; sometimes its addresses are those of the one before."""
    first = number - 1 if number and draft.odds(0.06) else number
    cidrs = [ip_network(f"10.{first}.0.0/16")]
    if draft.odds(0.25):
        cidrs.append(ip_network(f"100.64.{first}.0/24"))
    if draft.odds(0.7):
        cidrs.append(ip_network(f"2600:1f14:{number:x}00::/56"))
    region = REGIONS[0] if draft.odds(0.9) else REGIONS[1]
    one = draft.add("vpcs", Vpc(f"vpc-{number}", tuple(cidrs), region, "1"))
    if draft.odds(0.85):
        draft.add("internet_gateways", InternetGateway(f"igw-{number}", one.id if draft.odds(0.93) else None))
    if draft.odds(0.5):
        attached = one.id if draft.odds(0.9) else None
        draft.add("egress_only_gateways", EgressOnlyInternetGateway(f"eigw-{number}", attached))
    if draft.odds(0.1):
        draft.add("unmodelled", Unmodelled(f"vgw-{number}", "AWS::EC2::VPNGateway", "VPN", one.id))
    for part in range(draft.random.randint(1, 4)):
        subnet(draft, one, number, part)


def subnet(draft: Draft, one: Vpc, number: int, part: int) -> None:
    """A subnet in one of the VPC's blocks, with its interfaces."""
    base = str(one.cidrs[0].network_address).removesuffix(".0.0")
    cidrs = [ip_network(f"{base}.{part}.0/24")]
    if len(one.cidrs) > 1 and one.cidrs[1].version == 4 and draft.odds(0.4):
        cidrs = [ip_network(f"{str(one.cidrs[1].network_address).removesuffix('.0')}.{part * 64}/26")]
    if one.cidrs[-1].version == 6 and draft.odds(0.8):
        cidrs.append(list(one.cidrs[-1].subnets(new_prefix=64))[part])
    found = draft.add(
        "subnets", Subnet(f"subnet-{number}{part}", one.id, draft.pick(ZONES[:2]), tuple(cidrs))
    )
    for place in range(draft.random.randint(1, 2)):
        machine(draft, found, place)


def interface(draft: Draft, home: Subnet, name: str, **more: Any) -> NetworkInterface:
    """A further interface of a subnet, at its next free addresses."""
    used = sum(one.subnet == home.id for one in draft.all("interfaces"))
    addresses = [home.cidrs[0].network_address + 10 + used]
    if len(home.cidrs) > 1 and draft.odds(0.8):
        addresses.append(home.cidrs[1].network_address + 0x10 + used)
    found: NetworkInterface = NetworkInterface(name, home.id, home.vpc, tuple(addresses), **more)
    return draft.add("interfaces", found)


def machine(draft: Draft, home: Subnet, place: int) -> None:
    """An instance with one interface, which may forward for others."""
    name = home.id.removeprefix("subnet-") + str(place)
    state = draft.state("running", "stopped", chance=0.04)
    owner = draft.add("instances", Instance(f"i-{name}", home.vpc, state)).id if draft.odds(0.8) else ""
    one = interface(draft, home, f"eni-{name}", owner=owner, source_dest_check=draft.odds(0.75))
    if draft.odds(0.15):
        second = home.cidrs[0].network_address + 40 + place
        one = replace(one, addresses=(one.addresses[0], second, *one.addresses[1:]))
    if draft.odds(0.5):
        pair = PublicAssociation(one.addresses[0], draft.public_address())
        one = replace(one, public=(pair,))
    draft.add("interfaces", one)


def edit(draft: Draft, table: RouteTable, **changes: Any) -> None:
    """Changes a table that is in the draft."""
    draft.add("route_tables", replace(table, **changes))
