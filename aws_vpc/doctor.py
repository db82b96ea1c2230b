"""What could stand in the way of a deployment, asked of AWS before anything is made.

In: clients. Out: Check values: good, bad, or not to be told by this endpoint or to this identity.
Quotas are compared with what is there plus what the default templates make (docs/deploy.rst).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

GOOD, BAD, UNTOLD = "ok", "PROBLEM", "not told"
# A request whose signature is older is refused (Signature Version 4: five minutes, some services fifteen).
SKEW_SECONDS = 300
Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: str
    told: str


@dataclass(frozen=True)
class Quota:
    """A quota of Service Quotas, and how much of it one deployment takes."""

    service: str
    code: str
    name: str
    needs: int
    used: Callable[[Clients], int]


# What create, update and teardown call beside CloudFormation, and what CloudFormation calls for them.
ACTIONS = (
    "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "cloudformation:DescribeStacks",
    "cloudformation:DescribeStackEvents", "cloudformation:DeleteStack", "s3:CreateBucket", "s3:PutObject",
    "ec2:CreateVpc", "ec2:CreateSubnet", "ec2:CreateNatGateway", "ec2:CreateVpcEndpoint",
    "ec2:CreateVpcPeeringConnection", "ec2:RunInstances", "iam:CreateRole", "iam:PassRole",
    "iam:CreateInstanceProfile", "rds:CreateDBInstance", "redshift:CreateCluster",
    "secretsmanager:CreateSecret", "ssm:GetParameter", "batch:CreateComputeEnvironment",
    "batch:RegisterJobDefinition", "ecr:CreateRepository", "codebuild:CreateProject",
    "codedeploy:CreateApplication", "codedeploy:CreateDeployment", "events:PutRule", "logs:CreateLogGroup",
)  # fmt: skip


def identity(clients: Clients, region: str) -> tuple[str, list[Check]]:
    """The caller's ARN, and what is known of it and of the clock."""
    answer = clients("sts").get_caller_identity()
    now = datetime.now(UTC)
    checks = [
        Check("account", GOOD, str(answer["Account"])),
        Check("Region", GOOD, region),
        Check("identity", GOOD, str(answer["Arn"])),
        clock(answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date", ""), now),
    ]
    return str(answer["Arn"]), checks


def clock(date: str, now: datetime) -> Check:
    """Whether this machine's clock agrees with the Date of an answer."""
    if not date:
        return Check("clock", UNTOLD, "the answer has no Date")
    skew = (now - parsedate_to_datetime(date)).total_seconds()
    told = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} AWS"
    return Check("clock", GOOD if abs(skew) < SKEW_SECONDS else BAD, told)


def principal(arn: str) -> str:
    """The user or role that a policy simulation takes, of an identity that may be a role's session."""
    found = re.fullmatch(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.*", arn)
    return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}" if found else arn


def permissions(clients: Clients, arn: str, actions: Sequence[str] = ACTIONS) -> Check:
    """Which of the actions a simulation of the identity's policies does not allow."""
    if arn.endswith(":root"):
        return Check("permissions", GOOD, "the account's root user may do everything")
    try:
        pages = (
            clients("iam")
            .get_paginator("simulate_principal_policy")
            .paginate(PolicySourceArn=principal(arn), ActionNames=list(actions))
        )
        results = [one for page in pages for one in page["EvaluationResults"]]
    except (ClientError, BotoCoreError) as error:
        return Check("permissions", UNTOLD, sentence(error))
    missing = [one["EvalActionName"] for one in results if one["EvalDecision"] != "allowed"]
    if missing:
        return Check("permissions", BAD, f"not allowed: {', '.join(missing)}")
    return Check("permissions", GOOD, f"{len(results)} actions simulated, all allowed")


def sentence(error: Exception) -> str:
    """An error in one line."""
    return " ".join(str(error).split())


