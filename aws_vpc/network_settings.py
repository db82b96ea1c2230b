"""What a network lacks that CloudFormation cannot give it: empty default groups, DNS over peering, paths.

In: members of the EC2 API's answers. Out: what is to be done; nothing where all is as it should be.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

DNS = "AllowDnsResolutionFromRemoteVpc"
SIDES = {"requester": "RequesterVpcInfo", "accepter": "AccepterVpcInfo"}
# The tag that tells our paths from those of a template.
MARK = "NetworkSettings"


@dataclass(frozen=True)
class Own:
    """The network of one deployment, as its stacks' outputs name it; empty where it has no such part."""

    name: str
    vpcs: tuple[str, ...] = ()
    web_server: str = ""
    database_group: str = ""
    database_port: int = 0
    warehouse_group: str = ""
    warehouse_port: int = 0


@dataclass(frozen=True)
class Emptying:
    """A default security group that still has rules."""

    group: str
    vpc: str
    ingress: tuple[Mapping[str, Any], ...]
    egress: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Resolution:
    """A peering connection whose sides named here do not yet resolve names for the other."""

    connection: str
    sides: tuple[str, ...]


@dataclass(frozen=True)
class InsightsPath:
    """A question for the Reachability Analyzer: does this reach that on a TCP port."""

    name: str
    source: str
    destination: str
    port: int

    @property
    def ends(self) -> tuple[str, str, int]:
        return self.source, self.destination, self.port


def own(name: str, outputs: Mapping[str, Mapping[str, str]]) -> Own:
    """The network in the outputs of a deployment's nested stacks, keyed by their logical ids."""
    network = outputs.get("NestedVPCStack", {})
    database, warehouse = outputs.get("NestedRDSStack", {}), outputs.get("NestedRedshiftStack", {})
    # Where the warehouse's VPC is not ours, its group comes with what joins the two.
    far = outputs.get("NestedInterconnectStack", {})
    return Own(
        name=name,
        vpcs=tuple(network[one] for one in ("Vpc", "WarehouseVpc") if network.get(one)),
        web_server=outputs.get("NestedEC2Stack", {}).get("WebServer", ""),
        database_group=network.get("DatabaseSecurityGroup", "") if database else "",
        database_port=int(database.get("DatabasePort", 0)),
        warehouse_group=(far or network).get("WarehouseSecurityGroup", "") if warehouse else "",
        warehouse_port=int(warehouse.get("WarehousePort", 0)),
    )


def emptyings(groups: Iterable[Mapping[str, Any]]) -> list[Emptying]:
    """The default groups among `groups` (DescribeSecurityGroups) that still let something pass."""
    return [
        Emptying(one["GroupId"], one["VpcId"], rules(one, "IpPermissions"), rules(one, "IpPermissionsEgress"))
        for one in groups
        if one["GroupName"] == "default" and (one.get("IpPermissions") or one.get("IpPermissionsEgress"))
    ]


def rules(group: Mapping[str, Any], key: str) -> tuple[Mapping[str, Any], ...]:
    """The rules of a group as a request to revoke them takes them: without lists that are empty."""
    return tuple({name: value for name, value in one.items() if value != []} for one in group.get(key, ()))


def resolutions(connections: Iterable[Mapping[str, Any]], account: str, region: str) -> list[Resolution]:
    """The active connections (DescribeVpcPeeringConnections) with a side of ours that lacks the option."""
    found = [
        Resolution(one["VpcPeeringConnectionId"], tuple(lacking(one, account, region)))
        for one in connections
        if one.get("Status", {}).get("Code") == "active"
    ]
    return [one for one in found if one.sides]


def lacking(connection: Mapping[str, Any], account: str, region: str) -> Iterable[str]:
    """The sides of a connection in this account and Region without the option; others are not ours to set."""
    for side, key in SIDES.items():
        end = connection[key]
        ours = (end.get("OwnerId", account), end.get("Region", region)) == (account, region)
        if ours and not end.get("PeeringOptions", {}).get(DNS):
            yield side


def admitted(network: Own, groups: Iterable[Mapping[str, Any]]) -> Own:
    """The network with the first TCP port that each database's group (DescribeSecurityGroups) admits."""
    ports = {
        one["GroupId"]: rule["FromPort"]
        for one in groups
        for rule in reversed(one.get("IpPermissions", ()))
        if rule["IpProtocol"] == "tcp"
    }
    return replace(
        network,
        database_port=ports.get(network.database_group, network.database_port),
        warehouse_port=ports.get(network.warehouse_group, network.warehouse_port),
    )


def wanted_paths(network: Own, interfaces: Iterable[Mapping[str, Any]]) -> list[InsightsPath]:
    """The paths from the web server to the databases' interfaces (DescribeNetworkInterfaces)."""
    ends = {
        network.database_group: ("database", network.database_port),
        network.warehouse_group: ("warehouse", network.warehouse_port),
    }
    found = []
    for one in interfaces:
        for group in (member["GroupId"] for member in one.get("Groups", ())):
            if group and group in ends and network.web_server:
                what, port = ends[group]
                name = f"{network.name}-web-to-{what}"
                found.append(InsightsPath(name, network.web_server, one["NetworkInterfaceId"], port))
    return found


def standing_paths(members: Iterable[Mapping[str, Any]]) -> dict[str, InsightsPath]:
    """The paths in members of DescribeNetworkInsightsPaths, by id."""
    return {
        one["NetworkInsightsPathId"]: InsightsPath(
            name(one), one["Source"], one.get("Destination", ""), int(one.get("DestinationPort", 0))
        )
        for one in members
    }


def name(member: Mapping[str, Any]) -> str:
    """The Name tag of a member."""
    return next((str(tag["Value"]) for tag in member.get("Tags", ()) if tag["Key"] == "Name"), "")


def path_changes(
    wanted: Sequence[InsightsPath], standing: Mapping[str, InsightsPath]
) -> tuple[list[InsightsPath], list[str]]:
    """The paths to be made, and the ids of those whose ends are there no more."""
    there, needed = {one.ends for one in standing.values()}, {one.ends for one in wanted}
    missing = [one for one in wanted if one.ends not in there]
    return missing, [key for key, one in standing.items() if one.ends not in needed]


def path_sentences(network: Own, wanted: Sequence[InsightsPath]) -> list[str]:
    """Why there is no path to the database or to the warehouse, where there is none."""
    if not network.web_server:
        return ["no paths to the databases: there is no single web server that they could begin at"]
    ends = {"database": network.database_group, "warehouse": network.warehouse_group}
    return [
        f"no path to the {what}: this endpoint shows no network interface of it"
        for what, group in ends.items()
        if group and not any(one.name.endswith(what) for one in wanted)
    ]
