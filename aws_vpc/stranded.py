"""What the cleanup of an update could not delete: found, and deleted once nothing holds it any more.

What an update gives up, CloudFormation deletes after the update is complete. What cannot go then, because
something outside the stack is still in it, fails no update: the stack forgets it, and it stands on. It keeps
the tags of its stack, and the stack's events say DELETE_FAILED of it; of what a policy retains they say
DELETE_SKIPPED, and that is not meant here (User Guide, «Stack status codes», «Resource tags»).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from aws_vpc import deploy
from aws_vpc.wait import Wait

TAG = "aws:cloudformation:stack-id"
# A service takes its interfaces back some minutes after it is deleted; what stays longer is somebody's.
PATIENCE = 180.0


class Kind(NamedTuple):
    """How EC2 lists and deletes what others can hold; `holders` filters the interfaces that are in it."""

    type: str
    many: str
    filter: str
    describe: str
    delete: str
    parameter: str
    holders: str = ""


# By the names that EC2's tags have for them, in the order in which they let go of each other.
KINDS = {
    "elastic-ip": Kind(
        "AWS::EC2::EIP", "Addresses", "allocation-id", "describe_addresses", "release_address", "AllocationId"
    ),
    "subnet": Kind(
        "AWS::EC2::Subnet",
        "Subnets",
        "subnet-id",
        "describe_subnets",
        "delete_subnet",
        "SubnetId",
        "subnet-id",
    ),
    "route-table": Kind(
        "AWS::EC2::RouteTable",
        "RouteTables",
        "route-table-id",
        "describe_route_tables",
        "delete_route_table",
        "RouteTableId",
    ),
    "network-acl": Kind(
        "AWS::EC2::NetworkAcl",
        "NetworkAcls",
        "network-acl-id",
        "describe_network_acls",
        "delete_network_acl",
        "NetworkAclId",
    ),
    "security-group": Kind(
        "AWS::EC2::SecurityGroup",
        "SecurityGroups",
        "group-id",
        "describe_security_groups",
        "delete_security_group",
        "GroupId",
        "group-id",
    ),
    "vpc": Kind("AWS::EC2::VPC", "Vpcs", "vpc-id", "describe_vpcs", "delete_vpc", "VpcId", "vpc-id"),
}
FAILED = "DELETE_FAILED"
HELD = ("DependencyViolation", "InvalidGroup.InUse", "InvalidIPAddress.InUse", "ResourceInUse")


@dataclass(frozen=True, order=True)
class Stranded:
    """A resource that stands and that its stack, of the logical id `owner`, has no more."""

    owner: str
    logical: str
    kind: str
    id: str

    @property
    def name(self) -> str:
        return f"{self.owner}/{self.logical}" if self.owner else self.logical

    @property
    def type(self) -> str:
        return KINDS[self.kind].type

    def __str__(self) -> str:
        return f"{self.name} ({self.type}) {self.id}"


def find(cfn: Any, ec2: Any, stacks: Mapping[str, str]) -> list[Stranded]:
    """What the stacks, logical id to stack id, have left standing outside themselves."""
    owners = {stack_id: logical for logical, stack_id in stacks.items()}
    tagged = list(_tagged(ec2, owners)) if owners else []
    found: list[Stranded] = []
    for stack_id, owner in owners.items():
        outside = {id: kind for stack, kind, id in tagged if stack == stack_id}
        for _, member in deploy.own_resources(cfn, stack_id) if outside else ():
            if member["ResourceStatus"] != FAILED:
                outside.pop(member.get("PhysicalResourceId", ""), None)
        names = _failed(cfn, stack_id, outside) if outside else {}
        found += [Stranded(owner, names[id], kind, id) for id, kind in outside.items() if id in names]
    return sorted(one for one in found if _stands(ec2, one))


def _tagged(ec2: Any, stack_ids: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Stack id, kind and id of what carries the tag of one of the stacks."""
    filters = [
        {"Name": "key", "Values": [TAG]},
        {"Name": "value", "Values": list(stack_ids)},
        {"Name": "resource-type", "Values": list(KINDS)},
    ]
    for page in ec2.get_paginator("describe_tags").paginate(Filters=filters):
        for one in page["Tags"]:
            yield one["Value"], one["ResourceType"], one["ResourceId"]


def _stands(ec2: Any, one: Stranded) -> bool:
    """True when EC2 still lists it; its tags may be told for a while longer."""
    kind = KINDS[one.kind]
    describe = getattr(ec2, kind.describe)
    return bool(describe(Filters=[{"Name": kind.filter, "Values": [one.id]}])[kind.many])


def _failed(cfn: Any, stack_id: str, ids: Collection[str]) -> dict[str, str]:
    """Logical ids of those whose deletion is the last that the stack told of them, and failed.

    None while the stack itself is to be deleted, which is another way to the same status.
    """
    last: dict[str, Mapping[str, Any]] = {}
    for page in cfn.get_paginator("describe_stack_events").paginate(StackName=stack_id):
        for event in page["StackEvents"]:  # the newest first
            last.setdefault(event.get("PhysicalResourceId", ""), event)
    if last[stack_id]["ResourceStatus"].startswith("DELETE"):
        return {}
    failed = [last[id] for id in ids if id in last and last[id]["ResourceStatus"] == FAILED]
    return {one["PhysicalResourceId"]: one["LogicalResourceId"] for one in failed}


def remove(ec2: Any, found: Iterable[Stranded], wait: Wait) -> dict[Stranded, str]:
    """Why, of each that still stands after all; the others are gone."""
    order = list(KINDS)
    left: Sequence[Stranded] = sorted(found, key=lambda one: (order.index(one.kind), one))
    why: dict[Stranded, str] = {}
    for waited in wait.pauses("deleting what an update has left") if left else ():
        codes = {one: _delete(ec2, one, why) for one in left}
        left = [one for one, code in codes.items() if code]
        if not any(codes[one] in HELD for one in left) or waited >= PATIENCE:
            break
    return {one: f"{why[one]}{_holders(ec2, one)}" for one in left}


def _delete(ec2: Any, one: Stranded, why: dict[Stranded, str]) -> str:
    """Empty when it is gone, else the code of AWS's error, whose words are put down in `why`."""
    kind = KINDS[one.kind]
    try:
        getattr(ec2, kind.delete)(**{kind.parameter: one.id})
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        why[one] = str(error.response["Error"]["Message"])
        return "" if code.endswith("NotFound") else code
    return ""


def _holders(ec2: Any, one: Stranded) -> str:
    """The network interfaces that are in the way."""
    kind = KINDS[one.kind]
    if not kind.holders:
        return ""
    filters = [{"Name": kind.holders, "Values": [one.id]}]
    found = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    told = [f"{it['NetworkInterfaceId']} ({it.get('Description') or 'no description'})" for it in found]
    return f"; it holds {', '.join(sorted(told))}" if told else ""
