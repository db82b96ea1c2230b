"""Instances, load balancers, and services whose interfaces the API does not give, from describe answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from aws_vpc.network import (
    Address,
    Instance,
    Listener,
    LoadBalancer,
    NetworkInterface,
    PublicAssociation,
    Service,
    Subnet,
    Target,
    TargetGroup,
)
from aws_vpc.network_answers_vpc import free_address

Answers = Mapping[str, Sequence[Mapping[str, Any]]]
Row = Mapping[str, Any]
# Addresses for benchmarks (RFC 2544) stand for public ones that no answer tells.
PUBLIC = int(ip_address("198.18.0.0"))
ENVIRONMENT = "elasticbeanstalk:environment-name"
REQUESTERS = {
    "AWS::RDS::DBInstance": "rds",
    "AWS::Redshift::Cluster": "redshift",
    "AWS::RedshiftServerless::Workgroup": "redshift",
}


def instances(answers: Answers) -> dict[str, Instance]:
    """The instances that have not been terminated."""
    rows = [row for group in answers.get("Reservations", ()) for row in group.get("Instances") or ()]
    return {
        row["InstanceId"]: Instance(row["InstanceId"], row.get("VpcId", ""), _state(row))
        for row in rows
        if _state(row) not in ("terminated", "shutting-down")
    }


def _state(row: Row) -> str:
    return str((row.get("State") or {}).get("Name", "running"))


def services(answers: Answers) -> list[Service]:
    """Databases, warehouses and compute environments."""
    return [it.service for it in _placed(answers)]


@dataclass(frozen=True)
class Placed:
    """A service with its subnets and its security groups; `public` is whether it has public addresses."""

    service: Service
    subnets: list[str]
    groups: tuple[str, ...]
    public: bool = False
    interface: str = "interface"
    told: frozenset[str] = frozenset()  # its interfaces, where its own answer tells them
    dual: bool = False  # whether it has IPv6 addresses, too, where its subnets have them


def _placed(answers: Answers) -> Iterator[Placed]:
    """Each service, and where it is."""
    subnet_vpc = {row["SubnetId"]: row["VpcId"] for row in answers.get("Subnets", ())}
    for row in answers.get("DBInstances", ()):
        group = row.get("DBSubnetGroup") or {}
        port = (row.get("Endpoint") or {}).get("Port") or row.get("DbInstancePort")
        name, kind = row["DBInstanceIdentifier"], "AWS::RDS::DBInstance"
        chosen = [it["SubnetIdentifier"] for it in group.get("Subnets") or ()]
        groups = tuple(it["VpcSecurityGroupId"] for it in row.get("VpcSecurityGroups") or ())
        service = Service(name, kind, _vpc(chosen, subnet_vpc), int(port) if port else None)
        yield Placed(service, chosen, groups, bool(row.get("PubliclyAccessible")))
    places = {it["ClusterSubnetGroupName"]: it for it in answers.get("ClusterSubnetGroups", ())}
    for row in answers.get("Clusters", ()):
        if "ClusterIdentifier" not in row:
            continue
        group = places.get(row.get("ClusterSubnetGroupName", ""), {})
        port = (row.get("Endpoint") or {}).get("Port") or 5439
        chosen = [it["SubnetIdentifier"] for it in group.get("Subnets") or ()]
        groups = tuple(it["VpcSecurityGroupId"] for it in row.get("VpcSecurityGroups") or ())
        kind = "AWS::Redshift::Cluster"
        service = Service(row["ClusterIdentifier"], kind, _vpc(chosen, subnet_vpc), int(port))
        yield Placed(service, chosen, groups, bool(row.get("PubliclyAccessible")))
    yield from _others(answers, subnet_vpc)


def _others(answers: Answers, subnet_vpc: Mapping[str, str]) -> Iterator[Placed]:
    for row in answers.get("Workgroups", ()):
        chosen = list(row.get("subnetIds") or ())
        port = (row.get("endpoint") or {}).get("port") or row.get("port") or 5439
        kind = "AWS::RedshiftServerless::Workgroup"
        service = Service(row["workgroupName"], kind, _vpc(chosen, subnet_vpc), int(port))
        groups = tuple(row.get("securityGroupIds") or ())
        ends = (row.get("endpoint") or {}).get("vpcEndpoints") or ()
        told = frozenset(
            it["networkInterfaceId"] for end in ends for it in end.get("networkInterfaces") or ()
        )
        yield Placed(service, chosen, groups, bool(row.get("publiclyAccessible")), told=told)
    for row in answers.get("ComputeEnvironments", ()):
        resources = row.get("computeResources") or {}
        chosen = list(resources.get("subnets") or ())
        kind = "AWS::Batch::ComputeEnvironment"
        service = Service(row["computeEnvironmentName"], kind, _vpc(chosen, subnet_vpc))
        # A task on Fargate has an address of each family that its subnet has (ECS guide, dual-stack mode).
        yield Placed(service, chosen, tuple(resources.get("securityGroupIds") or ()), dual=True)
    yield from _environments(answers)
    for row in answers.get("Environments", ()):
        kind = "AWS::ElasticBeanstalk::Environment"  # its instances' interfaces are among the interfaces
        yield Placed(Service(row["EnvironmentId"], kind, row.get("VpcId", "")), [], ())


def _environments(answers: Answers) -> Iterator[Placed]:
    """The Elastic Beanstalk environments that tags of instances tell, under their names."""
    found: dict[str, list[Row]] = {}
    for group in answers.get("Reservations", ()):
        for row in group.get("Instances") or ():
            tags = {tag["Key"]: tag["Value"] for tag in row.get("Tags") or ()}
            if (name := tags.get(ENVIRONMENT)) and _state(row) == "running":
                found.setdefault(name, []).append(row)
    for name, rows in found.items():
        kind, members = "AWS::ElasticBeanstalk::Environment", tuple(row["InstanceId"] for row in rows)
        yield Placed(Service(name, kind, rows[0].get("VpcId", ""), instances=members), [], ())


def _vpc(chosen: Sequence[str], subnet_vpc: Mapping[str, str]) -> str:
    return next((subnet_vpc[it] for it in chosen if it in subnet_vpc), "")


def with_services(
    answers: Answers,
    known: Mapping[str, NetworkInterface],
    subnets: Mapping[str, Subnet],
    wanted: Sequence[Service],
) -> dict[str, NetworkInterface]:
    """The interfaces with those of services: found by requester, subnet and groups, else one per subnet."""
    found = dict(known)
    taken: set[tuple[str, Address]] = {(it.vpc, at) for it in known.values() for at in it.addresses}
    requesters = {row["NetworkInterfaceId"]: _requester(row) for row in answers.get("NetworkInterfaces", ())}
    for placed in [*_placed(answers), *_balancers(answers)]:
        service, chosen, groups = placed.service, placed.subnets, placed.groups
        real = [
            it
            for it in found.values()
            if it.id in placed.told
            or (
                _owned(it.owner, service.id)
                and it.subnet in chosen
                and _made_for(service, requesters.get(it.id, ""))
                and set(it.groups) == set(groups)
            )
        ]
        for one in real:
            found[one.id] = replace(one, owner=service.id)
        for subnet in () if real else [subnets[it] for it in chosen if it in subnets]:
            addresses = _chosen(subnet, taken, dual=placed.dual)
            address = addresses[0]
            name = f"{service.id}/{subnet.zone or subnet.id}"
            shown = ip_address(PUBLIC + len(found))
            public = (PublicAssociation(address, shown),) if placed.public else ()
            found[name] = NetworkInterface(
                name,
                subnet.id,
                subnet.vpc,
                addresses,
                groups,
                public,
                owner=service.id,
                kind=placed.interface,
                filtered=bool(groups) or placed.interface == "interface",
            )
    return found


def _chosen(subnet: Subnet, taken: set[tuple[str, Address]], *, dual: bool) -> tuple[Address, ...]:
    """Free addresses of the subnet, which are taken then: one, or with `dual` one of each family."""
    found = tuple(
        free_address(subnet, taken, block) for block in (subnet.cidrs if dual else subnet.cidrs[:1])
    )
    taken |= {(subnet.vpc, address) for address in found}
    return found


def _balancers(answers: Answers) -> Iterator[Placed]:
    """The load balancers and their subnets, for interfaces that no answer gives."""
    for row in answers.get("LoadBalancers", ()):
        if row.get("Type") in ("network", "application"):
            subnets = [it["SubnetId"] for it in row.get("AvailabilityZones") or () if it.get("SubnetId")]
            kind = "network_load_balancer" if row["Type"] == "network" else "interface"
            service = Service(row["LoadBalancerArn"], "load balancer", row.get("VpcId", ""))
            public = row.get("Scheme") != "internal"
            groups, dual = tuple(row.get("SecurityGroups") or ()), row.get("IpAddressType") == "dualstack"
            yield Placed(service, subnets, groups, public, kind, dual=dual)


def _owned(owner: str, service: str) -> bool:
    """Whether an interface is, or might be, the service's: nobody's yet, or named by its id or ARN."""
    return owner in ("", service) or service.endswith(f"/{owner}")


def _requester(row: Row) -> str:
    return f"{row.get('RequesterId', '')} {row.get('Description', '')}".lower()


def _made_for(service: Service, requester: str) -> bool:
    if service.kind == "load balancer":
        return service.id.rpartition("loadbalancer/")[2].lower() in requester.split()
    wanted = REQUESTERS.get(service.kind)
    return bool(wanted and wanted in requester) or service.id.lower() in requester.split()


def load_balancers(answers: Answers) -> dict[str, LoadBalancer]:
    """The network and application load balancers."""
    listeners: dict[str, list[Listener]] = {}
    for row in answers.get("Listeners", ()):
        groups = [it for action in row.get("DefaultActions") or () for it in _forwards(action)]
        listeners.setdefault(row["LoadBalancerArn"], []).append(
            Listener(
                row["ListenerArn"], row.get("Protocol", "TCP"), int(row["Port"]), tuple(dict.fromkeys(groups))
            )
        )
    attributes = {it["LoadBalancerArn"]: it for it in answers.get("LoadBalancerAttributes", ())}
    found = {}
    for row in answers.get("LoadBalancers", ()):
        if row.get("Type") not in ("network", "application"):
            continue
        arn = row["LoadBalancerArn"]
        told = {it["Key"]: it["Value"] for it in attributes.get(arn, {}).get("Attributes") or ()}
        found[arn] = LoadBalancer(
            arn,
            row.get("VpcId", ""),
            row["Type"],
            tuple(listeners.get(arn, ())),
            row.get("Scheme") or "internet-facing",
            told.get("load_balancing.cross_zone.enabled") == "true" or row["Type"] == "application",
            (row.get("State") or {}).get("Code", "active"),
        )
    return found


def _forwards(action: Row) -> list[str]:
    many = [it["TargetGroupArn"] for it in (action.get("ForwardConfig") or {}).get("TargetGroups") or ()]
    return many or ([action["TargetGroupArn"]] if action.get("TargetGroupArn") else [])


def target_groups(answers: Answers) -> dict[str, TargetGroup]:
    """The target groups with their targets."""
    health = {it["TargetGroupArn"]: it for it in answers.get("LoadBalancerTargetHealth", ())}
    attributes = {it["TargetGroupArn"]: it for it in answers.get("TargetGroupAttributes", ())}
    found = {}
    for row in answers.get("TargetGroups", ()):
        arn = row["TargetGroupArn"]
        told = {it["Key"]: it["Value"] for it in attributes.get(arn, {}).get("Attributes") or ()}
        kept = told.get("preserve_client_ip.enabled")
        targets = [it["Target"] for it in health.get(arn, {}).get("TargetHealthDescriptions") or ()]
        found[arn] = TargetGroup(
            arn,
            row.get("TargetType") or "instance",
            row.get("Protocol", "TCP"),
            int(row.get("Port") or 0),
            tuple(
                Target(it["Id"], int(it.get("Port") or row["Port"]), it.get("AvailabilityZone"))
                for it in targets
            ),
            None if kept is None else kept == "true",
        )
    return found
