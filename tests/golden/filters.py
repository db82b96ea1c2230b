"""Security groups and network ACLs."""

from __future__ import annotations

from ipaddress import ip_network

from reach_bench import (
    entry,
    flow,
    public_server,
    route,
    rule,
    two_subnets,
)

from aws_vpc.network import (
    PrefixList,
)
from aws_vpc.network_values import UDP
from golden.case import (
    MAYBE,
    NO,
    YES,
    Case,
    grouped,
    inside,
)

PRIVATE = "UG/route-tables-priority.html"

CASES = [
    Case(
        "UG/vpc-security-groups.html",
        "what no rule allows is refused",
        lambda: grouped(rule(False, "0.0.0.0/0", "80")),
        inside,
        NO,
        "ENI_SG_RULES_MISMATCH",
    ),
    Case(
        "UG/vpc-security-groups.html",
        "a group without inbound rules refuses all",
        lambda: grouped(rule(True, "0.0.0.0/0")),
        inside,
        NO,
        "SG_HAS_NO_RULES",
    ),
    Case(
        "UG/vpc-security-groups.html",
        "the rules of all groups count together",
        lambda: (
            grouped(rule(False, "0.0.0.0/0", "80"))
            .group("sg-more", rule(False, "10.0.1.0/24", "443"))
            .change("interfaces", "eni-2", groups=("sg-server", "sg-more"))
        ),
        inside,
        YES,
        "sg-more",
    ),
    Case(
        "UG/vpc-security-groups.html",
        "answers pass whatever the rules, for groups are stateful",
        lambda: grouped(rule(False, "0.0.0.0/0", "443"), source=(rule(True, "0.0.0.0/0", "443"),)),
        inside,
        YES,
    ),
    Case(
        "UG/vpc-security-groups.html",
        "outbound rules bind the client",
        lambda: grouped(rule(False, "0.0.0.0/0", "443"), source=(rule(True, "0.0.0.0/0", "80"),)),
        inside,
        NO,
        "ENI_SG_RULES_MISMATCH",
    ),
    Case(
        "UG/security-group-rules.html",
        "a reference admits the members of a group",
        lambda: grouped(rule(False, "sg-client", "443")),
        inside,
        YES,
        "sg-server",
    ),
    Case(
        "UG/security-group-rules.html",
        "a reference refuses who is not in the group",
        lambda: grouped(rule(False, "sg-other", "443")),
        inside,
        NO,
        "ENI_SG_RULES_MISMATCH",
    ),
    Case(
        "UG/security-group-rules.html",
        "a group may refer to itself",
        lambda: (
            two_subnets()
            .group("sg-self", rule(False, "sg-self"), rule(True, "sg-self"))
            .change("interfaces", "eni-1", groups=("sg-self",))
            .change("interfaces", "eni-2", groups=("sg-self",))
        ),
        inside,
        YES,
    ),
    Case(
        "UG/security-group-rules.html",
        "an outbound reference is about the destination's groups",
        lambda: grouped(rule(False, "0.0.0.0/0"), source=(rule(True, "sg-server", "443"),)),
        inside,
        YES,
    ),
    Case(
        "UG/security-group-rules.html",
        "a rule may name a prefix list",
        lambda: grouped(rule(False, "pl-x", "443")).put(
            "prefix_lists", PrefixList("pl-x", (ip_network("10.0.1.0/24"),))
        ),
        inside,
        YES,
        "sg-server",
    ),
    Case(
        "UG/security-group-rules.html",
        "a prefix list that is not known is not guessed",
        lambda: grouped(rule(False, "pl-x", "443")),
        inside,
        MAYBE,
    ),
    Case(
        "UG/security-group-rules.html",
        "a reference means private addresses: by the public one it does not match",
        lambda: (
            public_server()
            .subnet("a2", "vpc-a", "z1", "10.0.2.0/24")
            .eni("eni-2", "a2", "10.0.2.10", public="198.51.100.30", groups=("sg-client",))
            .table("public", "vpc-a", route("0.0.0.0/0", "igw"), subnets=("a1", "a2"))
            .group("sg-client", rule(True, "0.0.0.0/0"))
            .group("sg-server", rule(False, "sg-client"))
            .change("interfaces", "eni-1", groups=("sg-server",))
        ),
        lambda n: flow(n, "eni-2", "eni-1", "198.51.100.10"),
        NO,
        "SG_REFERENCES_NOT_PRESERVED",
    ),
    Case(
        "UG/vpc-security-groups.html",
        "groups know protocols apart",
        lambda: grouped(rule(False, "0.0.0.0/0", "443", UDP)),
        inside,
        NO,
        "ENI_SG_RULES_MISMATCH",
    ),
    Case(
        "UG/vpc-network-acls.html",
        "the lowest number decides",
        lambda: two_subnets().acl(
            "acl",
            "a2",
            entry(200, False, True, "0.0.0.0/0", protocol=-1),
            entry(100, False, False, "10.0.1.0/24", "443"),
            entry(100, True, True, "0.0.0.0/0", protocol=-1),
        ),
        inside,
        NO,
        "SUBNET_ACL_RESTRICTION",
    ),
    Case(
        "UG/vpc-network-acls.html",
        "what no entry matches is refused",
        lambda: two_subnets().acl(
            "acl",
            "a2",
            entry(100, False, True, "0.0.0.0/0", "80"),
            entry(100, True, True, "0.0.0.0/0", protocol=-1),
        ),
        inside,
        NO,
        "SUBNET_ACL_RESTRICTION",
    ),
    Case(
        "UG/custom-network-acl.html#nacl-ephemeral-ports",
        "answers need the client's ephemeral ports, for ACLs keep no state",
        lambda: two_subnets().acl(
            "acl",
            "a2",
            entry(100, False, True, "0.0.0.0/0", "443"),
            entry(100, True, True, "0.0.0.0/0", "443"),
        ),
        inside,
        NO,
        "SUBNET_ACL_RESTRICTION",
    ),
    Case(
        "UG/custom-network-acl.html#nacl-ephemeral-ports",
        "some ephemeral port is enough for a witness",
        lambda: two_subnets().acl(
            "acl",
            "a2",
            entry(100, False, True, "0.0.0.0/0", "443"),
            entry(100, True, True, "0.0.0.0/0", "60000-65535"),
        ),
        inside,
        YES,
        "acl",
    ),
    Case(
        "UG/vpc-network-acls.html",
        "inside a subnet no ACL is asked",
        lambda: two_subnets().eni("eni-3", "a1", "10.0.1.11").acl("acl", "a1"),
        lambda n: flow(n, "eni-1", "eni-3"),
        YES,
    ),
]
