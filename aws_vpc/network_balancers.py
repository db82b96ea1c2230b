"""Load balancers: listeners, target groups and their targets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A target: the id of an instance or an address, its port, and the zone it was registered for, if any."""

    id: str
    port: int
    zone: str | None = None


@dataclass(frozen=True)
class TargetGroup:
    """A target group; `kind` is instance or ip (lambda and alb are not modelled).

    `preserve_client_ip` is the attribute of network load balancers: on by default for instances, and for
    addresses unless the protocol is TCP or TLS.
    """

    id: str
    kind: str
    protocol: str
    port: int
    targets: tuple[Target, ...]
    preserve_client_ip: bool | None = None


@dataclass(frozen=True)
class Listener:
    """A listener: protocol TCP, UDP, TCP_UDP, TLS, HTTP or HTTPS, the port, the target groups it may
    forward to.
    """

    id: str
    protocol: str
    port: int
    target_groups: tuple[str, ...]


@dataclass(frozen=True)
class LoadBalancer:
    """A network or application load balancer (`kind`); it owns its interfaces, one per zone."""

    id: str
    vpc: str
    kind: str
    listeners: tuple[Listener, ...]
    scheme: str = "internet-facing"
    cross_zone: bool = False
    state: str = "active"
