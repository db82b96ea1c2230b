"""The switches of the root, which combinations of them are sensible, and which are deployed."""

from __future__ import annotations

import os
from functools import cache
from itertools import pairwise as neighbours
from itertools import product
from pathlib import Path

from pairwise import Case, pairwise

from aws_vpc.errors import TemplateError
from aws_vpc.template import load
from aws_vpc.template_functions import Scope
from aws_vpc.template_parameters import scalar
from aws_vpc.template_rules import check_rules
from aws_vpc.validate_parameters import preflight

PROJECT = Path(__file__).parent.parent
SWITCHES = {
    # Not a parameter: whose networks there are. "far" is an existing VPC in place of the warehouse's,
    # "stands" are two that another stack has made. A stack keeps what it began with.
    "Network": ("made", "far", "stands"),
    "Warehouse": ("provisioned", "serverless"),
    "WebTier": ("ec2", "beanstalk", "both"),
    "BeanstalkType": ("SingleInstance", "LoadBalanced"),
    "Interconnect": ("peering", "transit-gateway", "none"),
    "NatGateway": ("false", "single", "per-az", "regional"),
    "AvailabilityZones": ("2", "3"),
    "EnableIpv6": ("false", "true"),
    "Size": ("dev", "prod"),
    "WarehouseHours": ("always", "weekdays"),
    "InterfaceEndpoint": ("true", "false"),
    # A stack keeps the place that it began with, too.
    "WaysOut": ("beside", "inside"),
    "ExtraInterfaceEndpoints": ("", "kms,sts"),
    "FlowLogTraffic": ("REJECT", "NONE", "ALL"),
    "ElasticIp": ("false", "true"),
    "AlarmEmail": ("", "operations@example.com"),
}
# In no rule, so that what is sensible does not depend on them.
FREE = (
    "InterfaceEndpoint", "WaysOut", "ExtraInterfaceEndpoints", "FlowLogTraffic", "ElasticIp", "AlarmEmail",
)  # fmt: skip
ROOT = load((PROJECT / "templates" / "nested-stack.yaml").read_text())
FAR = {"PeerVpcId": "vpc-1", "PeerVpcCidr": "10.9.0.0/16", "PeerRouteTableIds": "rtb-1"}
STANDS = {
    "Vpc": "vpc-2", "WarehouseVpc": "vpc-3",
    **dict.fromkeys(("PublicSubnets", "PrivateSubnets"), "subnet-4,subnet-5"),
    **{f"{what}SecurityGroup": "sg-6" for what in ("WebServer", "Database", "Warehouse", "Loader")},
}  # fmt: skip
NETWORKS = {"made": {}, "far": FAR, "stands": STANDS}
MADE_BY_THE_COMMAND = {
    "TemplateBaseUrl": "https://s3.example/templates",
    "ArtifactBucket": "bundles",
    "WebBundle": "web/1.zip",
    "PlatformArn": "arn:aws:elasticbeanstalk:us-west-2::platform/"
    "Python 3.13 running on 64bit Amazon Linux 2023/4.1",
}
DEFAULTS = {
    "AWS::AccountId": "123456789012",
    "AWS::Region": "us-west-2",
    **{name: scalar(one.get("Default", "")) for name, one in ROOT.parameters.items()},
}
QUICK = 1


def sensible(case: Case) -> bool:
    """Whether the check that every create begins with, and the template's rules, let a combination pass.

    A part of one passes that lacks a switch of which a rule speaks.
    """
    ruled = frozenset((name, value) for name, value in case.items() if name not in FREE)
    return len(ruled) < len(SWITCHES) - len(FREE) or passes(ruled)


@cache
def passes(settings: frozenset[tuple[str, str]]) -> bool:
    case = dict(settings)
    network = NETWORKS[case.pop("Network", "made")]
    subnets = {"WarehouseSubnets": "subnet-7,subnet-8,subnet-9"} if network else {}
    given = {**MADE_BY_THE_COMMAND, **case, **network, **subnets}
    declared = {name: ROOT.parameters[name] for name in given}
    if any(one.severity == "ERROR" for one in preflight(declared, given)):
        return False
    try:
        check_rules(ROOT.section("Rules"), Scope(values={**DEFAULTS, **given}))
    except TemplateError:
        return False
    return True


def chosen() -> list[tuple[Case, Case]]:
    """The combinations that are deployed, each with the one that it becomes, on the same kind of network."""
    cases = pairwise(SWITCHES, sensible)
    kinds = [kept(cases, *both) for both in product(SWITCHES["Network"], SWITCHES["WaysOut"])]
    steps = [step for kind in kinds for step in [*neighbours(kind), (kind[-1], kind[0])]]
    return steps if os.environ.get("AWS_VPC_TEST_ALL") else quick(steps)


def kept(cases: list[Case], network: str, ways_out: str) -> list[Case]:
    """The combinations with these two, which a stack keeps; a lone one has another to become."""
    alike = [case for case in cases if case["Network"] == network]
    found = [case for case in alike if case["WaysOut"] == ways_out]
    return found if len(found) > 1 else [*found, *({**case, "WaysOut": ways_out} for case in alike[:1])]


def quick(steps: list[tuple[Case, Case]]) -> list[tuple[Case, Case]]:
    """The steps that deploy most of what no other test does."""
    rare = {("BeanstalkType", "LoadBalanced"), ("Warehouse", "serverless"), ("Size", "prod")}
    ordered = sorted(steps, key=lambda step: (step[0]["Network"] == "made", -len(rare & step[0].items())))
    return ordered[:QUICK]


def words(case: Case) -> str:
    return " ".join(f"{name}={value}" for name, value in case.items())
