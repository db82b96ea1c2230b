"""Security groups and their rules, network ACLs and their entries, managed prefix lists."""

from typing import Any

from aws_vpc.local.providers import ec2
from aws_vpc.local.providers.call import call, gone_is_done, pick, property_names, truth
from aws_vpc.local.providers.ec2 import Description, Noun
from aws_vpc.local.providers.network import one
from aws_vpc.local.providers.resource import Provider, ResourceRequest, ResourceState, name

GROUP = Noun("security_group", "SecurityGroup", "GroupId", tag="security-group")
ACL = Noun("network_acl", "NetworkAcl")
PREFIX_LIST = Noun("managed_prefix_list", "PrefixList", tag="prefix-list")
Rule = dict[str, Any]
ANYWHERE: Rule = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
ANYWHERE_IPV6: Rule = {"IpProtocol": "-1", "CidrIpv6": "::/0"}
PEERS = {  # property of a rule -> where the API's IpPermission keeps it
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "SourceSecurityGroupName": ("UserIdGroupPairs", "GroupName"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def permission(rule: Rule) -> dict[str, Any]:
    """The rule as the API's IpPermission: protocol, ports and one peer."""
    ports = pick(rule, "IpProtocol FromPort ToPort")
    for key, (kind, member) in PEERS.items():
        if rule.get(key):
            peer = {member: rule[key], **pick(rule, "Description UserId=SourceSecurityGroupOwnerId")}
            return {**ports, kind: [peer]}
    return ports


def authorize(request: ResourceRequest, way: str, group: str, rules: list[Rule]) -> list[str]:
    """The ids of the rules, now part of the group; `way` is ingress or egress."""
    if not rules:
        return []
    given = {"GroupId": group, "IpPermissions": [permission(rule) for rule in rules]}
    answer = call(request.client("ec2"), f"authorize_security_group_{way}", given)
    return [rule["SecurityGroupRuleId"] for rule in answer.get("SecurityGroupRules", [])]


def revoke(request: ResourceRequest, way: str, group: str, rules: list[Rule]) -> None:
    """Nothing; the rules are no longer part of the group."""
    for rule in rules:
        with gone_is_done():
            given = {"GroupId": group, "IpPermissions": [permission(rule)]}
            call(request.client("ec2"), f"revoke_security_group_{way}", given)


def make_group(request: ResourceRequest, noun: Noun, given: Any) -> str:
    """The id of the new group, in the default VPC when none is stated."""
    vpc = given.get("VpcId") or one(request, "describe_vpcs", "Vpcs", is_default="true").get("VpcId")
    chosen = {"GroupName": name(request, maximum=255), **given, "VpcId": vpc}
    tagged = ec2.tag_specification(request, noun.kind)
    answer = call(
        request.client("ec2"), "create_security_group", {**chosen, "TagSpecifications": tagged or None}
    )
    return str(answer["GroupId"])


def settle_group(request: ResourceRequest, id: str) -> None:
    """Nothing; the group has the inline rules stated, and without any the outgoing rules that AWS gives."""
    if request.previous is None and request.properties.get("SecurityGroupEgress"):
        found = ec2.describe(request, GROUP, id) or {}
        if any(rule.get("Ipv6Ranges") for rule in found.get("IpPermissionsEgress", ())):
            revoke(request, "egress", id, [ANYWHERE_IPV6])  # the VPC has IPv6 already
    for way, key, default in (
        ("ingress", "SecurityGroupIngress", []),
        ("egress", "SecurityGroupEgress", [ANYWHERE]),
    ):
        before = default if request.previous is None else request.previous.get(key) or default
        after = request.properties.get(key) or default
        revoke(request, way, id, [rule for rule in before if rule not in after])
        authorize(request, way, id, [rule for rule in after if rule not in before])


def rule_way(request: ResourceRequest) -> str:
    """Whether the resource is an ingress or an egress rule."""
    return request.type.removeprefix("AWS::EC2::SecurityGroup").lower()


def rule_group(request: ResourceRequest, properties: Rule) -> str:
    """The id of the rule's group, which an ingress rule may name instead."""
    if "GroupId" in properties:
        return str(properties["GroupId"])
    found = one(request, "describe_security_groups", "SecurityGroups", group_name=properties["GroupName"])
    return str(found["GroupId"])


def create_rule(request: ResourceRequest) -> ResourceState:
    """The new rule of a group."""
    group = rule_group(request, request.properties)
    made = authorize(request, rule_way(request), group, [request.properties])
    id = made[0] if made else name(request, maximum=64)
    return ResourceState(id, {"Id": id})


def describe_rule(request: ResourceRequest) -> ResourceState:
    """The rule with its new description, the one thing that can change in place."""
    group, given = rule_group(request, request.properties), [permission(request.properties)]
    operation = f"update_security_group_rule_descriptions_{rule_way(request)}"
    call(request.client("ec2"), operation, {"GroupId": group, "IpPermissions": given})
    return ResourceState(request.id, request.attributes)


def delete_rule(request: ResourceRequest) -> None:
    """Nothing; the group has no such rule."""
    with gone_is_done():
        group = rule_group(request, request.properties)
        revoke(request, rule_way(request), group, [request.properties])


ENTRY = (
    "NetworkAclId RuleNumber Egress Protocol RuleAction CidrBlock Ipv6CidrBlock PortRange IcmpTypeCode=Icmp"
)


def create_entry(request: ResourceRequest) -> ResourceState:
    """The new numbered entry of a network ACL."""
    call(
        request.client("ec2"), "create_network_acl_entry", {"Egress": False} | pick(request.properties, ENTRY)
    )
    id = name(request, maximum=64)
    return ResourceState(id, {"Id": id})


def replace_entry(request: ResourceRequest) -> ResourceState:
    """The entry with its new content under its number."""
    given = {"Egress": False} | pick(request.properties, ENTRY)
    call(request.client("ec2"), "replace_network_acl_entry", given)
    return ResourceState(request.id, request.attributes)


def delete_entry(request: ResourceRequest) -> None:
    """Nothing; the ACL has no such entry."""
    acl, egress = request.properties["NetworkAclId"], truth(request.properties.get("Egress", False))
    found = ec2.describe(request, ACL, acl) or {}
    present = [(str(entry["RuleNumber"]), entry["Egress"]) for entry in found.get("Entries", [])]
    number = str(request.properties["RuleNumber"])
    if (number, egress) in present:
        given = {"NetworkAclId": acl, "RuleNumber": number, "Egress": egress}
        call(request.client("ec2"), "delete_network_acl_entry", given)


def join(request: ResourceRequest, subnet: str, acl: str) -> str | None:
    """The id of the association that puts the subnet under the ACL; None when the subnet is gone."""
    current = one(request, "describe_network_acls", "NetworkAcls", association__subnet_id=subnet)
    for entry in current.get("Associations", []):
        if entry["SubnetId"] == subnet:
            given = {"AssociationId": entry["NetworkAclAssociationId"], "NetworkAclId": acl}
            return str(request.client("ec2").replace_network_acl_association(**given)["NewAssociationId"])
    return None


def associate_acl(request: ResourceRequest) -> ResourceState:
    """The association of the subnet with the ACL."""
    id = join(request, request.properties["SubnetId"], request.properties["NetworkAclId"]) or ""
    return ResourceState(id, {"AssociationId": id})


def release_acl(request: ResourceRequest) -> None:
    """Nothing; the subnet is back under the default ACL of its VPC."""
    subnet, acl = request.properties["SubnetId"], request.properties["NetworkAclId"]
    current = one(request, "describe_network_acls", "NetworkAcls", association__subnet_id=subnet)
    if current.get("NetworkAclId") == acl:
        default = one(
            request, "describe_network_acls", "NetworkAcls", vpc_id=current["VpcId"], default="true"
        )
        join(request, subnet, default["NetworkAclId"])


def settle_prefix_list(request: ResourceRequest, id: str) -> None:
    """Nothing; the list has the entries and the name stated; a change makes its next version."""
    if request.previous is None or not request.changed("Entries", "PrefixListName", "MaxEntries"):
        return
    before = {entry["Cidr"]: entry for entry in request.previous.get("Entries") or []}
    after = {entry["Cidr"]: entry for entry in request.properties.get("Entries") or []}
    version = ec2.stable(request, PREFIX_LIST, id)["Version"]
    changes = {
        "AddEntries": [entry for cidr, entry in after.items() if before.get(cidr) != entry] or None,
        "RemoveEntries": [{"Cidr": cidr} for cidr in before if cidr not in after] or None,
    }
    given = {
        "PrefixListId": id,
        "CurrentVersion": version,
        **changes,
        **pick(request.properties, "PrefixListName"),
    }
    call(request.client("ec2"), "modify_managed_prefix_list", given)


def prefix_list_attributes(request: ResourceRequest, found: Description) -> Description:
    """The ARN, which EC2 names after the resource."""
    return {"Arn": found.get("PrefixListArn")}


PORTS = "IpProtocol FromPort ToPort CidrIp CidrIpv6 Description"
INGRESS = (
    "GroupId GroupName SourcePrefixListId SourceSecurityGroupId SourceSecurityGroupName "
    "SourceSecurityGroupOwnerId"
)
EGRESS = "GroupId DestinationPrefixListId DestinationSecurityGroupId"

PROVIDERS = (
    ec2.resource(
        "AWS::EC2::SecurityGroup",
        GROUP,
        "GroupName VpcId Description=GroupDescription",
        make=make_group,
        set_later="SecurityGroupIngress SecurityGroupEgress",
        settle=settle_group,
    ),
    *(
        Provider(
            f"AWS::EC2::SecurityGroup{way}",
            property_names(f"{PORTS} {peers}"),
            create_rule,
            delete_rule,
            describe_rule,
        )
        for way, peers in (("Ingress", INGRESS), ("Egress", EGRESS))
    ),
    ec2.resource("AWS::EC2::NetworkAcl", ACL, "VpcId"),
    Provider("AWS::EC2::NetworkAclEntry", property_names(ENTRY), create_entry, delete_entry, replace_entry),
    Provider(
        "AWS::EC2::SubnetNetworkAclAssociation",
        frozenset({"SubnetId", "NetworkAclId"}),
        associate_acl,
        release_acl,
    ),
    ec2.resource(
        "AWS::EC2::PrefixList",
        PREFIX_LIST,
        "PrefixListName Entries MaxEntries AddressFamily",
        settle=settle_prefix_list,
        more=prefix_list_attributes,
    ),
)
