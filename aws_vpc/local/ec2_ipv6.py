"""IPv6 where moto differs from EC2: addresses of interfaces, blocks in use, rules that come with a block.

    a VPC gets a block     groups and default ACLs whose rules nobody has changed let IPv6 pass, too
    an interface is made   it gets an address where it asks for one, or where its subnet gives them
    a block goes           only when nothing uses it; the rules stay

Sources: VPC User Guide, "Default network ACL for a VPC", "Security group rules" and "Add IPv6 support for
your VPC"; API reference of AssociateVpcCidrBlock, DisassociateSubnetCidrBlock and ModifySubnetAttribute.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

from aws_vpc.local import wire
from aws_vpc.local.databases import with_parameters
from aws_vpc.local.ec2_interfaces import backend
from aws_vpc.local.ec2_nat import parsed
from aws_vpc.local.wire import Request, Response, ServiceError, form
from aws_vpc.local.world import World

WORLD = "::/0"
ALLOW, DENY = 101, 32768  # the numbers of the entries that EC2 adds to a default ACL
UNCHANGED = ("-1", {"CidrIp": "0.0.0.0/0"})  # the rule that a group begins with
IN_USE = "InvalidCidrBlock.InUse"


def teach() -> None:
    """Let moto's subnets tell the state of their blocks, and its interfaces take addresses of them."""
    from moto.ec2 import utils
    from moto.ec2.models import vpcs
    from moto.ec2.models.elastic_network_interfaces import NetworkInterface
    from moto.ec2.models.subnets import Subnet

    def written() -> str:
        """A block as EC2 writes it: without leading zeros."""
        return str(ipaddress.IPv6Network(utils.random_ipv6_cidr()))

    vars(vpcs)["random_ipv6_cidr"] = written
    Subnet.ipv6_cidr_block_association_set = property(associations)  # type: ignore[assignment]
    plain = NetworkInterface.__init__
    if getattr(plain, "gives_addresses", False):
        return

    def made(self: Any, *given: Any, **named: Any) -> None:
        plain(self, *given, **named)
        if not self.ipv6_addresses and self.subnet.assign_ipv6_address_on_creation:
            self.ipv6_addresses = [next(free(self.ec2_backend, self.subnet))]

    made.gives_addresses = True  # type: ignore[attr-defined]
    NetworkInterface.__init__ = made  # type: ignore[method-assign]


def associations(subnet: Any) -> list[dict[str, Any]]:
    """The subnet's IPv6 block as DescribeSubnets shows it."""
    return [
        {
            "associationId": one["associationId"],
            "ipv6CidrBlock": one["ipv6CidrBlock"],
            "ipv6CidrBlockState": {"state": "associated"},
        }
        for one in subnet.ipv6_cidr_block_associations.values()
    ]


def blocks(subnet: Any) -> list[ipaddress.IPv6Network]:
    """The IPv6 blocks of a subnet."""
    return [
        ipaddress.IPv6Network(one["ipv6CidrBlock"]) for one in subnet.ipv6_cidr_block_associations.values()
    ]


def vpc_blocks(vpc: Any) -> list[ipaddress.IPv6Network]:
    """The IPv6 blocks of a VPC."""
    return [ipaddress.IPv6Network(one["cidr_block"]) for one in vpc.get_cidr_block_association_set(ipv6=True)]


def free(ec2: Any, subnet: Any) -> Iterator[str]:
    """Addresses of the subnet that nothing has; the first four are EC2's own."""
    taken = {address for one in ec2.enis.values() for address in one.ipv6_addresses}
    for block in blocks(subnet):
        for number in range(int(block.network_address) + 4, int(block.broadcast_address)):
            if (address := str(ipaddress.IPv6Address(number))) not in taken:
                yield address


def completed(world: World, request: Request, action: str) -> Request:
    """The request as moto reads it: addresses asked for an interface, and rules taken from a group."""
    asked = form(request)
    if action == "RunInstances" and (count := asked.get("NetworkInterface.1.Ipv6AddressCount")):
        return with_parameters(request, Ipv6AddressCount=count)
    if action == "RevokeSecurityGroupEgress" and ".CidrIpv6" in " ".join(asked):
        return _by_rule(backend(world, request.region), request)
    return request


