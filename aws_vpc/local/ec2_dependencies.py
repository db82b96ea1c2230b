"""What EC2 does not delete while something depends on it: groups, subnets and VPCs in use.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
"""

from __future__ import annotations

from typing import Any

from aws_vpc.local.ec2_interfaces import backend
from aws_vpc.local.wire import Request, ServiceError, form
from aws_vpc.local.world import World


def refuse(world: World, request: Request, action: str) -> None:
    """Nothing; ServiceError when what is to be deleted is depended on."""
    if action not in CHECKS:
        return
    asked, (parameter, used, words) = form(request), CHECKS[action]
    id = asked.get(parameter, "")
    if id and asked.get("DryRun") != "true" and used(backend(world, request.region), id):
        raise ServiceError("DependencyViolation", words.format(id=id))


def group_used(ec2: Any, id: str) -> bool:
    """Whether an interface has the group, or a rule of another group names it."""
    if any(id in [group.id for group in one.group_set] for one in ec2.enis.values()):
        return True
    others = (group for groups in ec2.groups.values() for group in groups.values() if group.id != id)
    return any(
        rule.source_group.get("GroupId") == id
        for group in others
        for rule in [*group.ingress_rules, *group.egress_rules]
    )


def subnet_used(ec2: Any, id: str) -> bool:
    """Whether an interface is in the subnet."""
    return any(one.subnet is not None and one.subnet.id == id for one in ec2.enis.values())


def vpc_used(ec2: Any, id: str) -> bool:
    """Whether the VPC has a group beside its default one, or a gateway to the internet."""
    groups = [group for group in ec2.groups.get(id, {}).values() if group.name != "default"]
    attached = [one.vpc.id for one in ec2.internet_gateways.values() if one.vpc is not None]
    attached += [one.vpc_id for one in ec2.egress_only_internet_gateways.values()]
    return bool(groups) or id in attached


# operation -> the parameter that names the thing, whether it is used, what EC2 says
CHECKS = {
    "DeleteSecurityGroup": ("GroupId", group_used, "resource {id} has a dependent object"),
    "DeleteSubnet": ("SubnetId", subnet_used, "The subnet '{id}' has dependencies and cannot be deleted."),
    "DeleteVpc": ("VpcId", vpc_used, "The vpc '{id}' has dependencies and cannot be deleted."),
}
