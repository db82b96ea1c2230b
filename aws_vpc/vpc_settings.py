"""The network settings that CloudFormation cannot make: read, decided by network_settings.py, made, checked.

In: the EC2 client, a deployment's network. Out: a sentence for each thing done or left out.
"""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.errors import DeployFailed, Error
from aws_vpc.network_settings import (
    DNS,
    MARK,
    Emptying,
    InsightsPath,
    Own,
    Resolution,
    admitted,
    emptyings,
    path_changes,
    path_sentences,
    resolutions,
    standing_paths,
    wanted_paths,
)

# What an endpoint answers that does not know an operation.
UNKNOWN = frozenset(["NotImplemented", "InvalidAction", "UnsupportedOperation", "UnknownOperationException"])


def settle(ec2: Any, network: Own, account: str, region: str) -> list[str]:
    """A sentence for each setting that was made now; DeployFailed where one does not hold."""
    told = [empty(ec2, one) for one in open_groups(ec2, network)]
    told += [resolve(ec2, one) for one in unresolved(ec2, network, account, region)]
    check(ec2, network, account, region, told)
    return told


def check(ec2: Any, network: Own, account: str, region: str, told: list[str]) -> None:
    """Raises DeployFailed when a setting does not hold although it was made."""
    if not told:
        return
    wrong = [f"default group {one.group} still has rules" for one in open_groups(ec2, network)]
    wrong += [f"{one.connection} lacks {DNS}" for one in unresolved(ec2, network, account, region)]
    if wrong:
        raise DeployFailed(
            f"network of stack {network.name}: {'; '.join(wrong)}; run the same command again,"
            " and if it stays so, look for what sets it back"
        )


def open_groups(ec2: Any, network: Own) -> list[Emptying]:
    """The default groups of the network's VPCs that still have rules."""
    where = {"vpc-id": list(network.vpcs), "group-name": ["default"]}
    filters = [{"Name": key, "Values": values} for key, values in where.items()]
    pages = ec2.get_paginator("describe_security_groups").paginate(Filters=filters)
    return emptyings(one for page in pages for one in page["SecurityGroups"])


def empty(ec2: Any, what: Emptying) -> str:
    """A sentence, after a default group has lost its rules."""
    if what.ingress:
        ec2.revoke_security_group_ingress(GroupId=what.group, IpPermissions=list(what.ingress))
    if what.egress:
        ec2.revoke_security_group_egress(GroupId=what.group, IpPermissions=list(what.egress))
    return f"default security group {what.group} of {what.vpc} emptied"


def unresolved(ec2: Any, network: Own, account: str, region: str) -> list[Resolution]:
    """The network's peering connections that do not resolve names for both sides yet."""
    found: dict[str, Any] = {}
    for side in ("requester", "accepter"):
        filters = [{"Name": f"{side}-vpc-info.vpc-id", "Values": list(network.vpcs)}]
        pages = ec2.get_paginator("describe_vpc_peering_connections").paginate(Filters=filters)
        members = (one for page in pages for one in page["VpcPeeringConnections"])
        found |= {one["VpcPeeringConnectionId"]: one for one in members}
    return resolutions(found.values(), account, region)


def resolve(ec2: Any, what: Resolution) -> str:
    """A sentence, after the sides of a connection resolve each other's names."""
    options = {f"{side.capitalize()}PeeringConnectionOptions": {DNS: True} for side in what.sides}
    ec2.modify_vpc_peering_connection_options(VpcPeeringConnectionId=what.connection, **options)
    return f"peering connection {what.connection} resolves names for the {' and the '.join(what.sides)}"


def settle_paths(ec2: Any, network: Own) -> list[str]:
    """A sentence for each path to a database that was made, deleted or left out."""
    network = with_admitted_ports(ec2, network)
    wanted = wanted_paths(network, interfaces(ec2, network))
    try:
        standing = standing_paths(paths(ec2, network.name))
        missing, stale = path_changes(wanted, standing)
        told = [make_path(ec2, network, one) for one in missing]
        told += [delete_path(ec2, one) for one in stale]
    except ClientError as error:
        if error.response["Error"]["Code"] not in UNKNOWN:
            raise
        return ["no paths to the databases: this endpoint has no Reachability Analyzer"]
    return told + path_sentences(network, wanted)


def with_admitted_ports(ec2: Any, network: Own) -> Own:
    """The network with the ports that the databases' groups admit, wherever their servers listen."""
    groups = [one for one in (network.database_group, network.warehouse_group) if one]
    if not groups or not network.web_server:
        return network
    filters = [{"Name": "group-id", "Values": groups}]
    pages = ec2.get_paginator("describe_security_groups").paginate(Filters=filters)
    return admitted(network, [one for page in pages for one in page["SecurityGroups"]])


def interfaces(ec2: Any, network: Own) -> list[Any]:
    """The network interfaces of the database and of the warehouse, as far as the endpoint shows them."""
    groups = [one for one in (network.database_group, network.warehouse_group) if one]
    if not groups or not network.web_server:
        return []
    filters = [{"Name": "group-id", "Values": groups}]
    pages = ec2.get_paginator("describe_network_interfaces").paginate(Filters=filters)
    return [one for page in pages for one in page["NetworkInterfaces"]]


def paths(ec2: Any, name: str) -> Iterator[Any]:
    """The paths that were made for a deployment."""
    filters = [{"Name": f"tag:{MARK}", "Values": [name]}]
    for page in ec2.get_paginator("describe_network_insights_paths").paginate(Filters=filters):
        yield from page["NetworkInsightsPaths"]


def make_path(ec2: Any, network: Own, path: InsightsPath) -> str:
    """A sentence, after a path is made."""
    tags = [{"Key": "Name", "Value": path.name}, {"Key": MARK, "Value": network.name}]
    made = ec2.create_network_insights_path(
        Source=path.source,
        Destination=path.destination,
        DestinationPort=path.port,
        Protocol="tcp",
        TagSpecifications=[{"ResourceType": "network-insights-path", "Tags": tags}],
        ClientToken=f"{path.source}-{path.destination}-{path.port}",
    )["NetworkInsightsPath"]
    return f"path {made['NetworkInsightsPathId']} made: {path.name}, TCP {path.port}"


def delete_path(ec2: Any, path: str) -> str:
    """A sentence, after a path and its analyses are gone."""
    pages = ec2.get_paginator("describe_network_insights_analyses").paginate(NetworkInsightsPathId=path)
    for one in [one for page in pages for one in page["NetworkInsightsAnalyses"]]:
        ec2.delete_network_insights_analysis(NetworkInsightsAnalysisId=one["NetworkInsightsAnalysisId"])
    ec2.delete_network_insights_path(NetworkInsightsPathId=path)
    return f"path {path} deleted"


def remove_paths(ec2: Any, name: str) -> list[str]:
    """A sentence for each path of a deployment that is gone now."""
    try:
        return [delete_path(ec2, one) for one in list(standing_paths(paths(ec2, name)))]
    except ClientError as error:
        if error.response["Error"]["Code"] in UNKNOWN:
            return []
        raise


def prefix_list(ec2: Any, region: str) -> str:
    """The id of the Region's list of S3 addresses, which a template cannot look up."""
    name = f"com.amazonaws.{region}.s3"
    filters = [{"Name": "prefix-list-name", "Values": [name]}]
    found = [
        one["PrefixListId"]
        for page in ec2.get_paginator("describe_managed_prefix_lists").paginate(Filters=filters)
        for one in page["PrefixLists"]
    ]
    if not found:
        raise Error(f"Region {region} has no prefix list {name}; give --param S3PrefixListId=pl-...")
    return str(found[0])
