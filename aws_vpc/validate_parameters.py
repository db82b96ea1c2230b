"""What is wrong with a set of parameters before anything is created: what Rules cannot express.

In: the root template's Parameters section, the values given, what is known of the Region.
Out: findings, each naming its parameter. What a template does not declare is not looked at.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aws_vpc.errors import TemplateError
from aws_vpc.template_parameters import check, scalar, split
from aws_vpc.validate_findings import Finding

PATH = "com.amazonaws.{region}.{service}"
# Nine subnets of 256 addresses, or three.
LONGEST = {"VpcCidr": 20, "WarehouseVpcCidr": 22}
NETWORK = (
    "PublicSubnets", "PrivateSubnets", "WebServerSecurityGroup", "DatabaseSecurityGroup",
    "LoaderSecurityGroup",
)  # fmt: skip

Values = Mapping[str, str]


@dataclass(frozen=True)
class Facts:
    """What is known of the account and the Region; empty or 0 is not known."""

    region: str = ""
    account: str = ""
    zones: int = 0
    services: frozenset[str] = frozenset()


def preflight(declared: Mapping[str, Any], given: Values, facts: Facts | None = None) -> list[Finding]:
    """Everything that would fail later, or come out otherwise than asked; empty when all is well."""
    values = {
        key: given.get(key, scalar(parameter.get("Default", ""))) for key, parameter in declared.items()
    }
    known = facts or Facts()
    found = [*constraints(declared, given)]
    # A value that is not even of its form would be reported twice.
    wrong = {one.resource for one in found}
    for rule in RULES:
        found += [
            Finding("", 0, "wiring", rule.__name__.upper(), "ERROR", key, f"{key}: {message}")
            for key, message in rule(values, known)
            if key in declared and key not in wrong
        ]
    return found


def constraints(declared: Mapping[str, Any], given: Values) -> Iterator[Finding]:
    """The parameters that break a constraint of their declaration, that are missing or not declared."""
    for key, parameter in declared.items():
        if key not in given and "Default" not in parameter:
            yield Finding(
                "", 0, "wiring", "MISSING_VALUE", "ERROR", key, f"Parameter '{key}' must have a value"
            )
            continue
        try:
            check(key, _plain(parameter), given.get(key, scalar(parameter.get("Default", ""))))
        except TemplateError as error:
            yield Finding("", 0, "wiring", "CONSTRAINT", "ERROR", key, str(error))
    for key in sorted(given.keys() - declared.keys()):
        message = f"Parameter '{key}' does not exist in the template"
        yield Finding("", 0, "wiring", "UNKNOWN_VALUE", "ERROR", key, message)


def _plain(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    """The declaration of what is given: of a stored parameter that is a name."""
    return {**parameter, "Type": "String"} if "SSM::" in str(parameter["Type"]) else parameter


Found = Iterator[tuple[str, str]]
Rule = Callable[[Values, Facts], Found]


def own_network(values: Values) -> bool:
    """True when the network is to be made."""
    return not values.get("Vpc")


def foreign(values: Values, facts: Facts) -> str:
    """Why the far side belongs to somebody else: another Region or account; empty when it does not."""
    if values.get("PeerRegion") and facts.region and values["PeerRegion"] != facts.region:
        return f"Region {values['PeerRegion']}"
    if values.get("PeerOwnerId") and facts.account and values["PeerOwnerId"] != facts.account:
        return f"account {values['PeerOwnerId']}"
    return ""


def network(text: str) -> ipaddress.IPv4Network | None:
    """The addresses; None when the text names none."""
    try:
        return ipaddress.IPv4Network(text)
    except ValueError:
        return None


def overlapping_cidrs(values: Values, _: Facts) -> Found:
    """Networks that are joined must not share addresses."""
    far = "PeerVpcCidr" if values.get("PeerVpcId") else "WarehouseVpcCidr"
    here, there = network(values.get("VpcCidr", "")), network(values.get(far, ""))
    joined = values.get("PeerVpcId") or values.get("Interconnect") != "none"
    if own_network(values) and joined and here and there and here.overlaps(there):
        yield far, f"{there} overlaps VpcCidr {here}; traffic between them could not be routed"


def cidr_size(values: Values, _: Facts) -> Found:
    """The subnets are cut out of the network in blocks of 256 addresses."""
    for key, longest in LONGEST.items():
        text = values.get(key, "")
        if not text or not own_network(values) or (key == "WarehouseVpcCidr" and values.get("PeerVpcId")):
            continue
        block = network(text)
        if block is None:
            yield key, f"{text} is not the first address of a block; try {_repaired(text)}"
        elif not 16 <= block.prefixlen <= longest:
            yield key, f"{block} must be between /16 and /{longest}, because every subnet takes 256 addresses"


def _repaired(text: str) -> str:
    try:
        return str(ipaddress.IPv4Network(text, strict=False))
    except ValueError:
        return "10.0.0.0/16"


def far_side(values: Values, facts: Facts) -> Found:
    """An existing VPC as the far side is told by its addresses, and by where it is."""
    if not values.get("PeerVpcId"):
        for key in ("PeerVpcCidr", "PeerRouteTableIds", "PeerOwnerId", "PeerRegion", "PeerRoleArn"):
            if values.get(key):
                yield key, "belongs to an existing VPC as the far side; give PeerVpcId, too"
        return
    if not values.get("PeerVpcCidr"):
        yield "PeerVpcCidr", f"give the addresses of {values['PeerVpcId']}: routes need them"
    if values.get("Interconnect") == "none":
        yield "Interconnect", "none does not reach PeerVpcId; use peering or transit-gateway"
    where = foreign(values, facts)
    if not where and not values.get("PeerRouteTableIds"):
        yield "PeerRouteTableIds", "give the route tables of the far side, or no answer finds its way back"
    if where and values.get("PeerRouteTableIds"):
        yield (
            "PeerRouteTableIds",
            f"cannot be changed from here, for the far side is in {where}; leave it empty",
        )


def transit_gateway(values: Values, facts: Facts) -> Found:
    """A transit gateway attaches VPCs of its own Region only."""
    if values.get("Interconnect") != "transit-gateway" or not values.get("PeerVpcId"):
        return
    if where := foreign(values, facts):
        yield "Interconnect", f"transit-gateway cannot attach a VPC in {where}; use peering"


def peer_role(values: Values, facts: Facts) -> Found:
    """Another account must let this one accept on its behalf."""
    owner = values.get("PeerOwnerId", "")
    if owner and facts.account and owner != facts.account and not values.get("PeerRoleArn"):
        yield "PeerRoleArn", f"give a role of account {owner} that may accept the peering connection"
    role = values.get("PeerRoleArn", "")
    if role and owner and f"::{owner}:" not in role:
        yield "PeerRoleArn", f"is not a role of PeerOwnerId {owner}"


def zones(values: Values, facts: Facts) -> Found:
    """There must be as many zones as are asked for, and three for a serverless warehouse."""
    wanted = int(values.get("AvailabilityZones") or 2)
    if own_network(values) and facts.zones and wanted > facts.zones:
        yield "AvailabilityZones", f"{wanted} are asked for, {facts.region or 'the Region'} has {facts.zones}"
    if values.get("Warehouse") != "serverless" or foreign(values, facts):
        return
    made_here = own_network(values) and not values.get("PeerVpcId")
    if made_here and wanted < 3:
        yield "AvailabilityZones", "a serverless warehouse needs subnets in 3 zones"
    elif not made_here and len(split(values.get("WarehouseSubnets", ""))) < 3:
        yield "WarehouseSubnets", "a serverless warehouse needs subnets in 3 zones"


def existing_network(values: Values, _: Facts) -> Found:
    """An existing network must be given whole."""
    if own_network(values):
        return
    for key in NETWORK:
        if key in values and not values[key]:
            yield key, f"is needed with Vpc {values['Vpc']}"
    data = "DataSubnets" if values.get("DataSubnets") else "PrivateSubnets"
    if len(split(values.get(data, ""))) == 1:
        yield data, "names 1 subnet, and the database needs 2 in different zones"


def ipv6(values: Values, _: Facts) -> Found:
    """IPv6 is given to a network that is made here, and its clients need it."""
    if values.get("EnableIpv6") == "true" and not own_network(values):
        yield "EnableIpv6", "true needs a network that is made here; leave Vpc empty"
    clients = values.get("WebIngressCidrIpv6", "")
    if clients and values.get("EnableIpv6") != "true":
        yield "WebIngressCidrIpv6", "needs IPv6 addresses to be opened at; give EnableIpv6=true, too"
    try:
        ipaddress.IPv6Network(clients or "::/0")
    except ValueError as error:
        yield "WebIngressCidrIpv6", f"{clients} is no block of IPv6 addresses: {error}"


def nat_gateways(values: Values, _: Facts) -> Found:
    """An existing network brings its own ways out."""
    if not own_network(values) and values.get("NatGateway") in {"per-az", "regional"}:
        yield "NatGateway", f"{values['NatGateway']} needs a network that is made here; leave Vpc empty"


def endpoints(values: Values, facts: Facts) -> Found:
    """The Region must offer every interface endpoint that is asked for."""
    asked = dict.fromkeys(split(values.get("ExtraInterfaceEndpoints", "")), "ExtraInterfaceEndpoints")
    if values.get("InterfaceEndpoint") == "true":
        asked.setdefault("secretsmanager", "InterfaceEndpoint")
    for name, key in asked.items():
        service = PATH.format(region=facts.region, service=name)
        if facts.region and facts.services and service not in facts.services:
            yield key, f"{facts.region} has no interface endpoint for {name}"
    if asked.get("secretsmanager") == "ExtraInterfaceEndpoints":
        yield "ExtraInterfaceEndpoints", "secretsmanager has a switch of its own: InterfaceEndpoint=true"


def certificate(values: Values, facts: Facts) -> Found:
    """A load balancer takes certificates of its own Region; a single instance takes none."""
    arn = values.get("CertificateArn", "")
    if arn and values.get("BeanstalkType") == "SingleInstance":
        yield "CertificateArn", "needs a load balancer; use BeanstalkType=LoadBalanced"
    region = arn.split(":")[3] if arn.count(":") >= 5 else ""
    if region and facts.region and region != facts.region:
        yield "CertificateArn", f"is a certificate of {region}; the load balancer is in {facts.region}"


RULES: tuple[Rule, ...] = (
    overlapping_cidrs, cidr_size, far_side, transit_gateway, peer_role, zones, existing_network, ipv6,
    nat_gateways, endpoints, certificate,
)  # fmt: skip
