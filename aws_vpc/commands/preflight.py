"""The check of all parameters together, against what the Region has, before anything is created."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from aws_vpc.commands.request import OWN, Request
from aws_vpc.commands.session import Session
from aws_vpc.deploy import Stack
from aws_vpc.errors import UsageError
from aws_vpc.validate_parameters import Facts
from aws_vpc.validate_parameters import preflight as findings

PLACE, INSIDE = "WaysOut", "inside"  # the parameter, and what stacks have that were made before it


def preflight(session: Session, request: Request, given: Mapping[str, str]) -> None:
    """Returns when the parameters fit each other and the Region; UsageError names those that do not."""
    declared = {key: one for key, one in request.package.template.parameters.items() if key not in OWN}
    asked = {key: value for key, value in given.items() if key in declared}
    found = findings(declared, asked, facts(session))
    # A value that is missing altogether is CloudFormation's to name, which knows the previous ones.
    wrong = [one.message for one in found if one.severity == "ERROR" and one.rule != "MISSING_VALUE"]
    if wrong:
        raise UsageError("; ".join(dict.fromkeys(wrong)))


def standing(found: Stack, declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The place of gateways and endpoints of a stack that stands, where it has not been told before.

    A route or a private name cannot be there twice, and CloudFormation makes the new one before it deletes
    the old one, so they stay where they are: UsageError when they are to move.
    """
    before = found.parameters.get(PLACE, INSIDE)
    asked = given.get(PLACE, before)
    if PLACE in declared and asked != before:
        raise UsageError(
            f"--param {PLACE}={asked}: gateways and endpoints of stack {found.name} stand {before},"
            " where they stay as long as the stack"
        )
    return {} if PLACE in found.parameters or PLACE not in declared else {PLACE: before}


def facts(session: Session) -> Facts:
    """What the parameters are held against: the Region, the account, its zones, its interface endpoints."""
    ec2 = session.aws.client("ec2")
    zones = ec2.describe_availability_zones(Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}])
    standing = [one for one in zones["AvailabilityZones"] if one.get("State", "available") == "available"]
    return Facts(session.aws.region, session.account, len(standing), services(ec2))


def services(ec2: Any) -> frozenset[str]:
    """The endpoint services that the Region offers; empty where that may not be asked."""
    try:
        return frozenset(ec2.describe_vpc_endpoint_services()["ServiceNames"])
    except ClientError:
        return frozenset()
