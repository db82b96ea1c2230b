"""The part of the generator that makes gateways, connections between VPCs, endpoints and load balancers."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from aws_vpc.network import (
    Listener,
    LoadBalancer,
    NatAddress,
    NatGateway,
    PeeringConnection,
    PeeringSide,
    PublicAssociation,
    Subnet,
    Target,
    TargetGroup,
    TransitGateway,
    TransitGatewayAttachment,
    TransitGatewayRoute,
    TransitGatewayRouteTable,
    Vpc,
    VpcEndpoint,
)
from walker import generator

if TYPE_CHECKING:
    from walker.generator import Draft

PORTS = (22, 80, 443, 5432, 33000)


def between(draft: Draft) -> None:
    """Peering connections and transit gateways."""
    vpcs = draft.all("vpcs")
    for one, other in combinations(vpcs, 2):
        if draft.odds(0.5) and one.cidrs[0] != other.cidrs[0]:
            state = draft.state("active", "pending-acceptance", "deleted", chance=0.1)
            sides = [PeeringSide(each.id, each.cidrs, each.region) for each in (one, other)]
            draft.random.shuffle(sides)
            name = f"pcx-{one.id[4:]}{other.id[4:]}"
            draft.add("peerings", PeeringConnection(name, *sides, state=state))
    if draft.odds(0.55):
        transit(draft, vpcs)


def transit(draft: Draft, vpcs: list[Vpc]) -> None:
    """One or two transit gateways, attached to most VPCs."""
    gateways = ["tgw-0", "tgw-1"] if draft.odds(0.3) else ["tgw-0"]
    for name in gateways:
        state = draft.state("available", "deleting", chance=0.03)
        draft.add("transit_gateways", TransitGateway(name, draft.odds(0.5), state))
    for vpc in vpcs:
        for name in draft.some(gateways, 1, len(gateways)) if draft.odds(0.85) else ():
            attach(draft, vpc, name)
    if len(gateways) == 2:
        state = draft.state("available", "pendingAcceptance")
        draft.add(
            "attachments", TransitGatewayAttachment("tgw-attach-p", "tgw-0", "tgw-1", "peering", (), state)
        )
    for name in gateways:
        transit_tables(draft, name)


def attach(draft: Draft, vpc: Vpc, gateway: str) -> None:
    """An attachment with at most one subnet of each zone."""
    by_zone = {one.zone: one for one in draft.some(draft.all("subnets", vpc.id), 4, 4)}
    doors = [one.id for one in by_zone.values()][: 1 if draft.odds(0.3) else 2]
    name = f"tgw-attach-{gateway[4:]}{vpc.id[4:]}"
    draft.add("attachments", TransitGatewayAttachment(
        name, gateway, vpc.id, "vpc", tuple(doors), draft.state("available", "modifying-failed", chance=0.03),
        draft.odds(0.3), draft.odds(0.7),
    ))  # fmt: skip


def transit_tables(draft: Draft, gateway: str) -> None:
    """One or two tables; each attachment is associated with at most one."""
    attachments = [one for one in draft.all("attachments") if gateway in (one.gateway, one.resource)]
    tables = [f"tgw-rtb-{gateway[4:]}{part}" for part in range(draft.random.randint(1, 2))]
    home = {one.id: draft.pick([*tables * 6, None]) for one in attachments}
    for name in tables:
        routes = [route for one in attachments for route in transit_routes(draft, gateway, one)]
        routes = list({(one.destination, one.prefix_list, one.origin): one for one in routes}.values())
        associations = tuple(one for one, table in home.items() if table == name)
        draft.add("transit_tables", TransitGatewayRouteTable(name, gateway, tuple(routes), associations))


def transit_routes(draft: Draft, gateway: str, one: TransitGatewayAttachment) -> list[TransitGatewayRoute]:
    """What leads to an attachment: propagated blocks of its VPC, static ones, a prefix list, a blackhole."""
    vpcs = {each.id: each for each in draft.all("vpcs")}
    if one.kind == "peering":
        beyond = [draft.pick(list(vpcs.values())).cidrs[0] for _ in range(2)]
        return [TransitGatewayRoute(one.id, block) for block in dict.fromkeys(beyond)]
    routes = []
    if draft.odds(0.85):
        routes += [
            TransitGatewayRoute(one.id, block, origin="propagated") for block in vpcs[one.resource].cidrs
        ]
    if draft.odds(0.15):
        routes.append(TransitGatewayRoute(one.id, generator.ip_network("0.0.0.0/0")))
    if draft.odds(0.1):
        routes.append(TransitGatewayRoute(one.id, prefix_list="pl-own"))
    if draft.odds(0.1):
        block = draft.pick(draft.all("subnets", one.resource)).cidrs[0]
        routes.append(TransitGatewayRoute(None if draft.odds(0.5) else one.id, block, state="blackhole"))
    if draft.odds(0.1):
        routes.append(TransitGatewayRoute(one.id, draft.pick(draft.all("subnets", one.resource)).cidrs[-1]))
    return routes


def inside(draft: Draft, vpc: Vpc) -> None:
    """NAT gateways, endpoints and load balancers of one VPC."""
    number, subnets = vpc.id[4:], draft.all("subnets", vpc.id)
    if draft.odds(0.6):
        zonal(draft, f"nat-{number}", draft.pick(subnets))
    if draft.odds(0.2):
        regional(draft, vpc, f"nat-r{number}")
    if draft.odds(0.5):
        state = draft.state("available", "pending")
        draft.add(
            "endpoints",
            VpcEndpoint(f"vpce-s3{number}", vpc.id, "Gateway", generator.S3, "pl-s3", state=state),
        )
    if draft.odds(0.4):
        state = draft.state("available", "pending")
        service = "com.amazonaws.us-west-2.secretsmanager"
        name = draft.add(
            "endpoints", VpcEndpoint(f"vpce-sm{number}", vpc.id, "Interface", service, state=state)
        ).id
        generator.interface(draft, draft.pick(subnets), f"eni-sm{number}", owner=name, kind="vpc_endpoint")
    if draft.odds(0.5):
        balancer(draft, vpc, subnets)


def zonal(draft: Draft, name: str, home: Subnet) -> None:
    """A NAT gateway in a subnet, public or private."""
    private = draft.odds(0.25)
    at = generator.interface(draft, home, f"eni-{name}", owner=name, kind="nat_gateway", filtered=False,
                             source_dest_check=False)  # fmt: skip
    public = None if private else draft.public_address()
    at = generator.replace(at, addresses=at.addresses[:1])
    if public:
        at = generator.replace(at, public=(PublicAssociation(at.addresses[0], public),))
    draft.add("interfaces", at)
    draft.add("nat_gateways", NatGateway(
        name, home.vpc, home.id, (NatAddress(at.addresses[0], public, at.id),),
        "private" if private else "public",
        "zonal", draft.state("available", "pending", "failed"),
    ))  # fmt: skip


def regional(draft: Draft, vpc: Vpc, name: str) -> None:
    """A NAT gateway in no subnet, in some zones, or with addresses that EC2 has still to give."""
    zones = draft.some(("a", "b"), 0, 2)
    addresses = tuple(NatAddress(public=draft.public_address(), zone=zone) for zone in zones)
    state = draft.state("available", "failed")
    draft.add("nat_gateways", NatGateway(name, vpc.id, None, addresses, "public", "regional", state))


def balancer(draft: Draft, vpc: Vpc, subnets: list[Subnet]) -> None:
    """A load balancer with nodes in up to two zones, listeners, and targets of both kinds."""
    number, kind = vpc.id[4:], draft.pick(["network", "network", "application"])
    homes = list({one.zone: one for one in draft.some(subnets, 1, 3)}.values())
    name, groupless = f"lb-{number}", kind == "network" and draft.odds(0.4)
    scheme = draft.pick(["internet-facing", "internal"])
    for home in homes:
        at = generator.interface(draft, home, f"eni-{name}{home.zone}", owner=name, filtered=not groupless)
        if scheme == "internet-facing":
            pair = PublicAssociation(at.addresses[0], draft.public_address())
            draft.add("interfaces", generator.replace(at, public=(pair,)))
    groups = [
        target_group(draft, vpc, f"tg-{number}{part}", kind).id for part in range(draft.random.randint(1, 2))
    ]
    listeners = tuple(
        Listener(f"listener-{number}{port}", protocol(draft, kind), port, tuple(draft.some(groups, 0, 2)))
        for port in draft.some(PORTS[:3], 1, 3)
    )
    state = draft.state("active", "provisioning", chance=0.03)
    draft.add("load_balancers", LoadBalancer(name, vpc.id, kind, listeners, scheme, draft.odds(0.4), state))


def protocol(draft: Draft, kind: str) -> str:
    return draft.pick(["HTTP", "HTTPS"] if kind == "application" else ["TCP", "TCP", "TLS", "UDP", "TCP_UDP"])


def target_group(draft: Draft, vpc: Vpc, name: str, balancer: str) -> TargetGroup:
    """Some machines of the VPC, by instance or by address."""
    machines = [one for one in draft.all("interfaces", vpc.id) if one.owner.startswith("i-")]
    kind = draft.pick(["instance", "ip"])
    targets = []
    for one in draft.some(machines, 0, 4):
        target = (
            one.owner if kind == "instance" else str(draft.pick([a for a in one.addresses if a.version == 4]))
        )
        targets.append(Target(target, draft.pick(PORTS)))
    keeps = draft.pick([None, True, False]) if balancer == "network" else None
    named = "HTTP" if balancer == "application" else draft.pick(["TCP", "TLS", "UDP", "TCP_UDP"])
    return draft.add("target_groups", TargetGroup(name, kind, named, 80, tuple(targets), keeps))  # type: ignore[no-any-return]