def _by_rule(ec2: Any, request: Request) -> Request:
    """A revocation by the ids of the rules: moto leaves IPv6 out where the VPC has no block any more."""
    asked = wire.parse("ec2", request)[1]
    group = ec2.get_security_group_from_id(asked.get("GroupId", ""))
    wanted = {
        (one["IpProtocol"], one.get("FromPort"), one.get("ToPort"), place["CidrIpv6"])
        for one in asked.get("IpPermissions", ())
        for place in one.get("Ipv6Ranges", ())
    }
    ids = [
        rule.id
        for rule in (group.egress_rules if group else ())
        if (rule.ip_protocol, rule.from_port, rule.to_port, rule.ip_range.get("CidrIpv6")) in wanted
    ]
    others = any(
        one.get(kind)
        for one in asked.get("IpPermissions", ())
        for kind in ("IpRanges", "UserIdGroupPairs", "PrefixListIds")
    )
    if others or len(ids) != len(wanted):
        return request
    named = {f"SecurityGroupRuleId.{at}": id for at, id in enumerate(ids, 1)}
    dropped = dict.fromkeys(name for name in form(request) if name.startswith("IpPermissions."))
    return with_parameters(request, **dropped, **named)


def with_blocks(world: World, request: Request, response: Response) -> Response:
    """An answer of DescribeVpcPeeringConnections with the blocks of both sides, which moto leaves out."""
    if response.status != 200:
        return response
    action = "DescribeVpcPeeringConnections"
    result = parsed(action, response)
    known = backend(world, request.region).vpcs
    for connection in result.get("VpcPeeringConnections", ()):
        for side in ("RequesterVpcInfo", "AccepterVpcInfo"):
            vpc = known.get(connection.get(side, {}).get("VpcId"))
            if vpc is not None and (found := vpc_blocks(vpc)):
                connection[side]["Ipv6CidrBlockSet"] = [{"Ipv6CidrBlock": str(one)} for one in found]
    return wire.answer("ec2", action, result)


def refuse(world: World, request: Request, action: str) -> None:
    """Raise ServiceError for a block that cannot be given to a subnet, or that something uses."""
    asked = form(request)
    if action in REFUSALS and asked.get("DryRun") != "true":
        REFUSALS[action](backend(world, request.region), asked)


def _refuse_given(ec2: Any, asked: dict[str, str]) -> None:
    """A subnet's block is part of its VPC's, and no other subnet's."""
    stated = asked.get("Ipv6CidrBlock")
    subnet = _subnet(ec2, asked.get("SubnetId", ""))
    vpc = ec2.vpcs.get(subnet.vpc_id if subnet else asked.get("VpcId", ""))
    if not stated or vpc is None:
        return
    try:
        block = ipaddress.IPv6Network(stated)
    except ValueError:
        raise ServiceError("InvalidParameterValue", f"Value ({stated}) is not a valid IPv6 block.") from None
    if not any(block.subnet_of(one) for one in vpc_blocks(vpc)):
        raise ServiceError("InvalidSubnet.Range", f"The CIDR '{stated}' is invalid.")
    if any(block.overlaps(one) for other in _subnets(ec2, vpc.id) for one in blocks(other)):
        raise ServiceError("InvalidSubnet.Conflict", f"The CIDR '{stated}' conflicts with another subnet")


def _refuse_flag(ec2: Any, asked: dict[str, str]) -> None:
    if asked.get("AssignIpv6AddressOnCreation.Value") != "true":
        return
    subnet = _subnet(ec2, asked.get("SubnetId", ""))
    if subnet is not None and not blocks(subnet):
        raise ServiceError(
            "InvalidParameterValue",
            "Invalid value 'true' for assign-ipv6-address-on-creation. Cannot set "
            f"assign-ipv6-address-on-creation to true unless the subnet ({subnet.id}) has an IPv6 CIDR block "
            "associated with it.",
        )


def _refuse_subnet(ec2: Any, asked: dict[str, str]) -> None:
    """A block stays while its subnet gives addresses of it, or an interface has one."""
    id = asked.get("AssociationId", "")
    subnet = next((one for one in _all(ec2) if id in one.ipv6_cidr_block_associations), None)
    if subnet is None:
        return
    words = f"The subnet IPv6 CIDR block with association ID {id} may not be disassociated, because "
    if subnet.assign_ipv6_address_on_creation:
        raise ServiceError(IN_USE, f"{words}its subnet has assign-ipv6-address-on-creation set to true.")
    holders = [one.id for one in ec2.enis.values() if one.subnet.id == subnet.id and one.ipv6_addresses]
    if holders:
        raise ServiceError(IN_USE, f"{words}network interface {holders[0]} has an address of it.")


