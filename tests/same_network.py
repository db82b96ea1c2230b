"""Two networks compared apart from ids: components are named by logical path, or by what they belong to."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping
from ipaddress import IPv6Network
from typing import Any

from aws_vpc.network import Acl, Network, SecurityGroup, Service

# Chosen by EC2: compared only as being there. DNS across peering decides no packet.
CHOSEN = {"addresses", "public", "id", "description", "region", "account", "remote_dns", "owner", "instances"}
# Databases and warehouses, by their logical names in the templates.
OWNER = re.compile(r"interface of (\S+/(?:Database|Warehouse|WarehouseWorkgroup|WebEnvironment)) in")
COMPARED = (
    "vpcs", "subnets", "interfaces", "instances", "services", "route_tables", "acls", "groups",
    "prefix_lists",
    "internet_gateways", "egress_only_gateways", "nat_gateways", "peerings", "endpoints", "transit_gateways",
    "attachments", "transit_tables", "load_balancers", "target_groups", "unmodelled",
)  # fmt: skip


def canonical(network: Network, root: str = "") -> dict[str, Counter[str]]:
    """The components of each kind as texts, ids replaced by names that both networks share."""
    names = _names(network, root)
    return {
        kind: Counter(
            str(_plain(_now(network, found), names))
            for found in getattr(network, kind).values()
            if _ours(found, names)
        )
        for kind in COMPARED
    }


def _now(network: Network, found: Any) -> Any:
    """The component; a default ACL without what only EC2 lists: subnets, and rules for IPv6 that is gone."""
    if not isinstance(found, Acl) or not found.default or found.vpc not in network.vpcs:
        return found
    versions = {it.version for it in network.vpcs[found.vpc].cidrs}
    entries = tuple(it for it in found.entries if it.block.version in versions)
    return dataclasses.replace(found, entries=entries, subnets=())


def _names(network: Network, root: str) -> dict[str, str]:
    """Each id's shared name."""
    prefix = f"{root}/" if root else ""
    names = {
        id: label.logical.removeprefix(prefix)
        for id, label in network.labels.items()
        if label.logical and label.logical.startswith(prefix)
    }
    for table in network.route_tables.values():
        if table.main and table.id not in names and table.vpc in names:
            names[table.id] = f"{names[table.vpc]}.main"
    for acl in network.acls.values():
        if acl.default and acl.vpc in names:
            names[acl.id] = f"{names[acl.vpc]}.acl"
    for group in network.groups.values():
        if group.id not in names and group.vpc in names:
            names[group.id] = f"{names[group.vpc]}.group"
    for endpoint in network.endpoints.values():
        if endpoint.prefix_list:
            names[endpoint.prefix_list] = f"list of {endpoint.service}"
    names |= _blocks(network, names)
    runs = {it: service.id for service in network.services.values() for it in service.instances}
    for found in network.interfaces.values():
        owner = runs.get(found.owner, found.owner)
        names[found.id] = f"interface of {names.get(owner, owner)} in {names.get(found.subnet)}"
    return names


def _blocks(network: Network, names: Mapping[str, str]) -> dict[str, str]:
    """EC2's choice of IPv6 addresses by what they are of: a whole VPC, or a subnet."""
    found = {}
    for owner in (*network.vpcs.values(), *network.subnets.values()):
        found |= {str(it): f"IPv6 of {names.get(owner.id)}" for it in owner.cidrs if it.version == 6}
    for vpc in network.vpcs.values():
        parts = [it for subnet in network.subnets_of.get(vpc.id, ()) for it in subnet.cidrs]
        for whole in (it for it in vpc.cidrs if isinstance(it, IPv6Network)):
            for part in (it for it in parts if isinstance(it, IPv6Network)):
                number = (int(part.network_address) - int(whole.network_address)) >> 64
                found[str(part)] += f", number {number}"
    return found


def _ours(found: Any, names: Mapping[str, str]) -> bool:
    """Whether the component belongs to the stack: what EC2 gives every account does not.

    Neither do the default groups, which the deploy commands empty beside CloudFormation.
    """
    if isinstance(found, SecurityGroup) and names.get(found.id, "").endswith(".group"):
        return False
    if getattr(found, "state", "") == "deleted":
        return False
    if any(str(getattr(found, it, "")).endswith(".LoadBalancer") for it in ("id", "owner")):
        return False  # Beanstalk makes it in a stack of its own, so nothing that stands has its name
    ends = [getattr(found, it, None) for it in ("vpc", "gateway")]
    return found.id in names and all(it is None or it in names for it in ends)


def _plain(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = [
            (it.name, _plain(getattr(value, it.name), names))
            for it in dataclasses.fields(value)
            if it.name not in CHOSEN | {"name"} and not (isinstance(value, Service) and it.name == "port")
        ]
        extra = [("id", names[value.id])] if getattr(value, "id", None) in names else []
        extra += [("chosen", len(getattr(value, it))) for it in ("addresses", "public") if hasattr(value, it)]
        return (type(value).__name__, *extra, *pairs)
    if isinstance(value, tuple):
        return tuple(sorted((_plain(it, names) for it in value), key=str))
    return names.get(str(value), str(value)) if value is not None else None


def _foreseen(planned: Counter[str], standing: Counter[str]) -> None:
    """Take away what AWS chooses from: a database stands in one of the subnets that are planned for it."""
    for owner in OWNER.findall(" ".join(standing)):
        for it in [it for it in standing if f"interface of {owner} in" in it]:
            standing[it] = 1  # a leader and nodes, or instances
        if any(f"interface of {owner} in" in it for it in standing & planned):
            for it in [it for it in planned if f"interface of {owner} in" in it and it not in standing]:
                del planned[it]


def differences(one: Network, other: Network, root: str) -> list[str]:
    """What only one of the two has: `<` the first, `>` the second, whose paths begin with the root."""
    left, right = canonical(one), canonical(other, root)
    told = []
    _foreseen(left["interfaces"], right["interfaces"])
    for kind in COMPARED:
        told += [f"< {kind} {it}" for it in (left[kind] - right[kind]).elements()]
        told += [f"> {kind} {it}" for it in (right[kind] - left[kind]).elements()]
    return told