def paginated(client: Any, operation: str, **request: Any) -> Iterator[Mapping[str, Any]]:
    """The pages of an operation."""
    yield from client.get_paginator(operation).paginate(**request)


def vpcs(clients: Clients) -> int:
    """How many VPCs there are."""
    return sum(len(page["Vpcs"]) for page in paginated(clients("ec2"), "describe_vpcs"))


def addresses(clients: Clients) -> int:
    """How many Elastic IP addresses there are."""
    return len(clients("ec2").describe_addresses()["Addresses"])


def processors(clients: Clients) -> int:
    """How many vCPUs the running standard instances have."""
    filters = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    pages = paginated(clients("ec2"), "describe_instances", Filters=filters)
    found = [one for page in pages for group in page["Reservations"] for one in group["Instances"]]
    return sum(
        one.get("CpuOptions", {}).get("CoreCount", 1) * one.get("CpuOptions", {}).get("ThreadsPerCore", 1)
        for one in found
    )


# Two VPCs, the NAT gateway's and the web server's address, a t3.micro of two vCPUs.
QUOTAS = (
    Quota("vpc", "L-F678F1CE", "VPCs per Region", 2, vpcs),
    Quota("ec2", "L-0263D0A3", "Elastic IPs per Region", 2, addresses),
    Quota("ec2", "L-1216C47A", "vCPUs of standard instances", 2, processors),
)


def quotas(clients: Clients, standing: bool) -> list[Check]:
    """Whether each quota leaves room for a deployment; one that stands already needs no more."""
    return [quota(clients, one, 0 if standing else one.needs) for one in QUOTAS]


def quota(clients: Clients, one: Quota, needs: int) -> Check:
    """Whether a quota leaves room."""
    try:
        answer = clients("service-quotas").get_service_quota(ServiceCode=one.service, QuotaCode=one.code)
        most, used = int(answer["Quota"]["Value"]), one.used(clients)
    except (ClientError, BotoCoreError) as error:
        return Check(one.name, UNTOLD, sentence(error))
    told = f"{used} of {most} used, {needs} more needed"
    if used + needs > most:
        return Check(one.name, BAD, f"{told}: ask Service Quotas for more ({one.service}/{one.code})")
    return Check(one.name, GOOD, told)


# An operation, and a request for a stack that does not exist: whoever knows it says just that.
NOWHERE = "aws-vpc-doctor-asks-for-a-stack-that-is-not-there"
FEATURES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("nested change sets", "create_change_set",
     {"StackName": NOWHERE, "ChangeSetName": NOWHERE, "ChangeSetType": "UPDATE", "IncludeNestedStacks": True,
      "UsePreviousTemplate": True}),
    ("events by operation", "describe_events", {"StackName": NOWHERE}),
    ("drift detection", "detect_stack_drift", {"StackName": NOWHERE}),
    ("continued rollback", "continue_update_rollback", {"StackName": NOWHERE}),
    ("cancelled update", "cancel_update_stack", {"StackName": NOWHERE}),
    ("termination protection", "update_termination_protection",
     {"StackName": NOWHERE, "EnableTerminationProtection": False}),
)  # fmt: skip
LACKS = ("UnsupportedOperation", "UnknownOperationException", "InvalidAction", "NotImplemented")


def features(cloudformation: Any) -> list[Check]:
    """What the endpoint supports of CloudFormation; nothing is changed by asking."""
    return [feature(cloudformation, *one) for one in FEATURES]


def feature(cloudformation: Any, name: str, operation: str, request: Mapping[str, Any]) -> Check:
    """Whether an operation is known, told by the way in which it is refused."""
    try:
        getattr(cloudformation, operation)(**request)
    except (ParamValidationError, AttributeError):
        return Check(name, UNTOLD, "this version of boto3 does not know it")
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code in LACKS or status in {404, 501}:
            return Check(name, UNTOLD, "the endpoint does not have it")
        if "AccessDenied" in code:
            return Check(name, BAD, sentence(error))
    return Check(name, GOOD, "supported")
