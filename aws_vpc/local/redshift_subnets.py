"""ModifyClusterSubnetGroup of Redshift, which moto lacks: the group is made again under its name."""

from __future__ import annotations

from typing import Any

from aws_vpc.local import databases
from aws_vpc.local.databases import with_parameters
from aws_vpc.local.wire import Forward, Request, Response, answer, form


def modify(request: Request, forward: Forward, asked: dict[str, Any]) -> Response:
    """The group with other subnets; its tags stay."""
    flat = form(request)
    bare: dict[str, str | None] = dict.fromkeys(flat)
    bare |= {key: flat[key] for key in ("Version", "ClusterSubnetGroupName") if key in flat}
    found = forward(with_parameters(request, **bare | {"Action": "DescribeClusterSubnetGroups"}))
    if found.status != 200:
        return found
    before = databases.result("redshift", "DescribeClusterSubnetGroups", found)["ClusterSubnetGroups"][0]
    given = {"Description": asked.get("Description") or before["Description"]}
    for number, tag in enumerate(before.get("Tags", []), start=1):
        given |= {f"Tags.Tag.{number}.Key": tag["Key"], f"Tags.Tag.{number}.Value": tag["Value"]}
    forward(with_parameters(request, **bare | {"Action": "DeleteClusterSubnetGroup"}))
    made = forward(with_parameters(request, **{"Action": "CreateClusterSubnetGroup", **given}))
    if made.status != 200:
        subnets = [subnet["SubnetIdentifier"] for subnet in before["Subnets"]]
        listed = {f"SubnetIds.SubnetIdentifier.{number}": id for number, id in enumerate(subnets, start=1)}
        forward(with_parameters(request, **bare | {"Action": "CreateClusterSubnetGroup"} | given | listed))
        return made
    result = databases.result("redshift", "CreateClusterSubnetGroup", made)
    return answer("redshift", "ModifyClusterSubnetGroup", result)