def _refuse_vpc(ec2: Any, asked: dict[str, str]) -> None:
    vpc, block = _associated(ec2, asked.get("AssociationId", ""))
    if block is None or block.version == 4:
        return
    if any(one.subnet_of(block) for subnet in _subnets(ec2, vpc.id) for one in blocks(subnet)):
        raise ServiceError(IN_USE, f"The vpc {vpc.id} currently has a subnet within CIDR block {block}")


REFUSALS: dict[str, Callable[[Any, dict[str, str]], None]] = {
    "AssociateSubnetCidrBlock": _refuse_given,
    "CreateSubnet": _refuse_given,
    "ModifySubnetAttribute": _refuse_flag,
    "DisassociateSubnetCidrBlock": _refuse_subnet,
    "DisassociateVpcCidrBlock": _refuse_vpc,
}


def settle(world: World, request: Request, response: Response, action: str) -> None:
    """What comes with a block is there; a block that has gone is forgotten."""
    asked = form(request)
    if response.status != 200 or asked.get("DryRun") == "true":
        return
    ec2 = backend(world, request.region)
    if action == "AssociateVpcCidrBlock" and asked.get("AmazonProvidedIpv6CidrBlock") == "true":
        _admit(ec2, ec2.vpcs[asked["VpcId"]])
    elif action == "CreateVpc" and asked.get("AmazonProvidedIpv6CidrBlock") == "true":
        _admit(ec2, ec2.vpcs[parsed(action, response)["Vpc"]["VpcId"]])
    elif action == "DisassociateVpcCidrBlock":
        for vpc in ec2.vpcs.values():
            vpc._cidr_block_association_set.pop(asked["AssociationId"], None)
    elif action == "DisassociateSubnetCidrBlock":
        for subnet in _all(ec2):
            subnet.ipv6_cidr_block_associations.pop(asked["AssociationId"], None)


def _admit(ec2: Any, vpc: Any) -> None:
    """Groups and the default ACL let IPv6 pass where nobody has changed their rules for IPv4."""
    from moto.ec2.models.security_groups import SecurityGroupRule

    for group in list(ec2.groups.get(vpc.id, {}).values()):
        if [(one.ip_protocol, one.ip_range) for one in group.egress_rules] == [UNCHANGED]:
            rule = SecurityGroupRule(ec2, "-1", group.id, None, None, {"CidrIpv6": WORLD})
            group.egress_rules.append(rule)
    for acl in [one for one in ec2.network_acls.values() if one.vpc_id == vpc.id and one.default]:
        for egress in (False, True):
            _admit_in_acl(ec2, acl, egress)


def _admit_in_acl(ec2: Any, acl: Any, egress: bool) -> None:
    """The entry that allows all of IPv6 in an unchanged ACL, and in any the one that refuses the rest."""
    numbers = {one.rule_number: one.rule_action for one in acl.network_acl_entries if one.egress == egress}
    wanted = {DENY: "deny"} | ({ALLOW: "allow"} if numbers == {100: "allow", 32767: "deny"} else {})
    for number, verdict in wanted.items():
        if number not in numbers:
            blank = dict.fromkeys(("icmp_code", "icmp_type", "port_range_from", "port_range_to"))
            ec2.create_network_acl_entry(
                acl.id, number, "-1", verdict, egress, None, **blank, ipv6_cidr_block=WORLD
            )


def _all(ec2: Any) -> Iterator[Any]:
    return (one for zone in ec2.subnets.values() for one in zone.values())


def _subnets(ec2: Any, vpc: str) -> list[Any]:
    return [one for one in _all(ec2) if one.vpc_id == vpc]


def _subnet(ec2: Any, id: str) -> Any:
    return next((one for one in _all(ec2) if one.id == id), None)


def _associated(ec2: Any, association: str) -> tuple[Any, Any]:
    for vpc in ec2.vpcs.values():
        found = vpc._cidr_block_association_set.get(association)
        if found:
            return vpc, ipaddress.ip_network(found["cidr_block"])
    return None, None
