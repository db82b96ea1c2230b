"""What a fact is made of, and the networks and flows that several facts share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reach_bench import (
    OPEN,
    Bench,
    flow,
    route,
    rule,
    two_subnets,
)

from aws_vpc.network import (
    Flow,
    Listener,
    LoadBalancer,
    Network,
    Target,
    TargetGroup,
    Verdict,
)

YES, NO, MAYBE = Verdict.REACHABLE, Verdict.NOT_REACHABLE, Verdict.UNKNOWN


@dataclass(frozen=True)
class Case:
    """One fact: the network, the flow, the verdict, and the code or component that shows why."""

    page: str
    name: str
    network: Callable[[], Bench]
    flow: Callable[[Network], Flow]
    verdict: Verdict
    shows: str = ""

    def __str__(self) -> str:
        return self.name


def inside(network: Network) -> Flow:
    return flow(network, "eni-1", "eni-2")


def out(network: Network) -> Flow:
    return flow(network, "eni-2" if "eni-2" in network.interfaces else "eni-1", "internet", "8.8.8.8")


def incoming(network: Network) -> Flow:
    return flow(network, "internet", "eni-1", "198.51.100.10", from_="8.8.8.8")


def main_with(*routes: object) -> Bench:
    return two_subnets().table("vpc-a-main", "vpc-a", *routes, main=True)  # type: ignore[arg-type]


def grouped(*rules: object, source: tuple[object, ...] = ()) -> Bench:
    """The second interface in a group with the rules, the first in sg-client."""
    return (
        two_subnets()
        .group("sg-client", *(source or (rule(True, "0.0.0.0/0", protocol=-1),)))  # type: ignore[arg-type]
        .group("sg-server", *rules)  # type: ignore[arg-type]
        .change("interfaces", "eni-1", groups=("sg-client",))
        .change("interfaces", "eni-2", groups=("sg-server",))
    )


def listed(bench: Bench) -> Bench:
    """The bench with a gateway endpoint for 52.216.0.0/15 in VPC a."""
    return bench.gateway_endpoint("vpce-s3", "vpc-a", "pl-s3", "52.216.0.0/15")


def appliance(check: bool) -> Bench:
    """Traffic between the subnets goes through an interface in a third one."""
    return (
        two_subnets()
        .subnet("a3", "vpc-a", "z1", "10.0.3.0/24")
        .eni("eni-box", "a3", "10.0.3.10", source_dest_check=check)
        .table("redirected", "vpc-a", route("10.0.2.0/24", "eni-box"), subnets=("a1",))
    )


def balanced(kind: str, *, target_zone: str = "z1", cross: bool = False, kept: bool | None = None) -> Bench:
    """A load balancer in front of eni-2."""
    made = two_subnets()
    made.subnet("a3", "vpc-a", target_zone, "10.0.3.0/24").eni("eni-target", "a3", "10.0.3.10", owner="i-1")
    made.eni("eni-lb", "a1", "10.0.1.50", owner="lb", groups=(OPEN,))
    made.eni("eni-lb-2", "a2", "10.0.2.50", owner="lb", groups=(OPEN,))
    listener = Listener("listener", "TCP" if kind == "network" else "HTTP", 443, ("tg",))
    made.put("load_balancers", LoadBalancer("lb", "vpc-a", kind, (listener,), cross_zone=cross))
    protocol = "TCP" if kind == "network" else "HTTP"
    return made.put(
        "target_groups", TargetGroup("tg", "instance", protocol, 8080, (Target("i-1", 8080),), kept)
    )


def to_target(network: Network, port: int = 443) -> Flow:
    return flow(network, "eni-2", "eni-target", "10.0.1.50", port)


def six() -> Bench:
    return (
        Bench()
        .vpc("vpc-a", "10.0.0.0/16", "2001:db8:1::/56")
        .subnet("a1", "vpc-a", "z1", "10.0.1.0/24", "2001:db8:1:1::/64")
        .subnet("a2", "vpc-a", "z1", "10.0.2.0/24", "2001:db8:1:2::/64")
        .eni("eni-1", "a1", "10.0.1.10", "2001:db8:1:1::10")
        .eni("eni-2", "a2", "10.0.2.10", "2001:db8:1:2::10")
    )


def to_six(network: Network) -> Flow:
    return flow(network, "eni-2", "internet", "2606:4700::1")


def from_six(network: Network) -> Flow:
    return flow(network, "internet", "eni-2", "2001:db8:1:2::10", from_="2606:4700::1")
